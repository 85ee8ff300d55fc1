# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""High Volume Email accounts as Exchange has them. Sources: Get-MailUser, Get-HVEAccountSettings, Get-BillingPolicy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .._clients.exchange import Command
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._engine.tenant import Tenant
from .._entra.application_lookup import Application
from . import lookup, renames

_SELECT = ("Guid", "PrimarySmtpAddress", "EmailAddresses", "DisplayName")
READ = (
    Command("Get-MailUser", {"HVEAccount": True, "ResultSize": "Unlimited"}, _SELECT, "list the High Volume Email accounts"),
    Command("Get-BillingPolicy", {"ResourceType": "HVE"}, attempted="list the billing policies for High Volume Email"),
)


@dataclass
class Account:
    """An account as it is: its apps are object ids, its policy is an id. `primary`: in lower case; `email_addresses`: as written."""

    guid: str
    display_name: str
    primary: str = ""
    email_addresses: tuple[str, ...] = ()
    reply_to: str | None = None
    apps: list[str] = field(default_factory=list)
    policy: str | None = None
    status: str = ""


@dataclass(frozen=True)
class Settings:
    """The settings of an account in the task's terms: apps by the names in the task, the policy by its name.

    `address`: the primary address, where it changes.
    """

    display_name: str
    reply_to: str | None = None
    apps: tuple[str, ...] = ()
    billing_policy: str | None = None
    address: str | None = None

    def as_result(self) -> dict[str, object]:
        values = {name: value for name, value in vars(self).items() if name != "address" or value}
        return values | {"apps": list(self.apps)}


@dataclass
class Current:
    """The current state. An account is named by its first listed address, else by its primary address, in lower case."""

    accounts: dict[str, Account] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # listed address of an account -> its name in `accounts`
    policies: dict[str, str] = field(default_factory=dict)  # id -> name
    apps: dict[str, Application | None] = field(default_factory=dict)  # by the name in the task

    def policy_id(self, name: str) -> str | None:
        """The id of a policy that is named by its id or name."""
        return next((i for i, own in self.policies.items() if name.lower() in (i.lower(), own.lower())), None)

    def policy_name(self, name: str | None) -> str | None:
        return self.policies.get(self.policy_id(name) or "", name) if name else name

    def app_name(self, object_id: str) -> str:
        """The name of an application in the task, else its object id."""
        return next((name for name, app in self.apps.items() if app and app.object_id.lower() == object_id.lower()), object_id)

    def app_label(self, name: str) -> str:
        """The first name in the task of the application that this name means."""
        app = self.apps.get(name)
        return self.app_name(app.object_id) if app else name

    def object_ids(self, names: Collection[str]) -> tuple[str, ...]:
        return tuple(app.object_id if (app := self.apps.get(name)) else name for name in names)

    def settings(self, account: Account) -> Settings:
        policy = self.policies.get(account.policy, account.policy) if account.policy else None
        return Settings(account.display_name, account.reply_to, tuple(sorted(self.app_name(app) for app in account.apps)), policy)


def read(tenant: Tenant, listed: Collection[str], *, everything: bool) -> Current:
    """The accounts (those with a listed address, or all) with their settings, and the tenant's billing policies.

    Lists are read once, the rest in batches.
    """
    every, policies = tenant.exchange.batch(READ)
    current = Current(policies=dict(_policy(item) for item in policies.checked().values))
    for item in every.checked().values:
        own = lookup.smtp_addresses(item)
        named = [address for address in listed if address in own]
        if everything or named:
            name = named[0] if named else str(item["PrimarySmtpAddress"]).lower()
            primary, entries = str(item["PrimarySmtpAddress"]).lower(), tuple(str(one) for one in item.get("EmailAddresses") or [])
            current.accounts[name] = Account(str(item["Guid"]), str(item["DisplayName"]), primary, entries)
            current.labels |= dict.fromkeys(named, name)
    names = list(current.accounts)
    cmdlets = ("Get-HVEAccountSettings", "Get-HVEAccountBillingPolicy")
    commands = [
        Command(c, {"Identity": account.guid}, attempted=f"read the account {address}")
        for c in cmdlets
        for address, account in current.accounts.items()
    ]
    outcomes = tenant.exchange.batch(commands)
    items = [lookup.only(outcome, "accounts", name) or {} for name, outcome in zip([*names, *names], outcomes, strict=True)]
    for address, settings, billing in zip(names, items[: len(names)], items[len(names) :], strict=True):
        account = current.accounts[address]
        account.reply_to = str(settings["ReplyTo"]).lower() if settings.get("ReplyTo") else None
        account.apps = [str(app).lower() for app in settings.get("AllowedApps") or []]
        account.policy = str(billing["BillingPolicyId"]) if billing.get("BillingPolicyId") else None
        account.status = str(billing.get("BillingPolicyStatus") or "")
    return current


def rename(current: Current, former: Mapping[str, str]) -> set[str]:
    """The addresses that become primary, which then name their accounts in `current`. `former`: former address by address.

    InvalidInput where both addresses are accounts of their own.
    """
    problems, renamed = [], set()
    for address, was in former.items():
        own, old = current.labels.get(address), current.labels.pop(was, None)
        if own and old and own != old:
            problems.append(renames.two_objects("accounts", address, was))
        label = own or old
        if old and label and current.accounts[label].primary != address:
            renamed.add(address)
            current.accounts[address] = current.accounts.pop(label)
            current.labels[address] = address
    if problems:
        raise InvalidInput(*problems)
    return renamed


def _policy(item: JsonObject) -> tuple[str, str]:
    """Id and name of a policy. Microsoft documents neither property's name, so several are tried."""
    identifier = next(str(item[n]) for n in ("BillingPolicyId", "Id", "Guid", "Identity") if item.get(n))
    return identifier, next((str(item[n]) for n in ("BillingPolicyName", "FriendlyName", "Name", "DisplayName") if item.get(n)), identifier)
