# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens through the real msal, with the token endpoint scripted."""

from __future__ import annotations

import base64
import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import SignInError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._http import clouds
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response, Transport
from ansible_collections.mailops.m365.plugins.module_utils._identity import credentials
from ansible_collections.mailops.m365.plugins.module_utils._identity.credentials import ClientSecret
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_cache import TokenCache
from ansible_collections.mailops.m365.plugins.module_utils._identity.tokens import TokenSource
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import CLIENT, SECRET, TENANT, FakeClock, certificate, pem
from ....script import Script, response

DISCOVERY = f"https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"
TOKEN = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
DOCUMENT = {
    "token_endpoint": TOKEN,
    "authorization_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize",
    "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
}
GRAPH = "https://graph.microsoft.com/.default"
EXCHANGE = "https://outlook.office365.com/.default"
Source = Callable[..., TokenSource]


def granted(number: int, life: int = 3599) -> dict[str, Any]:
    return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": f"granted-{number}"}


def refused(code: int, error: str, text: str) -> dict[str, Any]:
    return {
        "error": error,
        "error_description": f"AADSTS{code}: {text} Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-08-21 10:00:00Z",
        "error_codes": [code],
        "trace_id": "t-1",
        "correlation_id": "c-1",
    }


@pytest.fixture
def source(transport: Transport, tmp_path: Path) -> Source:
    def make(directory: str | None = None, credential: Any = None, tenant: str = TENANT) -> TokenSource:
        cache = TokenCache(str(tmp_path / directory) if directory else None)
        return TokenSource(clouds.CLOUDS["global"], tenant, CLIENT, credential or ClientSecret(SECRET), cache, transport)

    return make


def test_a_secret_is_changed_for_a_token(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(
        grant_type="client_credentials", client_id=CLIENT, client_secret=SECRET, scope=GRAPH
    ).answers(200, granted(1))  # fmt: skip
    assert source().token(GRAPH) == "granted-1"


def test_a_certificate_signs_an_assertion(source: Source, script: Script, tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    (tmp_path / "c.pem").write_bytes(pem(rsa_key) + pem(certificate(rsa_key)))
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer", client_id=CLIENT
    ).answers(200, granted(1))  # fmt: skip
    assert source(credential=credentials.load_certificate(str(tmp_path / "c.pem"), None)).token(EXCHANGE) == "granted-1"
    sent = script.requests[1].form or {}
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in sent["client_assertion"].split(".")[:2])
    assert "client_secret" not in sent
    assert (claims["aud"], claims["iss"], claims["sub"]) == (TOKEN, CLIENT, CLIENT)
    assert claims["exp"] - claims["iat"] <= 600
    assert head["alg"] in ("PS256", "RS256")


@pytest.mark.parametrize("directory", [None, "run"])
def test_one_token_per_audience_and_one_discovery_document(source: Source, script: Script, directory: str | None) -> None:
    tokens = source(directory)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(scope=GRAPH).answers(200, granted(1))
    script.expect("POST", TOKEN).form(scope=EXCHANGE).answers(200, granted(2))
    for _ in range(3):
        assert (tokens.token(GRAPH), tokens.token(EXCHANGE)) == ("granted-1", "granted-2")


def test_two_tasks_of_a_run_share_tokens(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1))
    assert source("run").token(GRAPH) == "granted-1"
    assert source("run").token(GRAPH) == "granted-1"
    assert len(script.requests) == 2


def test_another_tenant_has_another_token(source: Source, script: Script) -> None:
    other = TENANT.replace("1", "9")
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1))
    script.expect("GET", DISCOVERY.replace(TENANT, other)).answers(200, json.loads(json.dumps(DOCUMENT).replace(TENANT, other)))
    script.expect("POST", TOKEN.replace(TENANT, other)).answers(200, granted(2))
    assert source("run").token(GRAPH) == "granted-1"
    assert source("run", tenant=other).token(GRAPH) == "granted-2"
    assert source("run", tenant=other.upper()).token(GRAPH) == "granted-2"


def test_a_wrong_credential_is_not_hidden_by_a_right_ones_token(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1))
    script.expect("POST", TOKEN).form(client_secret="wrong").answers(401, {"error": "invalid_client", "error_codes": [7000215]})
    assert source("run").token(GRAPH) == "granted-1"
    with pytest.raises(SignInError, match="the client secret is wrong"):
        source("run", credential=credentials.ClientSecret("wrong")).token(GRAPH)


def test_the_files_are_the_owners_only(source: Source, script: Script, tmp_path: Path) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1))
    source("deep/run").token(GRAPH)
    directory = tmp_path / "deep" / "run"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    files = list(directory.iterdir())
    assert any("granted-1" in file.read_text() for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not any("granted" in file.name or CLIENT in file.name for file in files)


def test_a_broken_cache_file_is_no_token(source: Source, script: Script, tmp_path: Path) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1))
    source("run").token(GRAPH)
    for file in (tmp_path / "run").glob("*.json"):
        file.write_text("{")
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(2))
    assert source("run").token(GRAPH) == "granted-2"


def test_a_token_near_its_end_is_fetched_anew(source: Source, script: Script, clock: FakeClock) -> None:
    tokens = source("run")
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1, 3600))
    tokens.token(GRAPH)
    clock.sleep(3299)
    assert tokens.token(GRAPH) == "granted-1"
    clock.sleep(1)
    script.expect("POST", TOKEN).answers(200, granted(2))
    assert tokens.token(GRAPH) == "granted-2"


def test_a_token_from_the_run_is_renewed_once_and_a_fresh_one_not(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1))
    first, second = source("run"), source("run")
    used = first.token(GRAPH)
    assert first.renewed(GRAPH, used) is None
    assert second.token(GRAPH) == used
    script.expect("POST", TOKEN).answers(200, granted(2))
    assert second.renewed(GRAPH, used) == "granted-2"
    assert second.renewed(GRAPH, "granted-2") is None
    assert first.token(GRAPH) == "granted-2"
    assert first.renewed(GRAPH, used) == "granted-2"


def test_claims_are_passed_on_and_always_fetch(source: Source, script: Script) -> None:
    tokens = source()
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1))
    used = tokens.token(GRAPH)
    claims = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
    script.expect("POST", TOKEN).answers(200, granted(2))
    assert tokens.renewed(GRAPH, used, claims) == "granted-2"
    assert json.loads((script.requests[-1].form or {})["claims"])["access_token"]["nbf"] == {"essential": True, "value": "1"}
    assert tokens.token(GRAPH) == "granted-2"


@pytest.mark.parametrize("directory", [None, "run"])
def test_forgotten_tokens_are_fetched_anew(source: Source, script: Script, directory: str | None) -> None:
    tokens = source(directory)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(scope=GRAPH).answers(200, granted(1))
    script.expect("POST", TOKEN).form(scope=EXCHANGE).answers(200, granted(2))
    tokens.token(GRAPH), tokens.token(EXCHANGE)
    tokens.forget()
    script.expect("POST", TOKEN).form(scope=EXCHANGE).answers(200, granted(3))
    script.expect("POST", TOKEN).form(scope=GRAPH).answers(200, granted(4))
    assert (tokens.token(EXCHANGE), tokens.token(GRAPH)) == ("granted-3", "granted-4")


@pytest.mark.parametrize("directory", [None, "run"])
def test_threads_that_ask_at_once_fetch_once(clock: FakeClock, tmp_path: Path, directory: str | None) -> None:
    asked: list[str] = []

    def sender(request: Request) -> Response:
        asked.append(request.method)
        return response(200, DOCUMENT if request.method == "GET" else granted(1))

    cache = TokenCache(str(tmp_path) if directory else None)
    tokens = TokenSource(clouds.CLOUDS["global"], TENANT, CLIENT, ClientSecret(SECRET), cache, Transport(sender, clock))
    barrier, got = threading.Barrier(8), []

    def ask() -> None:
        barrier.wait()
        got.append(tokens.token(EXCHANGE))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["granted-1"] * 8
    assert asked == ["GET", "POST"]


@pytest.mark.parametrize(
    ("status", "code", "error", "row"),
    [
        (401, 7000215, "invalid_client", "wrong-secret"),
        (401, 7000222, "invalid_client", "expired-secret"),
        (400, 700016, "unauthorized_client", "unknown-application"),
        (401, 700027, "invalid_client", "wrong-certificate"),
        (401, 99999, "invalid_client", "invalid-client"),
        (400, 53003, "access_denied", "conditional-access"),
    ],
)
def test_a_refusal_has_its_row(source: Source, script: Script, status: int, code: int, error: str, row: str) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(status, refused(code, error, "No."))
    with pytest.raises(SignInError) as raised:
        source().token(GRAPH)
    failure = raised.value
    assert (failure.code, failure.entry and failure.entry.id, failure.request_id) == (f"AADSTS{code}", row, "t-1")
    assert failure.service_message.strip() == f"AADSTS{code}: No."
    assert str(failure).startswith(f"Could not sign in to {TENANT} as application {CLIENT}: ")


def test_unknown_tenant_is_reported_by_the_discovery(source: Source, script: Script) -> None:
    body = {**refused(90002, "invalid_tenant", f"Tenant '{TENANT}' not found.")}
    script.expect("GET", DISCOVERY).answers(400, body)
    with pytest.raises(SignInError, match="there is no such tenant in this cloud"):
        source().token(GRAPH)


def test_code_is_read_from_the_text_where_the_list_is_missing(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."})
    with pytest.raises(SignInError) as raised:
        source().token(GRAPH)
    assert raised.value.code == "AADSTS7000215"


def test_an_error_without_a_code_keeps_its_name(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(400, {"error": "invalid_scope"})
    with pytest.raises(SignInError, match="the service answered invalid_scope: invalid_scope"):
        source().token(GRAPH)


@pytest.mark.parametrize(("status", "body"), [(200, "<html>proxy</html>"), (302, ""), (403, "<html>blocked</html>"), (200, "[]")])
def test_a_proxys_page_is_not_a_sign_in_service(source: Source, script: Script, status: int, body: str) -> None:
    script.expect("GET", DISCOVERY).answers(status, body)
    with pytest.raises(SignInError, match=f"HTTP {status} is not a token endpoint's answer: check m365_cloud"):
        source("run").token(GRAPH)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(status, body)
    with pytest.raises(SignInError, match="check m365_cloud"):
        source("run").token(GRAPH)


def test_throttled_endpoint_is_retried(source: Source, script: Script, clock: FakeClock) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(429, refused(90033, "temporarily_unavailable", "Busy."), {"Retry-After": "7"})
    script.expect("POST", TOKEN).answers(503)
    script.expect("POST", TOKEN).answers(200, granted(1))
    assert source().token(GRAPH) == "granted-1"
    assert clock.slept[0] == 7.0


def test_a_lasting_fault_of_the_endpoint_is_a_sentence(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(503, "<html>").times(6)
    with pytest.raises(SignInError, match="HTTP 503"):
        source().token(GRAPH)


def test_an_unreachable_endpoint_is_a_sentence(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).fails(ConnectionError("its name does not resolve")).times(3)
    with pytest.raises(Unreachable, match=r"no answer from login\.microsoftonline\.com:443: its name does not resolve"):
        source("run").token(GRAPH)


def test_the_secret_is_in_no_refusal(source: Source, script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(401, refused(7000215, "invalid_client", f"Invalid client secret {SECRET} provided."))
    with pytest.raises(SignInError) as raised:
        source().token(GRAPH)
    assert SECRET not in raised.value.service_message + str(raised.value) + repr(raised.value)
    assert "********" in raised.value.service_message


# -- granted roles ----------------------------------------------------------------------------------------------------


def with_roles(number: int, *roles: str) -> dict[str, Any]:
    payload = base64.urlsafe_b64encode(json.dumps({"idtyp": "app", "roles": roles, "n": number}).encode()).decode().rstrip("=")
    return {**granted(number), "access_token": f"e30.{payload}.x"}


def test_a_role_that_this_run_granted_is_awaited_until_tokens_contain_it(
    script: Script, transport: Transport, clock: FakeClock, tmp_path: Path
) -> None:
    cache = TokenCache(str(tmp_path / "run"))
    cloud = clouds.CLOUDS["global"]
    admin = TokenSource(cloud, TENANT, "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee", ClientSecret(SECRET), cache, transport, 60)
    admin.add_grants(CLIENT.upper(), "graph", ["Policy.Read.All"])
    admin.add_grants(CLIENT, "graph", ["Domain.Read.All"])
    tokens = TokenSource(cloud, TENANT, CLIENT, ClientSecret(SECRET), cache, transport, 60)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    for number, roles in enumerate([(), ("Policy.Read.All",), ("Policy.Read.All", "Domain.Read.All")]):
        script.expect("POST", TOKEN).answers(200, with_roles(number, *roles))
    tokens.token(GRAPH)
    assert [tokens.await_grant("graph") for _ in range(3)] == [True, True, False]
    assert clock.slept == [5, 10]
    assert not admin.await_grant("graph"), "the grants of another application"


def test_a_granted_exchange_role_is_awaited_for_the_wait_timeout(
    script: Script, transport: Transport, clock: FakeClock, tmp_path: Path
) -> None:
    tokens = TokenSource(clouds.CLOUDS["global"], TENANT, CLIENT, ClientSecret(SECRET), TokenCache(None), transport, 30)
    assert not tokens.await_grant("exchange"), "nothing is granted: the refusal is reported at once"
    tokens.add_grants(CLIENT, "exchange")
    assert not tokens.await_grant("graph"), "nothing of Graph is granted"
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    for number in range(3):
        script.expect("POST", TOKEN).answers(200, granted(number))
    tokens.token(EXCHANGE)
    assert [tokens.await_grant("exchange") for _ in range(4)] == [True, True, False, False]
    assert clock.slept == [5, 10]


def test_a_role_of_another_run_is_awaited_for_the_wait_timeout(
    script: Script, transport: Transport, clock: FakeClock, tmp_path: Path
) -> None:
    tokens = TokenSource(clouds.CLOUDS["global"], TENANT, CLIENT, ClientSecret(SECRET), TokenCache(None), transport, 30)
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    for number in range(3):
        script.expect("POST", TOKEN).answers(200, granted(number))
    first = tokens.token(EXCHANGE)
    assert [tokens.await_role("exchange") for _ in range(4)] == [True, True, False, False]
    assert tokens.token(EXCHANGE) != first
    assert (clock.slept, transport.cost.retries) == ([5, 10], 2)
