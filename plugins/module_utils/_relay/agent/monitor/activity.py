# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mailbox did last: its last sent message, its last refusal, the submission proxy's last error."""

from __future__ import annotations

from dataclasses import dataclass

from ...._core.json_types import JsonObject


@dataclass(frozen=True)
class Refusal:
    """A refused attempt. `id`: of the error catalog's entry; `reply`: the server's text."""

    timestamp: float
    id: str
    code: str
    reply: str


@dataclass
class Activity:
    """`last_refusal` and `proxy_error` are cleared by the next sent message. Times are Unix times."""

    last_sent: float | None = None
    last_refusal: Refusal | None = None
    proxy_error: str = ""

    @classmethod
    def from_state(cls, state: JsonObject) -> Activity:
        refusal = state.get("last_refusal")
        return cls(state.get("last_sent"), Refusal(**refusal) if refusal else None, str(state.get("proxy_error") or ""))
