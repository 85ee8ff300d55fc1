"""Graph: service principals, consent, the tenant's facts, batches, faults."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import GRAPH, TENANT, Api, Start, app_id
from tests.emulator.test_graph_applications import UNKNOWN, refused

EXCHANGE_APP = "00000002-0000-0ff1-ce00-000000000000"
SEND_AS_APP = "7146a1f0-8703-45b3-9eae-527a64c00995"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"


@pytest.fixture
def exchange(api: Api) -> dict[str, Any]:
    return dict(api.graph("GET", f"/servicePrincipals(appId='{EXCHANGE_APP}')").json())


def test_resource_principals_offer_their_roles(exchange: dict[str, Any]) -> None:
    assert exchange["displayName"] == "Office 365 Exchange Online"
    role = next(one for one in exchange["appRoles"] if one["id"] == SEND_AS_APP)
    assert (role["value"], role["isEnabled"], role["allowedMemberTypes"]) == ("SMTP.SendAsApp", True, ["Application"])
    assert "SMTP.Send" in [scope["value"] for scope in exchange["oauth2PermissionScopes"]]


def test_service_principal_life(api: Api) -> None:
    application = api.new_application("sp: life")
    answer = api.graph("POST", "/servicePrincipals", {"appId": application["appId"]})
    principal = answer.json()
    assert answer.status_code == 201
    assert principal["displayName"] == "sp: life"
    assert len({principal["id"], application["id"], application["appId"]}) == 3
    status, code, text = refused(api.graph("POST", "/servicePrincipals", {"appId": application["appId"]}))
    assert (status, code) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert "is already in use" in text
    path = f"/servicePrincipals/{principal['id']}"
    assert api.graph("PATCH", path, {"appRoleAssignmentRequired": True, "tags": ["HideApp"], "notes": "n"}).status_code == 204
    changed = api.graph("GET", path).json()
    assert (changed["appRoleAssignmentRequired"], changed["tags"]) == (True, ["HideApp"])
    assert refused(api.graph("PATCH", path, {"appId": UNKNOWN}))[0] == 400
    assert refused(api.graph("PATCH", path, {"colour": "red"}))[0] == 400
    assert api.graph("DELETE", path).status_code == 204
    assert api.graph("GET", path).status_code == 404


def test_service_principal_upsert(api: Api) -> None:
    application = api.new_application("sp: upsert")
    path = f"/servicePrincipals(appId='{application['appId']}')"
    assert api.graph("PATCH", path, {"displayName": "x"}).status_code == 404
    assert api.graph("PATCH", path, {"displayName": "x"}, Prefer="create-if-missing").status_code == 201
    assert api.graph("PATCH", path, {"displayName": "y"}, Prefer="create-if-missing").status_code == 204
    assert api.graph("GET", path).json()["displayName"] == "y"


def test_unknown_application_makes_no_principal(api: Api) -> None:
    status, _, text = refused(api.graph("POST", "/servicePrincipals", {"appId": UNKNOWN}))
    assert (status, text) == (400, f"The appId '{UNKNOWN}' of the service principal does not reference a valid application object.")


def test_application_permission(api: Api, exchange: dict[str, Any]) -> None:
    principal = api.new_principal("consent: app role")
    grant = {"principalId": principal["id"], "resourceId": exchange["id"], "appRoleId": SEND_AS_APP}
    path = f"/servicePrincipals/{exchange['id']}/appRoleAssignedTo"
    created = api.graph("POST", path, grant)
    body = created.json()
    assert created.status_code == 201
    assert grant.items() <= body.items()
    assert (body["principalType"], body["resourceDisplayName"]) == ("ServicePrincipal", "Office 365 Exchange Online")
    assert refused(api.graph("POST", path, grant)) == (400, "Request_BadRequest", "Permission being assigned already exists on the object")
    listed = api.graph("GET", f"/servicePrincipals/{principal['id']}/appRoleAssignments").json()["value"]
    assert [one["id"] for one in listed] == [body["id"]]
    assert body["id"] in [one["id"] for one in api.graph("GET", path).json()["value"]]
    assert refused(api.graph("POST", path, grant | {"appRoleId": UNKNOWN}))[0] == 400
    assert refused(api.graph("POST", path, grant | {"principalId": UNKNOWN}))[0] == 404
    assert refused(api.graph("POST", path, grant | {"resourceId": principal["id"]}))[0] == 400
    assert refused(api.graph("POST", path, grant, app="reader"))[0] == 403
    assert api.graph("DELETE", f"{path}/{body['id']}").status_code == 204
    assert api.graph("GET", f"/servicePrincipals/{principal['id']}/appRoleAssignments").json()["value"] == []
    assert api.graph("DELETE", f"{path}/{body['id']}").status_code == 404
    assert api.graph("POST", f"/servicePrincipals/{principal['id']}/appRoleAssignments", grant).status_code == 201


def test_assignments_go_with_their_principal(api: Api, exchange: dict[str, Any]) -> None:
    principal = api.new_principal("consent: goes along")
    grant = {"principalId": principal["id"], "resourceId": exchange["id"], "appRoleId": SEND_AS_APP}
    path = f"/servicePrincipals/{exchange['id']}/appRoleAssignedTo"
    made = api.graph("POST", path, grant).json()["id"]
    api.graph("DELETE", f"/servicePrincipals/{principal['id']}")
    assert made not in [one["id"] for one in api.graph("GET", path).json()["value"]]


def test_delegated_permission(api: Api, exchange: dict[str, Any]) -> None:
    principal = api.new_principal("consent: delegated")
    grant = {
        "clientId": principal["id"],
        "consentType": "AllPrincipals",
        "principalId": None,
        "resourceId": exchange["id"],
        "scope": "SMTP.Send",
    }
    created = api.graph("POST", "/oauth2PermissionGrants", grant)
    assert created.status_code == 201
    assert grant.items() <= created.json().items()
    status, code, text = refused(api.graph("POST", "/oauth2PermissionGrants", grant))
    assert (status, code, text) == (409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
    path = f"/oauth2PermissionGrants/{created.json()['id']}"
    assert api.graph("PATCH", path, {"scope": "SMTP.Send offline_access"}).status_code == 204
    query = f"$filter=clientId eq '{principal['id']}' and resourceId eq '{exchange['id']}' and consentType eq 'AllPrincipals'"
    result = api.graph("GET", f"/oauth2PermissionGrants?{query}").json()["value"]
    assert [one["scope"] for one in result] == ["SMTP.Send offline_access"]
    assert api.graph("GET", f"/servicePrincipals/{principal['id']}/oauth2PermissionGrants").json()["value"] == result
    assert refused(api.graph("PATCH", path, {"clientId": UNKNOWN}))[0] == 400
    assert refused(api.graph("POST", "/oauth2PermissionGrants", grant | {"consentType": "Principal"}))[0] == 400
    assert api.graph("DELETE", path).status_code == 204
    assert api.graph("GET", path).status_code == 404


def test_role_assignments(api: Api) -> None:
    principal = api.new_principal("roles")
    path = "/roleManagement/directory/roleAssignments"
    expected = {"roleDefinitionId": EXCHANGE_ADMINISTRATOR, "principalId": principal["id"], "directoryScopeId": "/"}
    created = api.graph("POST", path, expected)
    assert created.status_code == 201
    assert expected.items() <= created.json().items()
    assert "conflicting object" in refused(api.graph("POST", path, expected))[2]
    query = f"$filter=principalId eq '{principal['id']}' and roleDefinitionId eq '{EXCHANGE_ADMINISTRATOR}'"
    assert [one["id"] for one in api.graph("GET", f"{path}?{query}").json()["value"]] == [created.json()["id"]]
    assert refused(api.graph("GET", path))[0] == 400
    assert refused(api.graph("POST", path, expected | {"principalId": UNKNOWN}))[0] == 404
    assert api.graph("DELETE", f"{path}/{created.json()['id']}").status_code == 204
    assert api.graph("GET", f"{path}?{query}").json()["value"] == []


def test_an_application_does_not_remove_its_own_directory_role(api: Api) -> None:
    principal = api.graph("GET", f"/servicePrincipals(appId='{app_id('manager')}')?$select=id").json()
    path = "/roleManagement/directory/roleAssignments"
    [own] = api.graph("GET", f"{path}?$filter=principalId eq '{principal['id']}'").json()["value"]
    expected = (400, "Request_BadRequest", "Removing self from Exchange Administrator built-in role is not allowed.")
    assert refused(api.graph("DELETE", f"{path}/{own['id']}")) == expected


def test_organization_and_domains(api: Api) -> None:
    organization = api.graph("GET", "/organization?$select=id,displayName,verifiedDomains").json()["value"][0]
    assert (organization["id"], organization["displayName"]) == (TENANT, "Contoso")
    initial = [domain["name"] for domain in organization["verifiedDomains"] if domain["isInitial"]]
    assert initial == ["contoso.onmicrosoft.com"]
    domains = api.graph("GET", "/domains?$select=id,isDefault,supportedServices").json()["value"]
    assert {domain["id"]: domain["isDefault"] for domain in domains} == {"contoso.onmicrosoft.com": False, "contoso.com": True}
    records = api.graph("GET", "/domains/contoso.com/serviceConfigurationRecords").json()["value"]
    mx = next(record for record in records if record["recordType"] == "Mx")
    assert mx["mailExchange"] == "contoso-com.mail.protection.outlook.com"
    assert api.graph("GET", "/domains/nowhere.example").status_code == 404


def test_security_defaults(start: Start) -> None:
    api = start(tenant={"security_defaults": True})
    path = "/policies/identitySecurityDefaultsEnforcementPolicy"
    assert api.graph("GET", path).json()["isEnabled"] is True
    assert refused(api.graph("PATCH", path, {"isEnabled": False}, app="reader"))[0] == 403
    assert api.graph("PATCH", path, {"isEnabled": False}).status_code == 204
    assert api.graph("GET", path).json()["isEnabled"] is False
    assert api.admin.tenant("contoso.com")["security_defaults"] is False


def test_the_day_of_security_defaults_is_in_version_beta_only(start: Start) -> None:
    path = "/policies/identitySecurityDefaultsEnforcementPolicy"
    api = start(tenant={"security_defaults_due": "2026-12-10T08:00:00Z"})
    beta = f"{api.emulator.cloud['graph']}/beta{path}"
    assert api.graph("GET", beta).json()["securityDefaultsUpsell"] == {
        "action": "autoEnable",
        "dueDateTime": "2026-12-10T08:00:00Z",
    }
    assert "securityDefaultsUpsell" not in api.graph("GET", path).json()
    api.admin.change("contoso.com", security_defaults_due=0)
    assert api.graph("GET", beta).json()["securityDefaultsUpsell"]["action"] == "none"


def test_users_are_the_mailboxes(api: Api) -> None:
    user = api.graph("GET", "/users/noreply@contoso.com?$select=id,mail,proxyAddresses").json()
    assert user["proxyAddresses"] == ["SMTP:noreply@contoso.com", "smtp:no-reply@contoso.com"]
    assert api.graph("GET", f"/users/{user['id']}").json()["mail"] == "noreply@contoso.com"
    result = api.graph("GET", "/users?$filter=proxyAddresses/any(p:p eq 'smtp:no-reply@contoso.com')&$select=id").json()["value"]
    assert result == [{"id": user["id"]}]
    assert api.graph("GET", "/users/nobody@contoso.com").status_code == 404


def batch(api: Api, *items: dict[str, Any]) -> Any:
    return api.graph("POST", "/$batch", {"requests": list(items)})


def test_batch(api: Api) -> None:
    items = [{"id": str(n), "method": "GET", "url": f"/applications(appId='{app_id('manager')}')?$select=id"} for n in range(19)]
    items.append({"id": "write", "method": "POST", "url": "/applications", "headers": {"Content-Type": "application/json"}, "body": {}})
    answers = batch(api, *items)
    assert answers.status_code == 200
    responses = answers.json()["responses"]
    assert {one["id"]: one["status"] for one in responses} == {str(n): 200 for n in range(19)} | {"write": 400}
    assert [one["id"] for one in responses] != [one["id"] for one in items]  # in any order


def test_batch_urls_may_be_encoded(api: Api) -> None:
    url = f"/applications%28appId%3D%27{app_id('manager')}%27%29?%24select=displayName"
    answer = batch(api, {"id": "1", "method": "GET", "url": url}).json()["responses"][0]
    assert (answer["status"], answer["body"]["displayName"]) == (200, "manager")


def test_batch_depends_on(api: Api) -> None:
    items: list[dict[str, Any]] = [
        {"id": "1", "method": "GET", "url": f"/applications/{UNKNOWN}"},
        {"id": "2", "method": "GET", "url": "/organization", "dependsOn": ["1"]},
        {"id": "3", "method": "GET", "url": "/organization"},
        {"id": "4", "method": "GET", "url": "/organization", "dependsOn": ["3"]},
    ]
    responses = {one["id"]: one for one in batch(api, *items).json()["responses"]}
    assert {name: one["status"] for name, one in responses.items()} == {"1": 404, "2": 424, "3": 200, "4": 200}
    assert responses["2"]["body"]["error"]["code"] == "FailedDependency"


@pytest.mark.parametrize(
    "items",
    [
        [{"id": str(n), "method": "GET", "url": "/organization"} for n in range(21)],
        [{"id": "1", "method": "GET", "url": "/organization"}] * 2,
        [{"id": "1", "method": "POST", "url": "/applications", "body": {"displayName": "x"}}],
        [{"id": "1", "url": "/organization"}],
        [],
    ],
)
def test_bad_batches_fail_as_a_whole(api: Api, items: list[dict[str, Any]]) -> None:
    assert refused(batch(api, *items))[:2] == (400, "BadRequest")


def test_batch_items_throttle_for_themselves(api: Api) -> None:
    api.admin.fault("graph", "throttled", match={"path": "/domains"}, options={"retry_after": 3})
    items = [{"id": "1", "method": "GET", "url": "/organization"}, {"id": "2", "method": "GET", "url": "/domains"}]
    responses = {one["id"]: one for one in batch(api, *items).json()["responses"]}
    assert (responses["1"]["status"], responses["2"]["status"]) == (200, 429)
    assert responses["2"]["headers"]["Retry-After"] == "3"
    assert batch(api, items[1]).json()["responses"][0]["status"] == 200


def test_a_fault_of_the_batch_itself(api: Api) -> None:
    api.admin.fault("graph", "unavailable", match={"path": r"/\$batch"})
    assert batch(api, {"id": "1", "method": "GET", "url": "/organization"}).status_code == 503
    assert api.admin.faults()[0]["used"] == 1


def test_throttling_and_outage(api: Api) -> None:
    api.admin.fault("graph", "throttled", match={"path": "^/organization", "method": "get"}, options={"retry_after": 5})
    answer = api.graph("GET", "/organization")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    api.admin.fault("graph", "unavailable", count=2)
    assert [api.graph("GET", "/organization").status_code for _ in range(3)] == [503, 503, 200]


def test_grant_applied_but_answered_404(api: Api, exchange: dict[str, Any]) -> None:
    principal = api.new_principal("faults: applied")
    api.admin.fault("graph", "applied_404", match={"path": "/oauth2PermissionGrants", "method": "POST"})
    grant = {"clientId": principal["id"], "consentType": "AllPrincipals", "resourceId": exchange["id"], "scope": "SMTP.Send"}
    assert api.graph("POST", "/oauth2PermissionGrants", grant).status_code == 404
    assert len(api.graph("GET", f"/servicePrincipals/{principal['id']}/oauth2PermissionGrants").json()["value"]) == 1


def test_claims_challenge_is_answered_by_a_token_with_claims(api: Api) -> None:
    api.admin.fault("graph", "claims_challenge", count=100)
    answer = api.graph("GET", "/organization")
    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in answer.headers["WWW-Authenticate"]
    token = api.new_token("manager", GRAPH, claims='{"access_token":{}}')
    headers = {"Authorization": f"Bearer {token}"}
    assert api.session.get(f"{api.emulator.cloud['graph']}/v1.0/organization", headers=headers).status_code == 200
    assert api.graph("GET", "/organization").status_code == 401


def test_expired_page_token(start: Start) -> None:
    api = start()
    link = api.graph("GET", "/users?$top=5").json()["@odata.nextLink"]
    api.admin.fault("graph", "expired_nextlink")
    assert refused(api.graph("GET", link))[:2] == (400, "Directory_ExpiredPageToken")
    assert len(api.graph("GET", link).json()["value"]) == 5


def test_explicit_fault(api: Api) -> None:
    api.admin.fault("graph", status=502, body={"error": {"code": "x"}}, headers={"X-Test": "1"})
    answer = api.graph("GET", "/organization")
    assert (answer.status_code, answer.headers["X-Test"], answer.json()) == (502, "1", {"error": {"code": "x"}})
