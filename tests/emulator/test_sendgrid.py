"""SendGrid's API against the emulated DNS: regions, permissions, throttling, validation, one valid authentication of a domain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract import assert_violation, published
from tests.emulator.conftest import Api, Start

RIGHTS = [f"whitelabel.{action}" for action in ("create", "read", "update", "delete")]


def api_key(name: str) -> str:
    """A key of SendGrid's form."""
    return f"SG.{name:x<22}.{'s' * 43}"


OWNER, READER, EUROPE = (api_key(name) for name in ("owner", "reader", "europe"))
ACCOUNTS = [
    {
        "username": "contoso",
        "user_id": 1446226,
        "keys": [{"value": OWNER, "scopes": ["mail.send", *RIGHTS]}, {"value": READER, "scopes": ["whitelabel.read"]}],
    },
    {"username": "contoso-eu", "user_id": 99, "region": "eu", "keys": [{"value": EUROPE, "scopes": RIGHTS}]},
]
TARGET = "u1446226.wl123.sendgrid.net"
ZONE = [
    f"em1 300 CNAME {TARGET}.",
    f"s1._domainkey 300 CNAME s1.domainkey.{TARGET}.",
    f"s2._domainkey 300 CNAME s2.domainkey.{TARGET}.",
]


class SendGrid:
    def __init__(self, api: Api, state: dict[str, Any]) -> None:
        self.api, self.state = api, state

    def __call__(self, method: str, path: str, body: Any = None, key: str = OWNER, region: str = "global") -> requests.Response:
        url = f"{self.api.emulator.cloud['graph']}/sendgrid/{region}/v3{path}"
        answer = self.api.session.request(method, url, json=body, headers={"Authorization": f"Bearer {key}"} if key else {})
        return published(answer, "sendgrid", f"/v3{path}")

    def create(self, label: str, domain: str = "contoso.com", **more: Any) -> dict[str, Any]:
        answer = self("POST", "/whitelabel/domains", {"domain": domain, "subdomain": label, "automatic_security": True} | more)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def zone(self, *records: str) -> None:
        self.api.admin.change("contoso.com", dns={"contoso.com": list(records)})


@pytest.fixture
def sendgrid(start: Start, state: dict[str, Any]) -> SendGrid:
    api = start()
    api.admin.reset(state | {"sendgrid": ACCOUNTS})
    return SendGrid(api, state)


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["message"]


def test_created_domain_has_three_cname_records(sendgrid: SendGrid) -> None:
    created = sendgrid.create("em1")
    assert (created["valid"], created["subdomain"], created["automatic_security"]) == (False, "em1", True)
    assert created["dns"]["mail_cname"] == {"valid": False, "type": "cname", "host": "em1.contoso.com", "data": TARGET}
    assert created["dns"]["dkim2"]["data"] == f"s2.domainkey.{TARGET}"
    assert sendgrid("GET", "/whitelabel/domains?domain=contoso.com").json() == [created]
    assert sendgrid("GET", f"/whitelabel/domains/{created['id']}").json() == created


def test_validation_reads_the_zone_and_names_each_missing_record(sendgrid: SendGrid) -> None:
    number = sendgrid.create("em1")["id"]
    sendgrid.zone(ZONE[0], "s1._domainkey 300 CNAME wrong.example.")
    answer = sendgrid("POST", f"/whitelabel/domains/{number}/validate")
    assert (answer.status_code, answer.json()["valid"]) == (200, False)
    results = answer.json()["validation_results"]
    assert results["mail_cname"] == {"valid": True, "reason": None}
    assert results["dkim1"]["reason"] == f'Expected CNAME for "s1._domainkey.contoso.com" to match "s1.domainkey.{TARGET}".'
    sendgrid.zone(*ZONE)
    assert sendgrid("POST", f"/whitelabel/domains/{number}/validate").json()["valid"] is True
    assert sendgrid("GET", f"/whitelabel/domains/{number}").json()["valid"] is True


def test_only_one_authentication_of_a_domain_is_valid(sendgrid: SendGrid) -> None:
    sendgrid.zone(*ZONE, f"em2 300 CNAME {TARGET}.")
    first, second = sendgrid.create("em1")["id"], sendgrid.create("em2")["id"]
    for number in (first, second):
        assert sendgrid("POST", f"/whitelabel/domains/{number}/validate").json()["valid"] is True
    assert sendgrid("GET", f"/whitelabel/domains/{first}").json()["valid"] is False


def test_same_subdomain_is_refused(sendgrid: SendGrid) -> None:
    sendgrid.create("em1")
    answer = sendgrid("POST", "/whitelabel/domains", {"domain": "contoso.com", "subdomain": "em1"})
    assert error(answer) == (400, "An authenticated domain already exists for this URL. Please use a unique subdomain.")


@pytest.mark.parametrize("body", [
    {"subdomain": "em1"}, {"domain": "contoso.com", "subdomains": "em1"}, {"domain": "contoso.com", "default": "yes"},
    {"domain": "contoso.com", "region": "eu"}, {"domain": "contoso.com", "subdomain": "a.b"}, {"domain": "contoso"},
])  # fmt: skip
def test_wrong_body_is_refused(sendgrid: SendGrid, body: dict[str, Any]) -> None:
    assert sendgrid("POST", "/whitelabel/domains", body).status_code == 400
    assert sendgrid("GET", "/whitelabel/domains").json() == []


def test_keys_are_bound_to_region_and_permissions(sendgrid: SendGrid) -> None:
    assert error(sendgrid("GET", "/whitelabel/domains", key="")) == (401, "authorization required")
    assert error(sendgrid("GET", "/whitelabel/domains", region="eu")) == (401, "authorization required")
    assert error(sendgrid("GET", "/whitelabel/domains", key=EUROPE)) == (401, "authorization required")
    assert sendgrid("GET", "/whitelabel/domains", key=EUROPE, region="eu").json() == []
    assert error(sendgrid("POST", "/whitelabel/domains", {"domain": "contoso.com"}, key=READER)) == (403, "access forbidden")
    assert "whitelabel.read" in sendgrid("GET", "/scopes", key=READER).json()["scopes"]
    assert "2fa_required" in sendgrid("GET", "/scopes", key=READER).json()["scopes"]


def test_removed_domain_is_not_found(sendgrid: SendGrid) -> None:
    path = f"/whitelabel/domains/{sendgrid.create('em1')['id']}"
    answer = sendgrid("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error(sendgrid("DELETE", path)) == (404, "not found")
    assert sendgrid("PUT", "/whitelabel/domains").status_code == 405
    assert error(sendgrid("GET", "/whitelabel/links")) == (404, "not found")


def test_list_has_pages(sendgrid: SendGrid) -> None:
    numbers = [sendgrid.create(f"em{number}", f"d{number}.example")["id"] for number in range(3)]
    pages = [sendgrid("GET", f"/whitelabel/domains?limit=2&offset={offset}").json() for offset in (0, 2)]
    assert [[one["id"] for one in page] for page in pages] == [numbers[:2], numbers[2:]]


def test_throttled_account_names_the_time_of_the_reset(sendgrid: SendGrid) -> None:
    api = sendgrid.api
    api.admin.reset(sendgrid.state | {"sendgrid": [ACCOUNTS[0] | {"requests_per_minute": 2}]})
    api.admin.call("POST", "/clock", {"stopped": True})
    answers = [sendgrid("GET", "/scopes") for _number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert error(answers[2])[1] == "too many requests"
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert "retry-after" not in answers[2].headers
    now = api.admin.call("GET", "/clock")["now"]
    assert 59 <= int(answers[2].headers["x-ratelimit-reset"]) - now <= 61
    api.admin.advance(61)
    assert sendgrid("GET", "/scopes").status_code == 200


def test_faults_are_played(sendgrid: SendGrid) -> None:
    sendgrid.api.admin.fault("sendgrid", status=500, body={"errors": [{"message": "internal error getting TXT"}]})
    assert error(sendgrid("GET", "/scopes")) == (500, "internal error getting TXT")
    assert sendgrid("GET", "/scopes").status_code == 200


@pytest.mark.parametrize(("line", "violation"), [
    ('{"service": "sendgrid", "method": "GET", "path": "/v3/whitelabel/domains", "query": "limit=50&offset=0"}', ""),
    ('{"service": "sendgrid", "method": "POST", "path": "/v3/whitelabel/domains/12/validate"}', ""),
    ('{"service": "sendgrid", "method": "GET", "path": "/v3/whitelabel/domains", "query": "page=2"}', "'page' is not known"),
    ('{"service": "sendgrid", "method": "POST", "path": "/v3/whitelabel/domains", "body": {"subdomain": "a"}}', "domain is required"),
    ('{"service": "sendgrid", "method": "POST", "path": "/v3/whitelabel/domains", "body": {"domain": 1}}', "where string is expected"),
    ('{"service": "sendgrid", "method": "POST", "path": "/v3/whitelabel/domains", "body": {"domain": "a", "x": 1}}', "no such property"),
    ('{"service": "sendgrid", "method": "PUT", "path": "/v3/whitelabel/domains"}', "no operation of sendgrid"),
])  # fmt: skip
def test_contract_knows_the_operations(tmp_path: Path, line: str, violation: str) -> None:
    assert_violation(tmp_path, line, violation)
