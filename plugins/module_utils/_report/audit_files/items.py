# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit reports as one list: senders, findings, sources that were not readable, and tenants that were not audited."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ..._audit.names import SEVERITIES, not_readable
from ..._core.json_types import JsonObject

Key: TypeAlias = "tuple[str, str, str, str]"  # tenant, kind, id, subject
SENDER, FINDING, SOURCE, TENANT = "sender", "finding", "source", "tenant"
# The key that a comparison with an earlier report adds to a sender or finding, and its values.
CHANGE, NEW, STILL = "change", "new", "still"
_SEE_REASON = "Remove the cause, and run the audit again."


@dataclass(frozen=True)
class Item:
    """One entry. `kind`: sender, finding, source or tenant; `id`: the verdict, or what is wrong; `subject`: an address, or an object.

    `date` is the day on which it matters, as in 2026-12-31, or "". `change` is new, still or unknown, or "" without an earlier report.
    """

    tenant: str
    kind: str
    id: str
    severity: str
    subject: str
    problem: str
    remedy: str
    name: str = ""
    date: str = ""
    change: str = ""

    @property
    def rule(self) -> str:
        """The kind and what is wrong, such as sender_breaks."""
        return f"{self.kind}_{self.id}"

    @property
    def key(self) -> Key:
        """What identifies it in every report. A sender has one entry, whatever its verdict."""
        return (self.tenant, self.kind, "" if self.kind == SENDER else self.id, self.subject.lower())

    @property
    def fingerprint(self) -> str:
        """The key as 32 hexadecimal digits."""
        return hashlib.sha256("\0".join(self.key).encode()).hexdigest()[:32]


def items(document: JsonObject) -> list[Item]:
    """All entries of the document mailops.audit/1, the most severe first, then the earliest. Severity info: nothing has to be done."""
    every = [item for tenant, audit in document["tenants"].items() for item in tenant_items(tenant, audit)]
    return sorted(every, key=lambda one: (SEVERITIES.index(one.severity), one.date or "9999", one.tenant, one.kind, one.subject))


def tenant_items(tenant: str, audit: JsonObject) -> Iterator[Item]:
    """The entries of one tenant, in the order of the document."""
    if not audit["audited"]:
        yield Item(tenant, TENANT, "not_audited", "high", tenant, audit["reason"], _SEE_REASON)
        return
    for row in audit["senders"]:
        words = (row["verdict"], row["severity"], row["address"], row["reason"], row["remedy"])
        yield Item(tenant, SENDER, *words, name=row["name"], date=row["date"] or "", change=row.get(CHANGE, ""))
    for row in audit["findings"]:
        words = (row["id"], row["severity"], row["subject"], row["problem"], row["remedy"])
        yield Item(tenant, FINDING, *words, date=row.get("date") or "", change=row.get(CHANGE, ""))
    for row in audit["sources"]:
        if not row["readable"]:
            yield Item(tenant, SOURCE, "not_readable", "medium", row["label"], not_readable(row["reason"]), _SEE_REASON)
