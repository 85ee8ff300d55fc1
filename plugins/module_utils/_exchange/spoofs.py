# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spoof intelligence: who sends in the name of the organization's own domains without passing authentication, in the last seven days.

Sources: Get-SpoofIntelligenceInsight; "Spoof intelligence insight in EOP" (spoof type Internal: the spoofed sender is in an accepted
domain; the sending infrastructure is the domain of the PTR record, else the network of the IP address).
"""

from __future__ import annotations

from dataclasses import dataclass

from .._clients.exchange import Command
from .._core.json_types import JsonObject
from .._engine.tenant import Tenant

MOST = 100  # those with the most messages
READ = Command(
    "Get-SpoofIntelligenceInsight",
    select=("SpoofedUser", "SendingInfrastructure", "MessageCount", "LastSeen", "SpoofType", "Action"),
    attempted="read the spoof intelligence insight",
)


@dataclass(frozen=True)
class Spoof:
    """Messages in the name of an address. `allowed`: spoof intelligence lets them through."""

    address: str
    infrastructure: str
    messages: int
    last: str
    allowed: bool

    def as_result(self) -> dict[str, object]:
        return {
            "address": self.address,
            "infrastructure": self.infrastructure,
            "messages": self.messages,
            "last": self.last,
            "allowed": self.allowed,
        }


def read(tenant: Tenant) -> list[Spoof]:
    """The internal spoofs, those with the most messages first, at most MOST."""
    rows = [one for one in tenant.exchange.run(READ).values if str(one.get("SpoofType") or "").lower() == "internal"]
    spoofs = sorted(map(_spoof, rows), key=lambda one: (-one.messages, one.address, one.infrastructure))
    return spoofs[:MOST]


def _spoof(row: JsonObject) -> Spoof:
    count = str(row.get("MessageCount") or "0")
    return Spoof(
        str(row.get("SpoofedUser") or "").lower(),
        str(row.get("SendingInfrastructure") or ""),
        int(count) if count.isdecimal() else 0,
        str(row.get("LastSeen") or "")[:10],
        allowed=str(row.get("Action") or "").lower() == "allow",
    )
