# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay status`: a relay's state for people, or as JSON.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from ..._core.errors import MailopsError
from . import status
from .console import complain, say
from .monitor.monitor import clock

_COLOURS = {"red": "31", "yellow": "33", "green": "32", "grey": "90", "bold": "1"}


def main(arguments: list[str]) -> int:
    """Exit status: 0 all well, 1 where there are grave problems, 2 where this is no relay."""
    try:
        found = status.collect()
    except MailopsError as error:
        complain(error)
        return 2
    if "--json" in arguments:
        say(json.dumps(found, indent=2))
    else:
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for text, colour in lines(found, min(shutil.get_terminal_size((100, 24)).columns, 120)):
            text = printable(text)
            say(f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if coloured and colour else text)
    return int(any(problem["grave"] for problem in found["problems"]))


def printable(text: str) -> str:
    """Without what a terminal would obey: the words come from devices and servers."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def lines(found: dict[str, Any], width: int = 100) -> Iterator[tuple[str, str]]:
    """Each line with its colour ("": the terminal's own)."""
    grave = sum(problem["grave"] for problem in found["problems"])
    colour = "red" if grave else "yellow" if found["problems"] else "green"
    yield f"{found['hostname']}: {_verdict(found)}", colour
    yield "", ""
    yield from _problems(found, width)
    yield from _mailboxes(found)
    yield from _queue(found, width)
    yield from _machine(found)


def _verdict(found: dict[str, Any]) -> str:
    many, grave = len(found["problems"]), sum(problem["grave"] for problem in found["problems"])
    waiting = found["queue"]["messages"]
    queue = f"{waiting} message{'s' * (waiting != 1)} in the queue" if waiting else "the queue is empty"
    if not many:
        return f"all is well, {queue}"
    if not grave:
        return f"{queue}; what is wrong passes by itself"
    return f"{queue}, {grave} problem{'s' * (grave != 1)} for you"


def _problems(found: dict[str, Any], width: int) -> Iterator[tuple[str, str]]:
    for problem in found["problems"]:
        colour = "red" if problem["grave"] else "yellow"
        count = f" ({problem['messages']} message{'s' * (problem['messages'] != 1)})" if problem["messages"] else ""
        code = f" ({problem['code']})" if problem["code"] else ""
        yield f"  {problem['subject']}{count}", colour
        cause = problem["cause"][:1].upper() + problem["cause"][1:]
        for text in textwrap.wrap(f"{cause}{code}. {problem['remedy']}".strip(), width - 6, break_long_words=False):
            yield f"      {text}", ""
    if found["problems"]:
        yield "", ""


def _mailboxes(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    rows = [
        (
            box["address"],
            f"{ago(found['at'] - box['last_sent'])} ago" if box["last_sent"] else "never",
            f"{box['used']:,} of {box['recipients_per_day']:,}" if box["recipients_per_day"] else f"{box['used']:,}",
            gauge(box["used"] / box["recipients_per_day"]) if box["recipients_per_day"] else "",
            _state(box),
        )
        for box in found["mailboxes"]
    ]
    if rows:
        colours = ["red" if box["held_back"] else "yellow" if box["full_until"] else "" for box in found["mailboxes"]]
        yield from table(("MAILBOX", "LAST SENT", "RECIPIENTS IN 24 H", "", "STATE"), rows, colours)
        yield "", ""


def _state(box: dict[str, Any]) -> str:
    if box["held_back"]:
        names = ", ".join(lock["sender"] or "all senders" for lock in box["held_back"])
        return f"held back ({names}), next try {clock(box['held_back'][0]['next_try'])}"
    if box["full_until"]:
        return f"full until {clock(box['full_until'])}"
    return f"refused: {box['refused']['code'] or box['refused']['id']}" if box["refused"] else "open"


def _queue(found: dict[str, Any], width: int) -> Iterator[tuple[str, str]]:
    rows = [
        (
            str(row["messages"]),
            str(row["held"] or "-"),
            ago(found["at"] - row["oldest"]),
            row["mailbox"] or ", ".join(sender or "<>" for sender in row["senders"][:2]),
            shortened(f"{row['cause']}{' (' + row['code'] + ')' if row['code'] else ''}", max(30, width - 50)),
        )
        for row in found["queue"]["reasons"]
    ]
    if rows:
        yield from table(("WAITING", "HELD", "OLDEST", "MAILBOX", "BECAUSE"), rows, [""] * len(rows))
        yield "", ""


def _machine(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Token, certificates and services, a line each: what one looks at when all else is well."""
    token = found["token"]
    if token:
        left = (token["expires"] or 0) - found["at"]
        text = f"good for {ago(left)} more" if left > 0 else "none that is valid"
        failing = f"; no new one since {clock(token['failing_since'])}" if token["failing_since"] else ""
        yield f"Token         {text}{failing}", "" if left > 0 and not failing else "yellow" if left > 0 else "red"
    for number, entry in enumerate(found["certificates"]):
        days = (entry["expires"] - found["at"]) / 86400
        text = f"{entry['use']}: {days:.0f} days ({entry['path']})"
        yield f"{'' if number else 'Certificates':13} {text}", "red" if days < 7 else "yellow" if days < 21 else ""
    states = [f"{entry['unit'].rpartition('.')[0]} {entry['state']}" for entry in found["services"]]
    bad = [entry for entry in found["services"] if entry["state"] not in ("active", "activating", "reloading")]
    yield f"Services      {', '.join(states)}", "red" if bad else ""


def table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]], colours: list[str]) -> Iterator[tuple[str, str]]:
    broad = [max(len(title), *(len(row[place]) for row in rows)) for place, title in enumerate(titles)]
    yield "  ".join(f"{title:{size}}" for title, size in zip(titles, broad)).rstrip(), "grey"  # noqa: B905 - Python 3.9
    for row, colour in zip(rows, colours):  # noqa: B905 - Python 3.9
        yield "  ".join(f"{cell:{size}}" for cell, size in zip(row, broad)).rstrip(), colour  # noqa: B905 - Python 3.9


def gauge(part: float, size: int = 10) -> str:
    full = min(size, max(int(part * size), 1 if part > 0 else 0))
    return "#" * full + "." * (size - full)


def shortened(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 3]}..."


def ago(seconds: float) -> str:
    """A length of time in one unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "d"):
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
