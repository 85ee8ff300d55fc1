# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each health check by its name: the first line, the document of module relay_status, and the metrics; tests/hosts breaks real relays."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import health, metrics, reasons, status_text
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.daemons import DaemonFailure
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.status_document import (
    CertificateStatus,
    DirectorySpace,
    MailboxStatus,
    QueueReason,
    QueueStatus,
    ReachedLimit,
    ServiceStatus,
    StalledQueue,
    Status,
    Suspension,
    TokenReport,
    UpstreamCheck,
)

REPO = Path(__file__).resolve().parents[6]
NOW = 1_795_600_000.0
MAILBOX, OTHER, SERVER = "scanner@contoso.com", "erp@contoso.com", "smtp.office365.com:587"
HEALTHY = Status("relay1", "oauth", NOW, QueueStatus(0, 0, 0, None, ()), (), None, (), (), {}, NOW)
OFF = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."
QUOTA = f"{MAILBOX} has reached its daily quota of 10 recipients; delivery resumes at 14:05"


def queue(text: str = "", held: int = 0, age: float = 60, sender: str = MAILBOX, reason: str = "") -> dict[str, QueueStatus]:
    """Two messages of a mailbox with this text of Postfix, or this entry of the error catalog."""
    explained = reasons.of_entry(reason) if reason else reasons.explain(text)
    row = QueueReason(
        **dataclasses.asdict(explained), mailbox=MAILBOX, messages=2, held=held, bytes=2000, oldest=NOW - age, senders=(sender,)
    )
    return {"queue": QueueStatus(2, held, 2000, NOW - age, (row,))}


def mailbox(quota_resumes: float | None = None, *suspended: str) -> MailboxStatus:
    suspensions = tuple(Suspension(sender, "send-as-denied", NOW - 60, NOW + 3540, 0) for sender in suspended)
    return MailboxStatus(MAILBOX, "m365-1", (MAILBOX, OTHER), None, None, 0, 10, 2, quota_resumes, suspensions)


def unit(**values: Any) -> tuple[ServiceStatus]:
    service = ServiceStatus("mailops-relay-monitor.service", "active", "success", 0, True, False, "critical", "quotas are not enforced")
    return (dataclasses.replace(service, **values),)


def space(free_bytes: int, free_files: int = 10**6) -> tuple[DirectorySpace]:
    return (DirectorySpace("/var/spool/postfix", free_bytes, 100 << 20, free_files, 500, "no mail is accepted"),)


def daemon(program: str, label: str = "") -> DaemonFailure:
    return DaemonFailure(program, label, "bad numerical configuration: x = y", NOW - 120, NOW - 60, 2, True)


def token(expires: float | None, failure: str = "") -> TokenReport:
    return TokenReport(expires, NOW - 60, failure, "", NOW - 60 if failure else None)


def upstream(**values: Any) -> UpstreamCheck:
    return UpstreamCheck(SERVER, NOW - 20, NOW - 20, **values)


UNREACHABLE = "connect to smtp.office365.com[192.0.2.1]:587: Connection timed out"
NO_DNS = "DNS lookup for smtp.office365.com failed: Temporary failure in name resolution"
# Check -> subject, severity, and what differs from a healthy relay.
FAILURES: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "queue_unreadable": [("queue", "critical", {"queue": QueueStatus(0, 0, 0, None, (), "down")})],
    "unit_not_running": [("mailops-relay-monitor.service", "critical", {"services": unit(state="failed")})],
    "unit_hanging": [("mailops-relay-monitor.service", "critical", {"services": unit(state="hanging", last_signal=NOW - 180)})],
    "unit_disabled": [("mailops-relay-monitor.service", "medium", {"services": unit(enabled=False)})],
    "daemon_failing": [
        ("postfix/pickup, postfix/smtpd", "critical", {"daemons": (daemon("smtpd"), daemon("pickup"))}),
        ("postfix/legacy/smtpd", "high", {"daemons": (daemon("smtpd", "legacy"),)}),
    ],
    "queue_stalled": [
        ("postfix/qmgr", "critical", {"stalled": (StalledQueue("qmgr", "incoming", NOW - 900, 3),)}),
        ("postfix/qmgr", "critical", {"stalled": (StalledQueue("qmgr", "", NOW - 3600, 1),)}),
        ("postfix/pickup", "critical", {"stalled": (StalledQueue("pickup", "maildrop", NOW - 900, 1),)}),
    ],
    "disk_full": [("/var/spool/postfix", "critical", {"space": space(99 << 20)})],
    "inodes_exhausted": [("/var/spool/postfix", "critical", {"space": space(10 << 30, 499)})],
    "disk_low": [("/var/spool/postfix", "medium", {"space": space(299 << 20)})],
    "process_limit": [("submission", "high", {"limits": (ReachedLimit("processes", "submission", NOW - 900),)})],
    "unknown_clients": [("port 587", "medium", {"limits": (ReachedLimit("unknown clients", "587", NOW - 900),)})],
    "client_limit": [("unknown[192.0.2.5]", "medium", {"limits": (ReachedLimit("client", "unknown[192.0.2.5]", NOW - 900),)})],
    "addresses_banned": [("fail2ban", "low", {"banned": ("192.0.2.7",)})],
    "bans_lost": [("fail2ban", "medium", {"banned": ("192.0.2.7",), "lost_bans": ("192.0.2.7",)})],
    "jail_not_running": [("fail2ban", "high", {"jail_running": False})],
    "upstream_unreachable": [
        (SERVER, "high", {"upstream_check": upstream(failure=UNREACHABLE, failing_since=NOW - 60)}),
        (SERVER, "critical", {"upstream_check": upstream(failure=UNREACHABLE, failing_since=NOW - 900)}),
    ],
    "dns_failing": [
        ("DNS", "high", {"upstream_check": upstream(failure=NO_DNS, failing_since=NOW - 60)}),
        ("DNS", "critical", {"upstream_check": upstream(failure=NO_DNS, failing_since=NOW - 900)}),
    ],
    "clock_off": [
        ("clock", "medium", {"upstream_check": upstream(clock_offset=60.0)}),
        ("clock", "high", {"upstream_check": upstream(clock_offset=-300.0)}),
    ],
    "clock_not_synchronized": [("clock", "low", {"upstream_check": upstream(), "clock_synchronized": False})],
    "token_missing": [
        ("token", "critical", {"token": token(None)}),
        ("token", "critical", {"token": token(NOW - 1)}),
        ("token", "critical", {"token": token(NOW - 1, "Could not get a token: x (AADSTS700027).")}),
    ],
    "token_renewal_failing": [("token", "medium", {"token": token(NOW + 600, "Could not get a token: x (AADSTS700027).")})],
    "delivery_failing": [
        (MAILBOX, "high", queue(OFF)),
        (MAILBOX, "low", queue(UNREACHABLE)),
        (MAILBOX, "high", queue(UNREACHABLE, age=3600)),
        (MAILBOX, "high", {**queue(OFF, sender=OTHER), "mailboxes": (mailbox(None),)}),
    ],
    "held_by_administrator": [(MAILBOX, "high", queue(held=2))],
    "queue_long": [(MAILBOX, "info", queue(age=3600))],
    "quota_reached": [
        (MAILBOX, "low", {"mailboxes": (mailbox(NOW + 600),)}),
        (MAILBOX, "low", {**queue(QUOTA), "mailboxes": (mailbox(NOW + 600),)}),
        (MAILBOX, "high", {**queue(QUOTA, age=3600), "mailboxes": (mailbox(NOW + 600),)}),
    ],
    "sender_suspended": [
        (OTHER, "high", {"mailboxes": (mailbox(None, OTHER),)}),
        (MAILBOX, "high", {"mailboxes": (mailbox(None, ""),)}),
        (MAILBOX, "high", {**queue(reason="send-as-denied", held=2), "mailboxes": (mailbox(None, MAILBOX),)}),
        (MAILBOX, "high", {**queue(reason="send-as-denied", held=2, sender=OTHER), "mailboxes": (mailbox(None, ""),)}),
    ],
    "certificate_expiring": [
        ("/etc/x.pem", "medium", {"certificates": (CertificateStatus("devices", "/etc/x.pem", NOW + 20 * 86400),)}),
        ("/etc/x.pem", "high", {"certificates": (CertificateStatus("devices", "/etc/x.pem", NOW - 86400),)}),
    ],
    "certificate_unusable": [
        ("/etc/x.pem", "high", {"certificates": (CertificateStatus("devices", "/etc/x.pem", None, "the file does not exist"),)}),
        ("/etc/x.pem", "high", {"certificates": (CertificateStatus("sign-in", "/etc/x.pem", NOW - 1, "it does not match its key"),)}),
    ],
}  # fmt: skip
CASES = [(check, *case) for check, cases in FAILURES.items() for case in cases]
LINE = {
    "critical": "to solve: ",
    "high": "to solve: ",
    "medium": "that can wait: ",
    "low": "of low severity: ",
    "info": "no action required",
}


def documented(check: str) -> str:
    """What docs/what-can-go-wrong.md says that `mailops-relay status` reports."""
    lines = (REPO / "docs" / "what-can-go-wrong.md").read_text(encoding="utf-8").splitlines()
    cells = [line.split(" | ") for line in lines if line.startswith("| ")]
    return " ".join(row[3] for row in cells if f"`{check}`" in row[1])


def failing(**changed: Any) -> Status:
    status = dataclasses.replace(HEALTHY, **changed)
    return dataclasses.replace(status, problems=health.problems(status))


def test_relay_without_a_failure_is_healthy() -> None:
    assert failing().problems == ()
    assert set(FAILURES) == set(health.CHECKS)


@pytest.mark.parametrize(("check", "subject", "severity", "changed"), CASES)
def test_each_check_is_in_the_first_line_the_document_and_the_metrics(
    check: str, subject: str, severity: str, changed: dict[str, Any]
) -> None:
    document = failing(**changed)
    (problem,) = document.problems
    assert (problem.check, problem.subject, problem.severity) == (check, subject, severity)
    assert problem.cause
    assert bool(problem.remedy) == (check != "queue_long")
    first, _colour = next(status_text.lines(document))
    assert first.endswith(LINE[severity] + (subject if severity != "info" else "")), first
    assert "healthy" not in first
    result: Any = document.as_result()
    assert [(one["check"], one["severity"]) for one in result["problems"]] == [(check, severity)]
    lines = [line for line in metrics.render(document).splitlines() if line.startswith("mailops_relay_health_check_failed{")]
    assert set(lines) == {f'mailops_relay_health_check_failed{{check="{name}"}} {int(name == check)}' for name in health.CHECKS}


def test_processes_that_wait_for_space_do_not_hang() -> None:
    stalled = (StalledQueue("pickup", "maildrop", NOW - 900, 1),)
    assert [problem.check for problem in failing(stalled=stalled, space=space(1 << 20)).problems] == ["disk_full"]
    assert [problem.check for problem in failing(stalled=stalled, space=space(10 << 30, 3)).problems] == ["inodes_exhausted"]


def test_lost_ban_is_not_listed_as_banned() -> None:
    causes = [problem.cause for problem in failing(banned=("192.0.2.7", "192.0.2.8"), lost_bans=("192.0.2.8",)).problems]
    assert [cause.rpartition(": ")[2] for cause in causes] == ["192.0.2.8", "192.0.2.7"]


@pytest.mark.parametrize("queued", [{}, queue(reason="send-as-denied", held=2)])
def test_suspended_sender_has_its_next_attempt(queued: dict[str, Any]) -> None:
    (problem,) = failing(**queued, mailboxes=(mailbox(None, MAILBOX),)).problems
    assert "Next attempt at " in problem.remedy


def test_suspended_sender_beside_one_with_queued_messages_is_reported() -> None:
    """Both of one mailbox, for the same reason."""
    document = failing(**queue(reason="send-as-denied", held=2), mailboxes=(mailbox(None, MAILBOX, OTHER),))
    assert [(one.check, one.subject, one.messages) for one in document.problems] == [
        ("sender_suspended", MAILBOX, 2),
        ("sender_suspended", OTHER, 0),
    ]


@pytest.mark.parametrize("check", health.CHECKS)
def test_each_severity_is_documented(check: str) -> None:
    severities = {severity for _subject, severity, _changed in FAILURES[check]}
    assert severities <= set(re.findall(r"\w+", documented(check)))
