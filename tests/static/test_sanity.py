"""ansible-test's sanity tests; scripts/sanity.py says which files they read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .tree import REPO

# What no other test or linter of this repository covers.
SELECTED = ("action-plugin-docs", "ansible-doc", "ignores", "pep8", "pylint", "runtime-metadata", "validate-modules")


def run_sanity(*options: str) -> None:
    done = subprocess.run([sys.executable, REPO / "scripts/sanity.py", *options], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


@pytest.mark.tier_test
@pytest.mark.xdist_group("sanity")  # the two share their virtual environments
def test_selected_sanity_tests() -> None:
    run_sanity(*(f"--test={test}" for test in SELECTED))


@pytest.mark.tier_all
@pytest.mark.xdist_group("sanity")
def test_every_sanity_test() -> None:
    run_sanity()
