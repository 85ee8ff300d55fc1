"""The health of a relay host: the status as JSON, its first line, the checks that the metrics unit reports; units that do not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from testbed.host import Host
from testbed.lab import Lab

from .relay import wait_until
from .smarthost_relay import Upstream, upstream

METRICS = "/var/lib/prometheus/node-exporter"
CHECK = "mailops-relay-upstream-check.service"
HEALTHY = "healthy, the queue is empty"
# The service that ends at once, as one with a missing library.
_CRASHING = "[Service]\nExecStart=\nExecStart=/bin/false\n"


def status(host: Host) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(host.call("mailops-relay status --json", timeout=300).stdout)
    return document


def problems(host: Host) -> dict[str, dict[str, Any]]:
    """By subject."""
    return {problem["subject"]: problem for problem in status(host)["problems"]}


def first_line(host: Host, patience: int = 0) -> str:
    """Without the host's name; its exit status is 1 where it names problems to solve. `patience`: after so many seconds a process hangs."""
    done = host.call(f"MAILOPS_RELAY_PATIENCE={patience or ''} mailops-relay status")
    line = done.stdout.splitlines()[0]
    assert done.returncode == (1 if "to solve" in line else 0), done.stderr
    return line.partition(": ")[2]


def wait_for_first_line(host: Host, line: str, seconds: float = 20) -> None:
    wait_until(lambda: first_line(host) == line, seconds, lambda: (line, first_line(host)))


def failing_in_metrics(host: Host) -> set[str]:
    """The health checks that fail, as the metrics unit writes them in its sandbox."""
    host.run("systemctl start mailops-relay-metrics.service")
    lines = host.read(f"{METRICS}/mailops_relay.prom").splitlines()
    return {line.split('"')[1] for line in lines if line.startswith("mailops_relay_health_check_failed{") and line.endswith(" 1")}


@contextmanager
def healthy(lab: Lab, host: Host, *options: str) -> Iterator[Upstream]:
    """The smart host answers meanwhile; the relay is healthy before and afterwards. `options`: of bench.sink."""
    with upstream(lab, "--clock-offset=0", *options) as server:
        host.run("mailops-relay check-upstream --now")
        wait_for_first_line(host, HEALTHY, 60)
        yield server
        wait_for_first_line(host, HEALTHY, 60)


def forget_limits(host: Host) -> None:
    """A reached limit is a problem for 20 minutes; the packet filter's limits are loaded anew."""
    edit = "import json, pathlib; file = pathlib.Path('/var/lib/mailops-relay/state.json'); state = json.loads(file.read_text()); "
    edit += "state['limits'] = {}; file.write_text(json.dumps(state))"
    host.run(f'systemctl stop mailops-relay-monitor && python3 -c "{edit}" && systemctl start mailops-relay-monitor')
    host.run("systemctl restart mailops-relay-connection-limits")


# -- units -----------------------------------------------------------------------------------------------------------


def units(host: Host, *, oneshot: bool) -> list[str]:
    return [service["unit"] for service in status(host)["services"] if service["oneshot"] == oneshot]


def starter(host: Host, unit: str) -> str:
    """The timer or path that starts a service; the unit itself where there is none."""
    return host.run(f"systemctl show --property=TriggeredBy --value {unit}").strip() or unit


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


@contextmanager
def crashing(host: Host, unit: str) -> Iterator[None]:
    drop_in = f"/run/systemd/system/{unit}.d"
    host.run(f"mkdir -p {drop_in}")
    host.write(f"{drop_in}/crash.conf", _CRASHING)
    host.run("systemctl daemon-reload")
    try:
        yield
    finally:
        host.run(f"rm -r {drop_in}; systemctl daemon-reload; systemctl reset-failed {unit} || true")


def assert_stopped_units_are_named(host: Host, names: list[str]) -> None:
    for unit in names:
        host.run(f"systemctl stop {unit}")
        assert first_line(host) == f"the queue is empty, 1 problem to solve: {unit}"
        host.run(f"systemctl start {unit}")


def assert_masked_units_are_named(host: Host, names: list[str]) -> None:
    for unit in names:
        allowed = {unit, starter(host, unit)}
        with masked(host, unit):
            line, named = first_line(host), set(problems(host))
        assert unit in named <= allowed, named
        assert unit in line.partition("to solve: ")[2]


def assert_crashing_units_are_named(host: Host, names: list[str]) -> None:
    """A service that restarts always is in a restart loop; one that ends fails."""
    instance = host.call("systemctl is-active postfix@-.service").returncode == 0  # Debian 12: the process is this unit's
    for unit in names:
        process = "postfix@-.service" if unit == "postfix.service" and instance else unit
        with crashing(host, process):
            host.call(f"systemctl restart {process}")
            wait_until(lambda unit=unit: f"to solve: {unit}" in first_line(host), 20, lambda: first_line(host))
        host.run(f"systemctl restart {process}")
