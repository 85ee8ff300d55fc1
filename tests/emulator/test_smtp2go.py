"""SMTP2GO's API against the emulated DNS: permissions by path, validation on request and every 7 minutes, throttling without headers."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.contract import published
from tests.emulator.conftest import Api, Start

PATHS = [f"/domain/{action}" for action in ("add", "view", "verify", "remove")]
OWNER, READER = (f"api-{name:0<32}" for name in ("owner", "reader"))
ACCOUNT = {
    "username": "contoso",
    "keys": [{"value": OWNER, "paths": ["/email/send", *PATHS]}, {"value": READER, "paths": ["/domain/view"]}],
}
ZONE = ["em1 300 CNAME return.smtp2go.net.", "s123456._domainkey 300 CNAME dkim.smtp2go.net."]


class Smtp2Go:
    def __init__(self, api: Api, state: dict[str, Any]) -> None:
        self.api, self.state = api, state

    def __call__(self, path: str, body: Any = None, key: str = OWNER, region: str = "global", method: str = "POST") -> requests.Response:
        url = f"{self.api.emulator.cloud['graph']}/smtp2go/{region}/v3{path}"
        answer = self.api.session.request(method, url, json=body or {}, headers={"X-Smtp2go-Api-Key": key} if key else {})
        return published(answer, "smtp2go", path)

    def domains(self, path: str = "/domain/view", **body: Any) -> list[dict[str, Any]]:
        answer = self(path, body)
        assert answer.status_code == 200, answer.text
        return [one["domain"] for one in answer.json()["data"]["domains"]]

    def zone(self, *records: str) -> None:
        self.api.admin.change("contoso.com", dns={"contoso.com": list(records)})


@pytest.fixture
def smtp2go(start: Start, state: dict[str, Any]) -> Smtp2Go:
    api = start()
    api.admin.reset(state | {"smtp2go": [ACCOUNT]})
    return Smtp2Go(api, state)


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["data"]["error_code"].rpartition(".")[2]


def test_added_domain_has_its_parts(smtp2go: Smtp2Go) -> None:
    [domain] = smtp2go.domains("/domain/add", domain="Mail.contoso.com", returnpath_subdomain="em1")
    assert (domain["fulldomain"], domain["subdomain"], domain["domain"], domain["suffix"]) == ("mail.contoso.com", "mail", "contoso", "com")
    assert (domain["rpath_selector"], domain["rpath_value"]) == ("em1", "return.smtp2go.net")
    assert (domain["dkim_selector"], domain["dkim_value"], domain["dkim_verified"]) == ("s123456", "dkim.smtp2go.net", False)
    assert smtp2go.domains() == [domain] == smtp2go.domains(domain="mail.contoso.com")
    assert domain["setup_link"].startswith("https://")
    assert smtp2go.domains("/domain/remove", domain="mail.contoso.com") == [{k: v for k, v in domain.items() if k != "setup_link"}]
    assert smtp2go.domains() == []


def test_value_of_the_tracking_record_is_known_after_the_creation(smtp2go: Smtp2Go) -> None:
    """The link to its setup is shown where the answer has one domain."""
    added = smtp2go("/domain/add", {"domain": "contoso.com", "tracking_subdomain": "click"}).json()["data"]["domains"]
    assert [(one["fulldomain"], one["cname_value"]) for one in added[0]["trackers"]] == [("click.contoso.com", "")]
    smtp2go.domains("/domain/add", domain="fabrikam.com")
    listed = smtp2go("/domain/view").json()["data"]["domains"]
    trackers = [(one["fulldomain"], one["cname_value"], one["cname_verified"]) for domain in listed for one in domain["trackers"]]
    assert trackers == [("click.contoso.com", "track.smtp2go.net", False), ("link.fabrikam.com", "track.smtp2go.net", False)]
    assert {domain["domain"]["setup_link"] for domain in listed} == {"unavailable"}


def test_records_are_validated_on_request_and_every_seven_minutes(smtp2go: Smtp2Go) -> None:
    smtp2go.domains("/domain/add", domain="contoso.com", returnpath_subdomain="em1")
    smtp2go.zone(ZONE[0])
    assert [one["rpath_verified"] for one in smtp2go.domains()] == [False]
    [domain] = smtp2go.domains("/domain/verify", domain="contoso.com")
    assert (domain["rpath_verified"], domain["rpath_status"], domain["dkim_verified"]) == (True, "", False)
    assert domain["dkim_status"]
    smtp2go.zone(*ZONE)
    assert [one["dkim_verified"] for one in smtp2go.domains()] == [False]
    smtp2go.api.admin.advance(421)
    assert [one["dkim_verified"] for one in smtp2go.domains()] == [True]


def test_keys_have_paths_and_are_the_same_in_all_regions(smtp2go: Smtp2Go) -> None:
    assert error(smtp2go("/domain/view", key="")) == (401, "API_EXCEPTION")
    assert error(smtp2go("/domain/view", key="api-" + "9" * 32)) == (401, "API_EXCEPTION")
    answer = smtp2go("/domain/add", {"domain": "contoso.com"}, key=READER)
    assert error(answer) == (400, "ENDPOINT_PERMISSION_DENIED")
    assert answer.json()["data"]["error"] == "You do not have permission to access this API endpoint"
    assert smtp2go("/api_keys/permissions", key=READER).json()["data"] == ["/domain/view", "/api_keys/permissions"]
    assert [smtp2go("/domain/view", region=region).status_code for region in ("us", "eu", "au", "mars")] == [200, 200, 200, 404]


@pytest.mark.parametrize(("path", "body"), [
    ("/domain/add", {}), ("/domain/add", {"domain": "contoso.com", "subdomain": "em1"}), ("/domain/add", {"domain": 1}),
    ("/domain/add", {"domain": "contoso.com", "returnpath_subdomain": "a.b"}), ("/domain/verify", {"domain": "contoso.com"}),
    ("/domain/remove", {}), ("/domain/view", {"domain": "contoso.com"}),
])  # fmt: skip
def test_wrong_body_is_refused(smtp2go: Smtp2Go, path: str, body: dict[str, Any]) -> None:
    assert error(smtp2go(path, body)) == (400, "NON_VALIDATING_IN_PAYLOAD")
    assert smtp2go.domains() == []


def test_unknown_paths_and_methods_are_refused(smtp2go: Smtp2Go) -> None:
    assert smtp2go("/domains").status_code == 404
    assert smtp2go("/domain/view", method="GET").status_code == 404


def test_throttled_account_gets_no_header(smtp2go: Smtp2Go) -> None:
    api = smtp2go.api
    api.admin.reset(smtp2go.state | {"smtp2go": [ACCOUNT | {"requests_per_minute": 1}]})
    api.admin.call("POST", "/clock", {"stopped": True})
    answers = [smtp2go("/domain/view") for _number in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert not {name for name in answers[1].headers if name.lower().startswith(("x-", "retry"))}
    api.admin.advance(61)
    assert smtp2go("/domain/view").status_code == 200


def test_faults_are_played(smtp2go: Smtp2Go) -> None:
    smtp2go.api.admin.fault("smtp2go", status=503)
    assert [smtp2go("/domain/view").status_code for _number in range(2)] == [503, 200]
