# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inbound connectors of planned senders: items of the variable inbound_connector_connectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from .sending_plan import SendingPlan


class ConnectorVariables(TypedDict, total=False):
    """An item of inbound_connector_connectors: a connector matched by certificate or by IP address."""

    name: str
    comment: str
    tls_sender_certificate_name: str
    require_tls: bool
    sender_ip_addresses: list[str]


def connectors(plans: Iterable[SendingPlan]) -> Iterator[ConnectorVariables]:
    """One connector per certificate, and one per group of senders that share an IP address (two would overlap)."""
    by_certificate: dict[str, list[SendingPlan]] = {}
    groups: list[tuple[set[str], list[SendingPlan]]] = []
    for plan in plans:
        if plan.method not in ("connector", "relay_host") or not plan.from_own_source:
            continue
        source = plan.relay_host or plan.sender
        if source.certificate_name:
            by_certificate.setdefault(source.certificate_name, []).append(plan)
            continue
        addresses, together = set(source.public_addresses), [plan]
        for group in [group for group in groups if group[0] & addresses]:
            groups.remove(group)
            addresses, together = addresses | group[0], group[1] + together
        groups.append((addresses, together))
    for name, together in by_certificate.items():
        yield _connector(together, name) | {"tls_sender_certificate_name": name, "require_tls": True}
    for addresses, together in groups:
        yield _connector(together, sorted(addresses)[0]) | {"sender_ip_addresses": sorted(addresses)}


def _connector(together: Sequence[SendingPlan], source: str) -> ConnectorVariables:
    """Name and comment; `source`: the certificate's name or the first IP address."""
    named = next((plan.sender.connector for plan in together if plan.sender.connector), "")
    relay_host = next((plan.relay_host.name for plan in together if plan.relay_host), "")
    senders = ", ".join(plan.sender.name for plan in together)
    return {"name": named or f"mailops {relay_host or source}", "comment": f"mailops.m365: {senders}"[:255]}
