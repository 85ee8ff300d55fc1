# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP AUTH: the organization's setting and the mailboxes' own (enabled, disabled, inherit).

Sources: "Enable or disable authenticated client SMTP submission (SMTP AUTH) in Exchange
Online"; Set-TransportConfig, Set-CASMailbox.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from .._clients.exchange import Command, boolean, is_missing
from .._core import mail_addresses
from .._core.errors import ExchangeError, InvalidInput
from .._core.json_types import JsonObject
from .._core.params import nested
from .._core.spec import EXPECTED, JOURNAL, TENANT, Option, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._exchange import addresses, consistency, lookup
from . import security_defaults

# SmtpClientAuthenticationDisabled is the negation, and null means inherit.
TO_SERVICE = {"enabled": False, "disabled": True, "inherit": None}
FROM_SERVICE = {False: "enabled", True: "disabled", None: "inherit"}
_PROPERTIES = ("Guid", "PrimarySmtpAddress", "SmtpClientAuthenticationDisabled")
READ_ORGANIZATION = Command("Get-TransportConfig", {}, attempted="read the organization's SMTP AUTH")
READ_MAILBOXES = Command("Get-CASMailbox", {"ResultSize": "Unlimited"}, _PROPERTIES, "read the mailboxes' SMTP AUTH")

MAILBOX: dict[str, Option] = {
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


@dataclass(frozen=True)
class MailboxParams:
    address: str
    smtp_auth: str  # enabled | disabled | inherit
    sign_in: str  # oauth | basic


@dataclass(frozen=True)
class Params:
    organization: str | None
    exclusive: bool
    expected_mailboxes: tuple[str, ...]
    mailboxes: tuple[MailboxParams, ...] | None = nested(MailboxParams)


@dataclass(frozen=True)
class InfoParams:
    mailboxes: tuple[str, ...] | None


@dataclass(frozen=True)
class Mailbox:
    guid: str
    smtp_auth: str


@dataclass
class Settings:
    """The current settings. `mailboxes` is by address in lower case: as it is written in the task, else the primary address."""

    organization: str | None = None
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)


@dataclass(frozen=True)
class MailboxChange:
    guid: str
    address: str
    smtp_auth: str

    @property
    def is_new(self) -> bool:
        """Whether the plan expected the mailbox: its address stands for its guid."""
        return self.guid == self.address


@dataclass(frozen=True)
class Changes:
    """`organization` is the new setting, None where it stays."""

    organization: str | None
    mailboxes: tuple[MailboxChange, ...]

    def __bool__(self) -> bool:
        return bool(self.organization or self.mailboxes)


class SmtpAuth:
    """Module smtp_auth."""

    name = "smtp_auth"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = mail_addresses.problems("mailboxes", [mailbox.address for mailbox in params.mailboxes or ()])
        if params.exclusive and params.mailboxes is None:
            problems.append("exclusive is true without mailboxes: give the list of mailboxes, or [] to return all to inherit.")
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[Changes]:
        listed = params.mailboxes or ()
        basic = [mailbox.address for mailbox in listed if mailbox.sign_in == "basic" and mailbox.smtp_auth != "disabled"]
        if basic:
            security_defaults.refuse_basic(tenant, basic)
        desired = {mailbox.address.lower(): mailbox.smtp_auth for mailbox in listed}
        expected = addresses.expected(params.expected_mailboxes, check_mode)
        current = read(tenant, desired, organization=bool(params.organization), everything=params.exclusive, expected=expected)
        _refuse_contradictions(current, desired)
        if params.exclusive:
            desired |= _returned_to_inherit(current, desired)
        return _plan(params.organization, current, desired)

    def cmdlets(self, changes: Changes, /) -> Iterator[str]:
        """The cmdlets that write the changes."""
        yield from ["Set-TransportConfig"] if changes.organization else []
        yield from ["Set-CASMailbox"] if changes.mailboxes else []

    def apply(self, tenant: Tenant, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        changes = plan.pending
        if changes.organization:
            parameters = {"SmtpClientAuthenticationDisabled": TO_SERVICE[changes.organization], "Confirm": False}
            tenant.exchange.run(Command("Set-TransportConfig", parameters, attempted="set the organization's SMTP AUTH"))
        commands = [_set(mailbox) for mailbox in changes.mailboxes]
        outcomes = tenant.exchange.batch(commands) if commands else []
        errors = [(mailbox, outcome.error) for mailbox, outcome in zip(changes.mailboxes, outcomes, strict=True) if outcome.error]
        delayed = [mailbox for mailbox, error in errors if mailbox.is_new and is_missing(error)]
        failed = [error for mailbox, error in errors if mailbox not in delayed]
        if failed:
            raise _summary(failed, len(commands))
        consistency.run_all(tenant, [_set(mailbox) for mailbox in delayed])
        return plan.outcome


class SmtpAuthInfo(ReadOnlyResource[InfoParams]):
    """Module smtp_auth_info."""

    name = "smtp_auth_info"
    spec = TENANT | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)
    params_type = InfoParams

    def validate(self, params: InfoParams) -> list[str]:
        return mail_addresses.problems("mailboxes", params.mailboxes or ())

    def plan(self, tenant: Tenant, params: InfoParams, check_mode: bool) -> Plan[None]:
        listed = [address.lower() for address in params.mailboxes or ()]
        current = read(tenant, listed, organization=True, everything=params.mailboxes is None)
        mailboxes = {address: mailbox.smtp_auth for address, mailbox in sorted(current.mailboxes.items())}
        return Plan(outcome={"smtp_auth": {"organization": current.organization, "mailboxes": mailboxes}})


RESOURCE = SmtpAuth()
INFO = SmtpAuthInfo()


# -- reading ----------------------------------------------------------------------------------------------------------


def read(tenant: Tenant, listed: Collection[str], *, organization: bool, everything: bool, expected: Collection[str] = ()) -> Settings:
    """The settings, in one batch: the organization's with the mailboxes by name, or with the first page of all of them."""
    everything = everything or len(listed) > lookup.BY_NAME
    commands = [READ_ORGANIZATION] if organization else []
    settings = Settings(mailboxes={address: Mailbox(address, "inherit") for address in listed if address in expected})
    named = [] if everything else [address for address in listed if address not in expected]
    commands += [by_name(address) for address in named]
    if everything:
        commands.append(READ_MAILBOXES)
    outcomes = tenant.exchange.batch(commands) if commands else []
    if organization:
        transport = lookup.single(outcomes.pop(0), commands[0].attempted)
        settings.organization = "disabled" if boolean(transport["SmtpClientAuthenticationDisabled"]) else "enabled"
    if everything:
        for item in outcomes.pop(0).checked().values:
            settings.mailboxes[str(item["PrimarySmtpAddress"]).lower()] = _mailbox(item)
        # A mailbox may be named by another of its addresses, which the list does not hold.
        named = [address for address in listed if address not in settings.mailboxes]
        outcomes = tenant.exchange.batch([by_name(address) for address in named]) if named else []
    missing = []
    for address, outcome in zip(named, outcomes, strict=True):
        mailbox = lookup.only(outcome, "mailboxes", address)
        if mailbox:
            settings.mailboxes[address] = _mailbox(mailbox)
        else:
            missing.append(address)
    addresses.refuse_missing(tenant.exchange, {"mailboxes": missing})
    return settings


def by_name(address: str) -> Command:
    """Reads SMTP AUTH of the mailbox that has this address."""
    return Command("Get-CASMailbox", {"Identity": address}, _PROPERTIES, f"read SMTP AUTH of {address}")


def enabled_mailboxes(tenant: Tenant, identities: Mapping[str, str]) -> set[str]:
    """Those of the existing mailboxes that have SMTP AUTH enabled. The answers are kept for a later read of the same run.

    `identities`: the address or Guid that each is read by, by the address that stands for it.
    """
    commands = [by_name(identity) for identity in identities.values()]
    result = set()
    for address, command, outcome in zip(identities, commands, tenant.exchange.batch(commands), strict=True):
        tenant.exchange.prefetch(command, outcome)
        item = lookup.only(outcome, "mailboxes", address)
        if item and _mailbox(item).smtp_auth == "enabled":
            result.add(address)
    return result


def _mailbox(item: JsonObject) -> Mailbox:
    return Mailbox(str(item["Guid"]), FROM_SERVICE[boolean(item.get("SmtpClientAuthenticationDisabled"))])


# -- comparing --------------------------------------------------------------------------------------------------------


def _refuse_contradictions(current: Settings, desired: dict[str, str]) -> None:
    """InvalidInput where two addresses of one mailbox have different settings: each run would change it again."""
    by_guid: dict[str, str] = {}
    for address in desired:
        other = by_guid.setdefault(current.mailboxes[address].guid, address)
        if desired[other] != desired[address]:
            raise InvalidInput(f"mailboxes: {other} and {address} are one mailbox, with different values of smtp_auth: keep one of them.")


def _returned_to_inherit(current: Settings, desired: dict[str, str]) -> dict[str, str]:
    """The mailboxes that the task does not list, by any of their addresses."""
    named = {mailbox.guid for address, mailbox in current.mailboxes.items() if address in desired}
    return {a: "inherit" for a, mailbox in current.mailboxes.items() if mailbox.guid not in named and a not in desired}


def _plan(organization: str | None, current: Settings, desired: dict[str, str]) -> Plan[Changes]:
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    labels = lookup.labels(list(desired), {address: mailbox.guid for address, mailbox in current.mailboxes.items()})
    own = {address: value for address, value in desired.items() if labels[address] == address}  # each mailbox once
    changed = {address: value for address, value in own.items() if current.mailboxes[address].smtp_auth != value}
    if changed:
        before["mailboxes"] = {address: current.mailboxes[address].smtp_auth for address in changed}
        after["mailboxes"] = dict(changed)
    new_organization = organization if organization and current.organization != organization else None
    if new_organization:
        before["organization"], after["organization"] = current.organization, new_organization
    changes = Changes(new_organization, tuple(MailboxChange(current.mailboxes[a].guid, a, value) for a, value in changed.items()))
    outcome = {"organization": organization or current.organization, "changed_mailboxes": dict(sorted(changed.items()))}
    return Plan(before, after, changes or None, {"smtp_auth": outcome})


# -- writing ----------------------------------------------------------------------------------------------------------


def _set(mailbox: MailboxChange) -> Command:
    parameters = {"Identity": mailbox.guid, "SmtpClientAuthenticationDisabled": TO_SERVICE[mailbox.smtp_auth]}
    return Command("Set-CASMailbox", parameters, attempted=f"set SMTP AUTH of {mailbox.address}")


def _summary(errors: list[ExchangeError], total: int) -> ExchangeError:
    """The first error, with how many of the writes failed."""
    first = errors[0]
    if len(errors) == 1:
        return first
    attempted = f"{first.attempted} (and {len(errors) - 1} more of {total}; the others were set)"
    return ExchangeError(
        attempted, first.service_message, code=first.code, status=first.status, entry=first.entry, request_id=first.request_id
    )
