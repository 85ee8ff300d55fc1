"""IP allow lists of hosted relays: entries of others are kept, and no list locks this controller out of the API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_allow_list import INFO, RESOURCE

from tests.contract import check_contract
from tests.emulator.conftest import Start
from tests.emulator.test_hosted_accounts import HERE

from .emulated import Run
from .test_hosted_account import PROVIDERS, SENDGRID_KEY, SMTP2GO_KEY

RELAY, OTHER = "203.0.113.64/28", "198.51.100.7"
PRESENT, ABSENT = [{"address": RELAY, "description": "relay host"}], [{"address": RELAY, "state": "absent"}]
BOTH = ["sendgrid", "mailgun"]  # one list for API and SMTP


class World:
    """An account; `__call__` runs hosted_allow_list with it."""

    def __init__(self, start: Start, state: dict[str, Any], directory: Path, provider: str, account: dict[str, Any]) -> None:
        self.record = directory / f"{provider}.jsonl"
        self.api = start(record=self.record)
        own, path, self.key = PROVIDERS[provider]
        self.api.admin.reset(state | {provider: [own | {"public_address": HERE} | account]})
        self.options = {"provider": provider, "api_url": f"{self.api.emulator.cloud['graph']}/{path}"}
        self.run = Run(self.api, directory / "run")

    def __call__(self, resource: Any = RESOURCE, **options: Any) -> dict[str, Any]:
        result = self.run(resource, **self.options, **{"api_key": self.key} | options)
        assert self.key not in str(result)
        return result

    def listed(self, **options: Any) -> list[str]:
        return [one["address"] for one in self(INFO, **options)["addresses"]]

    def accepted(self, **options: Any) -> dict[str, Any]:
        """A run that the check run predicts, and after which another changes nothing."""
        planned = self(check_mode=True, **options)
        done = self(**options)
        assert "msg" not in done, done["msg"]
        assert (done.get("msg"), done["diff"]) == (None, planned["diff"])
        again = self(**options)
        assert (again.get("msg"), again["changed"], again["cost"]["requests"]) == (None, False, 1)
        check_contract(self.record)
        return done


Make = Callable[..., World]


@pytest.fixture
def make(start: Start, state: dict[str, Any], tmp_path: Path) -> Make:
    return lambda provider, **account: World(start, state, tmp_path, provider, account)


@pytest.mark.parametrize("provider", BOTH)
def test_list_of_api_and_smtp_has_the_controller_and_keeps_others(make: Make, provider: str) -> None:
    world = make(provider)
    refused = world(addresses=PRESENT)
    assert (refused["failed"], world.listed()) == (True, [])
    assert "m365_controller_address is not set, and the list also decides who may use the API of" in refused["msg"]
    done = world.accepted(addresses=PRESENT, controller_address=HERE)
    assert (done["enabled"], done["governs_api"], [one["address"] for one in done["addresses"]]) == (True, True, [HERE, RELAY])

    world.accepted(addresses=[{"address": OTHER}], controller_address=HERE)
    kept = world(addresses=PRESENT, controller_address=HERE)
    assert (kept["changed"], world.listed()) == (False, [OTHER, HERE, RELAY])
    assert OTHER in kept["notes"][0]
    world.accepted(addresses=PRESENT, controller_address=HERE, exclusive=True)
    assert world.listed() == [HERE, RELAY]
    out = world(addresses=[{"address": HERE, "state": "absent"}], controller_address=HERE)
    assert f"addresses lists {HERE} of m365_controller_address as absent" in out["msg"]
    assert world.listed() == [HERE, RELAY]


@pytest.mark.parametrize("provider", BOTH)
def test_list_without_a_switch_is_disabled_by_its_last_entry_only(make: Make, provider: str) -> None:
    world = make(provider, allow_list=[{"address": HERE, "id": 1}, {"address": OTHER, "id": 2}])
    refused = world(enabled=False)
    assert f"applies its list as soon as it has an entry ({OTHER}, {HERE})" in refused["msg"] or f"({HERE}, {OTHER})" in refused["msg"]
    assert len(world.listed()) == 2
    assert "m365_controller_address is not set" in world(enabled=False, exclusive=True)["msg"]
    done = world.accepted(enabled=False, exclusive=True, controller_address=HERE)
    assert (done["enabled"], done["addresses"]) == (False, [])


def test_lists_of_smtp2go_have_a_switch_each(make: Make) -> None:
    world = make("smtp2go")
    filled = world.accepted(addresses=PRESENT)
    assert (filled["enabled"], filled["governs_api"], filled["addresses"]) == (
        False,
        False,
        [{"address": RELAY, "description": "relay host"}],
    )
    assert filled["notes"] == ["SMTP2GO: the list has entries and is not enabled: set enabled to true to apply it."]
    assert world.accepted(addresses=PRESENT, enabled=True)["enabled"] is True
    renamed = world.accepted(addresses=[{"address": RELAY, "description": "relay hosts"}])
    assert renamed["addresses"][0]["description"] == "relay hosts"
    assert world.accepted(addresses=ABSENT, enabled=False)["addresses"] == []

    refused = world(service="api", addresses=PRESENT, enabled=True)
    assert "m365_controller_address is not set" in refused["msg"]
    assert world.accepted(service="api", addresses=PRESENT)["enabled"] is False
    done = world.accepted(service="api", addresses=PRESENT, enabled=True, controller_address=HERE)
    assert (done["governs_api"], [one["address"] for one in done["addresses"]]) == (True, [HERE, RELAY])
    assert world.listed() == [], "the list for SMTP is another one"


def test_listed_address_of_the_controller_gets_its_description(make: Make) -> None:
    world = make("mailgun", allow_list=[{"address": HERE, "description": "before"}])
    world.accepted(addresses=PRESENT, controller_address=HERE)
    assert world(INFO)["addresses"][0]["description"] == "before", "not listed: kept"
    world.accepted(addresses=[*PRESENT, {"address": HERE, "description": "office"}], controller_address=HERE)
    assert world(INFO)["addresses"][0]["description"] == "office"


def test_network_that_has_the_controller_is_enough(make: Make) -> None:
    world = make("mailgun", allow_list=[{"address": "203.0.113.0/24"}])
    done = world.accepted(addresses=[{"address": OTHER}], controller_address=HERE)
    assert [one["address"] for one in done["addresses"]] == [OTHER, "203.0.113.0/24"]


def test_refusal_of_an_unlisted_controller_has_its_cause(make: Make) -> None:
    for provider, account in {
        "sendgrid": {"allow_list": [{"address": OTHER, "id": 1}]},
        "smtp2go": {"api_allow_list": [{"address": OTHER}], "api_allow_list_enabled": True},
    }.items():
        result = make(provider, **account)(INFO)
        assert "the account's IP allow list does not hold this address" in result["msg"]


@pytest.mark.parametrize(("provider", "account", "missing"), [
    ("sendgrid", {"keys": [{"value": SENDGRID_KEY, "scopes": ["access_settings.whitelist.read"]}]}, "access_settings.whitelist.create"),
    ("smtp2go", {"keys": [{"value": SMTP2GO_KEY, "paths": ["/ip_allow_list/view"]}]}, "/ip_allow_list/add"),
])  # fmt: skip
def test_missing_permission_is_named_before_a_write(make: Make, provider: str, account: dict[str, Any], missing: str) -> None:
    result = make(provider, **account)(addresses=PRESENT, controller_address=HERE)
    assert result["msg"].startswith(f"m365_hosted_relay_api_key lacks the permissions {missing}")


def test_problems_of_the_input_are_reported_at_once(make: Make) -> None:
    addresses = [{"address": "10.0.0.7"}, {"address": RELAY}, {"address": RELAY, "state": "absent"}, {"address": "x"}]
    result = make("mailgun")(addresses=addresses, controller_address="192.168.1.1")
    starts = [
        "addresses holds '10.0.0.7', which is not a public address", "addresses holds 'x', which is no IPv4 address or network",
        f"addresses lists {RELAY} more than once", "m365_controller_address holds '192.168.1.1', which is not a public address",
    ]  # fmt: skip
    problems = result["failure"]["problems"]
    assert [problem.startswith(start) for problem, start in zip(problems, starts, strict=True)] == [True] * 4, problems
    assert "addresses lists none that is present" in make("smtp2go")(enabled=True)["msg"]
