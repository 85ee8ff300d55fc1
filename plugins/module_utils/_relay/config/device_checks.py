# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the role's lists of devices, one sentence each: variable, value, fix.

Private to the collection; runs on the controller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_interface, ip_network
from typing import Any

from ..._core import mail_addresses
from ..._core.networks import Network
from .crypt_sha512 import FORM
from .parse import is_number, number

Device = Mapping[str, Any]

# A shorter prefix is a mistake, or an open relay.
SHORTEST = {4: 8, 6: 32}
TAKEN_PORTS = {25: "devices", 465: "users", 587: "users", 2526: "rewritten messages", 2587: "the bridge to Microsoft 365"}
SYNTAX = set("{}$=,")  # of Postfix's tables
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()/-]{0,63}")
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


def problems(given: Mapping[str, Any]) -> list[str]:
    """Every problem of relay_devices and of the legacy listener's variables; empty if there is none. Repeats no password."""
    devices = given.get("relay_devices") or []
    if not isinstance(devices, list) or not all(isinstance(device, dict) for device in devices):
        return ["relay_devices is no list of mappings: give each device as a mapping with name, networks or username, and senders."]
    boxes = [entry for entry in given.get("relay_mailboxes") or [] if isinstance(entry, dict)]
    served = {str(sender).lower() for entry in boxes for sender in entry.get("senders") or [entry.get("address")]}
    found = [
        f"relay_mailboxes: the sender {sender} has one of {{}}$=, in it, which Postfix's tables cannot hold; use another address."
        for sender in sorted(served)
        if set(sender) & SYNTAX
    ]
    for place, device in enumerate(devices, 1):
        where = f"relay_devices, {device.get('name') or f'number {place}'}"
        found += _name(where, device) + _networks(where, device) + _login(where, device) + _senders(where, device, served)
        found += _rewrite(where, device)
    return found + _twice(devices, "name") + _twice(devices, "username") + _overlaps(devices) + _legacy(given)


def _name(where: str, device: Device) -> list[str]:
    name = device.get("name")
    if not name:
        return [f"{where}: has no name; give it one, it appears in refusals."]
    if not _NAME.fullmatch(str(name)):
        return [f"{where}: the name {name!r} holds other characters than letters, digits, blanks and ._()/-, or over 64; shorten it."]
    return []


def _network(where: str, text: Any) -> Network | str:
    """The network, or the sentence that says why it is none."""
    try:
        network = ip_network(str(text), strict=False)
    except ValueError:
        return f"{where}: networks holds {text!r}, which is no network; write 192.0.2.10, 192.0.2.0/24 or 2001:db8::/64."
    if ip_interface(str(text)).ip != network.network_address:
        return f"{where}: networks holds {text}, whose address has bits beyond the prefix; write {network}."
    if network.prefixlen == 0:
        return f"{where}: networks holds {text}, which is everybody: the relay would be open; name the devices' networks."
    if network.prefixlen < SHORTEST[network.version]:
        return f"{where}: networks holds {text}, wider than /{SHORTEST[network.version]}; name the devices' own networks."
    if network.is_loopback or network.is_multicast or network.is_unspecified:
        return f"{where}: networks holds {text}, which no device can have; remove it (the relay itself is always let in)."
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
        return f"{where}: networks holds {text}, an IPv4 network written as IPv6; write it as IPv4."
    return network


def _networks(where: str, device: Device) -> list[str]:
    networks = device.get("networks") or []
    if not isinstance(networks, list):
        return [f"{where}: networks is {networks!r}: give a list, [{networks}]."]
    if not networks and not device.get("username"):
        return [f"{where}: has neither networks nor a username, so nothing tells it from a stranger; give one of them."]
    return [result for result in (_network(where, text) for text in networks) if isinstance(result, str)]


def _login(where: str, device: Device) -> list[str]:
    user, plain, hashed = device.get("username"), device.get("password"), device.get("password_hash")
    numbers = [name for name in ("username", "password", "password_hash") if device.get(name) and not isinstance(device[name], str)]
    if numbers:
        return [f"{where}: {name} is no text: put it in quotes, so that every digit and zero is kept." for name in numbers]
    if not user:
        return [f"{where}: has a password, but no username; give it one, or remove the password."] if plain or hashed else []
    found = []
    if not _USERNAME.fullmatch(str(user)):
        found.append(f"{where}: the username {user!r} holds other characters than letters, digits and ._@+-, or over 64; change it.")
    if bool(plain) == bool(hashed):
        found.append(
            f"{where}: has {'both password and' if plain else 'neither password nor'} password_hash for its username; give one of them."
        )
    if plain and re.search(r"[\x00-\x1f\x7f]", str(plain)):
        found.append(f"{where}: the password holds a control character, which no device can send; choose another.")
    if hashed and not FORM.fullmatch(str(hashed)):
        found.append(f"{where}: password_hash is no SHA512-CRYPT hash ($6$salt$...); make one by: openssl passwd -6")
    return found


def _senders(where: str, device: Device, served: set[str]) -> list[str]:
    """`served`: whom relay_mailboxes sends as; where it is empty, the upstream takes anybody."""
    if isinstance(device.get("senders"), str):
        return [f"{where}: senders is {device['senders']!r}: give a list, [{device['senders']}]."]
    senders = [str(sender) for sender in device.get("senders") or []]
    if not senders:
        return [f"{where}: has no senders; say which addresses it may send as."]
    found = [f"{where}: {sentence}" for sentence in mail_addresses.problems("senders", senders)]
    if not served:
        found += [
            f"{where}: the sender {sender} has one of {{}}$=, in it; use another address." for sender in senders if set(sender) & SYNTAX
        ]
    if found or not served:
        return found
    return [
        f"{where}: may send as {sender}, which no mailbox serves; correct it, or add it to the senders of one of relay_mailboxes."
        for sender in senders
        if sender.lower() not in served
    ]


def _rewrite(where: str, device: Device) -> list[str]:
    value = device.get("rewrite")
    return [] if isinstance(value, bool | None) else [f"{where}: rewrite is {value!r}: write true or false, without quotes."]


def _twice(devices: Sequence[Device], key: str) -> list[str]:
    seen: dict[str, int] = {}
    for device in devices:
        value = str(device.get(key) or "").lower()
        if value:
            seen[value] = seen.get(value, 0) + 1
    return [f"relay_devices: the {key} {value} stands there {count} times; keep one." for value, count in seen.items() if count > 1]


def _overlaps(devices: Sequence[Device]) -> list[str]:
    """Who is recognized by address must be recognized as one device. A user's networks only pin the user: they may overlap."""
    known: list[tuple[str, Network]] = []
    found = []
    for device in devices:
        if device.get("username"):
            continue
        networks = device.get("networks") or []
        for text in networks if isinstance(networks, list) else []:
            network = _network("", text)
            if isinstance(network, str):
                continue
            for other, theirs in known:
                if _overlap(network, theirs):
                    found.append(
                        f"relay_devices: the networks {theirs} of {other} and {network} of {device.get('name')} overlap, so that a "
                        "device could be either; make them disjoint, or give one of them a username."
                    )
            known.append((str(device.get("name")), network))
    return found


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and int(one[0]) <= int(other[-1]) and int(other[0]) <= int(one[-1])


def _of_the_host(address: IPv4Address | IPv6Address, given: Mapping[str, Any]) -> list[str]:
    """Postfix ends where it cannot listen on an address. `host_addresses`: the relay's, where they are known."""
    there = [str(text) for text in given.get("host_addresses") or []]
    if not there or address in {ip_address(text) for text in there} or given.get("binds_any_address"):
        return []
    return [
        f"relay_legacy_address is {address}, which this host does not have ({', '.join(there)}): name one of its own; for an address that "
        f"moves between the hosts of a pair set net.ipv{address.version}.ip_nonlocal_bind to 1 on both, or Postfix does not start."
    ]


def _legacy(given: Mapping[str, Any]) -> list[str]:
    address, port = str(given.get("relay_legacy_address") or ""), given.get("relay_legacy_port")
    if not address:
        if given.get("relay_legacy_cleartext_auth"):
            return [
                "relay_legacy_cleartext_auth is true and relay_legacy_address empty: a password in clear is taken on that listener "
                "alone; set the address, or leave this out."
            ]
        return []
    found = []
    try:
        known = ip_address(address)
        if known.is_unspecified or known.is_loopback or known.is_link_local or known.is_multicast:
            found.append(f"relay_legacy_address is {address}: name the relay's one address that faces old devices.")
        else:
            found += _of_the_host(known, given)
    except ValueError:
        found.append(f"relay_legacy_address is {address!r}, which is no IP address: name the relay's address that faces old devices.")
    if is_number(port) and number(port) in TAKEN_PORTS:
        found.append(f"relay_legacy_port is {port}, which is for {TAKEN_PORTS[number(port)]}: choose another, for example 2525.")
    return found
