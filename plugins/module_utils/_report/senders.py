# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of senders: planned methods in a check run, results of verification in any run."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._core.json_types import JsonObject
from .._planning import methods
from .._verification import statuses
from .table import HEADING, Column, Line, details, explanation, rows, width

_LEAST_REASON = 40  # characters


@dataclass(frozen=True)
class PlanRow:
    """A sender's method and the reason, of module sender_plan."""

    tenant: str
    sender: str
    method: str
    reason: str

    @classmethod
    def of(cls, tenant: str, entry: JsonObject) -> PlanRow:
        return cls(tenant, entry["name"], methods.label(entry["method"]), entry["reason"])


@dataclass(frozen=True)
class SenderRow:
    """A sender's result, of module smtp_probe or relay_probe. `status` is for people, `colour` that of the line."""

    tenant: str
    sender: str
    method: str
    address: str
    status: str
    colour: str | None
    explanation: str

    @classmethod
    def of(cls, tenant: str, result: JsonObject) -> SenderRow:
        remedy = f"{result['remedy']}{' Waiting may help.' if result['transient'] else ''}"
        # In a check run the reason is the same for all senders.
        skipped = result["status"] == statuses.NOT_VERIFIED and result["stage"] in (statuses.CHECK_MODE, "tls")
        return cls(
            tenant=tenant,
            sender=result["name"],
            method=methods.label(result["method"]),
            address=result["address"],
            status=_status(result),
            colour=_COLOURS[result["status"]],
            explanation=explanation("", result["reason"], result["code"], remedy) if result["reason"] and not skipped else "",
        )


_COLOURS = {statuses.VERIFIED: "green", statuses.FAILED: "red", statuses.NOT_VERIFIABLE: "yellow", statuses.NOT_VERIFIED: None}
_ACCEPTED_BY = {
    statuses.CONNECTOR: "by a connector",
    statuses.DIRECT_SEND: "by Direct Send",
    statuses.SUBMISSION: "by submission",
    statuses.RELAY_HOST: "by the relay host",
}


def _status(result: JsonObject) -> str:
    status, stage = result["status"], result["stage"]
    if status == statuses.VERIFIED:
        return f"verified in {result['seconds']:.2f} s, accepted {_ACCEPTED_BY[result['accepted_by']]}"
    if status == statuses.FAILED:
        return {"input": "failed", "queue": "failed: still queued"}.get(stage, f"failed: {stage}")
    if status == statuses.NOT_VERIFIABLE:
        return "not verifiable from here"
    return {statuses.CHECK_MODE: "skipped", "tls": "reachable"}.get(stage, "not verified")


def plan_lines(entries: Sequence[PlanRow], line_width: int) -> Iterator[Line]:
    columns = (
        Column("TENANT", [row.tenant for row in entries]),
        Column("SENDER", [row.sender for row in entries]),
        Column("METHOD", [row.method for row in entries]),
    )
    indent = width(*columns)
    heading, *texts = rows(*columns)
    yield f"{heading:{indent}}REASON", HEADING
    for row, text in zip(entries, texts, strict=True):
        wrapped = textwrap.wrap(
            row.reason, max(line_width, indent + _LEAST_REASON), initial_indent=f"{text:{indent}}", subsequent_indent=" " * indent
        )
        yield from ((line, None) for line in wrapped)


def sender_lines(results: Sequence[SenderRow], line_width: int) -> Iterator[Line]:
    heading, *texts = rows(
        Column("TENANT", [row.tenant for row in results]),
        Column("SENDER", [row.sender for row in results]),
        Column("METHOD", [row.method for row in results]),
        Column("FROM", [row.address for row in results]),
        Column("STATUS", [row.status for row in results]),
    )
    yield heading, HEADING
    for row, text in zip(results, texts, strict=True):
        yield text, row.colour
        yield from ((line, row.colour) for line in details(row.explanation, line_width))
