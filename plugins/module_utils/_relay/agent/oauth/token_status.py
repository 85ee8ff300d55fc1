# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the access token: its times and the last failed request, without the token."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import read_object, write_if_changed


@dataclass(frozen=True)
class TokenStatus:
    """Unix times; None where there is no valid token, or no failure. `failure`: the error of the last request, else ""."""

    issued: float | None = None
    expires: float | None = None
    failure: str = ""
    failing_since: float | None = None


def read(path: Path) -> TokenStatus:
    """The status in a file; an empty one where there is none."""
    document = read_object(path)
    times = {name: document.get(name) for name in ("issued", "expires", "failing_since")}
    return TokenStatus(failure=str(document.get("failure") or ""), **times)


def write(path: Path, status: TokenStatus) -> None:
    """Raises OSError."""
    write_if_changed(path, json.dumps(asdict(status)), 0o644)
