# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the relay: waits for an empty queue, then restores what was there before this collection."""

from __future__ import annotations

from dataclasses import dataclass

from ..._core.errors import MailopsError
from ..host import WindowsHost, rows
from ..services import RUNNING
from . import settings, write
from .access import CONNECTIONS, RELAY, AddressList, of_networks
from .desired import Desired, Differences, differences
from .options import LOOPBACK
from .settings import Value
from .state import IisState, Memory, Server, Service

POLL_SECONDS = 5


@dataclass(frozen=True)
class Folder:
    """The messages in a folder. `oldest`: UTC, ISO 8601; empty without a message."""

    path: str
    count: int
    size: int
    oldest: str


def messages(count: int) -> str:
    """A number of messages in words."""
    return f"{count} message" + ("" if count == 1 else "s")


def folders(host: WindowsHost, *paths: str) -> list[Folder]:
    document = host.run("iis_queue", "read the queue", {"folders": list(paths)})
    return [
        Folder(str(one.get("path")), int(one.get("count") or 0), int(one.get("size") or 0), str(one.get("oldest") or ""))
        for one in rows(host.name, document, "folders")
    ]


def restored(memory: Memory, current: Server) -> Desired | None:
    """The state from before; None where there was no virtual server. A relay that was open to all, or had no list, stays closed."""
    if memory.server is None:
        return None
    values: dict[str, Value] = {}
    for name, value in memory.server.values.items():
        values[name] = value if isinstance(value, (str, int)) else _empty(current.values.get(name))
    values["RouteUserName"] = ""
    relay = memory.server.relay
    closed = relay if relay and not relay.open_to_all else of_networks([LOOPBACK])
    lists = {RELAY: closed, CONNECTIONS: memory.server.connections or AddressList(grant_by_default=True)}
    return Desired(values, memory.server.listeners, lists, memory.service or Service("Stopped", "Manual"))


def _empty(like: object) -> Value:
    return False if isinstance(like, bool) else 0 if isinstance(like, int) else ""


def warnings(memory: Memory) -> list[str]:
    """What cannot be restored."""
    if memory.server is None:
        return []
    found = []
    if memory.server.values.get("RouteUserName"):
        found.append("The password of the smart host from before cannot be read, so that its user name is not restored either: set both.")
    if memory.server.relay and memory.server.relay.open_to_all:
        found.append("The relay was open to everybody before. That is not restored: only the host itself may relay.")
    return found


def differing(current: IisState, memory: Memory) -> tuple[Desired | None, Differences]:
    wanted = restored(memory, current.server) if current.server else None
    return wanted, differences(current, wanted) if wanted else Differences()


def drain(host: WindowsHost, current: IisState, timeout: int) -> None:
    """Refuse devices, and wait until the queue is empty. MailopsError where messages remain."""
    if current.server is None:
        return
    path = str(current.server.values.get(settings.QUEUE) or settings.DIRECTORIES[settings.QUEUE])
    [queue] = folders(host, path)
    if not queue.count:
        return
    if current.service is None or current.service.state != RUNNING:
        raise MailopsError(
            f"{host.name} has {messages(queue.count)} in {path}, and its SMTP service is stopped: start it, or move the messages."
        )
    write.lists(host, {CONNECTIONS: of_networks([LOOPBACK])})
    end = host.clock.now() + timeout
    while queue.count:
        if host.clock.now() >= end:
            raise MailopsError(
                f"{host.name} has {messages(queue.count)} in {path} after {timeout} seconds. Devices cannot connect any more. "
                "Mend the upstream and run this task again, raise drain_timeout, or move the messages."
            )
        host.clock.sleep(POLL_SECONDS)
        host.cost.count(waited=POLL_SECONDS)
        [queue] = folders(host, path)


def remove(host: WindowsHost, current: IisState, memory: Memory) -> list[str]:
    """Restore what was there, or remove the features that this collection installed; sentences about what remains to do."""
    wanted = restored(memory, current.server) if current.server else None
    notes = []
    if wanted:
        write.lists(host, dict(wanted.lists))
        same = current.server is not None and current.server.listeners == wanted.listeners
        write.settings_of(host, wanted.values, frozenset() if same else wanted.listeners, "")
    service = memory.service or Service("Stopped", "Manual")
    if current.service:
        write.service(host, current, service)
    if memory.features and write.uninstall(host, memory.features):
        notes.append(f"Restart {host.name} to complete the removal of {', '.join(memory.features)}.")
    write.forget(host)
    return notes
