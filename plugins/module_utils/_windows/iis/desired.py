# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of IIS SMTP, and what differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..services import AUTOMATIC, RUNNING
from . import settings
from .access import CONNECTIONS, RELAY, AddressList, of_networks
from .options import Listener, Params, Upstream
from .settings import Value
from .state import IisState, Server, Service


@dataclass(frozen=True)
class Desired:
    """`values`: managed properties; `restart`: whether a change restarts a running service."""

    values: Mapping[str, Value]
    listeners: frozenset[Listener]
    lists: Mapping[str, AddressList]
    service: Service = field(default=Service(RUNNING, AUTOMATIC))


def of_params(params: Params, upstream: Upstream) -> Desired:
    lists = {
        CONNECTIONS: of_networks(params.connection_networks or params.relay_networks),
        RELAY: of_networks(params.relay_networks),
    }
    return Desired(settings.desired(params, upstream), frozenset(params.listeners), lists)


@dataclass(frozen=True)
class Differences:
    """What differs: names of properties and lists; whether listeners or the service do."""

    values: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    listeners: bool = False
    service: bool = False

    def __bool__(self) -> bool:
        return bool(self.values or self.lists or self.listeners or self.service)

    def named(self) -> list[str]:
        return [*self.values, *self.lists, *(["ServerBindings"] if self.listeners else []), *(["the service"] if self.service else [])]


def differences(state: IisState, wanted: Desired) -> Differences:
    """Everything differs where there is no virtual server."""
    if state.server is None:
        return Differences(tuple(wanted.values), tuple(wanted.lists), True, state.service != wanted.service)
    current = lists_of(state.server)
    return Differences(
        tuple(settings.differing(state.server.values, wanted.values)),
        tuple(name for name, one in wanted.lists.items() if not one.same(current[name])),
        state.server.listeners != wanted.listeners,
        state.service != wanted.service,
    )


def lists_of(server: Server) -> dict[str, AddressList | None]:
    return {RELAY: server.relay, CONNECTIONS: server.connections}


def before(state: IisState, differing: Differences) -> dict[str, object]:
    """The current values of what differs, for the diff."""
    server = state.server
    shown: dict[str, object] = {"missing_features": list(state.missing)} if state.missing else {}
    if server and differing.values:
        shown["settings"] = {name: server.values.get(name) for name in differing.values}
    if server:
        current = lists_of(server)
        shown |= {_LABELS[name]: one.granted() if (one := current[name]) else [] for name in differing.lists}
    if server and differing.listeners:
        shown["listeners"] = _listeners(server.listeners)
    if differing.service and state.service:
        shown["service"] = _service(state.service)
    return shown


def after(wanted: Desired, differing: Differences) -> dict[str, object]:
    """The desired values of what differs, for the diff."""
    shown: dict[str, object] = {"settings": {name: wanted.values[name] for name in differing.values}} if differing.values else {}
    shown |= {_LABELS[name]: wanted.lists[name].granted() for name in differing.lists}
    if differing.listeners:
        shown["listeners"] = _listeners(wanted.listeners)
    if differing.service:
        shown["service"] = _service(wanted.service)
    return shown


_LABELS = {RELAY: "relay_networks", CONNECTIONS: "connection_networks"}


def outcome(wanted: Desired, upstream: Upstream) -> dict[str, object]:
    """The result of a task, as the host is afterwards."""
    return {
        "fqdn": wanted.values["FullyQualifiedDomainName"],
        "listeners": [
            {"address": one.address, "port": one.port} for one in sorted(wanted.listeners, key=lambda one: (one.port, one.address))
        ],
        "relay_networks": wanted.lists[RELAY].granted(),
        "connection_networks": wanted.lists[CONNECTIONS].granted(),
        "upstream": {"host": upstream.host, "port": upstream.port, "tls": upstream.tls, "username": upstream.username or ""},
        "service": _service(wanted.service),
    }


def _listeners(listeners: frozenset[Listener]) -> list[str]:
    return sorted(f"{one.address or '*'}:{one.port}" for one in listeners)


def _service(service: Service) -> dict[str, str]:
    return {"state": service.state.lower(), "start_mode": service.start_mode.lower()}
