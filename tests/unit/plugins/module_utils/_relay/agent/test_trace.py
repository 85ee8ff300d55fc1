# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message's way, out of lines as Postfix and Dovecot write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import trace
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import maillog
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.trace import JournalUnreadable, Reader, Story

SETTINGS = {
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


def trouble(text: str, mailbox: str = "scanner@contoso.com") -> dict[str, Any]:
    told = f"submission-login: Error: proxy({mailbox},198.51.100.10:587): {text}: user=<{mailbox}>, method=PLAIN"
    return entry(told, "dovecot", maillog.BRIDGE_UNIT)


def story(*entries: dict[str, Any], token: dict[str, Any] | None = None, **settings: Any) -> Story:
    found = Story("DE13517A12A", SETTINGS | settings, token or {})
    for one in entries:
        found.add(maillog.event(one))
    return found


ACCEPTED = entry("DE13517A12A: client=printer[198.51.100.101]", "postfix/devices/smtpd")


def test_a_delivered_message_went_from_the_device_over_postfix_and_the_bridge_to_microsoft() -> None:
    found = story(ACCEPTED, entry(SENT), entry("DE13517A12A: removed", "postfix/qmgr"))
    assert (found.sent, found.stage(), found.ended, found.mailbox) == (True, "sent", "removed", "scanner@contoso.com")
    assert [(hop["from"], hop["to"], hop["what"], hop["seconds"]) for hop in found.hops()] == [
        ("printer[198.51.100.101]", "Postfix", "handed over", 0.02),
        ("Postfix", "Postfix", "queued", 1.0),
        ("Postfix", "bridge", "handed over", 0.3),
        ("bridge", "Microsoft 365", "accepted", 0.18),
    ]
    assert found.hops()[0]["detail"] == "queue id DE13517A12A, listener devices"
    assert "signed in by OAuth as scanner@contoso.com" in found.hops()[2]["detail"]
    assert found.hops()[3]["detail"] == "smtp.office365.com: 250 2.0.0 OK <x@contoso.com> [Hostname=AM0PR01MB0001]"


def test_without_the_bridge_there_is_one_hop_less() -> None:
    line = SENT.replace("127.0.0.1[127.0.0.1]:2587", "contoso-com.mail.protection.outlook.com[198.51.100.10]:25")
    found = story(ACCEPTED, entry(line, "postfix/m365/smtp"), upstream="connector", mailboxes=[])
    assert [(hop["from"], hop["to"]) for hop in found.hops()][2:] == [("Postfix", "contoso-com.mail.protection.outlook.com")]


def test_other_messages_are_other_stories() -> None:
    found = story(entry(SENT.replace("DE13517A12A", "C2F0C17A174")), entry("C2F0C17A174: removed", "postfix/qmgr"))
    assert (found.sent, found.ended, found.stage()) == (False, "", "queue")


@pytest.mark.parametrize(("relay", "onward"), [
    ("127.0.0.1[127.0.0.1]:2526", "250 2.0.0 Ok: queued as 6F64D17A1B2"),
    ("127.0.0.1[127.0.0.1]:2526", "250 2.0.0 from MTA(smtp:[127.0.0.1]:2526): 250 OK: queued as 6F64D17A1B2"),
    ("m365-rewrite", "delivered via m365-rewrite service (250 2.0.0 Ok: queued as 6F64D17A1B2)"),
])  # fmt: skip
def test_a_message_that_is_rewritten_here_goes_on_under_its_new_id(relay: str, onward: str) -> None:
    first = f"DE13517A12A: to=<a@example.net>, relay={relay}, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent ({onward})"
    found = story(ACCEPTED, entry(first, "postfix/rewrite/smtp"), entry("DE13517A12A: removed", "postfix/qmgr"))
    assert (found.sent, found.ended) == (False, "")
    found.add(maillog.event(entry(SENT.replace("DE13517A12A", "6F64D17A1B2"))))
    assert found.sent
    assert [hop["what"] for hop in found.hops()] == ["handed over", "rewritten", "queued", "handed over", "accepted"]


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.139 Authentication unsuccessful", "sign-in"),
        ("host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied (in reply to MAIL FROM command)", "sender"),
        ("host 127.0.0.1[127.0.0.1] said: 550 5.4.1 Recipient address rejected (in reply to RCPT TO command)", "recipient"),
        ("host 127.0.0.1[127.0.0.1] said: 432 4.3.2 Concurrent connections (in reply to end of DATA command)", "message"),
        ("connect to 127.0.0.1[127.0.0.1]:2587: Connection refused", "connect"),
        ("Host or domain name not found. Name service error for name=mx.example.net", "resolve"),
    ],
)
def test_the_stage_is_where_it_was_refused(text: str, stage: str) -> None:
    assert story(entry(SENT.partition("status=")[0] + f"status=deferred ({text})")).stage() == stage


def test_what_the_bridge_hides_stands_in_its_log() -> None:
    found = story(entry(HIDDEN), trouble("connect(198.51.100.10, 587) failed: Connection refused"), trouble("no", "erp@contoso.com"))
    assert found.reason().id == "relay-upstream-unreachable"
    assert [hop["what"] for hop in found.hops()][-1] == "deferred"
    assert found.hops()[-1]["to"] == "bridge"


def test_a_failed_token_comes_before_the_bridges_words() -> None:
    token = {"expires": None, "failure": "Could not get a token: the client secret is wrong (AADSTS7000215)."}
    assert story(entry(HIDDEN), trouble("Login timed out"), token=token).reason().code == "AADSTS7000215"


def test_a_failed_renewal_is_not_the_cause_while_the_token_is_good() -> None:
    token = {"expires": 1.0, "failure": "Could not get a token: AADSTS7000215."}
    assert story(entry(HIDDEN), token=token).reason().id == "relay-proxy-refused"


def test_a_bounced_message_is_refused_and_a_deferred_one_is_not() -> None:
    bounced = (
        SENT.partition("dsn=")[0] + "dsn=5.4.1, status=bounced (host x[198.51.100.10] said: 550 5.4.1 no (in reply to RCPT TO command))"
    )
    assert story(entry(bounced)).refused
    assert not story(entry(HIDDEN)).refused
    assert story(entry(HIDDEN), entry("DE13517A12A: from=<a@b.c>, status=expired, returned to sender", "postfix/qmgr")).refused


def test_a_queue_id_is_found_by_message_id_and_only_postfix_is_believed() -> None:
    forged = entry("ABCDEF1: message-id=<m@contoso.com>", "postfix/cleanup", unit="session-1.scope")
    real = entry("DE13517A12A: message-id=<m@contoso.com>", "postfix/cleanup")
    assert trace.queue_id_of([forged, real], "<m@contoso.com>") == "DE13517A12A"
    assert trace.queue_id_of([forged], "<m@contoso.com>") == ""


# -- the journal ------------------------------------------------------------------------------------------------------


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_reader_goes_on_after_the_last_entry(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(entry("x", number=number)) for number in (1, 2))
    reader = Reader(12.5, [program(tmp_path / "journalctl", f'echo "$@" >> {tmp_path}/asked; cat <<END\n{lines}\nnot json\nEND')])
    assert [one["__CURSOR"] for one in reader.read()] == ["c1", "c2"]
    reader.read()
    first, second = (tmp_path / "asked").read_text().splitlines()
    assert first.startswith("--since=@12.500000 _SYSTEMD_UNIT=postfix.service")
    assert second.startswith("--after-cursor=c2 _SYSTEMD_UNIT=")


def test_a_journal_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalUnreadable, match=r"Could not read the relay's journal: no access. Run this as root\."):
        Reader(0, [program(tmp_path / "journalctl", "echo no access >&2; exit 1")]).read()
    with pytest.raises(JournalUnreadable):
        Reader(0, [str(tmp_path / "nothing")]).read()


# -- mailops-relay trace --------------------------------------------------------------------------------------------


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    (tmp_path / "relay.json").write_text(json.dumps(SETTINGS))
    lines = [ACCEPTED, entry("DE13517A12A: message-id=<m@contoso.com>", "postfix/cleanup"), entry(SENT)]
    told = "\n".join(json.dumps(line) for line in lines)
    command = program(tmp_path / "journalctl", f"cat <<END\n{told}\nEND")
    monkeypatch.setattr(trace, "Reader", lambda since: Reader(since, [command]))
    monkeypatch.setattr(trace, "SETTINGS", tmp_path / "relay.json")
    monkeypatch.setattr(trace, "TOKEN_STATE", tmp_path / "state.json")
    return tmp_path


@pytest.mark.parametrize("asked", ["DE13517A12A", "<m@contoso.com>", "m@contoso.com"])
def test_the_program_tells_the_way_of_a_message(journal: Path, capsys: pytest.CaptureFixture[str], asked: str) -> None:
    assert trace.main([asked]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("printer[198.51.100.101] -> Postfix: handed over after 0.02 s")
    assert told[-1].startswith("bridge -> Microsoft 365: accepted after 0.18 s (smtp.office365.com: 250 2.0.0 OK")
    assert trace.main([asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sent"], len(found["hops"])) == (True, 4)


def test_the_program_does_not_know_other_messages(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trace.main(["<other@contoso.com>"]) == 1
    assert "tells nothing of <other@contoso.com>" in capsys.readouterr().err
    assert trace.main([]) == 2
