"""Sender domains at SMTP2GO: created, verified on request or by the provider itself, removed; refusals and throttling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_domain import INFO

from tests.contract import check_contract
from tests.emulator.conftest import Start
from tests.emulator.test_smtp2go import ACCOUNT, OWNER, READER, Smtp2Go

from .emulated import follow_clock
from .hosted_world import HostedWorld

ZONE = ["em-mailops 300 CNAME return.smtp2go.net.", "s123456._domainkey 300 CNAME dkim.smtp2go.net."]
RETURN_PATH, DKIM = "em-mailops.contoso.com", "s123456._domainkey.contoso.com"


class World(HostedWorld):
    """An account at SMTP2GO, and the domain contoso.com."""

    provider, path, region, key, domain = "smtp2go", "eu/v3", "eu", OWNER, "contoso.com"

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, account: dict[str, Any], **options: Any) -> None:
        super().__init__(start, state, directory, account, **options)
        self.smtp2go = Smtp2Go(self.api, state)


def test_domain_is_created_verified_once_dns_has_its_records_and_removed(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    world = World(start, state, tmp_path, ACCOUNT, record=record)
    planned = world(check_mode=True)
    assert planned["notes"] == [f"contoso.com: create it to see the values of its records: {RETURN_PATH}."]
    assert [(one["name"], one["value"]) for one in planned["domains"][0]["records"]] == [(RETURN_PATH, None), (None, None)]
    assert world.smtp2go.domains() == []

    created = world()
    assert (created["diff"], created["changed"]) == (planned["diff"], True)
    [row] = created["domains"]
    values = [(one["purpose"], one["name"], one["value"]) for one in row["records"]]
    assert values == [("return_path", RETURN_PATH, "return.smtp2go.net"), ("dkim", DKIM, "dkim.smtp2go.net")]
    assert created["notes"] == [f"contoso.com: publish the CNAME record {name} with the value {value}." for _, name, value in values]
    assert world()["changed"] is False

    world.smtp2go.zone(*ZONE)
    predicted = world(check_mode=True)
    verified = world()
    assert (verified["changed"], verified["diff"], "notes" in verified) == (True, predicted["diff"], False)
    assert verified["domains"][0]["valid"] is predicted["domains"][0]["valid"] is True
    idle = world()
    assert (idle["changed"], idle["cost"]["requests"]) == (False, 1), "accepted domains are in the run cache"
    info = world(INFO, domains=["contoso.com", "fabrikam.com"])
    assert "msg" not in info, info["msg"]
    assert info["domains"] == idle["domains"]

    other = {"name": "contoso.com", "return_path": "em9", "state": "absent"}
    assert world(domains=[other])["notes"] == [f"contoso.com: its authentications with another return path are kept ({RETURN_PATH})."]
    removed = world(domains=[{"name": "contoso.com", "state": "absent"}])
    assert (removed["changed"], world.smtp2go.domains()) == (True, [])
    check_contract(record)


def test_domain_that_the_provider_has_verified_by_itself_is_left_alone(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = World(start, state, tmp_path, ACCOUNT)
    world()
    world.smtp2go.zone(*ZONE)
    world.api.admin.advance(421)
    result = world()
    assert (result["changed"], result["domains"][0]["valid"]) == (False, True)


@pytest.mark.parametrize(("key", "sentence"), [
    ("api-unknown", "the provider does not accept the API key in this region (API_EXCEPTION)"),
    (READER, "m365_hosted_relay_api_key lacks the permissions /domain/add: give them to the key"),
])  # fmt: skip
def test_wrong_key_is_refused_before_a_write(start: Start, state: dict[str, Any], tmp_path: Path, key: str, sentence: str) -> None:
    world = World(start, state, tmp_path, ACCOUNT)
    result = world(key=key)
    assert (result["failed"], result["changed"]) == (True, False)
    assert sentence in result["msg"]
    assert world.smtp2go.domains() == []


def test_key_without_the_path_of_the_list_is_forbidden(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    account = ACCOUNT | {"keys": [{"value": OWNER, "paths": ["/email/send"]}]}
    result = World(start, state, tmp_path, account)()
    assert "the API key lacks the permission" in result["msg"]
    assert result["failure"]["code"] == "ENDPOINT_PERMISSION_DENIED"


def test_throttled_account_is_waited_for_a_minute(
    start: Start, state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(start, state, tmp_path, ACCOUNT | {"requests_per_minute": 1})
    clock = follow_clock(monkeypatch, world.api)
    world.smtp2go.domains()
    result = world(domains=[{"name": "contoso.com", "state": "absent"}])
    assert (result.get("msg"), result["changed"]) == (None, False)
    assert 50 < clock.waited < 140
