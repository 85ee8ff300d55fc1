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
    """A sender's result, of module smtp_probe or relay_probe. `verified` is None where no message was sent."""

    tenant: str
    sender: str
    method: str
    address: str
    verified: bool | None
    status: str
    explanation: str

    @classmethod
    def of(cls, tenant: str, result: JsonObject) -> SenderRow:
        remedy = f"{result['remedy']}{' Waiting may help.' if result['transient'] else ''}"
        return cls(
            tenant=tenant,
            sender=result["name"],
            method=methods.label(result["method"]),
            address=result["address"],
            verified=result["verified"],
            status=_status(result["verified"], result["stage"], result["seconds"]),
            explanation=explanation("", result["cause"], result["code"], remedy) if result["verified"] is False else "",
        )


def _status(verified: bool | None, stage: str, seconds: float) -> str:
    if verified:
        return f"verified in {seconds:.2f} s"
    if verified is None:
        return "skipped" if stage == "input" else "reachable"
    return {"input": "not verified", "queue": "queued"}.get(stage, f"failed: {stage}")


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
        yield text, {True: "green", False: "red", None: None}[row.verified]
        yield from ((line, "red") for line in details(row.explanation, line_width))
