# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The delivery monitor's files: its state, Postfix's table of suspended senders, the spool of queue actions."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field, replace

from .. import config
from ..files import read_object, write
from ..paths import Paths
from . import circuit_breaker, daily_quota
from .actions import QueueActions
from .state import MonitorState


@dataclass(frozen=True)
class MonitorStore:
    """Reads and writes below `paths`."""

    paths: Paths = field(default_factory=Paths)

    def load(self) -> tuple[MonitorState, str]:
        """The saved state, and the journal's cursor ("" where there is none). Raises ConfigError."""
        # Set by tests of the relay host only: a shorter quota window and probe delay.
        window = float(os.environ.get("MAILOPS_RELAY_QUOTA_WINDOW") or daily_quota.DAY)
        delay = float(os.environ.get("MAILOPS_RELAY_PROBE_DELAY") or circuit_breaker.INITIAL_DELAY)
        state, saved = MonitorState(config.load(self.paths.config_file), window, delay), read_object(self.paths.monitor_state)
        state.load(saved)
        return state, str(saved.get("cursor") or "")

    def apply(self, state: MonitorState, actions: QueueActions) -> bool:
        """Write the table and the queue actions where they differ from what is there; whether anything was written."""
        table = state.suspended_senders()
        if state.table is None:
            with contextlib.suppress(OSError):
                state.table = self.paths.suspended_senders.read_text("utf-8")
        changed = state.table != table
        if changed:
            write(self.paths.suspended_senders, table, 0o644)
            state.table = table
        actions = replace(actions, reload=changed)
        if not actions:
            return False
        numbers = (int(path.stem) for path in self.paths.queue_actions.glob("*.json") if path.stem.isdigit())
        # Written elsewhere and moved: any file that appears in the spool starts the unit that runs as root.
        new = self.paths.state / "queue-action.new"
        write(new, actions.to_json(), 0o600)
        os.replace(new, self.paths.queue_actions / f"{max([0, *numbers]) + 1:09}.json")
        return True

    def save(self, state: MonitorState, cursor: str) -> None:
        """State and cursor in one file, so that a restart continues exactly there."""
        write(self.paths.monitor_state, json.dumps({"cursor": cursor, **state.as_state()}, separators=(",", ":")), 0o640)
