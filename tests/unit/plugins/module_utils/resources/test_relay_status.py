# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay's state and what is made of it: the module's result, the terminal's text, Prometheus' file."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import metrics, status, status_text
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.monitor import Keeper
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import Desk, save
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import Active, BridgeTrouble, Delivery
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message, QueueUnreadable
from ansible_collections.mailops.m365.plugins.module_utils.resources.relay_status import RelayStatus

BOX, ERP = "scanner@contoso.com", "erp@contoso.com"
NOW = 1_795_600_000.0
SETTINGS = {
    "hostname": "relay1.contoso.com",
    "upstream": "oauth",
    "mailboxes": [
        {"address": BOX, "transport": "m365-1", "senders": [BOX], "recipients_per_day": 10},
        {"address": ERP, "transport": "m365-2", "senders": [ERP], "recipients_per_day": 10000},
    ],
}
OFF = (
    "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is "
    "disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. [X]"
)
BRIDGE = "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 454 4.7.0 Account is temporarily unavailable."
DENIED = "host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied; x not allowed to send as y"
SECRET = "eyJ0eXAiOiJKV1QiLCJhbGciOi"


def message(queue_id: str, sender: str, reason: str, queue: str = "deferred", age: float = 60) -> Message:
    return Message(queue_id, queue, NOW - age, 1000, sender, ("a@example.net",), reason)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    found = Desk(tmp_path / "etc", tmp_path / "lib", tmp_path / "run")
    for path in (found.configuration, found.home, found.run):
        path.mkdir()
    (found.configuration / "relay.json").write_text(json.dumps(SETTINGS))
    (found.run / "token.json").write_text(json.dumps({"access_token": SECRET}))
    token(found)
    return found


def token(desk: Desk, failure: str = "", expires: float = NOW + 2400) -> None:
    since = NOW - 60 if failure else None
    desk.places.state.write_text(json.dumps({"got": NOW - 60, "expires": expires, "failure": failure, "failing_since": since}))


def systemctl(*command: Any, **_options: Any) -> subprocess.CompletedProcess[str]:
    said = "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=0\n" if command[0][0] == "systemctl" else ""
    return subprocess.CompletedProcess(command[0], 0, said, "")


def state(desk: Desk, *messages: Message, run: Any = systemctl) -> dict[str, Any]:
    return status.collect(status.Sources(desk, lambda: list(messages), run, lambda: NOW))


def watched(desk: Desk, *events: Any) -> None:
    keeper = Keeper(SETTINGS)
    for event in events:
        keeper.feed(event)
    keeper.tick(NOW)
    save(desk, keeper, "s=1")


def delivery(label: str, outcome: str, text: str = "250 ok", queue_id: str = "A") -> Delivery:
    return Delivery(NOW - 30, label, "smtp", queue_id, "a@example.net", "x", "2.0.0", outcome, text, 1.0, (0.1, 0.0, 0.5, 0.4))


def text_of(found: dict[str, Any]) -> str:
    return "\n".join(line for line, _colour in status_text.lines(found, 120))


def test_an_idle_relay_is_well(desk: Desk) -> None:
    watched(desk, delivery("m365-1", "sent"))
    found = state(desk)
    assert found["problems"] == []
    shown_text = text_of(found)
    assert shown_text.startswith("relay1.contoso.com: all is well, the queue is empty\n")
    assert re.search(r"scanner@contoso.com  30 s ago +1 of 10 +#\.{9}  open", shown_text)
    assert re.search(r"erp@contoso.com +never +0 of 10,000", shown_text)


def test_the_queue_is_told_by_mailbox_and_reason(desk: Desk) -> None:
    found = state(desk, message("A", BOX, OFF), message("B", BOX, OFF, age=7200), message("C", ERP, OFF), message("D", ERP, "", "active"))
    rows = [(row["mailbox"], row["id"], row["code"], row["messages"]) for row in found["queue"]["reasons"]]
    assert rows == [
        (BOX, "smtp-auth-off-mailbox", "535 5.7.139", 2),
        (ERP, "smtp-auth-off-mailbox", "535 5.7.139", 1),
        (ERP, "waiting", "", 1),
    ]
    assert found["queue"]["oldest"] == NOW - 7200
    assert [(problem["subject"], problem["messages"]) for problem in found["problems"]] == [(BOX, 2), (ERP, 1)]
    assert "SMTP AUTH is off for this mailbox (535 5.7.139). Enable SMTP AUTH for this mailbox (role smtp_auth)." in text_of(found)


def test_what_postfix_cannot_know_comes_from_the_bridge(desk: Desk) -> None:
    watched(desk, BridgeTrouble(NOW, "", "bridge", BOX, "connect(1.2.3.4, 587) failed: No route to host"))
    (row,) = state(desk, message("A", BOX, BRIDGE))["queue"]["reasons"]
    assert row["id"] == "relay-upstream-unreachable"


def test_held_back_mail_is_told_by_its_refusal(desk: Desk) -> None:
    watched(desk, Active(NOW, "", "qmgr", "A", BOX, 1, 420), delivery("m365-1", "deferred", DENIED))
    found = state(desk, message("A", BOX, "", "hold"))
    (row,) = found["queue"]["reasons"]
    assert (row["id"], row["held"]) == ("send-as-denied", 1)
    (problem,) = found["problems"]
    assert problem["grave"]
    assert "held back (scanner@contoso.com), next try " in text_of(found)


def test_a_full_day_is_no_grave_problem(desk: Desk) -> None:
    watched(desk, *[delivery("m365-1", "sent") for _ in range(10)])
    found = state(desk)
    (problem,) = found["problems"]
    assert not problem["grave"]
    assert found["mailboxes"][0]["full_until"] > NOW
    assert "what is wrong passes by itself" in text_of(found)


def test_a_refused_token_is_explained(desk: Desk) -> None:
    token(desk, "Could not get a token: x (AADSTS7000215): Invalid client secret provided.")
    (problem,) = state(desk)["problems"]
    assert (problem["subject"], problem["code"], problem["grave"]) == ("token", "AADSTS7000215", False)
    assert problem["remedy"].endswith("Mail goes on with the present token for 40 minutes.")
    token(desk, "Could not get a token: x (AADSTS7000215).", expires=NOW - 5)
    (problem,) = state(desk)["problems"]
    assert problem["grave"]


def test_services_and_a_queue_that_cannot_be_read(desk: Desk) -> None:
    def dead(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        done = systemctl(*command, **options)
        return subprocess.CompletedProcess(command[0], 0, done.stdout.replace("=active", "=failed"), "")

    def unreadable() -> list[Message]:
        raise QueueUnreadable("Could not read Postfix's queue: down.")

    found = status.collect(status.Sources(desk, unreadable, dead, lambda: NOW))
    assert {problem["subject"] for problem in found["problems"]} >= {"queue", "postfix.service", "mailops-relay-monitor.service"}
    assert all(problem["grave"] for problem in found["problems"])


def test_a_secret_is_nowhere(desk: Desk) -> None:
    found = state(desk, message("A", BOX, OFF))
    assert SECRET not in json.dumps(found) + text_of(found) + metrics.render(found)


def test_a_terminal_is_told_nothing_that_it_would_obey() -> None:
    assert status_text.printable("a\x1b[2Jb\r\u202ec") == "a?[2Jb??c"


def test_the_module_fails_only_where_it_is_asked_to(desk: Desk) -> None:
    sources = status.Sources(desk, lambda: [message("A", BOX, OFF)], systemctl, lambda: NOW)
    result = run(RelayStatus(sources), {"required": False}, check_mode=True)
    assert (result["changed"], result["relay"]["queue"]["messages"]) == (False, 1)
    failed = run(RelayStatus(sources), {"required": True}, check_mode=False)
    assert failed["msg"].startswith("The relay relay1.contoso.com needs somebody: scanner@contoso.com: SMTP AUTH is off")
    assert failed["relay"]["problems"]


def test_a_host_without_a_relay_says_so(tmp_path: Path) -> None:
    result = run(RelayStatus(status.Sources(Desk(tmp_path))), {"required": False}, check_mode=False)
    assert "run the role relay_host on it" in result["msg"]


def test_the_metrics_are_what_prometheus_reads(desk: Desk) -> None:
    parser = importlib.import_module("prometheus_client.parser")
    watched(desk, delivery("m365-1", "sent"), delivery("m365-2", "deferred", OFF))
    text = metrics.render(state(desk, message("A", ERP, OFF), message("B", 'x"\\\n@y', OFF)))
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    samples = {(sample.name, *sorted(sample.labels.values())): sample.value for family in families.values() for sample in family.samples}
    assert samples["mailops_relay_queue_messages", ERP, "smtp-auth-off-mailbox"] == 1
    assert samples["mailops_relay_sent_recipients_total", BOX] == 1
    assert samples["mailops_relay_deferred_recipients_total", ERP, "smtp-auth-off-mailbox"] == 1
    assert samples["mailops_relay_delivery_seconds_total", "connect", BOX] == 0.5
    assert samples["mailops_relay_last_sent_timestamp_seconds", BOX] == NOW - 30
    assert samples["mailops_relay_token_expiry_timestamp_seconds",] == NOW + 2400
    assert samples["mailops_relay_service_up", "postfix.service"] == 1
    assert samples["mailops_relay_queue_readable",] == 1
    assert all(family.documentation and family.type in ("gauge", "counter") for family in families.values())


def test_the_metrics_file_is_there_whole(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_now = state(desk)
    monkeypatch.setattr(status, "collect", lambda: state_now)
    assert metrics.main([str(tmp_path)]) == 0
    assert (tmp_path / "mailops_relay.prom").read_text() == metrics.render(state_now)
    assert metrics.main([str(tmp_path / "missing")]) == 1
