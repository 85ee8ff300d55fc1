# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation of Conditional Access policies for senders, without a request.

Sources: "Building a Conditional Access policy" (all conditions have to match, an exclusion overrides an inclusion);
"Conditional Access: Conditions" (SMTP with Basic authentication is a client of the kind "other", which satisfies no control);
"Block legacy authentication with Conditional Access"; "Conditional Access for workload identities" (they can only be blocked).
A policy with a condition that the known facts do not decide may block.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from .policies import Policy, UserCondition

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
_EXCHANGE_NAMES = {"all", "office365", EXCHANGE}
_STATES = {"enabled": "enabled", "enabledForReportingButNotEnforced": "report-only"}
# The client app types: Basic authentication is "other", OAuth of a user is a "modern" client.
_CLIENT_TYPES = {"basic": "other", "delegated": "mobileAppsAndDesktopClients"}
_CLIENT_TEXTS = {"basic": "Basic authentication (legacy authentication)", "delegated": "OAuth of a user"}
# The controls that a person can satisfy at the first sign-in; a mail client satisfies none.
_INTERACTIVE_CONTROLS = {"mfa", "passwordChange", "riskRemediation", "authenticationStrength", "termsOfUse", "customAuthenticationFactors"}
_ALL_GUESTS = "guestsorexternalusers"
_GUEST_TYPES = {
    "internalguest",
    "b2bcollaborationguest",
    "b2bcollaborationmember",
    "b2bdirectconnectuser",
    "otherexternaluser",
    "serviceprovider",
}


@dataclass(frozen=True)
class Sender:
    """Who signs in. `method`: basic or delegated (both a user), or app (an application's own sign-in).

    None means not known. `guest`: empty for a member, else the guest type in Microsoft's spelling. `roles`: role template ids.
    """

    method: str
    id: str | None = None  # of the user, or of the application's service principal
    groups: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    guest: str | None = ""
    own_tenant: bool | None = True  # whether the application is registered in this tenant
    resource: str = EXCHANGE  # the resource of the sign-in; empty for one that no policy names


@dataclass(frozen=True)
class Finding:
    """The effect of one policy on one sender. `state`: enabled, or report-only, which does not block yet."""

    policy: str
    policy_id: str
    effect: str  # blocks | may block
    reason: str
    state: str

    def as_result(self) -> dict[str, str]:
        return {"policy": self.policy, "id": self.policy_id, "effect": self.effect, "reason": self.reason, "state": self.state}


@dataclass(frozen=True)
class _Match:
    """Whether a condition matches; `matches` is None where a fact is not known, which `text` then names."""

    matches: bool | None
    text: str = ""


_NO_MATCH = _Match(False)


def evaluate(policies: Iterable[Policy], sender: Sender) -> list[Finding]:
    """The policies that block or may block a sender, in the order given; policies that are off are left out."""
    return [finding for policy in policies if (finding := _finding(policy, sender))]


def required_memberships(policies: Iterable[Policy]) -> tuple[bool, bool]:
    """Whether the evaluation of these policies requires the groups, and the roles, of users."""
    conditions = [condition for policy in policies if not policy.is_off for condition in (policy.include_users, policy.exclude_users)]
    return any(condition.groups for condition in conditions), any(condition.roles for condition in conditions)


def _finding(policy: Policy, sender: Sender) -> Finding | None:
    state = _STATES.get(policy.state)
    if state is None:
        return None
    matches = [
        _match_workload(policy, sender) if sender.method == "app" else _match_user(policy, sender),
        _match_application(policy, sender),
        *_match_client(policy, sender),
        *(_Match(None, text) for text in policy.runtime_conditions),
        _match_controls(policy, sender),
    ]
    if any(match.matches is False for match in matches):
        return None
    unknown = [match.text for match in matches if match.matches is None]
    known = [match.text for match in matches if match.matches and match.text]
    reason = ", ".join(known) + ("; it depends on " if known else "it depends on ") * bool(unknown) + " and ".join(unknown)
    return Finding(policy.name, policy.id, "may block" if unknown else "blocks", reason, state)


# -- users and workload identities -----------------------------------------------------------------------------------------


def _match_user(policy: Policy, sender: Sender) -> _Match:
    return _unless_excluded(_match_users(policy.include_users, "include", sender), _match_users(policy.exclude_users, "exclude", sender))


def _unless_excluded(included: _Match, excluded: _Match) -> _Match:
    if included.matches is False or excluded.matches is True:
        return _NO_MATCH
    unknown = " and ".join(match.text for match in (included, excluded) if match.matches is None)
    return _Match(None, unknown) if unknown else included


def _match_users(condition: UserCondition, verb: str, sender: Sender) -> _Match:
    """Whether the include or exclude lists contain the user; one list is enough."""
    users = condition.users - {"all", "none", _ALL_GUESTS}
    return _match_any(
        [
            _Match(True, "it includes all users") if "all" in condition.users else _NO_MATCH,
            _match_list(users, _own_id(sender), "this user", f"which users it {verb}s"),
            _match_list(condition.groups, _lower(sender.groups), "a group of this user", "which groups the user is in"),
            _match_list(condition.roles, _lower(sender.roles), "a role of this user", "which directory roles the user has"),
            _match_guest(condition, sender.guest),
        ]
    )


def _own_id(sender: Sender) -> set[str] | None:
    return {sender.id.lower()} if sender.id else None


def _lower(values: Iterable[str] | None) -> set[str] | None:
    return None if values is None else {value.lower() for value in values}


def _match_any(matches: list[_Match]) -> _Match:
    first = next((match for match in matches if match.matches), None)
    unknown = " and ".join(match.text for match in matches if match.matches is None)
    return first or (_Match(None, unknown) if unknown else _NO_MATCH)


def _match_list(listed: Collection[str], own: set[str] | None, text: str, unknown: str) -> _Match:
    if not listed:
        return _NO_MATCH
    if own is None:
        return _Match(None, unknown)
    return _Match(bool(own.intersection(listed)), f"it includes {text}")


def _match_guest(condition: UserCondition, guest: str | None) -> _Match:
    all_guests = _ALL_GUESTS in condition.users
    types = condition.guest_types | (_GUEST_TYPES if all_guests else set())
    match = _match_list(types, None if guest is None else {guest.lower()}, "guests of this kind", "whether the user is a guest")
    if match.matches and not all_guests and condition.guest_tenants_limited:
        return _Match(None, "which tenant the guest is from")
    return match


def _match_workload(policy: Policy, sender: Sender) -> _Match:
    """Policies for workload identities; policies for users do not apply to an application's own sign-in."""
    condition = policy.workloads
    if condition is None:
        return _NO_MATCH
    own, all_own = _own_id(sender), "serviceprincipalsinmytenant"
    matches = [_match_list(condition.include - {all_own, "none"}, own, "this application", "which applications it includes")]
    if all_own in condition.include:
        unknown = sender.own_tenant is None
        text = "whether the application is the tenant's own" if unknown else "it includes every application of the tenant"
        matches.append(_Match(sender.own_tenant, text))
    if condition.has_filter:
        matches.append(_Match(None, "a filter of the application's attributes"))
    return _unless_excluded(_match_any(matches), _match_list(condition.exclude, own, "", "which applications it excludes"))


# -- target resources and client apps --------------------------------------------------------------------------------------


def _match_application(policy: Policy, sender: Sender) -> _Match:
    condition = policy.applications
    names = _EXCHANGE_NAMES if sender.resource == EXCHANGE else {"all", sender.resource.lower()}
    if names & condition.exclude:
        return _NO_MATCH
    if condition.has_filter:
        return _Match(None, "a filter of applications")
    included = names & condition.include
    texts = {"all": "all applications", "office365": "Office 365", EXCHANGE: "Exchange Online"}
    return _Match(True, texts.get(min(included, key=len), "this service")) if included else _NO_MATCH


def _match_client(policy: Policy, sender: Sender) -> Iterator[_Match]:
    """The client app type and the authentication flow of a user's sign-in; an application's own sign-in has neither."""
    if sender.method == "app":
        return
    yield _Match(bool({"all", _CLIENT_TYPES[sender.method]} & policy.client_types), _CLIENT_TEXTS[sender.method])
    if policy.transfer_methods:
        device_code = sender.method == "delegated" and "deviceCodeFlow" in policy.transfer_methods
        yield _Match(None, "whether the sender signed in by device code") if device_code else _NO_MATCH


# -- controls --------------------------------------------------------------------------------------------------------------


def _match_controls(policy: Policy, sender: Sender) -> _Match:
    """Whether the grant or session controls stop the sender."""
    listed = f" {policy.operator or 'OR'} ".lower().join(policy.controls)
    if "block" in policy.controls:
        return _Match(True, "and blocks")
    if not policy.controls:
        return _match_frequency(policy) if sender.method == "delegated" else _NO_MATCH
    if sender.method == "app":
        return _Match(None, f"what {listed} means for an application")
    if sender.method == "basic":
        return _Match(True, f"and requires {listed}, which Basic authentication cannot satisfy")
    interactive = [control in _INTERACTIVE_CONTROLS for control in policy.controls]
    if all(interactive) if policy.operator == "AND" else any(interactive):
        return _Match(None, f"whether the person who signs the sender in satisfies {listed}")
    return _Match(True, f"and requires {listed}, which a sender without a managed device cannot satisfy")


def _match_frequency(policy: Policy) -> _Match:
    """Session controls do not block, but a sign-in frequency ends a refresh token."""
    if not policy.sign_in_frequency:
        return _NO_MATCH
    return _Match(None, f"a person who signs the sender in again every {policy.sign_in_frequency}")
