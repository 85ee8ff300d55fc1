# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue action: what the delivery monitor asks of root, and its JSON form in the spool directory."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field

_QUEUE_ID = re.compile(r"[0-9A-Za-z]{6,20}")


@dataclass
class QueueActions:
    """Queue ids to hold and to release; `reload`: Postfix reads its tables again first."""

    hold: list[str] = field(default_factory=list)
    release: list[str] = field(default_factory=list)
    reload: bool = False

    def __bool__(self) -> bool:
        return bool(self.hold or self.release or self.reload)

    def extend(self, other: QueueActions) -> None:
        """Append the queue ids of other actions."""
        self.hold += other.hold
        self.release += other.release

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def parse(text: bytes) -> QueueActions:
    """The actions of a spool file; anything that is not a queue id is dropped. Raises ValueError where it holds no JSON object."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("it holds no JSON object")
    return QueueActions(_queue_ids(document.get("hold")), _queue_ids(document.get("release")), bool(document.get("reload")))


def _queue_ids(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str) and _QUEUE_ID.fullmatch(entry)] if isinstance(value, list) else []
