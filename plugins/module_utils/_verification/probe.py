# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes: one attempt to send a sender's test message, and many in parallel.

Sources: RFC 5321, RFC 5322; connections per mailbox: "Exchange Online limits".
"""

from __future__ import annotations

import email.message
import email.policy
import email.utils
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

from .._clients.smtp import Conversation, Route
from .._core import mail_addresses
from .._core.errors import InvalidInput, MailopsError, ServiceError, SmtpError
from .._engine.tenant import Tenant
from .context import ProbeContext
from .methods import METHODS
from .options import ProbeSender

_PARALLEL = 8


@dataclass(frozen=True)
class ProbeResult:
    """The result of one sender. `verified` is None in check mode, in which nothing is sent; `seconds`: duration of the attempt."""

    name: str
    address: str
    verify_recipient: str
    method: str
    server: str
    verified: bool | None
    message_id: str | None = None
    stage: str = "sent"
    code: str = ""
    service_message: str = ""
    cause: str = ""
    remedy: str = ""
    transient: bool = False
    tls: str = ""
    seconds: float = 0.0

    def as_result(self) -> dict[str, object]:
        return asdict(self)


def probe_all(tenant: Tenant, context: ProbeContext, senders: Sequence[ProbeSender]) -> list[ProbeResult]:
    """The results in the senders' order. Senders of one mailbox, which has three connections, are verified one after the other."""
    groups: dict[str, list[int]] = {}
    for i, sender in enumerate(senders):
        groups.setdefault(METHODS[sender.method].identity(sender).lower(), []).append(i)
    results: dict[int, ProbeResult] = {}

    def probe_group(numbers: Iterable[int]) -> None:
        for i in numbers:
            results[i] = probe(tenant, context, senders[i])

    with ThreadPoolExecutor(max_workers=min(_PARALLEL, len(groups) or 1)) as pool:
        list(pool.map(probe_group, groups.values()))
    return [results[i] for i in range(len(senders))]


def probe(tenant: Tenant, context: ProbeContext, sender: ProbeSender) -> ProbeResult:
    """One sender's result."""
    started = time.monotonic()
    number = uuid.uuid4().hex[:12]
    route = route_of(tenant, context, sender)
    result = ProbeResult(
        name=sender.label,
        address=sender.address,
        verify_recipient=sender.verify_recipient,
        method=sender.method,
        server=f"{route.host}:{route.port}",
        verified=None if context.check_mode else True,
        stage="tls" if context.check_mode else "sent",
    )
    conversation = Conversation(route)
    try:
        _check_domain(context, sender)
        message = compose(sender, number)
        _converse(conversation, context, sender, message)
        if not context.check_mode:
            result = replace(result, message_id=str(message["Message-ID"]))
    except MailopsError as error:
        result = explained(result, error)
    finally:
        conversation.close()
    return replace(result, tls=conversation.tls, seconds=round(time.monotonic() - started, 2))


def explained(result: ProbeResult, error: MailopsError) -> ProbeResult:
    """The result of a failed probe: cause and remedy of the error catalog where it has the code, else the service's message."""
    failed = replace(result, verified=False, stage=getattr(error, "stage", "input"), cause=str(error).rstrip("."))
    if not isinstance(error, ServiceError):
        return failed
    message = " ".join(error.service_message.split())
    failed = replace(failed, code=error.code, service_message=message, transient=error.transient, cause=message.rstrip("."))
    if not isinstance(error, SmtpError):
        failed = replace(failed, stage="token")
    return replace(failed, cause=error.entry.cause, remedy=error.entry.remedy) if error.entry else failed


def _check_domain(context: ProbeContext, sender: ProbeSender) -> None:
    domain = mail_addresses.domain(sender.address)
    if METHODS[sender.method].accepted_domain and domain not in context.domains:
        raise InvalidInput(f"{domain} is not an accepted domain of this tenant ({', '.join(sorted(context.domains))})")


def route_of(tenant: Tenant, context: ProbeContext, sender: ProbeSender) -> Route:
    method = METHODS[sender.method]
    host, port = method.server(tenant.cloud, context)
    return Route(
        host=sender.host or host,
        port=sender.port or port,
        ca_file=tenant.cloud.ca_file,
        source_address=sender.source_address or "",
        certificate_path=sender.certificate_path or "",
        certificate_password=sender.certificate_password,
        service=method.service,
    )


def _converse(conversation: Conversation, context: ProbeContext, sender: ProbeSender, message: email.message.EmailMessage) -> None:
    if not conversation.route.host:
        raise InvalidInput(f"this cloud has no server for method {sender.method}: give the sender's host")
    conversation.resolve()
    conversation.connect()
    conversation.start_tls()
    if context.check_mode:
        return
    method = METHODS[sender.method]
    method.sign_in(conversation, context, sender)
    conversation.send(method.envelope(sender), [sender.verify_recipient], message.as_bytes(policy=email.policy.SMTP))


def compose(sender: ProbeSender, number: str) -> email.message.EmailMessage:
    """The test message, with a unique Message-ID (RFC 5322)."""
    message = email.message.EmailMessage()
    message["From"] = sender.address
    for name, value in METHODS[sender.method].headers(sender).items():
        message[name] = value
    message["To"] = sender.verify_recipient
    message["Subject"] = f"Test message: {sender.label} [{number}]"
    message["Date"] = email.utils.formatdate(localtime=False)
    message["Message-ID"] = f"<mailops-{number}@{mail_addresses.domain(sender.address)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Mailops-Probe"] = number
    message.set_content(
        f"{sender.address} can send through Microsoft 365 ({sender.method}).\n\n"
        "This is a test message from mailops.m365. No action is required.\n"
    )
    return message
