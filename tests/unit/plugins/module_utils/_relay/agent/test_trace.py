# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message's hops, from log lines as Postfix and Dovecot write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config, trace
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.token_status import TokenStatus
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import journal, maillog
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.journal import JournalEntry, JournalError, JournalReader
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.trace import MessageTrace

CONFIG = {
    "upstream": "oauth",
    "smtp_host": "smtp.office365.com",
    "mailboxes": [{"address": "scanner@contoso.com", "transport": "m365-1", "senders": ["scanner@contoso.com"]}],
}
SENT = (
    "DE13517A12A: to=<a@example.net>, relay=127.0.0.1[127.0.0.1]:2587, delay=1.5, delays=0.02/1/0.3/0.18, dsn=2.0.0, "
    "status=sent (250 2.0.0 OK <x@contoso.com> [Hostname=AM0PR01MB0001])"
)
HIDDEN = (
    "DE13517A12A: to=<a@example.net>, relay=127.0.0.1[127.0.0.1]:2587, delay=5, delays=0.01/0/5/0, dsn=4.7.0, status=deferred "
    "(SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 454 4.7.0 Account is temporarily unavailable.)"
)


def entry(message: str, service: str = "postfix/m365-1/smtp", unit: str = "postfix@-.service", number: int = 1) -> dict[str, Any]:
    return {
        "__CURSOR": f"c{number}",
        "__REALTIME_TIMESTAMP": "1795611340000000",
        "_SYSTEMD_UNIT": unit,
        "SYSLOG_IDENTIFIER": service,
        "MESSAGE": message,
    }


def proxy_error(text: str, mailbox: str = "scanner@contoso.com") -> dict[str, Any]:
    message = f"submission-login: Error: proxy({mailbox},198.51.100.10:587): {text}: user=<{mailbox}>, method=PLAIN"
    return entry(message, "dovecot", journal.PROXY_UNIT)


def parsed(entry: dict[str, Any]) -> JournalEntry:
    result = journal.parse_line(json.dumps(entry))
    assert result
    return result


def trace_of(*entries: dict[str, Any], token: TokenStatus | None = None, **changes: Any) -> MessageTrace:
    result = MessageTrace("DE13517A12A", config.parse(CONFIG | changes), token or TokenStatus())
    for line in entries:
        result.add(maillog.event_of(parsed(line)))
    return result


ACCEPTED = entry("DE13517A12A: client=printer[198.51.100.101]", "postfix/devices/smtpd")


def test_hops_of_a_sent_message() -> None:
    result = trace_of(ACCEPTED, entry(SENT), entry("DE13517A12A: removed", "postfix/qmgr"))
    assert (result.sent, result.stage(), result.outcome, result.mailbox) == (True, "sent", "removed", "scanner@contoso.com")
    assert [(hop.source, hop.target, hop.event, hop.seconds) for hop in result.hops()] == [
        ("printer[198.51.100.101]", "Postfix", "submitted", 0.02),
        ("Postfix", "Postfix", "queued", 1.0),
        ("Postfix", "submission proxy", "relayed", 0.3),
        ("submission proxy", "Microsoft 365", "accepted", 0.18),
    ]
    assert result.hops()[0].detail == "queue id DE13517A12A, listener devices"
    assert "authenticated by OAuth as scanner@contoso.com" in result.hops()[2].detail
    assert result.hops()[3].detail == "smtp.office365.com: 250 2.0.0 OK <x@contoso.com> [Hostname=AM0PR01MB0001]"


def test_without_a_proxy_there_is_one_hop_less() -> None:
    line = SENT.replace("127.0.0.1[127.0.0.1]:2587", "contoso-com.mail.protection.outlook.com[198.51.100.10]:25")
    result = trace_of(ACCEPTED, entry(line, "postfix/m365/smtp"), upstream="connector", mailboxes=[])
    assert [(hop.source, hop.target) for hop in result.hops()][2:] == [("Postfix", "contoso-com.mail.protection.outlook.com")]


def test_other_messages_are_ignored() -> None:
    result = trace_of(entry(SENT.replace("DE13517A12A", "C2F0C17A174")), entry("C2F0C17A174: removed", "postfix/qmgr"))
    assert (result.sent, result.outcome, result.stage()) == (False, "", "queue")


@pytest.mark.parametrize(("relay", "onward"), [
    ("127.0.0.1[127.0.0.1]:2526", "250 2.0.0 Ok: queued as 6F64D17A1B2"),
    ("127.0.0.1[127.0.0.1]:2526", "250 2.0.0 from MTA(smtp:[127.0.0.1]:2526): 250 OK: queued as 6F64D17A1B2"),
    ("m365-rewrite", "delivered via m365-rewrite service (250 2.0.0 Ok: queued as 6F64D17A1B2)"),
])  # fmt: skip
def test_rewritten_message_is_traced_by_its_new_id(relay: str, onward: str) -> None:
    first = f"DE13517A12A: to=<a@example.net>, relay={relay}, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent ({onward})"
    result = trace_of(ACCEPTED, entry(first, "postfix/rewrite/smtp"), entry("DE13517A12A: removed", "postfix/qmgr"))
    assert (result.sent, result.outcome) == (False, "")
    result.add(maillog.event_of(parsed(entry(SENT.replace("DE13517A12A", "6F64D17A1B2")))))
    assert result.sent
    assert [hop.event for hop in result.hops()] == ["submitted", "rewritten", "queued", "relayed", "accepted"]


NOTICE = "A1B2C3D4E5F: postmaster non-delivery notification: DE13517A12A"


def test_notice_to_the_postmaster_is_traced_to_the_upstream() -> None:
    result = trace_of(entry(NOTICE, "postfix/bounce"), entry(SENT, "postfix/m365-notices/smtp"))
    assert (result.sent, result.mailbox) == (True, "scanner@contoso.com")
    created, queued, relayed, accepted = result.hops()
    assert (created.source, created.event) == ("Postfix", "created")
    assert created.detail == "queue id DE13517A12A, postmaster non-delivery notification of A1B2C3D4E5F"
    assert "transport m365-notices" in queued.detail
    assert accepted.event == "accepted"
    assert "authenticated by OAuth as scanner@contoso.com" in relayed.detail


LOCAL_DELIVERY = "DE13517A12A: to=<{}>, relay={}, delay=0.01, delays=0.01/0/0/0, dsn=2.0.0, status=sent ({})"


@pytest.mark.parametrize(
    ("service", "recipient", "text", "sent", "hop"),
    [
        ("discard", "scanner@contoso.com", "bounces have no mailbox to be sent from", False, ("discard", "discarded")),
        ("local", "root@relay1.contoso.com", "delivered to mailbox", True, ("mailbox on the relay", "delivered")),
    ],
)
def test_notice_that_does_not_leave_the_relay(service: str, recipient: str, text: str, sent: bool, hop: tuple[str, str]) -> None:
    kind = {"discard": "sender", "local": "postmaster"}[service]
    lines = LOCAL_DELIVERY.format(recipient, {"discard": "none", "local": "local"}[service], text)
    result = trace_of(entry(NOTICE.replace("postmaster", kind), "postfix/bounce"), entry(lines, f"postfix/{service}"))
    assert (result.sent, result.discarded) == (sent, not sent)
    assert (result.hops()[-1].target, result.hops()[-1].event) == hop
    assert [line for line in trace.lines(result) if text in line] == [trace.lines(result)[-1]]


def test_trace_of_a_message_names_the_notifications_about_it() -> None:
    created = ["DE13517A12A: sender non-delivery notification: 1F2E3D4C5B6A", "DE13517A12A: postmaster delay notification: 2F2E3D4C5B6A"]
    result = trace_of(ACCEPTED, entry(HIDDEN), *(entry(line, "postfix/bounce") for line in created))
    assert [(hop.target, hop.detail) for hop in result.hops() if hop.event == "notified"] == [
        ("sender", "sender non-delivery notification, queue id 1F2E3D4C5B6A"),
        ("postmaster", "postmaster delay notification, queue id 2F2E3D4C5B6A"),
    ]


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.139 Authentication unsuccessful", "sign-in"),
        ("host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied (in reply to MAIL FROM command)", "sender"),
        ("host 127.0.0.1[127.0.0.1] said: 550 5.4.1 Recipient address rejected (in reply to RCPT TO command)", "recipient"),
        ("host 127.0.0.1[127.0.0.1] said: 432 4.3.2 Concurrent connections (in reply to end of DATA command)", "message"),
        ("connect to 127.0.0.1[127.0.0.1]:2587: Connection refused", "connect"),
        ("Host or domain name not result. Name service error for name=mx.example.net", "resolve"),
    ],
)
def test_stage_of_a_refusal(text: str, stage: str) -> None:
    assert trace_of(entry(SENT.partition("status=")[0] + f"status=deferred ({text})")).stage() == stage


def test_cause_is_in_the_proxys_log() -> None:
    result = trace_of(
        entry(HIDDEN), proxy_error("connect(198.51.100.10, 587) failed: Connection refused"), proxy_error("no", "erp@contoso.com")
    )
    assert result.reason().id == "relay-upstream-unreachable"
    assert [hop.event for hop in result.hops()][-1] == "deferred"
    assert result.hops()[-1].target == "submission proxy"


def test_missing_token_comes_before_the_proxys_error() -> None:
    token = TokenStatus(failure="Could not get a token: the client secret is wrong (AADSTS7000215).")
    assert trace_of(entry(HIDDEN), proxy_error("Login timed out"), token=token).reason().code == "AADSTS7000215"


def test_failed_renewal_is_not_the_cause_while_the_token_is_valid() -> None:
    token = TokenStatus(expires=1.0, failure="Could not get a token: AADSTS7000215.")
    assert trace_of(entry(HIDDEN), token=token).reason().id == "relay-proxy-refused"


def test_bounced_message_is_refused_and_a_deferred_one_is_not() -> None:
    bounced = (
        SENT.partition("dsn=")[0] + "dsn=5.4.1, status=bounced (host x[198.51.100.10] said: 550 5.4.1 no (in reply to RCPT TO command))"
    )
    assert trace_of(entry(bounced)).refused
    assert not trace_of(entry(HIDDEN)).refused
    assert trace_of(entry(HIDDEN), entry("DE13517A12A: from=<a@b.c>, status=expired, returned to sender", "postfix/qmgr")).refused


def test_queue_id_by_message_id_ignores_other_units() -> None:
    forged = entry("ABCDEF1: message-id=<m@contoso.com>", "postfix/cleanup", unit="session-1.scope")
    real = entry("DE13517A12A: message-id=<m@contoso.com>", "postfix/cleanup")
    assert trace.queue_id_of([parsed(forged), parsed(real)], "<m@contoso.com>") == "DE13517A12A"
    assert trace.queue_id_of([parsed(forged)], "<m@contoso.com>") == ""


# -- the journal ------------------------------------------------------------------------------------------------------


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_reader_continues_after_the_last_entry(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(entry("x", number=number)) for number in (1, 2))
    reader = JournalReader(
        12.5, [program(tmp_path / "journalctl", f'echo "$@" >> {tmp_path}/arguments; cat <<END\n{lines}\nnot json\nEND')]
    )
    assert [line.cursor for line in reader.read()] == ["c1", "c2"]
    reader.read()
    first, second = (tmp_path / "arguments").read_text().splitlines()
    assert first.startswith("--since=@12.500000 _SYSTEMD_UNIT=postfix.service")
    assert second.startswith("--after-cursor=c2 _SYSTEMD_UNIT=")


def test_unreadable_journal_raises_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"Could not read the relay's journal: no access. Run this as root\."):
        JournalReader(0, [program(tmp_path / "journalctl", "echo no access >&2; exit 1")]).read()
    with pytest.raises(JournalError):
        JournalReader(0, [str(tmp_path / "nothing")]).read()


# -- mailops-relay trace ----------------------------------------------------------------------------------------------


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Paths:
    (tmp_path / "relay.json").write_text(json.dumps(CONFIG))
    lines = [ACCEPTED, entry("DE13517A12A: message-id=<m@contoso.com>", "postfix/cleanup"), entry(SENT)]
    output = "\n".join(json.dumps(line) for line in lines)
    command = program(tmp_path / "journalctl", f"cat <<END\n{output}\nEND")
    monkeypatch.setattr(trace, "JournalReader", lambda since: JournalReader(since, [command]))
    return Paths(tmp_path, tmp_path, tmp_path)


@pytest.mark.parametrize("name", ["DE13517A12A", "<m@contoso.com>", "m@contoso.com"])
def test_trace_prints_the_hops(paths: Paths, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert trace.main(name, paths=paths) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[0].startswith("printer[198.51.100.101] -> Postfix: submitted after 0.02 s")
    assert output[-1].startswith("submission proxy -> Microsoft 365: accepted after 0.18 s (smtp.office365.com: 250 2.0.0 OK")
    assert trace.main(name, as_json=True, paths=paths) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["sent"], len(document["hops"])) == (True, 4)


def test_unknown_message_is_reported(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert trace.main("<other@contoso.com>", paths=paths) == 1
    assert "has no entry of <other@contoso.com>" in capsys.readouterr().err
