"""Each health check of `mailops-relay status` on a relay that is broken accordingly: the first line, the exit status, the metrics.

The smart host listens at a name of the emulator's DNS. test_limits has the checks of disks and connections, test_operations those of tokens
and mailboxes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from . import queue_files
from .relay import block_network, unblock_network, wait_until
from .smarthost_relay import PORT, run_role, upstream

SCANNER, ERP = "scanner@contoso.com", "erp@contoso.com"
SERVER = "smtp.office365.com"
METRICS = "/var/lib/prometheus/node-exporter"
VARIABLES: dict[str, Any] = {
    "relay_smarthost": {"host": SERVER, "port": PORT, "tls": "none"},
    "relay_mailboxes": [{"address": SCANNER, "messages_per_minute": 0}, {"address": ERP, "messages_per_minute": 30}],
    "relay_devices": [
        {"name": "Printer", "networks": ["198.51.100.101"], "senders": [SCANNER, ERP]},
        {"name": "ERP", "username": "erp", "password": "correct horse", "senders": [ERP]},
    ],
    "relay_metrics_directory": METRICS,
    "relay_fail2ban": True,
}
CHECK = "mailops-relay-upstream-check.service"
# The service that ends at once, as one with a missing library.
CRASHING = "[Service]\nExecStart=\nExecStart=/bin/false\n"


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    booted = lab.boot(f"health{request.param}", request.param)
    run_role(lab, booted.name, **VARIABLES)
    yield booted
    lab.remove(booted.name)


def status(host: Host) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(host.call("mailops-relay status --json").stdout)
    return document


def first_line(host: Host) -> str:
    """Without the host's name; its exit status is 1 where it names problems to solve."""
    done = host.call("mailops-relay status")
    line = done.stdout.splitlines()[0]
    assert done.returncode == (1 if "to solve" in line else 0), done.stderr
    return line.partition(": ")[2]


def failing_in_metrics(host: Host) -> set[str]:
    """The health checks that fail, as the metrics unit writes them in its sandbox."""
    host.run("systemctl start mailops-relay-metrics.service")
    lines = host.read(f"{METRICS}/mailops_relay.prom").splitlines()
    return {line.split('"')[1] for line in lines if line.startswith("mailops_relay_health_check_failed{") and line.endswith(" 1")}


def submit(host: Host, sender: str, count: int = 1) -> None:
    host.run(f"for i in $(seq {count}); do printf 'Subject: x\\n\\n' | sendmail -f {sender} a@example.net; done")


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


@contextmanager
def masked(host: Host, unit: str) -> Iterator[None]:
    """A unit of /etc cannot be masked while its file is there. systemd stops a timer without its service."""
    started = starter(host, unit)
    file = f"/etc/systemd/system/{unit}"
    moved = host.call(f"test -f {file}").returncode == 0
    host.run(f"mv {file} /root/unit && ln -s /dev/null {file} && systemctl daemon-reload" if moved else f"systemctl mask {unit}")
    try:
        yield
    finally:
        host.run(f"mv /root/unit {file} && systemctl daemon-reload" if moved else f"systemctl unmask {unit}")
        host.run(f"systemctl reset-failed {started} || true; systemctl restart {started}")


def starter(host: Host, unit: str) -> str:
    """The timer or path that starts a service; the unit itself where there is none."""
    return host.run(f"systemctl show --property=TriggeredBy --value {unit}").strip() or unit


@contextmanager
def crashing(host: Host, unit: str) -> Iterator[None]:
    drop_in = f"/run/systemd/system/{unit}.d"
    host.run(f"mkdir -p {drop_in}")
    host.write(f"{drop_in}/crash.conf", CRASHING)
    host.run("systemctl daemon-reload")
    try:
        yield
    finally:
        host.run(f"rm -r {drop_in}; systemctl daemon-reload; systemctl reset-failed {unit} || true")


def units(host: Host, *, oneshot: bool) -> list[str]:
    return [service["unit"] for service in status(host)["services"] if service["oneshot"] == oneshot]


@contextmanager
def healthy(lab: Lab, host: Host) -> Iterator[None]:
    """The upstream server answers meanwhile; the relay is healthy before and afterwards."""

    def is_healthy() -> bool:
        return first_line(host) == "healthy, the queue is empty"

    with upstream(lab, "--clock-offset=0"):
        host.run("mailops-relay check-upstream --now")
        wait_until(is_healthy, 60, lambda: status(host)["problems"])
        yield
        wait_until(is_healthy, 60, lambda: status(host)["problems"])


def test_each_stopped_unit_is_named(lab: Lab, host: Host) -> None:
    with healthy(lab, host):
        for unit in units(host, oneshot=False):
            host.run(f"systemctl stop {unit}")
            assert first_line(host) == f"the queue is empty, 1 problem to solve: {unit}"
            host.run(f"systemctl start {unit}")


def test_each_masked_unit_is_named(lab: Lab, host: Host) -> None:
    with healthy(lab, host):
        for unit in [*units(host, oneshot=False), *units(host, oneshot=True)]:
            allowed = {unit, starter(host, unit)}
            with masked(host, unit):
                line, named = first_line(host), {problem["subject"] for problem in status(host)["problems"]}
            assert unit in named <= allowed, named
            assert unit in line.partition("to solve: ")[2]


def test_each_crashing_unit_is_named(lab: Lab, host: Host) -> None:
    """A service that restarts always is in a restart loop; one that ends fails."""
    with healthy(lab, host):
        services = [unit for unit in [*units(host, oneshot=False), *units(host, oneshot=True)] if unit.endswith(".service")]
        instance = host.call("systemctl is-active postfix@-.service").returncode == 0  # Debian 12: the process is this unit's
        for unit in services:
            process = "postfix@-.service" if unit == "postfix.service" and instance else unit
            with crashing(host, process):
                host.call(f"systemctl restart {process}")
                wait_until(lambda unit=unit: f"to solve: {unit}" in first_line(host), 20, lambda: first_line(host))
            host.run(f"systemctl restart {process}")


def test_first_line_says_when_the_queue_is_empty(lab: Lab, host: Host) -> None:
    """During an outage, and while mail is sent at the pace of 30 messages a minute."""
    host.run("mailops-relay check-upstream --now || true")
    submit(host, ERP, 100)
    wait_until(lambda: len(host.run("postqueue -j").splitlines()) == 100, 60, "100 messages")
    line = first_line(host)
    assert line.startswith("100 messages in the queue (the oldest for "), line
    assert f", empty about 3 min after mail flows again), 1 problem to solve: {SERVER}:{PORT}" in line
    with upstream(lab, "--clock-offset=0") as server:
        host.run("mailops-relay check-upstream --now; postqueue -f")
        wait_until(lambda: ", empty in about " in first_line(host), 60, lambda: first_line(host))
        wait_until(server.count, 60, lambda: host.run("postqueue -p"))
        host.run(f"mailops-relay delete {ERP}")
        wait_until(lambda: "the queue is empty" in first_line(host), 30, lambda: first_line(host))


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
            host.run(f"printf 'Subject: paced-{number}\\n\\n' | sendmail -f {ERP} a@example.net")
        wait_until(lambda: server.count() == 8, 30, lambda: host.run("postqueue -p"))
        assert server.subjects() == [f"Subject: paced-{number}" for number in range(8)]
