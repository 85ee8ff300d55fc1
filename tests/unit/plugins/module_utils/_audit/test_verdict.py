# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of cases: evidence and date -> verdict."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.evidence import BasicUsage, ClientUsage, Evidence, SenderKey
from ansible_collections.mailops.m365.plugins.module_utils._audit.mail_flow import MailFlow
from ansible_collections.mailops.m365.plugins.module_utils._audit.names import SEVERITIES, VERDICTS
from ansible_collections.mailops.m365.plugins.module_utils._audit.verdict import Calendar, verdict


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


TODAY, OFF = day("2026-11-28"), day("2026-12-31")
NONE_SEEN = BasicUsage()
SEEN = BasicUsage(succeeded=3, last_succeeded=day("2026-11-27"), addresses=("203.0.113.9",))
FAILED = BasicUsage(failed=9, last_failed=day("2026-11-27"), addresses=("198.51.100.7",))
CERTIFICATE, SECRET = SenderKey("certificate", day("2027-11-28")), SenderKey("secret", day("2027-11-28"))
OPEN: dict[str, Any] = {"smtp_auth": True, "basic_allowed": True, "security_defaults": False, "direct_send_rejected": False}


FLOW = MailFlow(messages=9, recipients=9, last=TODAY, sources=("203.0.113.9",))
SILENT: dict[str, Any] = {"traced": True, "flow": MailFlow(), "trace_days": 10}
OLD_TLS = ClientUsage(basic=False, oauth=True, messages=3, old_tls=("TLS 1.0",))
BILLED = "BillingPolicyValid"


def judge(today: datetime.date = TODAY, reenabled: bool = False, **evidence: Any) -> Any:
    return verdict(Evidence("erp@contoso.com", **{**OPEN, **evidence}), Calendar(today, OFF, reenabled))


def listed(method: str | None, **evidence: Any) -> dict[str, Any]:
    return {"listed": True, "method": method, **evidence}


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "basic seen, as planned": (listed("basic", basic=SEEN), "breaks", "high"),
    "basic seen, although planned with OAuth": (listed("oauth", basic=SEEN, key=CERTIFICATE), "breaks", "high"),
    "basic seen, its plan failed": (listed(None, basic=SEEN), "breaks", "high"),
    "basic seen, in no inventory": ({"basic": SEEN}, "breaks", "high"),
    "basic seen, refused since by Security Defaults": ({"basic": SEEN, "security_defaults": True}, "refused", "high"),
    "basic seen, refused since by its policy": (listed("basic", basic=SEEN, basic_allowed=False), "refused", "high"),
    "basic planned, log not readable": (listed("basic"), "breaks", "high"),
    "basic planned, nothing seen": (listed("basic", basic=NONE_SEEN), "unverified", "low"),
    "basic planned, nothing seen, verified": (listed("basic", basic=NONE_SEEN, verified=TODAY), "breaks", "high"),
    "basic planned, only failures": (listed("basic", basic=FAILED), "refused", "medium"),
    "basic planned, SMTP AUTH disabled": (listed("basic", basic=NONE_SEEN, smtp_auth=False), "refused", "high"),
    "Basic seen, High Volume Email": (listed("hve", basic=SEEN, smtp_auth=None, hve=BILLED), "safe", "low"),
    "Basic seen, High Volume Email without billing policy": (listed("hve", basic=SEEN, smtp_auth=None, hve="None"), "refused", "high"),
    "High Volume Email": (listed("hve", basic=NONE_SEEN, hve=BILLED), "safe", "info"),
    "High Volume Email without billing policy": (listed("hve", basic=NONE_SEEN, hve="SubscriptionIsNotActive"), "refused", "high"),
    "High Volume Email without account": (listed("hve", basic=NONE_SEEN, hve=""), "refused", "high"),
    "High Volume Email, billing not readable": (listed("hve", basic=NONE_SEEN), "unknown", "medium"),
    "Basic and OAuth seen": (listed("oauth", basic=SEEN, clients=ClientUsage(oauth=True), key=CERTIFICATE), "breaks", "high"),
    "only failures of a listed sender": (listed("connector", basic=FAILED), "refused", "medium"),
    "only failures of another mailbox": ({"basic": FAILED}, "refused", "low"),
    "OAuth with a certificate": (listed("oauth", basic=NONE_SEEN, key=CERTIFICATE), "safe", "info"),
    "OAuth with a secret": (listed("oauth", basic=NONE_SEEN, key=SECRET), "safe", "low"),
    "OAuth, key ends soon": (listed("oauth", basic=NONE_SEEN, key=SenderKey("secret", day("2026-12-28"))), "expires", "high"),
    "OAuth, key ended": (listed("oauth", key=SenderKey("certificate", day("2026-11-27"))), "expires", "critical"),
    "OAuth, keys not readable": (listed("oauth", basic=NONE_SEEN), "unknown", "medium"),
    "OAuth, SMTP AUTH disabled": (listed("oauth", basic=NONE_SEEN, smtp_auth=False, key=CERTIFICATE), "refused", "high"),
    "OAuth, log not readable": (listed("oauth", key=CERTIFICATE), "unknown", "medium"),
    "OAuth, log not readable, Basic refused": (listed("oauth", key=CERTIFICATE, basic_allowed=False), "safe", "info"),
    "connector": (listed("connector", basic=NONE_SEEN), "safe", "info"),
    "connector, seen nowhere": (listed("connector", basic=NONE_SEEN, **SILENT), "unverified", "low"),
    "connector, in the trace": (listed("connector", basic=NONE_SEEN, traced=True, flow=FLOW), "safe", "info"),
    "connector, seen nowhere, verified": (listed("connector", basic=NONE_SEEN, verified=TODAY, **SILENT), "safe", "info"),
    "OAuth with a certificate, seen nowhere": (listed("oauth", basic=NONE_SEEN, key=CERTIFICATE, **SILENT), "unverified", "low"),
    "OAuth with a secret, seen nowhere": (listed("oauth", basic=NONE_SEEN, key=SECRET, **SILENT), "unverified", "low"),
    "OAuth, only in the export": (
        listed("oauth", basic=NONE_SEEN, key=CERTIFICATE, clients=ClientUsage(basic=False, oauth=True, messages=3), **SILENT),
        "safe",
        "info",
    ),
    "hosted relay, which the trace does not have": (listed("hosted", basic=NONE_SEEN, flow=MailFlow()), "safe", "info"),
    "TLS 1.0 with OAuth": (listed("oauth", basic=NONE_SEEN, clients=OLD_TLS, key=CERTIFICATE), "outdated", "medium"),
    "TLS 1.0 with OAuth, in no inventory": ({"basic": NONE_SEEN, "clients": OLD_TLS}, "outdated", "medium"),
    "TLS 1.0 with Basic": (listed("basic", basic=SEEN, clients=replace(OLD_TLS, basic=True)), "breaks", "high"),
    "a connector, in no inventory": ({"flow": FLOW, "connector": "Office"}, "unlisted", "medium"),
    "a connector by certificate, in no inventory": (
        {"flow": FLOW, "relayed": True, "certificate_connectors": ("Data centre",), "smtp_auth": None},
        "unlisted",
        "medium",
    ),
    "Direct Send or a connector, connectors not readable": (
        {"flow": FLOW, "direct_send": True, "smtp_auth": False, "connector": None, "direct_send_rejected": True},
        "unlisted",
        "medium",
    ),
    "an unknown path, in no inventory": ({"flow": FLOW, "relayed": True, "smtp_auth": None}, "unlisted", "medium"),
    "Direct Send, in no inventory": ({"flow": FLOW, "direct_send": True, "smtp_auth": False}, "unlisted", "medium"),
    "Direct Send, in no inventory, rejected": ({"flow": FLOW, "direct_send": True, "direct_send_rejected": True}, "refused", "high"),
    "OAuth, in no inventory": ({"basic": NONE_SEEN, "flow": FLOW}, "unlisted", "medium"),
    "mail from an unknown source, log not readable": ({"flow": FLOW}, "unknown", "medium"),
    "OAuth in the export, in no inventory": ({"clients": ClientUsage(basic=False, oauth=True, messages=9)}, "unlisted", "medium"),
    "connector, nothing readable": (listed("connector", smtp_auth=None, basic_allowed=None, security_defaults=None), "unknown", "medium"),
    "connector, log not readable, SMTP AUTH disabled": (listed("connector", smtp_auth=False), "safe", "info"),
    "Direct Send": (listed("direct_send", basic=NONE_SEEN), "safe", "info"),
    "Direct Send, rejected": (listed("direct_send", basic=NONE_SEEN, direct_send_rejected=True), "refused", "high"),
    "Direct Send, not readable": (listed("direct_send", basic=NONE_SEEN, direct_send_rejected=None), "unknown", "medium"),
    "plan failed, nothing seen": (listed(None, basic=NONE_SEEN), "unknown", "medium"),
    "SMTP AUTH open, nothing seen": ({"basic": NONE_SEEN}, "unused", "low"),
    "SMTP AUTH open, log not readable": ({}, "unknown", "medium"),
    "Basic in the export, log not readable": (listed("oauth", clients=ClientUsage(basic=True), key=CERTIFICATE), "breaks", "high"),
    "Basic in the export, in no inventory": ({"clients": ClientUsage(basic=True)}, "breaks", "high"),
    "Basic in the export, SMTP AUTH disabled since": ({"clients": ClientUsage(basic=True), "smtp_auth": False}, "refused", "high"),
    "only OAuth in the export, log not readable": (
        listed("oauth", clients=ClientUsage(basic=False, oauth=True), key=CERTIFICATE),
        "safe",
        "info",
    ),
    "an export without protocols, log not readable": (listed("connector", clients=ClientUsage(messages=3)), "unknown", "medium"),
    "SMTP in the usage report, log not readable": ({"smtp_app": True}, "unknown", "medium"),
    "no SMTP in the usage report, log not readable": ({"smtp_app": False}, "unused", "low"),
    "SMTP AUTH open, log not readable, Basic refused": ({"security_defaults": True}, "unused", "low"),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    evidence, expected, severity = CASES[name]
    result = judge(**evidence)
    assert (result.name, result.severity) == (expected, severity), result
    assert result.reason.endswith(".")
    assert result.remedy or result.name == "safe"


def test_all_verdicts_and_severities_are_in_the_table() -> None:
    assert {expected for _evidence, expected, _severity in CASES.values()} == set(VERDICTS)
    assert {severity for _evidence, _expected, severity in CASES.values()} == set(SEVERITIES)


@pytest.mark.parametrize(
    ("today", "last", "reenabled", "severity", "words"),
    [
        ("2026-09-01", "2026-08-31", False, "medium", "end of December 2026 (in 121 days); an administrator can enable it again"),
        ("2026-10-02", "2026-10-01", False, "high", "in 90 days"),
        ("2026-12-31", "2026-12-30", False, "critical", "disabled by default since 2026-12-31; an administrator can enable it again"),
        ("2027-02-01", "2027-01-31", False, "medium", "still enabled in this tenant; Microsoft announces the date of its removal"),
        ("2026-11-28", "2026-11-27", True, "medium", "An administrator has enabled it again"),
    ],
)
def test_the_date_is_an_input(today: str, last: str, reenabled: bool, severity: str, words: str) -> None:
    usage = BasicUsage(succeeded=1, last_succeeded=day(last))
    result = judge(day(today), reenabled, **listed("basic", basic=usage))
    assert (result.name, result.severity) == ("breaks", severity)
    assert words in result.reason
    assert "stops working" not in result.reason


def test_the_day_of_security_defaults_counts_if_it_is_the_first() -> None:
    def at(due: str, today: str = "2026-11-28", reenabled: bool = False, last: str = "2026-11-27") -> Any:
        evidence = Evidence("erp@contoso.com", **{**OPEN, **listed("basic", basic=BasicUsage(succeeded=1, last_succeeded=day(last)))})
        return verdict(evidence, Calendar(day(today), OFF, reenabled, day(due)))

    first = at("2026-12-10")
    assert (first.name, first.severity, first.date) == ("breaks", "high", day("2026-12-10"))
    assert "Microsoft enables Security Defaults in this tenant on 2026-12-10 (in 12 days), which refuse" in first.reason
    assert at("2027-02-01").date == OFF, "the general date is before"
    assert at("2027-02-01", reenabled=True).date == day("2027-02-01")
    assert at("2027-02-01", today="2027-01-15", last="2027-01-14").date == day("2027-02-01"), "still in use"
    assert at("2027-02-01", today="2027-01-15").severity == "critical", "disabled already"
    assert at("2026-11-01").date == OFF, "Microsoft did not keep the date"


def test_no_data_and_zero_differ() -> None:
    assert BasicUsage().as_result()["succeeded"] == 0
    assert judge(**listed("connector")).name == "unknown"
    assert judge(**listed("connector", basic=BasicUsage())).name == "safe"


@pytest.mark.parametrize("method", ["oauth", "connector", "relay_host", "hve", "acs", "hosted", "delegated", "direct_send", "basic", None])
def test_without_any_readable_source_nothing_is_safe(method: str | None) -> None:
    result = verdict(Evidence("erp@contoso.com", listed=True, method=method), Calendar(TODAY, OFF))
    assert result.name == ("breaks" if method == "basic" else "unknown")


def test_two_programs_are_severe_long_before_the_date() -> None:
    both = judge(day("2026-08-01"), basic=SEEN, clients=ClientUsage(basic=True, oauth=True))
    assert both.severity == "high"
    assert "203.0.113.9, and OAuth too: two programs use the mailbox" in both.reason
    assert judge(day("2026-08-01"), basic=SEEN, clients=ClientUsage(basic=True)).severity == "medium"


def test_a_verified_sender_is_safe_with_its_date() -> None:
    assert judge(**listed("connector", basic=NONE_SEEN, verified=TODAY)).reason.endswith("It was verified on 2026-11-28.")


def test_high_volume_email_is_delivered_until_it_is_metered() -> None:
    before = judge(day("2026-05-01"), **listed("hve", basic=NONE_SEEN, hve="NoProperBillingPolicyStored"))
    assert (before.name, before.severity, before.date) == ("breaks", "high", day("2026-06-01"))


def test_possible_connectors_of_an_address_are_named() -> None:
    reason = judge(flow=FLOW, relayed=True, smtp_auth=None, certificate_connectors=("A", "B")).reason
    assert "without sign-in, probably through a connector matched by certificate (A, B) (9 messages" in reason
    direct = judge(flow=FLOW, direct_send=True, smtp_auth=None, certificate_connectors=("A",)).reason
    assert "Direct Send, the inbound connector A, or somebody else in its name" in direct


def test_connectors_that_were_not_read_are_not_none() -> None:
    for path in ("direct_send", "relayed"):
        reason = judge(**{"flow": FLOW, path: True, "smtp_auth": None, "connector": None}).reason
        assert "Whether through a connector could not be read." in reason
        assert "Direct Send" not in reason


def test_two_programs_and_old_tls_are_named() -> None:
    reason = judge(clients=ClientUsage(basic=True, oauth=True, old_tls=("TLS 1.0", "TLS 1.1"))).reason
    assert "and OAuth too: two programs use the mailbox, with TLS 1.0 and TLS 1.1" in reason
    assert "It used SMTP in the last 180 days" in judge(smtp_app=True).reason


def test_the_reason_of_a_silent_sender_has_the_days_of_the_trace() -> None:
    """One that sends once a month is in no trace of ten days: the sentence names the days, and the remedy says that it may be in use."""
    result = judge(**listed("connector", basic=NONE_SEEN, **SILENT))
    assert "No message of it was seen in the message trace of 10 days" in result.reason
    assert "It may send less often than that: remove it only if no program uses it." in result.remedy
    assert judge(**listed("connector", basic=NONE_SEEN, traced=True, flow=None)).name == "safe", "a trace that was not read says nothing"
