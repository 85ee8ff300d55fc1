"""The project's own files agree with each other."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .tree import PACKAGE, REPO, files, for_every_file, load, text, under

GALAXY = load(REPO / "galaxy.yml")


def test_one_version_everywhere() -> None:
    agent = re.search(r'USER_AGENT = "mailops\.m365/([\d.]+)', text(REPO / "plugins/module_utils/_http/transport.py"))
    assert agent
    assert agent[1] == GALAXY["version"]
    releases = REPO / "changelogs/changelog.yaml"
    fragments = {path.stem for path in under("changelogs/fragments", ".yml")}
    assert GALAXY["version"] in fragments or GALAXY["version"] in load(releases)["releases"], "neither released nor with a release summary"


def test_tracked_collection_link_points_to_the_repository() -> None:
    link = REPO / ".ansible/collections/ansible_collections" / GALAXY["namespace"] / GALAXY["name"]
    assert link.is_symlink()
    assert link.resolve() == REPO
    assert not link.readlink().is_absolute()


def test_python_and_ansible_versions_agree() -> None:
    tools = tomllib.loads(text(REPO / "pyproject.toml"))["tool"]
    python = tools["mypy"]["python_version"]
    assert tools["ruff"]["target-version"] == "py" + python.replace(".", "")
    assert load(REPO / "tests/config.yml")["modules"]["python_requires"] == f">={python}"
    core = load(REPO / "meta/runtime.yml")["requires_ansible"]
    low, high = re.findall(r"\d+\.\d+", core)
    assert f"ansible-core>={low},<{high}\n" in text(REPO / "requirements.txt")
    between = [f"2.{minor}" for minor in range(int(low[2:]), int(high[2:]))]
    assert sorted(path.name for path in under("tests/sanity", ".txt")) == [f"ignore-{version}.txt" for version in between]


@for_every_file(under("tests/sanity", ".txt"))
def test_sanity_ignores_have_a_reason(path: object) -> None:
    for line in (REPO / str(path)).read_text("utf-8").splitlines():
        assert re.match(r"\S+ [\w:-]+ # \w", line), line


@for_every_file([path for path in under("plugins", ".py") if path.name != "__init__.py"])
def test_galaxy_accepts_the_names_of_plugins(path: Path) -> None:
    """Galaxy's importer refuses a collection with another name; it reads the artifact only in `make test-all`."""
    assert re.fullmatch(r"(?!.*__)[a-z_][0-9a-z_]*", path.stem), f"{path}: choose a name in lower case without a double underscore"


def test_make_targets_are_documented_and_exist() -> None:
    makefile = text(REPO / "Makefile")
    phony = set(" ".join(re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)", makefile, re.MULTILINE)).replace("\\", "").split())
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert phony == targets


@for_every_file([path for path in files() if path.suffix == ".sh" or path.parent.name == ".ci"])
def test_scripts_are_executable_and_stop_at_the_first_error(path: object) -> None:
    file = REPO / str(path)
    if file.read_text("utf-8").startswith("#!"):
        assert file.stat().st_mode & stat.S_IXUSR
        assert re.search(r"^set -e", file.read_text("utf-8"), re.MULTILINE)


def test_the_package_of_the_collection_is_importable() -> None:
    assert f"ansible_collections.{GALAXY['namespace']}.{GALAXY['name']}.plugins" == PACKAGE


@pytest.mark.tier_test
def test_changelog_fragments_are_valid() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("antsibull-changelog"), "lint"], cwd=REPO, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
