# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import reasons
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import queue

DEFERRED = {
    "queue_name": "deferred", "queue_id": "9C8FD17A191", "arrival_time": 1795611397, "message_size": 420, "forced_expire": False,
    "sender": "Scanner@contoso.com",
    "recipients": [
        {"address": "g@example.net"},
        {"address": "h@example.net", "delay_reason": "connect to 127.0.0.1[127.0.0.1]:2587: Connection refused"},
    ],
}  # fmt: skip
NOTICE = DEFERRED | {"queue_name": "hold", "queue_id": "EF33A17A1C9", "sender": "MAILER-DAEMON", "recipients": []}


def test_queue_is_parsed() -> None:
    messages = queue.parse("\n".join(["postqueue: warning: something", json.dumps(DEFERRED), json.dumps(NOTICE), "{}", "[]", ""]))
    assert [(message.queue_id, message.sender, message.held) for message in messages] == [
        ("9C8FD17A191", "scanner@contoso.com", False),
        ("EF33A17A1C9", "", True),
    ]
    assert messages[0].recipients == ("g@example.net", "h@example.net")
    assert reasons.explain(messages[0].reason).id == "relay-proxy-down"
    assert reasons.explain(messages[1].reason) == reasons.WAITING


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_no_character_in_an_address_splits_a_line(end: str) -> None:
    """postqueue writes UTF-8 as it is."""
    strange = json.dumps(DEFERRED | {"sender": f"a{end}b@contoso.com"}, ensure_ascii=end < " ")
    assert len(queue.parse(f"{strange}\n{json.dumps(NOTICE)}\n")) == 2


def test_unreadable_queue_raises_one_sentence() -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('postqueue: fatal: the mail system is down')"]
    with pytest.raises(queue.QueueError, match=r"Could not read Postfix's queue: postqueue: fatal: the mail system is down"):
        queue.read(failing)
    with pytest.raises(queue.QueueError, match="Is Postfix installed"):
        queue.read(["/nonexistent/postqueue", "-j"])
    assert queue.read([sys.executable, "-c", f"print({json.dumps(json.dumps(DEFERRED))})"])[0].size == 420


@pytest.mark.parametrize(
    ("text", "reason", "code"),
    [
        ("host smtp.office365.com[52.4.2.0] said: 550 5.7.60 SMTP; Client does not have permissions to send as this sender",
         "send-as-denied", "550 5.7.60"),
        ("delivery temporarily suspended: SASL authentication failed; server x[127.0.0.1] said: 535 5.7.3 Authentication unsuccessful [X]",
         "authentication-refused", "535 5.7.3"),
        ("host x[40.4.3.2] refused to talk to me: 421 4.7.66 TLS 1.0 and 1.1 are not supported", "old-tls", "421 4.7.66"),
        ("connect to contoso-com.mail.protection.outlook.com[52.5.7.1]:25: Connection timed out", "relay-upstream-unreachable", ""),
        ("Host or domain name not found. Name service error for name=x type=A: Host not found, try again", "relay-name-not-found", ""),
        ("scanner@contoso.com has reached its daily quota of 10000 recipients; delivery resumes at 14:05", "relay-daily-quota-reached", ""),
        ("boss@contoso.com is suspended by the relay: no SendAs right; next attempt at 15:00, or run mailops-relay release",
         "relay-sender-suspended", ""),
        ("No mailbox of relay_mailboxes sends for this sender", "relay-no-mailbox", ""),
        ("AADSTS7000215: Invalid client secret provided.", "wrong-secret", "AADSTS7000215"),
        ("host x[1.2.3.4] said: 550 5.9.9 nobody knows (in reply to RCPT TO command)", "unknown", "550 5.9.9"),
        ("", "waiting", ""),
    ],
)  # fmt: skip
def test_text_has_its_catalog_entry(text: str, reason: str, code: str) -> None:
    result = reasons.explain(text)
    assert (result.id, result.code) == (reason, code)
    assert result.cause
