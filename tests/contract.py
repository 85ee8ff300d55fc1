"""Holds recorded requests against what Microsoft publishes, where that lies beside this checkout (CI always has it)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKER = Path(__file__).resolve().parent.parent.parent / "shared" / "contract" / "check_requests.py"

# What the reference itself says differs from its own list (doc_quirks): "Manage High Volume Email for Microsoft 365" passes
# PrimarySmtpAddress with -HVEAccount, and without it the account would get another address.
QUIRKS = ("New-MailUser -PrimarySmtpAddress is not for Exchange Online's customers",)


def check_contract(record: Path) -> None:
    """Fails where a request in the record is none that Microsoft publishes, or where there is no request at all."""
    if not CHECKER.exists():
        pytest.skip("the published contract is not beside this checkout")
    done = subprocess.run([sys.executable, str(CHECKER), str(record)], check=False, capture_output=True, text=True)
    *violations, total = done.stdout.splitlines() or [done.stderr]
    assert done.returncode in (0, 1), total
    assert [line for line in violations if not line.endswith(QUIRKS)] == []
