# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The migration paths of a tenant's printers side by side: firmware with OAuth, a relay host, a hosted relay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .._planning import methods
from .._products.catalog import PRODUCTS
from .._products.model import Product
from . import oauth
from .document import Bullets, Cell, Document, Link, Section, Table, Text, Value, bullets, text, value

_COMPARISON = (
    ("Firmware with OAuth", "Relay host", "Hosted relay"),
    (
        ("Signs in as", "a person, for each device", "the relay host, for all devices", "an SMTP credential of the provider"),
        ("Mail goes through", "the mailbox, in the tenant", "the tenant", "the provider, outside the tenant"),
        ("Copy in Sent Items", "yes", "no", "no"),
        ("Old devices (no TLS 1.2, no OAuth)", "no", "yes (relay_legacy_address)", "if the provider accepts their TLS"),
        ("Recurring work", "sign in again when the token ends", "updates of one or two hosts", "bill, and its records in DNS"),
        (
            "What ends it",
            "a password change, a policy, 90 days without mail",
            "nothing of Microsoft's timetable",
            "nothing of Microsoft's timetable",
        ),
    ),
)


def fleet(tenant: str, entries: Collection[Mapping[str, Any]], sheets: Mapping[str, str]) -> Document:
    """The page. `entries`: those of printers; `sheets`: a sender's name -> the file of its sheet."""
    head, general = _COMPARISON
    paths = Table(("", *head), tuple(tuple(text(cell) for cell in row) for row in general))
    rows = tuple(_row(entry, sheets[entry["name"]]) for entry in entries)
    devices = Table(("Device", "Planned now", *head), rows)
    return Document(
        "Migration paths of the printer fleet",
        text(f"Tenant {tenant} · {_count(len(entries), 'device')} · {_end(entries)}"),
        (
            Section("The paths", (paths, *_summary(entries))),
            Section("The devices of this tenant", (devices,)),
            Section("What firmware with OAuth needs in the tenant", (oauth.delegated_needs(),)),
        ),
        wide=True,
    )


def _end(entries: Collection[Mapping[str, Any]]) -> str:
    return f"Basic authentication is off by default after {next(iter(entries))['basic_auth_end_date']}"


def _summary(entries: Collection[Mapping[str, Any]]) -> tuple[Bullets]:
    """How many devices each path is open to."""
    firmware = [entry for entry in entries if _firmware_known(PRODUCTS.get(entry["product"])) and not entry["paths"]["firmware"]["missing"]]
    sentences = [f"Firmware with OAuth: {_count(len(firmware), 'device')} of a maker that offers it; its list of models decides."]
    for path, title in (("relay", "Relay host"), ("hosted", "Hosted relay")):
        ready = [entry for entry in entries if not entry["paths"][path]["missing"]]
        sentences.append(f"{title}: {_count(len(ready), 'device')} could send with it as the inventory is.")
    return (bullets(sentences),)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _firmware_known(product: Product | None) -> bool:
    return bool(product and product.oauth.smtp in ("delegated", "add_on"))


def _row(entry: Mapping[str, Any], file: str) -> tuple[Cell, ...]:
    product = PRODUCTS.get(entry["product"])
    named: Cell = (Link(entry["name"], file), Text(f"· {product.label if product else 'maker not given'}"))
    paths = entry["paths"]
    return (
        named,
        text(methods.label(entry["method"])),
        _firmware(product, paths["firmware"]),
        _path(paths["relay"]),
        _path(paths["hosted"]),
    )


def _firmware(product: Product | None, path: Mapping[str, Any]) -> Cell:
    missing = _missing(path)
    if not product:
        return (Text("Set product, the maker of the device."), *missing)
    return (oauth.possible(product), Value(path["user"]), *(part for one in missing for part in (Text("·"), one)))


def _path(path: Mapping[str, Any]) -> Cell:
    """The settings where the path is open, else what is missing."""
    if path["missing"]:
        return _missing(path)
    user = (Text("user"), *value(path["user"])) if path["user"] else (Text("no authentication"),)
    return (*value(path["server"]), Text("· port"), Value(str(path["port"])), Text("·"), *user)


def _missing(path: Mapping[str, Any]) -> Cell:
    return tuple(Text(f"{one[0].upper()}{one[1:]}.", foreign=True) for one in path["missing"])


def index(tenant: str, entries: Collection[Mapping[str, Any]], sheets: Mapping[str, str], fleet_file: str) -> Document:
    """The list of all sheets. `fleet_file`: the page of the printer fleet; "" where the tenant has no printer."""
    rows = []
    for entry in entries:
        product = PRODUCTS.get(entry["product"])
        named = text(product.label if product else entry["kind"])
        rows.append(
            ((Link(entry["name"], sheets[entry["name"]]),), named, text(methods.label(entry["method"])), (Value(entry["address"]),))
        )
    table = Table(("Sender", "Product", "Method", "Address"), tuple(rows))
    link = Section("Printers", (Bullets(((Link("Migration paths of the printer fleet", fleet_file),),)),))
    return Document(
        "Settings sheets",
        text(f"Tenant {tenant} · {_count(len(rows), 'sender')}"),
        (Section("Senders", (table,)), *([link] if fleet_file else [])),
    )
