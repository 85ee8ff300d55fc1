# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-ins without a credential of one's own, through the real msal: federated, managed identity, device code."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import SignInError
from ansible_collections.mailops.m365.plugins.module_utils._http import clouds
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport
from ansible_collections.mailops.m365.plugins.module_utils._identity import methods
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_cache import TokenCache
from ansible_collections.mailops.m365.plugins.module_utils._identity.tokens import TokenSource

from ....conftest import CLIENT, TENANT, FakeClock
from ....script import Script
from .test_methods import BEARER, JWT, URL
from .test_tokens import DISCOVERY, DOCUMENT, EXCHANGE, GRAPH, TOKEN, granted, refused

ASSERTION = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "grant_type": "client_credentials"}
IMDS = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://outlook.office365.com"
Signed = Callable[..., TokenSource]


@pytest.fixture
def signed(transport: Transport, tmp_path: Path) -> Signed:
    def make(prompt: Any = None, client_id: str = CLIENT, cloud: str = "global", **params: Any) -> TokenSource:
        credential = methods.load(methods.CredentialOptions(**params), prompt)
        return TokenSource(clouds.CLOUDS[cloud], TENANT, client_id, credential, TokenCache(str(tmp_path / "run")), transport)

    return make


# -- federated --------------------------------------------------------------------------------------------------------


def test_a_token_file_is_read_anew_for_each_sign_in(signed: Signed, script: Script, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(JWT + "\n")
    tokens = signed(federated_token_file=str(file))
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_assertion=JWT, client_id=CLIENT, scope=GRAPH, **ASSERTION).answers(200, granted(1))
    assert tokens.token(GRAPH) == "granted-1"
    file.write_text("new.er.token")
    script.expect("POST", TOKEN).form(client_assertion="new.er.token", scope=EXCHANGE, **ASSERTION).answers(200, granted(2))
    assert tokens.token(EXCHANGE) == "granted-2"


def test_a_job_has_its_token_in_a_variable(signed: Signed, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M365_ID_TOKEN", JWT)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_assertion=JWT, **ASSERTION).answers(200, granted(1))
    assert signed(federated_token_variable="M365_ID_TOKEN").token(GRAPH) == "granted-1"


@pytest.mark.parametrize(("url", "query"), [(URL, "&audience="), ("https://pipelines.example.net/idtoken", "?audience=")])
def test_github_issues_a_token_for_the_clouds_audience(signed: Signed, script: Script, url: str, query: str) -> None:
    script.expect("GET", f"{url}{query}api%3A%2F%2FAzureADTokenExchange").header("Authorization", f"Bearer {BEARER}").answers(
        200, {"count": 1, "value": JWT}
    )
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_assertion=JWT, **ASSERTION).answers(200, granted(1))
    assert signed(federated_request_url=url, federated_request_token=BEARER).token(GRAPH) == "granted-1"


NO_TOKEN = [(401, f"bad bearer {BEARER}"), (200, {"count": 0}), (200, "<html>"), (200, {"value": f"x{JWT}.y"})]


@pytest.mark.parametrize(("status", "body"), NO_TOKEN)
def test_job_without_the_permission_is_reported(signed: Signed, script: Script, status: int, body: Any) -> None:
    script.expect("GET", f"{URL}&audience=api%3A%2F%2FAzureADTokenExchange").answers(status, body)
    with pytest.raises(SignInError, match=r"Could not get this job's identity token.*permission id-token: write") as raised:
        signed(federated_request_url=URL, federated_request_token=BEARER).token(GRAPH)
    for secret in (BEARER, JWT):
        assert secret not in str(raised.value) + repr(raised.value) + raised.value.service_message


PIPELINE = "https://dev.azure.com/contoso/mail/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken"
CONNECTION = "5f0c6a52-4d0e-4f33-8f5c-1d6a4b6f0e11"


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a step of Azure Pipelines."""
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", f"{PIPELINE}/")
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", BEARER)
    monkeypatch.setenv("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", CONNECTION)
    return monkeypatch


def test_azure_pipelines_issues_a_token_for_each_sign_in(signed: Signed, script: Script, pipeline: pytest.MonkeyPatch) -> None:
    """It is valid for ten minutes, and a run may take longer."""
    tokens, url = signed(), f"{PIPELINE}?api-version=7.1&serviceConnectionId={CONNECTION}"
    for number, (scope, token) in enumerate(((GRAPH, JWT), (EXCHANGE, "new.er.token")), 1):
        script.expect("POST", url).header("Authorization", f"Bearer {BEARER}").answers(200, {"oidcToken": token})
        if number == 1:
            script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
        script.expect("POST", TOKEN).form(client_assertion=token, scope=scope, **ASSERTION).answers(200, granted(number))
        assert tokens.token(scope) == f"granted-{number}"


def test_pipeline_without_a_service_connection_has_a_token_of_its_own(signed: Signed, script: Script, pipeline: pytest.MonkeyPatch) -> None:
    pipeline.delenv("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")
    script.expect("POST", f"{PIPELINE}?api-version=7.1").answers(200, {"oidcToken": JWT})
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_assertion=JWT, **ASSERTION).answers(200, granted(1))
    assert signed().token(GRAPH) == "granted-1"


@pytest.mark.parametrize(("status", "body"), [(401, f"bad bearer {BEARER}"), (200, {"oidcToken": f"x{JWT}.y"}), (200, "<html>")])
def test_refused_token_of_a_pipeline_is_reported(
    signed: Signed, script: Script, pipeline: pytest.MonkeyPatch, status: int, body: Any,
) -> None:  # fmt: skip
    script.expect("POST", f"{PIPELINE}?api-version=7.1&serviceConnectionId={CONNECTION}").answers(status, body)
    with pytest.raises(SignInError, match=r"identity token.*SYSTEM_ACCESSTOKEN mapped to \$\(System.AccessToken\)") as raised:
        signed().token(GRAPH)
    for secret in (BEARER, JWT):
        assert secret not in str(raised.value) + repr(raised.value) + raised.value.service_message


def test_refused_assertion_is_not_in_the_error(signed: Signed, script: Script, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(JWT)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(401, refused(700213, "invalid_client", f"No matching federated identity record {JWT}."))
    with pytest.raises(SignInError, match="no federated credential of the application matches the presented token") as raised:
        signed(federated_token_file=str(tmp_path / "token")).token(GRAPH)
    assert JWT not in str(raised.value) + raised.value.service_message


# -- managed identity -------------------------------------------------------------------------------------------------


def _access(**claims: str) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


def test_virtual_machine_returns_its_token(signed: Signed, script: Script) -> None:
    token = _access(tid=TENANT)
    script.expect("GET", IMDS).header("Metadata", "true").answers(200, {"access_token": token, "expires_in": "3599"})
    source = signed(client_id="", auth_method="managed_identity")
    assert source.token(EXCHANGE) == token
    assert source.tenant_id(EXCHANGE) == TENANT
    assert script.requests[0].url.startswith("http://169.254.169.254/")


def test_a_user_assigned_identity_is_named(signed: Signed, script: Script) -> None:
    script.expect("GET", f"{IMDS}&client_id={CLIENT}").answers(200, {"access_token": "opaque", "expires_in": "3599"})
    source = signed(client_id="", managed_identity_client_id=CLIENT)
    assert source.token(EXCHANGE) == "opaque"
    assert source.tenant_id(EXCHANGE) == TENANT


def test_app_service_has_its_own_token_endpoint(signed: Signed, script: Script, monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:41234/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h3ader-secret")
    expected = script.expect("GET", "/msi/token?api-version=2019-08-01&resource=https://outlook.office365.com")
    expected.header("X-IDENTITY-HEADER", "h3ader-secret").answers(200, {"access_token": "a", "expires_on": "1893456000"})
    assert signed(client_id="").token(EXCHANGE) == "a"


def test_platform_refusal_is_reported_without_its_header(signed: Signed, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:41234/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h3ader-secret")
    expected = script.expect("GET", "/msi/token?api-version=2019-08-01&resource=https://outlook.office365.com")
    expected.answers(400, {"statusCode": 400, "message": "No identity for h3ader-secret"})
    with pytest.raises(SignInError, match=r"managed identity.*no token for the system-assigned identity: 400, No") as raised:
        signed(client_id="").token(EXCHANGE)
    assert "h3ader-secret" not in str(raised.value)


@pytest.mark.parametrize("content", ["<html>", "[]"])
def test_another_answer_is_a_sentence(signed: Signed, script: Script, content: str) -> None:
    script.expect("GET", IMDS).answers(404, content)
    with pytest.raises(SignInError, match="the platform's answer for the system-assigned identity could not be used"):
        signed(client_id="", auth_method="managed_identity").token(EXCHANGE)


def test_host_without_an_identity_is_reported(signed: Signed, script: Script) -> None:
    script.expect("GET", IMDS).fails(ConnectionError("the connection was refused")).times(3)
    with pytest.raises(SignInError, match=r"no managed identity answers on this machine .*m365_auth_method"):
        signed(client_id="", auth_method="managed_identity").token(EXCHANGE)


def test_an_identity_may_stand_for_an_application(signed: Signed, script: Script) -> None:
    target = f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api://AzureADTokenExchangeUSGov&client_id={CLIENT}"
    script.expect("GET", target).answers(200, {"access_token": JWT, "expires_in": "3599"})
    place = {name: url.replace("microsoftonline.com", "microsoftonline.us") for name, url in DOCUMENT.items()}
    script.expect("GET", DISCOVERY.replace(".com", ".us")).answers(200, place)
    script.expect("POST", TOKEN.replace(".com", ".us")).form(client_assertion=JWT, **ASSERTION).answers(200, granted(1))
    tokens = signed(cloud="gcc-high", auth_method="federated", managed_identity_client_id=CLIENT)
    assert tokens.token("https://graph.microsoft.us/.default") == "granted-1"


# -- device code ------------------------------------------------------------------------------------------------------

DEVICE = TOKEN.replace("/token", "/devicecode")
CODE = {"device_code": "d3vice", "user_code": "ABCD1234", "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900,
        "interval": 5, "message": "To sign in, open https://microsoft.com/devicelogin and enter ABCD1234."}  # fmt: skip
KNOWN = DOCUMENT | {"device_authorization_endpoint": DEVICE}


def _pending(error: str = "authorization_pending") -> dict[str, Any]:
    return {"error": error, "error_description": f"AADSTS70016: {error}", "error_codes": [70016]}


@pytest.mark.filterwarnings("ignore:Attempted too soon")  # the test's clock is not msal's
def test_a_person_is_asked_once_a_run(signed: Signed, script: Script, clock: FakeClock) -> None:
    prompts: list[str] = []
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", DEVICE).form(client_id=CLIENT).answers(200, CODE)
    script.expect("POST", TOKEN).form(device_code="d3vice").answers(400, _pending())
    script.expect("POST", TOKEN).form(device_code="d3vice").answers(400, _pending("slow_down"))
    script.expect("POST", TOKEN).form(device_code="d3vice").answers(200, granted(1) | {"refresh_token": "r3fresh-1"})
    assert signed(prompts.append, auth_method="device_code").token(GRAPH) == "granted-1"
    assert prompts == [f"{TENANT}: {CODE['message']}"]
    assert clock.slept == [5, 10]
    script.expect("POST", TOKEN).form(grant_type="refresh_token", refresh_token="r3fresh-1").answers(200, granted(2))
    assert signed(prompts.append, auth_method="device_code").token(EXCHANGE) == "granted-2"
    assert len(prompts) == 1
    assert EXCHANGE in (script.requests[-1].form or {})["scope"]


@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_unused_device_code_expires(signed: Signed, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", DEVICE).answers(200, CODE | {"expires_in": 10})
    script.expect("POST", TOKEN).answers(400, _pending()).times(2)
    script.expect("POST", TOKEN).answers(400, _pending("expired_token"))
    with pytest.raises(SignInError, match="the code was not used in the time allowed"):
        signed(lambda text: None, auth_method="device_code").token(GRAPH)


def test_application_that_is_not_a_public_client_is_reported(signed: Signed, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", DEVICE).answers(401, refused(7000218, "invalid_client", "The request body must contain client_secret."))
    with pytest.raises(SignInError, match="AADSTS7000218"):
        signed(lambda text: None, auth_method="device_code").token(GRAPH)


def test_a_refresh_token_that_is_refused_asks_again(signed: Signed, script: Script) -> None:
    prompts: list[str] = []
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", DEVICE).answers(200, CODE)
    script.expect("POST", TOKEN).answers(200, granted(1) | {"refresh_token": "r3fresh-1"})
    signed(prompts.append, auth_method="device_code").token(GRAPH)
    script.expect("POST", TOKEN).form(refresh_token="r3fresh-1").answers(400, refused(700082, "invalid_grant", "Expired r3fresh-1."))
    script.expect("POST", DEVICE).answers(200, CODE)
    script.expect("POST", TOKEN).answers(200, granted(2) | {"refresh_token": "r3fresh-2"})
    assert signed(prompts.append, auth_method="device_code").token(EXCHANGE) == "granted-2"
    assert len(prompts) == 2
