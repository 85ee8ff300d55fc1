# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a test message through a relay on Windows: the keys of module smtp_probe, and the hops."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .. import error_catalog
from .._core import mail_addresses
from .._windows.probe_message import ACCEPTED, LEFT, PICKUP, RETURNED, ProbeMessage, Progress
from . import hosted_upstream, statuses
from .relay_senders import blank

PROBE = "windows_relay_probe"
_CODE = re.compile(r"(\d{3})[ -](?:([245]\.\d{1,3}\.\d{1,3})\b)?")
_EVENTS = {ACCEPTED: "accepted", RETURNED: "refused", PICKUP: "", LEFT: "relayed"}
_STAGES = {PICKUP: "relay", RETURNED: "upstream", LEFT: "upstream", ACCEPTED: "sent"}
_NO_REPLY = "the upstream server gave no reply"
_CHECK_UPSTREAM = "Check the upstream's host and port, outbound TCP to it from this host, and the server's certificate."


@dataclass(frozen=True)
class ProbedRelay:
    """What a result is about.

    `product`: the label of the relay's product; `server`: its upstream; `internal_domains`: the tenant's; `note`: a clause about a
    verified sender.
    """

    host: str
    product: str
    server: str
    upstream: str
    internal_domains: frozenset[str]
    note: str = ""


@dataclass(frozen=True)
class Reason:
    """Why a message was not accepted."""

    code: str
    cause: str
    remedy: str
    transient: bool


def reason(reply: str) -> Reason:
    """The reason of a reply, in the words of the error catalog; of no reply where it is empty."""
    if not reply:
        return Reason("", _NO_REPLY, _CHECK_UPSTREAM, True)
    match, entry = _CODE.match(reply), error_catalog.smtp(reply)
    code = " ".join(part for part in match.groups() if part) if match else ""
    if entry:
        return Reason(code, entry.cause.rstrip("."), entry.remedy, entry.transient)
    return Reason(code, "the upstream server's reply is not in the error catalog", f"Reply: {reply}", reply.startswith("4"))


def not_submitted(row: dict[str, object], obstacle: str, relay: ProbedRelay) -> dict[str, object]:
    """The result of a sender whose message the product does not take."""
    cause = f"{relay.product} on {relay.host} takes no message: {obstacle}"
    return row | {"status": statuses.FAILED, "stage": "relay", "reason": cause, "remedy": "Run the role relay_windows for this host."}


def of_progress(message: ProbeMessage, progress: Progress, seconds: float, relay: ProbedRelay) -> dict[str, object]:
    """The result of a message that was submitted."""
    row = blank(message.name, message.sender, message.recipient, relay.host) | {
        "message_id": message.message_id, "seconds": round(seconds, 2), "hops": hops(progress, seconds, relay),
        "stage": _STAGES.get(progress.state, "queue"), "service_message": progress.reply,
    }  # fmt: skip
    if progress.state == ACCEPTED:
        return row | _accepted(message, relay)
    if progress.state == PICKUP:
        cause = f"{relay.product} has not taken the message from its folder Pickup"
        return row | {"status": statuses.FAILED, "reason": cause, "remedy": "Restart the service SMTPSVC, and read its event log."}
    if progress.state == LEFT:
        cause = f"{relay.product} has passed the message on, and its log has no reply of {_server(relay)}"
        return row | {"status": statuses.NOT_VERIFIABLE, "reason": cause, "remedy": "Look for the message in the recipient's mailbox."}
    return row | _refused(progress, relay)


def _accepted(message: ProbeMessage, relay: ProbedRelay) -> dict[str, object]:
    """With a connector, only an external recipient shows that the connector accepted the message."""
    domain = mail_addresses.domain(message.recipient)
    if relay.upstream == "connector" and domain in relay.internal_domains | {mail_addresses.domain(message.sender)}:
        return {
            "status": statuses.NOT_VERIFIABLE,
            "reason": f"Microsoft 365 accepted the message, and accepts messages to its own domain {domain} without a connector, too",
            "remedy": "Set verify_recipient of this sender to an external recipient.",
        }
    return {"status": statuses.VERIFIED, "accepted_by": hosted_upstream.accepted_by(relay.upstream), "reason": relay.note}


def _refused(progress: Progress, relay: ProbedRelay) -> dict[str, object]:
    """The result of a message that was returned, or still waits."""
    why = reason(progress.reply)
    clause = why.cause if not progress.reply else f"{_server(relay)} refused it: {why.cause}"
    place = "returned the message" if progress.state == RETURNED else "still has the message in its queue"
    return {
        "status": statuses.FAILED,
        "code": why.code,
        "reason": f"{relay.product} {place}: {clause}",
        "remedy": why.remedy,
        "transient": why.transient,
    }


def hops(progress: Progress, seconds: float, relay: ProbedRelay) -> list[dict[str, object]]:
    """The hops so far, as module relay_probe returns them."""
    first = {"from": PROBE, "to": relay.product, "event": "submitted", "seconds": 0.0, "detail": relay.host}
    event = _EVENTS.get(progress.state, "deferred")
    if not event:
        return [first]
    detail = f"{_server(relay)}: {progress.reply or 'no reply'}"
    target = "Microsoft 365" if relay.upstream == "connector" else _server(relay)
    return [first, {"from": relay.product, "to": target, "event": event, "seconds": round(seconds, 2), "detail": detail}]


def _server(relay: ProbedRelay) -> str:
    return relay.server or "the upstream server"
