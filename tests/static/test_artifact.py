"""The artifact holds what a user needs and nothing else, and works away from this repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from .tree import PACKAGE, REPO, for_every, modules

ALLOWED = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "docs",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}


def ansible(directory: Path, *command: str | Path, collections: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run in a directory, without this user's Azure and Ansible settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "PYTHONPATH"))}
    environment |= {"HOME": str(directory if collections else Path.home()), "ANSIBLE_LOCALHOST_WARNING": "false", "NO_COLOR": "1"}
    if collections:
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    return subprocess.run(command, cwd=directory, env=environment, check=False, capture_output=True, text=True)


# Configuration of galaxy-importer without what starts containers or repeats tests/static/test_linters.py.
IMPORTER = """[galaxy-importer]
CHECK_CHANGELOG = True
CHECK_REQUIRED_TAGS = True
REQUIRE_V1_OR_GREATER = False
RUN_ANSIBLE_LINT = False
RUN_ANSIBLE_TEST = False
RUN_FLAKE8 = False
"""


@pytest.fixture(scope="module")
def artifact(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("artifact")
    done = ansible(REPO, binaries / "ansible-galaxy", "collection", "build", "--output-path", target)
    assert done.returncode == 0, done.stderr
    return next(target.glob("mailops-m365-*.tar.gz"))


@pytest.fixture(scope="module")
def installed(binaries: Path, artifact: Path) -> Path:
    target = artifact.parent / "collections"
    done = ansible(artifact.parent, binaries / "ansible-galaxy", "collection", "install", "--offline", "-p", target, artifact)
    assert done.returncode == 0, done.stderr
    return target


pytestmark = [pytest.mark.tier_test, pytest.mark.xdist_group("artifact")]  # built once


def test_holds_only_what_a_user_runs(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
        links = [member.name for member in archive if member.issym() or member.islnk()]
    assert {name.partition("/")[0] for name in names} <= ALLOWED
    assert {name.split("/")[1] for name in names if name.startswith("inventories/")} == {"example"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".swp", ".orig", "~"))]
    assert not links


def test_holds_every_tracked_file_of_the_collection(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = set(archive.getnames())
    tracked = subprocess.run(
        ["git", "ls-files", "plugins", "roles", "playbooks", "meta", "docs", "inventories/example"],
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    missing = [name for name in tracked.stdout.splitlines() if name not in names and (REPO / name).is_file()]
    assert not missing


def test_documentation_resolves_from_another_directory(binaries: Path, installed: Path, tmp_path: Path) -> None:
    names = [f"mailops.m365.{module}" for module in modules()]
    done = ansible(tmp_path, binaries / "ansible-doc", "--json", *names, collections=installed)
    assert done.returncode == 0, done.stderr
    pages = json.loads(done.stdout)
    assert set(pages) == set(names)
    assert all(str(installed) in page["doc"]["filename"] for page in pages.values())


def test_action_runs_from_another_directory(binaries: Path, installed: Path, tmp_path: Path) -> None:
    done = ansible(tmp_path, binaries / "ansible", "localhost", "-m", "mailops.m365.smtp_auth_info", collections=installed)
    assert done.returncode != 0
    assert "m365_tenant is not set: give the variable m365_tenant" in done.stdout + done.stderr


def test_explain_runs_from_another_directory(binaries: Path, installed: Path, tmp_path: Path) -> None:
    """The command by its path, without the libraries of Ansible, and the filter by its name."""
    reply = "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."
    file = installed / "ansible_collections/mailops/m365/plugins/module_utils/explain/mailops_explain.py"
    done = ansible(tmp_path, sys.executable, "-I", "-S", file, reply)
    assert done.returncode == 0, done.stderr
    assert "  Cause      Basic authentication is disabled for this account.\n" in done.stdout
    expression = f"msg={{{{ ({reply!r} | mailops.m365.explain).0.id }}}}"
    done = ansible(tmp_path, binaries / "ansible", "localhost", "-m", "debug", "-a", expression, collections=installed)
    assert '"msg": "basic-disabled"' in done.stdout, done.stdout + done.stderr


@for_every("module", modules())
def test_modules_run_without_the_action(module: str, installed: Path, tmp_path: Path) -> None:
    """As on another host: the module in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE}.modules.{module}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PATH": os.environ["PATH"]},
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {}}),
        check=False,
        capture_output=True,
        text=True,
    )
    result = json.loads(done.stdout)
    if module == "relay_files":
        assert result["changed"] is False, "without options it has nothing to do"
        return
    assert result["failed"] is True
    assert (
        "m365_tenant is not set" in result["msg"]
        or "m365_hosted_relay is not set" in result["msg"]
        or "missing required arguments" in result["msg"]
        or "is required" in result["msg"]
        or "all of the following are missing" in result["msg"]
        or "Run the role relay_host" in result["msg"]
        or "runs through its action plugin only" in result["msg"]  # the connection of a Windows host is the action's
    )


def test_every_module_resolves_in_a_checkout(binaries: Path, tmp_path: Path) -> None:
    """By its full name, through the tracked link and the one action."""
    tasks = [{"name": module, f"mailops.m365.{module}": {}, "ignore_errors": True} for module in modules()]
    play = tmp_path / "every_module.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), "utf-8")
    done = ansible(REPO, binaries / "ansible-playbook", "-i", "localhost,", "-c", "local", play)
    output = done.stdout + done.stderr
    assert "couldn't resolve" not in output
    assert f"ignored={len(tasks)}" in output, output


@pytest.mark.tier_all
@pytest.mark.one_python_is_enough
def test_galaxy_imports_the_artifact(artifact: Path, tmp_path: Path) -> None:
    """With Galaxy's importer: metadata, changelog, tags, and the documentation of every plugin and role."""
    programs = REPO / ".venv-importer/bin"
    if not (programs / "python").exists():
        pytest.skip("galaxy-importer is not installed: it is the package galaxy-importer")
    (tmp_path / "importer.cfg").write_text(IMPORTER, "utf-8")
    settings = {"GALAXY_IMPORTER_CONFIG": str(tmp_path / "importer.cfg"), "HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}
    command = [programs / "python", "-m", "galaxy_importer.main", artifact]
    done = subprocess.run(command, cwd=tmp_path, env=settings, check=False, capture_output=True, text=True)
    assert "Importer processing completed successfully" in done.stdout + done.stderr, done.stdout + done.stderr
    assert "ERROR" not in done.stdout + done.stderr, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr, done.stdout + done.stderr
