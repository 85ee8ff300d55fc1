# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Conditional Access policy would block which sender: pure judgement of policies as Graph shows them.

Private to the collection. Sources: "Building a Conditional Access policy" (all conditions have to be met, an exclusion wins over
an inclusion); "Conditional Access: Conditions" (SMTP by password is a client of the kind "other", which can satisfy no control);
"Block legacy authentication with Conditional Access"; "Conditional Access for workload identities" (they can only be blocked).
What a policy asks that the facts do not tell, makes it one that may block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
_EXCHANGE_NAMES = {"all", "office365", EXCHANGE}
# What a policy calls its clients: a password is "other", a user's own OAuth sign-in a "modern" client.
_CLIENT = {"basic": "other", "delegated": "mobileAppsAndDesktopClients"}
_CLIENT_WORDS = {"basic": "sign-in by password (legacy authentication)", "delegated": "sign-in by a user's own OAuth"}
# What a person can satisfy at the first sign-in, and a mail client never.
_BY_A_PERSON = {"mfa", "passwordChange", "riskRemediation", "authenticationStrength", "termsOfUse", "customAuthenticationFactors"}
_RISKS = {
    "signInRiskLevels": "the risk of the sign-in",
    "userRiskLevels": "the user's risk",
    "insiderRiskLevels": "the user's insider risk",
    "servicePrincipalRiskLevels": "the application's risk",
}
_GUESTS = {
    "internalguest",
    "b2bcollaborationguest",
    "b2bcollaborationmember",
    "b2bdirectconnectuser",
    "otherexternaluser",
    "serviceprovider",
}


@dataclass(frozen=True)
class Sender:
    """Who signs in. `method`: basic, delegated (both a user), or app (an application's own sign-in).

    What is None is not known. `guest`: "" of a member, else its kind in Microsoft's spelling. `roles`: role templates.
    """

    method: str
    id: str | None = None  # of the user, or of the application's service principal
    groups: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    guest: str | None = ""
    own_tenant: bool | None = True  # whether the application is registered in this tenant
    resource: str = EXCHANGE  # what the token or the password is for; "" for one that no policy names


@dataclass(frozen=True)
class Finding:
    """One policy against one sender. `state`: enabled, or report-only, which blocks nobody yet."""

    policy: str
    policy_id: str
    effect: str  # blocks | may block
    why: str
    state: str

    def as_result(self) -> dict[str, str]:
        return {"policy": self.policy, "id": self.policy_id, "effect": self.effect, "why": self.why, "state": self.state}


@dataclass(frozen=True)
class _Answer:
    """Whether a condition is met: True, False, or None where that depends on what is not known, which `words` then say."""

    met: bool | None
    words: str = ""


_YES, _NO = _Answer(True), _Answer(False)


def judge(policies: Iterable[dict[str, Any]], sender: Sender) -> list[Finding]:
    """The policies that block or may block a sender, in the order given; policies that are off are left out."""
    return [finding for policy in policies if (finding := _finding(policy, sender))]


def needs_memberships(policies: Iterable[dict[str, Any]]) -> tuple[bool, bool]:
    """Whether groups, and whether roles, have to be known to judge the users of these policies."""
    users = [_part(_part(policy, "conditions"), "users") for policy in policies if policy.get("state") != "disabled"]
    groups, roles = (any(part.get(f"{verb}{what}") for part in users for verb in ("include", "exclude")) for what in ("Groups", "Roles"))
    return groups, roles


def _finding(policy: dict[str, Any], sender: Sender) -> Finding | None:
    state = {"enabled": "enabled", "enabledForReportingButNotEnforced": "report-only"}.get(str(policy.get("state")))
    conditions = _part(policy, "conditions")
    if state is None:
        return None
    answers: list[_Answer] = []
    who = _applications_identity if sender.method == "app" else _user
    for answer in (who(conditions, sender), _application(conditions, sender), *_client(conditions, sender), *_unknowable(conditions)):
        if answer.met is False:
            return None
        answers.append(answer)
    grant = _grant(policy, sender)
    if grant.met is False:
        return None
    doubts = [answer.words for answer in (*answers, grant) if answer.met is None]
    certain = [answer.words for answer in (*answers, grant) if answer.met and answer.words]
    why = ", ".join(certain) + ("; it depends on " if certain else "it depends on ") * bool(doubts) + " and ".join(doubts)
    name = str(policy.get("displayName") or policy.get("id") or "")
    return Finding(name, str(policy.get("id") or ""), "may block" if doubts else "blocks", why, state)


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of a policy; Graph shows one that is not set as null."""
    found: dict[str, Any] = document.get(name) or {}
    return found


def _lower(values: Iterable[str] | None) -> set[str]:
    return {value.lower() for value in values or ()}


# -- who -----------------------------------------------------------------------------------------------------------------


def _user(conditions: dict[str, Any], sender: Sender) -> _Answer:
    users = _part(conditions, "users")
    return _but(_named(users, "include", sender), _named(users, "exclude", sender))


def _but(included: _Answer, excluded: _Answer) -> _Answer:
    if included.met is False or excluded.met is True:
        return _NO
    doubts = " and ".join(answer.words for answer in (included, excluded) if answer.met is None)
    return _Answer(None, doubts) if doubts else included


def _named(users: dict[str, Any], verb: str, sender: Sender) -> _Answer:
    """Whether the include or exclude lists name the user: one list that does is enough."""
    listed = _lower(users.get(f"{verb}Users"))
    one = {sender.id.lower()} if sender.id else None
    answers = [
        _Answer(True, "it includes all users") if "all" in listed else _NO,
        _among(listed - {"all", "none", "guestsorexternalusers"}, one, "this user", f"which users it {verb}s"),
        _among(_lower(users.get(f"{verb}Groups")), _lowered(sender.groups), "a group of this user", "which groups the user is in"),
        _among(_lower(users.get(f"{verb}Roles")), _lowered(sender.roles), "a role of this user", "which directory roles the user has"),
        _guest(users.get(f"{verb}GuestsOrExternalUsers") or {}, "guestsorexternalusers" in listed, sender.guest),
    ]
    return _any(answers)


def _lowered(values: frozenset[str] | None) -> set[str] | None:
    return None if values is None else _lower(values)


def _any(answers: list[_Answer]) -> _Answer:
    met = next((answer for answer in answers if answer.met), None)
    doubts = " and ".join(answer.words for answer in answers if answer.met is None)
    return met or (_Answer(None, doubts) if doubts else _NO)


def _among(listed: set[str], own: set[str] | None, words: str, doubt: str) -> _Answer:
    if not listed:
        return _NO
    if own is None:
        return _Answer(None, doubt)
    return _Answer(bool(listed & own), f"it includes {words}")


def _guest(wanted: dict[str, Any], everyone: bool, guest: str | None) -> _Answer:
    kinds = _lower(str(wanted.get("guestOrExternalUserTypes") or "").split(",")) - {"", "none"}
    kinds |= _GUESTS if everyone else set()
    answer = _among(kinds, None if guest is None else {guest.lower()}, "guests of this kind", "whether the user is a guest")
    tenants = _part(wanted, "externalTenants")
    if answer.met and not everyone and str(tenants.get("membershipKind") or "all") != "all":
        return _Answer(None, "which tenant the guest is from")
    return answer


def _applications_identity(conditions: dict[str, Any], sender: Sender) -> _Answer:
    """Workload identities: policies for users never meet an application's own sign-in."""
    clients = _part(conditions, "clientApplications")
    included = _lower(clients.get("includeServicePrincipals"))
    own = {sender.id.lower()} if sender.id else None
    every = "serviceprincipalsinmytenant"
    answers = [
        _among(included - {every, "none"}, own, "this application", "which applications it includes"),
        _Answer(sender.own_tenant, "it includes every application of the tenant") if every in included else _NO,
    ]
    if sender.own_tenant is None and every in included:
        answers[1] = _Answer(None, "whether the application is the tenant's own")
    if _part(clients, "servicePrincipalFilter"):
        answers.append(_Answer(None, "a filter of the application's attributes"))
    return _but(_any(answers), _among(_lower(clients.get("excludeServicePrincipals")), own, "", "which applications it excludes"))


# -- what and how --------------------------------------------------------------------------------------------------------


def _application(conditions: dict[str, Any], sender: Sender) -> _Answer:
    applications = _part(conditions, "applications")
    names = _EXCHANGE_NAMES if sender.resource == EXCHANGE else {"all", sender.resource.lower()}
    if names & _lower(applications.get("excludeApplications")):
        return _NO
    listed = names & _lower(applications.get("includeApplications"))
    if _part(applications, "applicationFilter"):
        return _Answer(None, "a filter of applications")
    words = {"all": "all applications", "office365": "Office 365", EXCHANGE: "Exchange Online"}
    return _Answer(True, words.get(min(listed, key=len), "this service")) if listed else _NO


def _client(conditions: dict[str, Any], sender: Sender) -> Iterator[_Answer]:
    """The kind of client, and the authentication flow, where the sender has them: an application alone has neither."""
    if sender.method == "app":
        return
    types = set(conditions.get("clientAppTypes") or ())
    yield _Answer(bool({"all", _CLIENT[sender.method]} & types), _CLIENT_WORDS[sender.method])
    flows = str(_part(conditions, "authenticationFlows").get("transferMethods") or "")
    if flows and flows != "none":
        device_code = sender.method == "delegated" and "deviceCodeFlow" in flows.split(",")
        yield _Answer(None, "whether the sender signed in by device code") if device_code else _NO


def _unknowable(conditions: dict[str, Any]) -> Iterator[_Answer]:
    """What decides at the moment of the sign-in only."""
    platforms, locations = _part(conditions, "platforms"), _part(conditions, "locations")
    if platforms and ("all" not in (platforms.get("includePlatforms") or ()) or platforms.get("excludePlatforms")):
        yield _Answer(None, "the sender's platform")
    if locations and ("All" not in (locations.get("includeLocations") or ()) or locations.get("excludeLocations")):
        yield _Answer(None, "where the sender signs in from")
    if _part(_part(conditions, "devices"), "deviceFilter"):
        yield _Answer(None, "a filter of devices")
    for name, words in _RISKS.items():
        if conditions.get(name):
            yield _Answer(None, words)


# -- then ----------------------------------------------------------------------------------------------------------------


def _grant(policy: dict[str, Any], sender: Sender) -> _Answer:
    grant = _part(policy, "grantControls")
    controls = [str(control) for control in grant.get("builtInControls") or ()]
    controls += [name for name in ("authenticationStrength", "termsOfUse", "customAuthenticationFactors") if grant.get(name)]
    listed = f" {grant.get('operator') or 'OR'} ".lower().join(controls)
    if "block" in controls:
        return _Answer(True, "and blocks")
    if not controls:
        return _frequency(policy) if sender.method == "delegated" else _NO
    if sender.method == "app":
        return _Answer(None, f"what {listed} means for an application")
    if sender.method == "basic":
        return _Answer(True, f"and requires {listed}, which a password alone cannot satisfy")
    by_a_person = [control in _BY_A_PERSON for control in controls]
    if all(by_a_person) if grant.get("operator") == "AND" else any(by_a_person):
        return _Answer(None, f"whether the person who signs the sender in satisfies {listed}")
    return _Answer(True, f"and requires {listed}, which a sender without a managed device cannot satisfy")


def _frequency(policy: dict[str, Any]) -> _Answer:
    """Session controls block nobody, but a sign-in frequency ends a refresh token."""
    frequency = _part(_part(policy, "sessionControls"), "signInFrequency")
    if not frequency.get("isEnabled"):
        return _NO
    every = f"{frequency.get('value')} {frequency.get('type')}" if frequency.get("value") else "time"
    return _Answer(None, f"a person who signs the sender in again every {every}")
