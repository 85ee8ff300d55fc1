"""What goes wrong around a relay host, and what becomes of the mail meanwhile: nothing is lost, and duplicates are explained.

Messages are counted by Message-ID, in (what the relay took from a device) and out (what the service took). Two relays: `patient` is cut
off for ten minutes (make test: 90 s), in real time, from the beginning to the last test, while everything else happens to `relay`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.world import World

from .relay import ACCEPTED, Relay, connect_again, connections, cut_off, deploy, hang_up, play, wait_until

# All on one worker, in this order: the relays are shared.
pytestmark = pytest.mark.xdist_group("faults")

OUTAGE = float(os.environ.get("MAILOPS_TEST_OUTAGE", "600"))
NOBODY = "11111111-2222-4333-8444-555555555555"  # an application that the tenant does not know
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
    """A relay of the tenant's; without a pace, because messages are counted here and not timed."""
    device = {"name": "Printer", "networks": ["198.51.100.96/28"], "senders": [mailbox]}
    return {
        "relay_tenant": "contoso",
        "relay_devices": [device],
        "relay_mailboxes": [{"address": mailbox, "messages_per_minute": 0, "connections": 3}],
    }


class Relays:
    def __init__(self, world: World) -> None:
        self.world = world
        self.relay = Relay(world, world.boot("relay1", "trixie"), "scanner@contoso.com")
        self.patient = Relay(world, world.boot("relay2", "bookworm"), "erp@contoso.com")
        self.variables = {"relay1": variables(self.relay.mailbox), "relay2": variables(self.patient.mailbox)}
        self.cut_off_since = 0.0
        self.patiently: dict[str, str] = {}

    def converge(self, *names: str, **more: Any) -> None:
        """Playbook site, for these relays or both."""
        given = {name: known | (more if name in names else {}) for name, known in self.variables.items()}
        deploy(self.world, given, SENDERS, names or tuple(given))

    def begin_outage(self) -> None:
        self.patiently = self.patient.send("early", 5)
        wait_until(lambda: len(self.patient.arrived("early")) == 5, 60, "mail before the outage")
        cut_off(self.world.network, self.patient.host)
        self.cut_off_since = time.monotonic()
        self.patiently |= self.patient.send("outage", 10)


@pytest.fixture(scope="module")
def built(world: World) -> Iterator[Relays]:
    """Both relays, whose tenant nobody has converged: they sign in as an application that it does not know."""
    relays = Relays(world)
    alone = {"relay_tenant": "", "m365_tenant": "contoso.com", "relay_client_id": NOBODY}
    hosts = {name: given | alone for name, given in relays.variables.items()}
    play(world, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": hosts}}}}, "--limit", "relay1,relay2")
    yield relays
    for name in hosts:
        world.remove(name)


@pytest.fixture(scope="module")
def relays(built: Relays) -> Relays:
    """Both, converged; and `patient` cut off from then on."""
    built.converge()
    built.begin_outage()
    return built


@pytest.fixture
def relay(relays: Relays) -> Iterator[Relay]:
    """The one that things happen to, with nothing in its queue."""
    relays.relay.flush()
    yield relays.relay
    relays.world.admin.clear_faults()
    relays.world.admin.token_lifetime(3599)


def test_before_the_tenant_is_converged_mail_waits_and_after_it_leaves_by_itself(built: Relays, request: pytest.FixtureRequest) -> None:
    outcome = built.relay.send("before", 3)
    reasons = built.relay.deferred(3)
    assert all("SASL authentication failed" in reason for reason in reasons), reasons
    assert not built.relay.arrived("before")
    assert "AADSTS700016" in built.relay.host.journal("--unit=mailops-relay-token.service")
    request.getfixturevalue("relays")
    built.relay.drains(180)
    assert built.relay.count(outcome, "before") == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [("too_many_connections", "432 4.3.2"), ("unavailable", "421 4.7.0"), ("server_busy", "451 4.7.500")],
    ids=["432", "421", "451"],
)
def test_a_storm_of_temporary_refusals(relay: Relay, fault: str, said: str) -> None:
    if fault == "unavailable":  # which is said to who connects; the others, to who sends
        hang_up(relay.host)
    relay.world.admin.fault("smtp", fault, count=25)
    outcome = relay.send(f"storm-{fault}", 12)
    relay.deferred(6)
    relay.flush(120)
    assert relay.count(outcome, f"storm-{fault}") == []
    assert relay.world.admin.faults()[0]["used"] == 25, said


def test_replies_that_get_lost_make_exactly_those_messages_arrive_twice(relay: Relay) -> None:
    relay.world.admin.fault("smtp", "lose_reply", count=3)
    outcome = relay.send("lost-reply", 8)
    relay.deferred(3)
    relay.flush()
    twice = relay.count(outcome, "lost-reply")
    assert len(twice) == 3
    for lines in relay.explain(twice).values():
        assert any("status=deferred" in line and "lost connection" in line for line in lines), lines


def test_a_refused_token_delays_mail_and_bounces_none(relay: Relay) -> None:
    hang_up(relay.host)
    relay.world.admin.fault("smtp", "authentication_refused", count=10)
    outcome = relay.send("refused", 5)
    relay.deferred(5)
    relay.flush(120)
    assert relay.count(outcome, "refused") == []
    assert "Login failed: Authentication unsuccessful" in relay.host.journal("--unit=mailops-relay-proxy.service")


def while_mail_waits(relay: Relay, command: str) -> None:
    """Run it when there is something in the queue, at that very moment."""
    relay.host.run(f"until postqueue -j | grep -q .; do sleep 0.05; done; {command}", timeout=20)


def test_kill_of_postfix_in_the_middle_of_messages(relay: Relay, tmp_path: Path) -> None:
    with relay.sending("postfix", tmp_path / "enough", size=300_000, pause=0.02) as sending:
        wait_until(lambda: len(relay.arrived("postfix")) > 5, 30, "the first messages")
        for _ in range(2):
            while_mail_waits(relay, "pkill -KILL --uid postfix; pkill -KILL -x master")
            wait_until(lambda: relay.host.call("postfix status").returncode == 0, 30, "Postfix runs again, by itself")
            time.sleep(1)
    outcome = sending.outcome()
    assert list(outcome.values()).count(ACCEPTED) > 20
    relay.flush(90)
    twice = relay.count(outcome, "postfix")
    assert len(twice) <= 6  # twice three connections
    relay.explain(twice)


def test_kill_of_the_bridge_in_the_middle_of_messages(relay: Relay, tmp_path: Path) -> None:
    with relay.sending("bridge", tmp_path / "enough", size=300_000, pause=0.02) as sending:
        wait_until(lambda: len(relay.arrived("bridge")) > 5, 30, "the first messages")
        for _ in range(3):
            while_mail_waits(relay, "systemctl kill --signal=KILL mailops-relay-proxy.service")
            time.sleep(1)
    outcome = sending.outcome()
    assert set(outcome.values()) == {ACCEPTED}  # devices notice nothing
    relay.flush(90)
    twice = relay.count(outcome, "bridge")
    assert len(twice) <= 9  # three times three connections
    relay.explain(twice)


def hold_up(relay: Relay) -> None:
    """Nothing leaves until the faults are cleared, not over a connection that is open already either."""
    relay.world.admin.fault("smtp", "server_busy", count=100_000)


@pytest.mark.parametrize("how", ["reboot", "power"])
def test_a_reboot_with_a_full_queue(relay: Relay, how: str) -> None:
    hold_up(relay)
    outcome = relay.send(how, 60)
    assert len(relay.queue()) == 60
    if how == "reboot":
        relay.host.reboot()
    else:
        relay.host.lose_power()
        relay.host.power_on()
    assert len(relay.queue()) == 60
    relay.world.admin.clear_faults()
    relay.flush(120)
    assert relay.count(outcome, how) == []


def test_what_comes_soon_after_a_burst_uses_the_connections_that_are_idle(relay: Relay) -> None:
    hold_up(relay)
    outcome = relay.send("burst", 40)
    relay.world.admin.clear_faults()
    relay.flush()
    time.sleep(4)  # Postfix no longer thinks of it as one burst
    assert len(connections(relay.host)) == 3
    after = relay.send("after", 4)
    relay.drains(10)
    assert relay.count(outcome, "burst") == []
    assert relay.count(after, "after") == []
    assert relay.late(after) == []  # nobody was told 432 4.3.2: too many connections


def test_a_full_disk_refuses_what_it_cannot_keep_and_keeps_what_it_took(relay: Relay) -> None:
    hold_up(relay)
    relay.host.run(SMALL_DISK)
    try:
        outcome = relay.start_sending("disk", 12, size=3_000_000).outcome()
        taken = list(outcome.values()).count(ACCEPTED)
        assert 2 <= taken < 12
        assert all("452 4.3.1" in what for what in outcome.values() if what != ACCEPTED), outcome
        # Not one byte more: what waits is tried, sent and removed all the same.
        relay.host.call(f"dd if=/dev/zero of={SPOOL}/filler bs=1M", timeout=30)
        relay.world.admin.clear_faults()
        relay.flush(90)
        relay.host.run(f"rm {SPOOL}/filler")
        assert relay.count(outcome, "disk") == []
    finally:
        relay.host.run(OWN_DISK)


def test_the_token_endpoint_is_down_for_longer_than_the_token_lives(relay: Relay) -> None:
    admin, renew = relay.world.admin, "systemctl start mailops-relay-token.service"
    admin.token_lifetime(160)
    relay.host.run(f"rm /run/mailops-relay/token.json && {renew}")
    ends = time.monotonic() + 160
    admin.fault("token", "unavailable", count=100_000)
    time.sleep(41)  # a quarter of its life, after which a run asks for another; its last 60 seconds are not used
    relay.host.run(renew)
    assert relay.status()["token"]["failure"]
    assert sum(fault["used"] for fault in admin.faults()) > 0
    outcome = relay.send("token-with", 5)
    wait_until(lambda: len(relay.arrived("token-with")) == 5, 30, "mail by the token that is there")
    time.sleep(max(0.0, ends + 2 - time.monotonic()))
    outcome |= relay.send("token-without", 5)
    relay.deferred(5)
    assert not relay.arrived("token-without")
    admin.clear_faults()
    admin.token_lifetime(3599)
    wait_until(lambda: (relay.status()["token"]["expires"] or 0) > time.time(), 90, relay.status)
    relay.flush()
    assert relay.count(outcome, "token") == []


def test_an_outage_ends_and_what_waited_is_sent(relays: Relays) -> None:
    patient = relays.patient
    relays.patiently |= patient.send("late", 5)
    time.sleep(max(0.0, relays.cut_off_since + OUTAGE - time.monotonic()))
    assert len(patient.queue()) == 15
    assert not patient.arrived("outage")
    connect_again(relays.world.network, patient.host)
    patient.flush(90)  # by itself Postfix tries again after as long as a message has waited


# Tests of their own, because xdist gives a worker its next story as soon as two tests are left of this one: that would then wait, too.
@pytest.mark.parametrize(("prefix", "count"), [("early", 5), ("outage", 10), ("late", 5)])
def test_nothing_of_the_outage_is_lost_or_comes_twice(relays: Relays, prefix: str, count: int) -> None:
    outcome = {number: what for number, what in relays.patiently.items() if number.startswith(prefix)}
    assert len(outcome) == count
    assert relays.patient.count(outcome, prefix) == []
