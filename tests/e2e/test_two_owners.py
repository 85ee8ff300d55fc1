"""Two inventories with different owners share a tenant: run in turn they change nothing any more, a property of random lists."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.emulator.conftest import Start

from .random_lists import Generator, List, started, state
from .tenant_play import Document, Play

MORE = [pytest.mark.tier_all, pytest.mark.one_python_is_enough]
SEEDS = [*range(4), *(pytest.param(seed, marks=MORE) for seed in range(4, 104))]
# What two inventories cannot share: hosts (connectors would overlap), accounts (each names its own), and names of senders.
OWN = {
    "203.0.113.10": "192.0.2.10",
    "203.0.113.11": "192.0.2.11",
    "203.0.113.0/28": "192.0.2.0/28",
    "198.51.100.20": "192.0.2.120",
    "198.51.100.0/24": "192.0.2.96/27",
    "a.contoso.com": "c.contoso.com",
    "b.contoso.com": "d.contoso.com",
    "bulk@contoso.com": "post@contoso.com",
    "mass@contoso.com": "news@contoso.com",
}


def of_another_owner(one: List) -> List:
    """The list with hosts, accounts and names of its own."""
    senders = [_own(sender) | {"name": f"{sender['name']} 2"} for sender in one.senders]
    for sender in senders:
        if sender["method"] == "acs":  # Azure takes each SMTP username once
            sender["address"] = f"{sender['name'].lower().replace(' ', '-')}@contoso.com"
    return List(senders, _own(one.options))


def _own(document: Document) -> Document:
    def own(value: object) -> object:
        if isinstance(value, dict):
            return {name: own(item) for name, item in value.items()}
        if isinstance(value, list):
            return [own(item) for item in value]
        return OWN.get(value, value) if isinstance(value, str) else value

    return {name: own(value) for name, value in document.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_two_owners_in_turn_undo_nothing_of_each_other(start: Start, tmp_path: Path, seed: int) -> None:
    generator = Generator(random.Random(seed))  # noqa: S311 - no secret
    first = generator.list()
    second = of_another_owner(generator.list(rbac=generator.rbac))  # both have one sender app, which is authorized in one way
    play = started(start, tmp_path, random.Random(seed))  # noqa: S311
    run(play, first, "mailops")
    run(play, second, "branch")
    # A setting that both disable or allow settles in the first run after that of the other.
    run(play, first, "mailops")
    settled = state(play)
    for one, owner in ((second, "branch"), (first, "mailops"), (second, "branch")):
        again = run(play, one, owner)
        assert not again["changed"], (owner, first, second, again["changes"])
    assert state(play) == settled
    # The end of one owner takes nothing that the other one needs: what the latter's next run ends are rights of the former only.
    end = List([], first.options | {"unused_access": "keep", "remove_orphans": True})
    run(play, end, "mailops")
    kept = run(play, second, "branch")
    if not second.disables_unused_access:  # what the first owner has restored is unused for the second one
        assert {change["action"] for change in kept["changes"]} <= {"remove", "change"}
        assert not any(change["kind"] == "mailbox_permission" and change["action"] != "remove" for change in kept["changes"])
    assert not run(play, second, "branch")["changed"]
    assert not run(play, end, "mailops")["changed"]


def run(play: Play, one: List, owner: str) -> Document:
    result = play(*one.senders, owner=owner, **one.options)
    assert "failed" not in result, (owner, one, result)
    return result


SCAN: Document = {"name": "Scan", "kind": "scanner", "method": "oauth", "address": "scan@contoso.com"}
POST: Document = {"name": "Post", "method": "hve", "recipients": "internal", "address": "bulk@contoso.com", "oauth": False}


@pytest.mark.parametrize("sender", [SCAN, POST], ids=["mailbox", "account"])
def test_what_another_owner_needs_is_no_orphan(start: Start, tmp_path: Path, sender: Document) -> None:
    """A mailbox is removed with its mail."""
    play = Play(start(), tmp_path)
    options: Document = {"inventory": {"hve_account_password": "a-long-password"}, "remove_orphans": True}
    play(sender, **options)
    play(sender, owner="branch", **options)
    before = state(play)
    gone = play(**options)
    assert [change for change in gone["changes"] if change["action"] == "remove"] == []
    assert not play(sender, owner="branch", **options)["changed"]
    assert state(play) == before
    last = play(owner="branch", **options)
    assert "remove" in {change["action"] for change in last["changes"] if change["kind"] in ("mailbox", "hve_account")}
