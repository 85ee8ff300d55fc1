# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One probe of one sender, and many at once.

Private to the collection. Sources: RFC 5321, RFC 5322; how many connections a mailbox has: "Exchange Online limits".
"""

from __future__ import annotations

import email.message
import email.policy
import email.utils
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._clients.smtp import Conversation, Route
from .._core import mail_addresses
from .._core.errors import InvalidInput, MailopsError, ServiceError, SmtpError
from .._engine.tenant import Tenant
from .context import Facts
from .methods import METHODS

_AT_ONCE = 8


def probe_all(tenant: Tenant, facts: Facts, senders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Senders of one mailbox one after the other (a mailbox has three connections), different mailboxes at once."""
    groups: dict[str, list[int]] = {}
    for i, sender in enumerate(senders):
        groups.setdefault(METHODS[sender["method"]].identity(sender).lower(), []).append(i)
    results: dict[int, dict[str, Any]] = {}

    def work(numbers: Iterable[int]) -> None:
        for i in numbers:
            results[i] = probe(tenant, facts, senders[i])

    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(groups) or 1)) as pool:
        list(pool.map(work, groups.values()))
    return [results[i] for i in range(len(senders))]


def probe(tenant: Tenant, facts: Facts, sender: dict[str, Any]) -> dict[str, Any]:
    """One sender's result: proven True, False, or None in check mode (no sign-in, no message)."""
    started = time.monotonic()
    number = uuid.uuid4().hex[:12]
    route = route_of(tenant, facts, sender)
    result: dict[str, Any] = {
        "name": sender["name"] or sender["address"],
        "address": sender["address"],
        "verify_recipient": sender["verify_recipient"],
        "method": sender["method"],
        "server": f"{route.host}:{route.port}",
        "verified": None if facts.check_mode else True,
        "message_id": None,
        "stage": "tls" if facts.check_mode else "sent",
        "code": "",
        "service_message": "",
        "cause": "",
        "remedy": "",
        "transient": False,
    }
    conversation = Conversation(route)
    try:
        refuse_foreign(facts, sender)
        message = compose(sender, number)
        converse(conversation, facts, sender, message)
        if not facts.check_mode:
            result["message_id"] = str(message["Message-ID"])
    except MailopsError as error:
        result |= explained(error)
    finally:
        conversation.close()
    return result | {"tls": conversation.tls, "seconds": round(time.monotonic() - started, 2)}


def explained(error: MailopsError) -> dict[str, Any]:
    """A failed probe's part of the result: one row of the error table where the code is known, else the words themselves."""
    found = {"verified": False, "stage": getattr(error, "stage", "input"), "cause": str(error).rstrip("."), "transient": False}
    if isinstance(error, ServiceError):
        said = " ".join(error.service_message.split())
        found |= {"code": error.code, "service_message": said, "transient": error.transient, "cause": said.rstrip(".")}
        if not isinstance(error, SmtpError):
            found["stage"] = "token"
        if error.entry:
            found |= {"cause": error.entry.cause, "remedy": error.entry.remedy}
    return found


def refuse_foreign(facts: Facts, sender: dict[str, Any]) -> None:
    domain = mail_addresses.domain(sender["address"])
    if METHODS[sender["method"]].accepted_domain and domain not in facts.domains:
        raise InvalidInput(f"{domain} is not an accepted domain of this tenant ({', '.join(sorted(facts.domains))})")


def route_of(tenant: Tenant, facts: Facts, sender: dict[str, Any]) -> Route:
    host, port = METHODS[sender["method"]].server(tenant.cloud, facts)
    return Route(
        host=sender["host"] or host,
        port=sender["port"] or port,
        ca_file=tenant.cloud.ca_file,
        source_address=sender["source_address"] or "",
        certificate_path=sender["certificate_path"] or "",
        certificate_password=sender["certificate_password"],
        service=METHODS[sender["method"]].service,
    )


def converse(conversation: Conversation, facts: Facts, sender: dict[str, Any], message: email.message.EmailMessage) -> None:
    if not conversation.route.host:
        raise InvalidInput(f"this cloud has no server for method {sender['method']}: give the sender's host")
    conversation.resolve()
    conversation.connect()
    conversation.start_tls()
    if facts.check_mode:
        return
    METHODS[sender["method"]].sign_in(conversation, facts, sender)
    conversation.send(METHODS[sender["method"]].envelope(sender), [sender["verify_recipient"]], message.as_bytes(policy=email.policy.SMTP))


def compose(sender: dict[str, Any], number: str) -> email.message.EmailMessage:
    """A message with a unique id (RFC 5322), short, and saying what it is."""
    message = email.message.EmailMessage()
    message["From"] = sender["address"]
    for name, value in METHODS[sender["method"]].header(sender).items():
        message[name] = value
    message["To"] = sender["verify_recipient"]
    message["Subject"] = f"Test message: {sender['name'] or sender['address']} [{number}]"
    message["Date"] = email.utils.formatdate(localtime=False)
    message["Message-ID"] = f"<mailops-{number}@{mail_addresses.domain(sender['address'])}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Mailops-Probe"] = number
    message.set_content(
        f"{sender['address']} can send through Microsoft 365 ({sender['method']}).\n\n"
        "This is a test message from mailops.m365. No action is required.\n"
    )
    return message
