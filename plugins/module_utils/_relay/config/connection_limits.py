# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packet filter's limits of connections to the ports for SASL users, which any client of the internet may reach.

Postfix serves a connection before it knows the user, on port 465 even before it counts the client's connections. So that unknown clients
leave processes to devices, nftables limits them together to half of each port's. Source: nft(8), "CONNTRACK EXPRESSIONS", ct count.
"""

from __future__ import annotations

from ipaddress import ip_network

from .listeners import password_ports
from .model import RelayConfig
from .plan import ConnectionLimits

# RFC 1918, RFC 3927, RFC 4193, RFC 4291: no client of the internet has such an address.
PRIVATE = ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10")


def connection_limits(config: RelayConfig) -> ConnectionLimits:
    known = [*PRIVATE, *config.networks]
    return ConnectionLimits(
        ports=password_ports(config),
        known4=[network for network in known if ip_network(network).version == 4],
        known6=[network for network in known if ip_network(network).version == 6],
        unknown_clients=config.processes // 2,
    )
