"""Outages and crashes around a relay host: no mail is lost, and every duplicate is explained.

Messages are counted by Message-ID, those that the relay accepted from a device and those that the service accepted. Two relays: `isolated`
has no network for ten minutes (make test: 90 s), from the beginning to the last test; all other faults concern `relay`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.lab import Lab

from .relay import ACCEPTED, Relay, block_network, close_connections, connections, deploy, run_playbook, unblock_network, wait_until

# All on one worker, in this order: the relays are shared.
pytestmark = pytest.mark.xdist_group("outages")

OUTAGE = float(os.environ.get("MAILOPS_TEST_OUTAGE", "600"))
UNKNOWN_APP = "11111111-2222-4333-8444-555555555555"  # an application that the tenant does not know
SPOOL = "/var/spool/postfix"
SMALL_DISK = (
    f"systemctl stop postfix && cp -a {SPOOL} {SPOOL}.aside && mount -t tmpfs -o size=72m,mode=755 tmpfs {SPOOL}"
    f" && cp -a {SPOOL}.aside/. {SPOOL}/ && systemctl start postfix"
)
OWN_DISK = f"systemctl stop postfix; umount {SPOOL} && rm -rf {SPOOL} && mv {SPOOL}.aside {SPOOL} && systemctl start postfix"
SENDERS = [
    {"name": "Scanner", "kind": "scanner", "address": "scanner@contoso.com", "relay_host": "relay1", "recipients": "internal"},
    {"name": "ERP", "address": "erp@contoso.com", "oauth": False, "relay_host": "relay2", "recipients": "internal"},
]


def variables(mailbox: str) -> dict[str, Any]:
    """A relay without a pace: messages are counted here and not timed."""
    device = {"name": "Printer", "networks": ["198.51.100.96/28"], "senders": [mailbox]}
    return {
        "relay_tenant": "contoso",
        "relay_devices": [device],
        "relay_mailboxes": [{"address": mailbox, "messages_per_minute": 0, "connections": 3}],
    }


class Relays:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.relay = Relay(lab, lab.boot("relay1", "trixie", installed=True), "scanner@contoso.com")
        self.isolated = Relay(lab, lab.boot("relay2", "bookworm", installed=True), "erp@contoso.com")
        self.variables = {"relay1": variables(self.relay.mailbox), "relay2": variables(self.isolated.mailbox)}
        self.blocked_since = 0.0
        self.isolated_outcome: dict[str, str] = {}

    def converge(self, *names: str, **more: Any) -> None:
        """Playbook site, for these relays or both."""
        hosts = {name: own | (more if name in names else {}) for name, own in self.variables.items()}
        deploy(self.lab, hosts, SENDERS, names or tuple(hosts))

    def begin_outage(self) -> None:
        self.isolated_outcome = self.isolated.send("early", 5)
        wait_until(lambda: len(self.isolated.arrived("early")) == 5, 60, "mail before the outage")
        block_network(self.lab.network, self.isolated.host)
        self.blocked_since = time.monotonic()
        self.isolated_outcome |= self.isolated.send("outage", 10)


@pytest.fixture(scope="module")
def unregistered(lab: Lab) -> Iterator[Relays]:
    """`relay` without the tenant's configuration, as an application that does not exist; `isolated` is booted only."""
    relays = Relays(lab)
    alone = {"relay_tenant": "", "m365_tenant": "contoso.com", "relay_client_id": UNKNOWN_APP}
    hosts = {"relay1": relays.variables["relay1"] | alone}
    run_playbook(lab, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": hosts}}}}, "--limit", "relay1")
    yield relays
    for name in relays.variables:
        lab.remove(name)


@pytest.fixture(scope="module")
def relays(unregistered: Relays) -> Relays:
    """Both, deployed with the tenant; `isolated` has no network from then on."""
    unregistered.converge()
    unregistered.begin_outage()
    return unregistered


@pytest.fixture
def relay(relays: Relays) -> Iterator[Relay]:
    """The relay that the faults concern, with an empty queue."""
    relays.relay.flush()
    yield relays.relay
    relays.lab.admin.clear_faults()
    relays.lab.admin.token_lifetime(3599)


def test_mail_is_deferred_until_the_tenant_is_configured(unregistered: Relays, request: pytest.FixtureRequest) -> None:
    outcome = unregistered.relay.send("before", 3)
    reasons = unregistered.relay.deferred(3)
    assert all("SASL authentication failed" in reason for reason in reasons), reasons
    assert not unregistered.relay.arrived("before")
    assert "AADSTS700016" in unregistered.relay.host.journal("--unit=mailops-relay-token.service")
    request.getfixturevalue("relays")
    unregistered.relay.wait_until_empty(180)
    assert unregistered.relay.duplicates(outcome, "before") == []


@pytest.mark.parametrize(
    ("fault", "reply"),
    [("too_many_connections", "432 4.3.2"), ("unavailable", "421 4.7.0"), ("server_busy", "451 4.7.500")],
    ids=["432", "421", "451"],
)
def test_series_of_temporary_refusals(relay: Relay, fault: str, reply: str) -> None:
    if fault == "unavailable":  # a reply to the connection; the others are replies to commands
        close_connections(relay.host)
    relay.lab.admin.fault("smtp", fault, count=25)
    outcome = relay.send(f"storm-{fault}", 12)
    relay.deferred(6)
    relay.flush(120)
    assert relay.duplicates(outcome, f"storm-{fault}") == []
    assert relay.lab.admin.faults()[0]["used"] == 25, reply


def test_lost_replies_duplicate_exactly_those_messages(relay: Relay) -> None:
    relay.lab.admin.fault("smtp", "lose_reply", count=3)
    outcome = relay.send("lost-reply", 8)
    relay.deferred(3)
    relay.flush()
    duplicates = relay.duplicates(outcome, "lost-reply")
    assert len(duplicates) == 3
    for lines in relay.delivered_once(duplicates).values():
        assert any("status=deferred" in line and "lost connection" in line for line in lines), lines


def test_refused_token_defers_mail_and_bounces_none(relay: Relay) -> None:
    close_connections(relay.host)
    relay.lab.admin.fault("smtp", "authentication_refused", count=10)
    outcome = relay.send("refused", 5)
    relay.deferred(5)
    relay.flush(120)
    assert relay.duplicates(outcome, "refused") == []
    assert "Login failed: Authentication unsuccessful" in relay.host.journal("--unit=mailops-relay-proxy.service")


def run_while_queued(relay: Relay, command: str) -> None:
    """Run a command at the moment when a message is in the queue."""
    relay.host.run(f"until postqueue -j | grep -q .; do sleep 0.05; done; {command}")


def test_killed_postfix_loses_no_mail(relay: Relay, tmp_path: Path) -> None:
    with relay.sending("postfix", tmp_path / "stop", size=300_000, pause=0.02) as sending:
        wait_until(lambda: len(relay.arrived("postfix")) > 5, 30, "the first messages")
        for _ in range(2):
            run_while_queued(relay, "pkill -KILL --uid postfix; pkill -KILL -x master")
            wait_until(lambda: relay.host.call("postfix status").returncode == 0, 30, "Postfix runs again by itself")
            time.sleep(1)
    outcome = sending.outcome()
    assert list(outcome.values()).count(ACCEPTED) > 20
    relay.flush(90)
    duplicates = relay.duplicates(outcome, "postfix")
    assert len(duplicates) <= 6  # two kills with three connections
    relay.delivered_once(duplicates)


def test_killed_proxy_loses_no_mail(relay: Relay, tmp_path: Path) -> None:
    with relay.sending("proxy", tmp_path / "stop", size=300_000, pause=0.02) as sending:
        wait_until(lambda: len(relay.arrived("proxy")) > 5, 30, "the first messages")
        for _ in range(3):
            run_while_queued(relay, "systemctl kill --signal=KILL mailops-relay-proxy.service")
            time.sleep(1)
    outcome = sending.outcome()
    assert set(outcome.values()) == {ACCEPTED}  # devices are not affected
    relay.flush(90)
    duplicates = relay.duplicates(outcome, "proxy")
    assert len(duplicates) <= 9  # three kills with three connections
    relay.delivered_once(duplicates)


def defer_all(relay: Relay) -> None:
    """Defer all mail until the faults are cleared, also over open connections."""
    relay.lab.admin.fault("smtp", "server_busy", count=100_000)


@pytest.mark.parametrize("how", ["reboot", "power"])
def test_reboot_keeps_the_queue(relay: Relay, how: str) -> None:
    defer_all(relay)
    outcome = relay.send(how, 60)
    assert len(relay.queue()) == 60
    if how == "reboot":
        relay.host.reboot()
    else:
        relay.host.lose_power()
        relay.host.power_on()
    # The host answers over SSH before Postfix runs.
    wait_until(lambda: relay.host.call("postfix status").returncode == 0, 30, "Postfix runs after the boot")
    assert len(relay.queue()) == 60
    relay.lab.admin.clear_faults()
    relay.flush(120)
    assert relay.duplicates(outcome, how) == []


def test_mail_after_a_burst_uses_idle_connections(relay: Relay) -> None:
    defer_all(relay)
    outcome = relay.send("burst", 40)
    relay.lab.admin.clear_faults()
    relay.flush()
    time.sleep(4)  # the burst is over for Postfix
    assert len(connections(relay.host)) == 3
    after = relay.send("after", 4)
    relay.wait_until_empty(10)
    assert relay.duplicates(outcome, "burst") == []
    assert relay.duplicates(after, "after") == []
    assert relay.failed_attempts(after) == []  # no 432 4.3.2 (too many connections)


def test_full_disk_refuses_new_mail_and_keeps_accepted_mail(relay: Relay) -> None:
    defer_all(relay)
    relay.host.run(SMALL_DISK)
    try:
        outcome = relay.start_sending("disk", 12, size=3_000_000).outcome()
        accepted = list(outcome.values()).count(ACCEPTED)
        assert 2 <= accepted < 12
        assert all("452 4.3.1" in what for what in outcome.values() if what != ACCEPTED), outcome
        # Not one byte is left: queued mail is still sent and removed.
        relay.host.call(f"dd if=/dev/zero of={SPOOL}/filler bs=1M")
        relay.lab.admin.clear_faults()
        relay.flush(90)
        relay.host.run(f"rm {SPOOL}/filler")
        assert relay.duplicates(outcome, "disk") == []
    finally:
        relay.host.run(OWN_DISK)


def test_token_endpoint_fails_for_longer_than_the_tokens_lifetime(relay: Relay) -> None:
    admin, renew = relay.lab.admin, "systemctl start mailops-relay-token.service"
    admin.token_lifetime(160)
    relay.host.run(f"rm /run/mailops-relay/token.json && {renew}")
    ends = time.monotonic() + 160
    admin.fault("token", "unavailable", count=100_000)
    time.sleep(41)  # a quarter of its lifetime, after which a run requests another; its last 60 seconds are not used
    relay.host.run(renew)
    assert relay.status()["token"]["failure"]
    assert sum(fault["used"] for fault in admin.faults()) > 0
    outcome = relay.send("token-with", 5)
    wait_until(lambda: len(relay.arrived("token-with")) == 5, 30, "mail with the current token")
    time.sleep(max(0.0, ends + 2 - time.monotonic()))
    outcome |= relay.send("token-without", 5)
    relay.deferred(5)
    assert not relay.arrived("token-without")
    admin.clear_faults()
    admin.token_lifetime(3599)
    wait_until(lambda: (relay.status()["token"]["expires"] or 0) > time.time(), 90, relay.status)
    relay.flush()
    assert relay.duplicates(outcome, "token") == []


def test_queued_mail_is_sent_after_the_outage(relays: Relays) -> None:
    isolated = relays.isolated
    relays.isolated_outcome |= isolated.send("late", 5)
    time.sleep(max(0.0, relays.blocked_since + OUTAGE - time.monotonic()))
    assert len(isolated.queue()) == 15
    assert not isolated.arrived("outage")
    unblock_network(relays.lab.network, isolated.host)
    isolated.flush(90)  # by itself Postfix would wait as long again as the message has waited


# Separate tests: xdist gives a worker its next group as soon as two tests of this one are left, and that group would wait, too.
@pytest.mark.parametrize(("prefix", "count"), [("early", 5), ("outage", 10), ("late", 5)])
def test_no_mail_of_the_outage_is_lost_or_duplicated(relays: Relays, prefix: str, count: int) -> None:
    outcome = {number: what for number, what in relays.isolated_outcome.items() if number.startswith(prefix)}
    assert len(outcome) == count
    assert relays.isolated.duplicates(outcome, prefix) == []
