# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address sends from which IP address, by the message trace, and what that says: a connector, Direct Send, or neither.

Rows are counted on arrival. Recipients are only compared with the accepted domains; neither they nor message IDs are kept.

Sources: Get-MessageTraceV2 (FromIP: the public address of the server that handed the message in); "How to set up a multifunction device or
application to send email using Microsoft 365" (Direct Send: from an accepted domain, without sign-in, to internal recipients).
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from .._core import networks
from .._core.json_types import JsonObject
from .._core.mail_addresses import domain
from .._core.networks import Network
from .._exchange.inbound_connectors import Connector

MOST_SOURCES = 10  # of one address
# Servers of Exchange Online hand mail of Outlook on from here. Source: ARIN, 2603:1000::/24 (Microsoft Corporation).
_MICROSOFT = (ipaddress.ip_network("2603:1000::/24"),)


@dataclass(frozen=True)
class MailFlow:
    """The messages from one address in the period. Recipients are counted once a message; `external` ones are outside the organization.

    `recipients_per_day`: the 95th percentile of the days with messages. `sources`: IP addresses other than Microsoft's, most used first.
    """

    messages: int = 0
    recipients: int = 0
    external: int = 0
    last: datetime.date | None = None
    recipients_per_day: int = 0
    sources: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        return {
            "messages": self.messages,
            "recipients": self.recipients,
            "external_recipients": self.external,
            "recipients_per_day": self.recipients_per_day,
            "last": self.last.isoformat() if self.last else None,
            "sources": list(self.sources),
        }


@dataclass
class _Sender:
    messages: int = 0
    external: int = 0
    message: str = ""
    days: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)


class Flows:
    """Counts rows of the message trace. `internal`: the accepted domains; `microsoft`: the networks of Microsoft's servers.

    `complete`: whether all rows of the period were read; what is not among them is unknown otherwise, and not zero.
    """

    complete = True

    def __init__(self, internal: Collection[str], microsoft: Sequence[Network]) -> None:
        self._internal, self._microsoft = frozenset(internal), (*_MICROSOFT, *microsoft)
        self._senders: dict[str, _Sender] = {}
        self._foreign: dict[str, bool] = {}

    def take(self, rows: Iterable[JsonObject]) -> None:
        """Count rows, the newest first: those of one message follow each other."""
        for row in rows:
            one = self._senders.setdefault(str(row.get("SenderAddress") or "").lower(), _Sender())
            message = str(row.get("MessageTraceId") or "")
            if not message or message != one.message:
                one.messages, one.message = one.messages + 1, message
            one.days[str(row["Received"])[:10]] += 1
            one.external += domain(str(row.get("RecipientAddress") or "")) not in self._internal
            source = str(row.get("FromIP") or "")
            if source and self._is_foreign(source):
                one.sources[source] += 1

    def _is_foreign(self, source: str) -> bool:
        """Whether an address is not one of Microsoft's servers."""
        if source not in self._foreign:
            try:
                network = networks.parse(source)
            except ValueError:
                self._foreign[source] = False
            else:
                self._foreign[source] = not any(networks.overlap(network, other) for other in self._microsoft)
        return self._foreign[source]

    @property
    def days(self) -> int:
        """How many days the rows cover: those between the oldest and the newest."""
        days = [datetime.date.fromisoformat(day) for one in self._senders.values() for day in one.days]
        return (max(days) - min(days)).days if days else 0

    def result(self) -> dict[str, MailFlow]:
        """The flow of each address in lower case."""
        return {address: _flow(one) for address, one in self._senders.items() if address}


def _flow(one: _Sender) -> MailFlow:
    counts = sorted(one.days.values())
    busy = counts[math.ceil(0.95 * len(counts)) - 1]
    sources = tuple(source for source, _number in one.sources.most_common(MOST_SOURCES))
    return MailFlow(one.messages, sum(counts), one.external, datetime.date.fromisoformat(max(one.days)), busy, sources)


def connector_of(flow: MailFlow, connectors: Sequence[Connector]) -> Connector | None:
    """The enabled connector that matches an IP address of the flow; one that is matched by certificate cannot be recognized."""
    for connector in connectors:
        if connector.enabled and any(_matches(connector, source) for source in flow.sources):
            return connector
    return None


def by_certificate(connectors: Sequence[Connector]) -> list[Connector]:
    """The enabled connectors that are matched by a certificate."""
    return [one for one in connectors if one.enabled and one.tls_sender_certificate_name]


def idle(flows: Collection[MailFlow], connectors: Sequence[Connector]) -> list[str]:
    """The names of enabled connectors with IP addresses from which no message came."""
    sources = {source for flow in flows for source in flow.sources}
    named = [one for one in connectors if one.enabled and one.sender_ip_addresses]
    return [one.name for one in named if not any(_matches(one, source) for source in sources)]


def matching(connector: Connector, sources: Iterable[str]) -> list[str]:
    """The IP addresses and networks of a connector that contain one of the sources."""
    addresses = [networks.parse(source) for source in sources]
    return [text for text, network in _networks(connector) if any(networks.overlap(network, address) for address in addresses)]


def _matches(connector: Connector, source: str) -> bool:
    address = networks.parse(source)
    return any(networks.overlap(address, network) for _text, network in _networks(connector))


@cache
def _networks(connector: Connector) -> tuple[tuple[str, Network], ...]:
    """What the texts of Exchange mean; one that is no network is left out."""
    parsed = []
    for text in connector.sender_ip_addresses:
        with contextlib.suppress(ValueError):
            parsed.append((text, networks.parse(text)))
    return tuple(parsed)
