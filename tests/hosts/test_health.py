"""Each health check of `mailops-relay status` on a relay that is broken accordingly: the first line, the exit status, the metrics.

The smart host listens at a name of the emulator's DNS. test_limits has the checks of disks and connections, test_operations those of
tokens, quotas and suspended senders.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from . import queue_files, smtputf8
from .health import (
    CHECK,
    METRICS,
    assert_crashing_units_are_named,
    assert_masked_units_are_named,
    assert_stopped_units_are_named,
    crashing,
    failing_in_metrics,
    first_line,
    healthy,
    status,
    units,
    wait_for_first_line,
)
from .relay import block_network, smtp_session, unblock_network, wait_until
from .smarthost_relay import PORT, run_role, upstream

SCANNER, ERP = "scanner@contoso.com", "erp@contoso.com"
SERVER = "smtp.office365.com"
VARIABLES: dict[str, Any] = {
    "relay_smarthost": {"host": SERVER, "port": PORT, "tls": "none"},
    "relay_mailboxes": [{"address": SCANNER, "messages_per_minute": 0}, {"address": ERP, "messages_per_minute": 30}],
    "relay_devices": [
        {"name": "Printer", "networks": ["198.51.100.101"], "senders": [SCANNER, ERP]},
        {"name": "Scanner", "networks": ["198.51.100.102"], "senders": [SCANNER], "rewrite": True},
        {"name": "ERP", "username": "erp", "password": "correct horse", "senders": [ERP]},
    ],
    "relay_metrics_directory": METRICS,
    "relay_fail2ban": True,
}


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    booted = lab.boot(f"health{request.param}", request.param)
    run_role(lab, booted.name, **VARIABLES)
    yield booted
    lab.remove(booted.name)


def submit(host: Host, sender: str, subject: str) -> None:
    host.run(f"printf 'Subject: {subject}\\n\\n' | sendmail -f {sender} a@example.net")


def test_upstream_server_that_does_not_answer_is_reported_with_an_empty_queue(lab: Lab, host: Host) -> None:
    host.run(f"systemctl start {CHECK}")
    assert first_line(host) == f"the queue is empty, 1 problem to solve: {SERVER}:{PORT}"
    assert failing_in_metrics(host) == {"upstream_unreachable"}
    (problem,) = status(host)["problems"]
    assert "Connection refused" in problem["cause"]
    assert problem["remedy"]
    with upstream(lab, "--clock-offset=0"):
        host.run(f"systemctl start {CHECK}")
        assert first_line(host) == "healthy, the queue is empty"
        assert failing_in_metrics(host) == set()
    assert host.call("mailops-relay check-upstream --now").returncode == 1


def test_dns_that_does_not_answer_is_reported(lab: Lab, host: Host) -> None:
    block_network(lab.network, host, ports=(53,))
    try:
        host.run("nft 'add rule inet outage out udp dport 53 drop'")
        host.run(f"systemctl start {CHECK}")
        assert first_line(host) == "the queue is empty, 1 problem to solve: DNS"
        assert failing_in_metrics(host) == {"dns_failing"}
    finally:
        unblock_network(lab.network, host)


@pytest.mark.parametrize(("offset", "severity", "text"), [(900, "high", "to solve: clock"), (-120, "medium", "that can wait: clock")])
def test_clock_that_is_off_is_reported(lab: Lab, host: Host, offset: int, severity: str, text: str) -> None:
    """The server's time is moved: a host of the testbed has the machine's clock."""
    with upstream(lab, f"--clock-offset={offset}"):
        host.run(f"systemctl start {CHECK}")
        assert first_line(host) == f"the queue is empty, 1 problem {text}"
        assert failing_in_metrics(host) == {"clock_off"}
        (problem,) = status(host)["problems"]
        assert problem["severity"] == severity
        assert ("behind the clock" if offset > 0 else "ahead of the clock") in problem["cause"]


def test_clock_without_synchronization_is_reported_where_the_server_names_no_time(lab: Lab, host: Host) -> None:
    """The kernel's clock is the machine's: timedatectl is replaced."""
    program = "/usr/bin/timedatectl"
    host.run(f"mv {program} {program}.away && printf '#!/bin/sh\\necho no\\n' > {program} && chmod 755 {program}")
    try:
        with upstream(lab):
            host.run("mailops-relay check-upstream --now")
            assert first_line(host) == "the queue is empty, 1 problem of low severity: clock"
            assert failing_in_metrics(host) == {"clock_not_synchronized"}
    finally:
        host.run(f"mv {program}.away {program}")


@pytest.mark.parametrize(("days", "text"), [(10, "that can wait"), (3, "to solve")])
def test_certificate_that_expires_soon_is_reported(lab: Lab, host: Host, days: int, text: str) -> None:
    file, key = "/etc/mailops-relay/server.cert.pem", "/etc/mailops-relay/server.key.pem"
    with healthy(lab, host):
        host.run(f"cp -p {file} /root/ && openssl req -new -x509 -key {key} -subj /CN=x -days {days} > {file}")
        try:
            assert first_line(host) == f"the queue is empty, 1 problem {text}: {file}"
            assert failing_in_metrics(host) == {"certificate_expiring"}
        finally:
            host.run(f"mv /root/server.cert.pem {file}")


def test_queue_that_cannot_be_read_is_not_reported_as_empty(lab: Lab, host: Host) -> None:
    with healthy(lab, host):
        host.run("chmod -x /usr/sbin/postqueue")
        try:
            assert first_line(host) == "the queue cannot be read, 1 problem to solve: queue"
            assert failing_in_metrics(host) == {"queue_unreadable"}
        finally:
            host.run("chmod +x /usr/sbin/postqueue")


def test_banned_address_is_reported(lab: Lab, host: Host) -> None:
    """Guesses on port 465; test_attacks has the other ports, and who is not banned."""
    wrong = base64.b64encode(b"\0erp\0wrong").decode()
    outsider = lab.devices["outsider"]
    with healthy(lab, host):
        try:
            for _attempt in range(5):
                lines = ["EHLO copier\r\n", f"AUTH PLAIN {wrong}\r\n"]
                assert smtp_session(outsider, host.address, lines, 465, tls="TLSv1_2")[-1].startswith("535 5.7.8")
            wait_for_first_line(host, "the queue is empty, 1 problem of low severity: fail2ban")
            assert failing_in_metrics(host) == {"addresses_banned"}
            assert status(host)["banned"] == [outsider.address]
            connect = f"import socket; socket.create_connection(('{host.address}', 465), 60)"
            assert "ConnectionRefusedError" in outsider.call(["python3", "-c", connect]).stderr
        finally:
            host.run("fail2ban-client unban --all")


def test_ban_that_the_packet_filter_lost_is_reported(lab: Lab, host: Host) -> None:
    """A reload of nftables.service removes all tables, and loads that of the connection limits again.

    Reported a minute after the ban, with a sixth of the patience after ten seconds.
    """
    outsider = lab.devices["outsider"]
    connect = ["python3", "-c", f"import socket; socket.create_connection(('{host.address}', 465), 60)"]
    with healthy(lab, host):
        try:
            host.run(f"fail2ban-client set mailops-relay banip {outsider.address}")
            wait_until(lambda: outsider.call(connect).returncode != 0, 20, lambda: host.run("nft list ruleset"))
            host.run("nft flush ruleset && systemctl restart mailops-relay-connection-limits")
            assert outsider.call(connect).returncode == 0
            line = "the queue is empty, 1 problem that can wait: fail2ban"
            wait_until(lambda: first_line(host, 100) == line, 60, lambda: first_line(host, 100))
            assert status(host)["banned"] == [outsider.address]
            assert 'health_check_failed{check="bans_lost"} 1' in host.run("MAILOPS_RELAY_PATIENCE=100 mailops-relay metrics")
            host.run("systemctl restart fail2ban")
            wait_for_first_line(host, "the queue is empty, 1 problem of low severity: fail2ban", 60)
            wait_until(lambda: outsider.call(connect).returncode != 0, 20, lambda: host.run("nft list ruleset"))
        finally:
            host.run("fail2ban-client unban --all")


def test_jail_that_does_not_run_is_reported(lab: Lab, host: Host) -> None:
    with healthy(lab, host):
        host.run("fail2ban-client stop mailops-relay")
        # While fail2ban starts it has no jail yet, which is no problem: for a minute.
        wait_for_first_line(host, "the queue is empty, 1 problem to solve: fail2ban", 90)
        assert failing_in_metrics(host) == {"jail_not_running"}
        host.run("fail2ban-client reload")


@pytest.mark.parametrize("name", ["server.cert.pem", "server.key.pem"])
def test_missing_certificate_or_key_is_reported(lab: Lab, host: Host, name: str) -> None:
    file = f"/etc/mailops-relay/{name}"
    with healthy(lab, host):
        host.run(f"mv {file} /root/ && postfix reload")
        try:
            assert first_line(host) == f"the queue is empty, 1 problem to solve: {file}"
            assert failing_in_metrics(host) == {"certificate_unusable"}
            lines = ["EHLO copier\r\n", "STARTTLS\r\n"]
            replies = smtp_session(lab.devices["outsider"], host.address, lines, 587, tls="TLSv1_2", starttls=True)
            assert replies[-1].startswith("no TLS: "), replies
        finally:
            host.run(f"mv /root/{name} {file} && postfix reload")


CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 60).recv(100)"


@pytest.mark.parametrize(("port", "listener"), [(25, "devices"), (465, "submissions")])
def test_process_that_cannot_start_is_named(lab: Lab, host: Host, port: int, listener: str) -> None:
    """systemd says that Postfix runs: only the listener's process ends, whenever a device connects."""
    setting = f"{'smtp' if port == 25 else 'submissions'}/inet/smtpd_error_sleep_time"
    with healthy(lab, host):
        host.run(f"cp -p /etc/postfix/master.cf /root/ && postconf -P {setting}=none && postfix reload")
        try:
            with subprocess.Popen([*host.network.inside, *host.ssh, f'python3 -c "{CONNECT.format(port=port)}"']) as device:
                wait_for_first_line(host, f"the queue is empty, 1 problem to solve: postfix/{listener}/smtpd", 60)
                device.terminate()
            assert failing_in_metrics(host) == {"daemon_failing"}
            assert "smtpd_error_sleep_time" in status(host)["problems"][0]["cause"]
        finally:
            host.run("mv /root/master.cf /etc/postfix/ && postfix reload")


def test_table_that_cannot_be_read_is_named(lab: Lab, host: Host) -> None:
    table = "/etc/postfix/m365/clients"
    with healthy(lab, host):
        host.run(f"mv {table} /root/ && postfix reload")
        try:
            lines = ["EHLO copier\r\n", f"MAIL FROM:<{SCANNER}>\r\n", "RCPT TO:<a@example.net>\r\n"]
            replies = smtp_session(lab.devices["printer"], host.address, lines)
            assert any(reply.startswith("451 4.3") for reply in replies), replies
            wait_for_first_line(host, "the queue is empty, 1 problem to solve: postfix/devices/smtpd", 60)
            assert failing_in_metrics(host) == {"daemon_failing"}
        finally:
            host.run(f"mv /root/clients {table} && postfix reload")


@pytest.mark.parametrize("program", ["qmgr", "pickup"])
def test_process_that_hangs_is_named(lab: Lab, host: Host, program: str) -> None:
    with healthy(lab, host) as server:
        wait_until(lambda: host.call(f"pgrep -x {program}").returncode == 0, 90, lambda: host.run("ps ax"))
        host.run(f"pkill -STOP -x {program}")
        try:
            submit(host, SCANNER, "stopped")
            line = f"1 problem to solve: postfix/{program}"
            wait_until(lambda: first_line(host, 1).endswith(line), 60, lambda: first_line(host, 1))
            assert 'health_check_failed{check="queue_stalled"} 1' in host.run("MAILOPS_RELAY_PATIENCE=1 mailops-relay metrics")
            assert first_line(host).startswith("healthy, 1 message in the queue"), "it may wait for ten minutes"
        finally:
            host.run(f"pkill -CONT -x {program}")
        wait_until(lambda: server.count() == 1, 90, lambda: host.run("postqueue -p"))


def test_hanging_delivery_monitor_is_named_and_restarted(lab: Lab, host: Host) -> None:
    """Named after three minutes, with a sixth of the patience after 30 seconds; restarted after WatchdogSec, which is shorter here."""
    unit, drop_in = "mailops-relay-monitor.service", "/run/systemd/system/mailops-relay-monitor.service.d"
    restarts = f"systemctl show --property=NRestarts --value {unit}"
    with healthy(lab, host):
        host.run(f"systemctl kill --signal=STOP {unit}")
        line = f"the queue is empty, 1 problem to solve: {unit}"
        wait_until(lambda: first_line(host, 100) == line, 60, lambda: first_line(host, 100))
        assert 'health_check_failed{check="unit_hanging"} 1' in host.run("MAILOPS_RELAY_PATIENCE=100 mailops-relay metrics")
        host.run(f"mkdir -p {drop_in}")
        host.write(f"{drop_in}/watchdog.conf", "[Service]\nWatchdogSec=30\n")
        try:
            host.run(f"systemctl kill --signal=CONT {unit}; systemctl daemon-reload && systemctl restart {unit}")
            assert host.run(restarts).strip() == "0"
            host.run(f"systemctl kill --signal=STOP {unit}")
            wait_until(lambda: host.run(restarts).strip() == "1", 60, lambda: host.run(f"systemctl status {unit} || true"))
            assert "atchdog" in host.run(f"journalctl --no-pager --unit={unit} _PID=1")
        finally:
            host.run(f"rm -r {drop_in} && systemctl daemon-reload && systemctl restart {unit}")


@pytest.mark.parametrize("device", ["printer", "scanner"])
def test_address_beyond_ascii_without_smtputf8(lab: Lab, host: Host, device: str) -> None:
    """A smart host is not known to offer SMTPUTF8, so the relay does not. `scanner` is rewritten."""
    with upstream(lab) as server:
        smtputf8.assert_refused(lab.devices[device], host, SCANNER)
        smtputf8.assert_arrives_without_the_option(lab.devices[device], host, SCANNER, server)


def test_each_stopped_unit_is_named(lab: Lab, host: Host) -> None:
    with healthy(lab, host):
        assert_stopped_units_are_named(host, units(host, oneshot=False))


def test_each_masked_unit_is_named(lab: Lab, host: Host) -> None:
    with healthy(lab, host):
        assert_masked_units_are_named(host, [*units(host, oneshot=False), *units(host, oneshot=True)])


def test_each_crashing_unit_is_named(lab: Lab, host: Host) -> None:
    with healthy(lab, host):
        names = [*units(host, oneshot=False), *units(host, oneshot=True)]
        assert_crashing_units_are_named(host, [unit for unit in names if unit.endswith(".service")])


def test_crashing_queue_actions_are_started_again_with_pauses(lab: Lab, host: Host) -> None:
    """The path unit starts the service while the spool has a file: without a pause it was active whenever its state was read."""
    unit, spool = "mailops-relay-queue-actions.service", "/var/lib/mailops-relay/queue-actions"
    with healthy(lab, host):
        with crashing(host, unit):
            host.run(f"echo '{{}}' > {spool}/000000001.json")
            restarts = f"systemctl show --property=NRestarts --value {unit}"
            wait_until(lambda: int(host.run(restarts)) >= 3, 20, lambda: host.run(f"systemctl status {unit} || true"))
            assert {first_line(host) for _number in range(5)} == {f"the queue is empty, 1 problem to solve: {unit}"}
        wait_until(lambda: not host.run(f"ls {spool}"), 20, lambda: first_line(host))


def test_disabled_unit_is_named(lab: Lab, host: Host) -> None:
    unit = "mailops-relay-monitor.service"
    with healthy(lab, host):
        host.run(f"systemctl disable {unit}")
        assert first_line(host) == f"the queue is empty, 1 problem that can wait: {unit}"
        assert failing_in_metrics(host) == {"unit_disabled"}
        host.run(f"systemctl enable {unit}")


def test_first_line_says_when_the_queue_is_empty(lab: Lab, host: Host) -> None:
    """During an outage, and while mail is sent at the pace of 30 messages a minute. A message is on hold."""
    host.run("mailops-relay check-upstream --now || true")
    queue_files.fill(host, ERP, 100, spacing=60)
    host.run("systemctl start postfix")
    wait_until(lambda: queue_files.count(host, "deferred") == 100, 60, lambda: host.run("postqueue -p"))
    line = "100 messages in the queue (the oldest for 99 min, empty about 3 min after mail flows again), "
    assert first_line(host).replace("2 h", "99 min") == f"{line}1 problem to solve: {SERVER}:{PORT}"
    queue_id = json.loads(host.run("postqueue -j").splitlines()[0])["queue_id"]
    host.run(f"postsuper -h {queue_id}")
    assert first_line(host).replace("2 h", "99 min") == f"{line}2 problems to solve: {SERVER}:{PORT}, {ERP}"
    assert failing_in_metrics(host) == {"upstream_unreachable", "held_by_administrator"}
    host.run(f"postsuper -H {queue_id}")
    with upstream(lab, "--clock-offset=0") as server:
        host.run("mailops-relay check-upstream --now; postqueue -f")
        wait_until(lambda: ", empty in about " in first_line(host), 60, lambda: first_line(host))
        assert first_line(host).endswith(" min), no action required"), "older than an hour, and within the pace"
        assert failing_in_metrics(host) == {"queue_long"}
        wait_until(server.count, 60, lambda: host.run("postqueue -p"))
        host.run(f"mailops-relay delete {ERP}")
        wait_until(lambda: "the queue is empty" in first_line(host), 30, lambda: first_line(host))
        # Postfix would spend the pace of two seconds on each deleted message.
        before = server.count()
        submit(host, ERP, "next")
        wait_until(lambda: server.count() > before, 20, lambda: host.run("postqueue -p"))


def attempts(host: Host) -> dict[float, float]:
    """Arrival of each deferred message -> Postfix's next attempt (the time of its queue file)."""
    files = dict(line.split() for line in host.run("find /var/spool/postfix/deferred -type f -printf '%f %T@\\n'").splitlines())
    queued = [json.loads(line) for line in host.run("postqueue -j").splitlines()]
    return {entry["arrival_time"]: float(files[entry["queue_id"]]) for entry in queued}


def test_order_after_an_outage(lab: Lab, host: Host) -> None:
    """What the role's README says: the longer a message has waited, the later Postfix tries again; a flush is not in order of age."""
    count = 200
    queue_files.fill(host, SCANNER, count, spacing=10)
    host.run("systemctl start postfix")
    wait_until(lambda: queue_files.count(host, "deferred") == count, 60, lambda: host.run("postqueue -p"))
    planned = attempts(host)
    assert len(planned) == count
    now, (oldest, newest) = float(host.run("date +%s")), (min(planned), max(planned))
    assert newest - oldest == 10 * (count - 1)
    assert planned[oldest] - planned[newest] > 1200, "the oldest, of 33 minutes, after 30 minutes; the newest after 60 s"
    assert planned[oldest] - now <= 1800
    with upstream(lab) as server:
        host.run("postqueue -f")
        wait_until(lambda: server.count() == count and not host.run("postqueue -j"), 90, server.count)
        order = [int(subject.rpartition("-")[2]) for subject in server.subjects()]
    assert sorted(order) == list(range(count)), "each once"
    assert order != sorted(order, reverse=True), "not in order of age"


def test_order_of_mail_that_waits_for_its_pace(lab: Lab, host: Host) -> None:
    with upstream(lab) as server:
        for number in range(8):
            submit(host, ERP, f"paced-{number}")
        wait_until(lambda: server.count() == 8, 30, lambda: host.run("postqueue -p"))
        assert server.subjects() == [f"Subject: paced-{number}" for number in range(8)]
