"""The identity endpoints of Azure's machines and services, with msal's own client."""

from __future__ import annotations

from typing import Any

import msal
import pytest
import requests

from tests.emulator.conftest import TENANT, Api, Start
from tests.emulator.test_token import claims_of

SYSTEM, USER = "5a000000-0000-4000-8000-000000000001", "5a000000-0000-4000-8000-000000000002"
EXCHANGE = "https://outlook.office365.com"


def _identity(client_id: str, explicit: bool) -> dict[str, Any]:
    return {
        "app_id": client_id,
        "display_name": "runner" if explicit else "vm1",
        "app_roles": ["Office 365 Exchange Online/Exchange.ManageAsApp"],
        "directory_roles": ["Global Reader"],
        "properties": {"servicePrincipalType": "ManagedIdentity", "alternativeNames": [f"isExplicit={explicit}"]},
    }


@pytest.fixture
def host(start: Start, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A machine with an identity of its own and another that was assigned to it."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    api = start(
        settings={"options": {"identity_header": "h3ader"}},
        tenant={"enterprise_applications": [_identity(SYSTEM, False), _identity(USER, True)]},
    )
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", api.admin.url)
    return api


def ask(identity: Any, resource: str = EXCHANGE) -> dict[str, Any]:
    client = msal.ManagedIdentityClient(identity, http_client=requests.Session())
    return dict(client.acquire_token_for_client(resource=resource))


@pytest.mark.parametrize("platform", ["machine", "service"])
@pytest.mark.parametrize(
    ("identity", "client_id"),
    [(msal.SystemAssignedManagedIdentity(), SYSTEM), (msal.UserAssignedManagedIdentity(client_id=USER), USER)],
)
def test_msal_gets_the_identitys_token(host: Api, monkeypatch: pytest.MonkeyPatch, platform: str, identity: Any, client_id: str) -> None:
    if platform == "service":
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{host.admin.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "h3ader")
    answer = ask(identity)
    claims = claims_of(answer["access_token"])
    assert (claims["appid"], claims["tid"], claims["aud"]) == (client_id, TENANT, EXCHANGE)
    assert claims["roles"] == ["Exchange.ManageAsApp"]
    body = {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": {}}}
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert host.session.post(host.exchange_url(), json=body, headers=headers).status_code == 200


def test_unknown_identity_and_resource_are_refused(host: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = msal.UserAssignedManagedIdentity(client_id="5a000000-0000-4000-8000-00000000000f")
    assert ask(absent) == {"error": "invalid_request", "error_description": "Identity not found"}
    assert "AADSTS500011" in ask(msal.SystemAssignedManagedIdentity(), "https://vault.azure.net")["error_description"]
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{host.admin.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    assert ask(msal.SystemAssignedManagedIdentity())["error_description"] == "401, Unauthorized"


def test_the_metadata_header_is_needed(host: Api) -> None:
    answer = requests.get(f"{host.admin.url}/metadata/identity/oauth2/token?resource={EXCHANGE}", timeout=10)
    assert (answer.status_code, answer.json()["error_description"]) == (400, "Required metadata header not specified")


def test_host_without_identities(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", start().admin.url)
    assert ask(msal.SystemAssignedManagedIdentity())["error_description"] == "Identity not found"


def test_an_identity_stands_for_an_application(host: Api) -> None:
    """The exchange: its token, made out for the exchange, is the application's credential."""
    application = host.new_principal("Federated")["appId"]
    identity = next(sp for sp in host.graph("GET", "/servicePrincipals").json()["value"] if sp["appId"] == USER)
    assert identity["servicePrincipalType"] == "ManagedIdentity"
    body = {"name": "runner", "issuer": f"{host.emulator.cloud['authority']}/{TENANT}/v2.0", "subject": identity["id"],
            "audiences": ["api://AzureADTokenExchange"]}  # fmt: skip
    assert host.graph("POST", f"/applications(appId='{application}')/federatedIdentityCredentials", body).status_code == 201
    assertion = ask(msal.UserAssignedManagedIdentity(client_id=USER), "api://AzureADTokenExchange")["access_token"]
    client = msal.ConfidentialClientApplication(
        application, client_credential={"client_assertion": lambda: assertion}, http_client=host.session,
        authority=f"{host.emulator.cloud['authority']}/{TENANT}", instance_discovery=False,
    )  # fmt: skip
    assert "access_token" in client.acquire_token_for_client(["https://graph.microsoft.com/.default"])
