# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of addresses of a virtual server: RelayIpList (who may relay) and IPSecurity (who may connect).

Sources: IIsIPSecurity and RelayIpList in the IIS 6.0 reference. A null RelayIpList lets nobody relay; an empty one lets everybody.
IPGrant and DomainGrant count only where GrantByDefault is false.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import networks
from .options import LOOPBACK

RELAY, CONNECTIONS = "RelayIpList", "IPSecurity"
_FIELDS = {"IPGrant": "ip_grant", "IPDeny": "ip_deny", "DomainGrant": "domain_grant", "DomainDeny": "domain_deny"}


@dataclass(frozen=True)
class AddressList:
    """Entries of addresses are "address, mask"."""

    grant_by_default: bool = False
    ip_grant: tuple[str, ...] = ()
    ip_deny: tuple[str, ...] = ()
    domain_grant: tuple[str, ...] = ()
    domain_deny: tuple[str, ...] = ()

    def granted(self) -> list[str]:
        """Who is let in, as networks; `all` where everybody is that no other list denies."""
        if self.grant_by_default:
            return ["all"]
        found = {_network(entry) for entry in self.ip_grant}
        known = sorted(one for one in found if isinstance(one, ipaddress.IPv4Network))
        others = sorted(one for one in found if isinstance(one, str))
        return [*map(networks.written, known), *others, *sorted(self.domain_grant)]

    @property
    def open_to_all(self) -> bool:
        return self.grant_by_default

    def same(self, other: AddressList | None) -> bool:
        """Whether both let the same addresses in."""
        return other is not None and self.grant_by_default == other.grant_by_default and self._effective() == other._effective()

    def _effective(self) -> tuple[frozenset[object], ...]:
        addresses, domains = (self.ip_deny, self.domain_deny) if self.grant_by_default else (self.ip_grant, self.domain_grant)
        return frozenset(map(_network, addresses)), frozenset(one.lower() for one in domains)

    def as_memory(self) -> dict[str, object]:
        return {"GrantByDefault": self.grant_by_default, **{name: list(getattr(self, field)) for name, field in _FIELDS.items()}}

    def request(self, name: str) -> dict[str, object]:
        """As iis_lists takes it: first whether all may, then what counts then, and last the others."""
        members = [{"name": member, "entries": list(getattr(self, field))} for member, field in _FIELDS.items()]
        return {"property": name, "grant_by_default": self.grant_by_default, "members": members}


def from_answer(document: Mapping[str, object] | None) -> AddressList | None:
    """A list as iis_read answers it, and as it is kept in the host's memory."""
    if document is None:
        return None
    texts = {field: _texts(document.get(name)) for name, field in _FIELDS.items()}
    return AddressList(document.get("GrantByDefault") is True, **texts)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value if one) if isinstance(value, list) else ()


def _network(entry: str) -> ipaddress.IPv4Network | str:
    """An entry "address, mask"; the text itself where it is another one, which equals no network that this collection writes."""
    address, _comma, mask = entry.partition(",")
    try:
        return ipaddress.IPv4Network(f"{address.strip()}/{mask.strip() or '255.255.255.255'}", strict=False)
    except ValueError:
        return entry


def of_networks(texts: Sequence[str]) -> AddressList:
    """These networks and the host itself."""
    found = {networks.parse(text) for text in texts}
    host = networks.parse(LOOPBACK)
    if not any(host.subnet_of(one) for one in found):
        found.add(host)
    return AddressList(ip_grant=tuple(f"{one.network_address}, {one.netmask}" for one in sorted(found)))


def encoded(addresses: Sequence[str]) -> list[int]:
    """The bytes of a RelayIpList that grants these hosts. The layout is published for hosts only."""
    count = len(addresses)
    words = [0x80000018, 0x80000020, 0x8000003C, 0x80000044, 1, 76, 0, 0, 1, count, 2, 1 + count, 4, 0, 0x8000004C, 0, 0, 0, 0]
    return list(struct.pack("<19I", *words) + b"\xff" * 4 + b"".join(ipaddress.IPv4Address(one).packed for one in addresses))
