"""The generated pages are what their sources say."""

from __future__ import annotations

import subprocess
import sys

from scripts.generate_docs import markup

from .tree import REPO


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, REPO / "scripts/generate_docs.py", "--check"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_ansible_markup_is_markdown() -> None:
    assert markup(r"RV(ignore:components[].status) of M(mailops.m365.tenant), V(present\)) and O(state)") == (
        "`components[].status` of [tenant](#tenant), `present)` and `state`"
    )
