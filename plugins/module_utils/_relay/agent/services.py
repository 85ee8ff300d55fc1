# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd units of a relay host: which ones it has, and the state of each.

Sources: systemctl(1), org.freedesktop.systemd1(5), systemd 252 to 257.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from .config import AgentConfig
from .status_document import ServiceStatus

POSTFIX = "postfix.service"
_INSTANCE = "postfix@-.service"  # Debian 12: postfix.service only starts it
TOKEN_SERVICE = "mailops-relay-token.service"  # noqa: S105 - a unit
MONITOR = "mailops-relay-monitor.service"
FAIL2BAN = "fail2ban.service"
CONNECTION_LIMITS = "mailops-relay-connection-limits.service"
_PROPERTIES = "LoadState,ActiveState,SubState,UnitFileState,Type,RemainAfterExit,Result,NRestarts,ActiveEnterTimestampMonotonic,"
_PROPERTIES += "WatchdogUSec,WatchdogTimestampMonotonic"
# A unit with so many restarts, the last one within so many seconds, is in a restart loop.
_RESTARTS = 3
_LOOP_SECONDS = 600.0
# Seconds without a signal to systemd's watchdog after which a service hangs. The delivery monitor sends one every 10 s, and waits for
# `postqueue` for at most 120 s.
SILENCE = 180.0


@dataclass(frozen=True)
class Unit:
    """`severity`: of the problem where the unit does not run. `effect`: what does not work then."""

    name: str
    severity: str
    effect: str


def expected(config: AgentConfig) -> Iterator[Unit]:
    """The units of a relay with this configuration: services, timers and paths."""
    suspension = "daily quotas are not enforced, and senders that Microsoft locks out are not suspended"
    yield Unit(POSTFIX, "critical", "no mail is accepted or sent")
    if config.upstream == "oauth":
        yield Unit("mailops-relay-proxy.service", "critical", "no mail is sent")
        yield Unit("mailops-relay-token.timer", "critical", "the access token is not renewed")
        yield Unit(TOKEN_SERVICE, "critical", "the access token is not renewed")
    if config.sasl_users:
        yield Unit("mailops-relay-sasl.service", "critical", "no device can authenticate")
        yield Unit(CONNECTION_LIMITS, "high", "unknown clients can use all connections to the ports for SASL users")
    yield Unit(MONITOR, "critical", suspension)
    yield Unit("mailops-relay-queue-actions.path", "critical", suspension)
    yield Unit("mailops-relay-queue-actions.service", "critical", suspension)
    unchecked = "an unreachable upstream server, failing DNS and a wrong clock are not reported"
    yield Unit("mailops-relay-upstream-check.timer", "high", unchecked)
    yield Unit("mailops-relay-upstream-check.service", "high", unchecked)
    if config.fail2ban:
        yield Unit(FAIL2BAN, "high", "addresses that guess passwords are not banned")
    if config.metrics:
        yield Unit("mailops-relay-metrics.timer", "high", "the metrics are not updated")
        yield Unit("mailops-relay-metrics.service", "high", "the metrics are not updated")
    yield Unit("mailops-relay-backup.timer", "high", "no backup is made")
    yield Unit("mailops-relay-backup.service", "high", "no backup is made")


def read(
    config: AgentConfig, output: Callable[..., str], now: float, monotonic: float, silence: float = SILENCE
) -> tuple[ServiceStatus, ...]:
    """The state of every unit. `output`: runs a command; "" where it fails. `now`, `monotonic`: the host's clocks, in seconds.

    `silence`: seconds without a signal to systemd's watchdog after which a service hangs.
    """
    units = list(expected(config))
    names = [*(unit.name for unit in units), _INSTANCE]
    blocks = _blocks(output("systemctl", "show", f"--property={_PROPERTIES}", *names))
    properties = dict(zip(names, blocks))  # noqa: B905 - Python 3.9 on the relay
    statuses = (_status(unit, _of_process(unit.name, properties), properties.get(unit.name, {}), (now, monotonic)) for unit in units)
    return tuple(replace(one, state="hanging") if _is_silent(one, now, silence) else one for one in statuses)


def _is_silent(service: ServiceStatus, now: float, silence: float) -> bool:
    return service.state == "active" and service.last_signal is not None and now - service.last_signal >= silence


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The properties of each unit: systemctl separates units with an empty line."""
    for block in text.strip().split("\n\n"):
        yield {name: value for name, _equals, value in (line.partition("=") for line in block.splitlines())}


def _of_process(name: str, properties: dict[str, dict[str, str]]) -> dict[str, str]:
    """The properties of the unit that has the process."""
    own = properties.get(name, {})
    return properties.get(_INSTANCE, own) if name == POSTFIX and own.get("SubState") == "exited" else own


def _status(unit: Unit, process: dict[str, str], file: dict[str, str], clocks: tuple[float, float]) -> ServiceStatus:
    now, monotonic = clocks
    restarts = int(process.get("NRestarts") or 0)
    age = monotonic - int(process.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    return ServiceStatus(
        unit=unit.name,
        state=_state(process, file, restarts, age),
        result=process.get("Result", ""),
        restarts=restarts,
        enabled=file.get("UnitFileState") != "disabled",
        oneshot=file.get("Type") == "oneshot" and file.get("RemainAfterExit") != "yes" and process is file,
        severity=unit.severity,
        effect=unit.effect,
        active_since=now - age if process.get("ActiveState") == "active" else None,
        last_signal=_last_signal(process, now, monotonic),
    )


def _last_signal(process: dict[str, str], now: float, monotonic: float) -> float | None:
    """systemd sets the time for every service at its start; it changes only where WatchdogSec is set."""
    signalled = int(process.get("WatchdogTimestampMonotonic") or 0)
    watched = process.get("WatchdogUSec", "0") not in ("0", "infinity")
    return now - monotonic + signalled / 1e6 if watched and signalled else None


def _state(process: dict[str, str], file: dict[str, str], restarts: int, age: float) -> str:
    """systemd's ActiveState, or unknown, missing, masked, restarting. `age`: seconds since it last became active."""
    if not process:
        return "unknown"
    load = file.get("LoadState", "")
    if load != "loaded":
        return load if load == "masked" else "missing"
    state = process.get("ActiveState", "unknown")
    looping = restarts >= _RESTARTS and (age < _LOOP_SECONDS or state == "activating")
    return "restarting" if looping or process.get("SubState", "").startswith("auto-restart") else state
