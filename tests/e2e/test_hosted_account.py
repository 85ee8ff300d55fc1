"""The account at a hosted relay: quota, suppressed addresses, sandbox and trial, missing permissions, wrong key and region."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_account import INFO

from tests.contract import check_contract
from tests.emulator.conftest import Start
from tests.emulator.test_hosted_accounts import ADDRESS, PATHS, RIGHTS, entry
from tests.emulator.test_mailgun import ACCOUNT as MAILGUN
from tests.emulator.test_mailgun import NAME
from tests.emulator.test_mailgun import SENDER as MAILGUN_SENDER
from tests.emulator.test_sendgrid import ACCOUNTS, api_key
from tests.emulator.test_sendgrid import OWNER as SENDGRID_KEY
from tests.emulator.test_sendgrid import READER as SENDGRID_READER
from tests.emulator.test_smtp2go import ACCOUNT as SMTP2GO
from tests.emulator.test_smtp2go import OWNER as SMTP2GO_KEY

from .emulated import Run

SENDGRID_ALL = [
    "mail.send", *RIGHTS, *(f"whitelabel.{one}" for one in ("create", "read", "update", "delete")),
    *(f"api_keys.{one}" for one in ("create", "read", "delete")),
]  # fmt: skip
SMTP2GO_ALL = [
    *PATHS, *(f"/domain/{one}" for one in ("add", "view", "verify", "remove")),
    *(f"/users/smtp/{one}" for one in ("add", "view", "remove")),
]  # fmt: skip
SENDGRID = ACCOUNTS[0] | {"keys": [{"value": SENDGRID_KEY, "scopes": SENDGRID_ALL}, *ACCOUNTS[0]["keys"][1:]]}
SMTP2GO = SMTP2GO | {"keys": [{"value": SMTP2GO_KEY, "paths": SMTP2GO_ALL}]}
MAILGUN = MAILGUN | {"domains": [{"name": NAME, "state": "active"}]}
PROVIDERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "sendgrid": (SENDGRID, "sendgrid/{region}", SENDGRID_KEY),
    "smtp2go": (SMTP2GO, "smtp2go/{region}/v3", SMTP2GO_KEY),
    "mailgun": (MAILGUN, "mailgun/{region}", MAILGUN["keys"][0]["value"]),
}
ADDRESSES = [ADDRESS, "new@example.org"]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(start: Start, state: dict[str, Any], tmp_path: Path) -> Ask:
    """`ask(provider, account's changes, options of the module)`; the requests follow the contract."""
    record = tmp_path / "record.jsonl"
    api = start(record=record)
    run = Run(api, tmp_path / "run")

    def asked(provider: str, account: dict[str, Any] | None = None, /, **options: Any) -> dict[str, Any]:
        own, path, key = PROVIDERS[provider]
        api.admin.reset(state | {provider: [own | (account or {})]})
        url = f"{api.emulator.cloud['graph']}/{path}"
        result = run(INFO, **{"provider": provider, "api_key": key, "api_url": url, "domains": [NAME]} | options)
        assert key not in str(result)
        if record.stat().st_size:
            check_contract(record)
        return result

    return asked


def test_account_in_order_has_no_notes(ask: Ask) -> None:
    costs = {}
    for provider in PROVIDERS:
        result = ask(provider)
        assert (result.get("msg"), result["changed"], "notes" in result) == (None, False, False), result
        assert (result["suppressed"], result["problems"], result["unknown_domains"]) == ([], [], [])
        assert result["missing_rights"] == (None if provider == "mailgun" else [])
        costs[provider] = result["cost"]["requests"]
    assert costs == {"sendgrid": 3, "smtp2go": 3, "mailgun": 2}


@pytest.mark.parametrize(("used", "sentence"), [
    (79, None),
    (80, ": 80 % of the quota is used (80 of 100 {unit}): choose a larger plan if it does not last until "),
    (100, ": the quota is exhausted (100 of 100 {unit}), so that mail is refused or not delivered until "),
])  # fmt: skip
def test_quota_is_warned_of_at_eighty_percent(ask: Ask, used: int, sentence: str | None) -> None:
    fields = {
        "sendgrid": ("SendGrid", "recipients", {"credits": 100, "credits_used": used}),
        "smtp2go": ("SMTP2GO", "messages", {"cycle_max": 100, "cycle_used": used}),
        "mailgun": ("Mailgun", "messages", {"monthly_limit": 100, "monthly_used": used}),
    }
    for provider, (label, unit, account) in fields.items():
        result = ask(provider, account)
        quota = result["quota"]
        assert (quota["used"], quota["limit"], quota["remaining"], quota["percent"], quota["unit"]) == (used, 100, 100 - used, used, unit)
        notes = result.get("notes", [])
        assert [note for note in notes if sentence is None or not note.startswith(label + sentence.format(unit=unit))] == []
        assert len(notes) == (sentence is not None)
    assert ask("mailgun")["quota"] is None


def test_suppressed_address_is_named_with_its_list(ask: Ask) -> None:
    listed = [entry("bounces"), entry("complaints")]
    cases = {
        "sendgrid": ({"suppressions": [entry("bounces"), entry("global")]}, ["bounces", "global"]),
        "smtp2go": ({"suppressions": [entry("bounce", added="2020-01-01T00:00:00Z")]}, ["bounce"]),
        "mailgun": ({"domains": [MAILGUN["domains"][0] | {"suppressions": listed}]}, ["bounces", "complaints"]),
    }
    for provider, (account, names) in cases.items():
        result = ask(provider, account, addresses=ADDRESSES)
        assert [(one["address"], one["list"]) for one in result["suppressed"]] == [(ADDRESS, name) for name in names]
        assert len(result["notes"]) == len(names)
        assert f"accepts mail to {ADDRESS} and does not deliver it: it is in the list {names[0]}" in result["notes"][0]
        assert "(550 5.1.1 no such user)" in result["notes"][0]


def test_what_keeps_all_mail_from_delivery_is_named(ask: Ask) -> None:
    trial = ask("sendgrid", {"type": "free"})
    assert trial["notes"] == ["SendGrid: it is a trial account, which sends at most 100 messages a day."]
    sandbox = ask("smtp2go", {"users": [{"username": "erp-1", "password": "p" * 20, "status": "sandbox"}]})
    [note] = sandbox["notes"]
    assert note.startswith("SMTP2GO: SMTP user erp-1: SMTP2GO accepts its messages and delivers none, because the user is in the sandbox")
    disabled = ask("mailgun", {"domains": [{"name": NAME, "state": "disabled", "disabled_reason": "too many bounces"}]})
    assert disabled["notes"] == [f"Mailgun: {NAME}: Mailgun has disabled it and sends nothing for it: too many bounces"]
    unknown = ask("mailgun", {"domains": []})
    assert unknown["notes"] == [f"Mailgun does not have the domain {NAME}: create it with module hosted_domain."]


def test_missing_permissions_are_named_and_the_rest_is_read(ask: Ask) -> None:
    scopes = [scope for scope in SENDGRID_ALL if scope not in ("suppression.read", "api_keys.delete")]
    account = {"keys": [{"value": SENDGRID_KEY, "scopes": scopes}], "credits": 100, "credits_used": 90}
    result = ask("sendgrid", account, addresses=ADDRESSES)
    assert (result["missing_rights"], result["quota"]["percent"]) == (["api_keys.delete", "suppression.read"], 90)
    assert result["notes"][0] == "m365_hosted_relay_api_key lacks the permissions api_keys.delete, suppression.read: give them to the key."
    narrowed = ask("sendgrid", account, purposes=["domains", "quota"])
    assert narrowed["missing_rights"] == []
    paths = {"keys": [{"value": SMTP2GO_KEY, "paths": ["/domain/view"]}]}
    bare = ask("smtp2go", paths, purposes=["quota"])
    assert (bare["missing_rights"], bare["quota"]) == (["/stats/email_cycle"], None)


@pytest.mark.parametrize(("provider", "options", "sentence"), [
    ("sendgrid", {"api_key": api_key("unknown")}, "the provider does not accept the API key in this region (401)"),
    ("sendgrid", {"region": "eu"}, "the provider does not accept the API key in this region (401)"),
    ("smtp2go", {"api_key": "api-" + "9" * 32}, "the provider does not accept the API key in this region (API_EXCEPTION)"),
    ("mailgun", {"api_key": "key-unknown"}, "the provider does not accept the API key in this region (401)"),
    ("mailgun", {"api_key": MAILGUN_SENDER}, "the API key lacks the permission"),
    ("mailgun", {"region": "eu"}, f"m365_hosted_relay_region is 'eu', and Mailgun has {NAME} in the region us: set"),
    ("mailgun", {"addresses": [ADDRESS], "domains": []}, "domains is not set: Mailgun suppresses addresses for each domain"),
    ("sendgrid", {"addresses": ["nobody"]}, "addresses holds 'nobody', which is no mail address"),
])  # fmt: skip
def test_wrong_key_region_and_input_are_one_sentence(ask: Ask, provider: str, options: dict[str, Any], sentence: str) -> None:
    result = ask(provider, None, **options)
    assert (result["failed"], result["changed"]) == (True, False)
    assert sentence in result["msg"]


def test_permissions_of_a_reader_are_all_named(ask: Ask) -> None:
    result = ask("sendgrid", None, api_key=SENDGRID_READER)
    assert set(result["missing_rights"]) == set(SENDGRID_ALL) - {"whitelabel.read"}
    assert (result["quota"], result["suppressed"]) == (None, [])
