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
from dataclasses import replace

from .._clients.smtp import Conversation, Route
from .._core import mail_addresses
from .._core.errors import InvalidInput, MailopsError
from .._http.clouds import Cloud
from . import statuses
from .context import ProbeContext
from .methods import METHODS
from .options import ProbeSender
from .result import ProbeResult, explained

_PARALLEL = 8


def probe_all(cloud: Cloud, context: ProbeContext, senders: Sequence[ProbeSender]) -> list[ProbeResult]:
    """The results in the senders' order. Senders of one mailbox, which has three connections, are verified one after the other."""
    groups: dict[str, list[int]] = {}
    for i, sender in enumerate(senders):
        groups.setdefault(METHODS[sender.method].identity(sender).lower(), []).append(i)
    results: dict[int, ProbeResult] = {}

    def probe_group(numbers: Iterable[int]) -> None:
        for i in numbers:
            results[i] = probe(cloud, context, senders[i])

    with ThreadPoolExecutor(max_workers=min(_PARALLEL, len(groups) or 1)) as pool:
        list(pool.map(probe_group, groups.values()))
    return [results[i] for i in range(len(senders))]


def probe(cloud: Cloud, context: ProbeContext, sender: ProbeSender) -> ProbeResult:
    """One sender's result. Nothing that is wrong with one sender raises: the others' results would be lost."""
    started = time.monotonic()
    route = route_of(cloud, context, sender)
    result = blank(cloud, context, sender)
    if not sender.verify_recipient:
        return replace(result, reason=statuses.NO_RECIPIENT_REASON, remedy=statuses.NO_RECIPIENT_REMEDY)
    conversation = Conversation(route)
    try:
        check_preconditions(cloud, context, sender)
        result = _attempt(conversation, context, sender, result)
    except (MailopsError, ValueError) as error:
        result = explained(result, error, own_server=not sender.host)
    finally:
        conversation.close()
    return replace(result, source=conversation.source, tls=conversation.tls, seconds=round(time.monotonic() - started, 2))


def invalid(sender: ProbeSender, sentences: Sequence[str]) -> ProbeResult:
    """The result of a sender whose options have problems: nothing is attempted."""
    return replace(_blank(sender), status=statuses.FAILED, reason=" ".join(sentences).rstrip("."))


def unprepared(sender: ProbeSender, error: MailopsError) -> ProbeResult:
    """The result of a sender whose credential could not be read: nothing is attempted."""
    return explained(_blank(sender), error)


def blank(cloud: Cloud, context: ProbeContext, sender: ProbeSender) -> ProbeResult:
    """The result before an attempt."""
    route = route_of(cloud, context, sender)
    return _blank(sender, f"{route.host}:{route.port}" if route.host else "")


def _blank(sender: ProbeSender, server: str = "") -> ProbeResult:
    recipient = sender.verify_recipient or ""
    return ProbeResult(sender.label, sender.address, recipient, sender.method, server, statuses.NOT_VERIFIED, stage="input")


def sends(context: ProbeContext, sender: ProbeSender) -> bool:
    """Whether the sender's server is connected to: not without a recipient, and in check mode only to test reachability."""
    return bool(sender.verify_recipient) and (context.reachability or not context.check_mode)


def check_preconditions(cloud: Cloud, context: ProbeContext, sender: ProbeSender) -> None:
    """MailopsError where the sender's domain is not the tenant's, or where there is no server to connect to."""
    method = METHODS[sender.method]
    if method.accepted_domain:
        if context.domains_error:
            raise context.domains_error
        domain = mail_addresses.domain(sender.address)
        if domain not in context.domains:
            raise InvalidInput(f"{domain} is not an accepted domain of this tenant ({', '.join(sorted(context.domains))})")
    if sends(context, sender):
        method.check_account(context, sender)
    if not sends(context, sender) or route_of(cloud, context, sender).host:
        return
    if method.at_mx and context.mx_error:
        raise context.mx_error
    raise InvalidInput(f"this cloud has no server for method {sender.method}: give the sender's host")


def _attempt(conversation: Conversation, context: ProbeContext, sender: ProbeSender, result: ProbeResult) -> ProbeResult:
    """The result of a test message; in check mode that of the connection, if reachability is to be tested."""
    if not sends(context, sender):
        return replace(result, stage=statuses.CHECK_MODE, reason=statuses.CHECK_MODE_REASON)
    conversation.resolve()
    conversation.connect()
    conversation.start_tls()
    if context.check_mode:
        return replace(result, stage="tls", reason=f"the server is reachable; {statuses.CHECK_MODE_REASON}")
    method, message = METHODS[sender.method], compose(sender, uuid.uuid4().hex[:12])
    method.sign_in(conversation, context, sender)
    method.check_claim(conversation, context, sender)
    conversation.send(method.envelope(sender), [str(sender.verify_recipient)], message.as_bytes(policy=email.policy.SMTP))
    message_id = str(message["Message-ID"])
    return replace(
        result,
        status=statuses.VERIFIED,
        accepted_by=method.accepted_by,
        stage="sent",
        message_id=message_id,
        reason=method.accepted_note(context),
    )


def route_of(cloud: Cloud, context: ProbeContext, sender: ProbeSender) -> Route:
    method = METHODS[sender.method]
    host, port = method.server(cloud, context)
    return Route(
        host=sender.host or host,
        port=sender.port or port,
        ca_file=cloud.ca_file,
        source_address=sender.source_address or "",
        certificate_path=sender.certificate_path or "",
        certificate_password=sender.certificate_password,
        service=method.service,
    )


def compose(sender: ProbeSender, number: str) -> email.message.EmailMessage:
    """The test message, with a unique Message-ID (RFC 5322)."""
    message = email.message.EmailMessage()
    message["From"] = sender.address
    for name, value in METHODS[sender.method].headers(sender).items():
        message[name] = value
    message["To"] = str(sender.verify_recipient)
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
