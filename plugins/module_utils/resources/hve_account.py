# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""High Volume Email: the accounts, the applications that may send with them, the address for replies, and the billing policies.

Sources: New-MailUser -HVEAccount, Set-HVEAccountSettings, Add-HVEAppAccess (which takes the object id of the ENTERPRISE application),
Get-BillingPolicy, Set-HVEAccountBillingPolicy; "Manage High Volume Email".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.params import nested
from .._core.spec import JOURNAL, TENANT, Option, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._exchange import addresses, consistency, hve_changes, lookup, renames
from .._exchange.aliases import new_names
from .._exchange.hve_accounts import Account, Current, Settings, read, rename
from .._exchange.hve_changes import AccountChange

MOST_APPS = 10
SHORTEST_PASSWORD = 8
NO_POLICY = "none"
VALID = "BillingPolicyValid"
CREATE_POLICY = (
    "create one in the Microsoft 365 admin center (Billing, Pay-as-you-go services: a billing policy on an Azure subscription, "
    "connected to High Volume Email); no API creates one"
)
ACCOUNT: dict[str, Option] = {
    "address": {"type": "str", "required": True},
    "was": {"type": "str"},
    "display_name": {"type": "str"},
    "reply_to": {"type": "str"},
    "apps": {"type": "list", "elements": "str"},
    "withdrawn_apps": {"type": "list", "elements": "str"},
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


@dataclass(frozen=True)
class AccountParams:
    """The options of an account; one that is None stays as it is. `password` is that of a new account."""

    address: str
    was: str | None
    state: str
    display_name: str | None
    reply_to: str | None
    apps: tuple[str, ...] | None
    withdrawn_apps: tuple[str, ...] | None
    billing_policy: str | None
    password: str | None = field(repr=False)

    @property
    def former(self) -> str:
        """The former address in lower case; empty where the account is not renamed."""
        return (self.was or "").lower() if self.state == "present" else ""


@dataclass(frozen=True)
class Params:
    """`billing_policy` and `password` hold for the accounts that have none of their own."""

    billing_policy: str | None
    exclusive: bool
    password: str | None = field(repr=False)
    accounts: tuple[AccountParams, ...] = nested(AccountParams)

    def policy_of(self, account: AccountParams) -> str | None:
        """The billing policy for the account; None leaves it as it is."""
        value = account.billing_policy if account.billing_policy is not None else self.billing_policy
        return value or None


@dataclass(frozen=True)
class InfoParams:
    accounts: tuple[str, ...] | None


Changes = tuple[AccountChange, ...]


class HveAccount:
    """Module hve_account."""

    name = "hve_account"
    spec = TENANT | JOURNAL | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = mail_addresses.problems("accounts", [account.address for account in params.accounts])
        for account in params.accounts:
            problems += [f"accounts: {account.address}: {problem}" for problem in _account_problems(account)]
        problems += renames.problems("accounts", {account.address.lower(): account.former for account in params.accounts})
        problems += [f"password {clause}" for clause in _password_problems(params.password)]
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[Changes]:
        listed = {account.address.lower(): account for account in params.accounts}
        former = {address: account.former for address, account in listed.items() if account.former}
        current = read(tenant, [*listed, *former.values()], everything=params.exclusive)
        renamed = rename(current, former)
        _refuse_contradictions(listed, current)
        listed = {address: account for address, account in listed.items() if current.labels.get(address, address) == address}
        present = {address: account for address, account in listed.items() if account.state == "present"}
        apps = [app for account in present.values() for app in account.apps or ()]
        every = application_lookup.find(tenant, [*apps, *(app for account in present.values() for app in account.withdrawn_apps or ())])
        current.apps = {name: app for name, app in every.items() if app or name in apps}
        names = refuse(tenant, params, present, current, renamed)
        users = {app: [address for address, account in present.items() if app in (account.apps or ())] for app in current.apps}
        named_by = {app: f"accounts: {', '.join(listed)}" for app, listed in users.items()}
        assumptions = application_lookup.refuse_missing(current.apps, check_mode, named_by=named_by)
        desired: dict[str, Settings] = {}
        changes = []
        for address in dict.fromkeys([*listed, *(current.accounts if params.exclusive else [])]):
            account = current.accounts.get(address)
            primary = account.primary if account and address in renamed else None
            before = replace(current.settings(account), address=primary) if account else None
            after = expected(present[address], before, params, current) if address in present else None
            if after and primary:
                after = replace(after, address=address)
            if after:
                desired[address] = replace(after, address=None)
            if before != after:
                change = _change(address, account, before, after, current)
                changes.append(replace(change, name=names.get(address, ""), email_addresses=account.email_addresses if account else ()))
        return Plan(
            {change.address: change.before.as_result() if change.before else None for change in changes},
            {change.address: change.after.as_result() if change.after else None for change in changes},
            tuple(changes) or None,
            {"hve_accounts": {address: settings.as_result() for address, settings in sorted(desired.items())}},
            billing_warnings(current, desired),
            assumptions,
        )

    def cmdlets(self, changes: Changes, /) -> Iterator[str]:
        """The cmdlets that write the changes."""
        for change in changes:
            yield from hve_changes.cmdlets(change)

    def apply(self, tenant: Tenant, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        changes = plan.pending
        passwords = {account.address.lower(): account.password or params.password or "" for account in params.accounts}
        removals = [hve_changes.remove(change.address, change.guid) for change in changes if not change.after]
        creations = [
            hve_changes.create(change.address, change.name, change.after.display_name, passwords[change.address])
            for change in changes
            if change.after and not change.before
        ]
        outcomes = tenant.exchange.batch(removals + creations)
        for outcome in outcomes:
            outcome.checked()
        created = [change.address for change in changes if change.after and not change.before]
        answers = zip(created, creations, outcomes[len(removals) :], strict=True)
        guids = {address: str(lookup.single(outcome, command.attempted)["Guid"]) for address, command, outcome in answers}
        kept = [replace(change, guid=guids.get(change.address, change.guid)) for change in changes]
        for commands in (hve_changes.withdrawals, hve_changes.updates):  # an account takes ten applications: withdrawals come first
            consistency.run_all(tenant, [command for change in kept if change.after for command in commands(change, change.after)])
        return plan.outcome


class HveAccountInfo(ReadOnlyResource[InfoParams]):
    """Module hve_account_info."""

    name = "hve_account_info"
    spec = TENANT | Spec({"accounts": {"type": "list", "elements": "str"}}, writes=False)
    params_type = InfoParams

    def validate(self, params: InfoParams) -> list[str]:
        return mail_addresses.problems("accounts", params.accounts or ())

    def plan(self, tenant: Tenant, params: InfoParams, check_mode: bool) -> Plan[None]:
        listed = [address.lower() for address in params.accounts or ()]
        current = read(tenant, listed, everything=params.accounts is None)
        accounts = {
            address: current.settings(account).as_result() | {"billing_status": account.status}
            for address, account in sorted(current.accounts.items())
        }
        policies = [{"id": i, "name": name} for i, name in sorted(current.policies.items())]
        return Plan(outcome={"hve_accounts": accounts, "billing_policies": policies})


RESOURCE = HveAccount()
INFO = HveAccountInfo()


def _account_problems(account: AccountParams) -> Iterator[str]:
    yield from mail_addresses.problems("reply_to", [account.reply_to] if account.reply_to else [])
    yield from application_lookup.problems("apps", account.apps or ())
    both = ", ".join(sorted({*(account.apps or ())} & {*(account.withdrawn_apps or ())}))
    if both:
        yield f"withdrawn_apps holds {both}, which apps holds, too: keep it in one of them."
    if len(account.apps or ()) > MOST_APPS:
        yield f"apps holds {len(account.apps or ())} applications; an account takes at most {MOST_APPS}."
    if account.display_name is not None and not account.display_name.strip():
        yield "the display_name is empty: give one or leave it out."
    else:
        yield from line_problems("the display_name", account.display_name)
    yield from (f"its password {clause}" for clause in _password_problems(account.password))


def _password_problems(password: str | None) -> Iterator[str]:
    if password is not None and len(password) < SHORTEST_PASSWORD:
        yield f"is shorter than {SHORTEST_PASSWORD} characters, which Exchange refuses: give a longer one."


# -- comparing --------------------------------------------------------------------------------------------------------


def _refuse_contradictions(listed: Mapping[str, AccountParams], current: Current) -> None:
    """InvalidInput where two addresses of one account have different options: each run would change it again."""
    pairs = [(label, address) for address, label in current.labels.items() if address != label]
    different = [pair for pair in pairs if _options(listed[pair[0]]) != _options(listed[pair[1]])]
    if different:
        raise InvalidInput(*(f"accounts: {a} and {b} are one account, with different options: keep one of them." for a, b in different))


def _options(account: AccountParams) -> AccountParams:
    return replace(account, address="", was=None)


def refuse(
    tenant: Tenant, params: Params, present: Mapping[str, AccountParams], current: Current, renamed: Collection[str] = ()
) -> dict[str, str]:
    """The names of the new accounts, by address; one InvalidInput with everything that the current state does not allow."""
    sentences: list[str] = []
    new = [address for address in present if address not in current.accounts or address in renamed]
    domains = addresses.accepted_domains(tenant.exchange) if new else set()
    available = new_names(tenant, new)
    available.unnamed = [address for address in available.unnamed if address not in renamed]
    sentences += available.problems("accounts")
    for address in new:
        account = current.accounts.get(address)
        if address in available.holders and not (account and available.holders[address].primary.lower() == account.primary):
            kind = available.holders[address].kind
            sentences.append(f"accounts: {address} is a {kind}, which cannot become a High Volume Email account: choose another address.")
        elif mail_addresses.domain(address) not in domains:
            sentences.append(f"accounts: {addresses.foreign_problem([address], domains)}")
        elif not account and not (present[address].password or params.password):
            sentences.append(f"password is not set, and {address} does not exist yet: give the new account a password (it is used once).")
    for name, head in _policy_options(params, present).items():
        if not current.policy_id(name):
            existing = f"it has {', '.join(sorted(current.policies.values()))}" if current.policies else f"it has none; {CREATE_POLICY}"
            sentences.append(f"{head} is {name}, and the tenant has no such billing policy for High Volume Email: {existing}.")
    if sentences:
        raise InvalidInput(*sentences)
    return available.names


def _policy_options(params: Params, present: Mapping[str, AccountParams]) -> dict[str, str]:
    """The billing policies that accounts are to have, each with what sets it: the account's own option, else that of all accounts."""
    named: dict[str, str] = {}
    for account in present.values():
        policy = params.policy_of(account)
        if policy and policy != NO_POLICY:
            own = account.billing_policy is not None
            named.setdefault(policy, f"accounts: {account.address}: billing_policy" if own else "billing_policy")
    return named


def expected(account: AccountParams, before: Settings | None, params: Params, current: Current) -> Settings:
    """The settings as they will be: the task's, else the current ones, else those of a new account."""
    was = before or Settings(account.address.lower().partition("@")[0])
    policy = params.policy_of(account)
    kept = (
        () if params.exclusive and account.apps is not None else set(was.apps) - set(map(current.app_label, account.withdrawn_apps or ()))
    )
    apps = sorted({*map(current.app_label, account.apps or ()), *kept})
    return Settings(
        was.display_name if account.display_name is None else account.display_name,
        was.reply_to if account.reply_to is None else account.reply_to.lower() or None,
        tuple(apps),
        current.policy_name(was.billing_policy if policy is None else None if policy == NO_POLICY else policy),
    )


def _change(address: str, account: Account | None, before: Settings | None, after: Settings | None, current: Current) -> AccountChange:
    guid = account.guid if account else ""
    if not after:
        return AccountChange(address, guid, before, after)
    was = before.apps if before else ()
    withdrawn, added = [app for app in was if app not in after.apps], [app for app in after.apps if app not in was]
    policy_id = current.policy_id(after.billing_policy) if after.billing_policy else None
    return AccountChange(address, guid, before, after, current.object_ids(withdrawn), current.object_ids(added), policy_id)


def billing_warnings(current: Current, desired: Mapping[str, Settings]) -> list[str]:
    """Accounts that cannot send for want of a valid billing policy."""
    without = [address for address, settings in desired.items() if not settings.billing_policy]
    how = "assign one (billing_policy)" if current.policies else f"the tenant has none: {CREATE_POLICY}"
    warnings = [f"{', '.join(without)}: without a billing policy High Volume Email sends nothing; {how}."] if without else []
    for address, settings in desired.items():
        account = current.accounts.get(address)
        unchanged = account and account.policy and settings.billing_policy == current.settings(account).billing_policy
        if account and unchanged and account.status not in (VALID, ""):
            warnings.append(f"{address}: its billing policy is not valid ({account.status}); check it in the Microsoft 365 admin center.")
    return warnings
