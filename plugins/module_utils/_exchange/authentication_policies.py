# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies as Exchange has them, and which user has which, read in few requests.

Sources: Get-AuthenticationPolicy, Get-User, Get-OrganizationConfig. Microsoft does not document whether a user's policy reads back
as a name, an id or a distinguished name: each is accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .._clients.exchange import Command, Outcome, boolean
from .._core.json_types import JsonObject
from .._engine.tenant import Tenant
from . import customization, lookup
from .addresses import look_up

SMTP = "AllowBasicAuthSmtp"
_OPTION = "policies: mailboxes"
_ORGANIZATION = ("DefaultAuthenticationPolicy", customization.PROPERTY)
_USER = ("Guid", "UserPrincipalName", "WindowsEmailAddress", "AuthenticationPolicy", "DisplayName", "RecipientTypeDetails")

READ_POLICIES = Command("Get-AuthenticationPolicy", {}, attempted="read the authentication policies")
READ_DEFAULT = Command("Get-OrganizationConfig", {}, _ORGANIZATION, "read the organization's authentication policy")
READ_USERS = Command("Get-User", {"ResultSize": "Unlimited"}, _USER, "read the users' authentication policies")


@dataclass(frozen=True)
class Policy:
    """An authentication policy. `allow`: whether it allows Basic authentication for SMTP."""

    name: str
    guid: str
    allow: bool
    names: frozenset[str]  # name, id and distinguished name, by which a user or the organization refers to it; in lower case


@dataclass(frozen=True)
class User:
    """A user. `policy` is a policy's name in lower case; None is the organization's default. `recipient_type`: RecipientTypeDetails."""

    guid: str
    policy: str | None = None
    display_name: str = ""
    recipient_type: str = ""


@dataclass
class Current:
    """The current state. Policies are by name in lower case; `organization` is the default's, None without one.

    `is_dehydrated`: Exchange refuses policies until the organization's customization is enabled.
    """

    policies: dict[str, Policy] = field(default_factory=dict)
    organization: str | None = None
    users: dict[str, User] = field(default_factory=dict)  # by address as it is written in the task, else by primary address
    is_dehydrated: bool = False

    def key(self, reference: object) -> str | None:
        """The policy to which a property refers, by name, id or distinguished name."""
        text = str(reference or "").strip().lower()
        known = next((key for key, policy in self.policies.items() if text in policy.names), None)
        return known or (text.removeprefix("cn=").partition(",")[0] or None)

    def title(self, key: str | None) -> str | None:
        policy = self.policies.get(key or "")
        return policy.name if policy else key

    def allows(self, key: str | None) -> bool:
        """Whether a policy, else the organization's default, allows Basic authentication for SMTP; without any policy it does."""
        policy = self.policies.get(key or self.organization or "")
        return policy is None or policy.allow


@dataclass(frozen=True)
class PolicyChange:
    name: str
    allow: bool
    guid: str = ""  # empty until Exchange has created the policy


@dataclass(frozen=True)
class Assignment:
    """A user's new policy, by name; None is the organization's default."""

    guid: str
    address: str
    policy: str | None


@dataclass(frozen=True)
class DefaultPolicy:
    """The organization's new default, by name; None is no policy."""

    policy: str | None


def read_policies(tenant: Tenant) -> dict[str, Policy]:
    """The authentication policies by name in lower case."""
    return _policies(tenant.exchange.run(READ_POLICIES))


def policies_of(tenant: Tenant, policies: dict[str, Policy], guids: Mapping[str, str]) -> dict[str, str | None]:
    """The policies of users, by name in lower case; None is the organization's default. `guids`: of the users, by address."""
    outcomes = tenant.exchange.batch([_by_name(guid, address) for address, guid in guids.items()])
    items = {address: lookup.only(outcome, _OPTION, address) for address, outcome in zip(guids, outcomes, strict=True)}
    current = Current(policies)
    return {address: _user(current, item).policy for address, item in items.items() if item}


def read(
    tenant: Tenant,
    addresses: Collection[str],
    absent: Collection[str],
    *,
    every_user: bool,
    expected: Collection[str] = (),
    option: str = _OPTION,
) -> tuple[Current, list[str]]:
    """The current state, and those of the addresses that belong to no user.

    `absent`: policies to remove. Where one exists, all users are read, to know who has it. `expected`: addresses that an earlier task of
    the real run creates. `option`: what the user calls the addresses.
    """
    every_user, listed = every_user or len(addresses) > lookup.BY_NAME, [address for address in addresses if address not in expected]
    commands = [READ_POLICIES, READ_DEFAULT]
    outcomes = tenant.exchange.batch(commands + ([] if absent else _reads(listed, every_user)))
    current = Current(_policies(outcomes[0]), users={address: User(address) for address in expected})
    organization = lookup.single(outcomes[1], commands[1].attempted)
    current.organization = current.key(organization.get("DefaultAuthenticationPolicy"))
    current.is_dehydrated = customization.is_dehydrated(organization)
    users = outcomes[2:]
    if absent:
        every_user = every_user or any(name in current.policies for name in absent)
        users = tenant.exchange.batch(_reads(listed, every_user))
    return current, _add_users(tenant, current, listed, users, every_user, option)


def _reads(listed: Collection[str], every_user: bool) -> list[Command]:
    if every_user:
        return [READ_USERS]
    return [_by_name(address, address) for address in listed]


def _by_name(identity: str, address: str) -> Command:
    return Command("Get-User", {"Identity": identity}, _USER, f"read the authentication policy of {address}")


def _add_users(
    tenant: Tenant, current: Current, listed: Collection[str], outcomes: list[Outcome], every_user: bool, option: str
) -> list[str]:
    """Add the users to the current state; the addresses of no user. An address that names no user may be a mailbox's other address."""
    if every_user:
        for item in outcomes[0].checked().values:
            current.users[str(item.get("WindowsEmailAddress") or item["UserPrincipalName"]).lower()] = _user(current, item)
            if str(item["UserPrincipalName"]).lower() in listed:
                current.users[str(item["UserPrincipalName"]).lower()] = _user(current, item)
        others = [address for address in listed if address not in current.users]
    else:
        items = {address: lookup.only(outcome, option, address) for address, outcome in zip(listed, outcomes, strict=True)}
        current.users |= {address: _user(current, user) for address, user in items.items() if user}
        others = [address for address, user in items.items() if not user]
    answers = zip(others, tenant.exchange.batch([look_up(a, "Guid", "PrimarySmtpAddress") for a in others]), strict=True)
    guids = {address: str(mailbox["Guid"]) for address, answer in answers if (mailbox := lookup.only(answer, option, address))}
    reads = [_by_name(guid, address) for address, guid in guids.items()]
    for address, outcome in zip(guids, tenant.exchange.batch(reads), strict=True):
        user = lookup.only(outcome, option, address)
        if user:
            current.users[address] = _user(current, user)
    return [address for address in others if address not in current.users]


def _policies(outcome: Outcome) -> dict[str, Policy]:
    return {policy.name.lower(): policy for policy in map(_policy, outcome.checked().values)}


def _policy(item: JsonObject) -> Policy:
    names = {str(item.get(name) or "").lower() for name in ("Name", "Guid", "Identity", "Id", "DistinguishedName")} - {""}
    return Policy(str(item["Name"]), str(item.get("Guid") or item["Name"]), bool(boolean(item.get(SMTP))), frozenset(names))


def _user(current: Current, item: JsonObject) -> User:
    policy = current.key(item.get("AuthenticationPolicy"))
    return User(str(item["Guid"]), policy, str(item.get("DisplayName") or ""), str(item.get("RecipientTypeDetails") or ""))


# -- writing -------------------------------------------------------------------------------------------------------------


def create_command(policy: PolicyChange) -> Command:
    parameters: dict[str, str | bool] = {"Name": policy.name} | ({SMTP: True} if policy.allow else {})
    return Command("New-AuthenticationPolicy", parameters, attempted=f"create the authentication policy {policy.name}")


def update_command(policy: PolicyChange) -> Command:
    parameters = {"Identity": policy.guid, SMTP: policy.allow, "Confirm": False}
    return Command("Set-AuthenticationPolicy", parameters, attempted=f"change the authentication policy {policy.name}")


def assign_command(assignment: Assignment) -> Command:
    parameters = {"Identity": assignment.guid, "AuthenticationPolicy": assignment.policy, "Confirm": False}
    return Command("Set-User", parameters, attempted=f"set the authentication policy of {assignment.address}")


def set_default_command(default: DefaultPolicy) -> Command:
    parameters = {"DefaultAuthenticationPolicy": default.policy, "Confirm": False}
    return Command("Set-OrganizationConfig", parameters, attempted="set the organization's authentication policy")


def remove_command(policy: PolicyChange) -> Command:
    parameters = {"Identity": policy.guid, "Confirm": False}
    return Command("Remove-AuthenticationPolicy", parameters, attempted=f"remove the authentication policy {policy.name}")
