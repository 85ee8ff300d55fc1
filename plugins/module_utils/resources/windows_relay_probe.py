# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify senders of a relay on Windows: a test message of each, handed to the product on the host, and followed to the upstream server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.errors import MailopsError
from .._core.params import nested
from .._core.spec import Spec
from .._engine.resource import Plan
from .._engine.windows_engine import ReadOnlyWindowsResource
from .._verification import hosted_upstream, relay_senders, windows_results
from .._verification.relay_senders import Sender
from .._verification.windows_results import ProbedRelay
from .._windows import facts
from .._windows.hmail.probe import HMailProbe
from .._windows.host import WindowsHost
from .._windows.iis.probe import IisProbe
from .._windows.probe_message import ACCEPTED, LEFT, PICKUP, RETURNED, ProbeMessage, Progress, RelayProduct

POLL_SECONDS, RETRY_SECONDS = 2, 20
IIS_SMTP, HMAILSERVER = "iis_smtp", "hmailserver"
OPTIONS = Spec(
    {
        "product": {"type": "str", "choices": [IIS_SMTP, HMAILSERVER], "required": True},
        "senders": relay_senders.SENDERS,
        "upstream": {"type": "str", "default": "connector"},
        "internal_domains": {"type": "list", "elements": "str", "default": []},
        "hosted_account": hosted_upstream.HOSTED_ACCOUNT,
        "hmailserver_admin_password": {"type": "str", "no_log": True},
        "timeout": {"type": "int", "default": 120},
        "required": {"type": "bool", "default": True},
    },
    writes=False,
)


@dataclass(frozen=True)
class Params:
    """`timeout` in seconds. `upstream`: a value of relay_upstream; `internal_domains`: the accepted domains of the tenant.

    `hosted_account`: the result of module hosted_account_info, empty where it was not read.
    """

    product: str
    upstream: str
    internal_domains: tuple[str, ...]
    hosted_account: Mapping[str, Any]
    hmailserver_admin_password: str | None
    timeout: int
    required: bool
    senders: tuple[Sender, ...] = nested(Sender)


class WindowsRelayProbe(ReadOnlyWindowsResource[Params]):
    """Module windows_relay_probe."""

    name = "windows_relay_probe"
    spec = OPTIONS
    params_type = Params

    def validate(self, params: Params, /) -> list[str]:
        return relay_senders.problems(params.senders, params.timeout)

    def plan(self, host: WindowsHost, params: Params, check_mode: bool, /) -> Plan[None]:
        results = {} if check_mode else _results(host, params, [one for one in params.senders if one.verify_recipient])
        rows = [
            results.get(id(one)) or _blank(host, one) | relay_senders.not_sent(one.verify_recipient or "", check_mode)
            for one in params.senders
        ]
        return Plan(outcome=relay_senders.outcome_of(rows, host.name, params.required))


def _blank(host: WindowsHost, sender: Sender) -> dict[str, object]:
    return relay_senders.blank(sender.label, sender.address, sender.verify_recipient or "", host.name)


def _results(host: WindowsHost, params: Params, senders: Sequence[Sender]) -> dict[int, dict[str, object]]:
    """id() of a sender -> its result. No message is sent that the hosted relay would not deliver."""
    refusals = hosted_upstream.not_delivered(params.upstream, params.hosted_account, [one.verify_recipient or "" for one in senders])
    results = {
        id(one): _blank(host, one) | relay_senders.not_verifiable(refusals[to])
        for one in senders
        if (to := one.verify_recipient) in refusals
    }
    tested = [one for one in senders if id(one) not in results]
    return results | (_verify(host, params, tested) if tested else {})


def _product(host: WindowsHost, params: Params) -> RelayProduct:
    if params.product == HMAILSERVER:
        return HMailProbe(host, params.hmailserver_admin_password or "")
    obstacles = facts.read(host).obstacles()[IIS_SMTP]
    if obstacles:
        raise MailopsError(obstacles[0])
    return IisProbe(host)


def _verify(host: WindowsHost, params: Params, senders: Sequence[Sender]) -> dict[int, dict[str, object]]:
    """id() of a sender -> its result."""
    product = _product(host, params)
    obstacle = product.obstacle()
    domains = frozenset(one.lower() for one in params.internal_domains)
    note = hosted_upstream.quota_clause(params.upstream, params.hosted_account)
    relay = ProbedRelay(host.name, product.label, product.upstream, params.upstream, domains, note)
    if obstacle:
        return {id(one): windows_results.not_submitted(_blank(host, one), obstacle, relay) for one in senders}
    messages = {id(one): ProbeMessage(one.label, one.address, one.verify_recipient or "") for one in senders}
    followed = _follow(host, product, list(messages.values()), params.timeout)
    return {key: windows_results.of_progress(one, *followed[one.number], relay) for key, one in messages.items()}


def _follow(host: WindowsHost, product: RelayProduct, messages: Sequence[ProbeMessage], timeout: int) -> dict[str, tuple[Progress, float]]:
    """Number -> progress and seconds. Ends when every message has an end, or after `timeout` seconds."""
    started = tried = host.clock.now()
    product.submit(messages)
    followed: dict[str, tuple[Progress, float]] = {}
    pending = list(messages)
    while True:
        now = host.clock.now()
        retry = now - tried >= RETRY_SECONDS
        tried = now if retry else tried
        progress: Mapping[str, Progress] = product.follow(pending, retry=retry)
        followed |= {number: (one, now - started) for number, one in progress.items()}
        pending = [one for one in pending if not _ended(progress[one.number])]
        if not pending or now - started >= timeout:
            break
        host.clock.sleep(POLL_SECONDS)
        host.cost.count(waited=POLL_SECONDS)
    queued = [one for one in messages if followed[one.number][0].state not in (ACCEPTED, RETURNED, LEFT, PICKUP)]
    if queued:
        product.discard(queued)
    return followed


def _ended(progress: Progress) -> bool:
    """Accepted, returned, or in the queue for a reason that waiting does not resolve."""
    if progress.state in (ACCEPTED, RETURNED):
        return True
    return bool(progress.reply) and not windows_results.reason(progress.reply).transient


RESOURCE = WindowsRelayProbe()
