# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies: which mailboxes may use Basic authentication for SMTP, and the organization's default.

Sources: "Disable Basic authentication in Exchange Online"; New-/Set-AuthenticationPolicy, Set-User,
Set-OrganizationConfig. This resource manages AllowBasicAuthSmtp alone; a new policy allows nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from .._clients.exchange import Command
from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.params import nested
from .._core.spec import EXPECTED, JOURNAL, TENANT, Option, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._exchange import addresses, authentication_policies, consistency, customization, lookup
from .._exchange.authentication_policies import Assignment, Current, DefaultPolicy, PolicyChange, read
from .._planning import limits
from . import security_defaults

NOTE = "A new, changed or newly assigned authentication policy takes up to 24 hours to take effect."
POLICY: dict[str, Option] = {
    "name": {"type": "str", "required": True},
    "allow_basic_smtp": {"type": "bool"},
    "mailboxes": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec(
    {
        "policies": {"type": "list", "elements": "dict", "options": POLICY},
        "organization": {"type": "str"},
        "default_mailboxes": {"type": "list", "elements": "str", "default": []},
        "exclusive": {"type": "bool", "default": False},
        "basic_auth_end_date": {"type": "str", "default": limits.BASIC_AUTH_END_DATE.isoformat(), "variable": "m365_basic_auth_end_date"},
        "basic_reenabled": {"type": "bool", "default": False, "variable": "m365_basic_reenabled"},
    },
    required_one_of=(("policies", "organization"),),
)


@dataclass(frozen=True)
class PolicyParams:
    """The options of a policy; one that is None stays as it is."""

    name: str
    state: str
    allow_basic_smtp: bool | None
    mailboxes: tuple[str, ...] | None

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def present(self) -> bool:
        return self.state == "present"


@dataclass(frozen=True)
class Params:
    organization: str | None
    default_mailboxes: tuple[str, ...]
    exclusive: bool
    basic_auth_end_date: str
    basic_reenabled: bool
    expected_mailboxes: tuple[str, ...]
    policies: tuple[PolicyParams, ...] | None = nested(PolicyParams)

    def allowing(self) -> list[str]:
        """The names of the policies that are to allow Basic authentication for SMTP."""
        return [policy.name for policy in self.policies or () if policy.present and policy.allow_basic_smtp]


@dataclass(frozen=True)
class InfoParams:
    mailboxes: tuple[str, ...] | None


@dataclass
class Changes:
    create: list[PolicyChange] = field(default_factory=list)
    update: list[PolicyChange] = field(default_factory=list)
    assign: list[Assignment] = field(default_factory=list)
    default: DefaultPolicy | None = None
    remove: list[PolicyChange] = field(default_factory=list)
    customize: bool = False  # enable the organization's customization first

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def commands(self) -> list[list[Command]]:
        """In an order that refuses no sender in between: what allows, then the assignments, then what refuses, then removals."""
        return [
            [authentication_policies.create_command(policy) for policy in self.create],
            [authentication_policies.update_command(policy) for policy in self.update if policy.allow],
            [authentication_policies.assign_command(assignment) for assignment in self.assign],
            [authentication_policies.set_default_command(self.default)] if self.default else [],
            [authentication_policies.update_command(policy) for policy in self.update if not policy.allow],
            [authentication_policies.remove_command(policy) for policy in self.remove],
        ]


class AuthenticationPolicy:
    """Module authentication_policy."""

    name = "authentication_policy"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems: list[str] = []
        names: set[str] = set()
        policy_of: dict[str, str] = {}
        for policy in params.policies or ():
            problems += _name_problems(policy.name, names)
            problems += mail_addresses.problems(f"policies: {policy.name}: mailboxes", policy.mailboxes or ())
            if not policy.present and (policy.mailboxes or policy.allow_basic_smtp):
                problems.append(f"policies: {policy.name} is absent: remove its mailboxes and allow_basic_smtp.")
            for address in {address.lower() for address in policy.mailboxes or ()}:
                other = policy_of.setdefault(address, policy.name)
                if other != policy.name:
                    problems.append(f"policies: {address} is in {other} and in {policy.name}: a mailbox has one policy, keep one.")
        problems += mail_addresses.problems("default_mailboxes", params.default_mailboxes)
        for address in {address.lower() for address in params.default_mailboxes} & policy_of.keys():
            problems.append(f"default_mailboxes: {address} is also in the policy {policy_of[address]}: keep it in one of them.")
        absent = {policy.key for policy in params.policies or () if not policy.present}
        if (params.organization or "").lower() in absent:
            problems.append(f"organization is {params.organization}, which policies makes absent: name another, or an empty text for none.")
        if params.exclusive and params.policies is None:
            problems.append("exclusive is true without policies: give the list of policies, or [] to return all to the default.")
        return problems + _date_problems(params.basic_auth_end_date)

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[Changes]:
        policies = params.policies or ()
        desired: dict[str, str | None] = {a.lower(): policy.key for policy in policies for a in policy.mailboxes or ()}
        desired |= dict.fromkeys(map(str.lower, params.default_mailboxes))
        absent = {policy.key for policy in policies if not policy.present}
        expected = addresses.expected(params.expected_mailboxes, check_mode)
        current, missing = read(tenant, desired, absent, every_user=params.exclusive, expected=expected)
        refuse(tenant, params, current, desired, missing)
        titles = {policy.key: policy.name for policy in policies} | {key: policy.name for key, policy in current.policies.items()}
        changes = Changes()
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        will = _plan_policies(policies, current, changes, before, after)
        changes.customize = current.is_dehydrated and bool(changes.create or changes.update)
        if changes.customize:
            customization.add_change(before, after)
        targets = _targets(current, desired, absent, exclusive=params.exclusive)
        changed = {a: titles.get(key or "") for a, key in sorted(targets.items()) if key != current.users[a].policy}
        if changed:
            before["mailboxes"] = {a: current.title(current.users[a].policy) for a in changed}
            after["mailboxes"] = dict(changed)
            changes.assign = [Assignment(current.users[a].guid, a, title) for a, title in changed.items()]
        default = current.organization if params.organization is None else params.organization.lower() or None
        if default != current.organization:
            before["organization"], after["organization"] = current.title(current.organization), titles.get(default or "")
            changes.default = DefaultPolicy(titles.get(default or ""))
        outcome = {"organization": titles.get(default or "", default), "policies": will, "changed_mailboxes": changed}
        notes = ([NOTE] if changes else []) + _end_date_notes(params)
        return Plan(before, after, changes or None, {"authentication_policy": outcome}, notes)

    def cmdlets(self, changes: Changes, /) -> Iterator[str]:
        """The cmdlets that write the changes."""
        yield from [customization.ENABLE.cmdlet] if changes.customize else []
        yield from (command.cmdlet for commands in changes.commands() for command in commands)

    def apply(self, tenant: Tenant, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        changes = plan.pending
        if changes.customize:
            customization.enable(tenant)
        *repeated, removals = changes.commands()
        for commands in repeated:
            consistency.run_all(tenant, commands)
        for outcome in tenant.exchange.batch(removals):
            outcome.checked()
        return plan.outcome


class AuthenticationPolicyInfo(ReadOnlyResource[InfoParams]):
    """Module authentication_policy_info."""

    name = "authentication_policy_info"
    spec = TENANT | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)
    params_type = InfoParams

    def validate(self, params: InfoParams) -> list[str]:
        return mail_addresses.problems("mailboxes", params.mailboxes or ())

    def plan(self, tenant: Tenant, params: InfoParams, check_mode: bool) -> Plan[None]:
        listed = dict.fromkeys(address.lower() for address in params.mailboxes or ())
        current, missing = read(tenant, listed, set(), every_user=params.mailboxes is None, option="mailboxes")
        addresses.refuse_missing(tenant.exchange, {"mailboxes": missing}, "user")
        reported = listed if params.mailboxes is not None else [address for address, user in current.users.items() if user.policy]
        keys = {address: current.users[address].policy for address in sorted(reported)}
        outcome = {
            "organization": current.title(current.organization),
            "policies": {policy.name: {"allow_basic_smtp": policy.allow} for policy in current.policies.values()},
            "mailboxes": {a: {"policy": current.title(key), "allow_basic_smtp": current.allows(key)} for a, key in keys.items()},
        }
        return Plan(outcome={"authentication_policy": outcome})


RESOURCE = AuthenticationPolicy()
INFO = AuthenticationPolicyInfo()


# -- validation ----------------------------------------------------------------------------------------------------------


def _name_problems(name: str, names: set[str]) -> list[str]:
    if not 1 <= len(name.strip()) <= 64:
        return [f"policies: {name!r} is no policy's name: give 1 to 64 characters."]
    if problems := line_problems("policies: the name", name):
        return problems
    if name.lower() in names:
        return [f"policies holds {name} twice: keep one."]
    names.add(name.lower())
    return []


def _date_problems(text: str) -> list[str]:
    try:
        date.fromisoformat(text)
    except ValueError:
        return [f"m365_basic_auth_end_date is {text!r}: give a date such as {limits.BASIC_AUTH_END_DATE.isoformat()}."]
    return []


def _end_date_notes(params: Params) -> list[str]:
    """Microsoft's timetable, while a policy allows Basic authentication."""
    names = ", ".join(params.allowing())
    if not names or params.basic_reenabled:
        return []
    end = params.basic_auth_end_date
    return [
        f"{names}: Basic authentication for SMTP is off by default after {end}, and an administrator can turn it on again until the final "
        "date, which Microsoft will announce in the second half of 2027; let the mailboxes send with OAuth."
    ]


def refuse(tenant: Tenant, params: Params, current: Current, desired: Mapping[str, str | None], missing: list[str]) -> None:
    """One InvalidInput with everything that the current state does not allow."""
    sentences = addresses.missing_problems(tenant.exchange, {"policies": missing})
    by_guid: dict[str, str] = {}
    for address in (a for a in desired if a in current.users):
        other = by_guid.setdefault(current.users[address].guid, address)
        if desired[other] != desired[address]:
            sentences.append(f"policies: {other} and {address} are one mailbox, in two policies: keep one of them.")
    present = {policy.key for policy in params.policies or () if policy.present}
    absent = {policy.key for policy in params.policies or ()} - present
    default = params.organization
    if default and default.lower() not in present | set(current.policies):
        sentences.append(f"organization is {default}, but there is no such authentication policy: add it to policies. Nothing was changed.")
    if default is None and current.organization in absent:
        title = current.title(current.organization)
        sentences.append(
            f"organization: {title} is the organization's default, and policies removes it: name another default, or an empty text for "
            "none."
        )
    sentences += _basic_problems(tenant, params)
    if sentences:
        raise InvalidInput(*sentences)


def _basic_problems(tenant: Tenant, params: Params) -> list[str]:
    """Why Basic authentication for SMTP cannot work, where a policy is to allow it."""
    sentences: list[str] = []
    names, end = ", ".join(params.allowing()), date.fromisoformat(params.basic_auth_end_date)
    if names and not params.basic_reenabled and datetime.fromtimestamp(tenant.clock.now(), UTC).date() > end:
        sentences.append(
            f"policies: {names}: allow_basic_smtp is true, but Basic authentication for SMTP is off by default after {end}; send with "
            "OAuth, through a connector or by High Volume Email, or set m365_basic_reenabled once your administrator has turned it on "
            "again. Nothing was changed."
        )
    if names and security_defaults.enabled(tenant):
        sentences.append(
            f"policies: {names}: allow_basic_smtp is true, but this tenant's Entra Security Defaults are enabled and refuse Basic "
            "authentication for SMTP; send with OAuth or through a connector, or replace Security Defaults with Conditional Access first. "
            "Nothing was changed."
        )
    return sentences


# -- planning ------------------------------------------------------------------------------------------------------------


def _plan_policies(
    policies: Sequence[PolicyParams], current: Current, changes: Changes, before: dict[str, object], after: dict[str, object]
) -> dict[str, dict[str, bool]]:
    """Add the changes of the policies themselves; all policies as they will be, by name."""
    will = {policy.name: {"allow_basic_smtp": policy.allow} for policy in current.policies.values()}
    was: dict[str, dict[str, bool] | None] = {}
    for desired in policies:
        policy, allow = current.policies.get(desired.key), desired.allow_basic_smtp
        if allow is None:
            allow = bool(policy and policy.allow)  # a new one allows nothing
        name = policy.name if policy else desired.name
        if not desired.present:
            if policy:
                changes.remove.append(PolicyChange(name, allow, policy.guid))
                was[name] = will.pop(name)
        elif policy is None:
            changes.create.append(PolicyChange(name, allow))
            was[name] = None
        elif policy.allow != allow:
            changes.update.append(PolicyChange(name, allow, policy.guid))
            was[name] = will[name]
        if desired.present:
            will[name] = {"allow_basic_smtp": allow}
    if was:
        before["policies"], after["policies"] = was, {name: will.get(name) for name in was}
    return will


def _targets(current: Current, desired: Mapping[str, str | None], absent: set[str], *, exclusive: bool) -> dict[str, str | None]:
    """The policy that each user is to have; None is the organization's default. Other users keep theirs."""
    named = {current.users[address].guid for address in desired}
    labels = lookup.labels(list(desired), {address: user.guid for address, user in current.users.items()})
    targets: dict[str, str | None] = {address: key for address, key in desired.items() if labels[address] == address}  # each user once
    for address, user in current.users.items():
        if user.guid not in named and user.policy and (exclusive or user.policy in absent):
            targets[address] = None
    return targets
