"""Graph: applications, their credentials, and what the service refuses about them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.emulator.conftest import Api, Start, app_id

UNKNOWN = "11111111-2222-4333-8444-555555555555"


def refused(answer: requests.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    assert {"date", "request-id", "client-request-id"} <= error["innerError"].keys()
    return answer.status_code, error["code"], error["message"]


def test_create_read_change_delete(api: Api) -> None:
    expected = {
        "displayName": "SMTP sender",
        "uniqueName": "apps-crud",
        "signInAudience": "AzureADMyOrg",
        "notes": "managed",
        "tags": ["mailops"],
        "requiredResourceAccess": [
            {
                "resourceAppId": "00000002-0000-0ff1-ce00-000000000000",
                "resourceAccess": [{"id": "7146a1f0-8703-45b3-9eae-527a64c00995", "type": "Role"}],
            }
        ],
    }
    created = api.graph("POST", "/applications", expected)
    assert created.status_code == 201
    body = created.json()
    assert body["@odata.context"].endswith("/v1.0/$metadata#applications/$entity")
    assert expected.items() <= body.items()
    assert len({body["id"], body["appId"]}) == 2
    for path in (f"/applications/{body['id']}", f"/applications(appId='{body['appId']}')", "/applications(uniqueName='apps-crud')"):
        assert api.graph("GET", path).json()["id"] == body["id"]
    assert api.graph("PATCH", f"/applications/{body['id']}", {"web": {"homePageUrl": "https://contoso.com"}, "tags": []}).status_code == 204
    changed = api.graph("GET", f"/applications/{body['id']}").json()
    assert changed["web"]["homePageUrl"] == "https://contoso.com"
    assert changed["web"]["redirectUris"] == []  # complex values merge
    assert changed["tags"] == []  # collections are replaced
    assert api.graph("DELETE", f"/applications/{body['id']}").status_code == 204
    assert refused(api.graph("GET", f"/applications/{body['id']}"))[:2] == (404, "Request_ResourceNotFound")


def test_creating_an_application_creates_no_service_principal(api: Api) -> None:
    body = api.new_application("apps: no principal")
    assert api.graph("GET", f"/servicePrincipals(appId='{body['appId']}')").status_code == 404


def test_names_with_quotes_and_percent_signs(api: Api) -> None:
    name = "50%25 o'clock"
    escaped = quote(name.replace("'", "''"))
    created = api.graph("PATCH", f"/applications(uniqueName='{escaped}')", {"displayName": name}, Prefer="create-if-missing")
    assert (created.status_code, created.json()["uniqueName"]) == (201, name)
    assert api.graph("GET", f"/applications(uniqueName='{escaped}')").json()["id"] == created.json()["id"]


def test_a_unique_name_cannot_be_filtered(api: Api) -> None:
    status, code, text = refused(api.graph("GET", "/applications?$filter=uniqueName eq 'x'"))
    assert (status, code) == (400, "Request_UnsupportedQuery")
    assert "'uniqueName'" in text


def test_a_unique_name_has_64_characters_at_most(api: Api) -> None:
    def create(length: int) -> requests.Response:
        name = "u" * length
        return api.graph("PATCH", f"/applications(uniqueName='{name}')", {"displayName": name}, Prefer="create-if-missing")

    assert create(64).status_code == 201
    assert refused(create(65))[:2] == (400, "Request_BadRequest")


def test_a_deleted_application_reserves_its_unique_name_even_purged(start: Start) -> None:
    api = start()

    def create(name: str) -> requests.Response:
        return api.graph("PATCH", f"/applications(uniqueName='{name}')", {"displayName": name}, Prefer="create-if-missing")

    reserved = (400, "Request_BadRequest", "Another object with the same value for property uniqueName already exists.")
    purged, restored = create("apps-purged").json(), create("apps-restored").json()
    for application in (purged, restored):
        assert api.graph("DELETE", f"/applications/{application['id']}").status_code == 204
    assert refused(create("apps-purged")) == refused(create("apps-restored")) == reserved
    assert api.graph("POST", f"/directory/deletedItems/{restored['id']}/restore", {}).status_code == 200
    assert create("apps-restored").status_code == 204
    assert api.graph("DELETE", f"/directory/deletedItems/{purged['id']}").status_code == 204
    assert refused(create("apps-purged")) == reserved
    api.admin.advance(30 * 86400 + 1)
    api.forget_tokens()
    assert create("apps-purged").status_code == 201


def test_default_audience_is_the_tenant(api: Api) -> None:
    body = api.graph("POST", "/applications", {"displayName": "apps: audience"}).json()
    assert body["signInAudience"] == "AzureADMyOrg"


def test_upsert_by_unique_name(api: Api) -> None:
    path = "/applications(uniqueName='apps-upsert')"
    assert api.graph("PATCH", path, {"displayName": "One"}).status_code == 404
    created = api.graph("PATCH", path, {"displayName": "One"}, Prefer="create-if-missing")
    assert (created.status_code, created.json()["uniqueName"]) == (201, "apps-upsert")
    assert api.graph("PATCH", path, {"displayName": "Two"}, Prefer="create-if-missing").status_code == 204
    result = api.graph("GET", path).json()
    assert (result["displayName"], result["id"]) == ("Two", created.json()["id"])


def test_unique_name_is_unique_and_set_once(api: Api) -> None:
    first = api.new_application("apps: unique", uniqueName="apps-unique")
    answer = api.graph("POST", "/applications", {"displayName": "x", "uniqueName": "apps-unique"})
    assert refused(answer)[:2] == (400, "Request_BadRequest")
    assert refused(api.graph("PATCH", f"/applications/{first['id']}", {"uniqueName": "other"}))[0] == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"displayName": "x", "colour": "red"}, "Invalid property 'colour'."),
        ({"displayName": "x", "appId": UNKNOWN}, "Property 'appId' is read-only and cannot be set."),
        ({"displayName": "x", "web": {"nonsense": 1}}, "Invalid property 'nonsense'."),
        ({"displayName": 7}, "incorrect type"),
        ({"displayName": "x", "tags": "mailops"}, "incorrect type"),
        ({"displayName": "x", "tags": ["two words"]}, "tags"),
        ({"displayName": "x", "tags": ["x" * 257]}, "tags"),
        ({"displayName": "x", "tags": [""]}, "tags"),
        ({"displayName": "x", "tags": ["x", "x"]}, "Duplicate"),
        ({"displayName": "x", "tags": [str(number) for number in range(1001)]}, "size of the object"),
        (
            {"displayName": "x", "requiredResourceAccess": [{"resourceAppId": "x", "resourceAccess": [{"id": "no", "type": "Role"}]}]},
            "type",
        ),
        ({"displayName": "x", "signInAudience": "Everybody"}, "signInAudience"),
        ({}, "displayName"),
        ({"displayName": "x", "passwordCredentials": [{"secretText": "mine"}]}, "addPassword"),
    ],
)
def test_bodies_are_strict(api: Api, body: dict[str, Any], message: str) -> None:
    status, _, text = refused(api.graph("POST", "/applications", body))
    assert status == 400
    assert message in text


def test_a_refused_patch_changes_nothing(api: Api) -> None:
    body = api.new_application("apps: atomic")
    assert api.graph("PATCH", f"/applications/{body['id']}", {"notes": "new", "colour": "red"}).status_code == 400
    assert api.graph("GET", f"/applications/{body['id']}").json()["notes"] is None


def test_identifiers_and_methods(api: Api) -> None:
    assert refused(api.graph("GET", "/applications/not-a-guid")) == (400, "Request_BadRequest", "Invalid object identifier 'not-a-guid'.")
    assert refused(api.graph("GET", f"/applications/{UNKNOWN}"))[2].startswith(f"Resource '{UNKNOWN}' does not exist or one of")
    assert refused(api.graph("PUT", f"/applications/{UNKNOWN}", {}))[0] == 405
    assert refused(api.graph("GET", "/nonsense"))[0] == 400
    assert api.session.post(f"{api.emulator.cloud['graph']}/v1.0/applications", data="{", headers=_bearer(api)).status_code == 400


def _bearer(api: Api) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.token('manager', 'https://graph.microsoft.com/.default')}"}


def test_filter_select_and_paging(start: Start) -> None:
    api = start()
    for number in range(7):
        api.new_application(f"page {number}", tags=["paged"] if number % 2 else [])
    result = api.graph("GET", "/applications?$filter=displayName eq 'page 3'&$select=id,appId").json()["value"]
    assert [set(one) for one in result] == [{"id", "appId"}]
    names, url, pages = [], "/applications?$top=3&$select=displayName&$filter=startswith(displayName,'page ')", 0
    while url:
        body = api.graph("GET", url).json()
        names += [one["displayName"] for one in body["value"]]
        url, pages = body.get("@odata.nextLink"), pages + 1
    assert sorted(names) == [f"page {number}" for number in range(7)]
    assert pages == 3
    count = lambda query, **headers: len(api.graph("GET", f"/applications?{query}", **headers).json()["value"])  # noqa: E731
    assert count("$filter=tags/any(t:t eq 'paged')") == 3
    assert count("$filter=displayName eq 'page 1' or displayName eq 'page 2'") == 2
    assert count("$filter=displayName in ('page 1','page 5')") == 2
    assert count("$filter=not(displayName eq 'page 1') and startswith(displayName,'page')&$count=true", ConsistencyLevel="eventual") == 6


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("$filter=displayName ne 'x'", "Request_UnsupportedQuery"),
        ("$filter=endsWith(displayName,'x')", "Request_UnsupportedQuery"),
        ("$filter=displayName eq 'x'&$orderby=displayName", "Request_UnsupportedQuery"),
        ("$expand=owners", "Request_UnsupportedQuery"),
        ("$filter=colour eq 'x'", "BadRequest"),
        ("$filter=displayName eq", "BadRequest"),
        ("$select=colour", "BadRequest"),
        ("$skip=3", "BadRequest"),
        ("$top=1000", "Request_BadRequest"),
        ("$skiptoken=abc", "Directory_InvalidPageToken"),
    ],
)
def test_queries_are_strict(api: Api, query: str, code: str) -> None:
    assert refused(api.graph("GET", f"/applications?{query}"))[:2] == (400, code)


def test_enabled_scope_cannot_be_taken_away(api: Api) -> None:
    scope = {
        "id": UNKNOWN,
        "value": "use",
        "type": "User",
        "isEnabled": True,
        "adminConsentDisplayName": "u",
        "adminConsentDescription": "u",
    }
    application = api.new_application("apps: scopes", api={"oauth2PermissionScopes": [scope]})
    path = f"/applications/{application['id']}"
    empty = {"api": {"oauth2PermissionScopes": []}}
    assert refused(api.graph("PATCH", path, empty))[:2] == (400, "CannotDeleteOrUpdateEnabledEntitlement")
    assert api.graph("PATCH", path, {"api": {"oauth2PermissionScopes": [scope | {"isEnabled": False}]}}).status_code == 204
    assert api.graph("PATCH", path, empty).status_code == 204


def test_soft_deletion_and_restore(api: Api) -> None:
    principal = api.new_principal("apps: deleted")
    application = api.graph("GET", f"/applications(appId='{principal['appId']}')").json()
    item = f"/directory/deletedItems/{application['id']}"
    assert api.graph("DELETE", f"/applications/{application['id']}").status_code == 204
    assert api.graph("GET", f"/servicePrincipals/{principal['id']}").status_code == 404
    listed = api.graph("GET", "/directory/deletedItems/microsoft.graph.application").json()["value"]
    assert application["id"] in [one["id"] for one in listed]
    assert api.graph("GET", item).json()["deletedDateTime"]
    assert api.graph("POST", f"{item}/restore").status_code == 200
    assert api.graph("GET", f"/applications/{application['id']}").json()["deletedDateTime"] is None
    assert api.graph("GET", f"/servicePrincipals/{principal['id']}").status_code == 404
    assert api.graph("POST", f"/directory/deletedItems/{principal['id']}/restore").status_code == 200
    assert api.graph("GET", f"/servicePrincipals/{principal['id']}").status_code == 200
    api.graph("DELETE", f"/applications/{application['id']}")
    assert api.graph("DELETE", item).status_code == 204
    assert api.graph("POST", f"{item}/restore").status_code == 404


def test_permissions(api: Api) -> None:
    denied = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    assert api.graph("GET", "/applications", app="reader").status_code == 200
    assert refused(api.graph("POST", "/applications", {"displayName": "x"}, app="reader")) == denied
    assert refused(api.graph("GET", "/applications", app="bare")) == denied
    assert refused(api.graph("GET", "/organization", app="reader")) == denied


def test_owned_by_reaches_own_applications_only(api: Api) -> None:
    own = api.graph("POST", "/applications", {"displayName": "apps: own", "signInAudience": "AzureADMyOrg"}, app="owner").json()
    foreign = api.new_application("apps: foreign")
    assert api.graph("PATCH", f"/applications/{own['id']}", {"notes": "mine"}, app="owner").status_code == 204
    assert api.graph("PATCH", f"/applications/{foreign['id']}", {"notes": "mine"}, app="owner").status_code == 403
    assert api.graph("DELETE", f"/applications/{foreign['id']}", app="owner").status_code == 403
    status, _, text = refused(api.graph("POST", "/servicePrincipals", {"appId": UNKNOWN}, app="owner"))
    assert status == 403
    assert "backing application" in text


def test_tokens_are_checked(api: Api) -> None:
    url = f"{api.emulator.cloud['graph']}/v1.0/applications"
    wrong = api.token("manager", "https://outlook.office365.com/.default")
    cases = {"": "Access token is empty.", f"Bearer {wrong}": "Invalid audience", "Bearer nonsense": "not well formed"}
    for authorization, text in cases.items():
        answer = api.session.get(url, headers={"Authorization": authorization})
        status, code, message = refused(answer)
        assert (status, code) == (401, "InvalidAuthenticationToken")
        assert text in message
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    token = api.token("manager", "https://graph.microsoft.com/.default")
    tampered = f"{token[:-6]}AAAAAA"
    assert "ignature" in refused(api.session.get(url, headers={"Authorization": f"Bearer {tampered}"}))[2]


def test_expired_token(start: Start) -> None:
    api = start({"token_lifetime": 60})
    api.admin.stop_clock()
    assert api.graph("GET", "/applications").status_code == 200
    api.admin.advance(61)
    assert refused(api.graph("GET", "/applications"))[:2] == (401, "InvalidAuthenticationToken")


def test_client_request_id_is_echoed(api: Api) -> None:
    answer = api.graph("GET", f"/applications/{UNKNOWN}", client_request_id="mine")
    assert answer.json()["error"]["innerError"]["client-request-id"] == "mine"
    assert answer.headers["client-request-id"] == "mine"


def test_new_application_has_a_replication_delay(start: Start) -> None:
    api = start({"lag": {"application": 30, "service_principal": 20}})
    api.admin.stop_clock()
    application = api.new_application("late")
    path = f"/applications/{application['id']}"
    assert refused(api.graph("GET", path))[:2] == (404, "Request_ResourceNotFound")
    assert refused(api.graph("PATCH", path, {"notes": "x"}))[:2] == (404, "Request_ResourceNotFound")
    status, _, text = refused(api.graph("POST", "/servicePrincipals", {"appId": application["appId"]}))
    assert (status, "does not reference a valid application object" in text) == (400, True)
    api.admin.advance(31)
    assert api.graph("GET", path).status_code == 200
    principal = api.graph("POST", "/servicePrincipals", {"appId": application["appId"]}).json()
    assert api.graph("GET", f"/servicePrincipals/{principal['id']}").status_code == 404
    exchange = api.graph("GET", "/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')").json()
    grant = {"principalId": principal["id"], "resourceId": exchange["id"], "appRoleId": "7146a1f0-8703-45b3-9eae-527a64c00995"}
    late = api.graph("POST", f"/servicePrincipals/{exchange['id']}/appRoleAssignedTo", grant)
    assert refused(late) == (400, "Request_BadRequest", "Not a valid reference update.")
    api.admin.advance(21)
    assert api.graph("POST", f"/servicePrincipals/{exchange['id']}/appRoleAssignedTo", grant).status_code == 201


def test_beta_is_served_too(api: Api) -> None:
    url = f"{api.emulator.cloud['graph']}/beta/applications(appId='{app_id('manager')}')"
    assert api.graph("GET", url).json()["displayName"] == "manager"
