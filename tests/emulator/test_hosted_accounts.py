"""Accounts at hosted relays: quota, suppressed addresses, and allow lists that govern the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.emulator.conftest import Api, Start
from tests.emulator.test_mailgun import ACCOUNT as MAILGUN
from tests.emulator.test_mailgun import NAME, READER, Mailgun
from tests.emulator.test_mailgun import SENDER as MAILGUN_SENDER
from tests.emulator.test_sendgrid import ACCOUNTS, OWNER, SendGrid, api_key
from tests.emulator.test_sendgrid import READER as SENDGRID_READER
from tests.emulator.test_smtp2go import ACCOUNT as SMTP2GO
from tests.emulator.test_smtp2go import OWNER as SMTP2GO_OWNER
from tests.emulator.test_smtp2go import Smtp2Go

ADDRESS, HERE = "old@example.org", "203.0.113.9"
RIGHTS = [
    "suppression.read", "user.account.read", "user.credits.read",
    *(f"access_settings.whitelist.{action}" for action in ("create", "read", "delete")),
]  # fmt: skip
PATHS = ["/stats/email_cycle", "/suppression/view", *(f"/ip_allow_list{path}" for path in ("", "/view", "/add", "/edit", "/remove"))]
LIST = "/access_settings/whitelist"


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"address": ADDRESS, "list": name, "reason": "550 5.1.1 no such user"} | more


def sendgrid_of(api: Api, state: dict[str, Any], **account: Any) -> SendGrid:
    keys = [{"value": OWNER, "scopes": RIGHTS}, *ACCOUNTS[0]["keys"][1:]]
    api.admin.reset(state | {"sendgrid": [ACCOUNTS[0] | {"keys": keys, "public_address": HERE} | account]})
    return SendGrid(api, state)


def smtp2go_of(api: Api, state: dict[str, Any], **account: Any) -> Smtp2Go:
    keys = [{"value": SMTP2GO_OWNER, "paths": PATHS}]
    api.admin.reset(state | {"smtp2go": [SMTP2GO | {"keys": keys, "public_address": HERE} | account]})
    return Smtp2Go(api, state)


def mailgun_of(api: Api, state: dict[str, Any], **account: Any) -> Mailgun:
    api.admin.reset(state | {"mailgun": [MAILGUN | {"public_address": HERE} | account]})
    return Mailgun(api, state)


def test_quota_is_that_of_the_month(start: Start, state: dict[str, Any]) -> None:
    api = start()
    today = datetime.fromtimestamp(api.admin.now(), UTC)
    following = f"{today.year + today.month // 12}-{today.month % 12 + 1:02}-01"
    sendgrid = sendgrid_of(api, state, credits=100, credits_used=80, type="free")
    assert sendgrid("GET", "/user/account").json()["type"] == "free"
    body = sendgrid("GET", "/user/credits").json()
    assert (body["total"], body["used"], body["remain"], body["next_reset"]) == (100, 80, 20, following)
    assert sendgrid("GET", "/user/credits", key=SENDGRID_READER).status_code == 403
    cycle = smtp2go_of(api, state, cycle_max=100, cycle_used=120)("/stats/email_cycle").json()["data"]
    assert (cycle["cycle_max"], cycle["cycle_used"], cycle["cycle_remaining"], cycle["cycle_end"][:10]) == (100, 120, 0, following)
    limit = "/v5/accounts/limit/custom/monthly"
    answer = mailgun_of(api, state)("GET", limit)
    assert (answer.status_code, answer.json()) == (404, {"message": "No threshold for account"})
    assert mailgun_of(api, state, monthly_limit=100, monthly_used=80)("GET", limit, region="eu").json() == {
        "limit": 100, "current": 80, "period": "1m",
    }  # fmt: skip


def test_suppressed_addresses_are_looked_up(start: Start, state: dict[str, Any]) -> None:
    api = start()
    sendgrid = sendgrid_of(api, state, suppressions=[entry("bounces"), entry("global")])
    [bounce] = sendgrid("GET", f"/suppression/bounces/{ADDRESS}").json()
    assert (bounce["email"], bounce["reason"]) == (ADDRESS, "550 5.1.1 no such user")
    assert sendgrid("GET", f"/suppression/blocks/{ADDRESS}").json() == []
    assert sendgrid("GET", f"/asm/suppressions/global/{ADDRESS}").json() == {"recipient_email": ADDRESS}
    assert sendgrid("GET", "/asm/suppressions/global/new@example.org").json() == {}
    domains = [{"name": NAME, "suppressions": [entry("complaints")]}]
    mailgun = mailgun_of(api, state, domains=domains)
    assert mailgun("GET", f"/v3/{NAME}/complaints/{ADDRESS}").json()["address"] == ADDRESS
    answers = [mailgun("GET", f"/v3/{NAME}/{name}/{ADDRESS}") for name in ("bounces", "unsubscribes")]
    assert [(answer.status_code, answer.json()["message"]) for answer in answers] == [
        (404, "Address not found in bounces table"), (404, "Address not found in unsubscribers table"),
    ]  # fmt: skip
    assert mailgun("GET", f"/v3/{NAME}/complaints/{ADDRESS}", region="eu").json() == {"message": "Domain not found"}


def test_suppressions_of_smtp2go_have_a_window_of_thirty_days(start: Start, state: dict[str, Any]) -> None:
    api = start()
    listed = [entry("bounce", added="2025-01-01T00:00:00Z"), entry("spam", added=api.admin.now() - 60)]
    smtp2go = smtp2go_of(api, state, suppressions=listed)

    def reasons(**body: Any) -> list[str]:
        answer = smtp2go("/suppression/view", {"email_address": ADDRESS} | body)
        assert answer.status_code == 200, answer.text
        return [one["reason"] for one in answer.json()["data"]["results"]]

    assert reasons() == ["spam"]
    assert reasons(start_date="2020-01-01") == ["bounce", "spam"]
    assert reasons(start_date="2020-01-01", email_address="new@example.org") == []
    assert smtp2go("/suppression/view", {"start_date": "yesterday"}).status_code == 400


def test_allow_list_of_sendgrid_is_on_with_its_first_entry(start: Start, state: dict[str, Any]) -> None:
    sendgrid = sendgrid_of(start(), state)
    added = sendgrid("POST", LIST, {"ips": [{"ip": HERE}, {"ip": "198.51.100.0/24"}]})
    assert (added.status_code, [one["ip"] for one in added.json()["result"]]) == (201, [f"{HERE}/32", "198.51.100.0/24"])
    first, second = (one["id"] for one in sendgrid("GET", LIST).json()["result"])
    assert sendgrid("DELETE", f"{LIST}/{second}").status_code == 204
    assert sendgrid("DELETE", f"{LIST}/{second}").status_code == 404
    sendgrid("POST", LIST, {"ips": [{"ip": "198.51.100.7"}]})
    assert sendgrid("DELETE", LIST, {"ids": [first]}).status_code == 204
    assert sendgrid("GET", LIST).status_code == 403, "this client has locked itself out"
    unknown = sendgrid("GET", LIST, key=api_key("unknown"))
    assert unknown.status_code == 401


def test_allow_lists_of_smtp2go_are_switched_on_for_smtp_and_api(start: Start, state: dict[str, Any]) -> None:
    smtp2go = smtp2go_of(start(), state)

    def data(path: str, **body: Any) -> Any:
        answer = smtp2go(f"/ip_allow_list{path}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    assert data("/add", ip_address="198.51.100.7", description="office") == {"ip_address": "198.51.100.7", "description": "office"}
    assert data("/edit", ip_address="198.51.100.7", new_ip_address="198.51.100.0/24")["ip_address"] == "198.51.100.0/24"
    assert data("", enabled=True) == {"enabled": True}
    assert data("/view") == {"enabled": True, "ip_addresses": [{"ip_address": "198.51.100.0/24", "description": "office"}]}
    assert data("/view", type="api") == {"enabled": False, "ip_addresses": []}
    assert smtp2go("/ip_allow_list/add", {"ip_address": "198.51.100.0/24"}).status_code == 400
    assert smtp2go("/ip_allow_list/remove", {"ip_address": "192.0.2.1"}).status_code == 400
    data("", enabled=True, type="api")
    refused = smtp2go("/ip_allow_list/view")
    assert (refused.status_code, refused.json()["data"]["error"]) == (
        403, "This request is coming from an IP address that isn't in the IP allow list",
    )  # fmt: skip


def test_allow_list_of_mailgun_is_on_with_its_first_entry(start: Start, state: dict[str, Any]) -> None:
    mailgun = mailgun_of(start(), state)
    path = "/v2/ip_whitelist"
    assert mailgun("POST", path, {"address": HERE}).json()["addresses"] == [{"ip_address": HERE, "description": ""}]
    assert mailgun("PUT", path, {"address": HERE, "description": "controller"}).json()["addresses"][0]["description"] == "controller"
    refused = [
        mailgun("POST", path, {"address": "x"}), mailgun("PUT", path, {"address": "192.0.2.1"}), mailgun("DELETE", path),
        mailgun("POST", path, {"address": "192.0.2.1"}, key=READER), mailgun("GET", path, key=MAILGUN_SENDER),
    ]  # fmt: skip
    assert [(one.status_code, one.json()["message"]) for one in refused] == [
        (400, "Invalid IP Address or CIDR"), (400, "IP not found"), (400, "IP address can not be blank"), (403, "Forbidden"),
        (403, "Forbidden"),
    ]  # fmt: skip
    mailgun("POST", path, {"address": "198.51.100.0/24"})
    assert mailgun("DELETE", f"{path}?address={HERE}").status_code == 200
    answer = mailgun("GET", "/v4/domains")
    assert (answer.status_code, answer.text) == (401, "Forbidden")


@pytest.mark.parametrize("make", [sendgrid_of, smtp2go_of, mailgun_of])
def test_other_parts_of_the_api_stay_unknown(start: Start, state: dict[str, Any], make: Callable[..., Any]) -> None:
    call = make(start(), state)
    paths = {SendGrid: ("GET", "/user/profile"), Smtp2Go: ("/stats/nothing",), Mailgun: ("GET", "/v5/accounts")}
    answer: requests.Response = call(*paths[type(call)])
    assert answer.status_code == 404
