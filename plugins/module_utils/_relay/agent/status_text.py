# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay status`: the relay's status as text, or as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from ..._core.errors import MailopsError
from . import status
from .console import print_error, print_line
from .formatting import duration, local_time, plural, sentence
from .status_document import MailboxStatus, Problem, Status

_COLOURS = {"red": "31", "yellow": "33", "green": "32", "grey": "90", "bold": "1"}


def main(as_json: bool = False) -> int:
    """Exit status of `mailops-relay status [--json]`: 0 healthy, 1 with a critical or high problem, 2 where this is no relay host."""
    try:
        document = status.collect()
    except MailopsError as error:
        print_error(error)
        return 2
    if as_json:
        print_line(json.dumps(document.as_result(), indent=2))
    else:
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for line, colour in lines(document, min(shutil.get_terminal_size((100, 24)).columns, 120)):
            text = printable(line)
            print_line(f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if coloured and colour else text)
    return int(bool(document.urgent))


def printable(text: str) -> str:
    """Without control characters: devices and servers supply parts of the text."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def lines(document: Status, width: int = 100) -> Iterator[tuple[str, str]]:
    """Each line with its colour ("": the terminal's own)."""
    colour = "red" if document.urgent else "yellow" if document.problems else "green"
    yield f"{document.hostname}: {_summary(document)}", colour
    yield "", ""
    yield from _problems(document, width)
    yield from _mailboxes(document)
    yield from _queue(document, width)
    yield from _host(document)


def _summary(document: Status) -> str:
    """The queue, and the problems of the highest severity."""
    queue = _queue_length(document)
    if not document.problems:
        return f"healthy, {queue}"
    medium, low = ([problem for problem in document.problems if problem.severity == severity] for severity in ("medium", "low"))
    for problems, what in ((document.urgent, "to solve"), (medium, "that can wait"), (low, "of low severity")):
        if problems:
            return f"{queue}, {plural(len(problems), 'problem')} {what}: {_subjects(problems)}"
    return f"{queue}, no action required"


def _queue_length(document: Status) -> str:
    if document.queue.error:
        return "the queue cannot be read"
    messages = document.queue.messages
    return f"{plural(messages, 'message')} in the queue{_queue_times(document)}" if messages else "the queue is empty"


def _subjects(problems: Sequence[Problem]) -> str:
    names = list(dict.fromkeys(problem.subject for problem in problems))
    return ", ".join([*names[:3], *(["..."] if len(names) > 3 else [])])


def _queue_times(document: Status) -> str:
    """The age of the oldest message, and when the queue is empty at the pace."""
    queue = document.queue
    times = [f"the oldest for {duration(document.read_at - queue.oldest)}"] if queue.oldest else []
    if queue.empty_in:
        times.append(f"empty in about {duration(queue.empty_in)}")
    elif queue.sending_seconds:
        times.append(f"empty about {duration(queue.sending_seconds)} after mail flows again")
    return f" ({', '.join(times)})" if times else ""


def _problems(document: Status, width: int) -> Iterator[tuple[str, str]]:
    for problem in document.problems:
        count = f" ({plural(problem.messages, 'message')})" if problem.messages else ""
        code = f" ({problem.code})" if problem.code else ""
        yield f"  {problem.severity}: {problem.subject}{count}", "red" if problem.urgent else "yellow"
        text = f"{sentence(problem.cause)}{code}. {problem.remedy}".strip()
        for line in textwrap.wrap(text, width - 6, break_long_words=False):
            yield f"      {line}", ""
    if document.problems:
        yield "", ""


def _mailboxes(document: Status) -> Iterator[tuple[str, str]]:
    rows, colours = [], []
    for mailbox in document.mailboxes:
        used, limit = mailbox.recipients_24h, mailbox.recipients_per_day
        rows.append(
            (
                mailbox.address,
                f"{duration(document.read_at - mailbox.last_sent)} ago" if mailbox.last_sent else "never",
                f"{used:,} of {limit:,}" if limit else f"{used:,}",
                gauge(used / limit) if limit else "",
                _state(mailbox),
            )
        )
        colours.append("red" if mailbox.suspensions else "yellow" if mailbox.quota_resumes else "")
    if rows:
        yield from table(("MAILBOX", "LAST SENT", "RECIPIENTS (24 H)", "", "STATE"), rows, colours)
        yield "", ""


def _state(mailbox: MailboxStatus) -> str:
    if mailbox.suspensions:
        names = ", ".join(suspension.sender or "all senders" for suspension in mailbox.suspensions)
        return f"suspended ({names}), next attempt {local_time(mailbox.suspensions[0].next_attempt)}"
    if mailbox.quota_resumes:
        return f"daily quota reached until {local_time(mailbox.quota_resumes)}"
    refusal = mailbox.last_refusal
    return f"refused: {refusal.code or refusal.id}" if refusal else "active"


def _queue(document: Status, width: int) -> Iterator[tuple[str, str]]:
    rows = [
        (
            str(row.messages),
            str(row.held or "-"),
            duration(document.read_at - row.oldest),
            row.mailbox or ", ".join(sender or "<>" for sender in row.senders[:2]),
            shortened(f"{row.cause}{f' ({row.code})' if row.code else ''}", max(30, width - 50)),
        )
        for row in document.queue.reasons
    ]
    if rows:
        yield from table(("MESSAGES", "HELD", "OLDEST", "MAILBOX", "REASON"), rows, [""] * len(rows))
        yield "", ""


def _host(document: Status) -> Iterator[tuple[str, str]]:
    """The upstream server, token, certificates and services, a line each."""
    check = document.upstream_check
    if check:
        answer = f"does not answer ({check.failure})" if check.failure else "answers"
        clock = f"; its clock differs by {duration(abs(check.clock_offset))}" if check.clock_offset is not None else ""
        yield f"Upstream      {check.server} {answer}{clock}", "red" if check.failure else ""
    token = document.token
    if token:
        rest = (token.expires or 0) - document.read_at
        text = f"valid for {duration(rest)}" if rest > 0 else "no valid token"
        failing = f"; renewal failing since {local_time(token.failing_since)}" if token.failing_since else ""
        yield f"Token         {text}{failing}", "" if rest > 0 and not failing else "yellow" if rest > 0 else "red"
    for number, certificate in enumerate(document.certificates):
        days = (certificate.expires - document.read_at) / 86400 if certificate.expires else 0.0
        text = f"{certificate.use}: {certificate.failure or f'{days:.0f} days'} ({certificate.path})"
        yield f"{'' if number else 'Certificates':13} {text}", "red" if days < 7 or certificate.failure else "yellow" if days < 21 else ""
    stopped = [f"{service.unit} {service.state}" for service in document.services if not service.running]
    running = f"{len(document.services) - len(stopped)} of {plural(len(document.services), 'unit')} in order"
    yield f"Services      {'; '.join([running, *stopped])}", "red" if stopped else ""


def table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]], colours: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Titles and rows in aligned columns, each with its colour."""
    widths = [max(len(title), *(len(row[column]) for row in rows)) for column, title in enumerate(titles)]
    yield _aligned(titles, widths), "grey"
    for row, colour in zip(rows, colours):  # noqa: B905 - Python 3.9 on the relay
        yield _aligned(row, widths), colour


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths)).rstrip()  # noqa: B905 - Python 3.9 on the relay


def gauge(part: float, size: int = 10) -> str:
    """A bar: ###......."""
    full = min(size, max(int(part * size), 1 if part > 0 else 0))
    return "#" * full + "." * (size - full)


def shortened(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 3]}..."
