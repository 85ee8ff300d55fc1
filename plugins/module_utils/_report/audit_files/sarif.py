# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit as SARIF, for code scanning: each entry at the line of the inventory that has its sender.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". GitHub shows at most 5,000 results of a run, and only
those with a file (GitHub Docs: "SARIF support for code scanning").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from .items import NEW, Item

# The path of a file and a line (from 1) for an entry; None where the inventory has no file for the tenant.
Locate: TypeAlias = Callable[[Item], "tuple[str, int] | None"]
MOST = 5_000
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PAGE = "https://github.com/mailops/m365/blob/main/docs/audit.md"


def sarif(every: Sequence[Item], locate: Locate) -> dict[str, object]:
    """The document of what has to be done. Of more than 5,000 entries it has the most severe, and says how many were left out."""
    selected = [one for one in every if one.severity != "info"]
    listed, rest = selected[:MOST], len(selected) - MOST
    notes = (
        [{"level": "warning", "message": {"text": f"{rest} entries of the lowest severity are only in report.json."}}] if rest > 0 else []
    )
    run = {
        "tool": {"driver": {"name": "mailops.m365 audit", "informationUri": _PAGE, "rules": list(_rules(listed))}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_result(one, locate(one)) for one in listed],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(listed: Iterable[Item]) -> Iterable[dict[str, object]]:
    """One rule for each kind of entry, with the severity of its most severe one."""
    first: dict[str, Item] = {}
    for one in listed:
        first.setdefault(one.rule, one)
    for rule, one in sorted(first.items()):
        text = rule.replace("_", " ").capitalize()
        properties = {"security-severity": _SCORES[one.severity], "tags": ["smtp", "exchange-online"]}
        help_text = {"text": f"See {_PAGE}"}
        yield {"id": rule, "shortDescription": {"text": text}, "help": help_text, "helpUri": _PAGE, "properties": properties}


def _result(one: Item, place: tuple[str, int] | None) -> dict[str, object]:
    where: dict[str, object] = {"logicalLocations": [{"name": one.subject, "fullyQualifiedName": f"{one.tenant}/{one.subject}"}]}
    if place:
        path, line = place
        where["physicalLocation"] = {"artifactLocation": {"uri": path}, "region": {"startLine": line}}
    change = {"baselineState": "new" if one.change == NEW else "unchanged"} if one.change else {}
    return {
        "ruleId": one.rule,
        "level": _LEVELS[one.severity],
        "message": {"text": f"{one.tenant}, {one.subject}: {one.problem} {one.remedy}".rstrip()},
        "locations": [where],
        "partialFingerprints": {"mailopsAudit/v1": one.fingerprint},
        "properties": {"tenant": one.tenant, "severity": one.severity, "date": one.date},
        **change,
    }
