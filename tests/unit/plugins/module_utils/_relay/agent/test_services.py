# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each unit of a relay in each state, as `systemctl show` prints it; tests/hosts has real ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config, health, metrics, services, status_text
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.status_document import (
    Problem,
    QueueStatus,
    Status,
    TokenReport,
)

REPO = Path(__file__).resolve().parents[6]
CONFIG = config.AgentConfig(upstream="oauth", sasl_users=True, fail2ban=True, metrics=True)
NAMES = [unit.name for unit in services.expected(CONFIG)]
ONESHOT = [name for name in NAMES if name.removesuffix(".service") + ".timer" in NAMES or name.removesuffix(".service") + ".path" in NAMES]
CONTINUOUS = [name for name in NAMES if name not in ONESHOT]
UPTIME = 90_000.0
STATES = {
    "dead": {"ActiveState": "inactive", "SubState": "dead"},
    "failed": {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code"},
    "masked": {"LoadState": "masked", "UnitFileState": "masked"},
    "missing": {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""},
    "auto-restart": {"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "1"},
    "starting again": {"ActiveState": "activating", "SubState": "start", "NRestarts": "3"},
    "restarts": {"NRestarts": "3", "ActiveEnterTimestampMonotonic": str(int((UPTIME - 20) * 1e6))},
}


def systemctl(changed: dict[str, dict[str, str]] | None = None, instance: bool = False) -> str:
    """The output for all units; `changed`: properties by unit. `instance`: of Debian 12, where postfix@-.service has the process."""

    def blocks() -> Iterator[str]:
        for name in [*NAMES, "postfix@-.service"]:
            oneshot = name in ONESHOT
            properties = {
                "Type": "oneshot" if oneshot else "forking" if name == "postfix.service" else "simple",
                "LoadState": "loaded",
                "ActiveState": "inactive" if oneshot else "active",
                "SubState": "dead" if oneshot else "running",
                "UnitFileState": "static" if oneshot else "enabled",
                "Result": "success",
                "NRestarts": "0",
                "ActiveEnterTimestampMonotonic": "5000000",
            }
            if name == "postfix.service" and instance:
                properties |= {"Type": "oneshot", "RemainAfterExit": "yes", "SubState": "exited"}
            if name == "postfix@-.service" and not instance:
                properties |= {"LoadState": "not-found", "ActiveState": "inactive"}
            yield "".join(f"{key}={value}\n" for key, value in (properties | (changed or {}).get(name, {})).items())

    return "\n".join(blocks())


def document(output: str, failure: str = "") -> Status:
    read = services.read(CONFIG, lambda *_command: output, 1e9, UPTIME)
    token = TokenReport(expires=9e9, issued=1.0, failure=failure, code="", failing_since=1.0 if failure else None)
    status = Status("relay1", "oauth", 1e9, QueueStatus(0, 0, 0, None, ()), (), token, (), read, {}, None)
    return dataclasses.replace(status, problems=health.problems(status))


def problems(output: str) -> tuple[Problem, ...]:
    return document(output).problems


@pytest.mark.parametrize("instance", [False, True])
def test_relay_whose_units_run_has_no_problem(instance: bool) -> None:
    output = systemctl(instance=instance)
    assert problems(output) == ()
    assert f"Services      {len(NAMES)} of {len(NAMES)} units in order" in dict(status_text.lines(document(output)))


def test_each_unit_says_since_when_it_is_active() -> None:
    since = {unit.unit: unit.active_since for unit in document(systemctl(instance=True)).services}
    assert since == {name: None if name in ONESHOT else 1e9 - UPTIME + 5 for name in NAMES}


# A service that ends is inactive, and systemd does not restart it.
CASES = [(name, state) for name in NAMES for state in STATES if name in CONTINUOUS or state not in ("dead", "restarts")]


@pytest.mark.parametrize(("name", "state"), CASES)
def test_each_unit_that_does_not_run_is_named(name: str, state: str) -> None:
    output = systemctl({name: STATES[state]})
    (problem,) = problems(output)
    assert problem.subject == name
    assert problem.urgent
    assert problem.cause.startswith("the unit is ")
    assert problem.remedy
    text = "\n".join(line for line, _colour in status_text.lines(document(output)))
    assert text.startswith("relay1: the queue is empty, 1 problem to solve")
    assert f"units in order; {name} " in text
    assert f'mailops_relay_service_up{{unit="{name}"}} 0' in metrics.render(document(output))


@pytest.mark.parametrize("state", ["failed", "auto-restart", "restarts"])
def test_failed_postfix_instance_of_debian_12_is_reported(state: str) -> None:
    (problem,) = problems(systemctl({"postfix@-.service": STATES[state]}, instance=True))
    assert (problem.subject, problem.severity) == ("postfix.service", "critical")


@pytest.mark.parametrize("state", ["dead", "failed", "masked"])
def test_stopped_postfix_of_debian_12_is_reported(state: str) -> None:
    changed = {"postfix.service": STATES[state], "postfix@-.service": STATES["dead"]}
    (problem,) = problems(systemctl(changed, instance=True))
    assert (problem.subject, problem.severity) == ("postfix.service", "critical")


@pytest.mark.parametrize("name", CONTINUOUS)
def test_disabled_unit_is_reported_although_it_runs(name: str) -> None:
    (problem,) = problems(systemctl({name: {"UnitFileState": "disabled"}}))
    assert (problem.subject, problem.severity) == (name, "medium")
    assert "does not start after a reboot" in problem.cause


def test_unit_that_restarted_long_ago_runs() -> None:
    changed = {"NRestarts": "9", "ActiveEnterTimestampMonotonic": str(int((UPTIME - 3600) * 1e6))}
    assert problems(systemctl({"mailops-relay-monitor.service": changed})) == ()


def watched(seconds: float, **more: str) -> dict[str, dict[str, str]]:
    """The delivery monitor's last signal to systemd's watchdog is so many seconds ago."""
    signal = {"WatchdogUSec": "5min", "WatchdogTimestampMonotonic": str(int((UPTIME - seconds) * 1e6))}
    return {services.MONITOR: signal | more}


def test_unit_without_a_signal_to_the_watchdog_hangs() -> None:
    output = systemctl(watched(services.SILENCE))
    (problem,) = problems(output)
    assert (problem.check, problem.subject, problem.severity) == ("unit_hanging", services.MONITOR, "critical")
    assert problem.cause.startswith("the unit hangs since ")
    assert f"units in order; {services.MONITOR} hanging" in "\n".join(line for line, _colour in status_text.lines(document(output)))
    assert f'mailops_relay_service_up{{unit="{services.MONITOR}"}} 0' in metrics.render(document(output))
    (monitor,) = (one for one in document(output).services if one.unit == services.MONITOR)
    assert monitor.last_signal == 1e9 - services.SILENCE


def test_unit_with_a_signal_or_without_a_watchdog_does_not_hang() -> None:
    """systemd has a time for each service, its start."""
    assert problems(systemctl(watched(services.SILENCE - 1))) == ()
    assert problems(systemctl(watched(9000, WatchdogUSec="0"))) == ()
    assert problems(systemctl(watched(9000, WatchdogUSec="infinity"))) == ()


def test_unit_that_does_not_run_does_not_hang() -> None:
    (problem,) = problems(systemctl(watched(9000, **STATES["failed"])))
    assert problem.check == "unit_not_running"


def test_failed_token_request_is_one_problem() -> None:
    output = systemctl({services.TOKEN_SERVICE: STATES["failed"]})
    assert [problem.subject for problem in document(output, failure="Could not get a token").problems] == ["token"]


def test_systemctl_that_fails_is_reported_for_each_unit() -> None:
    assert [problem.subject for problem in problems("")] == sorted(NAMES, key=lambda name: "critical high".index(severity(name)))


def severity(name: str) -> str:
    return next(unit.severity for unit in services.expected(CONFIG) if unit.name == name)


def test_every_unit_of_the_role_is_watched() -> None:
    templates = (REPO / "roles" / "relay_host" / "templates").rglob("mailops-relay-*.j2")
    assert {path.name.removesuffix(".j2") for path in templates} == {name for name in NAMES if name.startswith("mailops-relay-")}
