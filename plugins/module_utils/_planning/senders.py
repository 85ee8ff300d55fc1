# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender as the inventory names it, with what its kind usually can where the inventory is silent.

Private to the collection.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from .._core import mail_addresses
from .._core.networks import PRIVATE, is_within

METHODS = ("oauth", "relay", "hve", "direct_send", "acs", "hosted", "basic")
# Whether a sender of this kind can usually sign in with OAuth.
KINDS = {
    "application": True,
    "erp": True,
    "monitoring": True,
    "website": True,
    "nas": False,
    "other": False,
    "printer": False,
    "scanner": False,
    "ups": False,
}
SENDER: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "kind": {"type": "str", "choices": sorted(KINDS), "default": "other"},
    "method": {"type": "str", "choices": ["auto", *METHODS], "default": "auto"},
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
    "verify_connection": {
        "type": "dict",
        "options": {
            "source_address": {"type": "str"},
            "certificate_path": {"type": "path"},
            "host": {"type": "str"},
            "port": {"type": "int"},
        },
    },
}


@dataclass(frozen=True)
class Sender:
    """One sender: its needs and its abilities. Numbers are its peaks; 0 recipients a day means that nobody said."""

    name: str
    address: str
    kind: str = "other"
    method: str = "auto"
    mailbox: str = ""
    display_name: str | None = None
    recipients: str = "external"
    oauth: bool = False
    tls12: bool = True
    public_addresses: tuple[str, ...] = ()
    certificate_name: str = ""
    connector: str = ""
    relay_host: str = ""
    messages_per_minute: int = 1
    recipients_per_day: int = 0
    recipients_per_message: int = 1
    sent_items: bool = False
    third_party_host: bool = False
    keep_in_tenant: bool = False
    verify_recipient: str = ""
    verify_connection: tuple[tuple[str, Any], ...] = ()

    @property
    def internal(self) -> bool:
        """Whether all its recipients are the tenant's own."""
        return self.recipients == "internal"

    @property
    def domain(self) -> str:
        return mail_addresses.domain(self.address)


def read(item: dict[str, Any]) -> Sender:
    """A sender from validated options; what its kind can stands in for `oauth` where that is left out."""
    given = {name: value for name, value in item.items() if value is not None}
    for name in ("address", "mailbox", "verify_recipient", "certificate_name"):
        if given.get(name):
            given[name] = str(given[name]).strip().lower()
    given.setdefault("mailbox", given["address"])
    given.setdefault("oauth", KINDS[given["kind"]] or given["method"] == "oauth")
    given["public_addresses"] = tuple(given.get("public_addresses") or ())
    connection = given.get("verify_connection") or {}
    given["verify_connection"] = tuple((name, value) for name, value in connection.items() if value is not None)
    return Sender(**given)


def problems(items: list[dict[str, Any]]) -> list[str]:
    """What is malformed: one sentence each, all of them."""
    found: list[str] = []
    seen: set[str] = set()
    for item in items:
        name = item["name"].strip()
        label = f"m365_senders: {name or '(no name)'}"
        if not name:
            found.append(f"m365_senders: a sender with address {item['address']!r} has an empty name: name what sends.")
        elif name.lower() in seen:
            found.append(f"{label}: this name is there twice: give each sender its own name.")
        seen.add(name.lower())
        for option in ("address", "mailbox", "verify_recipient"):
            value = item[option]
            found += [f"{label}: {text}" for text in mail_addresses.problems(option, [value] if value is not None else [])]
        for option, least in (("messages_per_minute", 1), ("recipients_per_day", 0), ("recipients_per_message", 1)):
            if item[option] < least:
                found.append(f"{label}: {option} is {item[option]}: give a number of at least {least}.")
        found += [f"{label}: public_addresses holds {text!r}, {why}." for text, why in _doubtful(item["public_addresses"])]
    return found


def _doubtful(texts: list[str]) -> list[tuple[str, str]]:
    """Addresses that no inbound connector takes ("New-InboundConnector", SenderIPAddresses), and why."""
    return [(text, why) for text in texts if (why := _why_not(text))]


def _why_not(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=True)
    except ValueError:
        return "which is neither an IPv4 address nor a network such as 203.0.113.0/28"
    if network.version != 4:
        return "which is IPv6: Exchange Online matches connectors by IPv4 only; give the public IPv4 address"
    if network.prefixlen < 24:
        return "which is larger than the /24 that Exchange Online takes: list its parts"
    if is_within(network, PRIVATE):
        return "which is private: give the public address that Microsoft sees, behind NAT"
    return ""
