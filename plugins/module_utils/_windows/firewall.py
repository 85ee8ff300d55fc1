# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inbound rules of Windows Defender Firewall, as the script firewall_read has them.

Sources: Get-NetFirewallRule, Get-NetFirewallPortFilter, Get-NetFirewallAddressFilter; "MSFT_NetFirewallRule class" for names of values.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from . import networks
from .host import WindowsHost, rows

GROUP = "mailops relay"
PROFILES = ("domain", "private", "public")


@dataclass(frozen=True)
class Rule:
    """An inbound rule. `ports` and `addresses` as Windows writes them; `profiles`: of PROFILES, sorted, empty for any."""

    name: str
    display_name: str
    group: str
    enabled: bool
    allows: bool
    profiles: tuple[str, ...]
    protocol: str
    ports: tuple[str, ...]
    addresses: tuple[str, ...]

    def as_result(self) -> dict[str, object]:
        """Without what is the same for every rule of this collection."""
        return {
            "name": self.name,
            "ports": list(self.ports),
            "networks": sorted(map(_readable, self.addresses), key=_order),
            "profiles": list(self.profiles) or ["any"],
            "enabled": self.enabled,
        } | ({} if self.allows else {"action": "block"})

    def same(self, other: Rule) -> bool:
        """Whether two rules have the same effect and name."""
        mine, others = ([_network(one) for one in rule.addresses] for rule in (self, other))
        fields = [
            (
                rule.name.lower(),
                rule.display_name,
                rule.group,
                rule.enabled,
                rule.allows,
                rule.profiles,
                rule.protocol.upper(),
                sorted(rule.ports),
            )
            for rule in (self, other)
        ]
        return fields[0] == fields[1] and sorted(mine, key=str) == sorted(others, key=str)

    def opens(self, port: int) -> bool:
        """Whether it lets TCP connections to a port in."""
        return self.enabled and self.allows and self.protocol.upper() in ("TCP", "ANY", "6") and any(_has(one, port) for one in self.ports)


def desired(ports: Iterable[int], allowed: Sequence[str], profiles: Sequence[str]) -> list[Rule]:
    """One rule a port, for these networks only."""
    addresses = tuple(networks.written(networks.parse(text)) for text in allowed)
    chosen = () if set(profiles) in (set(), set(PROFILES)) else tuple(sorted(profiles))
    return [
        Rule(f"mailops-relay-{port}", f"Mail relay, port {port} (mailops)", GROUP, True, True, chosen, "TCP", (str(port),), addresses)
        for port in sorted(set(ports))
    ]


def request(rule: Rule) -> dict[str, object]:
    """A rule as firewall_write takes it. Windows writes a network with its mask."""
    return {
        "name": rule.name,
        "display_name": rule.display_name,
        "group": rule.group,
        "ports": list(rule.ports),
        "addresses": list(rule.addresses),
        "profiles": [profile.capitalize() for profile in rule.profiles] or ["Any"],
    }


def read(host: WindowsHost) -> list[Rule]:
    """Every inbound rule of the host's own store. Rules of group policies are not in it."""
    document = host.run("firewall_read", "read the firewall's rules")
    return [_rule(one) for one in rows(host.name, document, "rules")]


def _rule(read_: dict[str, Any]) -> Rule:
    profile = str(read_.get("profile")).lower()
    profiles = () if profile == "any" else tuple(sorted(part.strip() for part in profile.split(",")))
    return Rule(
        str(read_.get("name")),
        str(read_.get("display_name")),
        str(read_.get("group") or ""),
        read_.get("enabled") == "True",
        read_.get("action") == "Allow",
        () if set(profiles) == set(PROFILES) else profiles,
        str(read_.get("protocol")),
        _texts(read_.get("ports")),
        _texts(read_.get("addresses")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _network(text: str) -> ipaddress.IPv4Network | str:
    """An address of a rule, comparable; a keyword such as LocalSubnet, a range or an IPv6 network as it stands."""
    try:
        return networks.parse(text)
    except ValueError:
        return text


def _readable(text: str) -> str:
    network = _network(text)
    return network if isinstance(network, str) else networks.written(network)


def _order(text: str) -> tuple[int, str]:
    network = _network(text)
    return (0, text) if isinstance(network, str) else (int(network.network_address), text)


def _has(written: str, port: int) -> bool:
    """Whether a rule's port, range or keyword (RPC, IPHTTPS) has a port."""
    low, _hyphen, high = written.partition("-")
    if low.isdecimal():
        return int(low) <= port <= int(high or low)
    return written == "Any"
