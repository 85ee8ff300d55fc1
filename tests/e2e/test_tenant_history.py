"""What a tenant has depends on the list alone, not on the lists before it: a property of random lists."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.emulator.conftest import TENANT, Start

from .tenant_play import Document, Play

MORE = [pytest.mark.tier_all, pytest.mark.one_python_is_enough]
SEEDS = [*range(8), *(pytest.param(seed, marks=MORE) for seed in range(8, 308))]
NAMES = ("Plant", "Gate", "Lab", "Fax")
NETWORKS = ("203.0.113.10", "203.0.113.11", "203.0.113.0/28", "198.51.100.20")
SHARED = ("noreply@contoso.com", "no-reply@contoso.com", "erp@contoso.com", "shop@contoso.com")
USERS = ("ops@contoso.com", "user001@contoso.com", "user002@contoso.com")
ACCOUNTS = ("bulk@contoso.com", "mass@contoso.com")
OPTIONS: Document = {"inventory": {"hve_account_password": "a-long-password"}}


def senders(randomly: random.Random, *, renames: bool) -> list[Document]:
    """A random list: some of four senders, each with a random method, source or mailbox. `renames`: some get a new address (was)."""
    chosen = [name for name in NAMES if randomly.random() < 0.7]
    randomly.shuffle(chosen)
    listed = [_METHODS[randomly.choice(list(_METHODS))](name, randomly) for name in chosen]
    if renames:
        listed = [_renamed(sender, listed, randomly) for sender in listed]
    return _without_contradictions(listed)


def _oauth(name: str, randomly: random.Random) -> Document:
    sender = {"name": name, "method": "oauth", "address": randomly.choice([*SHARED, *USERS])}
    return sender | ({"mailbox": randomly.choice([*SHARED, *USERS])} if randomly.random() < 0.4 else {})


def _connector(name: str, randomly: random.Random) -> Document:
    sender = {"name": name, "method": "connector", "address": randomly.choice([*SHARED, *USERS])}
    if randomly.random() < 0.3:
        return sender | {"certificate_name": randomly.choice(("a.contoso.com", "b.contoso.com"))}
    return sender | {"public_addresses": randomly.sample(NETWORKS, randomly.randint(1, 2))}


def _basic(name: str, randomly: random.Random) -> Document:
    return {"name": name, "method": "basic", "address": randomly.choice(USERS)}


def _hve(name: str, randomly: random.Random) -> Document:
    sender = {"name": name, "method": "hve", "recipients": "internal", "address": randomly.choice(ACCOUNTS)}
    return sender | {"oauth": randomly.random() < 0.5}


def _direct_send(name: str, randomly: random.Random) -> Document:
    return {"name": name, "method": "direct_send", "recipients": "internal", "address": randomly.choice(SHARED)}


_METHODS = {"oauth": _oauth, "connector": _connector, "basic": _basic, "hve": _hve, "direct_send": _direct_send}


def _renamed(sender: Document, listed: list[Document], randomly: random.Random) -> Document:
    """The sender with a new address that no other list has, and the former one, where no sender uses that."""
    former = {"oauth": SHARED, "hve": ACCOUNTS}.get(sender["method"], ())
    used = {other.get(key) for other in listed for key in ("address", "mailbox")}
    available = [address for address in former if address not in used]
    if not available or randomly.random() < 0.5:
        return sender
    return sender | {"address": f"{sender['name'].lower()}-new@contoso.com", "was": randomly.choice(available)}


def _without_contradictions(listed: list[Document]) -> list[Document]:
    """Without senders that have the account or the former address of an earlier one."""
    result: list[Document] = []
    for sender in listed:
        taken = {other.get("was") or other["address"] for other in result if other["method"] == "hve" or "was" in other}
        if (sender.get("was") or sender["address"]) not in taken or (sender["method"] != "hve" and "was" not in sender):
            result.append(sender)
    return result


def started(start: Start, directory: Path, randomly: random.Random) -> Play:
    """A tenant with random settings of its own."""
    play = Play(
        start(
            tenant={
                "security_defaults": False,
                "policies": {"authentication": [{"name": "Corporate"}]},
                "reject_direct_send": randomly.random() < 0.5,
            }
        ),
        directory,
    )
    for address in ("noreply@contoso.com", *USERS):
        settings: Document = {"smtp_client_authentication_disabled": randomly.choice([None, True, False])}
        if address in USERS and randomly.random() < 0.3:
            settings["authentication_policy"] = "corporate"
        play.api.admin.change(TENANT, "mailboxes", address, **settings)
    return play


def state(play: Play) -> Document:
    """What the senders depend on, without ids."""
    every = play.state()
    hidden = ("guid", "effective")
    return {
        "connectors": sorted(({k: v for k, v in one.items() if k not in hidden} for one in every["inbound_connectors"]), key=str),
        "mailboxes": {
            one["address"]: (
                sorted(grant["right"] for grant in one["grants"]),
                one["smtp_client_authentication_disabled"],
                one["authentication_policy"],
            )
            for one in every["mailboxes"]
        },
        "accounts": {one["address"]: len(one["apps"]) for one in every["hve_accounts"]},
        "applications": {
            name: (
                sorted(role["role"] for role in one.get("service_principal", {}).get("app_roles", ())),
                sorted(access["id"] for api in one["properties"].get("requiredResourceAccess", ()) for access in api["resourceAccess"]),
            )
            for one in every["applications"]
            if (name := one["unique_name"]) and name != "mailops-record"
        },
        "policies": sorted(one["name"] for one in every["policies"]["authentication"]),
        "direct_send": every["reject_direct_send"],
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_history_does_not_matter(start: Start, tmp_path: Path, seed: int) -> None:
    randomly = random.Random(seed)  # noqa: S311 - no secret
    first, second = senders(randomly, renames=False), senders(randomly, renames=True)
    alone = started(start, tmp_path / "alone", random.Random(seed))  # noqa: S311
    applied = alone(*second, remove_orphans=True, **OPTIONS)
    assert "failed" not in applied, (second, applied)
    after = started(start, tmp_path / "after", random.Random(seed))  # noqa: S311
    applied = after(*first, **OPTIONS)
    assert "failed" not in applied, (first, applied)
    planned = after(*second, check_mode=True, remove_orphans=True, **OPTIONS)
    applied = after(*second, remove_orphans=True, **OPTIONS)
    assert "failed" not in applied, (first, second, applied)
    assert applied["changes"] == planned["changes"]
    assert state(after) == state(alone), (first, second)
    assert not after(*second, remove_orphans=True, **OPTIONS)["changed"]
