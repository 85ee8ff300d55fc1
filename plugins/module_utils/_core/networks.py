# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP addresses and networks of options: parsed, compared and written as networks, never as text.

Only public addresses are of use: neither a connector nor SPF can match a sender by others. Source: RFC 1918, 6598, 1122, 3927, 4193,
4291, 6890, 2544; for reserved ones 5771 and 1112. Documentation networks (RFC 5737) are allowed, so that examples run.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

CONNECTOR_PREFIX = 24  # the shortest prefix of a connector's network ("New-InboundConnector", SenderIPAddresses)
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("0.0.0.0/8", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::/127", "::ffff:0:0/96"),
    )
)


def parse(text: str) -> Network:
    """An address or network; `203.0.113.0/255.255.255.0` and `/024` are read as /24. ValueError for anything else, and for a zone."""
    if "%" in text:
        raise ValueError(f"{text!r} has a zone")
    return ipaddress.ip_network(text.strip(), strict=False)


def parse_or_none(text: str) -> Network | None:
    """An address or network; None for a text that is neither, such as one that Exchange has."""
    try:
        return parse(text)
    except ValueError:
        return None


def written(network: Network) -> str:
    """A network as this collection writes it: a single address without its prefix length."""
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def normalized(texts: Iterable[str]) -> list[str]:
    """Valid addresses and networks in the form in which they are written, each once, without those that lie in another one."""
    networks = list(dict.fromkeys(parse(text) for text in texts))
    return [written(one) for one in networks if not any(other.prefixlen < one.prefixlen and overlap(one, other) for other in networks)]


def overlap(one: Network, other: Network) -> bool:
    """Whether two networks share an address."""
    return one.version == other.version and (one.network_address in other or other.network_address in one)


def problem(text: str, version: int, shortest: int = 0) -> str:
    """Why a text is no public address or network of this IP version, as a clause that begins with `which`; "" where it is one.

    `shortest`: the shortest prefix length that is accepted, 0 for any.
    """
    expected = f"IPv{version} address or network" + (f" (/{shortest} to /32)" if shortest else "")
    try:
        network = parse(text)
    except ValueError:
        return f"which is no {expected}"
    if network.version != version:
        return f"which is an IPv{network.version} address: give an {expected}"
    if network.prefixlen < shortest:
        return f"which is wider than /{shortest}: name the addresses, or networks of /{shortest} to /32"
    if any(overlap(network, one) for one in _NOT_PUBLIC):
        return "which is not a public address: give the public address that Microsoft sees, behind the firewall's NAT"
    if "/" in text and ipaddress.ip_interface(text.strip()).ip != network.network_address:
        return f"which is an address inside a network: write {network} or the address alone"
    return ""
