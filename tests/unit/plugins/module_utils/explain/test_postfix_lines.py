# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole lines of Postfix's log, in every form in which it wraps the reply of a server, and its own texts.

Source: the source code of Postfix 3.7 and 3.10, smtp_trouble.c, smtp_sasl_glue.c, smtp_tls_policy.c, smtp_connect.c and qmgr_deliver.c.
"""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import ErrorEntry
from ansible_collections.mailops.m365.plugins.module_utils.explain.recognition import explain

from .test_catalog_samples import REPLIES, every, status_code

HOST = "mx.example[192.0.2.5]"
HEADS = (
    "Nov 29 10:00:01 relay1 postfix/smtp[1234]: ",
    "2026-11-29T10:00:01.123456+00:00 relay1 postfix-out/smtp[1234]: ",
    "postfix/smtp[1234]: ",
)
ATTEMPTS = (
    "host {host} said: {reply} (in reply to MAIL FROM command)",
    "host {host} said: {reply} (in reply to end of DATA command)",
    "host {host} refused to talk to me: {reply}",
    "SASL authentication failed; server {host} said: {reply}",
    "delivery temporarily suspended: host {host} refused to talk to me: {reply}",
    "delivery temporarily suspended: SASL authentication failed; server {host} said: {reply}",
)
MESSAGES = (
    "4F1234ABCDE: host {host} said: {reply} (in reply to MAIL FROM command)",
    "4F1234ABCDE: host {host} refused to talk to me: {reply}",
    "4F1234ABCDE: SASL authentication failed; server {host} said: {reply}",
)


def ids(text: str) -> list[str]:
    return [explanation.entry.id for explanation in explain(text).explanations]


def lines(reply: str) -> list[str]:
    """The reply of a server in every form of a line."""
    code = status_code(reply)
    status = f"to=<x@y.example>, relay={HOST}:587, delay=1.2, delays=0.1/0/1/0.1, dsn={code}, status=deferred "
    attempts = [f"4F1234ABCDE: {status}({attempt})" for attempt in ATTEMPTS]
    return [head + text.format(host=HOST, reply=reply) for head in HEADS for text in (*attempts, *MESSAGES)]


@every(REPLIES)
def test_a_reply_is_explained_in_every_line_that_wraps_it(entry: ErrorEntry) -> None:
    for line in lines(entry.sample):
        assert ids(line) == [entry.id], line


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("connect to smtp.office365.com[52.97.1.1]:587: Connection timed out", "relay-upstream-unreachable"),
        ("connect to smtp.office365.com[52.97.1.1]:587: No route to host", "relay-upstream-unreachable"),
        ("delivery temporarily suspended: connect to smtp.office365.com[52.97.1.1]:587: Connection refused", "relay-upstream-unreachable"),
        ("TLS is required, but was not offered by host smtp.office365.com[52.97.1.1]", "relay-upstream-no-tls"),
        ("Cannot start TLS: handshake failure", "relay-upstream-tls"),
        ("delivery temporarily suspended: Cannot start TLS: handshake failure", "relay-upstream-tls"),
        ("Server certificate not trusted", "relay-upstream-certificate"),
        ("Server certificate not verified", "relay-upstream-certificate"),
        ("Host or domain name not found. Name service error for name=x.example type=A: Host not found, try again", "relay-name-not-found"),
        ("lost connection with smtp.office365.com[52.97.1.1] while performing the EHLO handshake", "relay-connection-lost"),
        ("conversation with smtp.office365.com[52.97.1.1] timed out while receiving the initial server greeting", "relay-connection-lost"),
        (
            "SASL authentication failed; cannot authenticate to server smtp.office365.com[52.97.1.1]: no mechanism available",
            "relay-no-mechanism",
        ),
        ("unknown mail transport error", "relay-table-error"),
    ],
)
def test_a_text_of_postfix_itself_is_explained(text: str, entry: str) -> None:
    for head in HEADS:
        code = "4.7.5" if "certificate" in text else "4.7.0" if "TLS" in text or "SASL" in text else "4.4.1"
        line = f"{head}4F1234ABCDE: to=<x@y.example>, relay=none, delay=30, delays=0/0/30/0, dsn={code}, status=deferred ({text})"
        assert ids(line) == [entry], line


def test_a_message_whose_time_in_the_queue_is_over_is_explained() -> None:
    line = "Nov 29 10:00:01 relay1 postfix/qmgr[12]: 4F1234ABCDE: from=<erp@contoso.com>, status=expired, returned to sender"
    assert ids(line) == ["relay-expired"]
