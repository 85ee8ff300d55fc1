"""Get-SpoofIntelligenceInsight: mail of seven days in the name of accepted domains that came without connector and without authentication.

Source: the cmdlet's reference, "Spoof intelligence insight in EOP"; the properties are those that public scripts read.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

from emulator.exchange.command import Command, Document, Result, cmdlet
from emulator.state import DAY

COVERED = 7 * DAY


@cmdlet("Get-SpoofIntelligenceInsight")
def get_insight(command: Command) -> Result:
    tenant, oldest = command.tenant, command.platform.now - COVERED
    counts: dict[tuple[str, str], list[float]] = {}
    for message in command.platform.state.messages:
        if message.tenant_id == tenant.id and message.via == "direct-send" and message.received > oldest:
            counts.setdefault((message.mail_from, _infrastructure(message.source)), []).append(message.received)

    def show(key: tuple[str, str]) -> Document:
        last = datetime.fromtimestamp(max(counts[key]), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        seen = {"SpoofedUser": key[0], "SendingInfrastructure": key[1], "MessageCount": len(counts[key]), "LastSeen": last}
        blocked = any(one in tenant.blocked_spoofs for one in key)
        return seen | {"SpoofType": "Internal", "Action": "Block" if blocked else "Allow"}

    return Result(list(counts), show)


def _infrastructure(source: str) -> str:
    """The network of an address without a PTR record."""
    return str(ipaddress.ip_network(f"{source}/24", strict=False)) if source else ""
