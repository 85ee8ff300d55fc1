# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay's status: the module's result, the text of `mailops-relay status`, the Prometheus metrics."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config, metrics, status, status_text
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.state import MonitorState
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import MonitorStore
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import (
    Activated,
    DaemonEnded,
    DaemonThrottled,
    Delivery,
    LimitReached,
    ProxyError,
)
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message, QueueError
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.status_document import Status
from ansible_collections.mailops.m365.plugins.module_utils.resources.relay_status import RelayStatus

MAILBOX, ERP = "scanner@contoso.com", "erp@contoso.com"
NOW = 1_795_600_000.0
UPTIME = 7000.0
CONFIG: dict[str, Any] = {
    "hostname": "relay1.contoso.com",
    "upstream": "oauth",
    "mailboxes": [
        {"address": MAILBOX, "transport": "m365-1", "senders": [MAILBOX], "recipients_per_day": 10},
        {"address": ERP, "transport": "m365-2", "senders": [ERP], "recipients_per_day": 10000},
    ],
}
OFF = (
    "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is "
    "disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. [X]"
)
PROXY_REPLY = "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 454 4.7.0 Account is temporarily unavailable."
DENIED = "host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied; x not allowed to send as y"
SECRET = "eyJ0eXAiOiJKV1QiLCJhbGciOi"


def message(queue_id: str, sender: str, reason: str, queue: str = "deferred", age: float = 60) -> Message:
    return Message(queue_id, queue, NOW - age, 1000, sender, ("a@example.net",), reason)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    result = Paths(tmp_path / "etc", tmp_path / "lib", tmp_path / "run", tmp_path / "check")
    for path in (result.configuration, result.state, result.run, result.check):
        path.mkdir()
    result.config_file.write_text(json.dumps(CONFIG))
    result.identity.mkdir()
    for name in ("cert.pem", "key.pem"):
        (result.identity / name).touch()
    result.token.write_text(json.dumps({"access_token": SECRET}))
    token(result)
    return result


def token(paths: Paths, failure: str = "", expires: float = NOW + 2400) -> None:
    since = NOW - 60 if failure else None
    paths.token_status.write_text(json.dumps({"issued": NOW - 60, "expires": expires, "failure": failure, "failing_since": since}))


def systemctl(*command: Any, **_options: Any) -> subprocess.CompletedProcess[str]:
    """Every unit runs, and every certificate is valid."""
    if command[0][:2] == ["openssl", "x509"]:
        return subprocess.CompletedProcess(command[0], 0, "notAfter=Nov 25 00:00:00 2027 GMT\n", "")
    block = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nResult=success\nNRestarts=0\n"
    units = [word for word in command[0][1:] if "." in word] if command[0][0] == "systemctl" else []
    return subprocess.CompletedProcess(command[0], 0, "\n".join(block for _unit in units), "")


def statvfs(free_bytes: int = 10 << 30, free_files: int = 10**6, of: str = "") -> Any:
    """A disk with much space; `of`: a part of the path whose disk has these numbers."""

    def read(path: Path) -> Any:
        here = of in str(path)
        return SimpleNamespace(
            f_bavail=(free_bytes if here else 10 << 30) // 4096, f_frsize=4096, f_files=10**7, f_favail=free_files if here else 10**6
        )

    return read


def collect(paths: Paths, *messages: Message, run: Any = systemctl, disk: Any = None) -> Status:
    return status.collect(
        status.Sources(
            MonitorStore(paths), lambda: list(messages), run, lambda: NOW, lambda: UPTIME, statvfs=disk or statvfs(), spool=paths.run
        )
    )


def monitor(paths: Paths, *events: Any) -> None:
    state = MonitorState(config.parse(CONFIG))
    for event in events:
        state.process(event)
    state.update(NOW)
    MonitorStore(paths).save(state, "s=1")


def delivery(label: str, outcome: str, text: str = "250 ok", queue_id: str = "A") -> Delivery:
    return Delivery(NOW - 30, label, "smtp", queue_id, "a@example.net", "x", "2.0.0", outcome, text, 1.0, (0.1, 0.0, 0.5, 0.4))


def text_of(document: Status) -> str:
    return "\n".join(line for line, _colour in status_text.lines(document, 120))


def test_idle_relay_is_healthy(paths: Paths) -> None:
    monitor(paths, delivery("m365-1", "sent"))
    document = collect(paths)
    assert document.problems == ()
    text = text_of(document)
    assert text.startswith("relay1.contoso.com: healthy, the queue is empty\n")
    assert re.search(r"scanner@contoso.com  30 s ago +1 of 10 +#\.{9}  active", text)
    assert re.search(r"erp@contoso.com +never +0 of 10,000", text)


def test_queue_by_mailbox_and_reason(paths: Paths) -> None:
    monitor(paths, delivery("m365-1", "deferred", OFF))
    document = collect(
        paths, message("A", MAILBOX, OFF), message("B", MAILBOX, OFF, age=7200), message("C", ERP, OFF), message("D", ERP, "", "active")
    )
    rows = [(row.mailbox, row.id, row.code, row.messages) for row in document.queue.reasons]
    assert rows == [
        (MAILBOX, "smtp-auth-off-mailbox", "535 5.7.139", 2),
        (ERP, "smtp-auth-off-mailbox", "535 5.7.139", 1),
        (ERP, "waiting", "", 1),
    ]
    assert document.queue.oldest == NOW - 7200
    assert [(problem.subject, problem.messages) for problem in document.problems] == [(MAILBOX, 2), (ERP, 1)]
    assert "SMTP AUTH is disabled for this mailbox (535 5.7.139). Enable SMTP AUTH for this mailbox (role smtp_auth)." in text_of(document)


def test_cause_comes_from_the_proxys_error(paths: Paths) -> None:
    monitor(paths, ProxyError(NOW, "", "proxy", MAILBOX, "connect(1.2.3.4, 587) failed: No route to host"))
    (row,) = collect(paths, message("A", MAILBOX, PROXY_REPLY)).queue.reasons
    assert row.id == "relay-upstream-unreachable"


def test_held_mail_has_the_reason_of_the_refusal(paths: Paths) -> None:
    monitor(paths, Activated(NOW, "", "qmgr", "A", MAILBOX, 1, 420), delivery("m365-1", "deferred", DENIED))
    document = collect(paths, message("A", MAILBOX, "", "hold"))
    (row,) = document.queue.reasons
    assert (row.id, row.held) == ("send-as-denied", 1)
    (problem,) = document.problems
    assert problem.urgent
    assert "suspended (scanner@contoso.com), next attempt " in text_of(document)


@pytest.mark.parametrize("later", [("sent", "250 ok"), ("deferred", OFF)])
def test_held_mail_of_a_suspended_sender_keeps_its_reason_when_the_mailbox_sends_for_another(paths: Paths, later: tuple[str, str]) -> None:
    """The last refusal is the mailbox's: another sender's message was sent, or refused for another reason, since."""
    boxes = [{**CONFIG["mailboxes"][0], "senders": [MAILBOX, "alarm@contoso.com"]}]
    paths.config_file.write_text(json.dumps({**CONFIG, "mailboxes": boxes}))
    state = MonitorState(config.load(paths.config_file))
    for event in (
        Activated(NOW, "", "qmgr", "A", "alarm@contoso.com", 1, 420),
        delivery("m365-1", "deferred", DENIED),
        Activated(NOW, "", "qmgr", "B", MAILBOX, 1, 420),
        delivery("m365-1", *later, queue_id="B"),
    ):
        state.process(event)
    MonitorStore(paths).save(state, "s=1")
    suspended = "alarm@contoso.com is suspended by the relay: no SendAs right; tried again at 15:00"
    document = collect(paths, *(message(f"A{number}", "alarm@contoso.com", text, "hold") for number, text in enumerate(("", suspended))))
    assert [(row.id, row.held) for row in document.queue.reasons] == [("send-as-denied", 2)]
    assert [problem.check for problem in document.problems] == ["sender_suspended"]


def test_mail_that_an_administrator_put_on_hold_is_reported_as_such(paths: Paths) -> None:
    """Also while the upstream server does not answer, which was the reason of its last attempt."""
    check(paths, failure=UNREACHABLE, failing_since=NOW - 60)
    document = collect(
        paths, message("A", MAILBOX, UNREACHABLE, "hold"), message("B", MAILBOX, "", "active"), message("C", ERP, UNREACHABLE)
    )
    assert [(one.check, one.subject, one.messages) for one in document.problems] == [
        ("upstream_unreachable", SERVER, 1),
        ("held_by_administrator", MAILBOX, 1),
    ]
    assert document.queue.empty_in is None


def test_reached_quota_is_not_urgent(paths: Paths) -> None:
    monitor(paths, *[delivery("m365-1", "sent") for _ in range(10)])
    document = collect(paths)
    (problem,) = document.problems
    assert not problem.urgent
    assert (document.mailboxes[0].quota_resumes or 0) > NOW
    assert text_of(document).startswith(f"relay1.contoso.com: the queue is empty, 1 problem of low severity: {MAILBOX}\n")


def test_refused_token_has_its_catalog_entry(paths: Paths) -> None:
    token(paths, "Could not get a token: x (AADSTS7000215): Invalid client secret provided.")
    (problem,) = collect(paths).problems
    assert (problem.subject, problem.code, problem.severity) == ("token", "AADSTS7000215", "medium")
    assert problem.remedy.endswith("Mail flows with the current token for 40 minutes.")
    token(paths, "Could not get a token: x (AADSTS7000215).", expires=NOW - 5)
    (problem,) = collect(paths).problems
    assert problem.urgent


def test_failed_services_and_an_unreadable_queue_are_critical(paths: Paths) -> None:
    def dead(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        done = systemctl(*command, **options)
        return subprocess.CompletedProcess(command[0], 0, done.stdout.replace("=active", "=failed"), "")

    def unreadable() -> list[Message]:
        raise QueueError("Could not read Postfix's queue: down.")

    document = status.collect(status.Sources(MonitorStore(paths), unreadable, dead, lambda: NOW))
    assert {problem.subject for problem in document.problems} >= {"queue", "postfix.service", "mailops-relay-monitor.service"}
    assert all(problem.urgent for problem in document.problems)
    assert text_of(document).startswith("relay1.contoso.com: the queue cannot be read, ")
    assert "mailops_relay_queue_drain_seconds" not in metrics.render(document)


def test_no_output_has_a_secret(paths: Paths) -> None:
    document = collect(paths, message("A", MAILBOX, OFF))
    assert SECRET not in json.dumps(document.as_result()) + text_of(document) + metrics.render(document)


def test_control_characters_are_replaced() -> None:
    assert status_text.printable("a\x1b[2Jb\r\u202ec") == "a?[2Jb??c"


def test_module_fails_only_where_required(paths: Paths) -> None:
    sources = status.Sources(MonitorStore(paths), lambda: [message("A", MAILBOX, OFF)], systemctl, lambda: NOW)
    result = run(RelayStatus(sources), {"required": False}, check_mode=True)
    assert (result["changed"], result["relay"]["queue"]["messages"]) == (False, 1)
    failed = run(RelayStatus(sources), {"required": True}, check_mode=False)
    assert failed["msg"].startswith("The relay relay1.contoso.com has problems to solve: scanner@contoso.com: SMTP AUTH is disabled")
    assert failed["relay"]["problems"]


def test_host_without_a_relay_is_reported(tmp_path: Path) -> None:
    result = run(RelayStatus(status.Sources(MonitorStore(Paths(tmp_path)))), {"required": False}, check_mode=False)
    assert "Run the role relay_host" in result["msg"]


def test_metrics_are_valid(paths: Paths) -> None:
    parser = importlib.import_module("prometheus_client.parser")
    monitor(paths, delivery("m365-1", "sent"), delivery("m365-2", "deferred", OFF))
    text = metrics.render(collect(paths, message("A", ERP, OFF), message("B", 'x"\\\n@y', OFF)))
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    samples = {(sample.name, *sorted(sample.labels.values())): sample.value for family in families.values() for sample in family.samples}
    assert samples["mailops_relay_queue_messages", ERP, "smtp-auth-off-mailbox"] == 1
    assert samples["mailops_relay_sent_recipients_total", MAILBOX] == 1
    assert samples["mailops_relay_deferred_recipients_total", ERP, "smtp-auth-off-mailbox"] == 1
    assert samples["mailops_relay_delivery_seconds_total", "connect", MAILBOX] == 0.5
    assert samples["mailops_relay_mailbox_last_sent_timestamp_seconds", MAILBOX] == NOW - 30
    assert samples["mailops_relay_token_expiry_timestamp_seconds",] == NOW + 2400
    assert samples["mailops_relay_service_up", "postfix.service"] == 1
    assert samples["mailops_relay_queue_readable",] == 1
    assert all(family.documentation and family.type in ("gauge", "counter") for family in families.values())


def test_metrics_file_is_written(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = collect(paths)
    monkeypatch.setattr(status, "collect", lambda: document)
    assert metrics.main(tmp_path) == 0
    assert (tmp_path / "mailops_relay.prom").read_text() == metrics.render(document)
    assert metrics.main(tmp_path / "missing") == 1


LIMIT = {**CONFIG, "message_size_limit": 36700160, "fail2ban": True}


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

    def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        if command[0][0] == "fail2ban-client":
            return subprocess.CompletedProcess(command[0], 0, "   |- Total banned:\t2\n   `- Banned IP list:\t192.0.2.7 2001:db8::7\n", "")
        return systemctl(*command, **options)

    document = collect(paths, run=run)
    assert document.banned == ("192.0.2.7", "2001:db8::7")
    (problem,) = document.problems
    assert not problem.urgent
    assert problem.cause == "banned after failed authentication: 192.0.2.7, 2001:db8::7"
    assert "mailops_relay_banned_addresses 2" in metrics.render(document)


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


def test_first_line_has_the_oldest_message_and_when_the_queue_is_empty(paths: Paths) -> None:
    boxes = [{**CONFIG["mailboxes"][0], "seconds_per_message": 2}, {**CONFIG["mailboxes"][1], "seconds_per_message": 4}]
    paths.config_file.write_text(json.dumps({**CONFIG, "mailboxes": boxes}))
    waiting = [message(f"A{number}", MAILBOX, "", "active") for number in range(900)]
    waiting += [message(f"B{number}", ERP, "", "incoming", age=1800) for number in range(600)]
    document = collect(paths, *waiting)
    assert document.queue.empty_in == 2400
    first = text_of(document).splitlines()[0]
    assert first == "relay1.contoso.com: healthy, 1500 messages in the queue (the oldest for 30 min, empty in about 40 min)"
    assert "mailops_relay_queue_drain_seconds 2400" in metrics.render(document)
    document = collect(paths, *waiting, message("C", ERP, OFF))
    assert document.queue.empty_in is None
    first = text_of(document).splitlines()[0]
    assert (
        "1501 messages in the queue (the oldest for 30 min, empty about 40 min after mail flows again), 1 problem to solve: erp@" in first
    )


def test_queued_notice_leaves_the_time_until_the_queue_is_empty(paths: Paths) -> None:
    boxes = [{**CONFIG["mailboxes"][0], "seconds_per_message": 2}, CONFIG["mailboxes"][1]]
    paths.config_file.write_text(json.dumps({**CONFIG, "mailboxes": boxes}))
    waiting = [message(f"A{number}", MAILBOX, "", "active") for number in range(90)]
    bounces = [message(f"N{number}", "double-bounce@relay1.contoso.com", "", "active") for number in range(20)]
    assert collect(paths, *waiting, bounces[0]).queue.empty_in == 180
    assert collect(paths, *waiting, *bounces).queue.empty_in == 200, "one in ten seconds"


def test_queue_of_a_mailbox_without_a_configured_pace_has_the_measured_one(paths: Paths) -> None:
    monitor(paths, *[delivery("m365-1", "sent") for _ in range(9)])
    waiting = [message(f"A{number}", MAILBOX, "", "active") for number in range(90)]
    slot = NOW // 300 * 300 - 300
    assert collect(paths, *waiting).queue.empty_in == pytest.approx(90 / (9 / (NOW - slot)))
    assert collect(paths, *waiting, message("B", ERP, "", "active")).queue.sending_seconds is None, "nothing was sent lately"


SERVER = "smtp.office365.com:587"
UNREACHABLE = "connect to smtp.office365.com[192.0.2.1]:587: Connection timed out"
NO_DNS = "DNS lookup for smtp.office365.com failed: Temporary failure in name resolution"


def check(paths: Paths, **values: Any) -> None:
    paths.upstream_check.write_text(json.dumps({"server": SERVER, "checked": NOW - 20, "contacted": NOW - 20} | values))


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
