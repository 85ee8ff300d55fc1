"""Conditional Access: as Graph shows it, and what it does to sign-ins on the wire and at the token endpoint."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from emulator import policies
from emulator.clock import Clock
from emulator.smtp.verdict import login
from emulator.state import AuthenticationPolicy, Group, Policies, State
from emulator.state.keys import At
from emulator.statefile.codec import Record
from emulator.statefile.reader import Location
from emulator.tokens import EXCHANGE_APP
from emulator.well_known import DIRECTORY_ROLES, derived_id
from tests.emulator.conftest import EXCHANGE, GRAPH, TENANT, Start, app_id
from tests.emulator.smtp_lab import CONTOSO, OPS, PASSWORD, make_state
from tests.emulator.test_graph_applications import refused
from tests.emulator.test_smtp_verdict import refusal

CRITERIA = (
    "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. "
    "Contact your administrator."
)
BASIC_AUTH_DISABLED = "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."
RETIRED = "550 5.7.30 Basic authentication is not supported for Client Submission."
OPS_ID = "33333333-0000-4000-8000-000000000001"
GROUP, OUTER = "44444444-0000-4000-8000-000000000001", "44444444-0000-4000-8000-000000000002"
READER = DIRECTORY_ROLES["Global Reader"]
OFFICE = "55555555-0000-4000-8000-000000000001"
COUNTRY = "55555555-0000-4000-8000-000000000002"
BLOCK = {"operator": "OR", "builtInControls": ["block"]}


def policy(state: str = "enabled", grant: Any = BLOCK, users: Any = None, applications: Any = None, **conditions: Any) -> dict[str, Any]:
    met = {
        "users": {"includeUsers": ["All"]} | (users or {}),
        "applications": {"includeApplications": ["All"]} | (applications or {}),
        "clientAppTypes": ["other"],
    }
    return {"id": "p", "displayName": "Legacy", "state": state, "conditions": met | conditions, "grantControls": grant}


def lab(*result: dict[str, Any]) -> State:
    state = make_state()
    tenant = state.tenants[CONTOSO]
    tenant.mailboxes[OPS].user_id = OPS_ID
    tenant.policies.conditional_access = {str(number): one for number, one in enumerate(result)}
    tenant.policies.groups = {GROUP: Group(GROUP, "Devices", [OPS_ID]), OUTER: Group(OUTER, "All devices", [GROUP])}
    tenant.policies.role_members = {READER: [OUTER]}
    tenant.policies.named_locations = {
        OFFICE: {"displayName": "Office", "isTrusted": True, "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]},
        COUNTRY: {"displayName": "Nowhere", "countriesAndRegions": ["DE"], "includeUnknownCountriesAndRegions": True},
    }
    return state


def reply_text(state: State, source: str = "198.51.100.7") -> str:
    return refusal(lambda: login(state, OPS, PASSWORD, source=source))


NONE = {"includeUsers": []}
CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("all users, all applications, block", policy(), True),
    ("report-only", policy("enabledForReportingButNotEnforced"), False),
    ("disabled", policy("disabled"), False),
    ("clients of every kind", policy(clientAppTypes=["all"]), True),
    ("browsers only", policy(clientAppTypes=["browser", "mobileAppsAndDesktopClients"]), False),
    ("MFA, which a mail client cannot do", policy(grant={"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}), True),
    ("an authentication strength", policy(grant={"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": "x"}}), True),
    ("session controls only", policy(grant=None), False),
    ("this user", policy(users={"includeUsers": [OPS_ID]}), True),
    ("another user", policy(users={"includeUsers": [GROUP]}), False),
    ("all but this user", policy(users={"excludeUsers": [OPS_ID]}), False),
    ("its group", policy(users=NONE | {"includeGroups": [GROUP]}), True),
    ("a group that holds its group", policy(users=NONE | {"includeGroups": [OUTER]}), True),
    ("all but that group", policy(users={"excludeGroups": [OUTER]}), False),
    ("a role, through groups", policy(users=NONE | {"includeRoles": [READER]}), True),
    ("all but that role", policy(users={"excludeRoles": [READER]}), False),
    ("another role", policy(users=NONE | {"includeRoles": [DIRECTORY_ROLES["Security Reader"]]}), False),
    ("Exchange", policy(applications={"includeApplications": [EXCHANGE_APP]}), True),
    ("Office 365", policy(applications={"includeApplications": ["Office365"]}), True),
    ("another application", policy(applications={"includeApplications": [GROUP]}), False),
    ("all but Office 365", policy(applications={"excludeApplications": ["Office365"]}), False),
    ("everywhere", policy(locations={"includeLocations": ["All"]}), True),
    ("everywhere but at trusted places", policy(locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}), True),
    ("the office only", policy(locations={"includeLocations": [OFFICE]}), False),
    ("places of no country", policy(locations={"includeLocations": [COUNTRY]}), True),
    ("every platform", policy(platforms={"includePlatforms": ["all"]}), True),
    ("telephones", policy(platforms={"includePlatforms": ["iOS", "android"]}), False),
    ("devices that are not filtered out", policy(devices={"deviceFilter": {"mode": "exclude", "rule": "x"}}), True),
    ("devices that a filter finds", policy(devices={"deviceFilter": {"mode": "include", "rule": "x"}}), False),
    ("risky sign-ins", policy(signInRiskLevels=["high"]), False),
    ("the device code flow", policy(authenticationFlows={"transferMethods": "deviceCodeFlow"}), False),
    ("applications of an attribute", policy(applications={"includeApplications": [], "applicationFilter": {"mode": "include"}}), False),
]


@pytest.mark.parametrize(("policies_of_tenant", "refused"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_password_meets_a_policy(policies_of_tenant: dict[str, Any], refused: bool) -> None:
    assert reply_text(lab(policies_of_tenant)) == (CRITERIA if refused else "passed")


def test_named_location_matches_the_client_address() -> None:
    office = lab(policy(locations={"includeLocations": [OFFICE]}))
    assert (reply_text(office, "203.0.113.9"), reply_text(office)) == (CRITERIA, "passed")
    abroad = lab(policy(locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}))
    assert (reply_text(abroad, "203.0.113.9"), reply_text(abroad)) == ("passed", CRITERIA)


def test_every_policy_counts_and_the_password_comes_first() -> None:
    state = lab(policy("disabled"), policy(users={"excludeUsers": [OPS_ID]}), policy())
    assert reply_text(state) == CRITERIA
    assert "credentials were incorrect" in refusal(lambda: login(state, OPS, "wrong", source=""))


MODERN = {"clientAppTypes": ["mobileAppsAndDesktopClients"], "authenticationFlows": {"transferMethods": "deviceCodeFlow"}}
BOTH = ["mfa", "compliantDevice"]


@pytest.mark.parametrize(
    ("operator", "controls", "satisfied", "blocked"),
    [
        ("OR", ["block"], ["mfa"], True),
        ("OR", ["mfa"], [], True),
        ("OR", ["mfa"], ["mfa"], False),
        ("OR", BOTH, ["mfa"], False),
        ("AND", BOTH, ["mfa"], True),
        ("AND", BOTH, BOTH, False),
        ("OR", [], [], False),
    ],
)
def test_a_client_that_can_satisfy_controls(operator: str, controls: list[str], satisfied: list[str], blocked: bool) -> None:
    tenant = lab(policy(grant={"operator": operator, "builtInControls": controls}, **MODERN)).tenants[CONTOSO]
    user, client = tenant.mailboxes[OPS], "mobileAppsAndDesktopClients"
    assert policies.blocks_user(tenant, user, "", client, "deviceCodeFlow", satisfied) == ("Legacy" if blocked else None)
    assert policies.blocks_user(tenant, user, "", client, "", satisfied) is None


@pytest.mark.parametrize(
    ("controls", "mfa", "code"),
    [(["block"], True, 53003), (["mfa"], False, 50076), (["mfa"], True, None), (["compliantDevice"], True, 53003)],
)
def test_a_users_own_sign_in(start: Start, controls: list[str], mfa: bool, code: int | None) -> None:
    own = named("Modern", grant={"operator": "OR", "builtInControls": controls}, **MODERN)
    api = start(tenant={"policies": {"conditional_access": [own]}})
    api.admin.change("contoso.com", "mailboxes", "ops@contoso.com", password="pw")
    scope = "https://outlook.office365.com/SMTP.Send offline_access"
    form = {"client_id": app_id("manager"), "scope": scope}
    started = api.session.post(f"{api.emulator.cloud['authority']}/{TENANT}/oauth2/v2.0/devicecode", data=form).json()
    order = {"user": "ops@contoso.com", "password": "pw", "mfa": mfa, "consent": True}
    path = f"/device_codes/{started['user_code']}"
    if code is None:
        assert api.admin.call("POST", path, order)["state"] == "approved"
    else:
        with pytest.raises(ValueError, match=f"AADSTS{code}"):
            api.admin.call("POST", path, order)


# -- authentication policies and the end of Basic ---------------------------------------------------------------------


@pytest.mark.parametrize("own", [None, "open", "closed"])
@pytest.mark.parametrize("default", [None, "open", "closed"])
def test_a_users_policy_wins_over_the_default(own: str | None, default: str | None) -> None:
    state = lab()
    tenant = state.tenants[CONTOSO]
    tenant.policies.authentication = {name: AuthenticationPolicy(name, name, name == "open") for name in ("open", "closed")}
    tenant.policies.default_authentication, tenant.mailboxes[OPS].authentication_policy = default, own
    assert reply_text(state) == (BASIC_AUTH_DISABLED if (own or default) == "closed" else "passed")
    tenant.mailboxes[OPS].smtp_client_authentication_disabled = True
    assert reply_text(state).startswith(
        BASIC_AUTH_DISABLED if (own or default) == "closed" else "535 5.7.139 Authentication unsuccessful, SmtpClient"
    )


def clock_of(state: State) -> Clock:
    assert isinstance(state.now, Clock)
    return state.now


def test_policy_changes_have_a_replication_delay() -> None:
    state = lab()
    tenant, clock, now = state.tenants[CONTOSO], clock_of(state), state.now()
    tenant.policies.authentication["closed"] = AuthenticationPolicy("Closed", "guid", effective_from=now + 100)
    tenant.mailboxes[OPS].set_later("authentication_policy", "closed", now + 200)
    for later, reply in ((150, "passed"), (250, BASIC_AUTH_DISABLED)):
        clock.offset = later
        assert reply_text(state) == reply
    tenant.policies.authentication["closed"].set_later("allow_basic_auth_smtp", True, state.now() + 100)
    assert reply_text(state) == BASIC_AUTH_DISABLED
    clock.offset += 200
    assert reply_text(state) == "passed"


def test_basic_ends_for_a_tenant_on_its_day_unless_it_is_turned_on_again() -> None:
    state = lab()
    tenant = state.tenants[CONTOSO]
    tenant.policies.basic_retired_from = state.now() + 86400
    assert reply_text(state) == "passed"
    clock_of(state).offset = 2 * 86400
    assert reply_text(state) == RETIRED
    assert "credentials were incorrect" in refusal(lambda: login(state, "it@fabrikam.com", "x"))  # another tenant's day has not come
    tenant.policies.basic_reenabled = True
    assert reply_text(state) == "passed"


# -- Graph ------------------------------------------------------------------------------------------------------------

PATH = "/identity/conditionalAccess/policies"


def named(name: str, **more: Any) -> dict[str, Any]:
    return {k: v for k, v in policy(**more).items() if k != "id"} | {"displayName": name}


def test_policies_are_listed_in_pages_and_need_a_permission(start: Start) -> None:
    api = start(tenant={"policies": {"conditional_access": [named(f"Policy {n:03d}") for n in range(120)]}})
    first = api.graph("GET", f"{PATH}?$select=id,displayName,state,conditions,grantControls").json()
    assert (len(first["value"]), set(first["value"][0])) == (100, {"id", "displayName", "state", "conditions", "grantControls"})
    rest = api.graph("GET", first["@odata.nextLink"]).json()
    assert [one["displayName"] for one in rest["value"]] == [f"Policy {n:03d}" for n in range(100, 120)]
    assert api.graph("GET", f"{PATH}?$top=1").json()["value"][0]["sessionControls"] is None
    status, code, text = refused(api.graph("GET", PATH, app="reader"))
    assert (status, code) == (403, "AccessDenied")
    assert "required scopes are missing" in text
    assert refused(api.graph("PATCH", PATH, {}))[0] == 405
    assert refused(api.graph("GET", f"{PATH}?$select=colour"))[0] == 400


def test_second_read_within_a_second_is_throttled_without_retry_after(start: Start) -> None:
    api = start({"conditional_access_pace": 1000.0})
    assert api.graph("GET", PATH).status_code == 200
    for path in (PATH, "/identity/conditionalAccess/namedLocations"):
        answer = api.graph("GET", path)
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)
    api.admin.advance(1001)
    assert api.graph("GET", PATH).status_code == 200


def test_memberships_and_roles_by_their_templates(start: Start) -> None:
    section = {
        "groups": [{"display_name": "Devices", "members": ["OPS@contoso.com"]}],
        "role_members": {"Global Reader": [derived_id(TENANT, "group", "Devices")]},
        "named_locations": [{"displayName": "Office", "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]}],
    }
    api = start(tenant={"policies": section})
    result = api.graph("GET", "/users/ops@contoso.com/transitiveMemberOf?$select=id").json()["value"]
    kinds = {one["@odata.type"]: one["id"] for one in result}
    assert kinds["#microsoft.graph.group"] == derived_id(TENANT, "group", "Devices")
    roles = api.graph("GET", "/directoryRoles?$select=id,roleTemplateId").json()["value"]
    assert {"id": kinds["#microsoft.graph.directoryRole"], "roleTemplateId": READER} in roles
    assert api.graph("GET", "/users/noreply@contoso.com/transitiveMemberOf").json()["value"] == []
    assert refused(api.graph("GET", "/users/nobody@contoso.com/transitiveMemberOf"))[0] == 404
    [place] = api.graph("GET", "/identity/conditionalAccess/namedLocations").json()["value"]
    assert (place["displayName"], place["@odata.type"]) == ("Office", "#microsoft.graph.ipNamedLocation")


def workload(**clients: Any) -> dict[str, Any]:
    met = {"clientApplications": clients, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]}
    return {"displayName": "Workloads", "state": "enabled", "conditions": met, "grantControls": BLOCK}


def test_a_workload_policy_refuses_the_applications_token(start: Start) -> None:
    manager = derived_id(TENANT, "service principal", app_id("manager"))
    api = start(tenant={"policies": {"conditional_access": [workload(includeServicePrincipals=[manager])]}})
    form = {"grant_type": "client_credentials", "client_id": app_id("manager"), "client_secret": "manager-secret", "scope": EXCHANGE}
    answer = api.token_answer(**form)
    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (400, "invalid_grant", [53003])
    assert api.token_answer(**form | {"scope": GRAPH}).status_code == 400
    assert api.token_answer(**form | {"client_id": app_id("reader"), "client_secret": "reader-secret"}).status_code == 200
    changed = workload(includeServicePrincipals=["ServicePrincipalsInMyTenant"], excludeServicePrincipals=[manager])
    api.admin.change("contoso.com", policies={"conditional_access": [changed]})
    assert api.token_answer(**form).status_code == 200
    assert api.token_answer(**form | {"client_id": app_id("reader"), "client_secret": "reader-secret"}).status_code == 400


def test_state_file_reports_an_invalid_policy(start: Start) -> None:
    api = start()
    for section, complaint in (
        ({"conditional_access": [named("x") | {"colour": "red"}]}, "policies.conditional_access[0]: Invalid property 'colour'."),
        ({"conditional_access": [named("x") | {"state": "on"}]}, "property 'state' takes"),
        ({"authentication": [{"name": "x", "allowed": ["AllowBasicAuthFax"]}]}, "not 'AllowBasicAuthFax'"),
        ({"default_authentication": "x"}, "policies.default_authentication: 'x' is no authentication policy"),
        ({"role_members": {"King": []}}, "role_members.King"),
    ):
        with pytest.raises(ValueError, match="400") as raised:
            api.admin.change("contoso.com", policies=section)
        assert complaint in str(raised.value)


def test_the_retirement_can_be_patched_alone(start: Start) -> None:
    api = start(tenant={"policies": {"authentication": [{"name": "Closed"}]}})
    api.admin.change("contoso.com", policies={"basic_retired_from": "2026-12-31T00:00:00Z"})
    stored = api.admin.tenant("contoso.com")["policies"]
    assert (stored["basic_retired_from"], [one["name"] for one in stored["authentication"]]) == (1798675200.0, ["Closed"])


def test_saved_state_is_complete() -> None:
    """Every field of the policies has its place in the document."""
    state = lab(policy())
    result = state.tenants[CONTOSO].policies
    result.authentication["closed"] = AuthenticationPolicy("Closed", "guid", True, ["AllowBasicAuthPop"], 5.0)
    result.default_authentication, result.basic_retired_from, result.basic_reenabled = "closed", 7.0, True
    result.set_later("default_authentication", None, 9.0)
    document = Record(Policies).write(result)
    names = {field.name for field in dataclasses.fields(result)} - {"asked"}
    assert set(document) == names
    again = Record(Policies).read(document, Location("policies"), At(Path(), owning_tenant=state.tenants[CONTOSO]))
    assert again.authentication == result.authentication
    assert (again.replicating, again.groups, again.role_members) == (result.replicating, result.groups, result.role_members)
