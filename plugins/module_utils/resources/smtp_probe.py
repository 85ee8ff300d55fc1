# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification: every sender sends a test message; where it cannot, the reason, the remedy and whether the failure is transient.

Sources: "How to set up a multifunction device or application to send email using Microsoft 365"; "Authenticate an IMAP, POP or SMTP
connection using OAuth".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._core.bounds import SMTP_PROPAGATION
from .._core.errors import MailopsError
from .._core.json_types import JsonObject
from .._core.option_values import range_problems
from .._core.spec import TENANT, Option, Spec
from .._core.waiting import Retry
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._hosted.credential_store import STORE, VAULT
from .._hosted.providers import HOSTED_RELAYS, REGIONS
from .._identity import token_stores
from .._planning import methods as sending
from .._planning import verify_from
from .._verification import hosted
from .._verification.context import ProbeContext
from .._verification.options import ProbeParams, ProbeSender
from .._verification.probe import invalid, probe_all, unprepared
from .._verification.problems import problems
from .._verification.reading import read_context
from .._verification.remote import MODULE, probe_all_on
from .._verification.result import ProbeResult

LONGEST_WAIT = 86_400  # seconds
SENDER: dict[str, Option] = {
    "name": {"type": "str"},
    "address": {"type": "str", "required": True},
    "method": {"type": "str", "choices": list(sending.METHODS), "default": "oauth"},
    "verify_recipient": {"type": "str"},
    "mailbox": {"type": "str"},
    "username": {"type": "str"},
    "user": {"type": "str"},
    "token_store": {"type": "dict", "no_log": False, "options": token_stores.OPTIONS},
    "on_behalf": {"type": "bool", "default": False},
    "password": {"type": "str", "no_log": True},
    "certificate_path": {"type": "path"},
    "certificate_password": {"type": "str", "no_log": True},
    "public_addresses": {"type": "list", "elements": "str"},
    "certificate_name": {"type": "str"},
    "source_address": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "verify_from": {"type": "str"},
    "credential": {"type": "str"},
}
OPTIONS = Spec(
    {
        "senders": {"type": "list", "elements": "dict", "required": True, "options": SENDER},
        "app_unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "app_client_secret": {"type": "str", "no_log": True},
        "app_certificate_path": {"type": "path"},
        "app_certificate_password": {"type": "str", "no_log": True},
        "passwords": {"type": "dict", "no_log": True, "default": {}},
        "user_app_unique_name": {"type": "str"},
        "user_app_id": {"type": "str"},
        "wait": {"type": "int", "default": 0},
        "required": {"type": "bool", "default": True},
        "reachability": {"type": "bool", "default": False},
        "verify_from": {"type": "str"},
        "inventory_hosts": {"type": "list", "elements": "str", "default": [], "hosts": True},
        "hosted_relay": {"type": "str", "choices": sorted(HOSTED_RELAYS), "variable": "m365_hosted_relay"},
        "hosted_relay_region": {"type": "str", "choices": list(REGIONS), "variable": "m365_hosted_relay_region"},
        "hosted_relay_api_key": {"type": "str", "no_log": True, "variable": "m365_hosted_relay_api_key"},
        "hosted_relay_api_url": {"type": "str", "variable": "m365_hosted_relay_api_url"},
        "hosted_relay_smtp_host": {"type": "str", "variable": "m365_hosted_relay_smtp_host"},
        "hosted_relay_smtp_port": {"type": "int", "variable": "m365_hosted_relay_smtp_port"},
        "hosted_credential_store": STORE,
        "hosted_credential_vault_password_file": VAULT,
    },
    mutually_exclusive=(
        ("app_unique_name", "app_id"),
        ("user_app_unique_name", "user_app_id"),
        ("app_client_secret", "app_certificate_path"),
    ),
    writes=False,
)


class VerificationFailed(MailopsError):  # noqa: N818 - "senders that cannot send", not a defect
    """Senders that cannot send; `outcome` holds every sender's result."""

    def __init__(self, text: str, outcome: JsonObject) -> None:
        super().__init__(text)
        self.outcome = outcome


class SmtpProbe(ReadOnlyResource[ProbeParams]):
    """module smtp_probe"""

    name = "smtp_probe"
    spec = TENANT | OPTIONS
    params_type = ProbeParams
    host_module = MODULE  # runs on the host that the task is delegated to

    def validate(self, params: ProbeParams) -> list[str]:
        """Of the task alone: what is wrong with one sender fails that sender, and the others are verified."""
        named = [(f"verify_senders: {sender.label}", sender.verify_from) for sender in params.senders]
        return [*range_problems("wait", params.wait, 0, LONGEST_WAIT), *verify_from.problems(named, params.inventory_hosts)]

    def plan(self, tenant: Tenant, params: ProbeParams, check_mode: bool) -> Plan[None]:
        results, warnings = _verify(tenant, params, check_mode)
        outcome = {
            "senders": [result.as_result() for result in results],
            "verified": sum(result.verified for result in results),
            "total": len(results),
        }
        failed = [result for result in results if result.failed]
        if failed and params.required:
            lines = "; ".join(f"{r.name} ({r.method}): {r.reason}. {r.remedy}".rstrip(". ") for r in failed)
            raise VerificationFailed(f"{len(failed)} of {len(results)} senders cannot send: {lines}.", outcome)
        return Plan(outcome=outcome, warnings=warnings)


RESOURCE = SmtpProbe()


def _verify(tenant: Tenant, params: ProbeParams, check_mode: bool) -> tuple[list[ProbeResult], list[str]]:
    """The senders' results, and warnings; transient failures are repeated with growing pauses for up to `wait` seconds."""
    senders, results = _prepared(tenant, params, check_mode)
    valid = [i for i in range(len(senders)) if i not in results]
    context = read_context(tenant, params, [senders[i] for i in valid if senders[i].verify_recipient], check_mode)
    results |= dict(zip(valid, _probe(tenant, params, context, [senders[i] for i in valid]), strict=True))
    retry = Retry(SMTP_PROPAGATION, tenant.transport, params.wait)
    while not check_mode:
        again = [i for i in valid if results[i].failed and results[i].transient]
        if not again or not retry.again():
            break
        tenant.cost.count(retries=1)
        context.discard_tokens()
        results |= dict(zip(again, _probe(tenant, params, context, [senders[i] for i in again]), strict=True))
    return [results[i] for i in range(len(senders))], [*context.hosted_warnings]


def _prepared(tenant: Tenant, params: ProbeParams, check_mode: bool) -> tuple[list[ProbeSender], dict[int, ProbeResult]]:
    """The senders with their passwords, and by number the results of those that cannot be verified, with the reason."""
    senders, results = list(params.with_passwords()), dict[int, ProbeResult]()
    for i, sender in enumerate(senders):
        try:
            senders[i] = hosted.with_credential(tenant, params, sender, check_mode=check_mode)
        except MailopsError as error:
            results[i] = unprepared(sender, error)
        else:
            sentences = problems(senders[i], params)
            results |= {i: invalid(senders[i], sentences)} if sentences else {}
    return senders, results


def _probe(tenant: Tenant, params: ProbeParams, context: ProbeContext, senders: Sequence[ProbeSender]) -> list[ProbeResult]:
    """The results of one attempt each, on the host that the task is delegated to or on this one."""
    if tenant.remote_host:
        return probe_all_on(tenant.remote_host, tenant.cloud, context, senders)
    return [replace(result, verify_from=params.verify_from or "") for result in probe_all(tenant.cloud, context, senders)]
