# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every published reply of the hosted relays has its entry, as a client and as Postfix see it, and a relay host keeps the mail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils import error_catalog

from .._relay.config.test_dsn_filter import filtered

CONTRACT = Path(__file__).resolve().parents[4] / "contract" / "hosted-relays.json"
REPLIES = {name: one["replies"] for name, one in json.loads(CONTRACT.read_text("utf-8"))["smtp"].items()}
ENTRIES = {
    "smtp2go": {
        "auth_bad": "password", "no_auth": "no-auth", "from_unverified": "sender", "blank_sender": "blank",
        "address_not_allowed": "address",
    },
    "sendgrid": {
        "auth_bad_user": "user", "auth_bad_key": "key", "auth_address": "address", "auth_no_credits": "credits", "limits": "credits",
        "no_auth": "no-auth", "from_unverified": "sender",
    },
    "mailgun": {
        "auth_bad_older": "password", "auth_bad": "password", "no_auth": "relaying", "limit": "limit", "free_account": "free",
        "not_activated": "inactive",
    },
}  # fmt: skip
CASES = [(provider, name, f"hosted-smtp-{entry}") for provider, names in ENTRIES.items() for name, entry in names.items()]


def text(provider: str, name: str) -> str:
    """The reply on one line, as Postfix and the client of the collection write it."""
    reply = REPLIES[provider][name]
    joined = " ".join(reply) if isinstance(reply, list) else str(reply)
    return joined.partition(" (help centre")[0].replace("DOMAIN", "mg.contoso.com")


@pytest.mark.parametrize(("provider", "name", "entry"), CASES)
def test_reply_has_its_entry(provider: str, name: str, entry: str) -> None:
    reply = text(provider, name)
    for matched in (error_catalog.smtp(reply, "hosted_smtp"), error_catalog.smtp(reply)):
        assert matched, reply
        assert (matched.id, matched.queue_policy) == (entry, "defer")
    attempt = f"host smtp.example.net[192.0.2.1] said: {reply} (in reply to end of DATA command)"
    delivered, _code = error_catalog.delivery(attempt)
    assert delivered
    assert delivered.id == entry


@pytest.mark.parametrize(("provider", "name", "entry"), [one for one in CASES if text(*one[:2]).startswith("550")])
def test_relay_host_keeps_mail_that_meets_a_configuration_fault(provider: str, name: str, entry: str) -> None:
    """Postfix writes 5.0.0 where a reply has no enhanced status code."""
    reply = text(provider, name)[4:]
    status = reply if reply.startswith("5.") else f"5.0.0 {reply}"
    assert filtered(provider, status)[0] == "4"


@pytest.mark.parametrize("text", [
    "the sending limit of this SMTP user is exceeded", "Hourly quota exceeded", "daily limit reached", "Rate limit exceeded for user erp",
])  # fmt: skip
def test_relay_host_keeps_mail_beyond_the_limit_of_a_user(text: str) -> None:
    """The words of SMTP2GO are not published."""
    for provider in ENTRIES:
        assert filtered(provider, f"5.0.0 {text}")[0] == "4"


@pytest.mark.parametrize(
    "text", ["5.3.4 Message size exceeds fixed limit", "5.0.0 message size limit exceeded", "5.2.2 Mailbox quota exceeded"]
)
def test_refusal_of_a_large_message_or_a_full_mailbox_is_final(text: str) -> None:
    for provider in ENTRIES:
        assert filtered(provider, text)[0] == "5"


def test_refusal_of_a_recipient_is_final() -> None:
    for provider in ENTRIES:
        assert filtered(provider, "5.1.1 <nobody@example.net>: Recipient address rejected: no such user")[0] == "5"


def test_disabled_domain_of_mailgun() -> None:
    matched = error_catalog.smtp("421 Domain mg.contoso.com is not allowed to send: spam complaints")
    assert matched
    assert (matched.id, matched.transient) == ("hosted-smtp-disabled", False)
