# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation of policies for senders: a table of cases, and properties of every policy."""

# ruff: noqa: E501

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._entra.conditional_access import (
    EXCHANGE,
    Finding,
    Sender,
    evaluate,
    required_memberships,
)
from ansible_collections.mailops.m365.plugins.module_utils._entra.policies import Policy
from hypothesis import given
from hypothesis import strategies as st

USER, APP, OTHER = "10000000-0000-4000-8000-00000000000A", "20000000-0000-4000-8000-000000000001", "30000000-0000-4000-8000-000000000001"
GROUP, ROLE = "40000000-0000-4000-8000-000000000001", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
BASIC = Sender("basic", USER.lower(), frozenset({GROUP}), frozenset({ROLE}))
DELEGATED = dataclasses.replace(BASIC, method="delegated")
OAUTH = Sender("app", APP)
UNKNOWN = Sender("basic", None, None, None, None)
GUEST = dataclasses.replace(BASIC, guest="b2bCollaborationGuest")
BLOCK = {"operator": "OR", "builtInControls": ["block"]}
MFA = {"operator": "OR", "builtInControls": ["mfa"]}
NOBODY: dict[str, Any] = {"includeUsers": []}
NO, MAY, BLOCKS = "no", "may block", "blocks"


def policy(state: str = "enabled", grant: Any = BLOCK, users: Any = None, applications: Any = None, **conditions: Any) -> dict[str, Any]:
    """As Graph shows one: parts that are not set are null."""
    met = {
        "users": {"includeUsers": ["All"], "excludeUsers": [], "includeGuestsOrExternalUsers": None} | (users or {}),
        "applications": {"includeApplications": ["All"], "excludeApplications": [], "applicationFilter": None} | (applications or {}),
        "clientAppTypes": ["all"],
        "platforms": None,
        "locations": None,
        "devices": None,
        "clientApplications": None,
        "signInRiskLevels": [],
    }
    return {
        "id": "p1",
        "displayName": "Policy",
        "state": state,
        "conditions": met | conditions,
        "grantControls": grant,
        "sessionControls": None,
    }


def findings_of(documents: list[dict[str, Any]], sender: Sender) -> list[Finding]:
    return evaluate(parsed(*documents), sender)


def parsed(*documents: dict[str, Any]) -> list[Policy]:
    return [Policy.from_graph(document) for document in documents]


def session(**controls: Any) -> dict[str, Any]:
    return policy(grant=None) | {"sessionControls": controls}


def workload(grant: Any = BLOCK, filtered: Any = None, **clients: Any) -> dict[str, Any]:
    document = policy(grant=grant, users=NOBODY, clientApplications={"servicePrincipalFilter": filtered} | clients)
    del document["conditions"]["users"]
    return document


def guests(kinds: str, kind_of_tenants: str = "all") -> dict[str, Any]:
    return {"guestOrExternalUserTypes": kinds, "externalTenants": {"membershipKind": kind_of_tenants}}


CASES: list[tuple[str, dict[str, Any], Sender, str]] = [
    # users, groups, roles, guests
    ("all users", policy(), BASIC, BLOCKS),
    ("off", policy("disabled"), BASIC, NO),
    ("nobody", policy(users={"includeUsers": ["None"]}), BASIC, NO),
    ("this user", policy(users={"includeUsers": [USER]}), BASIC, BLOCKS),
    ("another user", policy(users={"includeUsers": [OTHER]}), BASIC, NO),
    ("all but this user", policy(users={"excludeUsers": [USER]}), BASIC, NO),
    ("all but another user", policy(users={"excludeUsers": [OTHER]}), BASIC, BLOCKS),
    ("its group", policy(users=NOBODY | {"includeGroups": [GROUP]}), BASIC, BLOCKS),
    ("another group", policy(users=NOBODY | {"includeGroups": [OTHER]}), BASIC, NO),
    ("all but its group", policy(users={"excludeGroups": [GROUP]}), BASIC, NO),
    ("its role", policy(users=NOBODY | {"includeRoles": [ROLE]}), BASIC, BLOCKS),
    ("all but its role", policy(users={"excludeRoles": [ROLE.upper()]}), BASIC, NO),
    ("an exclusion wins over an inclusion", policy(users={"includeUsers": [USER], "excludeGroups": [GROUP]}), BASIC, NO),
    ("somebody unknown among all", policy(), UNKNOWN, BLOCKS),
    ("somebody unknown among some", policy(users={"includeUsers": [USER]}), UNKNOWN, MAY),
    ("somebody unknown with an exclusion", policy(users={"excludeUsers": [OTHER]}), UNKNOWN, MAY),
    ("unknown groups", policy(users=NOBODY | {"includeGroups": [GROUP]}), UNKNOWN, MAY),
    ("unknown roles excluded", policy(users={"excludeRoles": [ROLE]}), UNKNOWN, MAY),
    ("guests, old spelling, a member", policy(users={"includeUsers": ["GuestsOrExternalUsers"]}), BASIC, NO),
    ("guests, old spelling, a guest", policy(users={"includeUsers": ["GuestsOrExternalUsers"]}), GUEST, BLOCKS),
    ("guests of this kind", policy(users=NOBODY | {"includeGuestsOrExternalUsers": guests("internalGuest,b2bCollaborationGuest")}), GUEST, BLOCKS),
    ("guests of another kind", policy(users=NOBODY | {"includeGuestsOrExternalUsers": guests("serviceProvider")}), GUEST, NO),
    ("guests of some tenants", policy(users=NOBODY | {"includeGuestsOrExternalUsers": guests("b2bCollaborationGuest", "enumerated")}), GUEST, MAY),
    ("all but guests", policy(users={"excludeGuestsOrExternalUsers": guests("b2bCollaborationGuest")}), GUEST, NO),
    ("perhaps a guest", policy(users=NOBODY | {"includeGuestsOrExternalUsers": guests("internalGuest")}), UNKNOWN, MAY),
    # applications
    ("Office 365", policy(applications={"includeApplications": ["Office365"]}), BASIC, BLOCKS),
    ("Exchange Online", policy(applications={"includeApplications": [OTHER, EXCHANGE.upper()]}), BASIC, BLOCKS),
    ("another application", policy(applications={"includeApplications": [OTHER]}), BASIC, NO),
    ("no application", policy(applications={"includeApplications": ["None"]}), BASIC, NO),
    ("administration portals", policy(applications={"includeApplications": ["MicrosoftAdminPortals"]}), BASIC, NO),
    ("all but Office 365", policy(applications={"excludeApplications": ["Office365"]}), BASIC, NO),
    ("all but Exchange", policy(applications={"excludeApplications": [EXCHANGE]}), DELEGATED, NO),
    ("a user action", policy(applications={"includeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"]}), BASIC, NO),
    ("a filter of applications", policy(applications={"includeApplications": [], "applicationFilter": {"mode": "include"}}), BASIC, MAY),
    # kinds of clients, flows
    ("legacy clients, a password", policy(clientAppTypes=["exchangeActiveSync", "other"]), BASIC, BLOCKS),
    ("legacy clients, OAuth", policy(clientAppTypes=["exchangeActiveSync", "other"]), DELEGATED, NO),
    ("modern clients, a password", policy(clientAppTypes=["browser", "mobileAppsAndDesktopClients"]), BASIC, NO),
    ("modern clients, OAuth", policy(clientAppTypes=["mobileAppsAndDesktopClients"]), DELEGATED, BLOCKS),
    ("browsers, OAuth", policy(clientAppTypes=["browser"]), DELEGATED, NO),
    ("device code, OAuth", policy(authenticationFlows={"transferMethods": "deviceCodeFlow,authenticationTransfer"}), DELEGATED, MAY),
    ("device code, a password", policy(authenticationFlows={"transferMethods": "deviceCodeFlow"}), BASIC, NO),
    ("authentication transfer", policy(authenticationFlows={"transferMethods": "authenticationTransfer"}), DELEGATED, NO),
    # what shows at the sign-in only
    ("every platform", policy(platforms={"includePlatforms": ["all"], "excludePlatforms": []}), BASIC, BLOCKS),
    ("some platforms", policy(platforms={"includePlatforms": ["android"]}), BASIC, MAY),
    ("all platforms but one", policy(platforms={"includePlatforms": ["all"], "excludePlatforms": ["linux"]}), BASIC, MAY),
    ("every place", policy(locations={"includeLocations": ["All"], "excludeLocations": []}), BASIC, BLOCKS),
    ("all places but trusted ones", policy(locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}), BASIC, MAY),
    ("one place", policy(locations={"includeLocations": [OTHER]}), BASIC, MAY),
    ("a filter of devices", policy(devices={"deviceFilter": {"mode": "exclude", "rule": "x"}}), BASIC, MAY),
    ("risky sign-ins", policy(signInRiskLevels=["high"]), BASIC, MAY),
    ("risky users", policy(userRiskLevels=["high"]), DELEGATED, MAY),
    ("a place, but another user", policy(users={"includeUsers": [OTHER]}, locations={"includeLocations": [OTHER]}), BASIC, NO),
    # then
    ("MFA, a password", policy(grant=MFA), BASIC, BLOCKS),
    ("MFA, a person once", policy(grant=MFA), DELEGATED, MAY),
    ("a strength, a password", policy(grant={"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": "x"}}), BASIC, BLOCKS),
    ("a strength, a person once", policy(grant={"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": "x"}}), DELEGATED, MAY),
    ("terms of use, a password", policy(grant={"operator": "OR", "builtInControls": [], "termsOfUse": ["x"]}), BASIC, BLOCKS),
    ("a managed device, OAuth", policy(grant={"operator": "OR", "builtInControls": ["compliantDevice", "domainJoinedDevice"]}), DELEGATED, BLOCKS),
    ("MFA or a managed device", policy(grant={"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}), DELEGATED, MAY),
    ("MFA and a managed device", policy(grant={"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}), DELEGATED, BLOCKS),
    ("session controls, a password", session(signInFrequency={"isEnabled": True, "value": 1, "type": "hours"}), BASIC, NO),
    ("a sign-in frequency, OAuth", session(signInFrequency={"isEnabled": True, "value": 7, "type": "days"}), DELEGATED, MAY),
    ("a frequency that is off", session(signInFrequency={"isEnabled": False, "value": 7, "type": "days"}), DELEGATED, NO),
    ("another session control", session(persistentBrowser={"isEnabled": True, "mode": "never"}), DELEGATED, NO),
    # applications' own sign-in
    ("users' policies, an application", policy(), OAUTH, NO),
    ("this application", workload(includeServicePrincipals=[APP]), OAUTH, BLOCKS),
    ("another application's sign-in", workload(includeServicePrincipals=[OTHER]), OAUTH, NO),
    ("the tenant's own applications", workload(includeServicePrincipals=["ServicePrincipalsInMyTenant"]), OAUTH, BLOCKS),
    ("all but this one", workload(includeServicePrincipals=["ServicePrincipalsInMyTenant"], excludeServicePrincipals=[APP]), OAUTH, NO),
    ("an application from elsewhere", workload(includeServicePrincipals=["ServicePrincipalsInMyTenant"]), Sender("app", APP, own_tenant=False), NO),
    ("perhaps from elsewhere", workload(includeServicePrincipals=["ServicePrincipalsInMyTenant"]), Sender("app", APP, own_tenant=None), MAY),
    ("an unknown application", workload(includeServicePrincipals=[APP]), Sender("app"), MAY),
    ("a filter of attributes", workload(filtered={"mode": "include", "rule": "x"}), OAUTH, MAY),
    ("MFA for an application", workload(MFA, includeServicePrincipals=[APP]), OAUTH, MAY),
    ("workload policies, a user", workload(includeServicePrincipals=["ServicePrincipalsInMyTenant"]), BASIC, NO),
    ("a token for another service", workload(includeServicePrincipals=[APP]), dataclasses.replace(OAUTH, resource="https://x"), BLOCKS),
]  # fmt: skip


@pytest.mark.parametrize(("document", "sender", "effect"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_effect_of_a_policy(document: dict[str, Any], sender: Sender, effect: str) -> None:
    findings = findings_of([document], sender)
    assert [finding.effect for finding in findings] == ([] if effect == NO else [effect])
    for finding in findings:
        assert (finding.policy, finding.policy_id, finding.state) == ("Policy", "p1", "enabled")
        assert ("it depends on" in finding.reason) == (effect == MAY)


def test_findings_have_a_reason() -> None:
    [hard] = findings_of([policy(applications={"includeApplications": ["Office365"]}, clientAppTypes=["other"])], BASIC)
    assert hard.reason == "it includes all users, Office 365, Basic authentication (legacy authentication), and blocks"
    [soft] = findings_of([policy(grant=MFA, users={"excludeGroups": [GROUP]}, locations={"includeLocations": [OTHER]})], UNKNOWN)
    assert soft.reason == (
        "all applications, Basic authentication (legacy authentication), and requires mfa, which Basic authentication cannot satisfy; "
        "it depends on which groups the user is in and where the sender signs in from"
    )
    [report] = findings_of([policy("enabledForReportingButNotEnforced")], BASIC)
    assert report.as_result() == {
        "policy": "Policy",
        "id": "p1",
        "effect": "blocks",
        "reason": "it includes all users, all applications, Basic authentication (legacy authentication), and blocks",
        "state": "report-only",
    }


def test_policies_keep_their_order_and_memberships_are_required_where_used() -> None:
    documents = [policy() | {"displayName": name} for name in "cab"]
    assert [finding.policy for finding in findings_of(documents, BASIC)] == ["c", "a", "b"]
    assert required_memberships(parsed(*documents)) == (False, False)
    with_groups, with_roles = policy(users={"excludeGroups": [GROUP]}), policy(users={"includeRoles": [ROLE]})
    assert required_memberships(parsed(*documents, with_groups)) == (True, False)
    assert required_memberships(parsed(with_groups, with_roles)) == (True, True)
    assert required_memberships(parsed(with_groups | {"state": "disabled"}, workload())) == (False, False)


# -- what holds for every policy --------------------------------------------------------------------------------------

ids = st.lists(st.sampled_from([USER, APP, OTHER, GROUP, ROLE, "All", "None", "GuestsOrExternalUsers"]), max_size=2)
some = st.lists(st.sampled_from(["All", "Office365", "None", EXCHANGE, OTHER]), max_size=2)
types = st.lists(st.sampled_from(["all", "browser", "mobileAppsAndDesktopClients", "other"]), max_size=2)
controls = st.lists(st.sampled_from(["block", "mfa", "compliantDevice", "passwordChange"]), max_size=2)
guest_types = st.none() | st.builds(
    guests, st.sampled_from(["internalGuest", "b2bCollaborationGuest"]), st.sampled_from(["all", "enumerated"])
)
users = st.fixed_dictionaries(
    {"includeUsers": ids, "excludeUsers": ids, "includeGroups": ids, "excludeGroups": ids, "includeRoles": ids, "excludeRoles": ids}
    | {"includeGuestsOrExternalUsers": guest_types, "excludeGuestsOrExternalUsers": guest_types}
)
clients = st.none() | st.fixed_dictionaries(
    {"includeServicePrincipals": st.lists(st.sampled_from([APP, OTHER, "ServicePrincipalsInMyTenant"]), max_size=2)}
    | {"excludeServicePrincipals": st.lists(st.sampled_from([APP, OTHER]), max_size=1)}
)
POLICIES = st.builds(
    policy,
    st.sampled_from(["enabled", "disabled", "enabledForReportingButNotEnforced"]),
    st.none() | st.fixed_dictionaries({"operator": st.sampled_from(["OR", "AND"]), "builtInControls": controls}),
    users,
    st.fixed_dictionaries({"includeApplications": some, "excludeApplications": some}),
    clientAppTypes=types,
    clientApplications=clients,
    locations=st.none() | st.fixed_dictionaries({"includeLocations": st.sampled_from([["All"], [OTHER]])}),
)
SENDERS = st.builds(
    Sender,
    st.sampled_from(["basic", "delegated", "app"]),
    st.sampled_from([USER, APP]),
    st.frozensets(st.sampled_from([GROUP, OTHER])),
    st.frozensets(st.sampled_from([ROLE, OTHER])),
    st.sampled_from(["", "internalGuest", "b2bCollaborationGuest"]),
    st.booleans(),
)


def effects(document: dict[str, Any], sender: Sender) -> list[str]:
    return [finding.effect for finding in findings_of([document], sender)]


@given(POLICIES, SENDERS)
def test_report_only_is_evaluated_like_enabled(document: dict[str, Any], sender: Sender) -> None:
    assert effects(document | {"state": "enabled"}, sender) == effects(document | {"state": "enabledForReportingButNotEnforced"}, sender)
    assert effects(document | {"state": "disabled"}, sender) == []


@given(POLICIES, SENDERS)
def test_an_excluded_sender_is_never_blocked(document: dict[str, Any], sender: Sender) -> None:
    conditions = document["conditions"]
    conditions["users"]["excludeUsers"] = [*conditions["users"]["excludeUsers"], sender.id]
    conditions["clientApplications"] = (conditions["clientApplications"] or {}) | {"excludeServicePrincipals": [sender.id]}
    assert effects(document, sender) == []


@given(POLICIES, SENDERS, st.sets(st.sampled_from(["id", "groups", "roles", "guest", "own_tenant"])))
def test_unknown_facts_only_make_a_block_possible(document: dict[str, Any], sender: Sender, forgotten: set[str]) -> None:
    known, less = effects(document, sender), effects(document, dataclasses.replace(sender, **dict.fromkeys(forgotten)))
    assert less == known or less == [MAY]


@given(POLICIES, SENDERS)
def test_a_policy_without_controls_does_not_block(document: dict[str, Any], sender: Sender) -> None:
    assert effects(document | {"grantControls": None}, sender) == []
