# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What relay_probe and windows_relay_probe have in common: the senders, the rows of the result, and when the task fails.

Module relay_probe imports it on the relay host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._core import mail_addresses
from .._core.errors import MailopsError
from .._core.json_types import JsonObject
from .._core.spec import Option
from . import statuses
from .result import NotVerifiable

SENDERS: Option = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": {"name": {"type": "str"}, "address": {"type": "str", "required": True}, "verify_recipient": {"type": "str"}},
}


@dataclass(frozen=True)
class Sender:
    name: str | None
    address: str
    verify_recipient: str | None

    @property
    def label(self) -> str:
        """The name in one line: YAML's `name: >` ends with a line break, which no header may have."""
        return " ".join((self.name or "").split()) or self.address


class NotVerified(MailopsError):  # noqa: N818 - a statement about the senders
    """Senders whose test message was not sent; `outcome` holds every sender's result."""

    def __init__(self, text: str, outcome: JsonObject) -> None:
        super().__init__(text)
        self.outcome = outcome


def problems(senders: Sequence[Sender], timeout: int) -> list[str]:
    """What is wrong with the options. `timeout` in seconds."""
    texts = [] if timeout > 0 else [f"timeout is {timeout}: give seconds, at least 1."]
    for sender in senders:
        for option, address in (("address", sender.address), ("verify_recipient", sender.verify_recipient)):
            wrong = mail_addresses.problems(f"the sender's {option}", [] if address is None else [address])
            texts += [f"senders: {sender.label}: {problem}" for problem in wrong]
    return texts


def blank(name: str, address: str, recipient: str, server: str) -> dict[str, object]:
    """The result before an attempt: the same keys as smtp_probe's, and the hops."""
    return {
        "name": name, "address": address, "verify_recipient": recipient, "method": "relay_host", "server": server,
        "status": statuses.NOT_VERIFIED, "accepted_by": "", "reason": "", "remedy": "", "message_id": None, "stage": "input", "code": "",
        "service_message": "", "transient": False, "seconds": 0.0, "hops": [],
    }  # fmt: skip


def not_sent(recipient: str, check_mode: bool) -> dict[str, object]:
    """What the result says where no message is sent; empty where one is."""
    if not recipient:
        return {"reason": statuses.NO_RECIPIENT_REASON, "remedy": statuses.NO_RECIPIENT_REMEDY}
    return {"stage": statuses.CHECK_MODE, "reason": statuses.CHECK_MODE_REASON} if check_mode else {}


def not_verifiable(error: MailopsError) -> dict[str, object]:
    """The result of a message that was not sent, or was delivered without that anything is known about the sender."""
    remedy = error.remedy if isinstance(error, NotVerifiable) else ""
    return {"status": statuses.NOT_VERIFIABLE, "stage": "source", "reason": str(error), "remedy": remedy}


def outcome_of(rows: Sequence[dict[str, object]], relay: str, required: bool) -> JsonObject:
    """The module's result; NotVerified where a sender failed that is `required`. `relay`: what the sentence calls it."""
    verified = sum(row["status"] == statuses.VERIFIED for row in rows)
    outcome: JsonObject = {"senders": list(rows), "verified": verified, "total": len(rows)}
    failed = [row for row in rows if row["status"] == statuses.FAILED]
    if failed and required:
        causes = "; ".join(f"{row['name']}: {row['reason']}. {row['remedy']}".rstrip(". ") for row in failed)
        raise NotVerified(f"{len(failed)} of {len(rows)} senders cannot send through {relay}: {causes}.", outcome)
    return outcome
