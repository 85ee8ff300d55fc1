# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The delivery monitor's signals to systemd's watchdog, received at a socket as systemd has one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import services
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.service import MonitorService
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import MonitorStore
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.watchdog import INTERVAL, Watchdog
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths

REPO = Path(__file__).resolve().parents[7]
UNIT = REPO / "roles/relay_host/templates/monitor/mailops-relay-monitor.service.j2"


class Systemd:
    """Its notification socket, and a clock. `address`: of the socket, @NAME in the abstract namespace."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000000"}
        self.now = 100.0

    def watchdog(self) -> Watchdog:
        return Watchdog(self.environment, lambda: self.now)

    def received(self) -> list[bytes]:
        signals = []
        try:
            while True:
                signals.append(self.socket.recv(512))
        except BlockingIOError:
            return signals


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    result = Systemd(str(tmp_path / "notify"))
    yield result
    result.socket.close()


@pytest.fixture
def service(systemd: Systemd, tmp_path: Path) -> MonitorService:
    paths = Paths(tmp_path / "etc", tmp_path / "lib", tmp_path / "run")
    for path in (paths.configuration, paths.state, paths.queue_actions):
        path.mkdir()
    paths.config_file.write_text(json.dumps({"mailboxes": []}))
    return MonitorService(MonitorStore(paths), systemd.watchdog())


def test_signals_have_an_interval(systemd: Systemd) -> None:
    watchdog = systemd.watchdog()
    for seconds in (0.0, INTERVAL - 1, INTERVAL, INTERVAL + 1):
        systemd.now = 100.0 + seconds
        watchdog.signal()
    assert systemd.received() == [b"WATCHDOG=1", b"WATCHDOG=1"]


def test_signal_reaches_a_socket_in_the_abstract_namespace(tmp_path: Path) -> None:
    systemd = Systemd(f"@{tmp_path}")
    systemd.watchdog().signal()
    assert systemd.received() == [b"WATCHDOG=1"]
    systemd.socket.close()


def test_lost_signal_is_repeated_at_once(systemd: Systemd) -> None:
    """A full or missing socket never stops the monitor."""
    watchdog = systemd.watchdog()
    watchdog.address += ".away"
    watchdog.signal()
    watchdog.address = systemd.environment["NOTIFY_SOCKET"]
    watchdog.signal()
    assert systemd.received() == [b"WATCHDOG=1"]


@pytest.mark.parametrize("missing", ["NOTIFY_SOCKET", "WATCHDOG_USEC"])
def test_no_signal_is_sent_where_systemd_expects_none(systemd: Systemd, missing: str) -> None:
    del systemd.environment[missing]
    watchdog = systemd.watchdog()
    watchdog.signal()
    assert not watchdog.enabled
    assert systemd.received() == []


def test_monitor_signals_while_it_reads_updates_and_reconciles(systemd: Systemd, service: MonitorService) -> None:
    """A line may take as long as `postqueue`, so there is a signal a line."""
    for step in (lambda: service.process_line("no JSON"), lambda: service.update(systemd.now), service.reconcile):
        systemd.now += INTERVAL
        step()
        assert systemd.received() == [b"WATCHDOG=1"], step


def test_idle_monitor_wakes_up_for_the_next_signal(systemd: Systemd, service: MonitorService) -> None:
    assert service.state.seconds_until_due(systemd.now) > INTERVAL
    assert service._timeout() <= INTERVAL
    service.watchdog = Watchdog({})
    assert service._timeout() > INTERVAL


def test_unit_is_reported_before_systemd_restarts_it() -> None:
    settings = dict(line.split("=", 1) for line in UNIT.read_text(encoding="utf-8").splitlines() if "=" in line and line[0] != "#")
    assert settings["WatchdogSec"] == "300", "the remedy of health check unit_hanging says five minutes"
    assert 12 * INTERVAL < services.SILENCE < 300
    assert settings["Restart"] == "always"
