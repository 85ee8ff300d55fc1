# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about inbound connectors: disabled, idle, matching the same hosts, outside of the accepted domains or of SPF.

Source: "Updated requirements for SMTP relay through Exchange Online": mail is relayed if the domain of MAIL FROM or that of the
certificate is an accepted domain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from .._core.text_lines import listed
from .._exchange.certificate_names import in_accepted_domain
from .._exchange.connector_overlaps import overlaps
from .._exchange.inbound_connectors import Connector
from .finding import Finding

_MOST = 3  # hosts of a sentence


def findings(
    connectors: Sequence[Connector],
    idle: Sequence[str],
    trace_days: int,
    accepted_domains: Collection[str] | None,
    outside_spf: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    """`idle`: the names of those without a message in `trace_days`; `accepted_domains`: in lower case, None: not readable.

    `outside_spf`: by name, the addresses that no SPF record of the mail domains lets pass.
    """
    for connector in connectors:
        if not connector.enabled:
            yield Finding("connector_disabled", "low", connector.name, "The inbound connector is disabled.", "Enable or remove it.")
    for name in idle:
        problem = f"No message came from its IP addresses in {trace_days} days."
        yield Finding("connector_idle", "info", name, problem, "Remove the connector if nothing needs it.")
    for one, other in combinations(sorted(connectors, key=lambda one: one.name.lower()), 2):
        yield from _overlap(one, other)
    for connector in connectors:
        yield from _certificate(connector, accepted_domains)
    for name, addresses in outside_spf.items():
        yield _spf(name, addresses)


def _overlap(one: Connector, other: Connector) -> Iterator[Finding]:
    """One finding for two enabled connectors of one type that match the same hosts, as the tenant plan compares them."""
    same = overlaps(one, other)
    if same:
        own, others = (listed([*dict.fromkeys(texts)], _MOST) for texts in ((x.own for x in same), (x.other for x in same)))
        hosts = f"Both match {own}" if own == others else f"Both match the same hosts: {one.name} has {own}, and {other.name} has {others}"
        problem = f"{hosts}. Which of the two applies to a message is not certain."
        remedy = "Name each host in one of the two connectors."
        yield Finding("connector_overlap", "low", f"{one.name}, {other.name}", problem, remedy)


def _certificate(connector: Connector, accepted_domains: Collection[str] | None) -> Iterator[Finding]:
    name = connector.tls_sender_certificate_name
    if accepted_domains is not None and connector.relays and name and not in_accepted_domain(name, accepted_domains):
        problem = (
            f"The domain of its certificate ({name}) is not an accepted domain: messages to external recipients whose envelope sender is "
            "in no accepted domain either, such as notifications without a sender, are refused (550 5.7.64 ATTR36)."
        )
        remedy = "Use a certificate whose name is in an accepted domain, or one level below it, or add the domain to the tenant."
        yield Finding("connector_certificate", "low", connector.name, problem, remedy)


def _spf(name: str, addresses: Sequence[str]) -> Finding:
    problem = (
        f"No SPF record of the mail domains lets {listed(addresses, _MOST)} pass: mail of these hosts may be treated as spam or spoofing."
    )
    remedy = "Add the addresses to the SPF record of the domain that the hosts send from (spf_ip4, spf_ip6)."
    return Finding("connector_spf", "low", name, problem, remedy)
