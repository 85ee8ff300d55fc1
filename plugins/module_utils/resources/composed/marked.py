# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in a tenant that has the mark of an owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..._engine.tenant import Tenant
from ..._exchange import authentication_policies, inbound_connectors
from ..._planning import ownership
from ..._planning.role_variables import basic_policy
from . import record as records
from .record import ACCESS

CONNECTOR, AUTHENTICATION_POLICY, RECORD = "inbound_connector", "authentication_policy", "record"


class Marked(NamedTuple):
    """One object: its kind (one of this file's or of the record's) and name. `value`: see the kinds of the record."""

    kind: str
    name: str
    value: str = ""


def marked(tenant: Tenant, owner: str) -> list[Marked]:
    """All objects with the owner's mark, sorted: connectors, the authentication policy, and what is recorded.

    A recorded object may not exist any more, or have other settings since. The record itself is listed where only this owner uses it.
    """
    return sorted(_marked(tenant, owner))


def _marked(tenant: Tenant, owner: str) -> Iterator[Marked]:
    for connector in inbound_connectors.read(tenant).values():
        if ownership.is_marked(connector.comment, owner):
            yield Marked(CONNECTOR, connector.name)
    policy = authentication_policies.read_policies(tenant).get(basic_policy(owner).lower())
    if policy:
        yield Marked(AUTHENTICATION_POLICY, policy.name)
    record = records.read(tenant, owner)
    if record and record.exists:
        yield from (Marked(entry.kind, entry.name, entry.value) for entry in record.entries)
        if not record.others:
            yield Marked(RECORD, records.UNIQUE_NAME)


def described(one: Marked) -> str:
    """The object in a sentence: `application mailops-smtp-sender`."""
    of = f" of {one.value}" if one.kind == ACCESS else ""
    return f"{one.kind.replace('_', ' ')} {one.name}{of}"
