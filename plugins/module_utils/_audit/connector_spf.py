# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IP addresses of inbound connectors that the SPF records of the mail domains do not let pass.

Sources: "How to set up a multifunction device or application to send email using Microsoft 365" (SMTP relay: the public address belongs
into the SPF record); RFC 7208, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._core import networks
from .._exchange.inbound_connectors import Connector
from .._spf import Resolver, check_host

# A failed DNS query says nothing about an address.
_MAY_PASS = ("pass", "temperror")


def outside_spf(connectors: Sequence[Connector], domains: Sequence[str], resolver: Resolver) -> dict[str, list[str]]:
    """By name of each enabled connector of type OnPremises: its addresses and networks that no record of the domains lets pass.

    `domains`: those that have an SPF record; without one, nothing is outside. Of a network, the first and the last address are evaluated.
    """
    relays = [one for one in connectors if one.relays] if domains else []
    outside = {one.name: [text for text in one.sender_ip_addresses if not _passes(text, domains, resolver)] for one in relays}
    return {name: texts for name, texts in outside.items() if texts}


def _passes(text: str, domains: Sequence[str], resolver: Resolver) -> bool:
    """Whether one of the records lets an address or network pass; a text of Exchange that is neither is not judged."""
    network = networks.parse_or_none(text)
    if network is None:
        return True
    ends = {str(network[0]), str(network[-1])}
    return any(all(check_host(end, domain, resolver).result in _MAY_PASS for end in ends) for domain in domains)
