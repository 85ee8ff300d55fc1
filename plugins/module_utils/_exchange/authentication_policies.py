# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies as Exchange has them, and who has which: read in as few requests as it takes.

Private to the collection. Sources: Get-AuthenticationPolicy, Get-User, Get-OrganizationConfig. Whether a user's policy reads back
as a name, an id or a distinguished name Microsoft does not say: each is understood.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, Outcome, boolean, is_missing
from .._engine.tenant import Tenant
from .addresses import look_up

# Up to this many users are read by name, ten a request; more by one paged read of them all.
BY_NAME = 50
SMTP = "AllowBasicAuthSmtp"
_USER = ("Guid", "UserPrincipalName", "WindowsEmailAddress", "AuthenticationPolicy")


@dataclass(frozen=True)
class Policy:
    name: str
    guid: str
    allow: bool
    names: frozenset[str]  # all that a user or the organization may call it by, in lower case


@dataclass
class Found:
    """What Exchange has. A policy is named here by its name in lower case; None is the organization's default."""

    policies: dict[str, Policy] = field(default_factory=dict)
    organization: str | None = None
    # address as it was asked for, else primary address -> (guid, policy)
    users: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def key(self, reference: Any) -> str | None:
        """The policy that a property refers to: by name, id or distinguished name, of which the service does not say."""
        wanted = str(reference or "").strip().lower()
        known = next((key for key, policy in self.policies.items() if wanted in policy.names), None)
        return known or (wanted.removeprefix("cn=").partition(",")[0] or None)

    def title(self, key: str | None) -> str | None:
        policy = self.policies.get(key or "")
        return policy.name if policy else key

    def allows(self, key: str | None) -> bool:
        """Whether a policy, else the organization's default, lets a password in; without any policy nothing is closed."""
        policy = self.policies.get(key or self.organization or "")
        return policy is None or policy.allow


def read(
    tenant: Tenant, wanted: Collection[str], absent: Collection[str], *, everybody: bool, expected: Collection[str] = ()
) -> tuple[Found, list[str]]:
    """What there is, and the addresses among those wanted that are nobody's.

    Who has a policy that is to go is known after all users are read only: then they are, where the policy exists. Those expected are
    made by an earlier task of the real run.
    """
    everybody, wanted = everybody or len(wanted) > BY_NAME, [address for address in wanted if address not in expected]
    commands = [
        Command("Get-AuthenticationPolicy", {}, attempted="read the authentication policies"),
        Command("Get-OrganizationConfig", {}, ("DefaultAuthenticationPolicy",), "read the organization's authentication policy"),
    ]
    outcomes = tenant.exchange.batch(commands + ([] if absent else _reads(wanted, everybody)))
    found = Found(users={address: (address, None) for address in expected})
    for item in outcomes[0].checked().values:
        policy = _policy(item)
        found.policies[policy.name.lower()] = policy
    found.organization = found.key(outcomes[1].checked().values[0].get("DefaultAuthenticationPolicy"))
    users = outcomes[2:]
    if absent:
        everybody = everybody or any(name in found.policies for name in absent)
        users = tenant.exchange.batch(_reads(wanted, everybody))
    return found, _enter(tenant, found, wanted, users, everybody)


def _reads(wanted: Collection[str], everybody: bool) -> list[Command]:
    if everybody:
        return [Command("Get-User", {"ResultSize": "Unlimited"}, _USER, "read the users' authentication policies")]
    return [_by_name(address, address) for address in wanted]


def _by_name(identity: str, address: str) -> Command:
    return Command("Get-User", {"Identity": identity}, _USER, f"read the authentication policy of {address}")


def _enter(tenant: Tenant, found: Found, wanted: Collection[str], outcomes: list[Outcome], everybody: bool) -> list[str]:
    """Put the users into `found`; those wanted that are nobody's. An address that is no user's name may be its mailbox's."""
    if everybody:
        for item in outcomes[0].checked().values:
            found.users[str(item.get("WindowsEmailAddress") or item["UserPrincipalName"]).lower()] = _user(found, item)
            if str(item["UserPrincipalName"]).lower() in wanted:
                found.users[str(item["UserPrincipalName"]).lower()] = _user(found, item)
        others = [address for address in wanted if address not in found.users]
    else:
        others = [address for address, outcome in zip(wanted, outcomes, strict=True) if is_missing(outcome.error)]
        for address, outcome in zip(wanted, outcomes, strict=True):
            if address not in others:
                found.users[address] = _user(found, outcome.checked().values[0])
    boxes = [look_up(a, "Guid") for a in others]
    answers = dict(zip(others, tenant.exchange.batch(boxes), strict=True))
    missing = [address for address, answer in answers.items() if is_missing(answer.error)]
    named = [address for address in others if address not in missing]
    reads = [_by_name(str(answers[address].checked().values[0]["Guid"]), address) for address in named]
    for address, outcome in zip(named, tenant.exchange.batch(reads), strict=True):
        found.users[address] = _user(found, outcome.checked().values[0])
    return missing


def _policy(item: dict) -> Policy:
    names = {str(item.get(name) or "").lower() for name in ("Name", "Guid", "Identity", "Id", "DistinguishedName")} - {""}
    return Policy(str(item["Name"]), str(item.get("Guid") or item["Name"]), bool(boolean(item.get(SMTP))), frozenset(names))


def _user(found: Found, item: dict) -> tuple[str, str | None]:
    return str(item["Guid"]), found.key(item.get("AuthenticationPolicy"))
