# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify on a relay host that senders can send through it: a test message of each is traced to the upstream server's reply."""

from __future__ import annotations

from dataclasses import dataclass

from .._core import mail_addresses
from .._core.errors import MailopsError
from .._core.json_types import JsonObject
from .._core.params import nested
from .._core.spec import Spec
from .._engine.local_host import LocalHost
from .._engine.resource import Plan, ReadOnlyResource
from .._relay.agent import config, reasons
from .._relay.agent.paths import Paths
from .._relay.agent.verification import HOST, PORT, Attempt, Relay, Verification
from .._verification import statuses

OPTIONS = Spec(
    {
        "senders": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str"},
                "address": {"type": "str", "required": True},
                "verify_recipient": {"type": "str"},
            },
        },
        "timeout": {"type": "int", "default": 120},
        "required": {"type": "bool", "default": True},
    },
    writes=False,
)


@dataclass(frozen=True)
class Sender:
    name: str | None
    address: str
    verify_recipient: str | None

    @property
    def label(self) -> str:
        """The name in one line: YAML's `name: >` ends with a line break, which no header may have."""
        return " ".join((self.name or "").split()) or self.address


@dataclass(frozen=True)
class Params:
    """`timeout` in seconds."""

    timeout: int
    required: bool
    senders: tuple[Sender, ...] = nested(Sender)


class NotVerified(MailopsError):  # noqa: N818 - a statement about the senders
    """Senders whose test message was not sent; `outcome` holds every sender's result."""

    def __init__(self, text: str, outcome: JsonObject) -> None:
        super().__init__(text)
        self.outcome = outcome


class RelayProbe(ReadOnlyResource[Params]):
    """Module relay_probe."""

    name = "relay_probe"
    spec = OPTIONS
    params_type = Params

    def __init__(self, relay: Relay | None = None) -> None:
        self.relay = relay or Relay()

    def validate(self, params: Params, /) -> list[str]:
        problems = [] if params.timeout > 0 else [f"timeout is {params.timeout}: give seconds, at least 1."]
        for sender in params.senders:
            for option, address in (("address", sender.address), ("verify_recipient", sender.verify_recipient)):
                wrong = mail_addresses.problems(f"the sender's {option}", [] if address is None else [address])
                problems += [f"senders: {sender.label}: {problem}" for problem in wrong]
        return problems

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[None]:
        attempts = [Attempt(sender.label, sender.address, sender.verify_recipient or "") for sender in params.senders]
        if not check_mode:
            tested = [attempt for attempt in attempts if attempt.recipient]
            Verification(self.relay, host.clock.now, host.wait).run(tested, float(params.timeout))
        results = [self._result(attempt, check_mode) for attempt in attempts]
        verified = sum(result["status"] == statuses.VERIFIED for result in results)
        outcome = {"senders": results, "verified": verified, "total": len(results)}
        failed = [result for result in results if result["status"] == statuses.FAILED]
        if failed and params.required:
            causes = "; ".join(f"{result['name']}: {result['reason']}. {result['remedy']}".rstrip(". ") for result in failed)
            raise NotVerified(f"{len(failed)} of {len(results)} senders cannot send through this relay: {causes}.", outcome)
        return Plan(outcome=outcome)

    def _result(self, attempt: Attempt, check_mode: bool) -> dict[str, object]:
        """The same keys as smtp_probe's, and the hops."""
        trace = attempt.trace
        result: dict[str, object] = {
            "name": attempt.name,
            "address": attempt.sender,
            "verify_recipient": attempt.recipient,
            "method": "relay_host",
            "server": f"{HOST}:{PORT}",
            "status": statuses.NOT_VERIFIED,
            "accepted_by": "",
            "reason": "",
            "remedy": "",
            "message_id": None,
            "stage": "input",
            "code": "",
            "service_message": "",
            "transient": False,
            "seconds": round(attempt.seconds, 2),
            "hops": [hop.as_result() for hop in trace.hops("relay_probe")] if trace else [],
        }
        if not attempt.recipient:
            return result | {"reason": statuses.NO_RECIPIENT_REASON, "remedy": statuses.NO_RECIPIENT_REMEDY}
        if check_mode:
            return result | {"stage": statuses.CHECK_MODE, "reason": statuses.CHECK_MODE_REASON}
        result |= {"message_id": attempt.message_id, "stage": trace.stage() if trace else "relay"}
        if not attempt.sent:
            return result | _failure(attempt.reason())
        return result | {"status": statuses.VERIFIED, "accepted_by": _accepted_by(self.relay.paths)}


def _accepted_by(paths: Paths) -> str:
    """What accepts the messages of this relay host, by its upstream."""
    upstream = config.load_or_default(paths.config_file).upstream
    return {"oauth": statuses.SUBMISSION, "connector": statuses.CONNECTOR}.get(upstream, statuses.RELAY_HOST)


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
