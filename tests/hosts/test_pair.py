"""Two relays that share a mailbox: together they keep its limits, and each can take over from the other, or be built anew."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from testbed.world import World

from .relay import Relay, connect_again, cut_off, deploy, play, wait_until

MAILBOX = "scanner@contoso.com"
SENDERS = [{"name": "Scanner", "kind": "scanner", "address": MAILBOX, "relay_host": "relay1", "recipients": "internal"}]
COMMON: dict[str, Any] = {
    "relay_tenant": "contoso",
    "relay_count": 2,
    "relay_devices": [{"name": "Printer", "networks": ["198.51.100.96/28"], "senders": [MAILBOX]}],
}
VARIABLES = {"relay1": COMMON, "relay2": COMMON | {"relay_peer_of": "relay1"}}
BACKUP = "/root/relay.tar.gz"


@dataclass
class Pair:
    world: World
    first: Relay
    second: Relay

    def converge(self) -> None:
        deploy(self.world, VARIABLES, SENDERS, ("relay1", "relay2"))

    def arrivals(self, prefix: str) -> list[float]:
        """When the service took each, in seconds, the first first."""
        found = self.world.admin.messages()
        return sorted(float(one["received"]) for one in found if str(one["message_id"]).strip("<>").startswith(f"{prefix}-"))

    def certificates(self) -> set[str]:
        """Those that Microsoft knows of the application that the relays sign in as."""
        listed = self.world.admin.tenant("contoso.com")["applications"]
        return {one["der"] for application in listed for one in application.get("certificates") or []}


@pytest.fixture(scope="module")
def pair(world: World) -> Pair:
    relays = [Relay(world, world.boot(name, release), MAILBOX) for name, release in (("relay1", "bookworm"), ("relay2", "trixie"))]
    found = Pair(world, *relays)
    found.converge()
    return found


@pytest.fixture(autouse=True)
def nothing_waits(pair: Pair) -> Iterator[None]:
    yield
    for relay in (pair.first, pair.second):
        relay.flush(90)


def test_two_relays_together_keep_the_mailboxs_pace_and_its_connections(pair: Pair) -> None:
    sendings = [(relay, relay.start_sending(f"pace-{relay.host.name}", 7)) for relay in (pair.first, pair.second)]
    outcomes = [(relay, sending.outcome()) for relay, sending in sendings]
    wait_until(lambda: len(pair.arrivals("pace")) == 14, 90, lambda: f"mail; waiting for: {pair.first.reasons() | pair.second.reasons()}")
    came = pair.arrivals("pace")
    most = max(sum(1 for other in came if moment <= other < moment + 10) for moment in came)
    assert most <= 6  # thirty a minute are three in ten seconds from each, counted from one of them
    for relay, outcome in outcomes:
        assert relay.count(outcome, f"pace-{relay.host.name}") == []
        assert relay.late(outcome) == []


def test_what_waits_on_one_is_sent_by_the_other(pair: Pair) -> None:
    first, second = pair.first, pair.second
    cut_off(pair.world.network, first.host)
    try:
        outcome = first.send("moved", 3)
        assert "3 messages exported to /root/queue" in first.host.run("mailops-relay export /root/queue")
        assert first.queue() == []
        taken = first.host.run("tar --create --gzip --directory=/root queue | base64 --wrap=0")
        second.host.run("base64 --decode | tar --extract --gzip --directory=/root", text=taken)
        assert "3 messages taken" in second.host.run("mailops-relay import /root/queue")
        second.drains(60)
        assert first.count(outcome, "moved") == []
    finally:
        connect_again(pair.world.network, first.host)


def test_a_relay_whose_host_is_lost_is_built_anew_from_its_backup(pair: Pair) -> None:
    """Its key, its place in the day and its settings are there again; nothing has to be published."""
    world, before = pair.world, pair.certificates()
    assert len(before) == 2
    key = pair.first.host.run("openssl x509 -in /etc/mailops-relay/identity/cert.pem -noout -fingerprint")
    used = pair.first.status()["mailboxes"][0]["recipients_24h"]
    assert used >= 7
    file = pair.first.host.run("mailops-relay backup /var/backups/mailops-relay").strip()
    kept = pair.first.host.run(f"base64 --wrap=0 {shlex.quote(file)}")
    world.remove("relay1")
    pair.first = Relay(world, world.boot("relay1", "bookworm"), MAILBOX)
    client = next(one["app_id"] for one in world.admin.tenant("contoso.com")["applications"] if one.get("certificates"))
    alone = COMMON | {
        "relay_tenant": "",
        "m365_tenant": "contoso.com",
        "relay_client_id": client,
        "relay_mailboxes": [{"address": MAILBOX}],
    }
    play(world, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": {"relay1": alone}}}}}, "--limit", "relay1")
    outcome = pair.first.send("anew", 2)
    pair.first.deferred(2)  # the key that the new host made is nobody's
    pair.first.host.run(f"base64 --decode > {BACKUP}", text=kept)
    assert pair.first.host.run(f"mailops-relay restore {BACKUP}") == "Restored.\n"
    pair.first.flush(60)
    assert pair.first.count(outcome, "anew") == []
    assert pair.first.host.run("openssl x509 -in /etc/mailops-relay/identity/cert.pem -noout -fingerprint") == key

    def recipients() -> int:
        return int(pair.first.status()["mailboxes"][0]["recipients_24h"])

    wait_until(lambda: recipients() == used + 2, 20, "the day's recipients, with those before the loss")
    pair.converge()
    assert pair.certificates() == before
