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
from .failures import explanation, sentence
from .table import HEADING, Column, Line, details, fitted, rows, width

_LEAST_REASON = 40  # characters
_MOST_OTHERS = 10  # rows of senders that are neither verified nor failed
VERIFIED, FAILED, NOT_VERIFIABLE, NOT_VERIFIED = statuses.VERIFIED, statuses.FAILED, statuses.NOT_VERIFIABLE, statuses.NOT_VERIFIED
STATUSES = (VERIFIED, FAILED, NOT_VERIFIABLE, NOT_VERIFIED)
_ACCEPTED_BY = {
    statuses.CONNECTOR: ", accepted by a connector",
    statuses.DIRECT_SEND: ", accepted by Direct Send",
    statuses.SUBMISSION: ", accepted by submission",
    statuses.RELAY_HOST: ", accepted by the relay host",
    statuses.HOSTED_RELAY: ", accepted by the hosted relay",
}
_COLOURS = {VERIFIED: "green", FAILED: "red", NOT_VERIFIABLE: "yellow", NOT_VERIFIED: None}


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
    """A sender's result, of module smtp_probe or relay_probe. `text`: the status as the table has it.

    `problem`, `remedy`: of a sender that failed or is not verifiable; `reason`: why a sender is not verifiable, or not verified.
    """

    tenant: str
    sender: str
    method: str
    address: str
    status: str
    text: str
    problem: str
    remedy: str
    reason: str

    @classmethod
    def of(cls, tenant: str, result: JsonObject) -> SenderRow:
        status = status_of(result)
        failed = status == FAILED
        cause = result["reason"]
        remedy = f"{result['remedy']}{' Waiting may help.' if result['transient'] else ''}".strip()
        clause = explanation("", cause or "the test message was not sent", result["code"])
        problem = sentence(clause)
        if status == NOT_VERIFIABLE:
            problem = clause[:1] + problem[1:]  # after a colon: the name of a provider keeps its capital letter
        # In a check run the reason is the same for all senders.
        explained = status == NOT_VERIFIED and bool(cause) and not _check_run(result)
        return cls(
            tenant=tenant,
            sender=result["name"],
            method=methods.label(result["method"]),
            address=result["address"],
            status=status,
            text=_text(status, result),
            problem=problem if failed or status == NOT_VERIFIABLE else "",
            remedy=remedy if failed or status == NOT_VERIFIABLE else "",
            reason=f"{problem} {remedy}".rstrip() if explained else "",
        )

    @property
    def colour(self) -> str | None:
        return _COLOURS[self.status]


def status_of(result: JsonObject) -> str:
    """One of STATUSES."""
    return str(result["status"])


def _check_run(result: JsonObject) -> str:
    """The text of a sender that a check run does not verify; "" for another."""
    return {statuses.CHECK_MODE: "skipped", "tls": "reachable"}.get(result["stage"], "")


def _text(status: str, result: JsonObject) -> str:
    """The status with its stage or duration. In a check run, a server that answers is reachable, and a relay host's senders are skipped."""
    stage = result["stage"]
    host = result.get("verify_from")
    if status == VERIFIED:
        accepted = result["accepted_by"]
        return f"verified in {result['seconds']:.2f} s{_ACCEPTED_BY.get(accepted, accepted)}" + (f", from {host}" if host else "")
    if status == NOT_VERIFIABLE:
        return f"not verifiable from {host or 'here'}"
    if status == NOT_VERIFIED:
        return _check_run(result) or "not verified"
    text = {"input": "failed", "queue": "failed: still queued"}.get(stage, f"failed: {stage}")
    return f"{text}, from {host}" if host else text


def plan_lines(entries: Sequence[PlanRow], line_width: int) -> Iterator[Line]:
    columns = fitted(
        line_width - _LEAST_REASON,
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


def sender_lines(results: Sequence[SenderRow], line_width: int, full: bool = False) -> Iterator[Line]:
    """The reason of senders that are not verified is below their rows. NEEDS ATTENTION explains those that failed or are not verifiable.

    Unless `full`, failed senders are first, only some of the others are rows, and long names are shortened.
    """
    others = [row for row in results if row.status != FAILED]
    if not full:
        order = {reason: number for number, reason in enumerate(dict.fromkeys(row.reason for row in others))}
        by_reason = sorted(others, key=lambda row: order[row.reason])
        results = [row for row in results if row.status == FAILED] + by_reason[:_MOST_OTHERS]
    columns = [
        Column("TENANT", [row.tenant for row in results]),
        Column("SENDER", [row.sender for row in results]),
        Column("METHOD", [row.method for row in results]),
        Column("FROM", [row.address for row in results]),
        Column("STATUS", [row.text for row in results]),
    ]
    heading, *texts = rows(*(columns if full else fitted(line_width, *columns)))
    yield heading, HEADING
    following = [*(row.reason for row in results[1:]), None]
    for row, text, next_reason in zip(results, texts, following, strict=True):
        yield text, row.colour
        if row.reason != next_reason:
            yield from ((line, row.colour) for line in details(row.reason, line_width))
    rest = 0 if full else len(others) - _MOST_OTHERS
    if rest > 0:
        yield from ((line, None) for line in details(f"{rest:,} more senders are not verified: -v lists all, with the reason.", line_width))
