# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Relay hosts in the summary of a run: a line each, and what is wrong.

Private to the collection. What a relay's state holds is described by the module relay_status.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any


def lines(found: Mapping[str, dict[str, Any]], width: int) -> Iterator[tuple[str, str | None]]:
    """Host -> its state, as lines of text with the name of their colour."""
    rows = [(host, state, _cells(host, state)) for host, state in sorted(found.items())]
    titles = ("RELAY", "QUEUE", "OLDEST", "LAST SENT", "TOKEN")
    broad = [max(len(title), *(len(cells[place]) for _host, _state, cells in rows)) for place, title in enumerate(titles)]
    yield "  ".join([*(f"{title:{size}}" for title, size in zip(titles, broad, strict=True)), "STATE"]), "bright gray"
    for _host, state, cells in rows:
        urgent = sum(problem["severity"] in ("critical", "high") for problem in state["problems"])
        verdict = f"{urgent} to solve" if urgent else "no action required" if state["problems"] else "healthy"
        colour = "red" if urgent else "yellow" if state["problems"] else "green"
        yield "  ".join([*(f"{cell:{size}}" for cell, size in zip(cells, broad, strict=True)), verdict]), colour
        for problem in state["problems"]:
            yield from ((text, "red" if problem["severity"] in ("critical", "high") else "yellow") for text in _problem(problem, width))


def _cells(host: str, state: dict[str, Any]) -> tuple[str, ...]:
    queue, token = state["queue"], state["token"]
    sent = max((box["last_sent"] or 0 for box in state["mailboxes"]), default=0)
    left = (token["expires"] or 0) - state["read_at"] if token else 0
    return (
        host,
        f"{queue['messages']}, {queue['held']} held" if queue["held"] else str(queue["messages"]),
        age(state["read_at"] - queue["oldest"]) if queue["oldest"] else "-",
        f"{age(state['read_at'] - sent)} ago" if sent else "never",
        ("-" if not token else f"{age(left)} left" if left > 0 else "none"),
    )


def _problem(problem: dict[str, Any], width: int) -> list[str]:
    code = f" ({problem['code']})" if problem["code"] else ""
    count = f", {problem['messages']} message{'s' * (problem['messages'] != 1)}" if problem["messages"] else ""
    cause = problem["cause"][:1].upper() + problem["cause"][1:]
    text = f"{problem['subject']}{count}: {cause}{code}. {problem['remedy']}".rstrip()
    return textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")


def age(seconds: float) -> str:
    """A length of time in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
