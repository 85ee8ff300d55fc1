"""The token endpoint: what it issues, to whom, and how it refuses."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any

import jwt
import msal
import pytest

from tests.emulator.conftest import EXCHANGE, GRAPH, TENANT, Api, KeyPair, Start, app_id

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def form(app: str = "manager", **changes: str) -> dict[str, str]:
    expected = {"grant_type": "client_credentials", "client_id": app_id(app), "client_secret": f"{app}-secret", "scope": GRAPH}
    return {name: value for name, value in (expected | changes).items() if value}


def refused(api: Api, tenant: str = TENANT, **fields: str) -> tuple[int, str, int, str]:
    answer = api.token_answer(tenant, **fields)
    body = answer.json()
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    for part in ("Trace ID: ", "Correlation ID: ", "Timestamp: "):
        assert part in body["error_description"]
    assert body["trace_id"]
    assert body["correlation_id"]
    return answer.status_code, body["error"], body["error_codes"][0], body["error_description"]


def test_token_has_the_documented_claims(api: Api) -> None:
    answer = api.token_answer("contoso.com", **form()).json()
    assert (answer["token_type"], answer["expires_in"], answer["ext_expires_in"]) == ("Bearer", 3599, 3599)
    claims = claims_of(answer["access_token"])
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert claims["tid"] == TENANT
    assert claims["appid"] == app_id("manager")
    assert claims["ver"] == "1.0"
    assert "Application.ReadWrite.All" in claims["roles"]
    assert "Exchange.ManageAsApp" not in claims["roles"]
    assert claims["wids"] == ["29232cdf-9323-42fd-ade2-1d097af3e4de"]
    assert claims["exp"] - claims["iat"] == 3599


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        (EXCHANGE, "https://outlook.office365.com"),
        ("https://outlook.office.com/.default", "https://outlook.office.com"),
        ("https://outlook.office365.us/.default", "https://outlook.office365.us"),
        ("00000002-0000-0ff1-ce00-000000000000/.default", "00000002-0000-0ff1-ce00-000000000000"),
    ],
)
def test_exchange_audiences(api: Api, scope: str, audience: str) -> None:
    claims = claims_of(api.new_token("manager", scope))
    assert claims["aud"] == audience
    assert claims["roles"] == ["Exchange.ManageAsApp"]


def test_own_origin_as_audience_serves_both(api: Api) -> None:
    origin = api.emulator.cloud["graph"]
    token = api.new_token("manager", f"{origin}/.default")
    assert {"Application.ReadWrite.All", "Exchange.ManageAsApp"} <= set(claims_of(token)["roles"])
    headers = {"Authorization": f"Bearer {token}"}
    assert api.session.get(f"{origin}/v1.0/organization", headers=headers).status_code == 200
    body = {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": {}}}
    assert api.session.post(api.exchange_url(), json=body, headers=headers).status_code == 200


def test_signature_verifies_with_the_published_key(api: Api) -> None:
    token = api.new_token("manager", GRAPH)
    document = api.session.get(f"{api.emulator.cloud['authority']}/{TENANT}/v2.0/.well-known/openid-configuration").json()
    assert document["token_endpoint"].endswith(f"/{TENANT}/oauth2/v2.0/token")
    keys = {key["kid"]: key for key in api.session.get(document["jwks_uri"]).json()["keys"]}
    key = jwt.PyJWK(keys[jwt.get_unverified_header(token)["kid"]], "RS256")
    assert jwt.decode(token, key.key, algorithms=["RS256"], audience="https://graph.microsoft.com")["tid"] == TENANT


def test_bare_application_has_no_roles_claim(api: Api) -> None:
    assert "roles" not in claims_of(api.new_token("bare", GRAPH))


@pytest.mark.parametrize(
    ("tenant", "fields", "status", "error", "code"),
    [
        (TENANT, {"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        (TENANT, {"client_id": UNKNOWN}, 400, "unauthorized_client", 700016),
        (UNKNOWN, {}, 400, "invalid_request", 90002),
        ("nowhere.example", {}, 400, "invalid_request", 90002),
        ("nowhere", {}, 400, "invalid_request", 900023),
        (TENANT, {"client_secret": ""}, 401, "invalid_client", 7000218),
        (TENANT, {"scope": "https://vault.azure.net/.default"}, 400, "invalid_resource", 500011),
        (TENANT, {"scope": "https://graph.microsoft.com/Mail.Send"}, 400, "invalid_scope", 1002012),
        (TENANT, {"scope": ""}, 400, "invalid_request", 900144),
        (TENANT, {"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_refusals(api: Api, tenant: str, fields: dict[str, str], status: int, error: str, code: int) -> None:
    assert refused(api, tenant, **form(**fields))[:3] == (status, error, code)


def test_malformed_request(api: Api) -> None:
    url = f"{api.emulator.cloud['authority']}/{TENANT}/oauth2/v2.0/token"
    answer = api.session.post(url, json=form())
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [9002313])


def test_another_tenants_application_is_unknown(api: Api) -> None:
    assert refused(api, "fabrikam.onmicrosoft.com", **form())[2] == 700016


def test_expired_secret(start: Start) -> None:
    api = start()
    tenant = api.admin.tenant("contoso.com")
    application = next(a for a in tenant["applications"] if a["display_name"] == "reader")
    api.admin.change("contoso.com", "applications", application["app_id"], secrets=[{"value": "reader-secret", "end": time.time() - 1}])
    assert refused(api, **form("reader"))[2] == 7000222


def test_disabled_application_and_principal_get_no_token(start: Start) -> None:
    api = start()
    for app, change in (
        ("reader", {"properties": {"isDisabled": True}}),
        ("owner", {"service_principal": {"properties": {"accountEnabled": False}}}),
    ):
        assert api.token_answer(**form(app)).status_code == 200
        api.admin.change("contoso.com", "applications", app_id(app), **change)
        assert refused(api, **form(app))[2] == 7000112


def test_application_without_service_principal(api: Api) -> None:
    application = api.new_application("token: no principal")
    secret = api.graph("POST", f"/applications/{application['id']}/addPassword", {"passwordCredential": {}}).json()["secretText"]
    assert refused(api, **form(client_id=application["appId"], client_secret=secret))[2] == 7000229
    api.graph("POST", "/servicePrincipals", {"appId": application["appId"]})
    assert api.token_answer(**form(client_id=application["appId"], client_secret=secret)).status_code == 200


def test_roles_are_those_at_the_time_of_issue(api: Api) -> None:
    principal = api.new_principal("token: roles at issue")
    application = api.graph("GET", f"/applications(appId='{principal['appId']}')").json()
    secret = api.graph("POST", f"/applications/{application['id']}/addPassword", {}).json()["secretText"]
    fields = form(client_id=principal["appId"], client_secret=secret, scope=EXCHANGE)
    assert "roles" not in claims_of(api.token_answer(**fields).json()["access_token"])
    exchange = api.graph("GET", "/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')").json()
    role = next(r["id"] for r in exchange["appRoles"] if r["value"] == "SMTP.SendAsApp")
    grant = {"principalId": principal["id"], "resourceId": exchange["id"], "appRoleId": role}
    assert api.graph("POST", f"/servicePrincipals/{exchange['id']}/appRoleAssignedTo", grant).status_code == 201
    assert claims_of(api.token_answer(**fields).json()["access_token"])["roles"] == ["SMTP.SendAsApp"]


def test_consent_and_secret_arrive_late(start: Start) -> None:
    api = start({"lag": {"credential": 60, "app_role_assignment": 300}})
    api.admin.stop_clock()
    application = api.graph("GET", f"/applications(appId='{app_id('reader')}')").json()
    secret = api.graph("POST", f"/applications/{application['id']}/addPassword", {}).json()["secretText"]
    assert refused(api, **form("reader", client_secret=secret))[2] == 7000215
    graph = api.graph("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json()
    role = next(r["id"] for r in graph["appRoles"] if r["value"] == "Domain.Read.All")
    reader = api.graph("GET", f"/servicePrincipals(appId='{app_id('reader')}')").json()
    grant = {"principalId": reader["id"], "resourceId": graph["id"], "appRoleId": role}
    assert api.graph("POST", f"/servicePrincipals/{graph['id']}/appRoleAssignedTo", grant).status_code == 201
    api.admin.advance(61)
    assert "Domain.Read.All" not in claims_of(api.new_token("reader", GRAPH, client_secret=secret))["roles"]
    api.admin.advance(240)
    assert "Domain.Read.All" in claims_of(api.new_token("reader", GRAPH, client_secret=secret))["roles"]


def assertion(pair: KeyPair, audience: str, algorithm: str = "PS256", **changes: Any) -> str:
    now = int(time.time())
    client = app_id("manager")
    claims = {"aud": audience, "iss": client, "sub": client, "jti": str(uuid.uuid4()), "nbf": now, "exp": now + 600} | changes
    if algorithm == "PS256":
        header = {"x5t#S256": base64.urlsafe_b64encode(pair.sha256).decode().rstrip("=")}
    else:
        header = {"x5t": base64.urlsafe_b64encode(bytes.fromhex(pair.thumbprint)).decode().rstrip("=")}
    return jwt.encode(claims, pair.key, algorithm, header)


@pytest.fixture
def with_certificate(api: Api, key_pair: KeyPair) -> Api:
    api.admin.change("contoso.com", "applications", app_id("manager"), certificates=[{"pem": key_pair.pem}])
    return api


def endpoint(api: Api, tenant: str = TENANT) -> str:
    return f"{api.emulator.cloud['authority']}/{tenant}/oauth2/v2.0/token"


def by_assertion(value: str) -> dict[str, str]:
    return form(client_secret="", client_assertion=value, client_assertion_type=ASSERTION_TYPE)


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_certificate_assertion(with_certificate: Api, key_pair: KeyPair, algorithm: str) -> None:
    api = with_certificate
    fields = by_assertion(assertion(key_pair, endpoint(api), algorithm))
    assert claims_of(api.token_answer(**fields).json()["access_token"])["appidacr"] == "2"


def test_assertion_refusals(with_certificate: Api, key_pair: KeyPair) -> None:
    api, other, now = with_certificate, KeyPair(), int(time.time())
    forged = KeyPair()
    forged.sha256 = key_pair.sha256  # names the registered certificate, signs with another key
    cases = {
        assertion(other, endpoint(api)): 700027,
        assertion(forged, endpoint(api)): 700027,
        assertion(key_pair, endpoint(api), nbf=now - 7200, exp=now - 3600): 700024,
        assertion(key_pair, endpoint(api), nbf=now + 3600, exp=now + 7200): 700024,
        assertion(key_pair, endpoint(api), sub=UNKNOWN): 700021,
        assertion(key_pair, endpoint(api, UNKNOWN)): 700023,
        assertion(key_pair, "https://evil.example/oauth2/v2.0/token"): 700023,
        "not.a.jwt": 50027,
    }
    for value, code in cases.items():
        assert refused(api, **by_assertion(value))[:3] == (401, "invalid_client", code)


def test_expired_certificate(start: Start) -> None:
    old = KeyPair(days=2, start_days_ago=5)
    api = start()
    api.admin.change("contoso.com", "applications", app_id("manager"), certificates=[{"pem": old.pem}])
    answer = refused(api, **by_assertion(assertion(old, endpoint(api))))
    assert answer[2] == 700027
    assert "The key used is expired" in answer[3]


def msal_client(api: Api, credential: Any, authority: str = "contoso.onmicrosoft.com") -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        app_id("manager"),
        client_credential=credential,
        authority=f"{api.emulator.cloud['authority']}/{authority}",
        instance_discovery=False,
        verify=api.emulator.cloud["ca_file"],
    )


@pytest.fixture
def own_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would win over msal's verify
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("own_trust")
def test_unmodified_msal_with_a_secret(api: Api) -> None:
    client = msal_client(api, "manager-secret")
    assert claims_of(client.acquire_token_for_client([GRAPH])["access_token"])["aud"] == "https://graph.microsoft.com"
    assert client.acquire_token_for_client([GRAPH])["token_source"] == "cache"
    refusal = msal_client(api, "wrong").acquire_token_for_client([GRAPH])
    assert refusal["error_codes"] == [7000215]


@pytest.mark.usefixtures("own_trust")
@pytest.mark.parametrize("thumbprint", [True, False])
def test_unmodified_msal_with_a_certificate(with_certificate: Api, key_pair: KeyPair, thumbprint: bool) -> None:
    credential = {"private_key": key_pair.private_pem, "public_certificate": key_pair.pem}
    if thumbprint:
        credential = {"private_key": key_pair.private_pem, "thumbprint": key_pair.thumbprint}
    client = msal_client(with_certificate, credential, TENANT)
    for scope in (GRAPH, EXCHANGE):  # msal sends the same assertion twice
        assert "access_token" in client.acquire_token_for_client([scope])


def test_faults(api: Api) -> None:
    api.admin.fault("token", "AADSTS700016", count=1)
    api.admin.fault("token", status=503, headers={"Retry-After": "7"}, count=1)
    assert refused(api, **form())[2] == 700016
    answer = api.token_answer(**form())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert api.token_answer(**form()).status_code == 200
