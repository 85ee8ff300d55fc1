"""Every molecule scenario is a test: `molecule test` on it, from nothing to nothing.

A scenario on test hosts has an executable `needs`, which prints why there can be none here and fails; it runs in the hub of a
test network of its own (testbed/).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.contract import check_contract

REPO = Path(__file__).resolve().parent.parent.parent
SCENARIOS = sorted(path.parent for path in REPO.glob("molecule/*/molecule.yml"))
# Those on test hosts take longest: they come first, so that each worker begins with one.
SCENARIOS.sort(key=lambda path: not (path / "needs").exists())
# The one that the newest Python and ansible-core run as well.
MAIN = "tenant"


# The scenarios of one role that it runs together are run alone in `make test-all`.
TOGETHER = REPO / "molecule" / "small_roles" / "converge.yml"
ALONE = set(re.findall(r"import_playbook: \.\./(\w+)/", TOGETHER.read_text(encoding="utf-8")))
# It connects to the emulator, and sends no request.
NO_REQUESTS = {"diagnose"}
# Beside relay_host, which most relays are like.
LATE = ALONE | {"relay_host_connector"}


def scenario(path: Path) -> object:
    marks = [] if path.name == MAIN else [pytest.mark.one_python_is_enough]
    if path.name in LATE:
        marks.append(pytest.mark.tier_all)
    marks.append(pytest.mark.xdist_group(path.name))
    return pytest.param(path, id=path.name, marks=marks)


def failure(stdout: str, stderr: str) -> str:
    """What failed: the results of failed tasks from their beginning, which the output of a nested run can push far up, and the ends."""
    lines = stdout.splitlines()
    failed = [number for number, line in enumerate(lines) if line.startswith(("fatal:", "failed:", "[ERROR]"))]
    results = ["\n".join(lines[number : number + 40]) for number in failed]
    return "\n\n".join([*results, stdout[-12000:], stderr[-6000:]])


def test_failure_shows_the_beginning_of_a_failed_task() -> None:
    """A nested run's return code and standard error come before its standard output, which is long."""
    nested = [f"        TASK {number}" for number in range(2000)]
    lines = [
        "TASK [Run] ***",
        "fatal: [localhost]: FAILED! => ",
        "    rc: 1",
        "    stderr: The report could not be written.",
        "    stdout: |",
        *nested,
    ]
    text = failure("\n".join(lines), "molecule: failed")
    assert "rc: 1" in text
    assert "could not be written" in text
    assert "TASK 1999" in text
    assert "molecule: failed" in text
    assert len(text) < 20000


@pytest.mark.parametrize("path", [scenario(path) for path in SCENARIOS])
def test_scenario(path: Path, tmp_path: Path) -> None:
    binaries = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
    environment |= {"PATH": f"{binaries}{os.pathsep}{environment['PATH']}", "PY_COLORS": "0", "NO_COLOR": "1"}
    environment["MAILOPS_RECORD"] = str(record := tmp_path / "record.jsonl")
    if (path / "needs").exists():
        needs = subprocess.run([path / "needs"], cwd=REPO, env=environment, check=False, capture_output=True, text=True)
        if needs.returncode:
            pytest.skip(needs.stdout.strip() or "its needs are not met")
    on_hosts = [sys.executable, "-m", "testbed", "network"] if (path / "needs").exists() else []
    command = [*on_hosts, binaries / "molecule", "test", "--scenario-name", path.name]
    # Molecule's own name for it holds the name of the working directory, not its path: two clones would share it.
    with tempfile.TemporaryDirectory(prefix="molecule.") as directory:
        environment["MOLECULE_EPHEMERAL_DIRECTORY"] = directory
        done = subprocess.run(command, cwd=REPO, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, failure(done.stdout, done.stderr)
    if record.exists() and path.name not in NO_REQUESTS:  # scenarios without an emulator record nothing
        check_contract(record)
