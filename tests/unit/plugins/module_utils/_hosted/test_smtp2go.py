"""The client of SMTP2GO's API: forms of answers that the emulator does not give, refusals, lost answers, secrets."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import HostedRelayError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._hosted.smtp2go import Smtp2GoDomains
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport

from ....conftest import FakeClock
from ....script import Script

KEY = "api-" + "a1B2" * 8
DOMAIN = {
    "fulldomain": "Contoso.com", "dkim_selector": "s1", "dkim_value": "dkim.smtp2go.net.", "dkim_verified": True, "dkim_status": "",
    "rpath_selector": "em1", "rpath_value": "return.smtp2go.net", "rpath_verified": False, "rpath_status": "not found",
}  # fmt: skip


def answer(*domains: dict[str, Any]) -> dict[str, Any]:
    return {"request_id": "r1", "data": {"domains": [{"domain": domain, "trackers": []} for domain in domains]}}


@pytest.fixture
def client(transport: Transport) -> Smtp2GoDomains:
    return Smtp2GoDomains(transport, "https://eu-api.smtp2go.example/v3/", KEY, "eu")


def test_names_are_made_of_selectors(client: Smtp2GoDomains, script: Script) -> None:
    other = DOMAIN | {"fulldomain": "fabrikam.com"}
    script.expect("POST", "/v3/domain/view").header("X-Smtp2go-Api-Key", KEY).json_body({}).answers(200, answer(DOMAIN, other))
    [domain] = client.read(["contoso.com"])
    assert (domain.id, domain.return_path, domain.valid) == ("contoso.com", "em1.contoso.com", False)
    assert [(one.name, one.value, one.valid, one.reason) for one in domain.records] == [
        ("em1.contoso.com", "return.smtp2go.net", False, "not found"), ("s1._domainkey.contoso.com", "dkim.smtp2go.net", True, ""),
    ]  # fmt: skip


def test_create_is_not_repeated_after_a_lost_answer(client: Smtp2GoDomains, script: Script) -> None:
    script.expect("POST", "/v3/domain/add").json_body({"domain": "contoso.com", "returnpath_subdomain": "em1"}).fails(TimeoutError("lost"))
    with pytest.raises(Unreachable):
        client.create("contoso.com", "em1")
    assert len(script.requests) == 1


def test_answer_without_the_domain_is_an_error(client: Smtp2GoDomains, script: Script) -> None:
    script.expect("POST", "/v3/domain/add").answers(200, answer())
    with pytest.raises(HostedRelayError, match=r"without the domain contoso\.com"):
        client.create("contoso.com", "em1")


@pytest.mark.parametrize("data", [["/domain/add"], [{"request_id": "r1", "data": ["/domain/add"]}]])
def test_permissions_are_read_in_both_forms(client: Smtp2GoDomains, script: Script, data: Any) -> None:
    script.expect("POST", "/v3/api_keys/permissions").answers(200, {"request_id": "r1", "data": data})
    assert client.missing_rights("create", "verify", "remove") == ["/domain/remove", "/domain/verify"]


@pytest.mark.parametrize(("status", "body", "code", "text"), [
    (400, {"request_id": "r7", "data": {"error": "No.", "error_code": "E_ApiResponseCodes.ENDPOINT_PERMISSION_DENIED"}},
     "ENDPOINT_PERMISSION_DENIED", "the API key lacks the permission"),
    (400, {"request_id": "r7", "error": "Bad.", "error_code": "E_ApiResponseCodes.NON_VALIDATING_IN_PAYLOAD"},
     "NON_VALIDATING_IN_PAYLOAD", "the service answered NON_VALIDATING_IN_PAYLOAD: Bad. [request r7]"),
    (401, {"data": {"error": "no", "error_code": "E_ApiResponseCodes.API_EXCEPTION"}}, "API_EXCEPTION", "does not accept the API key"),
    (403, "<html>", "403", "the API key lacks the permission"),
    (200, "no JSON", "200", "the service answered 200: no JSON"),
])  # fmt: skip
def test_refusal_names_cause_and_remedy(client: Smtp2GoDomains, script: Script, status: int, body: Any, code: str, text: str) -> None:
    script.expect("POST", "/v3/domain/view").answers(status, body)
    with pytest.raises(HostedRelayError) as caught:
        client.read(["contoso.com"])
    assert text in str(caught.value)
    assert caught.value.code == code


def test_answer_that_repeats_the_key_is_hidden(client: Smtp2GoDomains, script: Script) -> None:
    script.expect("POST", "/v3/domain/view").answers(400, {"data": {"error": f"bad key {KEY}", "error_code": "E_X.API_EXCEPTION"}})
    with pytest.raises(HostedRelayError) as caught:
        client.read(["contoso.com"])
    assert KEY not in str(caught.value.as_result())


def test_throttled_account_is_left_alone_for_a_minute(client: Smtp2GoDomains, script: Script, clock: FakeClock) -> None:
    script.expect("POST", "/v3/domain/view").answers(429)
    script.expect("POST", "/v3/domain/view").answers(200, answer())
    assert client.read(["contoso.com"]) == []
    assert 54 <= clock.slept[0] <= 66
