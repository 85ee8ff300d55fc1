# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test messages by IIS SMTP: files in its folder Pickup, which it sends without regard to the relay list.

Sources: "Pickup Directory" in the help of the SMTP service (a file that is moved there is sent to the recipients of its header). The log
has one line for each reply of an upstream server, but not of which message. Microsoft 365 repeats the Message-ID in its reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..host import WindowsHost, rows
from ..probe_message import ACCEPTED, FIELD, LEFT, PICKUP, QUEUED, RETURNED, ProbeMessage, Progress
from ..services import RUNNING
from . import log, settings, state
from .log import Reply
from .state import SMTP_SERVER, IisState, Server, texts

BATCH = 10  # messages in the input of a script
_ACCEPTED = re.compile(r"250 (?!2\.1\.)")  # not the reply to an address (RFC 3463)
_LOG_FILES = r"C:\Windows\System32\LogFiles"


class IisProbe:
    """IIS SMTP on a host (RelayProduct)."""

    label = "IIS SMTP Server"

    def __init__(self, host: WindowsHost) -> None:
        self._host = host
        self._state = state.read(host)
        self._since: dict[str, str] = {}  # number -> when the message was submitted: UTC, ISO 8601

    @property
    def _server(self) -> Server | None:
        return self._state.server

    @property
    def upstream(self) -> str:
        server = self._server
        return str(server.values.get("SmartHost") or "").strip("[]") if server else ""

    def obstacle(self) -> str:
        return _obstacle(self._state)

    def _folder(self, name: str) -> str:
        values = self._server.values if self._server else {}
        return str(values.get(name) or settings.DIRECTORIES[name]).rstrip("\\")

    def submit(self, messages: Sequence[ProbeMessage]) -> None:
        """Each file is written beside the folder, then moved there, so that the service reads whole files only."""
        pickup = self._folder(settings.PICKUP)
        parent = pickup.rpartition("\\")[0]
        for at in range(0, len(messages), BATCH):
            batch = messages[at : at + BATCH]
            files = [
                {"draft": rf"{parent}\mailops-{one.number}.tmp", "file": rf"{pickup}\mailops-{one.number}.eml", "text": one.text()}
                for one in batch
            ]
            document = self._host.run("iis_pickup", "hand test messages to IIS SMTP Server", {"messages": files})
            self._since |= dict(zip((one.number for one in batch), texts(document.get("times")), strict=True))

    def follow(self, messages: Sequence[ProbeMessage], *, retry: bool) -> Mapping[str, Progress]:
        """`retry` has no effect: the service keeps its own schedule."""
        replies = log.replies(self._host, rf"{self._log_directory()}\SMTPSVC1")
        places = self._places(messages)
        return {one.number: _progress(one, places.get(one.number, ""), _since(replies, self._since[one.number])) for one in messages}

    def _log_directory(self) -> str:
        return str((self._server.values if self._server else {}).get(settings.LOG_DIRECTORY) or _LOG_FILES)

    def _places(self, messages: Sequence[ProbeMessage]) -> dict[str, str]:
        """Number -> the state that follows from the folder where the message is, or a report about it."""
        states = {self._folder(settings.BAD_MAIL): RETURNED, self._folder(settings.PICKUP): PICKUP, self._folder(settings.QUEUE): QUEUED}
        request = {"folders": list(states), "since": min(self._since.values())[:19]}
        document = self._host.run("iis_messages", "find the test messages", request)
        places: dict[str, str] = {}
        for file in rows(self._host.name, document, "files"):
            headers = texts(file.get("headers"))
            for one in messages:
                if not any(f"{FIELD}: {one.number}" in line for line in headers):
                    continue
                is_report = not any(line.startswith("Subject: Test message: ") for line in headers[:1])
                places[one.number] = RETURNED if is_report else states.get(str(file.get("folder")), QUEUED)
        return places

    def discard(self, messages: Sequence[ProbeMessage]) -> None:
        """The service holds its queue's files open: the messages stay."""


def _obstacle(current: IisState) -> str:
    if SMTP_SERVER in current.missing:
        return "the feature SMTP-Server is not installed"
    if current.server is None:
        return "the virtual SMTP server is missing"
    if current.service is None or current.service.state != RUNNING:
        return "the service SMTPSVC does not run"
    return ""


def _since(replies: Sequence[Reply], time: str) -> list[Reply]:
    """The log has whole seconds."""
    return [one for one in replies if one.time[:19] >= time[:19]]


def _progress(message: ProbeMessage, place: str, replies: Sequence[Reply]) -> Progress:
    """`replies`: those since the message was submitted, of all messages."""
    own = next((one.text for one in replies if message.message_id in one.text and _ACCEPTED.match(one.text)), "")
    if own:
        return Progress(ACCEPTED, own)
    final = [one.text for one in replies if log.ERROR.match(one.text) or _ACCEPTED.match(one.text)]
    if place:
        return Progress(place, next((text for text in reversed(final) if log.ERROR.match(text)), ""))
    if not final:
        return Progress(LEFT)
    return Progress(RETURNED if log.ERROR.match(final[-1]) else ACCEPTED, final[-1])
