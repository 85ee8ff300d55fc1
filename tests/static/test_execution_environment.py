"""An execution environment with this collection: its definition, and the Python packages that ansible-builder finds."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .tree import REPO, text


def test_the_definition_is_valid_and_installs_the_collection(binaries: Path, tmp_path: Path) -> None:
    definition = REPO / "docs/gitops/execution-environment.yml"
    command = [binaries / "ansible-builder", "create", "--file", definition, "--context", tmp_path, "--output-filename", "Containerfile"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = (tmp_path / "Containerfile").read_text()
    assert steps.index("RUN $PKGMGR install -y git-core") < steps.index("RUN ansible-galaxy role install"), "the collection comes by git"
    [core] = [line.strip() for line in text(REPO / "requirements.txt").splitlines() if line.startswith("ansible-core")]
    assert core in steps, "the versions of ansible-core are those of requirements.txt"
    assert "https://github.com/mailops/m365.git" in (tmp_path / "_build/requirements.yml").read_text()


def test_ansible_builder_finds_the_python_packages_of_the_collection(binaries: Path, tmp_path: Path) -> None:
    listed = tmp_path / "requirements.txt"
    command = [binaries / "ansible-builder", "introspect", "--write-pip", listed, REPO / ".ansible/collections"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    packages = [line.partition(" # from collection ") for line in listed.read_text().splitlines() if line and not line.startswith("#")]
    declared = {line for line in text(REPO / "requirements.txt").splitlines() if line and not line.startswith(("#", "ansible-core"))}
    assert {package.strip() for package, _mark, _origin in packages} == declared
    assert {origin for _package, _mark, origin in packages} == {"mailops.m365"}
