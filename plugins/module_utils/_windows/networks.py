# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of devices on Windows hosts: private IPv4 networks. IIS SMTP's lists have no IPv6 (IIsIPSecurity: address and mask).

Source of private networks: RFC 1918, RFC 6598 (shared address space), RFC 3927 (link-local), RFC 1122 (loopback).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

PRIVATE = tuple(
    ipaddress.IPv4Network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8")
)


def problems(option: str, texts: Sequence[str]) -> list[str]:
    """What is wrong with the networks of an option, one sentence each."""
    if not texts:
        return [f"{option} is empty: name the devices' networks, such as 10.1.2.0/24."]
    found = [sentence for text in texts if (sentence := _problem(option, text))]
    return found or _overlaps(option, [parse(text) for text in texts])


def parse(text: str) -> ipaddress.IPv4Network:
    """A network, or an address as a network of one. ValueError for anything else, and for a mask with gaps."""
    return ipaddress.IPv4Network(text.strip().replace(", ", "/"))


def _problem(option: str, text: str) -> str:
    beginning = f"{option} has {text}"
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return f"{beginning}, which is no network: use the form 10.1.2.3, 10.1.2.0/24 or 10.1.2.0/255.255.255.0."
    if not isinstance(network, ipaddress.IPv4Network):
        return f"{beginning}, an IPv6 network: name the devices' IPv4 networks, or use a relay host on Linux."
    if ipaddress.ip_interface(text.strip()).ip != network.network_address:
        return f"{beginning}, whose address has bits beyond the prefix: use {network}."
    if network.prefixlen == 0:
        return f"{beginning}, which is every address: the relay would be open. Name the devices' networks."
    if not any(network.subnet_of(one) for one in PRIVATE):
        return f"{beginning}, which is not private: strangers could relay. Name private networks, and reach the relay by a VPN from others."
    return ""


def _overlaps(option: str, networks: Sequence[ipaddress.IPv4Network]) -> list[str]:
    found = []
    for index, network in enumerate(networks):
        found += [
            f"{option} has {written(other)} and {written(network)}, which overlap: name one of them."
            for other in networks[:index]
            if other.overlaps(network)
        ]
    return found


def written(network: ipaddress.IPv4Network) -> str:
    """A network as results have it: a single address without its prefix length."""
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)
