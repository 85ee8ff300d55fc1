# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of relay hosts: a row each. Their problems are listed under NEEDS ATTENTION. Module relay_status describes the status."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._core.json_types import JsonObject
from .failures import explanation, sentence
from .table import HEADING, Column, Line, rows

_URGENT = ("critical", "high")


@dataclass(frozen=True)
class Problem:
    """A problem of a relay host: what has it, the problem as a sentence, and the remedy. `can_wait`: of severity medium."""

    subject: str
    problem: str
    remedy: str
    urgent: bool
    can_wait: bool

    @classmethod
    def of(cls, problem: JsonObject) -> Problem:
        messages = problem["messages"]
        count = f", {messages} message{'s' * (messages != 1)}" if messages else ""
        return cls(
            subject=f"{problem['subject']}{count}",
            problem=sentence(explanation("", problem["cause"], problem["code"])),
            remedy=problem["remedy"],
            urgent=problem["severity"] in _URGENT,
            can_wait=problem["severity"] == "medium",
        )


@dataclass(frozen=True)
class RelayRow:
    """The status of one relay host."""

    host: str
    queue: str
    oldest: str
    last_sent: str
    token: str
    problems: tuple[Problem, ...]
    declared: bool = False  # the problems are entries of a task's attention

    @classmethod
    def of(cls, host: str, status: JsonObject) -> RelayRow:
        queue, token, now = status["queue"], status["token"], status["read_at"]
        sent = max((mailbox["last_sent"] or 0 for mailbox in status["mailboxes"]), default=0)
        left = (token["expires"] or 0) - now if token else 0
        return cls(
            host=host,
            queue=_queue(queue),
            oldest=age(now - queue["oldest"]) if queue["oldest"] else "-",
            last_sent=f"{age(now - sent)} ago" if sent else "never",
            token="-" if not token else f"{age(left)} left" if left > 0 else "none",
            problems=tuple(Problem.of(problem) for problem in status["problems"]),
        )

    @classmethod
    def of_windows(cls, host: str, status: JsonObject, attention: Sequence[JsonObject]) -> RelayRow | None:
        """The status of module windows_relay_info; None of a host that this collection has not configured."""
        product = next((one for name in ("iis_smtp", "hmailserver") if (one := status.get(name)) and one["managed"]), None)
        if product is None:
            return None
        queue = (product.get("virtual_server") or product).get("queue")
        return cls(
            host=host,
            queue=str(queue["count"]) if queue else "unreadable",
            oldest=_since(queue["oldest"], status["read_at"]) if queue and queue["oldest"] else "-",
            last_sent="-",
            token="-",  # noqa: S106 - it has none
            problems=tuple(_declared(entry) for entry in attention),
            declared=True,
        )

    @property
    def urgent(self) -> int:
        return sum(problem.urgent for problem in self.problems)

    @property
    def state(self) -> str:
        if self.urgent:
            return f"{self.urgent} to solve"
        waiting = sum(problem.can_wait for problem in self.problems)
        return f"{waiting} that can wait" if waiting else "no action required" if self.problems else "healthy"

    @property
    def colour(self) -> str:
        return "red" if self.urgent else "yellow" if self.problems else "green"


def _declared(entry: JsonObject) -> Problem:
    return Problem(entry["subject"], entry["problem"], entry["remedy"], urgent=entry["kind"] == "relay", can_wait=True)


def _since(moment: str, now: float) -> str:
    """The age of a time in UTC, ISO 8601."""
    start = datetime.datetime.fromisoformat(moment[:19]).replace(tzinfo=datetime.UTC)
    return age(now - start.timestamp())


def _queue(queue: JsonObject) -> str:
    if queue["error"]:
        return "unreadable"
    return f"{queue['messages']}, {queue['held']} held" if queue["held"] else str(queue["messages"])


def lines(relays: Sequence[RelayRow]) -> Iterator[Line]:
    heading, *texts = rows(
        Column("RELAY", [row.host for row in relays]),
        Column("QUEUE", [row.queue for row in relays]),
        Column("OLDEST", [row.oldest for row in relays]),
        Column("LAST SENT", [row.last_sent for row in relays]),
        Column("TOKEN", [row.token for row in relays]),
        Column("STATE", [row.state for row in relays]),
    )
    yield heading, HEADING
    for row, text in zip(relays, texts, strict=True):
        yield text, row.colour


def age(seconds: float) -> str:
    """A duration in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
