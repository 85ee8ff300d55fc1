# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the state of IIS SMTP. Who may connect and relay is written first, and the service started last: never an open relay between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._core.errors import MailopsError
from .. import memory as relay_memory
from .. import services
from ..host import WindowsHost, rows
from ..services import AUTOMATIC, RUNNING
from . import settings, state
from .access import RELAY, AddressList, encoded
from .desired import Desired, differences
from .options import LOOPBACK, Listener
from .settings import Value
from .state import SERVICE, IisState, Memory, Service


def remember(host: WindowsHost, memory: Memory) -> None:
    """Keep on the host what was there before the first change. It has no secret."""
    relay_memory.write(host, relay_memory.IIS, memory.as_text())


def forget(host: WindowsHost) -> None:
    relay_memory.remove(host, relay_memory.IIS)


def install(host: WindowsHost, names: Sequence[str]) -> None:
    """Install features; MailopsError where Windows has to be restarted before they can be used."""
    if _features(host, "install", names):
        raise MailopsError(
            f"{', '.join(names)} are installed on {host.name}, and Windows needs a restart now: restart the host "
            "(ansible.windows.win_reboot), then run this task again."
        )


def uninstall(host: WindowsHost, names: Sequence[str]) -> bool:
    """Remove features; whether Windows needs a restart."""
    return _features(host, "uninstall", names)


def _features(host: WindowsHost, verb: str, names: Sequence[str]) -> bool:
    request: dict[str, list[str]] = {"install": [], "uninstall": []} | {verb: list(names)}
    document = host.run("iis_features", f"{verb} the features {', '.join(names)}", request)
    results = rows(host.name, document, "results")
    failed = [str(one.get("code")) for one in results if one.get("success") is not True]
    if failed:
        raise MailopsError(f"Windows could not {verb} the features {', '.join(names)} on {host.name}: {', '.join(failed)}.")
    return any(one.get("restart") != "No" for one in results)


def server(host: WindowsHost, current: IisState, wanted: Desired, password: str, first: Mapping[str, Value]) -> None:
    """The lists, and all settings in one write. `first`: further properties of a new virtual server."""
    found = current.server
    if found is None or found.relay is None:
        host.run("iis_seed", "close the relay", {"bytes": encoded([LOOPBACK])})
    differing = differences(current, wanted)
    if differing.lists:
        lists(host, {name: wanted.lists[name] for name in differing.lists})
    values = {**first, **wanted.values}
    settings_of(host, values, wanted.listeners if differing.listeners else frozenset(), password)


def lists(host: WindowsHost, wanted: Mapping[str, AddressList]) -> None:
    request = {"lists": [one.request(name) for name, one in wanted.items()]}
    host.run("iis_lists", "write who may connect and relay", request)


def settings_of(host: WindowsHost, values: Mapping[str, Value], listeners: frozenset[Listener], password: str) -> None:
    """All properties in one write. The password is always part of it: whether Windows keeps it otherwise is not documented.

    `listeners`: none where they stay as they are. Whether WMI takes ServerBindings is not documented either.
    """
    request = {**settings.grouped(values), "bindings": state.bindings(listeners)}
    host.run("iis_write", "write the virtual SMTP server", request, [password] if password else [])


def service(host: WindowsHost, current: IisState, wanted: Service) -> None:
    """Set the start mode, and restart a running service, so that it has every setting."""
    admin = current.services.get("IISADMIN")
    enabled = {"IISADMIN": AUTOMATIC} if admin and admin.start_mode == "Disabled" else {}
    running = current.service is not None and current.service.state == RUNNING
    start = [SERVICE] if wanted.state == RUNNING else []
    services.configure(host, enabled | {SERVICE: wanted.start_mode}, stop=[SERVICE] if running else [], start=start)


def verify(host: WindowsHost, wanted: Desired) -> None:
    """Read the state again; MailopsError where Windows has not taken something over."""
    found = state.read(host)
    remaining = differences(found, wanted).named()
    if found.server and (found.server.relay is None or found.server.relay.open_to_all):
        remaining = [RELAY, *(name for name in remaining if name != RELAY)]
    if remaining:
        raise MailopsError(
            f"{host.name} does not have {', '.join(remaining)} as it was written: check the virtual server in the IIS 6 console."
        )
