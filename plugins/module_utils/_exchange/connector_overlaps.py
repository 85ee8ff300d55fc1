# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two inbound connectors match the same hosts: networks are compared as networks, certificates by their names.

Source: New-InboundConnector (SenderIPAddresses, TlsSenderCertificateName, SenderDomains).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .._core import networks
from .certificate_names import issuer_and_subject
from .inbound_connectors import Connector

ALL = ("*",)  # the sender domains of a connector that names none


class Overlap(NamedTuple):
    """A source that two connectors match. `option`: the option that names it; `own` and `other`: what each of them has for it."""

    option: str
    own: str
    other: str


def overlaps(one: Connector, other: Connector) -> list[Overlap]:
    """The hosts that both connectors match; none where one is disabled, or where type or sender domains tell their mail apart."""
    domains = any(_share_domain(a, b) for a in one.sender_domains or ALL for b in other.sender_domains or ALL)
    comparable = one.enabled and other.enabled and one.type == other.type and domains
    return list(_same_hosts(one, other)) if comparable else []


def match_same_hosts(one: Connector, other: Connector) -> bool:
    """Whether both connectors match some host, whatever else they have."""
    return any(_same_hosts(one, other))


def _same_hosts(one: Connector, other: Connector) -> Iterator[Overlap]:
    names = one.tls_sender_certificate_name, other.tls_sender_certificate_name
    if all(names) and _share_certificate(*names):
        yield Overlap("tls_sender_certificate_name", *names)
    theirs = [(text, network) for text in other.sender_ip_addresses if (network := networks.parse_or_none(text))]
    for own in one.sender_ip_addresses:
        network = networks.parse_or_none(own)
        for text, of_other in theirs:
            if network and networks.overlap(network, of_other):
                yield Overlap("sender_ip_addresses", own, text)


def _share_domain(one: str, other: str) -> bool:
    """Whether two patterns match a domain: `*`, a domain, or `*.` for everything below one."""
    return "*" in (one, other) or _share_name(one, other)


def _share_certificate(one: str, other: str) -> bool:
    """Whether two names match a certificate; with `<I>`, its issuer has to be the same."""
    issuers, subjects = zip(*(issuer_and_subject(text) for text in (one, other)), strict=True)
    return _share_name(*subjects) and ("" in issuers or len({*issuers}) == 1)


def _share_name(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return one == other or _is_below(one, other) or _is_below(other, one)


def _is_below(name: str, pattern: str) -> bool:
    """Whether a name, or every name of a narrower pattern, is below the domain of a pattern such as *.contoso.com."""
    return pattern.startswith("*.") and name.endswith(pattern[1:])
