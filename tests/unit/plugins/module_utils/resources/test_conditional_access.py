# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.conditional_access import INFO, PACE, POLICIES

from ....conftest import TENANT, Play, problems_of
from ....script import Item, Script, graph_error

PATH = f"/v1.0{POLICIES}"
NEXT = "https://graph.microsoft.com/v1.0/identity/conditionalAccess/policies?$skiptoken=x"
USER, GROUP, ROLE, TEMPLATE = "u-1", "g-1", "r-1", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
APP, PRINCIPAL = "aaaaaaaa-0000-4000-8000-000000000001", "p-1"
BASIC = {"address": "Labels@contoso.com", "method": "basic"}
OAUTH = {"name": "ERP", "address": "erp@contoso.com", "app_unique_name": "mailops-smtp-sender"}


def policy(name: str, state: str = "enabled", clients: Any = None, **users: Any) -> dict[str, Any]:
    conditions = {"users": users or None, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]}
    conditions["clientApplications"] = clients
    grant = {"operator": "OR", "builtInControls": ["block"]}
    return {"id": f"id-{name}", "displayName": name, "state": state, "conditions": conditions, "grantControls": grant}


EVERYBODY = policy("Block legacy", includeUsers=["All"])
WORKLOAD = policy("Block apps", clients={"includeServicePrincipals": [PRINCIPAL]})


def look(address: str = "labels@contoso.com", *users: Any, status: int = 200) -> Item:
    url = f"/users?$filter=proxyAddresses/any(p:p eq 'smtp:{address}')&$select=id,userPrincipalName,userType"
    return Item("GET", url, status, graph_error("Authorization_RequestDenied") if status == 403 else {"value": list(users)})


def member(*ids: str) -> Item:
    return Item("GET", f"/users/{USER}/transitiveMemberOf?$select=id&$top=999", 200, {"value": [{"id": one} for one in ids]})


def policy_list(*policies: dict[str, Any]) -> dict[str, Any]:
    return {"value": list(policies)}


USER_ITEM = {"id": USER, "userPrincipalName": "labels@contoso.com", "userType": "Member"}


def effects(result: dict[str, Any]) -> list[list[tuple[str, str]]]:
    assert result["changed"] is False, result
    senders = result["conditional_access"]["senders"]
    return [[(finding["policy"], finding["effect"]) for finding in sender["findings"]] for sender in senders]


# -- input ------------------------------------------------------------------------------------------------------------


def test_all_input_problems_are_reported_at_once() -> None:
    senders = [
        {"address": "nonsense", "method": "basic"},
        {"name": "ERP", "address": "erp@contoso.com"},
        {"address": "erp@contoso.com", "app_id": "mailops", "method": "hve"},
        {"address": "erp@contoso.com", "app_id": APP, "app_unique_name": "mailops"},
    ]
    assert problems_of(INFO, senders=senders) == [
        "senders: nonsense: the sender's address holds 'nonsense', which is no mail address (name@domain).",
        "senders: ERP: method oauth needs app_unique_name or app_id, the application that it signs in as.",
        "senders: erp@contoso.com: app_id is 'mailops': give the application's client id, a GUID.",
        "senders: erp@contoso.com: give app_unique_name or app_id, not both.",
    ]
    assert problems_of(INFO, senders=[BASIC, OAUTH, {"address": "ups@contoso.com", "method": "direct_send"}]) == []


# -- reading ----------------------------------------------------------------------------------------------------------


def test_a_tenant_without_live_policies_costs_one_request(play: Play, script: Script) -> None:
    script.expect("GET", PATH).answers(200, policy_list(policy("Off", "disabled", includeUsers=["All"])))
    result = play(INFO, script, senders=[BASIC, OAUTH])
    assert effects(result) == [[], []]
    assert [sender["verdict"] for sender in result["conditional_access"]["senders"]] == ["not blocked", "not blocked"]
    assert result["conditional_access"]["policies"] == [{"id": "id-Off", "name": "Off", "state": "disabled"}]
    assert result["cost"]["requests"] == 1
    assert "notes" not in result


def test_pages_are_asked_for_a_second_apart(play: Play, script: Script, clock: Any) -> None:
    script.expect("GET", PATH).answers(200, policy_list(EVERYBODY) | {"@odata.nextLink": NEXT})
    script.expect("GET", NEXT).answers(200, policy_list(policy("Second", includeUsers=["All"])))
    script.expect_graph_batch(look("labels@contoso.com", USER_ITEM))
    result = play(INFO, script, senders=[BASIC])
    assert effects(result) == [[("Block legacy", "blocks"), ("Second", "blocks")]]
    assert clock.slept == [PACE]


def test_throttling_without_retry_after_is_retried(play: Play, script: Script, clock: Any) -> None:
    script.expect("GET", PATH).times(2).answers(429, graph_error("TooManyRequests"))
    script.expect("GET", PATH).answers(200, policy_list())
    result = play(INFO, script, senders=[BASIC])
    assert (effects(result), result["cost"]["retries"]) == ([[]], 2)
    assert all(seconds >= 1 for seconds in clock.slept)


def test_a_lacking_permission_is_named(play: Play, script: Script) -> None:
    script.expect("GET", PATH).times(2).answers(403, graph_error("AccessDenied", "required scopes are missing in the token"))
    result = play(INFO, script, senders=[BASIC])
    assert result["failed"]
    assert "Could not read the Conditional Access policies, which takes the permission Policy.Read.All: " in result["msg"]
    assert "lacks a Graph permission" in result["msg"]


def test_an_address_of_two_users_is_refused(play: Play, script: Script) -> None:
    script.expect("GET", PATH).answers(200, policy_list(EVERYBODY))
    script.expect_graph_batch(look("labels@contoso.com", USER_ITEM, {"id": "u-2", "userPrincipalName": "old@contoso.com"}))
    result = play(INFO, script, senders=[BASIC])
    sentence = "senders: labels@contoso.com is an address of 2 users: labels@contoso.com (u-1) and old@contoso.com (u-2)."
    assert sentence in result["msg"]


# -- judging ----------------------------------------------------------------------------------------------------------


def test_users_are_looked_up_in_one_batch_and_memberships_where_policies_ask_for_them(play: Play, script: Script) -> None:
    by_group = policy("Groups", includeUsers=["All"], excludeGroups=[GROUP])
    by_role = policy("Roles", includeRoles=[TEMPLATE])
    script.expect("GET", PATH).answers(200, policy_list(by_group, by_role))
    script.expect_graph_batch(look("labels@contoso.com", USER_ITEM), look("erp@contoso.com"))
    script.expect_graph_batch(member(GROUP, ROLE))
    roles = {"value": [{"id": ROLE, "roleTemplateId": TEMPLATE}]}
    script.expect_graph_batch(Item("GET", "/directoryRoles?$select=id,roleTemplateId", 200, roles))
    result = play(INFO, script, senders=[BASIC, {"address": "erp@contoso.com", "method": "delegated"}, BASIC | {"method": "delegated"}])
    assert effects(result) == [[("Roles", "blocks")], [("Groups", "may block"), ("Roles", "may block")], [("Roles", "blocks")]]
    assert "Entra has no user with the address erp@contoso.com: evaluated as one that no policy names yet." in result["notes"]
    assert result["cost"]["requests"] == 4


@pytest.mark.parametrize("named", [True, False])
def test_applications_are_looked_up_where_a_workload_policy_asks_for_them(play: Play, script: Script, named: bool) -> None:
    script.expect("GET", PATH).answers(200, policy_list(EVERYBODY, WORKLOAD))
    if named:
        script.expect_graph_batch(Item("GET", "/applications(uniqueName='mailops-smtp-sender')?$select=appId", 200, {"appId": APP}))
    principal = {"id": PRINCIPAL, "appOwnerOrganizationId": TENANT}
    script.expect_graph_batch(Item("GET", f"/servicePrincipals(appId='{APP}')?$select=id,appOwnerOrganizationId", 200, principal))
    sender = OAUTH if named else {"name": "ERP", "address": "erp@contoso.com", "app_id": APP, "method": "hve"}
    result = play(INFO, script, senders=[sender])
    assert effects(result) == [[("Block apps", "blocks")]]
    assert result["conditional_access"]["senders"][0]["verdict"] == "blocked"
    [note] = result["notes"]
    assert note == (
        f"ERP ({sender.get('method', 'oauth')}): the Conditional Access policy 'Block apps' blocks it: it includes this application, "
        "all applications, and blocks. Exclude the application from the policy."
    )


def test_the_tenants_own_applications_are_those_that_it_owns(play: Play, script: Script) -> None:
    every = policy("Own", clients={"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]})
    for owner, expected in ((TENANT, [("Own", "blocks")]), ("another", []), (None, [("Own", "may block")])):
        script.expect("GET", PATH).answers(200, policy_list(every))
        principal = {"id": PRINCIPAL, "appOwnerOrganizationId": owner}
        script.expect_graph_batch(Item("GET", f"/servicePrincipals(appId='{APP}')?$select=id,appOwnerOrganizationId", 200, principal))
        result = play(INFO, script, senders=[{"address": "erp@contoso.com", "app_id": APP}])
        assert effects(result) == [expected]


def test_an_application_that_is_not_there_yet_will_be_the_tenants_own(play: Play, script: Script) -> None:
    every = policy("Own", clients={"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]})
    script.expect("GET", PATH).answers(200, policy_list(every, WORKLOAD))
    script.expect_graph_batch(Item("GET", "/applications(uniqueName='mailops-smtp-sender')?$select=appId", 404, graph_error("x")))
    result = play(INFO, script, senders=[OAUTH])
    assert effects(result) == [[("Own", "blocks"), ("Block apps", "may block")]]
    assert "Entra has no application mailops-smtp-sender" in result["notes"][0]


def test_methods_without_a_sign_in_meet_no_policy(play: Play, script: Script) -> None:
    script.expect("GET", PATH).answers(200, policy_list(EVERYBODY, WORKLOAD))
    senders = [{"address": "ups@contoso.com", "method": method} for method in ("connector", "direct_send")]
    assert effects(play(INFO, script, senders=senders)) == [[], []]


def test_a_token_of_communication_services_is_not_for_exchange(play: Play, script: Script) -> None:
    office = policy("Office", clients={"includeServicePrincipals": [PRINCIPAL]})
    office["conditions"]["applications"] = {"includeApplications": ["Office365"]}
    script.expect("GET", PATH).answers(200, policy_list(office, WORKLOAD))
    principal = {"id": PRINCIPAL, "appOwnerOrganizationId": TENANT}
    script.expect_graph_batch(Item("GET", f"/servicePrincipals(appId='{APP}')?$select=id,appOwnerOrganizationId", 200, principal))
    senders = [{"address": "erp@contoso.com", "app_id": APP, "method": method} for method in ("acs", "oauth")]
    assert effects(play(INFO, script, senders=senders)) == [[("Block apps", "blocks")], [("Office", "blocks"), ("Block apps", "blocks")]]


def test_guests_are_identified_by_type_and_name(play: Play, script: Script) -> None:
    kinds = {"guestOrExternalUserTypes": "b2bCollaborationGuest", "externalTenants": None}
    for name, kind, expected in (
        ("a_x.example#EXT#@contoso.com", "Guest", 1),
        ("a@contoso.com", "Guest", 0),
        ("a_x.example#EXT#@contoso.com", "Member", 0),
        ("a@contoso.com", "Member", 0),
    ):
        script.expect("GET", PATH).answers(200, policy_list(policy("Guests", includeGuestsOrExternalUsers=kinds)))
        script.expect_graph_batch(look("labels@contoso.com", {"id": USER, "userPrincipalName": name, "userType": kind}))
        assert len(effects(play(INFO, script, senders=[BASIC]))[0]) == expected


def test_report_only_policies_are_reported_and_do_not_block(play: Play, script: Script) -> None:
    script.expect("GET", PATH).answers(200, policy_list(policy("Soon", "enabledForReportingButNotEnforced", includeUsers=["All"])))
    script.expect_graph_batch(look("labels@contoso.com", USER_ITEM))
    result = play(INFO, script, senders=[BASIC])
    [sender] = result["conditional_access"]["senders"]
    assert (sender["verdict"], sender["findings"][0]["state"]) == ("not blocked", "report-only")
    assert "the Conditional Access policy 'Soon' is report-only; enabled, it would block it: " in result["notes"][0]
    assert "Send with OAuth, or exclude the account from the policy." in result["notes"][0]


# -- what may not be read ---------------------------------------------------------------------------------------------


def test_users_that_may_not_be_read_stay_unknown(play: Play, script: Script) -> None:
    script.expect("GET", PATH).answers(200, policy_list(EVERYBODY, policy("One", includeUsers=["somebody"])))
    script.expect_graph_batch(look(status=403))
    result = play(INFO, script, senders=[BASIC])
    assert effects(result) == [[("Block legacy", "blocks"), ("One", "may block")]]
    assert "Could not look for the senders' users: it needs the permission User.Read.All." in result["notes"][0]


def test_groups_and_roles_that_may_not_be_read(play: Play, script: Script) -> None:
    denied = graph_error("Authorization_RequestDenied")
    script.expect("GET", PATH).answers(200, policy_list(policy("Groups", includeGroups=[GROUP]), policy("Roles", includeRoles=[TEMPLATE])))
    script.expect_graph_batch(look("labels@contoso.com", USER_ITEM))
    script.expect_graph_batch(Item("GET", f"/users/{USER}/transitiveMemberOf?$select=id&$top=999", 403, denied))
    result = play(INFO, script, senders=[BASIC])
    assert effects(result) == [[("Groups", "may block"), ("Roles", "may block")]]
    script.expect("GET", PATH).answers(200, policy_list(policy("Groups", includeGroups=[GROUP]), policy("Roles", includeRoles=[TEMPLATE])))
    script.expect_graph_batch(look("labels@contoso.com", USER_ITEM))
    script.expect_graph_batch(member(ROLE))
    script.expect_graph_batch(Item("GET", "/directoryRoles?$select=id,roleTemplateId", 403, denied))
    result = play(INFO, script, senders=[BASIC])
    assert effects(result) == [[("Roles", "may block")]]
    assert "Directory.Read.All" in result["notes"][0]


@pytest.mark.parametrize("named", [True, False])
def test_applications_that_may_not_be_read(play: Play, script: Script, named: bool) -> None:
    script.expect("GET", PATH).answers(200, policy_list(WORKLOAD))
    path = (
        "/applications(uniqueName='mailops-smtp-sender')?$select=appId"
        if named
        else f"/servicePrincipals(appId='{APP}')?$select=id,appOwnerOrganizationId"
    )
    script.expect_graph_batch(Item("GET", path, 403, graph_error("Authorization_RequestDenied")))
    result = play(INFO, script, senders=[OAUTH if named else {"address": "erp@contoso.com", "app_id": APP}])
    assert effects(result) == [[("Block apps", "may block")]]


def test_another_failure_is_a_failure(play: Play, script: Script) -> None:
    script.expect("GET", PATH).answers(200, policy_list(EVERYBODY))
    script.expect_graph_batch(Item("GET", look().url, 400, graph_error("BadRequest", "Invalid filter clause")))
    assert "Could not look for the senders' users" in play(INFO, script, senders=[BASIC])["msg"]
