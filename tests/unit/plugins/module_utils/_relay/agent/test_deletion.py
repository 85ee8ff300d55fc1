# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config, deletion
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import AgentConfig, MailboxConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import queue
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message

CONFIG = AgentConfig(mailboxes=(MailboxConfig("erp@contoso.com", senders=("erp@contoso.com", "invoices@contoso.com")),))
SENDERS = {"AAAAAA1": "scanner@contoso.com", "AAAAAA2": "erp@contoso.com", "AAAAAA3": "invoices@contoso.com", "AAAAAA4": ""}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[str, ...], bytes]]:
    """The commands with their standard input."""
    messages = [Message(queue_id, "deferred", 1.0, 9, sender, ("a@example.net",), "") for queue_id, sender in SENDERS.items()]
    result: list[tuple[tuple[str, ...], bytes]] = []
    monkeypatch.setattr(queue, "read", lambda: messages)
    monkeypatch.setattr(config, "load_or_default", lambda _path: CONFIG)
    monkeypatch.setattr(deletion, "run_command", lambda *command, stdin=b"": result.append((command, stdin)))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return result


@pytest.mark.parametrize(
    ("names", "queue_ids"),
    [
        (["AAAAAA1"], ["AAAAAA1"]),
        (["Scanner@contoso.com"], ["AAAAAA1"]),
        (["erp@contoso.com"], ["AAAAAA2", "AAAAAA3"]),
        (["invoices@contoso.com", "AAAAAA4", "AAAAAA3"], ["AAAAAA3", "AAAAAA4"]),
    ],
)
def test_messages_are_deleted_and_postfix_is_reloaded(
    calls: list[tuple[tuple[str, ...], bytes]], capsys: pytest.CaptureFixture[str], names: list[str], queue_ids: list[str]
) -> None:
    assert deletion.main(names) == 0
    assert calls == [
        (("/usr/sbin/postsuper", "-d", "-"), "".join(f"{queue_id}\n" for queue_id in queue_ids).encode()),
        (("/usr/sbin/postfix", "reload"), b""),
    ]
    assert f"{len(queue_ids)} message" in capsys.readouterr().out


@pytest.mark.parametrize("unknown", ["ALL", "AAAAAA9", "aaaaaa1", "", "boss@contoso.com"])
def test_nothing_is_deleted_where_a_name_matches_no_message(
    calls: list[tuple[tuple[str, ...], bytes]], capsys: pytest.CaptureFixture[str], unknown: str
) -> None:
    assert deletion.main(["AAAAAA1", unknown]) == 1
    assert "No message was deleted" in capsys.readouterr().err
    assert calls == []


def test_deletion_needs_root(calls: list[tuple[tuple[str, ...], bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert deletion.main(["AAAAAA1"]) == 1
    assert calls == []
