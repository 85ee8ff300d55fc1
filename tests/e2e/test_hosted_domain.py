"""Sender domains at SendGrid: created, compared with DNS, verified and removed; what is refused, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_domain import INFO, RESOURCE

from tests.contract import check_contract
from tests.emulator.conftest import Start
from tests.emulator.test_sendgrid import ACCOUNTS, EUROPE, OWNER, READER, SendGrid

from .emulated import Run, follow_clock

RETURN_PATH = "em-mailops.contoso.com"
TARGET = "u1446226.wl123.sendgrid.net"
ZONE = [
    f"em-mailops 300 CNAME {TARGET}.",
    f"s1._domainkey 300 CNAME S1.domainkey.{TARGET}.",
    f"s2._domainkey 300 CNAME s2.domainkey.{TARGET}.",
]


class World:
    """A tenant with an account at SendGrid. `__call__` runs hosted_domain for contoso.com."""

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, accounts: Any = ACCOUNTS, **options: Any) -> None:
        self.api = start(**options)
        self.api.admin.reset(state | {"sendgrid": accounts})
        self.sendgrid = SendGrid(self.api, state)
        self.run = Run(self.api, directory / "run")
        self.directory = directory

    def options(self, region: str | None = None, key: str = OWNER) -> dict[str, Any]:
        url = f"{self.api.emulator.cloud['graph']}/sendgrid/{region or 'global'}"
        account = {"provider": "sendgrid", "api_key": key, "api_url": url, "dns_servers": self.api.emulator.dns_servers}
        return account | ({"region": region} if region else {})

    def __call__(self, *, region: str | None = None, key: str = OWNER, **options: Any) -> dict[str, Any]:
        requested = {"domains": [{"name": "contoso.com"}]} | options
        result = self.run(RESOURCE, **self.options(region, key), **requested)
        assert key not in str(result)
        return result

    def listed(self) -> list[dict[str, Any]]:
        return list(self.sendgrid("GET", "/whitelabel/domains").json())


MakeWorld = Callable[..., World]


@pytest.fixture
def make(start: Start, state: dict[str, Any], tmp_path: Path) -> Iterator[MakeWorld]:
    worlds: list[World] = []

    def world(**options: Any) -> World:
        worlds.append(World(start, state, tmp_path, **options))
        return worlds[-1]

    yield world
    for each in worlds:
        journal = each.directory / "run" / "journal"
        texts = [path.read_text("utf-8") for path in journal.rglob("*") if path.is_file()]
        assert not [text for text in texts if OWNER in text], "the key is in the journal"


def test_domain_is_created_verified_once_dns_has_its_records_and_removed(make: MakeWorld, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    world = make(record=record)
    planned = world(check_mode=True)
    assert planned["changed"]
    assert world.listed() == []
    [row] = planned["domains"]
    assert [(one["purpose"], one["name"], one["value"]) for one in row["records"]] == [
        ("return_path", RETURN_PATH, None), ("dkim", "s1._domainkey.contoso.com", None), ("dkim", "s2._domainkey.contoso.com", None),
    ]  # fmt: skip

    created = world()
    assert (created["diff"], created["changed"]) == (planned["diff"], True)
    [row] = created["domains"]
    assert (row["return_path"], row["valid"]) == (RETURN_PATH, False)
    assert [one["value"] for one in row["records"]] == [TARGET, f"s1.domainkey.{TARGET}", f"s2.domainkey.{TARGET}"]
    assert f"contoso.com: publish the CNAME record {RETURN_PATH} with the value {TARGET}." in created["notes"]
    again = world()
    assert (again["changed"], again["notes"], again["domains"]) == (False, created["notes"], created["domains"])

    world.sendgrid.zone(*ZONE[:2], "s2._domainkey 300 CNAME other.example.")
    partly = world()
    assert partly["changed"] is False
    value = f"s2.domainkey.{TARGET} in place of other.example"
    assert partly["notes"] == [f"contoso.com: publish the CNAME record s2._domainkey.contoso.com with the value {value}."]

    world.sendgrid.zone(*ZONE)
    predicted = world(check_mode=True)
    assert world.listed()[0]["valid"] is False
    verified = world()
    assert (verified["changed"], verified["diff"], "notes" in verified) == (True, predicted["diff"], False)
    assert verified["domains"][0]["valid"] is predicted["domains"][0]["valid"] is True
    assert all(one["published"] and one["valid"] for one in verified["domains"][0]["records"])

    idle = world()
    assert (idle["changed"], idle["cost"]["requests"]) == (False, 1), "accepted domains are in the run cache"
    info = world.run(INFO, **world.options(), domains=["Contoso.com", "fabrikam.com"])
    assert info["domains"] == idle["domains"]

    removed = world(domains=[{"name": "contoso.com", "state": "absent"}])
    assert (removed["changed"], removed["domains"], world.listed()) == (True, [], [])
    assert world(domains=[{"name": "contoso.com", "state": "absent"}])["changed"] is False
    check_contract(record)


def test_valid_domain_is_not_verified_again_and_others_are_kept(make: MakeWorld) -> None:
    world = make()
    world.sendgrid.zone(ZONE[1], ZONE[2], f"em1 300 CNAME {TARGET}.", f"em2 300 CNAME {TARGET}.")
    first, second = (world.sendgrid.create(label)["id"] for label in ("em1", "em2"))
    result = world()
    assert (result["changed"], result["domains"][0]["return_path"]) == (True, "em1.contoso.com")
    assert result["domains"][0]["others"] == ["em2.contoso.com"]
    [note] = result["notes"]
    assert "other authentications of it (em2.contoso.com)" in note
    world.sendgrid("POST", f"/whitelabel/domains/{second}/validate")
    chosen = world()
    assert (chosen["changed"], chosen["domains"][0]["return_path"]) == (False, "em2.contoso.com")
    kept = world(domains=[{"name": "contoso.com", "state": "absent"}])
    assert kept["changed"] is False
    assert kept["notes"] == ["contoso.com: its authentications with another return path are kept (em1.contoso.com, em2.contoso.com)."]
    assert [one["id"] for one in world.listed()] == [first, second]


def test_refusal_of_the_provider_is_reported_with_its_reason(make: MakeWorld) -> None:
    """The provider reads DNS by itself, later or from another server than this host."""
    world = make()
    world.sendgrid.create("em-mailops")
    world.sendgrid.zone(*ZONE)
    reason = f'Expected CNAME for "{RETURN_PATH}" to match "{TARGET}".'
    results = {"mail_cname": {"valid": False, "reason": reason}, "dkim1": {"valid": True}, "dkim2": {"valid": True, "reason": None}}
    body = {"id": 1, "valid": False, "validation_results": results}
    world.api.admin.fault("sendgrid", match={"path": "/validate$"}, status=200, body=body)
    result = world()
    assert (result["changed"], result["domains"][0]["valid"]) == (True, False)
    assert result["notes"] == [f"contoso.com: the provider does not accept the CNAME record {RETURN_PATH} yet: {reason}"]
    assert world()["domains"][0]["valid"] is True


@pytest.mark.parametrize(("key", "region", "options", "sentence"), [
    ("SG.unknown", None, {}, "the provider does not accept the API key in this region (401). Set m365_hosted_relay_api_key"),
    (OWNER, "eu", {}, "the provider does not accept the API key in this region (401)"),
    (READER, None, {}, "m365_hosted_relay_api_key lacks the permissions whitelabel.create"),
    (OWNER, None, {"domains": [{"name": "example.org"}]}, "domains holds example.org, no accepted domain of this tenant"),
    (OWNER, "au", {}, "m365_hosted_relay_region is 'au', which SendGrid does not have"),
    ("", None, {}, "m365_hosted_relay_api_key is not set"),
])  # fmt: skip
def test_wrong_input_is_refused_before_a_write(
    make: MakeWorld, key: str, region: str | None, options: dict[str, Any], sentence: str
) -> None:
    world = make()
    for check_mode in (True, False):
        arguments = {"domains": [{"name": "contoso.com"}]} | options
        result = world.run(RESOURCE, check_mode=check_mode, **world.options(region, key), **arguments)
        assert (result["failed"], result["changed"]) == (True, False)
        assert sentence in result["msg"]
        assert not key or key not in str(result)
    assert world.listed() == []


def test_account_of_the_european_region_has_its_own_domains(make: MakeWorld) -> None:
    world = make()
    result = world(region="eu", key=EUROPE)
    assert result["domains"][0]["records"][0]["value"] == "u99.eu.wl123.sendgrid.net"
    assert world.listed() == []


def test_throttled_account_is_waited_for(make: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(accounts=[ACCOUNTS[0] | {"requests_per_minute": 1}])
    clock = follow_clock(monkeypatch, world.api)
    world.sendgrid("GET", "/scopes")
    result = world(check_mode=True)
    assert "msg" not in result, result["msg"]
    assert result["cost"]["retries"] == 2, "the list of domains and the permissions"
    assert 55 < clock.waited < 130


def test_many_domains_are_read_in_pages(make: MakeWorld) -> None:
    world = make()
    for number in range(51):
        world.sendgrid.create("em1", f"d{number}.example")
    names = [{"name": f"{label}.contoso.com"} for label in ("news", "erp")]
    result = world(domains=names)
    assert [row["name"] for row in result["domains"]] == ["news.contoso.com", "erp.contoso.com"]
    assert len(world.sendgrid("GET", "/whitelabel/domains?limit=100").json()) == 53
    again = world(domains=names)
    assert (again["changed"], again["cost"]["requests"]) == (False, 2), "two pages of SendGrid"
