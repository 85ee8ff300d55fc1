# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors that a plan must not create or change: names that are taken, and hosts that another connector matches already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .._exchange.connector_overlaps import Overlap, overlaps
from .._exchange.inbound_connectors import Connector
from . import ownership

# What the options are called in m365_senders and m365_relays.
_SENDER_WORDS = {"sender_ip_addresses": "public_addresses", "tls_sender_certificate_name": "certificate_name"}


@dataclass(frozen=True)
class PlannedConnector:
    """A listed connector: its name, the one that it is matched with, and the one that it becomes."""

    name: str
    current: Connector | None
    desired: Connector


def taken_names(planned: Iterable[PlannedConnector], owner: str) -> Iterator[str]:
    """One sentence for each listed connector whose name a connector of another owner has, or one without a mark where the name is ours."""
    for one in planned:
        if not one.current or one.current.name.lower() != one.name.lower():
            continue
        other = ownership.owner_of(one.current.comment)
        if other and other.lower() != owner.lower():
            yield (
                f"connectors: {one.current.name} exists, and its comment has the mark of m365_owner {other}: set another name (connector) "
                "for the sender, or list the sender in the inventory of that owner."
            )
        elif not other and one.name.lower().startswith(f"{owner} ".lower()):
            yield (
                f"connectors: {one.current.name} exists, and its comment does not have the mark of m365_owner {owner}: rename or remove "
                "the connector, or set another name (connector) for the sender."
            )


def overlapping(planned: Sequence[PlannedConnector], unlisted: Sequence[Connector], owner: str | None) -> tuple[list[str], list[str]]:
    """Problems and warnings: hosts that a listed connector and another one match.

    It is a problem where the plan causes it, and a warning where both connectors exist and match the same hosts already. `unlisted`: those
    that stay as they are.
    """
    problems: list[str] = []
    warnings: list[str] = []
    for number, one in enumerate(planned):
        others = [(other.current, other.desired, other.name) for other in planned[number + 1 :]]
        for before, after, name in [*others, *((other, other, "") for other in unlisted)]:
            same = overlaps(one.desired, after)
            existing = overlaps(one.current, before) if one.current and before else []
            new = [overlap for overlap in same if overlap not in existing]
            if same:
                sentence = _sentence(one, (new or same)[0], after, owner, listed=name)
                (problems if new else warnings).append(sentence)
    return problems, warnings


def _sentence(one: PlannedConnector, overlap: Overlap, other: Connector, owner: str | None, *, listed: str) -> str:
    """`listed`: the name of the other connector where the same list has it, else empty."""
    by = "" if overlap.own.lower() == overlap.other.lower() else f" by {overlap.other}"
    of_senders = bool(owner and ownership.is_marked(one.desired.comment, owner))
    option = _SENDER_WORDS[overlap.option] if of_senders else overlap.option
    value = f"{option} is {overlap.own}" if overlap.option == "tls_sender_certificate_name" else f"{option} holds {overlap.own}"
    variable = "inbound_connector_connectors" if owner else "connectors"
    subject = f"m365_senders: {ownership.described(one.desired.comment)}" if of_senders else f"{variable}: {one.name}"
    head = f"{subject}: {value}, which the connector {listed or other.name}"
    other_owner = ownership.owner_of(other.comment)
    if listed:
        return f"{head} matches{by}, too: name each host in one of the two connectors."
    if other_owner and other_owner.lower() != (owner or "").lower():
        return f"{head} of m365_owner {other_owner} matches{by}, too: list the senders of a host in the inventory of one owner."
    adopt = f"set connector: {other.name} for the sender, which adopts it" if of_senders else "list that connector instead"
    return f"{head} matches{by}, too: {adopt}, or disable or remove that connector."
