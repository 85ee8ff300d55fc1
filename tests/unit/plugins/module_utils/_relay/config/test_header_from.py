# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table's expression, read by Python's re; tests/hosts runs it in Postfix."""

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import header_from

from .role_variables import relay_config

LINES = header_from.lines(["Scanner@contoso.com", "a+b/c@contoso.com"], "scanner@contoso.com")


def expression(line: str) -> re.Pattern[str]:
    """The pattern between the slashes, POSIX classes as Python writes them."""
    pattern = re.match(r"!?/(.*)/ ", line + " ")
    assert pattern
    return re.compile(pattern[1].replace("[[:space:]]", r"\s").replace(r"()\\[", r"()\\\["), re.IGNORECASE)


def passes(field: str) -> bool:
    """Whether Postfix would keep the field unchanged: each if/endif block is a condition and a negated pattern."""
    for condition, line in ((LINES[0], LINES[1]), (LINES[3], LINES[4])):
        if expression(condition.removeprefix("if ")).search(field) and not expression(line).search(field):
            return False
    return True


@pytest.mark.parametrize(
    "field",
    [
        "From: scanner@contoso.com",
        "From: <SCANNER@contoso.com>",
        "From:scanner@contoso.com",
        "from: Scanner, third floor <scanner@contoso.com>".replace(",", ""),
        'From: "Scanner, third \\"floor\\"" <scanner@contoso.com>',
        "From: =?UTF-8?B?SsO2cmc=?= <scanner@contoso.com>",
        "From: =?UTF-8?B?SsO2cmc=?=\n <scanner@contoso.com>",
        "From: Jörg <scanner@contoso.com>",
        "From: scanner@contoso.com (Third floor)",
        "From: scanner@contoso.com <scanner@contoso.com>",
        "From: <a+b/c@contoso.com>",
        "Sender: scanner@contoso.com",
        "To: boss@contoso.com",
        "Subject: From: boss@contoso.com",
        "Reply-To: boss@contoso.com",
    ],
)
def test_senders_of_the_mailbox_pass(field: str) -> None:
    assert passes(field)


@pytest.mark.parametrize(
    "field",
    [
        "From: boss@contoso.com",
        "From : boss@contoso.com",
        "FROM: boss@contoso.com",
        "From: <boss@contoso.com>",
        "From: boss@contoso.com, scanner@contoso.com",
        "From: scanner@contoso.com, boss@contoso.com",
        "From: <boss@contoso.com> <scanner@contoso.com>",
        "From: boss@contoso.com <scanner@contoso.com>",
        "From: scanner@contoso.com (<boss@contoso.com>)",
        'From: "x" <boss@contoso.com> (<scanner@contoso.com>)',
        'From: "x\\" <scanner@contoso.com>',
        "From: group: scanner@contoso.com;",
        "From: scanner@contoso.com.example.net",
        "From: xscanner@contoso.com",
        "From: scanner@contosoxcom",
        "From: aab/c@contoso.com",
        "From:",
        "From: scanner@contoso.com\n boss@contoso.com",
        "Sender: boss@contoso.com",
        "Resent-From: boss@contoso.com",
    ],
)
def test_other_senders_are_replaced(field: str) -> None:
    assert not passes(field)


def test_each_mailbox_has_its_own_table_and_replacement() -> None:
    tables = header_from.tables(relay_config(relay_mailboxes=[{"address": "scanner@contoso.com"}, {"address": "erp@contoso.com"}]))
    assert tables.keys() == {"from-m365-1", "from-m365-2"}
    assert tables["from-m365-2"][1].endswith("REPLACE From: erp@contoso.com")
    assert "scanner" not in "".join(tables["from-m365-2"])
