"""Two relays that share a mailbox: together they keep its limits; each can take over the other's queue or be rebuilt from a backup."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from testbed.lab import Lab

from .relay import Relay, block_network, deploy, overlay, run_playbook, unblock_network, wait_until

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
class TwoRelays:
    lab: Lab
    first: Relay
    second: Relay

    def converge(self) -> None:
        deploy(self.lab, VARIABLES, SENDERS, ("relay1", "relay2"))

    def arrivals(self, prefix: str) -> list[float]:
        """When the service accepted each message, in seconds, in order."""
        messages = self.lab.admin.messages()
        return sorted(float(one["received"]) for one in messages if str(one["message_id"]).strip("<>").startswith(f"{prefix}-"))

    def certificates(self) -> set[str]:
        """The certificates that Entra has for the sender app of the relays."""
        listed = self.lab.admin.tenant("contoso.com")["applications"]
        return {one["der"] for application in listed for one in application.get("certificates") or []}


@pytest.fixture(scope="module")
def relays(lab: Lab) -> TwoRelays:
    hosts = [
        Relay(lab, lab.boot(name, release, installed=True), MAILBOX) for name, release in (("relay1", "bookworm"), ("relay2", "trixie"))
    ]
    result = TwoRelays(lab, *hosts)
    result.converge()
    return result


@pytest.fixture(autouse=True)
def queues_are_empty_afterwards(relays: TwoRelays) -> Iterator[None]:
    yield
    for relay in (relays.first, relays.second):
        relay.flush(90)


def test_two_relays_together_keep_the_mailboxs_limits(relays: TwoRelays) -> None:
    sendings = [(relay, relay.start_sending(f"pace-{relay.host.name}", 7)) for relay in (relays.first, relays.second)]
    outcomes = [(relay, sending.outcome()) for relay, sending in sendings]
    wait_until(lambda: len(relays.arrivals("pace")) == 14, 90, lambda: f"mail; {relays.first.reasons() | relays.second.reasons()}")
    came = relays.arrivals("pace")
    most = max(sum(1 for other in came if moment <= other < moment + 10) for moment in came)
    assert most <= 6  # 30 a minute for both: 3 in 10 seconds from each, counted from one message on
    for relay, outcome in outcomes:
        assert relay.duplicates(outcome, f"pace-{relay.host.name}") == []
        assert relay.failed_attempts(outcome) == []


def test_exported_queue_is_sent_by_the_other_relay(relays: TwoRelays) -> None:
    first, second = relays.first, relays.second
    block_network(relays.lab.network, first.host)
    try:
        outcome = first.send("moved", 3)
        assert "3 messages exported to /root/queue" in first.host.run("mailops-relay export /root/queue")
        assert first.queue() == []
        archive = first.host.run("tar --create --gzip --directory=/root queue | base64 --wrap=0")
        second.host.run("base64 --decode | tar --extract --gzip --directory=/root", text=archive)
        assert "3 messages imported" in second.host.run("mailops-relay import /root/queue")
        second.wait_until_empty(60)
        assert first.duplicates(outcome, "moved") == []
    finally:
        unblock_network(relays.lab.network, first.host)


def test_lost_relay_is_rebuilt_from_its_backup(relays: TwoRelays) -> None:
    """Its key, daily quota and configuration are restored; no certificate has to be published."""
    lab, before = relays.lab, relays.certificates()
    assert len(before) == 2
    key = relays.first.host.run("openssl x509 -in /etc/mailops-relay/identity/cert.pem -noout -fingerprint")
    used = relays.first.status()["mailboxes"][0]["recipients_24h"]
    assert used >= 7
    file = relays.first.host.run("mailops-relay backup /var/backups/mailops-relay").strip()
    kept = relays.first.host.run(f"base64 --wrap=0 {shlex.quote(file)}")
    lab.remove("relay1")
    relays.first = Relay(lab, lab.boot("relay1", "bookworm", installed=True), MAILBOX)
    client = next(one["app_id"] for one in lab.admin.tenant("contoso.com")["applications"] if one.get("certificates"))
    alone = COMMON | {
        "relay_tenant": "",
        "m365_tenant": "contoso.com",
        "relay_client_id": client,
        "relay_mailboxes": [{"address": MAILBOX}],
    }
    run_playbook(lab, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": {"relay1": alone}}}}}, "--limit", "relay1")
    outcome = relays.first.send("anew", 2)
    relays.first.deferred(2)  # Entra does not have the new host's certificate
    relays.first.host.run(f"base64 --decode > {BACKUP}", text=kept)
    assert relays.first.host.run(f"mailops-relay restore {BACKUP}") == "Restored.\n"
    relays.first.flush(60)
    assert relays.first.duplicates(outcome, "anew") == []
    assert relays.first.host.run("openssl x509 -in /etc/mailops-relay/identity/cert.pem -noout -fingerprint") == key

    def recipients() -> int:
        return int(relays.first.status()["mailboxes"][0]["recipients_24h"])

    wait_until(lambda: recipients() == used + 2, 20, "the recipients of 24 hours, with those before the loss")
    relays.converge()
    assert relays.certificates() == before


def test_offboarding_sends_the_queues_and_removes_the_relays_and_their_application(relays: TwoRelays) -> None:
    lab, both = relays.lab, (relays.first, relays.second)
    for relay in both:
        block_network(lab.network, relay.host)
    outcomes = [relay.send(f"offboard-{relay.host.name}", 3) for relay in both]
    for relay in both:
        relay.deferred(3)
        unblock_network(lab.network, relay.host)
    options = ["-e", "offboard_tenants=contoso", "-e", "offboard_relay_hosts=relay1,relay2"]
    inventory = overlay(VARIABLES, SENDERS)
    run_playbook(lab, "playbooks/offboard.yml", inventory, *options, "--check")
    assert len(relays.certificates()) == 2
    run_playbook(lab, "playbooks/offboard.yml", inventory, *options)
    for relay, outcome in zip(both, outcomes, strict=True):
        assert set(relay.arrived(f"offboard-{relay.host.name}")) == set(outcome)
        left = relay.host.run("find /etc /usr /run /var/lib -xdev -iname '*mailops*'")
        assert left == "", "only backups stay"
        assert relay.host.run("systemctl is-active postfix") == "active\n"
    assert relays.certificates() == set()
    names = {str(one.get("unique_name")) for one in lab.admin.tenant("contoso.com")["applications"]}
    assert not {name for name in names if name.startswith("mailops")}
    run_playbook(lab, "playbooks/offboard.yml", inventory, *options)
