"""A relay goes: mail that waits is sent or taken along, and the host is what it was. Two hosts that share the mailboxes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from testbed import image
from testbed.host import Host
from testbed.world import World

from .relay import BUSY
from .smart_relay import Upstream, play, played, upstream

SEND = (
    "for i in $(seq {count}); do printf 'Subject: {tag}-%s\\n\\nhello\\n.dot\\n' $i | "
    "sendmail -i -f scanner@contoso.com a@example.net b@example.net; done"
)


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, world: World) -> Iterator[Host]:
    found = world.boot(f"absent{request.param}", request.param)
    played(world, found.name)
    yield found
    world.remove(found.name)


def queued(host: Host) -> int:
    return len(host.run("postqueue -j").splitlines())


def eventually(what: Callable[[], bool], patience: float = 30) -> None:
    limit = time.monotonic() + BUSY * patience
    while not what():
        assert time.monotonic() < limit
        time.sleep(0.2)


def came_whole(taken: Upstream, tag: str, count: int) -> None:
    """Each message of SEND once, to both in one transaction, with its line that begins with a dot."""
    envelope = ["MAIL FROM:<scanner@contoso.com>", "RCPT TO:<a@example.net>", "RCPT TO:<b@example.net>"]
    assert taken.messages() == [([f"Subject: {tag}-{number}"], envelope, "hello\r\n.dot\r\n") for number in range(1, count + 1)]
    assert taken.count() == count


def test_a_queue_that_does_not_drain_keeps_the_relay(world: World, host: Host) -> None:
    host.run(SEND.format(count=3, tag="stuck"))
    eventually(lambda: queued(host) == 3 and "delay_reason" in host.run("postqueue -j"))
    done = play(world, host.name, relay_state="absent", relay_drain_timeout=2)
    assert done.returncode == 2
    assert "3 messages are still in the relay's queue after 2 s (3 x the upstream server does not answer the relay)" in done.stdout
    assert queued(host) == 3
    assert ":25 " in host.run("ss -Hltn")
    assert host.run("test -f /etc/mailops-relay/relay.json && echo there") == "there\n"


def test_an_exported_queue_is_sent_again_whole(world: World, host: Host) -> None:
    assert "3 messages exported" in host.run("mailops-relay export /root/queue")
    assert queued(host) == 0
    assert host.run("stat -c %a /root/queue /root/queue/*").split() == ["700", *["600"] * 6]
    with upstream(world) as taken:
        assert "3 messages taken" in host.run("mailops-relay import /root/queue")
        eventually(lambda: taken.count() >= 3 and queued(host) == 0)
        came_whole(taken, "stuck", 3)
    assert host.run("ls /root/queue") == ""


def test_a_backup_is_restored(host: Host) -> None:
    file = host.run("mailops-relay backup /var/backups/mailops-relay").strip()
    assert host.run(f"stat -c '%a %U' {file}") == "600 root\n"
    before = host.read("/etc/postfix/main.cf")
    host.run("rm /etc/postfix/main.cf /etc/mailops-relay/relay.json")
    host.run(f"mailops-relay restore {file}")
    assert host.read("/etc/postfix/main.cf") == before
    assert host.run("stat -c '%a %U %G' /etc/mailops-relay/relay.json") == "640 root mailops-relay\n"
    assert "mailops-relay-backup.timer" in host.run("systemctl list-timers --no-legend")


def test_the_probe_proves_the_relays_senders_and_names_what_is_wrong(world: World, host: Host) -> None:
    senders = [{"name": "Scanner", "address": "scanner@contoso.com", "verify_recipient": "proof@example.net"}]
    stranger = {"name": "Stranger", "address": "boss@contoso.com", "verify_recipient": "proof@example.net"}
    with upstream(world) as taken:
        assert played(world, host.name, "--check", entry="prove", relay_senders=senders)["changed"] == 0
        assert taken.count() == 0
        assert played(world, host.name, entry="prove", relay_senders=senders)["changed"] == 0
        assert taken.count() == 1
        refused = play(world, host.name, entry="prove", relay_senders=[*senders, stranger])
    assert refused.returncode == 2
    assert "1 of 2 senders cannot send through this relay: Stranger: the relay does not send as this address." in refused.stdout
    assert queued(host) == 0


def test_a_relay_that_goes_sends_what_waits_and_leaves_the_host_as_it_was(world: World, host: Host) -> None:
    host.run(SEND.format(count=3, tag="last"))
    eventually(lambda: queued(host) == 3)
    assert played(world, host.name, "--check", relay_state="absent")["failed"] == 0
    assert queued(host) == 3
    with upstream(world) as taken:
        played(world, host.name, relay_state="absent", relay_drain_timeout=60)
        came_whole(taken, "last", 3)
    for path in ("/etc/mailops-relay", "/var/lib/mailops-relay", "/etc/postfix/m365", "/usr/local/sbin/mailops-relay"):
        assert host.call(f"test -e {path}").returncode == 1, path
    assert host.call("getent passwd mailops-relay").returncode == 2
    assert host.call("ls /etc/systemd/system/mailops-relay*").returncode == 2
    assert "m365" not in host.run("cat /etc/postfix/main.cf /etc/postfix/master.cf")
    assert host.run("systemctl is-active postfix") == "active\n"
    assert played(world, host.name, relay_state="absent")["changed"] == 0
