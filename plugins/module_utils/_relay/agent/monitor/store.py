# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the watcher keeps things on a relay, and its state as a file.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..files import read_object, write
from ..paths import Places
from . import circuit_breaker, daily_quota
from .circuit_breaker import Orders
from .monitor import Keeper


@dataclass(frozen=True)
class Desk:
    """`state`: the watcher's; `closed`: Postfix's table; `orders`: what root is to do, a file each; `asked`: what people asked for."""

    configuration: Path = Places.configuration
    home: Path = field(default_factory=lambda: Path("/var/lib/mailops-relay"))
    run: Path = Places.run

    @property
    def state(self) -> Path:
        return self.home / "state.json"

    @property
    def closed(self) -> Path:
        return self.home / "suspended-senders"

    @property
    def orders(self) -> Path:
        return self.home / "queue-actions"

    @property
    def asked(self) -> Path:
        return self.home / "release-request"

    @property
    def places(self) -> Places:
        return Places(self.configuration, self.run)

    def settings(self) -> dict[str, Any]:
        """relay.json. Raises OSError or ValueError."""
        found: dict[str, Any] = json.loads(self.places.settings.read_text("utf-8"))
        return found


def keeper(desk: Desk) -> tuple[Keeper, str]:
    """The keeper as it was left, and the journal's cursor ("" at first)."""
    # Not settings: only the tests of the relay have days and pauses that are shorter.
    window = float(os.environ.get("MAILOPS_RELAY_QUOTA_WINDOW") or daily_quota.DAY)
    pause = float(os.environ.get("MAILOPS_RELAY_PROBE_DELAY") or circuit_breaker.FIRST_PAUSE)
    found, state = Keeper(desk.settings(), window, pause), read_object(desk.state)
    found.load(state)
    return found, str(state.get("cursor") or "")


def carry_out(desk: Desk, found: Keeper, orders: Orders) -> bool:
    """The closed senders and root's orders as files; whether there was anything to do."""
    text = found.closed()
    if found.written is None:
        with contextlib.suppress(OSError):
            found.written = desk.closed.read_text("utf-8")
    same = found.written == text
    if not same:
        write(desk.closed, text, 0o644)
        found.written = text
    if same and not orders.hold and not orders.release:
        return False
    number = max([0, *(int(path.stem) for path in desk.orders.glob("*.json") if path.stem.isdigit())]) + 1
    # Written elsewhere: whatever appears there starts root's part.
    write(desk.home / "order", json.dumps({"reload": not same, "hold": orders.hold, "release": orders.release}), 0o600)
    os.replace(desk.home / "order", desk.orders / f"{number:09}.json")
    return True


def save(desk: Desk, found: Keeper, cursor: str) -> None:
    """State and cursor in one step: a restart counts from exactly there."""
    write(desk.state, json.dumps({"cursor": cursor, **found.as_state()}, separators=(",", ":")), 0o640)
