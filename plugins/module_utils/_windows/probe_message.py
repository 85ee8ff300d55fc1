# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test message on a Windows host, and how far it has come."""

from __future__ import annotations

import email.message
import email.policy
import email.utils
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

# How far a message has come. LEFT: it has left the queue, and the log has no reply of the upstream server; RETURNED: to its sender.
PICKUP, QUEUED, ACCEPTED, RETURNED, LEFT = "pickup", "queued", "accepted", "returned", "left"
FIELD = "X-Mailops-Probe"


@dataclass(frozen=True)
class ProbeMessage:
    """The message of a sender; `name`: the sender's, in one line."""

    name: str
    sender: str
    recipient: str
    number: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def message_id(self) -> str:
        return f"<mailops-{self.number}@{self.sender.rpartition('@')[2].lower()}>"

    @property
    def subject(self) -> str:
        return f"Test message: {self.name} [{self.number}]"

    @property
    def body(self) -> str:
        return f"{self.sender} can send through this relay.\r\n\r\nThis is a test message from mailops.m365. No action is required.\r\n"

    def text(self) -> str:
        """The message in ASCII (RFC 5322)."""
        message = email.message.EmailMessage()
        message["From"] = self.sender
        message["To"] = self.recipient
        message["Subject"] = self.subject
        message["Date"] = email.utils.formatdate(localtime=False)
        message["Message-ID"] = self.message_id
        message["Auto-Submitted"] = "auto-generated"
        message[FIELD] = self.number
        message.set_content(self.body.replace("\r\n", "\n"))
        return message.as_bytes(policy=email.policy.SMTP).decode("ascii")


@dataclass(frozen=True)
class Progress:
    """`reply`: the upstream server's last one since the message was submitted; "" where it gave none."""

    state: str
    reply: str = ""


class RelayProduct(Protocol):
    """What hands test messages to a product, and follows them there."""

    @property
    def label(self) -> str:
        """The name of the product."""

    @property
    def upstream(self) -> str:
        """The server that it passes mail on to."""

    def obstacle(self) -> str:
        """Why the product takes no message, as a clause; "" where it does."""

    def submit(self, messages: Sequence[ProbeMessage]) -> None:
        """Hand the messages over."""

    def follow(self, messages: Sequence[ProbeMessage], *, retry: bool) -> Mapping[str, Progress]:
        """The progress of each message, by its number. `retry`: try those in the queue again, where the product can."""

    def discard(self, messages: Sequence[ProbeMessage]) -> None:
        """Remove the messages from the queue, where the product can."""
