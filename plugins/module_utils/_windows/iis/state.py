# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of IIS SMTP on a host: features, services, the virtual server, and what the host remembers from before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._core.errors import MailopsError
from ..._core.json_types import JsonObject
from ..host import WindowsHost, rows
from . import settings
from .access import CONNECTIONS, RELAY, AddressList, from_answer
from .options import Listener

# SMTP-Server brings Web-Metabase (ADSI); Web-WMI the namespace root\MicrosoftIISv2.
SMTP_SERVER = "SMTP-Server"
FEATURES = (SMTP_SERVER, "Web-WMI")
SERVICE = "SMTPSVC"
_OF_DOMAIN, _ALIAS = "SmtpSvc/1/Domain/", 16


@dataclass(frozen=True)
class Service:
    """Values of Win32_Service: State, StartMode."""

    state: str
    start_mode: str


@dataclass(frozen=True)
class Server:
    """The virtual server. `values`: the properties of settings.READ; `relay` None: null, nobody may relay.

    `domains`: those that an administrator has added -> whether mail to them stays on the host (RouteAction, an alias domain).
    """

    values: dict[str, object]
    listeners: frozenset[Listener]
    relay: AddressList | None
    connections: AddressList | None
    domains: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Memory:
    """What was there before the first change. `server` None: there was no virtual server; `features`: those that this module installed."""

    features: tuple[str, ...]
    service: Service | None
    server: Server | None

    def as_text(self) -> str:
        document: JsonObject = {"features": list(self.features)}
        if self.service:
            document["service"] = {"state": self.service.state, "start_mode": self.service.start_mode}
        if self.server:
            document["server"] = {
                "values": {name: self.server.values.get(name) for name in settings.MANAGED},
                "bindings": bindings(self.server.listeners),
                "lists": {
                    name: one.as_memory() if one else None
                    for name, one in ((RELAY, self.server.relay), (CONNECTIONS, self.server.connections))
                },
            }
        return json.dumps(document, separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True)
class IisState:
    """`missing`: features that are not installed; `ports`: those in use, with the process; `server` None: there is no virtual server."""

    missing: tuple[str, ...]
    services: dict[str, Service]
    ports: dict[int, str]
    memory: Memory | None
    server: Server | None

    @property
    def service(self) -> Service | None:
        return self.services.get(SERVICE)


def read(host: WindowsHost) -> IisState:
    """Features, services and memory by one script, the virtual server by another one where it can be."""
    document = host.run("iis_host", "read the features and services")
    installed = {str(one.get("name")): one.get("installed") is True for one in rows(host.name, document, "features")}
    missing = tuple(name for name in FEATURES if not installed.get(name))
    services = {
        str(one.get("name")): Service(str(one.get("state")), str(one.get("start_mode"))) for one in rows(host.name, document, "services")
    }
    ports = {
        int(one.get("port") or 0): str(one.get("process") or "a process of another user") for one in rows(host.name, document, "ports")
    }
    memory = document.get("memory")
    server = None if missing else _read_server(host)
    return IisState(missing, services, ports, _remembered(host, str(memory)) if memory else None, server)


def _read_server(host: WindowsHost) -> Server | None:
    document = host.run("iis_read", "read the virtual SMTP server", {"names": list(settings.READ)})
    servers = rows(host.name, document, "servers")
    return replace(_server(servers[0]), domains=_domains(rows(host.name, document, "domains"))) if servers else None


def _domains(found: Sequence[JsonObject]) -> dict[str, bool]:
    """Those of the virtual server that is managed here. Source of the name's form: IIsSmtpDomainSetting, IIS 6.0 WMI reference."""
    names = {str(one.get("name")): int(one.get("action") or 0) for one in found}
    return {name.removeprefix(_OF_DOMAIN): bool(action & _ALIAS) for name, action in names.items() if name.startswith(_OF_DOMAIN)}


def _server(document: JsonObject) -> Server:
    lists = document.get("lists")
    of_list: Mapping[str, JsonObject] = lists if isinstance(lists, dict) else {}
    return Server(
        dict(document.get("values") or {}),
        frozenset(Listener(str(one.get("address") or ""), int(one.get("port") or 0)) for one in document.get("bindings") or []),
        from_answer(of_list.get(RELAY)),
        from_answer(of_list.get(CONNECTIONS)),
    )


def _remembered(host: WindowsHost, text: str) -> Memory:
    try:
        document = json.loads(text)
        service = document.get("service")
        return Memory(
            tuple(document["features"]),
            Service(service["state"], service["start_mode"]) if service is not None else None,
            _server(document["server"]) if "server" in document else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        key = r"HKLM:\SOFTWARE\mailops\relay"
        raise MailopsError(
            f"The value iis of {key} on {host.name} is damaged: remove it. The settings from before cannot be restored."
        ) from None


def texts(value: object) -> tuple[str, ...]:
    """A list of texts in an answer."""
    return tuple(map(str, value)) if isinstance(value, list) else ()


def bindings(listeners: frozenset[Listener]) -> list[dict[str, str]]:
    """Listeners as iis_write takes them: texts, as in ServerBinding."""
    ordered = sorted(listeners, key=lambda one: (one.port, one.address))
    return [{"address": one.address, "port": str(one.port), "hostname": ""} for one in ordered]
