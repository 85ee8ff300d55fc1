# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inbound connectors of planned senders: items of the variable inbound_connector_connectors."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from .._core import networks
from . import ownership
from .ownership import DEFAULT_OWNER
from .sending_plan import SendingPlan

_NAME_LENGTH = 64  # of a connector, "New-InboundConnector"


class ConnectorVariables(TypedDict, total=False):
    """An item of inbound_connector_connectors: a connector matched by certificate or by IP address."""

    name: str
    comment: str
    tls_sender_certificate_name: str
    require_tls: bool
    sender_ip_addresses: list[str]


def connectors(plans: Iterable[SendingPlan], owner: str = DEFAULT_OWNER) -> Iterator[ConnectorVariables]:
    """One connector per certificate, and one per group of senders that share an IP address (two would overlap).

    Each has the owner's mark. It is named by its relay host or the first of its senders by name, so that its name stays when addresses or
    the certificate change; a number follows where another connector has that name.
    """
    every = list(_unnumbered(plans, owner))
    used = {item["name"].lower() for item, is_set in every if is_set}
    for item, is_set in sorted(every, key=lambda one: (one[0]["name"].lower(), one[0]["comment"].lower())):
        if not is_set:
            item["name"] = next((name for name in _numbered(item["name"]) if name.lower() not in used), item["name"])
            used.add(item["name"].lower())
    yield from (item for item, _is_set in every)


def _numbered(name: str) -> Iterator[str]:
    """The name, then with 2, 3, and so on."""
    endings = itertools.chain([""], (f" {number}" for number in itertools.count(2)))
    yield from (f"{name[: _NAME_LENGTH - len(ending)].rstrip()}{ending}" for ending in endings)


def _unnumbered(plans: Iterable[SendingPlan], owner: str) -> Iterator[tuple[ConnectorVariables, bool]]:
    """The connectors, each with whether a sender sets its name."""
    by_certificate: dict[str, list[SendingPlan]] = {}
    groups: list[_Group] = []
    for plan in plans:
        if plan.method not in ("connector", "relay_host") or not plan.from_own_source:
            continue
        source = plan.relay_host or plan.sender
        if source.certificate_name:
            by_certificate.setdefault(source.certificate_name, []).append(plan)
            continue
        group = _Group([networks.parse(text) for text in source.public_addresses], [plan])
        for other in [other for other in groups if other.is_same_connector(group)]:
            groups.remove(other)
            group = _Group([*other.addresses, *group.addresses], [*other.plans, *group.plans])
        groups.append(group)
    for name, together in by_certificate.items():
        of_certificate: ConnectorVariables = {"tls_sender_certificate_name": name, "require_tls": True, "sender_ip_addresses": []}
        yield _connector(together, owner) | of_certificate, _is_named(together)
    for group in groups:
        addresses = sorted(networks.normalized(networks.written(one) for one in group.addresses))
        by_address: ConnectorVariables = {"sender_ip_addresses": addresses, "tls_sender_certificate_name": "", "require_tls": False}
        yield _connector(group.plans, owner) | by_address, _is_named(group.plans)


@dataclass(frozen=True)
class _Group:
    """Senders of one connector that is matched by IP address."""

    addresses: list[networks.Network]
    plans: list[SendingPlan]

    @property
    def names(self) -> set[str]:
        """The connector names that its senders set, in lower case."""
        return {plan.sender.connector.lower() for plan in self.plans if plan.sender.connector}

    def is_same_connector(self, other: _Group) -> bool:
        """Whether both share an IP address, which two connectors must not, or a name."""
        return bool(self.names & other.names) or any(networks.overlap(one, two) for one in self.addresses for two in other.addresses)


def name_problems(plans: Iterable[SendingPlan]) -> Iterator[str]:
    """One sentence for each connector name that stands for hosts that no single connector can match."""
    senders: dict[str, dict[str, list[str]]] = {}
    for connector, plan in _by_connector(plans):
        senders.setdefault(plan.sender.connector.lower(), {}).setdefault(connector, []).append(plan.sender.name)
    for by_source in senders.values():
        if len(by_source) > 1:
            together = " and ".join(", ".join(names) for names in by_source.values())
            yield (
                f"m365_senders: {together}: they have the same connector, and a connector matches one certificate or IP addresses: set "
                "another connector for one of them."
            )


def _by_connector(plans: Iterable[SendingPlan]) -> Iterator[tuple[str, SendingPlan]]:
    """What the connector of each sender with a name for it is matched by: a certificate's name, or "" for IP addresses."""
    for plan in plans:
        if plan.method in ("connector", "relay_host") and plan.from_own_source and plan.sender.connector:
            yield (plan.relay_host or plan.sender).certificate_name, plan


def _is_named(together: Iterable[SendingPlan]) -> bool:
    return any(plan.sender.connector for plan in together)


def _connector(together: Sequence[SendingPlan], owner: str) -> ConnectorVariables:
    """Name and comment."""
    named = next((plan.sender.connector for plan in together if plan.sender.connector), "")
    relay_host = min((plan.relay_host.name for plan in together if plan.relay_host), default="")
    senders = sorted((plan.sender.name for plan in together), key=str.lower)
    automatic = f"{owner} {relay_host or senders[0]}"[:_NAME_LENGTH].rstrip()
    return {"name": named or automatic, "comment": ownership.comment(owner, ", ".join(senders))}
