"""Mailgun's API against the emulated DNS: regions, roles, throttling, states of a domain, removal in the background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract import assert_violation, published
from tests.emulator.conftest import Api, Start

OWNER, READER, SENDER = (f"key-{name:0<32}" for name in ("owner", "reader", "sender"))
ACCOUNT: dict[str, Any] = {
    "username": "contoso",
    "keys": [{"value": OWNER}, {"value": READER, "role": "developer"}, {"value": SENDER, "role": "sending"}],
}
NAME = "mg.contoso.com"
DKIM = [f"pdk{number}._domainkey.mg 300 CNAME pdk{number}._domainkey.9d876.dkim1.mailgun.com." for number in (1, 2)]
ZONE = ['mg 300 TXT "v=spf1 include:mailgun.org ~all"', *DKIM]


class Mailgun:
    def __init__(self, api: Api, state: dict[str, Any]) -> None:
        self.api, self.state = api, state

    def __call__(self, method: str, path: str, form: Any = None, key: str = OWNER, region: str = "us", **more: Any) -> requests.Response:
        url = f"{self.api.emulator.cloud['graph']}/mailgun/{region}{path}"
        answer = self.api.session.request(method, url, data=form, auth=("api", key), **more)
        return published(answer, "mailgun", path)

    def create(self, name: str = NAME, region: str = "us", **more: str) -> dict[str, Any]:
        form = {"name": name, "use_automatic_sender_security": "true"} | more
        answer = self("POST", "/v4/domains", form, region=region)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def listed(self, region: str = "us") -> list[dict[str, Any]]:
        return list(self("GET", "/v4/domains", region=region).json()["items"])

    def zone(self, *records: str) -> None:
        self.api.admin.change("contoso.com", dns={"contoso.com": list(records)})


@pytest.fixture
def mailgun(start: Start, state: dict[str, Any]) -> Mailgun:
    api = start()
    api.admin.reset(state | {"mailgun": [ACCOUNT]})
    return Mailgun(api, state)


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def test_created_domain_has_its_records(mailgun: Mailgun) -> None:
    created = mailgun.create(web_prefix="em1")
    assert (created["domain"]["state"], created["domain"]["type"], created["domain"]["is_disabled"]) == ("unverified", "custom", False)
    assert [(one.get("name"), one["record_type"], one["value"]) for one in created["sending_dns_records"]] == [
        (NAME, "TXT", "v=spf1 include:mailgun.org ~all"),
        *((f"pdk{number}._domainkey.{NAME}", "CNAME", f"pdk{number}._domainkey.9d876.dkim1.mailgun.com") for number in (1, 2)),
        (f"em1.{NAME}", "CNAME", "mailgun.org"),
    ]  # fmt: skip
    assert [(one.get("name"), one["value"], one["priority"]) for one in created["receiving_dns_records"]] == [
        (None, "mxa.mailgun.org", "10"), (None, "mxb.mailgun.org", "10"),
    ]  # fmt: skip
    read = mailgun("GET", f"/v4/domains/{NAME}").json()
    assert {key: created[key] for key in read} == read
    assert mailgun.listed() == [created["domain"]]
    assert mailgun("GET", "/v4/domains?search=other").json()["total_count"] == 0


def test_domain_exists_in_one_region_and_its_name_once(mailgun: Mailgun) -> None:
    values = [one["value"] for one in mailgun.create(region="eu")["receiving_dns_records"]]
    assert values == ["mxa.eu.mailgun.org", "mxb.eu.mailgun.org"]
    assert error(mailgun("GET", f"/v4/domains/{NAME}")) == (404, "Domain not found")
    form = {"name": NAME, "use_automatic_sender_security": "true"}
    assert error(mailgun("POST", "/v4/domains", form)) == (400, "This domain name is already taken")


def test_verification_needs_spf_and_dkim_only(mailgun: Mailgun) -> None:
    mailgun.create()
    mailgun.zone(*ZONE[:2])
    partly = mailgun("PUT", f"/v4/domains/{NAME}/verify").json()
    assert (partly["domain"]["state"], [one["valid"] for one in partly["sending_dns_records"]]) == (
        "unverified", ["valid", "valid", "unknown", "unknown"],
    )  # fmt: skip
    mailgun.zone(*ZONE)
    assert mailgun("PUT", f"/v4/domains/{NAME}/verify").json()["domain"]["state"] == "active"


def test_disabled_domain_is_not_activated(mailgun: Mailgun) -> None:
    domain = {"name": NAME, "state": "disabled", "disabled_reason": "abuse"}
    mailgun.api.admin.reset(mailgun.state | {"mailgun": [ACCOUNT | {"domains": [domain]}]})
    mailgun.zone(*ZONE)
    own = mailgun("PUT", f"/v4/domains/{NAME}/verify").json()["domain"]
    assert (own["state"], own["is_disabled"], own["disabled"]["reason"]) == ("disabled", True, "abuse")


def test_removal_is_done_in_the_background(mailgun: Mailgun) -> None:
    mailgun.create()
    mailgun.api.admin.lag(mailgun_domain=20)
    mailgun.api.admin.stop_clock()
    assert mailgun("DELETE", f"/v3/domains/{NAME}").json() == {"message": "Domain will be deleted in the background"}
    assert len(mailgun.listed()) == 1
    mailgun.api.admin.advance(21)
    assert mailgun.listed() == []
    assert mailgun("GET", f"/v4/domains/{NAME}").status_code == 404
    mailgun.create()  # its name is free again


@pytest.mark.parametrize(("method", "key", "expected"), [
    ("GET", "wrong", (401, "Invalid private key")),
    ("GET", SENDER, (403, "Forbidden")),
    ("POST", READER, (403, "Forbidden")),
])  # fmt: skip
def test_key_has_a_role(mailgun: Mailgun, method: str, key: str, expected: tuple[int, str]) -> None:
    assert error(mailgun(method, "/v4/domains", key=key)) == expected
    assert mailgun("GET", "/v4/domains", key=READER).status_code == 200


@pytest.mark.parametrize("form", [
    {"name": "x", "use_automatic_sender_security": "true"}, {"name": NAME}, {"name": NAME, "wildcard": "true"},
    {"name": NAME, "use_automatic_sender_security": "true", "web_prefix": "a.b"},
])  # fmt: skip
def test_other_forms_are_refused(mailgun: Mailgun, form: dict[str, str]) -> None:
    assert mailgun("POST", "/v4/domains", form).status_code == 400
    assert mailgun.listed() == []


def test_form_may_be_multipart(mailgun: Mailgun) -> None:
    files = {"name": (None, NAME), "use_automatic_sender_security": (None, "true")}
    assert mailgun("POST", "/v4/domains", files=files).status_code == 200
    assert mailgun.listed()[0]["name"] == NAME
    assert mailgun("POST", "/v4/domains", "{}", headers={"Content-Type": "application/json"}).status_code == 400


def test_throttled_account_gets_the_time_of_the_reset(mailgun: Mailgun) -> None:
    mailgun.api.admin.reset(mailgun.state | {"mailgun": [ACCOUNT | {"requests_per_minute": 1}]})
    answers = [mailgun("GET", "/v4/domains") for _number in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    assert answers[1].headers["x-ratelimit-reset"].isdecimal()
    mailgun.api.admin.advance(61)
    assert mailgun("GET", "/v4/domains").status_code == 200


def test_validations_have_a_limit_of_their_own(mailgun: Mailgun) -> None:
    """Its 429 names no time."""
    account = ACCOUNT | {"verifications_per_minute": 1, "domains": [{"name": NAME}]}
    mailgun.api.admin.reset(mailgun.state | {"mailgun": [account]})
    answers = [mailgun("PUT", f"/v4/domains/{NAME}/verify") for _number in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    assert "x-ratelimit-reset" not in answers[1].headers
    assert mailgun("GET", "/v4/domains").status_code == 200
    mailgun.api.admin.advance(61)
    assert mailgun("PUT", f"/v4/domains/{NAME}/verify").status_code == 200


def test_faults_are_played(mailgun: Mailgun) -> None:
    mailgun.api.admin.fault("mailgun", status=401, body="Forbidden")
    assert mailgun("GET", "/v4/domains").text == "Forbidden"
    assert mailgun("GET", "/v4/domains").status_code == 200


@pytest.mark.parametrize(("line", "violation"), [
    ('{"service": "mailgun", "method": "PUT", "path": "/v4/domains/mg.contoso.com/verify"}', ""),
    ('{"service": "mailgun", "method": "POST", "path": "/v4/domains", "body": {"name": "a", "wildcard": "true"}}', ""),
    ('{"service": "mailgun", "method": "POST", "path": "/v4/domains", "body": {"name": "a", "wildcard": "1"}}', "is expected in a form"),
    ('{"service": "mailgun", "method": "POST", "path": "/v4/domains", "body": {"wildcard": "true"}}', "name is required"),
    ('{"service": "mailgun", "method": "DELETE", "path": "/v4/domains/mg.contoso.com"}', "no operation of mailgun"),
])  # fmt: skip
def test_contract_knows_the_operations(tmp_path: Path, line: str, violation: str) -> None:
    assert_violation(tmp_path, line, violation)
