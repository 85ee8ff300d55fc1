# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay's status: the queue, mailboxes and token; the module's result, the text of `mailops-relay status`, the Prometheus metrics."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config, metrics, status, status_text
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.state import MonitorState
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import MonitorStore
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import (
    Activated,
    ProxyError,
)
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message, QueueError
from ansible_collections.mailops.m365.plugins.module_utils.resources.relay_status import RelayStatus

from .relay_sources import (
    CONFIG,
    DENIED,
    ERP,
    MAILBOX,
    NOW,
    OFF,
    PROXY_REPLY,
    SECRET,
    SERVER,
    UNREACHABLE,
    check,
    collect,
    delivery,
    message,
    monitor,
    relay_paths,
    systemctl,
    text_of,
    token,
)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return relay_paths(tmp_path)


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
