# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents mailops.audit/1 for the tests of the files that an audit writes."""

from __future__ import annotations

from typing import Any

NAMES = ("breaks", "refused", "expires", "unknown", "unlisted", "outdated", "unverified", "unused", "safe")
STARTED = "2026-11-28T16:00:00Z"
BASIC = {"succeeded": 812, "failed": 0, "last_succeeded": "2026-11-27", "last_failed": None, "addresses": ["203.0.113.9", "203.0.113.10"]}
SENDER: dict[str, Any] = {
    "name": "ERP", "address": "erp@contoso.com", "listed": True,
    "method": "basic", "smtp_auth": True, "basic_allowed": True, "basic": BASIC,
    "mail": {"messages": 812, "recipients": 830, "external_recipients": 0, "last": "2026-11-27", "sources": ["203.0.113.9"]},
    "connector": "Plant", "clients": {"basic": True, "oauth": False, "messages": 812, "old_tls": []},
    "verdict": "breaks", "severity": "high", "date": "2026-12-31", "reason": "Basic authentication was used.", "remedy": "Move it.",
}  # fmt: skip
NO_EVIDENCE: dict[str, Any] = {"basic": None, "mail": None, "clients": None, "connector": None}
SAFE = SENDER | NO_EVIDENCE | {
    "name": "Shop", "address": "shop@contoso.com", "method": "oauth", "verdict": "safe", "severity": "info", "date": None,
    "reason": "Its method is oauth.", "remedy": "",
}  # fmt: skip
UNLISTED = SENDER | NO_EVIDENCE | {
    "name": "", "address": "crm@contoso.com", "listed": False, "method": None, "verdict": "unknown", "severity": "medium",
    "date": None,
}  # fmt: skip
FINDING = {"id": "spf", "severity": "medium", "subject": "contoso.com", "problem": "It has no SPF record.", "remedy": "Publish it."}
OPEN = {"id": "direct_send_open", "severity": "low", "subject": "organization", "problem": "Direct Send is not rejected.", "remedy": ""}
NAMES_OF_SOURCES = ("sign_ins", "smtp_auth", "spf", "direct_send")
TIMETABLE = [
    {
        "id": "smtp_basic_off_existing", "when": "end of December 2026", "what": "Basic authentication is disabled by default.",
        "precision": "month", "source": "Exchange Team Blog", "published": "2026-01-29", "first_day": "2026-12-31", "last_day": None,
        "wording": "", "void": False, "checked": "2026-11-28", "status": "planned", "days": 33, "stale": False,
    },
    {
        "id": "direct_send_default", "when": "no date published", "what": "Microsoft intends to reject Direct Send by default.",
        "precision": "none", "source": "Exchange Team Blog", "published": "2025-04-28", "first_day": None, "last_day": None,
        "wording": "", "void": False, "checked": "2026-11-28", "status": "undated", "days": None, "stale": False,
    },
]  # fmt: skip


def sources(*unreadable: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "label": f"label of {name}", "readable": name not in unreadable, "reason": "no licence" * (name in unreadable)}
        for name in NAMES_OF_SOURCES
    ]


def audited(*senders: dict[str, Any], findings: tuple[dict[str, Any], ...] = (), unreadable: tuple[str, ...] = ()) -> dict[str, Any]:
    """The audit of a tenant, as in the document."""
    return {
        "audited": True, "date": "2026-11-28", "days": 30, "sources": sources(*unreadable), "senders": list(senders),
        "findings": list(findings), "configuration": {"smtp_auth": "enabled", "security_defaults": None, "connectors": []},
        "totals": {name: sum(one["verdict"] == name for one in senders) for name in NAMES},
    }  # fmt: skip


def document(started: str = STARTED, **tenants: Any) -> dict[str, Any]:
    """A document; a tenant that is a text was not audited for this reason."""
    rows = {name: {"audited": False, "reason": audit} if isinstance(audit, str) else audit for name, audit in tenants.items()}
    every = [audit for audit in rows.values() if audit["audited"]]
    return {
        "format": "mailops.audit/1",
        "started": started,
        "totals": {
            "tenants": {"audited": len(every), "not_audited": len(rows) - len(every)},
            "senders": {name: sum(audit["totals"][name] for audit in every) for name in NAMES},
        },
        "timetable": TIMETABLE,
        "tenants": rows,
    }
