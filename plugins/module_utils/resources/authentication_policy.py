# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies: who may sign in to SMTP by password, and what everybody else may.

Private to the collection. Sources: "Disable Basic authentication in Exchange Online"; New-/Set-AuthenticationPolicy, Set-User,
Set-OrganizationConfig. Of a policy only AllowBasicAuthSmtp is this resource's; a new one allows nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from .._clients.exchange import Command
from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._exchange import addresses, consistency
from .._exchange.authentication_policies import SMTP, Found, read
from .._planning import limits
from . import security_defaults

NOTE = "A new, changed or newly assigned authentication policy takes up to 24 hours to take effect."
POLICY = {
    "name": {"type": "str", "required": True},
    "allow_basic_smtp": {"type": "bool"},
    "mailboxes": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec(
    {
        "policies": {"type": "list", "elements": "dict", "options": POLICY},
        "organization": {"type": "str"},
        "exclusive": {"type": "bool", "default": False},
        "basic_auth_end_date": {"type": "str", "default": limits.BASIC_AUTH_END_DATE.isoformat(), "variable": "m365_basic_auth_end_date"},
        "basic_reenabled": {"type": "bool", "default": False, "variable": "m365_basic_reenabled"},
    },
    required_one_of=(("policies", "organization"),),
)


@dataclass
class Work:
    create: list[tuple[str, bool]] = field(default_factory=list)
    change: list[tuple[str, str, bool]] = field(default_factory=list)  # guid, name, allow
    assign: list[tuple[str, str, str | None]] = field(default_factory=list)  # guid, address, policy's name
    organization: list[str | None] = field(default_factory=list)  # the new default, if it changes
    remove: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())


class AuthenticationPolicy:
    """module authentication_policy"""

    name = "authentication_policy"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        policies = params["policies"] or []
        problems: list[str] = []
        names: set[str] = set()
        holders: dict[str, str] = {}
        for policy in policies:
            name = policy["name"]
            problems += _named(name, names)
            problems += mail_addresses.problems(f"policies: {name}: mailboxes", policy["mailboxes"] or [])
            if policy["state"] == "absent" and (policy["mailboxes"] or policy["allow_basic_smtp"]):
                problems.append(f"policies: {name} is absent: take its mailboxes and allow_basic_smtp out.")
            for address in {address.lower() for address in policy["mailboxes"] or []}:
                other = holders.setdefault(address, name)
                if other != name:
                    problems.append(f"policies: {address} is in {other} and in {name}: a mailbox has one policy, keep one.")
        absent = [p["name"] for p in policies if p["state"] == "absent" and p["name"].lower() == (params["organization"] or "").lower()]
        if absent:
            problems.append(
                f"organization is {params['organization']}, which policies makes absent: name another, or an empty text for none."
            )
        if params["exclusive"] and params["policies"] is None:
            problems.append("exclusive is true without policies: give the list of policies, or [] to return all to the default.")
        return problems + _dated(params["basic_auth_end_date"])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        policies = params["policies"] or []
        wanted = {a.lower(): p["name"].lower() for p in policies for a in p["mailboxes"] or []}
        absent = {p["name"].lower() for p in policies if p["state"] == "absent"}
        found, missing = read(
            tenant, wanted, absent, everybody=params["exclusive"], expected=addresses.expected(params["expected_mailboxes"], check_mode)
        )
        refuse(tenant, params, found, wanted, missing)
        titles = {p["name"].lower(): p["name"] for p in policies} | {key: policy.name for key, policy in found.policies.items()}
        work, before, after = Work(), dict[str, Any](), dict[str, Any]()
        will = _plan_policies(policies, found, work, before, after)
        targets = _targets(found, wanted, absent, exclusive=params["exclusive"])
        changed = {a: titles.get(key or "") for a, key in sorted(targets.items()) if key != found.users[a][1]}
        if changed:
            before["mailboxes"] = {a: found.title(found.users[a][1]) for a in changed}
            after["mailboxes"] = dict(changed)
            work.assign = [(found.users[a][0], a, title) for a, title in changed.items()]
        default = found.organization if params["organization"] is None else params["organization"].lower() or None
        if default != found.organization:
            before["organization"], after["organization"] = found.title(found.organization), titles.get(default or "")
            work.organization = [titles.get(default or "")]
        outcome = {"organization": titles.get(default or "", default), "policies": will, "changed_mailboxes": changed}
        notes = ([NOTE] if work else []) + _ending(params)
        return Plan(before, after, [work] if work else [], {"authentication_policy": outcome}, notes)

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        """Nobody is shut out on the way: what opens comes first, then who has what, then what closes."""
        [work] = plan.steps
        made = [Command("New-AuthenticationPolicy", {"Name": name} | ({SMTP: True} if allow else {}),
                        attempted=f"create the authentication policy {name}") for name, allow in work.create]  # fmt: skip
        changes = {allow: [_set(guid, name, allow) for guid, name, to in work.change if to is allow] for allow in (True, False)}
        for outcome in tenant.exchange.batch(made):
            outcome.checked()
        consistency.run_all(tenant, changes[True])
        consistency.run_all(tenant, [_assign(*step) for step in work.assign])
        consistency.run_all(tenant, [_default(name) for name in work.organization])
        consistency.run_all(tenant, changes[False])
        for outcome in tenant.exchange.batch([_remove(guid, name) for guid, name in work.remove]):
            outcome.checked()
        return plan.outcome


class AuthenticationPolicyInfo(Reading):
    """module authentication_policy_info"""

    name = "authentication_policy_info"
    spec = TENANT | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)

    def check(self, params: dict[str, Any]) -> list[str]:
        return mail_addresses.problems("mailboxes", params["mailboxes"] or [])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        named = params["mailboxes"]
        found, missing = read(tenant, {a.lower(): "" for a in named or []}, set(), everybody=named is None)
        addresses.refuse_missing(tenant.exchange, missing, "user")
        listed = [a.lower() for a in named] if named is not None else [a for a, (_guid, policy) in found.users.items() if policy]
        users = {a: found.users[a][1] for a in sorted(listed)}
        shown = {
            "organization": found.title(found.organization),
            "policies": {policy.name: {"allow_basic_smtp": policy.allow} for policy in found.policies.values()},
            "mailboxes": {a: {"policy": found.title(key), "allow_basic_smtp": found.allows(key)} for a, key in users.items()},
        }
        return Plan(outcome={"authentication_policy": shown})


RESOURCE = AuthenticationPolicy()
INFO = AuthenticationPolicyInfo()


# -- input ---------------------------------------------------------------------------------------------------------------


def _named(name: str, names: set[str]) -> list[str]:
    if not 1 <= len(name.strip()) <= 64:
        return [f"policies: {name!r} is no policy's name: give 1 to 64 characters."]
    if name.lower() in names:
        return [f"policies holds {name} twice: keep one."]
    names.add(name.lower())
    return []


def _dated(text: str) -> list[str]:
    try:
        date.fromisoformat(text)
    except ValueError:
        return [f"m365_basic_auth_end_date is {text!r}: give a date such as {limits.BASIC_AUTH_END_DATE.isoformat()}."]
    return []


def _open(params: dict[str, Any]) -> list[str]:
    return [p["name"] for p in params["policies"] or [] if p["state"] == "present" and p["allow_basic_smtp"]]


def _ending(params: dict[str, Any]) -> list[str]:
    """Microsoft's timetable, while a policy lets passwords in."""
    names = ", ".join(_open(params))
    if not names or params["basic_reenabled"]:
        return []
    end = params["basic_auth_end_date"]
    return [f"{names}: Microsoft switches SMTP sign-in by password off at the end of {end}; until then let the mailboxes send with OAuth."]


def refuse(tenant: Tenant, params: dict[str, Any], found: Found, wanted: dict[str, str], missing: list[str]) -> None:
    """Raise one InvalidInput with all that stands in the way."""
    sentences: list[str] = []
    try:
        addresses.refuse_missing(tenant.exchange, missing)
    except InvalidInput as error:
        sentences += error.problems
    by_guid: dict[str, str] = {}
    for address in (a for a in wanted if a in found.users):
        other = by_guid.setdefault(found.users[address][0], address)
        if wanted[other] != wanted[address]:
            sentences.append(f"policies: {other} and {address} are one mailbox, in two policies: keep one of them.")
    present = {p["name"].lower() for p in params["policies"] or [] if p["state"] == "present"}
    absent = {p["name"].lower() for p in params["policies"] or []} - present
    default = params["organization"]
    if default and default.lower() not in present | set(found.policies):
        sentences.append(f"organization is {default}, but there is no such authentication policy: add it to policies. Nothing was changed.")
    if default is None and found.organization in absent:
        title = found.title(found.organization)
        sentences.append(f"{title} is the organization's default: name another in organization, or an empty text for none, to remove it.")
    names, end = ", ".join(_open(params)), date.fromisoformat(params["basic_auth_end_date"])
    if names and not params["basic_reenabled"] and datetime.fromtimestamp(tenant.clock.now(), UTC).date() > end:
        sentences.append(
            f"{names}: allow_basic_smtp is true, but Microsoft has switched SMTP sign-in by password off after {end}; send with OAuth, "
            "through a connector or by High Volume Email, or set m365_basic_reenabled once your administrator has turned it on again. "
            "Nothing was changed."
        )
    if names and security_defaults.enabled(tenant):
        sentences.append(
            f"{names}: allow_basic_smtp is true, but this tenant's Entra Security Defaults are on and refuse every SMTP sign-in by "
            "password; send with OAuth or through a connector, or replace Security Defaults by Conditional Access first. "
            "Nothing was changed."
        )
    if sentences:
        raise InvalidInput(*sentences)


# -- planning ------------------------------------------------------------------------------------------------------------


def _plan_policies(policies: list[dict], found: Found, work: Work, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is to be done with the policies themselves; all of them as they will be."""
    will = {policy.name: {"allow_basic_smtp": policy.allow} for policy in found.policies.values()}
    was: dict[str, Any] = {}
    for want in policies:
        have, allow = found.policies.get(want["name"].lower()), want["allow_basic_smtp"]
        if allow is None:
            allow = bool(have and have.allow)  # a new one allows nothing
        name = have.name if have else want["name"]
        if want["state"] == "absent":
            if have:
                work.remove.append((have.guid, name))
                was[name] = will.pop(name)
        elif have is None:
            work.create.append((name, allow))
            was[name] = None
        elif have.allow != allow:
            work.change.append((have.guid, name, allow))
            was[name] = will[name]
        if want["state"] == "present":
            will[name] = {"allow_basic_smtp": allow}
    if was:
        before["policies"], after["policies"] = was, {name: will.get(name) for name in was}
    return will


def _targets(found: Found, wanted: dict[str, str], absent: set[str], *, exclusive: bool) -> dict[str, str | None]:
    """The policy that each user is to have; None is the organization's default. Others are left alone."""
    named = {found.users[address][0] for address in wanted}
    targets: dict[str, str | None] = dict(wanted)
    for address, (guid, policy) in found.users.items():
        if guid not in named and policy and (exclusive or policy in absent):
            targets[address] = None
    return targets


# -- writing -------------------------------------------------------------------------------------------------------------


def _set(guid: str, name: str, allow: bool) -> Command:
    parameters = {"Identity": guid, SMTP: allow, "Confirm": False}
    return Command("Set-AuthenticationPolicy", parameters, attempted=f"change the authentication policy {name}")


def _assign(guid: str, address: str, title: str | None) -> Command:
    parameters = {"Identity": guid, "AuthenticationPolicy": title, "Confirm": False}
    return Command("Set-User", parameters, attempted=f"set the authentication policy of {address}")


def _default(title: str | None) -> Command:
    parameters = {"DefaultAuthenticationPolicy": title, "Confirm": False}
    return Command("Set-OrganizationConfig", parameters, attempted="set the organization's authentication policy")


def _remove(guid: str, name: str) -> Command:
    parameters = {"Identity": guid, "Confirm": False}
    return Command("Remove-AuthenticationPolicy", parameters, attempted=f"remove the authentication policy {name}")
