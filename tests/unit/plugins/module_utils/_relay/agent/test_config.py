# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import AgentConfig, ConfigError, MailboxConfig

DOCUMENT: dict[str, Any] = {
    "hostname": "relay1.contoso.com",
    "upstream": "oauth",
    "smtp_host": "smtp.office365.com",
    "smtp_port": 587,
    "relay_count": 2,
    "mailboxes": [
        {"address": "scanner@contoso.com", "transport": "m365-1", "senders": ["Scanner@contoso.com"], "recipients_per_day": 5000},
        {"address": "erp@contoso.com"},
    ],
}


def test_document_is_parsed_once_into_dataclasses(tmp_path: Path) -> None:
    (tmp_path / "relay.json").write_text(json.dumps(DOCUMENT))
    assert config.load(tmp_path / "relay.json") == AgentConfig(
        hostname="relay1.contoso.com",
        upstream="oauth",
        smtp_host="smtp.office365.com",
        mailboxes=(
            MailboxConfig("scanner@contoso.com", "m365-1", ("scanner@contoso.com",), 5000),
            MailboxConfig("erp@contoso.com"),
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"mailboxes": [{}]}',
        '{"mailboxes": ["scanner@contoso.com"]}',
        '{"mailboxes": 1}',
        '{"smtp_port": "smtp"}',
        '{"mailboxes": [{"address": "a@b.c", "recipients_per_day": null}]}',
    ],
)
def test_invalid_document_raises_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "relay.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"relay\.json cannot be read.*Run the role relay_host\."):
        config.load(path)
    assert config.load_or_default(path) == AgentConfig()


def test_missing_file_raises_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        config.load(tmp_path / "relay.json")
