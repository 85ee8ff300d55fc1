"""Removal of a relay: its queue is sent or exported, and the host is restored. Two hosts that share the mailboxes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from .relay import BUSY
from .smarthost_relay import Upstream, run_role, try_role, upstream

SEND = (
    "for i in $(seq {count}); do printf 'Subject: {tag}-%s\\n\\nhello\\n.dot\\n' $i | "
    "sendmail -i -f scanner@contoso.com a@example.net b@example.net; done"
)


# One that is rewritten, and a SASL user: what both need is removed, too.
DEVICES = [
    {"name": "Scanner", "networks": ["198.51.100.102"], "senders": ["scanner@contoso.com"], "rewrite": True},
    {"name": "ERP", "username": "erp", "password": "correct horse", "senders": ["scanner@contoso.com"]},
]


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    booted = lab.boot(f"absent{request.param}", request.param)
    run_role(lab, booted.name, relay_devices=DEVICES)
    yield booted
    lab.remove(booted.name)


def queued(host: Host) -> int:
    return len(host.run("postqueue -j").splitlines())


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    limit = time.monotonic() + BUSY * seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.2)


def assert_complete(server: Upstream, tag: str, count: int) -> None:
    """Each message of SEND arrived once, for both recipients in one transaction, with its line that begins with a dot."""
    envelope = ["MAIL FROM:<scanner@contoso.com>", "RCPT TO:<a@example.net>", "RCPT TO:<b@example.net>"]
    assert server.messages() == [([f"Subject: {tag}-{number}"], envelope, "hello\r\n.dot\r\n") for number in range(1, count + 1)]
    wait_until(lambda: server.count() == count)


def test_queue_that_does_not_drain_keeps_the_relay(lab: Lab, host: Host) -> None:
    host.run(SEND.format(count=3, tag="stuck"))
    wait_until(lambda: queued(host) == 3 and "delay_reason" in host.run("postqueue -j"))
    done = try_role(lab, host.name, relay_state="absent", relay_drain_timeout=2)
    assert done.returncode == 2
    assert "3 messages are still in the relay's queue after 2 s (3 x the upstream server does not answer the relay)" in done.stdout
    assert queued(host) == 3
    assert ":25 " in host.run("ss -Hltn")
    assert host.run("test -f /etc/mailops-relay/relay.json && echo there") == "there\n"


def test_drain_of_held_mail_fails_at_once_with_its_queue_ids(lab: Lab, host: Host) -> None:
    held = json.loads(host.run("postqueue -j").splitlines()[0])["queue_id"]
    host.run(f"postsuper -h {held}")
    done = host.call("mailops-relay drain 3600", timeout=BUSY * 120)
    assert done.returncode == 1
    assert f"Waiting does not send 1 message: 1 on hold ({held})" in done.stderr
    assert ":25 " in host.run("ss -Hltn")
    assert host.run("postconf -h master_service_disable").strip() == ""
    host.run(f"postsuper -H {held}")


def test_export_with_wrong_arguments_or_without_space_stops_nothing(host: Host) -> None:
    pid = host.run("cat /var/spool/postfix/pid/master.pid")
    host.run("mkdir -p /mnt/small && mount -t tmpfs -o size=1m tmpfs /mnt/small")
    for arguments in (
        "--stop",
        "--stop=/root/queue",
        "-- --stop",
        "/etc/hostname",
        "/etc/hostname/queue --stop",
        "/mnt/small/queue --stop",
    ):
        assert host.call(f"mailops-relay export {arguments}").returncode in (1, 2), arguments
    host.run("umount /mnt/small")
    assert host.run("cat /var/spool/postfix/pid/master.pid") == pid
    assert queued(host) == 3
    assert host.call("ls -d /root/--stop ./--stop /root/queue").stdout == ""


def test_exported_queue_is_imported_completely(lab: Lab, host: Host) -> None:
    assert "3 messages exported" in host.run("mailops-relay export /root/queue")
    assert queued(host) == 0
    assert host.run("stat -c %a /root/queue /root/queue/*").split() == ["700", *["600"] * 6]
    with upstream(lab) as server:
        assert "3 messages imported" in host.run("mailops-relay import /root/queue")
        wait_until(lambda: server.count() >= 3 and queued(host) == 0)
        assert_complete(server, "stuck", 3)
    assert host.run("ls /root/queue") == ""


def test_backup_is_restored(host: Host) -> None:
    file = host.run("mailops-relay backup /var/backups/mailops-relay").strip()
    assert host.run(f"stat -c '%a %U' {file}") == "600 root\n"
    before = host.read("/etc/postfix/main.cf")
    host.run("rm /etc/postfix/main.cf /etc/mailops-relay/relay.json")
    host.run(f"mailops-relay restore {file}")
    assert host.read("/etc/postfix/main.cf") == before
    assert host.run("stat -c '%a %U %G' /etc/mailops-relay/relay.json") == "640 root mailops-relay\n"
    assert "mailops-relay-backup.timer" in host.run("systemctl list-timers --no-legend")


def test_probe_verifies_senders_and_names_the_failure(lab: Lab, host: Host) -> None:
    senders = [{"name": "Scanner", "address": "scanner@contoso.com", "verify_recipient": "verify@example.net"}]
    foreign = {"name": "Foreign", "address": "boss@contoso.com", "verify_recipient": "verify@example.net"}
    with upstream(lab) as server:
        assert run_role(lab, host.name, "--check", entry="verify", relay_senders=senders)["changed"] == 0
        assert server.count() == 0
        assert run_role(lab, host.name, entry="verify", relay_senders=senders)["changed"] == 0
        wait_until(lambda: server.count() == 1)  # the server prints its count a moment later
        refused = try_role(lab, host.name, entry="verify", relay_senders=[*senders, foreign])
    assert refused.returncode == 2
    assert "1 of 2 senders cannot send through this relay: Foreign: the relay does not send as this address." in refused.stdout
    assert queued(host) == 0


def test_removed_relay_drains_its_queue_and_restores_the_host(lab: Lab, host: Host) -> None:
    host.run(SEND.format(count=3, tag="last"))
    wait_until(lambda: queued(host) == 3)
    assert run_role(lab, host.name, "--check", relay_state="absent")["failed"] == 0
    assert queued(host) == 3
    with upstream(lab) as server:
        run_role(lab, host.name, relay_state="absent", relay_drain_timeout=60)
        assert_complete(server, "last", 3)
    remaining = host.run("find /etc /var /usr /run /root /opt /home /tmp -xdev -iname '*mailops*' -o -path '/etc/postfix/m365*'")
    assert remaining.split() == ["/var/backups/mailops-relay"], "only backups stay"
    for path in ("/etc/mailops-relay", "/var/lib/mailops-relay", "/etc/postfix/m365", "/usr/local/sbin/mailops-relay"):
        assert host.call(f"test -e {path}").returncode == 1, path
    for user in ("mailops-relay", "mailops-rewrite"):
        assert host.call(f"getent passwd {user}").returncode == 2, user
    assert "mailops" not in host.run("nft list ruleset")
    mode = {"bookworm": "drwx--s---", "trixie": "drwx--x---"}[host.release]
    assert host.run("stat -c '%A %U %G' /var/spool/postfix/public") == f"{mode} postfix postdrop\n"
    assert "+" not in host.run("ls -ld /var/spool/postfix/public"), "no entry of an access control list"
    assert host.call("ls /etc/systemd/system/mailops-relay*").returncode == 2
    assert "m365" not in host.run("cat /etc/postfix/main.cf /etc/postfix/master.cf")
    assert host.run("systemctl is-active postfix") == "active\n"
    assert run_role(lab, host.name, relay_state="absent")["changed"] == 0
