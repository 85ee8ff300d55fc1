# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import dsn_filter
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import ENTRIES, smtp


def filtered(upstream: str, reply: str) -> str:
    """The result of Postfix's regexp_table(5) for "5.7.57 text", with its if blocks, case folded."""
    lines, passing = iter(dsn_filter.lines(upstream)), False
    for line in lines:
        if line.startswith("if "):
            passing = bool(re.search(line[4:-1].replace(r"\/", "/"), reply, re.IGNORECASE))
        elif line == "endif":
            passing = False
        elif passing:
            pattern, _sep, result = line[1:].rpartition("/ ")
            if match := re.search(pattern, reply):
                return result.replace("$1", match[1])
    return reply


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("5.7.57 Client not authenticated to send mail.", "4.7.57"),
        ("5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", "4.7.139"),
        ("5.2.252 SendAsDenied; scanner@contoso.com not allowed to send as x@contoso.com", "4.2.252"),
        ("5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", "4.2.0"),
        ("5.7.705 Access denied, tenant has exceeded threshold", "4.7.705"),
        ("5.7.606 Access denied, banned sending IP [198.51.100.1]", "4.7.606"),
        ("5.4.1 Recipient address rejected: Access denied.", "5.4.1"),
        ("5.3.4 Message size exceeds fixed limit", "5.3.4"),
        ("5.1.10 RESOLVER.ADR.RecipientNotFound", "5.1.10"),
        ("4.3.2 Concurrent connections limit exceeded.", "4.3.2"),
    ],
)
def test_refusals_for_a_setting_are_temporary_and_refusals_of_a_message_permanent(reply: str, kept: str) -> None:
    assert filtered("oauth", reply).split()[0] == kept


def test_the_filter_agrees_with_the_error_catalog() -> None:
    """For the code of each entry, with a text that matches it."""
    for row in ENTRIES:
        if row.service == "smtp" and re.fullmatch(r"5\.\d+\.\d+", row.code) and not row.text:
            entry = smtp(f"550 {row.code} said")
            assert entry
            assert filtered("connector", f"{row.code} said")[0] == ("5" if entry.queue_policy == "bounce" else "4"), row.id


def test_another_provider_is_matched_by_its_texts() -> None:
    assert filtered("sendgrid", "5.0.0 The from address does not match a verified Sender Identity.")[0] == "4"
    assert filtered("sendgrid", "5.7.57 whatever")[0] == "5"


@pytest.mark.parametrize(
    "reply",
    [
        "5.0.0 From header sender domain not verified (contoso.com)",
        "5.0.0 Relay access denied - please authenticate",
        "5.0.0 that IP address on this account is not allowed to send",
        "5.0.0 to send email from a blank sender, enable blank senders",
        "5.7.1 Relaying denied",
        "5.7.1 <x@example.net>: Relay access denied",
        "5.7.1 <scanner@contoso.com>: Sender address rejected: not owned by user erp",
        "5.0.0 Unauthenticated senders not allowed",
        "5.7.1 <scanner@contoso.com>: Sender address rejected: Attic may send only as erp@contoso.com; set this sender in the device",
        "5.7.1 <unentry[192.0.2.1]>: Client host rejected: This address is in no network of relay_devices",
    ],
)
def test_refusals_of_the_account_by_a_provider_are_temporary(reply: str) -> None:
    for upstream in ("smtp2go", "sendgrid", "mailgun", "smarthost"):
        assert filtered(upstream, reply)[0] == "4"
    assert filtered("oauth", "5.7.1 <x@example.net>: Relay access denied")[0] == "5", "with OAuth the text is a recipient's server's"


def test_refusals_of_a_recipient_are_permanent() -> None:
    assert filtered("smarthost", "5.1.1 <nobody@example.net>: Recipient address rejected: User unentry")[0] == "5"


def test_the_expressions_are_posix() -> None:
    for upstream in ("oauth", "acs"):
        assert not [line for line in dsn_filter.lines(upstream) if re.search(r"\\[dwsb]|\(\?|\*\?|\+\?", line)]
