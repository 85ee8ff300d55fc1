"""API keys of SendGrid, SMTP users of SMTP2GO, SMTP credentials of Mailgun: secrets shown once, permissions, refusals, the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract import check_contract
from tests.emulator.conftest import Start

from . import test_mailgun, test_sendgrid, test_smtp2go
from .test_mailgun import NAME, Mailgun
from .test_sendgrid import SendGrid, api_key
from .test_smtp2go import Smtp2Go

MANAGER, LISTER = api_key("manager"), api_key("lister")
SCOPES = [f"api_keys.{action}" for action in ("create", "read", "update", "delete")]
KEYS = [{"value": MANAGER, "scopes": ["mail.send", *SCOPES], "name": "manager"}, {"value": LISTER, "scopes": ["api_keys.read"]}]
USERS = [f"/users/smtp/{action}" for action in ("add", "view", "edit", "remove")]
PASSWORD = "Aa1" * 10

Make = Callable[..., Any]


@pytest.fixture
def sendgrid(start: Start, state: dict[str, Any], tmp_path: Path) -> Make:
    def make(**more: Any) -> SendGrid:
        api = start(record=tmp_path / "record.jsonl")
        api.admin.reset(state | {"sendgrid": [{"username": "contoso", "user_id": 1, "keys": KEYS} | more]})
        return SendGrid(api, state)

    return make


def call(sendgrid: SendGrid, method: str, path: str = "", body: Any = None, key: str = MANAGER) -> requests.Response:
    return sendgrid(method, f"/api_keys{path}", body, key=key)


def test_sendgrid_key_appears_once_and_has_what_its_scopes_say(sendgrid: Make, tmp_path: Path) -> None:
    api = sendgrid()
    answer = call(api, "POST", "", {"name": "erp", "scopes": ["mail.send"]})
    assert answer.status_code == 201
    created = answer.json()
    assert created["scopes"] == ["mail.send", "2fa_required", "sender_verification_eligible"]
    value, identifier = created["api_key"], created["api_key_id"]
    assert (len(value), value.split(".")[1]) == (69, identifier)
    listed = call(api, "GET").json()["result"]
    assert listed == [
        {"api_key_id": MANAGER.split(".")[1], "name": "manager"}, {"api_key_id": LISTER.split(".")[1], "name": ""},
        {"api_key_id": identifier, "name": "erp"},
    ]  # fmt: skip
    read = call(api, "GET", f"/{identifier}").json()
    assert read == {"result": [{"api_key_id": identifier, "name": "erp", "scopes": created["scopes"]}]}
    assert api("GET", "/scopes", key=value).json()["scopes"] == created["scopes"]
    assert test_sendgrid.error(call(api, "GET", key=value)) == (403, "access forbidden")
    assert call(api, "PATCH", f"/{identifier}", {"name": "erp2"}).json() == {"api_key_id": identifier, "name": "erp2"}
    assert call(api, "PUT", f"/{identifier}", {"name": "erp", "scopes": ["mail.send", "api_keys.read"]}).status_code == 200
    assert call(api, "GET", "?limit=1", key=value).json()["result"] == listed[:1]
    assert (call(api, "DELETE", f"/{identifier}").status_code, api("GET", "/scopes", key=value).status_code) == (204, 401)
    assert test_sendgrid.error(call(api, "DELETE", f"/{identifier}")) == (404, "not found")
    check_contract(tmp_path / "record.jsonl")


def test_sendgrid_key_without_scopes_has_all_and_names_repeat(sendgrid: Make) -> None:
    api = sendgrid()
    scopes = [call(api, "POST", "", {"name": "erp"}).json()["scopes"] for _number in range(2)]
    assert {"mail.send", *SCOPES} < {*scopes[0]} == {*scopes[1]}
    assert [one["name"] for one in call(api, "GET").json()["result"]][2:] == ["erp", "erp"]


@pytest.mark.parametrize(("key", "body", "status"), [
    (LISTER, {"name": "erp", "scopes": ["api_keys.read"]}, 403), (MANAGER, {"name": "erp", "scopes": ["whitelabel.read"]}, 403),
    (MANAGER, {"scopes": ["mail.send"]}, 400), (MANAGER, {"name": "erp", "scopes": "mail.send"}, 400),
    (MANAGER, {"name": "a", "x": 1}, 400),
])  # fmt: skip
def test_sendgrid_key_is_not_created_without_right_or_with_a_wrong_body(sendgrid: Make, key: str, body: Any, status: int) -> None:
    api = sendgrid()
    assert call(api, "POST", "", body, key=key).status_code == status
    assert len(call(api, "GET").json()["result"]) == 2


def test_sendgrid_removed_key_lingers_and_keys_are_limited(sendgrid: Make) -> None:
    api = sendgrid(key_interval=3)
    api.api.admin.lag(sendgrid_key=20)
    api.api.admin.stop_clock()
    created = call(api, "POST", "", {"name": "erp", "scopes": ["mail.send"]}).json()
    throttled = call(api, "POST", "", {"name": "erp", "scopes": ["mail.send"]})
    assert (throttled.status_code, "x-ratelimit-reset" in throttled.headers) == (429, True)
    api.api.admin.advance(4)
    call(api, "DELETE", f"/{created['api_key_id']}")
    assert len(call(api, "GET").json()["result"]) == 2
    assert api("GET", "/scopes", key=created["api_key"]).status_code == 200
    api.api.admin.advance(21)
    assert api("GET", "/scopes", key=created["api_key"]).status_code == 401


def test_sendgrid_has_a_hundred_keys_at_most(sendgrid: Make) -> None:
    api = sendgrid(keys=[*KEYS, *({"value": api_key(f"key{number}"), "scopes": ["mail.send"]} for number in range(98))])
    assert call(api, "POST", "", {"name": "erp"}).status_code == 403


@pytest.fixture
def smtp2go(start: Start, state: dict[str, Any], tmp_path: Path) -> Smtp2Go:
    api = start(record=tmp_path / "record.jsonl")
    account = {"username": "contoso", "keys": [{"value": test_smtp2go.OWNER, "paths": USERS}, {"value": test_smtp2go.READER}]}
    api.admin.reset(state | {"smtp2go": [account]})
    return Smtp2Go(api, state)


def test_smtp2go_users_are_added_edited_and_removed(smtp2go: Smtp2Go, tmp_path: Path) -> None:
    body = {"username": "erp-1", "email_password": PASSWORD, "description": "ERP", "status": "sandbox", "click_tracking_enabled": True}
    [added] = smtp2go("/users/smtp/add", body).json()["data"]["results"]
    assert "email_password" not in added
    assert (added["username"], added["status"], added["sending_allowed"], added["custom_ratelimit_period"]) == (
        "erp-1",
        "sandbox",
        True,
        "0:00:00",
    )
    [patched] = smtp2go("/users/smtp/edit", {"username": "erp-1", "status": "allowed"}, method="PATCH").json()["data"]
    assert (patched["description"], patched["click_tracking_enabled"], patched["status"]) == ("ERP", True, "allowed")
    limit = {"custom_ratelimit": True, "custom_ratelimit_value": 5, "custom_ratelimit_period": "1 day"}
    [posted] = smtp2go("/users/smtp/edit", {"username": "erp-1", **limit}).json()["data"]["results"]
    assert (posted["description"], posted["custom_ratelimit_value"]) == ("", 5)
    [reset] = smtp2go.api.admin.accounts("smtp2go")[0]["users"]
    assert reset["click_tracking_enabled"] is False
    assert smtp2go("/users/smtp/view").json()["data"]["results"] == [posted]
    assert smtp2go("/users/smtp/view", {"username": "erp-1"}).json()["data"]["results"] == [posted]
    assert smtp2go("/users/smtp/remove", {"username": "erp-1"}).json()["data"]["results"] == [posted]
    assert smtp2go("/users/smtp/view").json()["data"]["results"] == []
    record = tmp_path / "record.jsonl"
    assert PASSWORD not in record.read_text("utf-8")
    check_contract(record)


def test_smtp2go_stores_a_limit_with_its_switch_only(smtp2go: Smtp2Go) -> None:
    limit = {"custom_ratelimit_value": 5, "custom_ratelimit_period": "7 days"}
    [added] = smtp2go("/users/smtp/add", {"username": "erp-1", **limit}).json()["data"]["results"]
    assert (added["custom_ratelimit_value"], added["custom_ratelimit_period"]) == (None, "0:00:00")
    edit = {"username": "erp-1", "custom_ratelimit": True}
    assert smtp2go("/users/smtp/edit", edit, method="PATCH").status_code == 400
    for period in ("", "0:00:00", "a day", "1 week"):
        assert smtp2go("/users/smtp/edit", edit | limit | {"custom_ratelimit_period": period}, method="PATCH").status_code == 400, period
    [patched] = smtp2go("/users/smtp/edit", edit | limit, method="PATCH").json()["data"]
    assert (patched["custom_rate_limit"], patched["custom_ratelimit_value"], patched["custom_ratelimit_period"]) == (True, 5, "7 days")


def test_smtp2go_generates_a_password_and_shows_it_once(smtp2go: Smtp2Go) -> None:
    [added] = smtp2go("/users/smtp/add", {"username": "erp-1"}).json()["data"]["results"]
    assert len(added["email_password"]) == 22
    assert "email_password" not in smtp2go("/users/smtp/view").json()["data"]["results"][0]


@pytest.mark.parametrize(("path", "body", "method"), [
    ("add", {"username": "erp"}, "POST"), ("add", {"username": "erp-1", "email_password": "short"}, "POST"),
    ("add", {"username": "taken-user"}, "POST"), ("add", {"username": "erp-1", "status": "closed"}, "POST"),
    ("edit", {"username": "erp-2"}, "PATCH"), ("remove", {"username": "erp-2"}, "POST"), ("view", {"username": "erp-2"}, "POST"),
    ("add", {"username": "erp-1", "password": PASSWORD}, "POST"),
])  # fmt: skip
def test_smtp2go_refuses_wrong_users(smtp2go: Smtp2Go, path: str, body: dict[str, Any], method: str) -> None:
    smtp2go("/users/smtp/add", {"username": "taken-user"})
    assert test_smtp2go.error(smtp2go(f"/users/smtp/{path}", body, method=method)) == (400, "NON_VALIDATING_IN_PAYLOAD")
    assert len(smtp2go("/users/smtp/view").json()["data"]["results"]) == 1


def test_smtp2go_needs_the_path_among_the_permissions(smtp2go: Smtp2Go) -> None:
    assert test_smtp2go.error(smtp2go("/users/smtp/view", key=test_smtp2go.READER)) == (400, "ENDPOINT_PERMISSION_DENIED")
    assert smtp2go("/users/smtp/add", {"username": "erp-1"}, method="PATCH").status_code == 404


@pytest.fixture
def mailgun(start: Start, state: dict[str, Any], tmp_path: Path) -> Mailgun:
    api = start(record=tmp_path / "record.jsonl")
    api.admin.reset(state | {"mailgun": [test_mailgun.ACCOUNT | {"domains": [{"name": NAME}, {"name": "eu.contoso.com", "region": "eu"}]}]})
    return Mailgun(api, state)


CREDENTIALS = f"/v3/domains/{NAME}/credentials"


def test_mailgun_credentials_are_created_changed_and_removed(mailgun: Mailgun, tmp_path: Path) -> None:
    created = mailgun("POST", CREDENTIALS, {"login": "erp", "password": PASSWORD}).json()
    assert created == {"message": "Created 1 credentials pair(s)"}
    listed = mailgun("GET", CREDENTIALS).json()
    assert (listed["total_count"], [one["login"] for one in listed["items"]]) == (2, [f"postmaster@{NAME}", f"erp@{NAME}"])
    assert mailgun("GET", f"{CREDENTIALS}?skip=1&limit=1").json()["items"] == listed["items"][1:]
    path = f"{CREDENTIALS}/erp%40{NAME}"
    assert test_mailgun.error(mailgun("PUT", path, {"password": PASSWORD})) == (400, "New password cannot be the same as old password.")
    assert mailgun("PUT", path, {"password": PASSWORD[:-1]}).json()["message"] == "Password changed"
    assert mailgun("DELETE", path).json() == {"message": "Credentials have been deleted", "spec": f"erp@{NAME}"}
    assert test_mailgun.error(mailgun("DELETE", path)) == (404, "Credentials not found")
    record = tmp_path / "record.jsonl"
    assert PASSWORD not in record.read_text("utf-8")
    check_contract(record)


def test_mailgun_generates_a_password_and_shows_it_once(mailgun: Mailgun) -> None:
    created = mailgun("POST", CREDENTIALS, {"login": f"erp@{NAME}"}).json()
    assert len(created["credentials"][f"erp@{NAME}"]) == 32
    assert created["credentials"][f"erp@{NAME}"] not in mailgun("GET", CREDENTIALS).text


@pytest.mark.parametrize(("method", "path", "form", "error"), [
    ("POST", "", {"login": "erp", "password": "abcd"}, (400, "Password is too short. It must be between 5 and 32 characters.")),
    ("POST", "", {"login": "erp", "password": "a" * 33}, (400, "Password is too short. It must be between 5 and 32 characters.")),
    ("POST", "", {"password": PASSWORD}, (400, "Parameter 'login' is missing")),
    ("POST", "", {"login": "erp@contoso.com"}, (400, "The login is not an address of the domain")),
    ("POST", "", {"login": "postmaster"}, (400, "The login exists already")),
    ("DELETE", "/postmaster", None, (400, f"Cannot delete system mailbox: postmaster@{NAME}")),
    ("GET", "?limit=1001", None, (400, "Limit parameter can't be larger than 1000")),
    ("PATCH", "", None, (404, "not found")),
])  # fmt: skip
def test_mailgun_refuses_wrong_credentials(mailgun: Mailgun, method: str, path: str, form: Any, error: tuple[int, str]) -> None:
    assert test_mailgun.error(mailgun(method, CREDENTIALS + path, form)) == error


def test_mailgun_credentials_need_role_and_region(mailgun: Mailgun) -> None:
    assert test_mailgun.error(mailgun("POST", CREDENTIALS, {"login": "erp"}, key=test_mailgun.READER)) == (403, "Forbidden")
    assert mailgun("GET", CREDENTIALS, key=test_mailgun.READER).status_code == 200
    assert test_mailgun.error(mailgun("GET", "/v3/domains/eu.contoso.com/credentials")) == (404, "Domain not found")
    assert mailgun("GET", "/v3/domains/eu.contoso.com/credentials", region="eu").status_code == 200


def test_accounts_are_read_and_replaced_through_the_admin_api(mailgun: Mailgun) -> None:
    admin = mailgun.api.admin
    [account] = admin.accounts("mailgun")
    assert [one["name"] for one in account["domains"]] == [NAME, "eu.contoso.com"]
    admin.replace_accounts("mailgun", [account | {"domains": []}])
    assert mailgun.listed() == []
    with pytest.raises(ValueError, match=r"accounts\[0\]"):
        admin.replace_accounts("mailgun", [{"username": "contoso", "x": 1}])
    with pytest.raises(ValueError, match="no hosted relay 'postmark'"):
        admin.accounts("postmark")
