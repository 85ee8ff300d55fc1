"""The linters, each as one test. `make lint` runs only these."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .tree import REPO, under


def run(*command: str | Path) -> None:
    # ansible-lint calls its own interpreter's ansible-playbook, and has no use for a home directory's settings.
    environment = {**os.environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=REPO, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{Path(command[0]).name}:\n{done.stdout}{done.stderr}"


def test_ruff_check(binaries: Path) -> None:
    run(binaries / "ruff", "check", "--quiet", ".")


def test_ruff_format(binaries: Path) -> None:
    run(binaries / "ruff", "format", "--check", ".")


@pytest.mark.xdist_group("mypy")  # the two share a cache
def test_mypy_collection(binaries: Path) -> None:
    run(binaries / "mypy", "-p", "ansible_collections.mailops.m365.plugins")


@pytest.mark.xdist_group("mypy")
@pytest.mark.parametrize("package", ["emulator", "scripts", "testbed", "bench"])
def test_mypy(binaries: Path, package: str) -> None:
    if not under(package, ".py"):
        pytest.skip(f"there is no {package}/ yet")
    run(binaries / "mypy", package)


def test_yamllint(binaries: Path) -> None:
    run(binaries / "yamllint", "--strict", ".")


@pytest.mark.tier_test
def test_ansible_lint(binaries: Path) -> None:
    run(binaries / "ansible-lint", "--strict", "--profile", "production", "-q")


def workflows() -> list[Path]:
    return [*under(".github/workflows", ".yml"), REPO / "docs/gitops/github-actions.yml"]


def test_workflows_match_the_schema(binaries: Path) -> None:
    run(binaries / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows())


def test_actionlint(binaries: Path) -> None:
    """Expressions, outputs of steps and jobs, inputs of actions; with shellcheck, which it runs where that is installed, the scripts."""
    run(binaries / "jactionlint", *workflows())


@pytest.mark.parametrize(("schema", "file"), [("gitlab-ci", "gitlab-ci.yml"), ("azure-pipelines", "azure-pipelines.yml")])
def test_pipelines_match_the_schema(binaries: Path, schema: str, file: str) -> None:
    # Python's regular expressions: Azure's schema has escapes that ECMAScript's do not.
    options = ["--builtin-schema", f"vendor.{schema}", "--data-transform", schema, "--regex-variant", "python"]
    run(binaries / "check-jsonschema", *options, REPO / "docs/gitops" / file)


def test_workflows_are_secure(binaries: Path) -> None:
    """Template injection, permissions, unpinned actions, credentials that stay in the checkout."""
    run(binaries / "zizmor", "--offline", "--no-progress", *workflows())


@pytest.fixture
def shellcheck() -> str:
    path = shutil.which("shellcheck")
    if not path:
        pytest.skip("shellcheck is not installed")
    return path


def test_shellcheck(shellcheck: str) -> None:
    run(shellcheck, *under("scripts", ".sh"), REPO / ".ci/run")


def scripts(node: object) -> Iterator[str]:
    """The scripts of a pipeline of GitLab or Azure DevOps. The commands of a GitLab job run in one shell."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("script", "before_script", "inlineScript"):
                yield "\n".join([value] if isinstance(value, str) else value)
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for item in node:
            yield from scripts(item)


@pytest.mark.parametrize(("file", "expected"), [("gitlab-ci.yml", 4), ("azure-pipelines.yml", 5)])
def test_shellcheck_pipelines(shellcheck: str, tmp_path: Path, file: str, expected: int) -> None:
    """The scripts of the files for GitLab and Azure DevOps; actionlint checks those of GitHub Actions."""
    sources = list(scripts(yaml.safe_load((REPO / "docs/gitops" / file).read_text())))
    assert len(sources) == expected
    for number, script in enumerate(sources):
        (tmp_path / str(number)).write_text(script)
    run(shellcheck, "--shell", "bash", *tmp_path.iterdir())
