"""ansible-test's sanity tests; scripts/sanity.py says what they see."""

from __future__ import annotations

import subprocess
import sys

from .tree import REPO


def test_ansible_test_sanity() -> None:
    done = subprocess.run([sys.executable, REPO / "scripts/sanity.py"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
