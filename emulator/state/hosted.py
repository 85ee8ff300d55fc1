"""What accounts at every hosted relay have: suppressed addresses, lists of allowed addresses, and the month that quotas count in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from emulator.state.keys import At, Lower, Moment, UnfitError, key

# The lists of suppressed addresses, by provider.
SUPPRESSIONS = {
    "smtp2go": ("manual", "spam", "unsubscribe", "bounce", "compliance"),
    "sendgrid": ("bounces", "blocks", "invalid_emails", "spam_reports", "global"),
    "mailgun": ("bounces", "complaints", "unsubscribes"),
}


def _network(value: str, _: At) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise UnfitError("must be an IP address or network") from None


@dataclass
class Suppression:
    """An address that the provider accepts mail for, and delivers none to."""

    address: Lower = field(metadata=key("the address"))
    list: str = field(metadata=key("the list that it is in", choices=sorted({name for names in SUPPRESSIONS.values() for name in names})))
    reason: str = field(default="", metadata=key("why"))
    added: Moment = field(default=0.0, metadata=key("when it was added"))


@dataclass
class AllowedAddress:
    """An entry of an allow list."""

    address: str = field(metadata=key("the IP address or network", convert=_network))
    description: str = field(default="", metadata=key("the description"))
    id: int = field(default=0, metadata=key("its number at SendGrid"))
    added: Moment = field(default=0.0, metadata=key("when it was added"))


def admits(entries: list[AllowedAddress], client: str) -> bool:
    """Whether a list has the address of a client."""
    address = ipaddress.ip_address(client)
    return any(address in ipaddress.ip_network(one.address) for one in entries)


def seen_as(client: str, public: str) -> str:
    """The address that a provider sees: a client on loopback is behind the account's public address, where it has one."""
    return public if public and (not client or ipaddress.ip_address(client).is_loopback) else client


def month_of(now: float) -> tuple[datetime, datetime]:
    """The first day of the month, and of the next one."""
    start = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start, end
