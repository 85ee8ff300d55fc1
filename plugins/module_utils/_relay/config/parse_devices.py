# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables relay_devices and relay_legacy_* as devices and the legacy listener."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_interface, ip_network

from ..._core import mail_addresses
from ..._core.networks import Network
from .crypt_sha512 import FORM
from .model import Device, LegacyListener, Mailbox
from .parse_mailboxes import table_problems
from .reader import Reader, Variables

SHORTEST_PREFIX = {4: 8, 6: 32}  # a shorter one is a mistake, or an open relay
USED_PORTS = {25: "network clients", 465: "SASL users", 587: "SASL users", 2587: "the submission proxy"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()/-]{0,63}")
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


def parse_devices(reader: Reader, mailboxes: Sequence[Mailbox]) -> tuple[Device, ...]:
    """`mailboxes`: those of relay_mailboxes; where there are some, a device may send only as one of their senders."""
    entries = reader.value("relay_devices") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        reader.report(
            "relay_devices is not a list of mappings: use a mapping with name, networks or username, and senders for each device."
        )
        return ()
    served = {sender.lower() for mailbox in mailboxes for sender in mailbox.senders}
    devices = tuple(_device(reader, number, entry, served) for number, entry in enumerate(entries, 1))
    reader.report(*_duplicates("name", [device.name for device in devices]))
    reader.report(*_duplicates("username", [device.username for device in devices]))
    reader.report(*_overlaps(devices))
    return devices


def _device(reader: Reader, number: int, entry: Variables, served: set[str]) -> Device:
    where = f"relay_devices, {entry.get('name') or f'number {number}'}"
    reader.report(*_name_problems(where, entry))
    networks = _networks(reader, where, entry)
    reader.report(*_credential_problems(where, entry))
    senders = _senders(reader, where, entry, served)
    rewrite = entry.get("rewrite")
    if not isinstance(rewrite, bool | None):
        reader.report(f"{where}: rewrite is {rewrite!r}: use true or false, without quotes.")
    return Device(
        name=str(entry.get("name") or ""),
        senders=senders,
        networks=networks,
        username=str(entry.get("username") or "").lower(),
        password=str(entry.get("password") or ""),
        password_hash=str(entry.get("password_hash") or ""),
        rewrite=rewrite is True,
    )


def _name_problems(where: str, entry: Variables) -> list[str]:
    name = entry.get("name")
    if not name:
        return [f"{where}: has no name; set one, it appears in SMTP replies."]
    if not _NAME.fullmatch(str(name)):
        return [f"{where}: the name {name!r} has characters other than letters, digits, blanks and ._()/-, or more than 64; change it."]
    return []


def _networks(reader: Reader, where: str, entry: Variables) -> tuple[str, ...]:
    """The valid ones, in the one notation that Postfix, Dovecot and fail2ban all read."""
    values = entry.get("networks") or []
    if not isinstance(values, list):
        reader.report(f"{where}: networks is {values!r}: use a list, [{values}].")
        return ()
    if not values and not entry.get("username"):
        reader.report(f"{where}: has neither networks nor a username, so the relay cannot recognize it; set one of them.")
    results = [_network(where, str(text)) for text in values]
    reader.report(*(result for result in results if isinstance(result, str)))
    return tuple(str(result) for result in results if not isinstance(result, str))


def _network(where: str, text: str) -> Network | str:
    """The network, or the sentence that says what is wrong with it."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return f"{where}: networks has {text!r}, which is not a network; use the form 192.0.2.10, 192.0.2.0/24 or 2001:db8::/64."
    if ip_interface(text).ip != network.network_address:
        return f"{where}: networks has {text}, whose address has bits beyond the prefix; use {network}."
    if network.prefixlen == 0:
        return f"{where}: networks has {text}, which is every address: the relay would be open; use the devices' networks."
    if network.prefixlen < SHORTEST_PREFIX[network.version]:
        return f"{where}: networks has {text}, wider than /{SHORTEST_PREFIX[network.version]}; use the devices' own networks."
    if network.is_multicast or network.is_unspecified:
        return f"{where}: networks has {text}, which no device can have; remove it."
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
        return f"{where}: networks has {text}, an IPv4 network in IPv6 notation; use IPv4 notation."
    return network


def _credential_problems(where: str, entry: Variables) -> list[str]:
    user, password, password_hash = entry.get("username"), entry.get("password"), entry.get("password_hash")
    not_text = [name for name in ("username", "password", "password_hash") if entry.get(name) and not isinstance(entry[name], str)]
    if not_text:
        return [f"{where}: {name} is not text: put it in quotes, so that every digit and zero is kept." for name in not_text]
    if not user:
        has_password = bool(password or password_hash)
        return [f"{where}: has a password, but no username; set one, or remove the password."] if has_password else []
    problems = []
    if not _USERNAME.fullmatch(str(user)):
        problems.append(f"{where}: the username {user!r} has characters other than letters, digits and ._@+-, or more than 64; change it.")
    if bool(password) == bool(password_hash):
        count = "both password and" if password else "neither password nor"
        problems.append(f"{where}: has {count} password_hash for its username; set one of them.")
    if password and re.search(r"[\x00-\x1f\x7f]", str(password)):
        problems.append(f"{where}: the password has a control character, which no device can send; choose another.")
    if password_hash and not FORM.fullmatch(str(password_hash)):
        problems.append(f"{where}: password_hash is not a SHA512-CRYPT hash ($6$salt$...); create one with: openssl passwd -6")
    return problems


def _senders(reader: Reader, where: str, entry: Variables, served: set[str]) -> tuple[str, ...]:
    values = entry.get("senders") or []
    if isinstance(values, str):
        reader.report(f"{where}: senders is {values!r}: use a list, [{values}].")
        return ()
    senders = tuple(str(sender) for sender in values)
    if not senders:
        reader.report(f"{where}: has no senders; set the addresses that it may send as.")
        return ()
    problems = [f"{where}: {sentence}" for sentence in mail_addresses.problems("senders", senders)]
    if not served:
        reader.report(*problems)
        reader.report(*(f"{where}: {problem}" for sender in senders for problem in table_problems(sender)))
    elif problems:
        reader.report(*problems)
    else:
        reader.report(
            *(
                f"{where}: may send as {sender}, which no mailbox serves; correct it, or add it to the senders of one of relay_mailboxes."
                for sender in senders
                if sender.lower() not in served
            )
        )
    return senders


def _duplicates(key: str, values: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for value in values:
        if value:
            counts[value.lower()] = counts.get(value.lower(), 0) + 1
    return [f"relay_devices: the {key} {value} is there {count} times; keep one." for value, count in counts.items() if count > 1]


def _overlaps(devices: Iterable[Device]) -> list[str]:
    """Network clients must be recognized as one device. The networks of a SASL user only limit the user, so they may overlap."""
    known: list[tuple[str, Network]] = []
    problems = []
    for device in devices:
        for network in map(ip_network, () if device.username else device.networks):
            for other, others in known:
                if network.version == others.version and network.overlaps(others):
                    problems.append(
                        f"relay_devices: the networks {others} of {other} and {network} of {device.name} overlap, so that a "
                        "device could be either; make them disjoint, or set a username for one of them."
                    )
            known.append((device.name, network))
    return problems


def parse_legacy_listener(reader: Reader) -> LegacyListener | None:
    text, cleartext_auth = reader.text("relay_legacy_address"), reader.flag("relay_legacy_cleartext_auth")
    port = reader.integer("relay_legacy_port", 1, 65535)
    if not text:
        if cleartext_auth:
            reader.report(
                "relay_legacy_cleartext_auth is true and relay_legacy_address empty: only that listener accepts a password in clear text; "
                "set the address, or remove relay_legacy_cleartext_auth."
            )
        return None
    try:
        address = ip_address(text)
        if address.is_unspecified or address.is_loopback or address.is_link_local or address.is_multicast:
            reader.report(f"relay_legacy_address is {text}: use the relay's one address that faces old devices.")
        else:
            reader.report(*_host_problems(address, reader))
    except ValueError:
        reader.report(f"relay_legacy_address is {text!r}, which is not an IP address: use the relay's address that faces old devices.")
    if port in USED_PORTS:
        reader.report(f"relay_legacy_port is {port}, which is for {USED_PORTS[port]}: use another, for example 2525.")
    return LegacyListener(text, port, cleartext_auth)


def _host_problems(address: IPv4Address | IPv6Address, reader: Reader) -> list[str]:
    """Postfix stops where it cannot listen on an address. `host_addresses`: the relay's, where they are known."""
    current = [str(text) for text in reader.value("host_addresses") or []]
    if not current or address in {ip_address(text) for text in current} or reader.flag("binds_any_address"):
        return []
    return [
        f"relay_legacy_address is {address}, which this host does not have ({', '.join(current)}): use one of its addresses; for an "
        f"address that moves between two hosts set net.ipv{address.version}.ip_nonlocal_bind to 1 on both, or Postfix does not start."
    ]
