# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test messages by hMailServer: objects hMailServer.Message, which need no authentication, followed in the queue and in the log.

Source: hMailServer's source (InterfaceMessage::Save, SMTPDeliverer, SMTPClientConnection, Logger: columns are type, thread, session, time,
address and text; `[nl]` stands for a line break, so that `SENT: [nl].` is the end of a message).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..host import WindowsError, WindowsHost
from ..probe_message import ACCEPTED, LEFT, QUEUED, RETURNED, ProbeMessage, Progress
from . import product, queue, server
from .queue import Queue

BATCH = 10  # messages in the input of a script
LINES = 2000  # of the log
_CLIENT = re.compile(r'"SMTPC"\t\d+\t(?P<session>\d+)\t"[^"]*"\t"[^"]*"\t"(?P<text>(?:SENT|RECEIVED): .*)"')
_DELIVERER = re.compile(r'"APPLICATION"\t.*\t"SMTPDeliverer - Message (?P<id>\d+): (?P<text>.*)"')
_ERROR = re.compile(r"RECEIVED: (?P<reply>[45]\d\d[ -].*)")
_END = "SENT: [nl]."


class HMailProbe:
    """hMailServer on a host (RelayProduct)."""

    label = "hMailServer"

    def __init__(self, host: WindowsHost, admin_password: str) -> None:
        self._host, self._password = host, admin_password
        self._product = product.read(host)
        self._upstream = ""
        self._ids: dict[str, int] = {}  # number of a message -> its ID

    @property
    def upstream(self) -> str:
        return self._upstream

    def obstacle(self) -> str:
        if not self._product.is_installed:
            return "hMailServer is not installed"
        if not self._product.runs:
            return "the service hMailServer does not run"
        passwords = [self._password] if self._password else [""]
        option = "hmailserver_admin_password"
        _password, current = server.password_of(self._host, passwords, option=option, remedy="correct it.")
        self._upstream = str(current.settings.get("SMTPRelayer") or "")
        return ""

    def submit(self, messages: Sequence[ProbeMessage]) -> None:
        for at in range(0, len(messages), BATCH):
            batch = messages[at : at + BATCH]
            requests = [{"sender": one.sender, "recipient": one.recipient, "subject": one.subject, "body": one.body} for one in batch]
            document = self._host.run("hmail_message", "hand test messages to hMailServer", {"messages": requests})
            ids = document.get("ids")
            if not isinstance(ids, list) or len(ids) != len(batch) or not all(isinstance(one, int) and one > 0 for one in ids):
                raise WindowsError(self._host.name, "hand test messages to hMailServer", "MessageID", f"the IDs of the messages are {ids}")
            self._ids |= dict(zip((one.number for one in batch), ids, strict=True))

    def follow(self, messages: Sequence[ProbeMessage], *, retry: bool) -> Mapping[str, Progress]:
        ids = [self._ids[one.number] for one in messages]
        details = queue.read(self._host, self._password, retry=ids if retry else (), lines=LINES)
        return {one.number: _progress(one, self._ids[one.number], details) for one in messages}

    def discard(self, messages: Sequence[ProbeMessage]) -> None:
        queue.remove(self._host, self._password, [self._ids[one.number] for one in messages])


def _progress(message: ProbeMessage, number: int, details: Queue) -> Progress:
    lines = _lines_since(number, details.log)
    reply = _reply_to(message, lines)
    errors = [match["reply"] for _session, text in _client_lines(lines) if (match := _ERROR.fullmatch(text))]
    last_error = errors[-1] if errors else ""
    if any(one.id == number for one in details.messages):
        return Progress(QUEUED, last_error)
    own = [match["text"] for line in lines if (match := _DELIVERER.fullmatch(line)) and match["id"] == str(number)]
    if reply.startswith("2"):
        return Progress(ACCEPTED, reply)
    if reply or last_error or any(text.startswith("Message could not be delivered.") for text in own):
        return Progress(RETURNED, reply or last_error)
    return Progress(LEFT)


def _lines_since(number: int, log: Sequence[str]) -> Sequence[str]:
    """The log from the first attempt to deliver this message on; all of it where that is not in the log."""
    starts = (i for i, line in enumerate(log) if (match := _DELIVERER.fullmatch(line)) and match["id"] == str(number))
    return log[next(starts, 0) :]


def _client_lines(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Session and text of the lines of sessions with the upstream server."""
    return [(match["session"], match["text"]) for line in lines if (match := _CLIENT.fullmatch(line))]


def _reply_to(message: ProbeMessage, lines: Sequence[str]) -> str:
    """The upstream server's last reply to this message, in the last session with its sender and recipient; "" where there is none."""
    sessions: dict[str, list[str]] = {}
    for session, text in _client_lines(lines):
        sessions.setdefault(session, []).append(text)
    envelope = {f"sent: mail from:<{message.sender}>".lower(), f"sent: rcpt to:<{message.recipient}>".lower()}
    own = [texts for texts in sessions.values() if envelope <= {text.lower() for text in texts}]
    if not own or _END not in own[-1]:
        return ""
    after = own[-1][own[-1].index(_END) :]
    return next((text.removeprefix("RECEIVED: ") for text in after if text.startswith("RECEIVED: ")), "")
