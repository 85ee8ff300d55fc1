"""Sender domains at Mailgun: created, verified once, never while active, MX and SPF by what DNS has; regions, refusals, removal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_domain import INFO

from tests.contract import check_contract
from tests.emulator.conftest import Start
from tests.emulator.test_mailgun import ACCOUNT, NAME, OWNER, READER, ZONE, Mailgun

from .emulated import follow_clock
from .hosted_world import HostedWorld

MX = [f"mg 300 MX 10 mx{letter}.mailgun.org." for letter in "ab"]


class World(HostedWorld):
    """An account at Mailgun, and the domain mg.contoso.com."""

    provider, path, region, key, domain = "mailgun", "{region}", "us", OWNER, NAME

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, account: dict[str, Any] = ACCOUNT, **options: Any) -> None:
        super().__init__(start, state, directory, account, **options)
        self.mailgun = Mailgun(self.api, state)


def test_domain_is_created_verified_once_dns_has_its_records_and_removed(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    world = World(start, state, tmp_path, record=record)
    planned = world(check_mode=True)
    names = [NAME, f"pdk1._domainkey.{NAME}", f"pdk2._domainkey.{NAME}"]
    assert [(one["name"], one["value"]) for one in planned["domains"][0]["records"]] == [(name, None) for name in names]
    assert world.mailgun.listed() == []

    created = world()
    assert (created["diff"], created["changed"]) == (planned["diff"], True)
    [row] = created["domains"]
    assert (row["return_path"], row["valid"]) == (NAME, False)
    assert [one["name"] for one in row["records"]] == [*names, NAME, NAME], "no record for tracking"
    assert f"{NAME}: publish the TXT record {NAME} with the value v=spf1 include:mailgun.org ~all." in created["notes"]
    assert f"{NAME}: publish the MX record {NAME} with the value 10 mxa.mailgun.org." in created["notes"]
    assert world()["changed"] is False

    world.mailgun.zone(*ZONE)
    predicted = world(check_mode=True)
    verified = world()
    assert (verified["changed"], verified["diff"]) == (True, predicted["diff"])
    assert verified["domains"][0]["valid"] is predicted["domains"][0]["valid"] is True
    assert [note for note in verified["notes"] if "MX" not in note] == []
    world.mailgun.zone(*ZONE, *MX)
    idle = world()
    assert (idle["changed"], idle["cost"]["requests"], "notes" in idle) == (False, 1, False), "accepted domains are in the run cache"
    info = world(INFO, domains=[NAME, "fabrikam.com"])
    assert info["domains"] == idle["domains"]

    world.mailgun.zone()
    assert world()["changed"] is False, "an active domain is not verified again"
    other = {"name": NAME, "return_path": "email", "state": "absent"}
    assert world(domains=[other])["notes"] == [f"{NAME}: its authentications with another return path are kept (em-mailops.{NAME})."]
    removed = world(domains=[{"name": NAME, "state": "absent"}])
    assert (removed["changed"], world.mailgun.listed()) == (True, [])
    paths = [json.loads(line).get("path", "") for line in record.read_text("utf-8").splitlines()]
    assert [path for path in paths if path.endswith("/verify")] == [f"/v4/domains/{NAME}/verify"]
    check_contract(record)


def test_throttled_validation_is_waited_for(start: Start, state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program, or another run, has used the validations of this minute."""
    world = World(start, state, tmp_path, ACCOUNT | {"verifications_per_minute": 1, "domains": [{"name": NAME}]})
    clock = follow_clock(monkeypatch, world.api)
    assert world.mailgun("PUT", f"/v4/domains/{NAME}/verify").status_code == 200
    world.mailgun.zone(*ZONE)
    verified = world()
    assert "msg" not in verified, verified["msg"]
    assert (verified["changed"], verified["domains"][0]["valid"]) == (True, True)
    assert 50 < clock.waited < 250


def test_mx_records_are_for_names_that_nobody_receives_for(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = World(start, state, tmp_path)
    for number, record in enumerate(("mg 300 MX 10 mail.example.", "mg 300 A 192.0.2.7")):
        world.mailgun.zone(*ZONE, record)
        result = world()
        assert [one for one in result["domains"][0]["records"] if one["type"] == "MX"] == []
        assert result["changed"] is True, ("created", "verified")[number]


def test_domain_that_microsoft_receives_for_keeps_its_mx_and_its_spf_record(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = World(start, state, tmp_path)
    dkim = [line.replace(".mg ", " ", 1) for line in ZONE[1:]]
    world.mailgun.zone('@ 300 TXT "v=spf1 include:spf.protection.outlook.com -all"', *dkim)
    result = world(domains=[{"name": "contoso.com"}])
    assert [one["type"] for one in result["domains"][0]["records"]] == ["TXT", "CNAME", "CNAME"]
    assert result["notes"] == ["contoso.com: add include:mailgun.org to the SPF record of contoso.com, with spf_includes of role spf."]
    world.mailgun.zone('@ 300 TXT "v=spf1 include:spf.protection.outlook.com include:mailgun.org -all"', *dkim)
    verified = world(domains=[{"name": "contoso.com"}])
    assert (verified["changed"], verified["domains"][0]["valid"], "notes" in verified) == (True, True, False)


def test_disabled_domain_is_noted_and_not_verified(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    domain = {"name": NAME, "state": "disabled", "disabled_reason": "too many bounces"}
    world = World(start, state, tmp_path, ACCOUNT | {"domains": [domain]})
    world.mailgun.zone(*ZONE, *MX)
    result = world()
    assert (result["changed"], result["domains"][0]["valid"]) == (False, False)
    assert result["notes"] == [f"{NAME}: Mailgun has disabled it and sends nothing for it: too many bounces"]


def test_sandbox_domain_is_noted(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    name = "sandbox1234.mailgun.org"
    world = World(start, state, tmp_path, ACCOUNT | {"domains": [{"name": name, "type": "sandbox", "state": "active"}]})
    info = world(INFO, domains=[name])
    assert (info["domains"][0]["valid"], info["domains"][0]["records"]) == (True, [])
    assert info["domains"][0]["problem"] == "it is a sandbox domain, from which Mailgun delivers to authorized recipients only."


def test_region_has_its_own_domains_and_values(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = World(start, state, tmp_path)
    result = world(region="eu")
    assert result["domains"][0]["records"][0]["value"] == "v=spf1 include:eu.mailgun.org ~all"
    assert world.mailgun.listed() == []
    wrong = world(region="us")
    assert (wrong["failed"], wrong["changed"]) == (True, False)
    assert f"m365_hosted_relay_region is 'us', and Mailgun has {NAME} in the region eu: set m365_hosted_relay_region to eu" in wrong["msg"]


def test_domain_of_another_account_is_refused(start: Start, state: dict[str, Any], tmp_path: Path) -> None:
    world = World(start, state, tmp_path)
    other = {"username": "other", "keys": [], "domains": [{"name": NAME}]}
    world.api.admin.reset(state | {"mailgun": [ACCOUNT, other]})
    result = world()
    assert "another region or another account of Mailgun has this domain (400). Set m365_hosted_relay_region" in result["msg"]


@pytest.mark.parametrize(("key", "sentence"), [
    ("key-unknown", "the provider does not accept the API key in this region (401)"),
    (READER, "the API key lacks the permission"),
])  # fmt: skip
def test_wrong_key_is_refused(start: Start, state: dict[str, Any], tmp_path: Path, key: str, sentence: str) -> None:
    world = World(start, state, tmp_path)
    result = world(key=key)
    assert result["failed"] is True
    assert sentence in result["msg"]
    assert world.mailgun.listed() == []


def test_removal_in_the_background_is_waited_for(
    start: Start, state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(start, state, tmp_path)
    clock = follow_clock(monkeypatch, world.api)
    world()
    world.api.admin.lag(mailgun_domain=20)
    world.api.admin.stop_clock()
    absent = [{"name": NAME, "state": "absent"}]
    assert world(domains=absent)["changed"] is True
    assert 15 < clock.waited < 40
    assert world(domains=absent)["changed"] is False
