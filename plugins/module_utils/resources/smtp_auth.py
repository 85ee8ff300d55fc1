# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP AUTH: the organization's switch and the mailboxes' own (enabled, disabled, inherit).

Private to the collection. Sources: "Enable or disable authenticated client SMTP submission (SMTP AUTH) in Exchange
Online"; Set-TransportConfig, Set-CASMailbox.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, boolean, is_missing
from .._core import mail_addresses
from .._core.errors import ExchangeError, InvalidInput
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._exchange import addresses
from . import security_defaults

# SmtpClientAuthenticationDisabled says it the other way round, and null means inherit.
TO_SERVICE = {"enabled": False, "disabled": True, "inherit": None}
FROM_SERVICE = {False: "enabled", True: "disabled", None: "inherit"}
# Up to this many mailboxes are read by name, ten a request; more by one paged read of them all.
BY_NAME = 50
_PROPERTIES = ("Guid", "PrimarySmtpAddress", "SmtpClientAuthenticationDisabled")

MAILBOX = {
    "address": {"type": "str", "required": True},
    "smtp_auth": {"type": "str", "choices": ["enabled", "disabled", "inherit"], "default": "enabled"},
    "sign_in": {"type": "str", "choices": ["oauth", "basic"], "default": "oauth"},
}
OPTIONS = Spec(
    {
        "organization": {"type": "str", "choices": ["enabled", "disabled"]},
        "mailboxes": {"type": "list", "elements": "dict", "options": MAILBOX},
        "exclusive": {"type": "bool", "default": False},
    },
    required_one_of=(("organization", "mailboxes"),),
)


@dataclass
class Found:
    organization: str | None = None
    # address as it was asked for, else primary address -> (guid, switch)
    mailboxes: dict[str, tuple[str, str]] = field(default_factory=dict)


class SmtpAuth:
    """module smtp_auth"""

    name = "smtp_auth"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = mail_addresses.problems("mailboxes", [m["address"] for m in params["mailboxes"] or []])
        if params["exclusive"] and params["mailboxes"] is None:
            problems.append("exclusive is true without mailboxes: give the list of mailboxes, or [] to return all to inherit.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        basic = [m["address"] for m in params["mailboxes"] or [] if m["sign_in"] == "basic" and m["smtp_auth"] != "disabled"]
        if basic:
            security_defaults.refuse_basic(tenant, basic)
        wanted = {m["address"].lower(): m["smtp_auth"] for m in params["mailboxes"] or []}
        found = read(tenant, params, wanted, addresses.expected(params["expected_mailboxes"], check_mode))
        if params["exclusive"]:
            named = {guid for address, (guid, _switch) in found.mailboxes.items() if address in wanted}
            wanted |= {a: "inherit" for a, (guid, _switch) in found.mailboxes.items() if guid not in named and a not in wanted}
        changed = {a: want for a, want in wanted.items() if found.mailboxes[a][1] != want}
        steps: list[Any] = [(found.mailboxes[a][0], a, want) for a, want in changed.items()]
        before: dict[str, Any] = {"mailboxes": {a: found.mailboxes[a][1] for a in changed}} if changed else {}
        after: dict[str, Any] = {"mailboxes": dict(changed)} if changed else {}
        organization = params["organization"]
        if organization and found.organization != organization:
            before["organization"], after["organization"] = found.organization, organization
            steps.insert(0, (None, None, organization))
        outcome = {"organization": organization or found.organization, "changed_mailboxes": dict(sorted(changed.items()))}
        return Plan(before, after, steps, {"smtp_auth": outcome})

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        mailboxes = [step for step in plan.steps if step[0]]
        if len(mailboxes) < len(plan.steps):
            parameters = {"SmtpClientAuthenticationDisabled": TO_SERVICE[plan.steps[0][2]], "Confirm": False}
            tenant.exchange.run(Command("Set-TransportConfig", parameters, attempted="set the organization's SMTP AUTH"))
        commands = [
            Command("Set-CASMailbox", {"Identity": guid, "SmtpClientAuthenticationDisabled": TO_SERVICE[want]},
                    attempted=f"set SMTP AUTH of {address}")
            for guid, address, want in mailboxes
        ]  # fmt: skip
        failed = [outcome.error for outcome in tenant.exchange.batch(commands) if outcome.error] if commands else []
        if failed:
            raise _summary(failed, len(commands))
        return plan.outcome


class SmtpAuthInfo(Reading):
    """module smtp_auth_info"""

    name = "smtp_auth_info"
    spec = TENANT | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)

    def check(self, params: dict[str, Any]) -> list[str]:
        return mail_addresses.problems("mailboxes", params["mailboxes"] or [])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        wanted = {a.lower(): "" for a in params["mailboxes"] or []}
        query = {"organization": "read", "exclusive": params["mailboxes"] is None}
        found = read(tenant, query, wanted)
        shown = {a: switch for a, (_guid, switch) in sorted(found.mailboxes.items())}
        return Plan(outcome={"smtp_auth": {"organization": found.organization, "mailboxes": shown}})


RESOURCE = SmtpAuth()
INFO = SmtpAuthInfo()


def read(tenant: Tenant, params: dict[str, Any], wanted: dict[str, str], expected: Collection[str] = ()) -> Found:
    """The switches, in one batch: the organization's with the mailboxes by name, or with the first page of all of them."""
    everything = params["exclusive"] or len(wanted) > BY_NAME
    commands = []
    if params["organization"]:
        commands.append(Command("Get-TransportConfig", {}, attempted="read the organization's SMTP AUTH"))
    found = Found(mailboxes={address: (address, "inherit") for address in wanted if address in expected})
    listed = [] if everything else [address for address in wanted if address not in expected]
    commands += [_by_name(address) for address in listed]
    if everything:
        commands.append(Command("Get-CASMailbox", {"ResultSize": "Unlimited"}, _PROPERTIES, "read the mailboxes' SMTP AUTH"))
    outcomes = tenant.exchange.batch(commands) if commands else []
    if params["organization"]:
        settings = outcomes.pop(0).checked().values
        found.organization = "disabled" if boolean(settings[0]["SmtpClientAuthenticationDisabled"]) else "enabled"
    if everything:
        for item in outcomes.pop(0).checked().values:
            found.mailboxes[str(item["PrimarySmtpAddress"]).lower()] = _entry(item)
        # A mailbox may be named by another of its addresses, which the list does not hold.
        listed = [address for address in wanted if address not in found.mailboxes]
        outcomes = tenant.exchange.batch([_by_name(address) for address in listed]) if listed else []
    missing = []
    for address, outcome in zip(listed, outcomes, strict=True):
        if is_missing(outcome.error):
            missing.append(address)
        else:
            found.mailboxes[address] = _entry(outcome.checked().values[0])
    addresses.refuse_missing(tenant.exchange, missing)
    _refuse_twice(found, wanted)
    return found


def _by_name(address: str) -> Command:
    return Command("Get-CASMailbox", {"Identity": address}, _PROPERTIES, f"read SMTP AUTH of {address}")


def _entry(item: dict) -> tuple[str, str]:
    return str(item["Guid"]), FROM_SERVICE[boolean(item.get("SmtpClientAuthenticationDisabled"))]


def _refuse_twice(found: Found, wanted: dict[str, str]) -> None:
    """Two addresses of one mailbox with different wishes would change it for ever."""
    by_guid: dict[str, str] = {}
    for address in wanted:
        guid = found.mailboxes[address][0]
        other = by_guid.setdefault(guid, address)
        if wanted[other] != wanted[address]:
            raise InvalidInput(f"mailboxes: {other} and {address} are one mailbox, with different wishes: keep one of them.")


def _summary(errors: list[ExchangeError], total: int) -> ExchangeError:
    """The first error, with how many of the writes failed."""
    first = errors[0]
    if len(errors) == 1:
        return first
    attempted = f"{first.attempted} (and {len(errors) - 1} more of {total}; the others were set)"
    return ExchangeError(
        attempted, first.service_message, code=first.code, status=first.status, entry=first.entry, request_id=first.request_id
    )
