# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""High Volume Email: the accounts, the applications that may send with them, where answers go, and who pays.

Private to the collection. Sources: New-MailUser -HVEAccount, Set-HVEAccountSettings, Add-HVEAppAccess (which takes the
object id of the ENTERPRISE application), Get-BillingPolicy, Set-HVEAccountBillingPolicy; "Manage High Volume Email".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, is_missing
from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._entra.application_lookup import Application
from .._exchange import addresses, consistency
from .._exchange.aliases import alias

MOST_APPS = 10
SHORTEST_PASSWORD = 8
NO_POLICY = "none"
VALID = "BillingPolicyValid"
BY_HAND = (
    "make one in the Microsoft 365 admin center (Billing, Pay-as-you-go services: a billing policy on an Azure subscription, "
    "connected to High Volume Email), which no API does"
)
ACCOUNT = {
    "address": {"type": "str", "required": True},
    "display_name": {"type": "str"},
    "reply_to": {"type": "str"},
    "apps": {"type": "list", "elements": "str"},
    "billing_policy": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec(
    {
        "accounts": {"type": "list", "elements": "dict", "options": ACCOUNT, "required": True},
        "billing_policy": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "exclusive": {"type": "bool", "default": False},
    }
)
_SELECT = ("Guid", "PrimarySmtpAddress", "DisplayName")


@dataclass
class Account:
    """An account as it is: its apps are object ids, its policy is an id."""

    guid: str
    display_name: str
    reply_to: str | None = None
    apps: list[str] = field(default_factory=list)
    policy: str | None = None
    status: str = ""


@dataclass
class Found:
    accounts: dict[str, Account] = field(default_factory=dict)  # by address, in lower case
    policies: dict[str, str] = field(default_factory=dict)  # id -> name
    apps: dict[str, Application | None] = field(default_factory=dict)  # by the name that the task gives

    def policy(self, wanted: str) -> str | None:
        """The id of a policy that is named by its id or name."""
        return next((i for i, name in self.policies.items() if wanted.lower() in (i.lower(), name.lower())), None)

    def label(self, object_id: str) -> str:
        """The name under which the task knows an application, else its object id."""
        return next((name for name, app in self.apps.items() if app and app.object_id.lower() == object_id.lower()), object_id)

    def public(self, account: Account) -> dict[str, Any]:
        policy = self.policies.get(account.policy, account.policy) if account.policy else None
        apps = sorted(self.label(app) for app in account.apps)
        return {"display_name": account.display_name, "reply_to": account.reply_to, "apps": apps, "billing_policy": policy}


class HveAccount:
    """module hve_account"""

    name = "hve_account"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = mail_addresses.problems("accounts", [a["address"] for a in params["accounts"]])
        for account in params["accounts"]:
            label = f"accounts: {account['address']}"
            problems += [f"{label}: {p}" for p in mail_addresses.problems("reply_to", [account["reply_to"]] if account["reply_to"] else [])]
            problems += [f"{label}: {p}" for p in application_lookup.problems("apps", account["apps"] or [])]
            if len(account["apps"] or []) > MOST_APPS:
                problems.append(f"{label}: apps holds {len(account['apps'])} applications; an account takes at most {MOST_APPS}.")
            if account["display_name"] is not None and not account["display_name"].strip():
                problems.append(f"{label}: the display_name is empty: give one or leave it out.")
        for password in {params["password"], *(a["password"] for a in params["accounts"])} - {None}:
            if len(password) < SHORTEST_PASSWORD:
                problems.append(f"a password is shorter than {SHORTEST_PASSWORD} characters, which Exchange refuses: give a longer one.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        wanted = {a["address"].lower(): a for a in params["accounts"]}
        found = read(tenant, None if params["exclusive"] else list(wanted))
        present = {address: a for address, a in wanted.items() if a["state"] == "present"}
        found.apps = application_lookup.find(tenant, [app for a in present.values() for app in a["apps"] or []])
        refuse(tenant, params, present, found)
        plan = Plan(before={}, after={}, warnings=application_lookup.refuse_missing(found.apps, check_mode))
        now: dict[str, Any] = {}
        differing = []
        for address in list(dict.fromkeys([*wanted, *(found.accounts if params["exclusive"] else [])])):
            account = found.accounts.get(address)
            have = found.public(account) if account else None
            will = expected(address, present[address], have, params) if address in present else None
            will = will and will | {"billing_policy": _policy_name(found, will["billing_policy"])}
            now |= {address: will} if will else {}
            if have != will:
                plan.before[address], plan.after[address] = have, will
                differing.append(address)
        plan.warnings += unpaid(found, now)
        plan.outcome = {"hve_accounts": dict(sorted(now.items()))}
        plan.steps = [differing, found] if differing else []
        return plan

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        _changed, found = plan.steps
        passwords = {a["address"].lower(): a["password"] or params["password"] for a in params["accounts"]}
        removed = [address for address, will in plan.after.items() if will is None]
        new = [address for address, will in plan.after.items() if will and plan.before[address] is None]
        gone = [_remove(address, found.accounts[address].guid) for address in removed]
        made = [_create(address, plan.after[address]["display_name"], passwords[address]) for address in new]
        for outcome in tenant.exchange.batch(gone + made):
            outcome.checked()
        kept = {address: will for address, will in plan.after.items() if will}
        for wave in (_withdrawals, _changes):  # an account takes ten apps: what goes makes room
            consistency.run_all(tenant, [c for address, will in kept.items() for c in wave(address, plan.before[address], will, found)])
        return plan.outcome


class HveAccountInfo(Reading):
    """module hve_account_info"""

    name = "hve_account_info"
    spec = TENANT | Spec({"accounts": {"type": "list", "elements": "str"}}, writes=False)

    def check(self, params: dict[str, Any]) -> list[str]:
        return mail_addresses.problems("accounts", params["accounts"] or [])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        listed = [a.lower() for a in params["accounts"]] if params["accounts"] is not None else None
        found = read(tenant, listed)
        shown = {a: found.public(account) | {"billing_status": account.status} for a, account in sorted(found.accounts.items())}
        policies = [{"id": i, "name": name} for i, name in sorted(found.policies.items())]
        return Plan(outcome={"hve_accounts": shown, "billing_policies": policies})


RESOURCE = HveAccount()
INFO = HveAccountInfo()


# -- reading ----------------------------------------------------------------------------------------------------------


def read(tenant: Tenant, listed: list[str] | None) -> Found:
    """The accounts (those listed, or all) with their settings, and the tenant's billing policies: lists once, the rest in batches."""
    every, policies = tenant.exchange.batch(
        [
            Command("Get-MailUser", {"HVEAccount": True, "ResultSize": "Unlimited"}, _SELECT, "list the High Volume Email accounts"),
            Command("Get-BillingPolicy", {"ResourceType": "HVE"}, attempted="list the billing policies for High Volume Email"),
        ]
    )
    found = Found(policies=dict(_policy(item) for item in policies.checked().values))
    for item in every.checked().values:
        address = str(item["PrimarySmtpAddress"]).lower()
        if listed is None or address in listed:
            found.accounts[address] = Account(str(item["Guid"]), str(item["DisplayName"]))
    names = list(found.accounts)
    cmdlets = ("Get-HVEAccountSettings", "Get-HVEAccountBillingPolicy")
    commands = [Command(c, {"Identity": address}, attempted=f"read the account {address}") for c in cmdlets for address in names]
    values = [outcome.checked().values for outcome in tenant.exchange.batch(commands)]
    for address, settings, billing in zip(names, values[: len(names)], values[len(names) :], strict=True):
        account = found.accounts[address]
        for item in settings[:1]:
            account.reply_to = str(item["ReplyTo"]).lower() if item.get("ReplyTo") else None
            account.apps = [str(app).lower() for app in item.get("AllowedApps") or []]
        for item in billing[:1]:
            account.policy = str(item["BillingPolicyId"]) if item.get("BillingPolicyId") else None
            account.status = str(item.get("BillingPolicyStatus") or "")
    return found


def _policy(item: dict[str, Any]) -> tuple[str, str]:
    """Id and name of a policy: Microsoft documents neither property's name, so that the likely ones are tried."""
    identifier = next(str(item[n]) for n in ("BillingPolicyId", "Id", "Guid", "Identity") if item.get(n))
    return identifier, next((str(item[n]) for n in ("BillingPolicyName", "FriendlyName", "Name", "DisplayName") if item.get(n)), identifier)


# -- comparing --------------------------------------------------------------------------------------------------------


def refuse(tenant: Tenant, params: dict[str, Any], present: dict[str, dict], found: Found) -> None:
    """Raise one InvalidInput with all that stands in the way."""
    sentences: list[str] = []
    new = [address for address in present if address not in found.accounts]
    domains = addresses.accepted_domains(tenant.exchange) if new else set()
    look = [addresses.look_up(a, "RecipientTypeDetails") for a in new]
    for address, outcome in zip(new, tenant.exchange.batch(look), strict=True):
        if not is_missing(outcome.error):
            kind = outcome.checked().values[0]["RecipientTypeDetails"]
            sentences.append(f"{address} is a {kind}, which cannot become a High Volume Email account: choose another address.")
        elif mail_addresses.domain(address) not in domains:
            accepted = ", ".join(sorted(domains))
            sentences.append(f"{address}: not in an accepted domain of this tenant ({accepted}); nothing was changed.")
        elif not (present[address]["password"] or params["password"]):
            sentences.append(f"accounts: {address} does not exist yet, and a new account needs a password: give one (it is used once).")
    for name in {_wish(account, params) for account in present.values()} - {None, NO_POLICY}:
        if not found.policy(str(name)):
            known = f"it has {', '.join(sorted(found.policies.values()))}" if found.policies else f"it has none; {BY_HAND}"
            sentences.append(f"the tenant has no billing policy {name} for High Volume Email: {known}.")
    if sentences:
        raise InvalidInput(*sentences)


def _wish(account: dict[str, Any], params: dict[str, Any]) -> str | None:
    """The billing policy that is asked for: the account's own, else the task's; None leaves it as it is."""
    value = account["billing_policy"] if account["billing_policy"] is not None else params["billing_policy"]
    return str(value) if value else None


def expected(address: str, want: dict[str, Any], have: dict[str, Any] | None, params: dict[str, Any]) -> dict[str, Any]:
    """The account as it will be: what is asked for, else what is, else what a new one has."""
    will = dict(have or {"display_name": address.partition("@")[0], "reply_to": None, "apps": [], "billing_policy": None})
    if want["display_name"] is not None:
        will["display_name"] = want["display_name"]
    if want["reply_to"] is not None:
        will["reply_to"] = want["reply_to"].lower() or None
    if want["apps"] is not None:
        will["apps"] = sorted(set(want["apps"]) if params["exclusive"] else {*want["apps"], *will["apps"]})
    policy = _wish(want, params)
    if policy:
        will["billing_policy"] = None if policy == NO_POLICY else policy
    return will


def _policy_name(found: Found, wanted: str | None) -> str | None:
    return found.policies[found.policy(wanted) or ""] if wanted and found.policy(wanted) else wanted


def unpaid(found: Found, now: dict[str, dict[str, Any]]) -> list[str]:
    """What keeps accounts from sending although everything is as asked for."""
    without = [address for address, will in now.items() if not will["billing_policy"]]
    how = "assign one (billing_policy)" if found.policies else f"the tenant has none: {BY_HAND}"
    notes = [f"{', '.join(without)}: without a billing policy High Volume Email sends nothing; {how}."] if without else []
    for address, will in now.items():
        account = found.accounts.get(address)
        unchanged = account and account.policy and will["billing_policy"] == found.public(account)["billing_policy"]
        if account and unchanged and account.status not in (VALID, ""):
            notes.append(f"{address}: its billing policy does not work ({account.status}); look at it in the Microsoft 365 admin center.")
    return notes


# -- writing ----------------------------------------------------------------------------------------------------------


def _remove(address: str, guid: str) -> Command:
    return Command("Remove-MailUser", {"Identity": guid, "Confirm": False}, attempted=f"remove the account {address}")


def _create(address: str, title: str, password: str) -> Command:
    """Sent once: an answer that is lost may hide an account that was made, which the next run then finds."""
    name = alias(address)
    parameters = {"Name": name, "Alias": name, "DisplayName": title, "PrimarySmtpAddress": address, "Password": password}
    return Command("New-MailUser", parameters | {"HVEAccount": True}, attempted=f"create the account {address}")


def _object_ids(names: list[str], found: Found) -> list[str]:
    return [app.object_id if (app := found.apps.get(name)) else name for name in names]


def _withdrawals(address: str, have: dict[str, Any] | None, will: dict[str, Any], found: Found) -> list[Command]:
    gone = [app for app in (have or {"apps": []})["apps"] if app not in will["apps"]]
    parameters = {"Identity": address, "AppIds": _object_ids(gone, found)}
    return [Command("Remove-HVEAppAccess", parameters, attempted=f"withdraw applications from {address}")] if gone else []


def _changes(address: str, have: dict[str, Any] | None, will: dict[str, Any], found: Found) -> list[Command]:
    """What differs after the account was made: commands that do not depend on each other."""
    was = have or {"display_name": will["display_name"], "reply_to": None, "apps": [], "billing_policy": None}
    wishes: list[tuple[str, dict[str, Any], str]] = []
    if will["display_name"] != was["display_name"]:
        wishes.append(("Set-MailUser", {"HVEAccount": True, "DisplayName": will["display_name"]}, "rename the account"))
    if will["reply_to"] != was["reply_to"]:
        wishes.append(("Set-HVEAccountSettings", {"ReplyTo": will["reply_to"]}, "set where answers go for"))
    if will["billing_policy"] != was["billing_policy"]:
        policy = found.policy(will["billing_policy"]) if will["billing_policy"] else None
        wishes.append(("Set-HVEAccountBillingPolicy", {"BillingPolicyId": policy}, "set the billing policy of"))
    new = [app for app in will["apps"] if app not in was["apps"]]
    if new:
        wishes.append(("Add-HVEAppAccess", {"AppIds": _object_ids(new, found)}, "allow applications to send with"))
    return [Command(name, {"Identity": address, **parameters}, attempted=f"{what} {address}") for name, parameters, what in wishes]
