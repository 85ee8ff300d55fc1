from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .tree import REPO, modules


@pytest.fixture(scope="session")
def binaries() -> Path:
    """Where this environment's programs are (ansible-doc, ruff, ...)."""
    return Path(sys.executable).parent


@pytest.fixture(scope="session")
def documentation(binaries: Path) -> dict[str, dict[str, Any]]:
    """Every module's documentation as ansible-doc gives it from this checkout: name -> doc, examples, return."""
    names = [f"mailops.m365.{module}" for module in modules()]
    done = subprocess.run([binaries / "ansible-doc", "--json", *names], cwd=REPO, check=True, capture_output=True, text=True)
    return {full.rpartition(".")[2]: content for full, content in json.loads(done.stdout).items()}
