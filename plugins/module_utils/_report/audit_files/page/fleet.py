# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet: each tenant with its numbers and the state of each check, the worst first, and the sum of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...._audit.names import BASIC_OFF, SEVERITIES, TO_CHECK
from ...._core.json_types import JsonObject
from .plain_text import plain

OK, UNREADABLE, NOT_AUDITED = "ok", "unreadable", "none"
# The source that a finding is about, by its ID or the first word of it, where the ID does not begin with the source's name.
_SOURCE_OF_FINDING = {
    "smtp_auth_open": "smtp_auth",
    "connector": "connectors",
    "key": "applications",
    "client_secret": "applications",
    "service": "applications",
    "mx": "dns",
    "dkim": "dns",
    "dmarc": "dns",
    "mta": "dns",
    "tls": "dns",
    "legacy": "protocols",
    "ews": "protocols",
    "hve": "hve_accounts",
    "key_unused": "application_keys",
    "app_unused": "application_sign_ins",
    "delegated": "delegated_applications",
    "spoof": "spoofs",
}
OTHER = "other"


@dataclass(frozen=True)
class TenantRow:
    """A tenant. `key`: its inventory name, `name`: the same for people. `cells`: by check, its worst severity, or ok, unreadable, none.

    `first_date`, `first_problem`: of what needs something to be done; the date is the first from the day of the audit on, if there is one.
    `severities`: the number of entries, the most severe first.
    """

    key: str
    name: str
    audited: bool
    reason: str
    totals: JsonObject
    cells: JsonObject
    first_date: str
    first_problem: str
    severities: tuple[int, ...]

    @property
    def attention(self) -> bool:
        """Whether something has to be done."""
        return not self.audited or any(self.severities[:3])


@dataclass(frozen=True)
class Summary:
    """The numbers of the first screen. `checks`: name and label of each column of the matrix."""

    tenants: Sequence[TenantRow]
    checks: Sequence[tuple[str, str]]
    senders: JsonObject
    audited: int
    not_audited: int
    breaking: int
    headline: str
    words: str
    stale: str

    @property
    def refused(self) -> int:
        return int(self.senders["refused"] + self.senders["expires"])

    @property
    def to_check(self) -> int:
        return sum(self.senders.get(name, 0) for name in TO_CHECK)


def summary(document: JsonObject) -> Summary:
    """The fleet of a document mailops.audit/1."""
    checks = _checks(document["tenants"].values())
    tenants = sorted((_row(name, audit, checks) for name, audit in document["tenants"].items()), key=_rank)
    breaking = sum(1 for row in tenants if row.audited and row.totals["breaks"])
    off = next((one for one in document["timetable"] if one["id"] == BASIC_OFF), None)
    numbers = document["totals"]["tenants"]
    senders = document["totals"]["senders"]
    return Summary(
        tenants=tenants,
        checks=checks,
        senders=senders,
        audited=numbers["audited"],
        not_audited=numbers["not_audited"],
        breaking=breaking,
        headline=_headline(off, breaking, numbers["audited"], senders["breaks"]),
        words=f"{off['when'][:1].upper()}{off['when'][1:]}: {off['what']}" if off else "",
        stale=f"This announcement was checked on {off['checked']}: read it again." if off and off["stale"] else "",
    )


def _headline(off: JsonObject | None, breaking: int, audited: int, senders: int) -> str:
    """The state in one sentence; a fleet of one tenant has no number of tenants."""
    noun = "sender" if senders == 1 else "senders"
    if not audited:
        text = "No tenant was audited"
    elif audited == 1:
        text = f"{senders:,} {noun} {'breaks' if senders == 1 else 'break'}" if senders else "No sender breaks"
    elif senders:
        text = f"{breaking:,} of {audited:,} tenants have senders that break: {senders:,} {noun}"
    else:
        text = f"No sender of {audited:,} tenants breaks"
    if off is None:
        return f"{text}."
    days = off["days"]
    when = f"{days:,} days until Microsoft disables" if days > 0 else f"{-days:,} days since Microsoft disabled"
    return f"{when} Basic authentication for SMTP AUTH by default. {text}."


def _checks(audits: Iterable[JsonObject]) -> list[tuple[str, str]]:
    """The sources of all tenants, each once, in their order; and one column for other findings, where there are such."""
    labels: dict[str, str] = {}
    others = False
    for audit in audits:
        if audit["audited"]:
            labels |= {one["name"]: one["label"] for one in audit["sources"] if one["name"] not in labels}
            others = others or any(_check_of(row["id"], labels) == OTHER for row in audit["findings"])
    return [*labels.items(), *([(OTHER, "other findings")] if others else [])]


def _check_of(finding: str, checks: Iterable[str]) -> str:
    """The check of a finding: that of the table, else the longest name with which its ID begins."""
    names = set(checks)
    known = _SOURCE_OF_FINDING.get(finding) or _SOURCE_OF_FINDING.get(finding.partition("_")[0])
    if known in names:
        return str(known)
    return max((name for name in names if f"{finding}_".startswith(f"{name}_")), key=len, default=OTHER)


def _row(name: str, audit: JsonObject, checks: Sequence[tuple[str, str]]) -> TenantRow:
    if not audit["audited"]:
        return TenantRow(name, plain(name), False, plain(audit["reason"]), {}, {check: NOT_AUDITED for check, _label in checks}, "", "", ())
    readable = {one["name"]: one["readable"] for one in audit["sources"]}
    cells = {check: (OK if readable[check] else UNREADABLE) if check in readable else NOT_AUDITED for check, _label in checks}
    for row in reversed(audit["findings"]):  # the most severe are first
        cells[_check_of(row["id"], cells)] = row["severity"]
    every = sorted([*audit["senders"], *audit["findings"]], key=_urgency)
    counts = Counter(row["severity"] for row in every)
    dates = [row["date"] for row in every if row.get("date") and row["severity"] != "info"]
    ahead = [date for date in dates if date >= audit["date"]]
    first = next((row for row in every if row["severity"] != "info"), None)
    problem = plain(f"{first.get('address') or first.get('subject')}: {first.get('reason') or first.get('problem')}") if first else ""
    return TenantRow(
        name,
        plain(name),
        True,
        "",
        audit["totals"],
        cells,
        min(ahead or dates, default=""),
        problem,
        tuple(counts[severity] for severity in SEVERITIES),
    )


def _urgency(row: JsonObject) -> tuple[int, bool, str]:
    """The most severe first; of the same severity, senders that break."""
    return SEVERITIES.index(row["severity"]), row.get("verdict") != "breaks", row.get("date") or "9999"


def _rank(row: TenantRow) -> tuple[object, ...]:
    """The worst first: by number of entries of each severity; a tenant that was not audited comes before those without urgent entries."""
    if not row.audited:
        return (0, -1, 0, 0, row.name)
    return (-row.severities[0], -row.severities[1], -row.severities[2], -row.severities[3], row.name)
