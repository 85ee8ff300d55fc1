# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay's status: disks, limits, bans, processes, certificates, the upstream server, the clock."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import metrics
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import DaemonEnded, DaemonThrottled, LimitReached

from .relay_sources import (
    CONFIG,
    MAILBOX,
    NOW,
    OFF,
    SERVER,
    UNREACHABLE,
    UPTIME,
    check,
    collect,
    delivery,
    message,
    monitor,
    relay_paths,
    statvfs,
    systemctl,
    text_of,
)

NO_DNS = "DNS lookup for smtp.office365.com failed: Temporary failure in name resolution"

LIMIT = {**CONFIG, "message_size_limit": 36700160, "fail2ban": True}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return relay_paths(tmp_path)


@pytest.mark.parametrize(
    ("disk", "severity", "cause"),
    [
        (statvfs(50 << 20, of="postfix"), "critical", "50 MB are free, and 52 MB are required: devices get 452 and no mail is accepted"),
        (statvfs(100 << 20, of="postfix"), "medium", "100 MB are free; with less than 52 MB devices get 452"),
        (statvfs(free_files=3, of="postfix"), "critical", "3 files (inodes) are free, and 500 are required: devices get 452"),
        (statvfs(1 << 20, of="lib"), "critical", "1 MB are free, and 16 MB are required: daily quotas are not enforced"),
        (statvfs(free_files=0, of="lib"), "critical", "0 files (inodes) are free"),
    ],
)
def test_full_disk_is_a_problem(paths: Paths, disk: Any, severity: str, cause: str) -> None:
    paths.config_file.write_text(json.dumps(LIMIT))
    document = collect(paths, disk=disk)
    (problem,) = document.problems
    assert (problem.severity, problem.cause[: len(cause)]) == (severity, cause)
    assert (f"1 problem {'to solve' if severity == 'critical' else 'that can wait'}: {problem.subject}") in text_of(document).splitlines()[
        0
    ]
    assert f'mailops_relay_free_bytes{{path="{problem.subject}"}}' in metrics.render(document)


def test_directory_without_a_limit_of_files_is_no_problem(paths: Paths) -> None:
    disk = SimpleNamespace(f_bavail=10**9, f_frsize=4096, f_files=0, f_favail=0)
    assert collect(paths, disk=lambda _path: disk).problems == ()


@pytest.mark.parametrize(
    ("event", "subject", "severity"),
    [
        (LimitReached(NOW - 900, "", "master", "processes", "submission"), "submission", "high"),
        (LimitReached(NOW - 900, "devices", "smtpd", "client", "unknown[192.0.2.5]"), "unknown[192.0.2.5]", "medium"),
    ],
)
def test_reached_limit_of_connections_is_a_problem_for_twenty_minutes(
    paths: Paths, event: LimitReached, subject: str, severity: str
) -> None:
    monitor(paths, event)
    (problem,) = collect(paths).problems
    assert (problem.subject, problem.severity) == (subject, severity)
    assert "relay_" in problem.remedy
    monitor(paths, dataclasses.replace(event, timestamp=NOW - 1300))
    assert collect(paths).problems == ()


def nft(reached: str = "", error: str = "") -> Any:
    """The commands' outputs on a relay with SASL users."""

    def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        if command[0][0] == "/usr/sbin/nft":
            output = f'{{"nftables": [{{"metainfo": {{}}}}, {reached}]}}'
            return subprocess.CompletedProcess(command[0], int(bool(error)), "" if error else output, error)
        return systemctl(*command, **options)

    return run


def test_share_of_unknown_clients_is_reported(paths: Paths) -> None:
    paths.config_file.write_text(json.dumps({**CONFIG, "sasl_users": True}))
    reached = '{"set": {"name": "reached", "timeout": 1200, "elem": [{"elem": {"val": 587, "expires": 1100}}]}}'
    document = collect(paths, run=nft(reached))
    (problem,) = document.problems
    assert (problem.subject, problem.severity) == ("port 587", "medium")
    assert document.limits[0].last == NOW - 100
    assert 'mailops_relay_connection_limit_reached_timestamp_seconds{kind="unknown clients",name="587"}' in metrics.render(document)
    assert collect(paths, run=nft('{"set": {"name": "reached"}}')).problems == ()


def test_removed_table_of_connection_limits_is_a_problem(paths: Paths) -> None:
    paths.config_file.write_text(json.dumps({**CONFIG, "sasl_users": True}))
    missing = "Error: No such file or directory\nlist set inet mailops_relay reached\n              ^^^^^^^^^^^^^\n"
    (problem,) = collect(paths, run=nft(error=missing)).problems
    assert (problem.subject, problem.severity) == ("mailops-relay-connection-limits.service", "high")
    assert "unknown clients can use all connections" in problem.cause
    assert collect(paths, run=nft(error="Operation not permitted (you must be root)")).problems == ()


def test_banned_addresses_are_listed(paths: Paths) -> None:
    paths.config_file.write_text(json.dumps(LIMIT))
    written = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW - 600))
    answers = {
        "status": "   |- Total banned:\t2\n   `- Banned IP list:\t192.0.2.7 2001:db8::7\n",
        "get": f"2001:db8::7 \t{written} + 3600 = -\n192.0.2.7 \t{written} + 3600 = -\n",
    }
    elements = [{"elem": ["192.0.2.7"]}, {"elem": [{"prefix": {"addr": "2001:db8::", "len": 64}}]}]

    def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        if command[0][0] == "/usr/sbin/nft":
            names = ("addr-set-mailops-relay", "addr6-set-mailops-relay")
            sets = [{"set": {"name": name, **content}} for name, content in zip(names, elements, strict=True)]
            rules = [{"rule": {"expr": [{"match": {"right": f"@{name}"}}]}} for name in names]
            return subprocess.CompletedProcess(command[0], 0, json.dumps({"nftables": sets + rules}), "")
        if command[0][0] == "fail2ban-client":
            return subprocess.CompletedProcess(command[0], 0, answers[command[0][1]], "")
        done = systemctl(*command, **options)
        active = f"ActiveEnterTimestampMonotonic={(UPTIME - 600) * 1e6:.0f}\n"
        return subprocess.CompletedProcess(command[0], 0, done.stdout.replace("Result=", f"{active}Result="), "")

    document = collect(paths, run=run)
    assert document.banned == ("192.0.2.7", "2001:db8::7")
    (problem,) = document.problems
    assert not problem.urgent
    assert problem.cause == "banned after failed authentication: 192.0.2.7, 2001:db8::7"
    assert "mailops_relay_banned_addresses 2" in metrics.render(document)
    elements[1] = {"elem": []}
    document = collect(paths, run=run)
    assert document.lost_bans == ("2001:db8::7",)
    assert [(one.check, one.severity) for one in document.problems] == [("bans_lost", "medium"), ("addresses_banned", "low")]
    assert "systemctl restart fail2ban" in document.problems[0].remedy


def test_jail_that_does_not_run_is_a_problem_once_fail2ban_has_started(paths: Paths) -> None:
    paths.config_file.write_text(json.dumps(LIMIT))

    def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        if command[0][0] == "fail2ban-client":
            return subprocess.CompletedProcess(command[0], 255, "Sorry but the jail 'mailops-relay' does not exist\n", "")
        done = systemctl(*command, **options)
        return subprocess.CompletedProcess(command[0], 0, done.stdout.replace("Result=", f"{active}Result="), "")

    for seconds, reported in ((59, False), (60, True)):
        active = f"ActiveEnterTimestampMonotonic={(UPTIME - seconds) * 1e6:.0f}\n"
        document = collect(paths, run=run)
        assert (document.jail_running is False) == reported
        assert [(one.check, one.severity) for one in document.problems] == ([("jail_not_running", "high")] if reported else [])
    paths.config_file.write_text(json.dumps(CONFIG))
    assert collect(paths, run=run).problems == (), "the relay has no jail"


def test_process_that_fails_or_hangs_is_a_problem(paths: Paths) -> None:
    monitor(paths, DaemonEnded(NOW - 60, "", "master", "pickup", "exit status 1"), DaemonThrottled(NOW - 60, "", "master", "pickup"))
    assert [(one.check, one.subject) for one in collect(paths).problems] == [("daemon_failing", "postfix/pickup")]
    monitor(paths)
    document = collect(paths, message("A", MAILBOX, "", "active", age=6000))
    assert [(one.check, one.subject) for one in document.problems] == [("queue_stalled", "postfix/qmgr"), ("queue_long", MAILBOX)]
    assert document.problems[0].cause.startswith("this process of Postfix hangs: 1 message without a delivery attempt since ")
    monitor(paths, delivery("m365-1", "deferred", OFF))
    assert [one.check for one in collect(paths, message("A", MAILBOX, "", "active", age=6000)).problems] == ["queue_long"]


def test_deleted_certificate_is_a_problem(paths: Paths) -> None:
    (paths.identity / "key.pem").unlink()
    document = collect(paths)
    assert [(one.check, one.subject) for one in document.problems] == [("certificate_unusable", str(paths.identity / "key.pem"))]
    assert "sign-in: the file does not exist" in text_of(document)
    assert str(paths.identity / "key.pem") not in metrics.render(document)


@pytest.mark.parametrize(
    ("failure", "subject", "cause"),
    [(UNREACHABLE, SERVER, "the upstream server does not answer"), (NO_DNS, "DNS", "the relay cannot resolve the upstream server's name")],
)
@pytest.mark.parametrize(("seconds", "severity"), [(60, "high"), (1200, "critical")])
def test_upstream_server_that_does_not_answer_is_a_problem(
    paths: Paths, failure: str, subject: str, cause: str, seconds: float, severity: str
) -> None:
    check(paths, failure=failure, failing_since=NOW - seconds)
    document = collect(paths)
    (problem,) = document.problems
    assert (problem.subject, problem.severity) == (subject, severity)
    assert problem.cause.startswith(cause)
    assert problem.remedy
    text = text_of(document)
    assert text.startswith(f"relay1.contoso.com: the queue is empty, 1 problem to solve: {subject}\n")
    assert f"Upstream      {SERVER} does not answer ({failure})" in text
    assert f'mailops_relay_upstream_answers{{server="{SERVER}"}} 0' in metrics.render(document)
    document = collect(paths, message("A", MAILBOX, failure, age=30), message("B", MAILBOX, OFF))
    assert [(one.subject, one.messages) for one in document.problems] in ([(subject, 1), (MAILBOX, 1)],), "one problem a cause"
    check(paths, checked=NOW - 700, failure=failure, failing_since=NOW - 800)
    assert collect(paths).problems == (), "the timer does not run, which is another problem"
    check(paths)
    assert collect(paths).problems == ()


@pytest.mark.parametrize("label", ["m365-1", "m365-notices", "m365"])
def test_sent_mail_shows_at_once_that_the_upstream_server_answers(paths: Paths, label: str) -> None:
    """The next check of the server is up to a minute later."""
    check(paths, contacted=NOW - 31, failure=UNREACHABLE, failing_since=NOW - 1200)
    monitor(paths, delivery(label, "sent"))
    assert collect(paths, message("A", MAILBOX, UNREACHABLE)).problems[0].check == "delivery_failing"
    assert collect(paths).problems == ()
    check(paths, contacted=NOW - 29, failure=UNREACHABLE, failing_since=NOW - 1200)
    assert [problem.check for problem in collect(paths).problems] == ["upstream_unreachable"]
    monitor(paths, dataclasses.replace(delivery(label, "sent"), timestamp=NOW + 3600))
    assert [problem.check for problem in collect(paths).problems] == ["upstream_unreachable"], "the clock was ahead then"


@pytest.mark.parametrize(
    ("offset", "severity", "text"),
    [(-59.0, "", ""), (-90.0, "medium", "2 min behind"), (300.0, "high", "5 min ahead of"), (-7200.0, "high", "2 h behind")],
)
def test_clock_that_is_off_is_a_problem(paths: Paths, offset: float, severity: str, text: str) -> None:
    check(paths, clock_offset=offset)
    document = collect(paths)
    assert [(one.subject, one.severity) for one in document.problems] == ([("clock", severity)] if severity else [])
    assert f'mailops_relay_clock_offset_seconds{{server="{SERVER}"}} {offset:.15g}\n' in metrics.render(document)
    if severity:
        assert document.problems[0].cause.startswith(f"the clock is {text} the clock of {SERVER}: ")
        assert "problem" in text_of(document).splitlines()[0]


@pytest.mark.parametrize(
    ("answer", "offset", "reported"), [("no", None, True), ("no", 0.0, False), ("yes", None, False), ("", None, False)]
)
def test_clock_without_synchronization_is_a_problem_where_there_is_no_other_time(
    paths: Paths, answer: str, offset: float | None, reported: bool
) -> None:
    def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return (
            subprocess.CompletedProcess(command[0], 0, f"{answer}\n", "")
            if command[0][0] == "timedatectl"
            else systemctl(*command, **options)
        )

    assert collect(paths, run=run).problems == (), "no server was contacted yet"
    check(paths, clock_offset=offset)
    document = collect(paths, run=run)
    assert [(one.subject, one.severity) for one in document.problems] == ([("clock", "low")] if reported else [])
    assert ("mailops_relay_clock_synchronized" in metrics.render(document)) == bool(answer)


@pytest.mark.parametrize(
    ("patience", "seconds", "is_hanging"), [("1", 25, False), ("1", 30, True), ("100", 29, False), ("", 179, False), ("", 180, True)]
)
def test_monitor_that_signals_as_usual_does_not_hang(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, patience: str, seconds: int, is_hanging: bool
) -> None:
    """It sends a signal every ten seconds, whatever patience a test has with Postfix."""
    monkeypatch.setenv("MAILOPS_RELAY_PATIENCE", patience)
    signal = f"WatchdogUSec=5min\nWatchdogTimestampMonotonic={int((UPTIME - seconds) * 1e6)}\n"

    def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        done = systemctl(*command, **options)
        return subprocess.CompletedProcess(done.args, 0, done.stdout.replace("NRestarts=0\n", f"NRestarts=0\n{signal}"), "")

    checks = {problem.check for problem in collect(paths, run=run).problems}
    assert checks == ({"unit_hanging"} if is_hanging else set())
