# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the relay: refuses devices, waits for an empty queue, then restores what was there before this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.errors import MailopsError
from ..host import WindowsHost
from . import desired, product, queue, ranges, server
from .desired import Change, Differences
from .product import Memory, Product
from .server import CERTIFICATES, COLLECTIONS, PORTS, RANGES, Row, Server
from .write import apply_differences

_POLL_SECONDS = 5
_CREDENTIAL = "SMTPRelayerRequiresAuthentication"


def snapshot(current: Server, read: Product) -> dict[str, Any]:
    """What a removal restores; without passwords, which hMailServer does not reveal."""
    parts = {RANGES: current.ranges, PORTS: current.ports, CERTIFICATES: current.certificates}
    return {
        "settings": dict(current.settings),
        "logging": dict(current.logging),
        "collections": {name: [{"ID": row.id} | dict(row.values) for row in rows] for name, rows in parts.items()},
        "domains": [one.name for one in current.domains],
        "accounts": [address for one in current.domains for address in one.accounts],
        "service": {"state": read.state, "start_mode": read.start_mode},
    }


def foreign_domains(memory: Memory | None, current: Server | None) -> list[str]:
    """The domains from before this collection, which stay."""
    if memory is not None:
        return [str(one) for one in memory.before.get("domains", [])]
    return [one.name for one in current.domains] if current else []


def differences(current: Server, memory: Memory) -> Differences:
    """What differs from before. An element that has changed gets its values, one that is new is removed, one that is gone is created."""
    before = memory.before
    settings = {name: value for name, value in before["settings"].items() if current.settings.get(name) != value}
    if before["settings"].get(_CREDENTIAL):
        settings |= {_CREDENTIAL: False}  # its password is lost
    logging = {name: value for name, value in before["logging"].items() if current.logging.get(name) != value}
    elements = _of(RANGES, current.ranges, before) + _of(CERTIFICATES, current.certificates, before)
    foreign = {one.lower() for one in before["domains"]}
    elements += [
        Change("application", "Domains", one.id, f"domain {one.name}", {}, {"domain": one.name})
        for one in current.domains
        if one.name.lower() not in foreign
    ]
    elements += [
        Change(one.name.lower(), "Accounts", number, f"account {address}", {}, {"account": address})
        for one in current.domains
        for address, number in one.accounts.items()
        if one.name.lower() in foreign and address not in before["accounts"]
    ]
    return Differences(settings, logging, tuple(elements), tuple(_of(PORTS, current.ports, before)))


def _of(collection: str, rows: tuple[Row, ...], before: Mapping[str, Any]) -> list[Change]:
    stored = {
        int(one["ID"]): {name: one[name] for name in COLLECTIONS[collection] if name != "ID"} for one in before["collections"][collection]
    }
    changes = []
    for row in rows:
        values = stored.pop(row.id, None)
        if values is None:
            changes.append(Change("settings", collection, row.id, _label(collection, row.values), {}, _shown(collection, row.values)))
            continue
        changed = {name: value for name, value in values.items() if row.values.get(name) != value}
        if changed:
            after = _shown(collection, values)
            changes.append(
                Change("settings", collection, row.id, _label(collection, values), changed, _shown(collection, row.values), after)
            )
    return changes + [
        Change("settings", collection, 0, _label(collection, values), values, None, _shown(collection, values))
        for values in stored.values()
    ]


def _label(collection: str, values: Mapping[str, Any]) -> str:
    return (
        f"port {values.get('PortNumber')}"
        if collection == PORTS
        else f"{'range' if collection == RANGES else 'certificate'} {values.get('Name')}"
    )


def _shown(collection: str, values: Mapping[str, Any]) -> object:
    if collection == RANGES:
        return ranges.described(str(values.get("Name")), values)
    return desired.listener(Row(0, values)) if collection == PORTS else dict(values)


def warnings(memory: Memory) -> list[str]:
    """What cannot be restored."""
    if memory.installed:
        return []
    sentences = ["The administrator password of hMailServer from before is not restored: it is admin_password."]
    if memory.before["settings"].get(_CREDENTIAL):
        sentences.append(
            "The password of the SMTP relayer from before cannot be read, so that its authentication is not restored either: set both."
        )
    return sentences


def drain(host: WindowsHost, password: str, timeout: int) -> None:
    """Refuse devices, and wait until the queue is empty. MailopsError where messages remain."""
    waiting = queue.read(host, password).messages
    if not waiting:
        return
    closed = [
        Change("settings", RANGES, row.id, f"range {row.text('Name')}", {"AllowSMTPConnections": False}, None, {"connect": False})
        for row in server.read(host, password).ranges
        if ranges.is_managed(row)
    ]
    apply_differences(host, password, server.read(host, password), Differences({}, {}, tuple(closed), ()))
    end = host.clock.now() + timeout
    while waiting:
        if host.clock.now() >= end:
            raise MailopsError(
                f"hMailServer on {host.name} has {len(waiting)} messages in its queue after {timeout} seconds. Devices cannot connect any "
                "more. Mend the upstream and run this task again, raise drain_timeout, or remove the messages there."
            )
        host.clock.sleep(_POLL_SECONDS)
        host.cost.count(waited=_POLL_SECONDS)
        waiting = queue.read(host, password, retry=[one.id for one in waiting]).messages


def remove(host: WindowsHost, password: str, read: Product, memory: Memory) -> None:
    """Restore the settings, or remove the product that this collection installed."""
    if memory.installed:
        product.uninstall(host, read)
    else:
        current = server.read(host, password)
        apply_differences(host, password, current, differences(current, memory))
        service = memory.before["service"]
        product.service(host, str(service["start_mode"]), str(service["state"]))
    product.forget(host)
