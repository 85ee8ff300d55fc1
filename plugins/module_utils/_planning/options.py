# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of senders and relay hosts: their specs, their problems, and the dataclasses made from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._core import mail_addresses, networks
from .._core.option_values import range_problems
from .._core.params import nested
from .._core.spec import Option
from .._core.text_lines import line_problems
from .._products.catalog import nearest, product_of
from . import verify_from
from .context import ON_LINUX, RelayHost, RelayListener
from .methods import PLANNED
from .senders import KINDS, Sender, VerifyConnection
from .upstreams import UPSTREAMS

MOST = 1_000_000_000  # no rate or number of licences is larger
SENDER: dict[str, Option] = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "was": {"type": "str"},
    "kind": {"type": "str", "choices": sorted(KINDS), "default": "other"},
    "product": {"type": "str"},
    "method": {"type": "str", "choices": ["auto", *PLANNED], "default": "auto"},
    "mailbox": {"type": "str"},
    "display_name": {"type": "str"},
    "recipients": {"type": "str", "choices": ["internal", "external"], "default": "external"},
    "oauth": {"type": "bool"},
    "tls12": {"type": "bool", "default": True},
    "public_addresses": {"type": "list", "elements": "str", "default": []},
    "certificate_name": {"type": "str"},
    "connector": {"type": "str"},
    "relay_host": {"type": "str"},
    "messages_per_minute": {"type": "int", "default": 1},
    "recipients_per_day": {"type": "int", "default": 0},
    "recipients_per_message": {"type": "int", "default": 1},
    "sent_items": {"type": "bool", "default": False},
    "third_party_host": {"type": "bool", "default": False},
    "keep_in_tenant": {"type": "bool", "default": False},
    "verify_recipient": {"type": "str"},
    "verify_from": {"type": "str"},
    "verify_connection": {
        "type": "dict",
        "options": {
            "source_address": {"type": "str"},
            "certificate_path": {"type": "path"},
            "host": {"type": "str"},
            "port": {"type": "int"},
            "credential": {"type": "str"},
        },
    },
}
LISTENER: dict[str, Option] = {
    "port": {"type": "int", "default": 25},
    "tls": {"type": "str", "choices": ["none", "starttls", "required", "implicit"], "default": "none"},
}
RELAY_HOST: dict[str, Option] = {
    "name": {"type": "str", "required": True},
    "host": {"type": "str", "required": True},
    "upstream": {"type": "str", "choices": list(UPSTREAMS), "default": "connector"},
    "public_addresses": {"type": "list", "elements": "str", "default": []},
    "certificate_name": {"type": "str", "default": ""},
    "managed": {"type": "bool", "default": False},
    "certificates": {"type": "list", "elements": "str"},
    "retired_certificates": {"type": "list", "elements": "str", "default": []},
    "users": {"type": "dict", "default": {}},
    "legacy_address": {"type": "str", "default": ""},
    "legacy_port": {"type": "int", "default": 2525},
    "windows": {"type": "bool", "default": False},
    "via": {"type": "str", "default": ""},
    "listeners": {"type": "list", "elements": "dict", "options": LISTENER, "default": []},
}


@dataclass(frozen=True)
class SenderOptions:
    """An item of m365_senders; None: not set."""

    name: str
    address: str
    was: str | None
    kind: str
    product: str | None
    method: str
    mailbox: str | None
    display_name: str | None
    recipients: str
    oauth: bool | None
    tls12: bool
    public_addresses: tuple[str, ...]
    certificate_name: str | None
    connector: str | None
    relay_host: str | None
    messages_per_minute: int
    recipients_per_day: int
    recipients_per_message: int
    sent_items: bool
    third_party_host: bool
    keep_in_tenant: bool
    verify_recipient: str | None
    verify_from: str | None
    verify_connection: VerifyConnection | None = nested(VerifyConnection)


@dataclass(frozen=True)
class RelayHostOptions:
    """An item of option relays; `users`: sender's address -> SASL user."""

    name: str
    host: str
    upstream: str
    public_addresses: tuple[str, ...]
    certificate_name: str
    managed: bool
    certificates: tuple[str, ...] | None
    retired_certificates: tuple[str, ...]
    users: Mapping[str, str]
    legacy_address: str
    legacy_port: int
    windows: bool
    via: str
    listeners: tuple[RelayListener, ...] = nested(RelayListener)


def sender(options: SenderOptions) -> Sender:
    """A sender with its defaults: product or kind decides `oauth` where that is not set, and its address is the default mailbox."""
    address = _normalized(options.address)
    oauth = options.oauth
    product = product_of(options.product)
    by_default = KINDS[options.kind] if product is None or product.signs_in_alone is None else product.signs_in_alone
    return Sender(
        name=_one_line(options.name),
        address=address,
        was=_normalized(options.was),
        kind=options.kind,
        product=product.name if product else "",
        method=options.method,
        mailbox=address if options.mailbox is None else _normalized(options.mailbox),
        display_name=options.display_name,
        recipients=options.recipients,
        oauth=by_default or options.method == "oauth" if oauth is None else oauth,
        tls12=options.tls12,
        public_addresses=tuple(networks.normalized(options.public_addresses)),
        certificate_name=_normalized(options.certificate_name),
        connector=_one_line(options.connector or ""),
        relay_host=options.relay_host or "",
        messages_per_minute=options.messages_per_minute,
        recipients_per_day=options.recipients_per_day,
        recipients_per_message=options.recipients_per_message,
        sent_items=options.sent_items,
        third_party_host=options.third_party_host,
        keep_in_tenant=options.keep_in_tenant,
        verify_recipient=_normalized(options.verify_recipient),
        verify_connection=options.verify_connection or VerifyConnection(),
        verify_from=options.verify_from or "",
    )


def _one_line(text: str) -> str:
    """`name: >` in YAML ends with a line break."""
    return " ".join(text.split())


def _normalized(text: str | None) -> str:
    return (text or "").strip().lower()


def relay_host(options: RelayHostOptions) -> RelayHost:
    """A relay host, the addresses of its users in lower case."""
    return RelayHost(
        name=options.name,
        host=options.host,
        upstream=options.upstream,
        public_addresses=tuple(networks.normalized(options.public_addresses)),
        certificate_name=_normalized(options.certificate_name),
        managed=options.managed,
        certificates=options.certificates,
        retired_certificates=options.retired_certificates,
        users=tuple((address.lower(), user) for address, user in options.users.items()),
        legacy_address=options.legacy_address,
        legacy_port=options.legacy_port,
        windows=options.windows,
        via=options.via,
        listeners=options.listeners or ON_LINUX,
    )


def sender_problems(items: Sequence[SenderOptions], inventory_hosts: Collection[str] = ()) -> list[str]:
    """Every malformed option of m365_senders, one sentence each."""
    problems: list[str] = []
    names: set[str] = set()
    for item in items:
        name = _one_line(item.name)
        label = f"m365_senders: {name or '(no name)'}"
        if not name:
            problems.append(f"m365_senders: a sender with address {item.address!r} has an empty name: name what sends.")
        elif unprintable := line_problems("the name", name):
            problems.append(f"m365_senders: {unprintable[0]}")
            continue
        elif name.lower() in names:
            problems.append(f"{label}: the name is used twice: give each sender its own name.")
        names.add(name.lower())
        problems += [f"{label}: {text}" for text in _sender_problems(item)]
        problems += verify_from.problems([(label, item.verify_from)], inventory_hosts)
    return problems + list(_former_address_problems(items))


def _former_address_problems(items: Sequence[SenderOptions]) -> Iterator[str]:
    """Former addresses (was) that are still in use, or that two senders have with different new addresses."""
    in_use = {_normalized(address): item.name for item in items for address in (item.mailbox, item.address) if address}
    new_address: dict[str, str] = {}
    for item in items:
        was, label = _normalized(item.was), f"m365_senders: {item.name}"
        if was and was in in_use:
            yield f"{label}: was is {was}, still the address or mailbox of {in_use[was]}: give the new address there, or remove was."
        elif was and new_address.setdefault(was, _normalized(item.address)) != _normalized(item.address):
            yield f"{label}: was is {was}, which becomes {new_address[was]} for another sender: keep it at one of them."


def _sender_problems(item: SenderOptions) -> list[str]:
    problems = mail_addresses.problems("address", [item.address])
    if item.product is not None and not product_of(item.product):
        problems.append(
            f"product is {item.product!r}, which is no maker or program with device settings: the nearest is {nearest(item.product)}; "
            "docs/makers-and-programs.md lists all of them."
        )
    for option, address in (("was", item.was), ("mailbox", item.mailbox), ("verify_recipient", item.verify_recipient)):
        problems += mail_addresses.problems(option, [] if address is None else [address])
    problems += range_problems("messages_per_minute", item.messages_per_minute, 1, MOST)
    problems += range_problems("recipients_per_day", item.recipients_per_day, 0, MOST)
    problems += range_problems("recipients_per_message", item.recipients_per_message, 1, MOST)
    if item.verify_connection:
        problems += range_problems("verify_connection.port", item.verify_connection.port, 1, 65_535)
    return problems + _address_problems("public_addresses", item.public_addresses)


def _address_problems(option: str, addresses: Sequence[str]) -> list[str]:
    """One sentence for each address that no inbound connector accepts ("New-InboundConnector", SenderIPAddresses)."""
    clauses = {text: networks.problem(text, 4, networks.CONNECTOR_PREFIX) for text in addresses}
    return [f"{option} holds {text!r}, {clause}." for text, clause in clauses.items() if clause]


def relay_host_problems(items: Sequence[RelayHostOptions], *, removes_unlisted: bool = False) -> list[str]:
    """Every problem of the relay hosts, one sentence each.

    `removes_unlisted`: the application loses certificates that are not listed.
    """
    names = [item.name for item in items]
    duplicates = sorted({name for name in names if names.count(name) > 1})
    problems = [f"m365_relays: the name {name} is used twice: give each relay host its own name." for name in duplicates]
    for item in items:
        problems += [f"m365_relays: {text}" for text in line_problems("the name", item.name)]
        prefix = "relay_" if item.managed or item.windows else ""
        problems += _windows_problems(item)
        addresses = _address_problems(f"{prefix}public_addresses", item.public_addresses)
        problems += [f"m365_relays: {item.name}: {text}" for text in addresses]
        problems += [f"m365_relays: {item.name}: {text}" for text in range_problems("legacy_port", item.legacy_port, 1, 65_535)]
        ports = [text for one in item.listeners for text in range_problems("listeners.port", one.port, 1, 65_535)]
        problems += [f"m365_relays: {item.name}: {text}" for text in ports]
        if item.upstream == "connector" and not item.public_addresses and not item.certificate_name and not item.windows:
            problems.append(
                f"m365_relays: {item.name} has upstream connector and neither {prefix}public_addresses nor {prefix}certificate_name: "
                "set one, or use upstream oauth."
            )
        if removes_unlisted and item.managed and item.upstream == "oauth" and item.certificates is None:
            problems.append(
                f"m365_relays: the certificate of {item.name} was not read in this run, and entra_app_exclusive would remove it from "
                "the application: run the whole playbook site, without --limit, while the relay host can be reached."
            )
    return problems


def _windows_problems(item: RelayHostOptions) -> list[str]:
    """What a relay on Windows cannot do: it has no OAuth and no client certificate (IIS SMTP Server, hMailServer)."""
    if not item.windows or item.via:
        return []
    problems = []
    if item.upstream == "oauth":
        problems.append(
            f"m365_relays: {item.name} has relay_upstream oauth, and a relay on Windows has no OAuth: use connector with "
            "relay_public_addresses, or a relay host on Linux as its relay_smarthost."
        )
    if item.upstream == "connector" and (item.certificate_name or not item.public_addresses):
        kind = "relay_certificate_name, and a relay on Windows has no client certificate" if item.certificate_name else "no public address"
        problems.append(
            f"m365_relays: {item.name} has upstream connector and {kind}: set its relay_public_addresses, which the connector matches."
        )
    return problems
