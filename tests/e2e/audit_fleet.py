"""Documents mailops.audit/1 of fleets for the tests of the page: evidence from a fixed seed, with the verdicts of the audit itself."""

from __future__ import annotations

import datetime
import random
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._audit.evidence import BasicUsage, Evidence, SenderKey
from ansible_collections.mailops.m365.plugins.module_utils._audit.findings import Configuration, SpfState, findings
from ansible_collections.mailops.m365.plugins.module_utils._audit.names import SEVERITIES, VERDICTS
from ansible_collections.mailops.m365.plugins.module_utils._audit.sources import LABELS
from ansible_collections.mailops.m365.plugins.module_utils._audit.timetable import TIMETABLE
from ansible_collections.mailops.m365.plugins.module_utils._audit.verdict import Calendar, verdict

TODAY = datetime.date(2026, 11, 28)
CALENDAR = Calendar(TODAY, datetime.date(2026, 12, 31))
NO_LICENCE = "The sign-in log is not readable: the tenant has no licence of Microsoft Entra ID P1."
WORDS = ("contoso", "fabrikam", "northwind", "adatum", "litware", "tailspin", "wingtip", "proseware", "fourthcoffee", "lucerne")
SENDERS = (
    ("ERP", "erp"), ("Scanner second floor", "scanner"), ("Web shop", "shop"), ("Monitoring", "monitoring"), ("Label printer", "labels"),
    ("Ticket system", "tickets"), ("NAS", "nas"), ("CRM", "crm"), ("Payroll", "payroll"), ("UPS", "ups"), ("Door access", "doors"),
)  # fmt: skip
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "\u202egnirtsrever\u202c",
    "=cmd|' /C calc'!A0",
    "x" * 5_000,
    "<!--<script>",
    "\u2028\u2029&amp;{{ 7 * 7 }}",
)


def fleet(tenants: int, senders: int, started: str = "2026-11-28T16:00:00Z") -> dict[str, Any]:
    """A fleet. Every eleventh tenant has no readable sign-in log, and every seventeenth was not audited."""
    chance = random.Random(14)  # noqa: S311 - sample data
    rows = {}
    for number in range(tenants):
        word = WORDS[number % len(WORDS)]
        name = word if number < len(WORDS) else f"{word}-{number:03}"
        if number % 17 == 9:
            rows[name] = {"audited": False, "reason": "The client secret of the automation app is wrong (AADSTS7000215)."}
        else:
            rows[name] = tenant(chance, f"{name}.com", senders, unreadable=("sign_ins",) if number % 11 == 6 else ())
    return document(started, rows)


def tenant(chance: random.Random, domain: str, senders: int, unreadable: tuple[str, ...] = ()) -> dict[str, Any]:
    """The audit of a tenant."""
    rows = sorted((sender(chance, domain, number, unreadable) for number in range(senders)), key=_rank)
    configuration = Configuration(
        smtp_auth=chance.choice(("enabled", "disabled")),
        security_defaults=False,
        direct_send_rejected=chance.random() < 0.6,
        connectors=(),
        applications=(),
        spf=(SpfState(domain, ("v=spf1 -all",), ("It does not allow Microsoft 365.",) if chance.random() < 0.3 else ()),),
    )
    reasons = {name: NO_LICENCE if name in unreadable else "" for name in LABELS}
    return {
        "audited": True,
        "date": TODAY.isoformat(),
        "days": 30,
        "sources": [{"name": name, "label": LABELS[name], "readable": not why, "reason": why} for name, why in sorted(reasons.items())],
        "senders": rows,
        "findings": [one.as_result() for one in findings(configuration, TODAY)],
        "configuration": configuration.as_result(),
        "totals": {name: sum(row["verdict"] == name for row in rows) for name in VERDICTS},
    }


def sender(chance: random.Random, domain: str, number: int, unreadable: tuple[str, ...]) -> dict[str, Any]:
    name, local = SENDERS[number % len(SENDERS)]
    suffix = str(number // len(SENDERS) + 1) if number >= len(SENDERS) else ""
    listed = chance.random() < 0.85
    method = chance.choice(("oauth",) * 6 + ("connector", "connector", "relay_host", "basic")) if listed else None
    uses = method == "basic" or chance.random() < 0.06
    address = f"203.0.113.{chance.randrange(1, 250)}"
    usage = BasicUsage(chance.randrange(1, 900), 0, TODAY - datetime.timedelta(chance.randrange(1, 20)), None, (address,))
    evidence = Evidence(
        f"{local}{suffix}@{domain}",
        listed=listed,
        method=method,
        smtp_auth=method in ("oauth", "basic", None),
        basic_allowed=True,
        security_defaults=False,
        direct_send_rejected=False,
        basic=None if "sign_ins" in unreadable else usage if uses else BasicUsage(),
        key=SenderKey("certificate", TODAY + datetime.timedelta(chance.choice((12, *(200, 300, 420) * 9)))),
    )
    values = {"name": f"{name} {suffix}".strip() if listed else "", "address": evidence.address, "listed": listed, "method": method}
    values |= {"smtp_auth": evidence.smtp_auth, "basic_allowed": True, "basic": evidence.basic.as_result() if evidence.basic else None}
    return values | verdict(evidence, CALENDAR).as_result()


def _rank(row: dict[str, Any]) -> tuple[int, str]:
    return SEVERITIES.index(row["severity"]), row["address"]


def document(started: str, rows: dict[str, Any]) -> dict[str, Any]:
    audits = [audit for audit in rows.values() if audit["audited"]]
    return {
        "format": "mailops.audit/1",
        "started": started,
        "totals": {
            "tenants": {"audited": len(audits), "not_audited": len(rows) - len(audits)},
            "senders": {name: sum(audit["totals"][name] for audit in audits) for name in VERDICTS},
        },
        "timetable": [one.as_result(TODAY) for one in TIMETABLE],
        "tenants": rows,
    }


def hostile() -> dict[str, Any]:
    """A fleet in which everything that others can name is hostile."""
    made = fleet(2, 8)
    [first, *_rest] = made["tenants"].values()
    for number, text in enumerate(HOSTILE):
        first["senders"][number] |= {"name": text, "address": f"{text}@contoso.com", "reason": text, "remedy": text}
    first["findings"] = [{"id": "spf", "severity": "high", "subject": text, "problem": text, "remedy": text} for text in HOSTILE]
    first["configuration"]["smtp_auth"] = HOSTILE[0]
    first["configuration"][HOSTILE[1]] = {HOSTILE[0]: [HOSTILE[1], {"x": HOSTILE[0]}]}
    first["sources"][0] |= {"readable": False, "reason": HOSTILE[0], "label": HOSTILE[1]}
    made["tenants"]["northwind"] = {"audited": False, "reason": HOSTILE[0]}
    return made
