# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify on a relay host that senders can send through it: a test message of each is traced to the upstream server's reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.errors import MailopsError, SmtpError
from .._core.params import nested
from .._core.spec import Spec
from .._engine.local_host import LocalHost
from .._engine.resource import Plan, ReadOnlyResource
from .._relay.agent import config, reasons
from .._relay.agent.paths import Paths
from .._relay.agent.postfix.internal_listener import SOCKET
from .._relay.agent.verification import Attempt, Relay, Verification
from .._verification import hosted_upstream, relay_senders, statuses, upstream
from .._verification.relay_senders import Sender
from .._verification.result import NotVerifiable

RETRY_INTERVAL = 15.0  # seconds
OPTIONS = Spec(
    {
        "senders": relay_senders.SENDERS,
        "hosted_account": hosted_upstream.HOSTED_ACCOUNT,
        "timeout": {"type": "int", "default": 120},
        "required": {"type": "bool", "default": True},
    },
    writes=False,
)


@dataclass(frozen=True)
class Params:
    """`timeout` in seconds. `hosted_account`: the result of module hosted_account_info, empty where it was not read."""

    hosted_account: Mapping[str, Any]
    timeout: int
    required: bool
    senders: tuple[Sender, ...] = nested(Sender)


class RelayProbe(ReadOnlyResource[Params]):
    """Module relay_probe."""

    name = "relay_probe"
    spec = OPTIONS
    params_type = Params

    def __init__(self, relay: Relay | None = None, parameters: upstream.Parameters = upstream.read_parameters) -> None:
        self.relay, self.parameters = relay or Relay(), parameters

    def validate(self, params: Params, /) -> list[str]:
        return relay_senders.problems(params.senders, params.timeout)

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[None]:
        attempts = [Attempt(sender.label, sender.address, sender.verify_recipient or "") for sender in params.senders]
        upstream_name = _upstream(self.relay.paths)
        refusals = {} if check_mode else _undelivered(upstream_name, params.hosted_account, attempts)
        if not check_mode:
            tested = [attempt for attempt in attempts if attempt.recipient and attempt.number not in refusals]
            end = host.clock.now() + params.timeout
            Verification(self.relay, host.clock.now, host.wait).run(tested, float(params.timeout))
            if upstream_name == "connector":
                refusals |= self._check_connector(host, [attempt for attempt in tested if attempt.sent], end)
        note = hosted_upstream.quota_clause(upstream_name, params.hosted_account)
        results = [self._result(attempt, check_mode, refusals.get(attempt.number), note) for attempt in attempts]
        return Plan(outcome=relay_senders.outcome_of(results, "this relay", params.required))

    def _check_connector(self, host: LocalHost, attempts: Sequence[Attempt], end: float) -> dict[str, MailopsError]:
        """By number of the attempt: why its message was not accepted by a connector. A new connector takes effect after some minutes."""
        refusals: dict[str, MailopsError] = {}
        for attempt in attempts:
            error = self._refusal(attempt)
            while isinstance(error, SmtpError) and error.transient and host.clock.now() < end:
                host.wait(RETRY_INTERVAL)
                error = self._refusal(attempt)
            if error:
                refusals[attempt.number] = error
        return refusals

    def _refusal(self, attempt: Attempt) -> MailopsError | None:
        delivery = attempt.trace.delivery if attempt.trace else None
        if delivery is None:
            return None
        try:
            return upstream.check_connector(upstream.route_to(delivery.relay, self.parameters(delivery.label)), attempt.sender)
        except NotVerifiable as error:
            return error

    def _result(self, attempt: Attempt, check_mode: bool, refusal: MailopsError | None, note: str) -> dict[str, object]:
        """The same keys as smtp_probe's, and the hops. `note`: a clause about a verified sender."""
        trace = attempt.trace
        result = relay_senders.blank(attempt.name, attempt.sender, attempt.recipient, SOCKET)
        result |= {"seconds": round(attempt.seconds, 2), "hops": [hop.as_result() for hop in trace.hops("relay_probe")] if trace else []}
        if untested := relay_senders.not_sent(attempt.recipient, check_mode):
            return result | untested
        result |= {"message_id": attempt.message_id, "stage": trace.stage() if trace else "relay"}
        if refusal and not isinstance(refusal, SmtpError):
            return result | relay_senders.not_verifiable(refusal)
        if not attempt.sent:
            return result | _failure(attempt.reason())
        if isinstance(refusal, SmtpError):
            return result | _not_by_connector(refusal)
        accepted_by = hosted_upstream.accepted_by(_upstream(self.relay.paths))
        return result | {"status": statuses.VERIFIED, "accepted_by": accepted_by, "reason": note}


def _undelivered(upstream_name: str, account: Mapping[str, Any], attempts: Sequence[Attempt]) -> dict[str, MailopsError]:
    """By number of the attempt: why the hosted relay would accept its message and not deliver it. No test message is sent then."""
    reasons_of = hosted_upstream.not_delivered(upstream_name, account, [attempt.recipient for attempt in attempts])
    return {attempt.number: reasons_of[attempt.recipient] for attempt in attempts if attempt.recipient in reasons_of}


def _upstream(paths: Paths) -> str:
    return config.load_or_default(paths.config_file).upstream


def _not_by_connector(error: SmtpError) -> dict[str, object]:
    """The result of a message that was delivered, but not by a connector."""
    cause = error.entry.cause if error.entry else error.service_message
    return {
        "status": statuses.FAILED,
        "stage": error.stage,
        "code": error.code,
        "service_message": error.service_message,
        "reason": f"the message was delivered, but no connector relays for this sender: {cause}".rstrip("."),
        "remedy": error.entry.remedy if error.entry else "",
        "transient": error.transient,
    }


def _failure(reason: reasons.Reason | None) -> dict[str, object]:
    """The reason of a message that was not sent; without one, no attempt was made within the timeout."""
    reason = reason or reasons.WAITING
    cause, remedy = reason.cause.rstrip("."), reason.remedy
    if reason.id == reasons.WAITING.id:
        cause, remedy = "the message is still in the relay's queue, and no attempt has failed", "Give the task a longer timeout."
    return {
        "status": statuses.FAILED,
        "code": reason.code,
        "service_message": reason.reply,
        "reason": cause,
        "remedy": remedy,
        "transient": reason.transient,
    }


RESOURCE = RelayProbe()
