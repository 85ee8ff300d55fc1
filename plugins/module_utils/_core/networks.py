# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that are not routed on the Internet. Neither a connector nor SPF can match a sender by them.

Source: RFC 1918, 6598, 1122, 3927, 4193, 4291; for reserved ones 5771 and 1112. Documentation networks (RFC 5737) are
allowed, so that examples run.
"""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
RESERVED: tuple[Network, ...] = tuple(ipaddress.ip_network(text) for text in ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"))


def is_within(network: Network, *lists: tuple[Network, ...]) -> bool:
    """Whether a network lies within one of these lists."""
    wider = [one for some in lists for one in some if one.version == network.version and one.prefixlen <= network.prefixlen]
    return any(network.network_address in one for one in wider)
