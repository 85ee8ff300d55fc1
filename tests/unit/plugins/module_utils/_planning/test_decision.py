# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a sender's way is decided: a table of cases, and what holds for every sender."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning import limits
from ansible_collections.mailops.m365.plugins.module_utils._planning.decision import decide
from ansible_collections.mailops.m365.plugins.module_utils._planning.rules import RULES, refusals
from ansible_collections.mailops.m365.plugins.module_utils._planning.senders import KINDS, METHODS
from hypothesis import given
from hypothesis import strategies as st

from .world import BRIDGE, PLANT, TODAY, facts, sender

USER = {"device@contoso.com": "UserMailbox"}
OFFICE = ["203.0.113.10"]
LATER = datetime.date(2027, 1, 1)

# what the sender is, what the tenant is, the way, a part of the reason
AUTO: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "an ERP system": ({"kind": "erp"}, {}, "oauth", "it signs in with OAuth"),
    "sent items": ({"kind": "erp", "sent_items": True}, {}, "oauth", "keeps a copy in Sent Items"),
    "a printer with an address": ({"kind": "printer", "public_addresses": OFFICE}, {}, "relay", "a connector knows it by 203.0.113.10"),
    "why not oauth": ({"kind": "printer", "public_addresses": OFFICE}, {}, "relay", "not oauth, because it cannot sign in with OAuth"),
    "a certificate": ({"certificate_name": "relay.contoso.com"}, {}, "relay", "the TLS certificate relay.contoso.com"),
    "a printer that can": ({"kind": "printer", "oauth": True}, {}, "oauth", "it signs in with OAuth"),
    "old TLS": ({"kind": "erp", "tls12": False, "public_addresses": OFFICE}, {}, "relay", "it does not speak TLS 1.2"),
    "the only relay host": ({"kind": "scanner"}, {"relays": [BRIDGE]}, "relay", "the relay host bridge sends for it"),
    "the relay host it names": ({"relay_host": "plant"}, {"relays": [BRIDGE, PLANT]}, "relay", "the relay host plant sends for it"),
    "its own address before a relay host": ({"public_addresses": OFFICE}, {"relays": [BRIDGE]}, "relay", "a connector knows it by"),
    "inside, nothing else": ({"kind": "ups", "recipients": "internal"}, {}, "direct_send", "its recipients are internal"),
    "inside, with HVE": ({"kind": "nas", "recipients": "internal"}, {"hve": True}, "hve", "High Volume Email"),
    "an alarm storm inside": (
        {"kind": "monitoring", "recipients": "internal", "messages_per_minute": 200},
        {"hve": True},
        "hve",
        "200 messages a minute are more than the 30",
    ),
    "a newsletter": ({"kind": "website", "recipients_per_day": 50_000}, {"acs": True}, "acs", "50,000 recipients a day"),
    "a newsletter by a hosted relay": (
        {"kind": "website", "recipients_per_day": 50_000, "messages_per_minute": 500},
        {"acs": True, "hosted": "sendgrid"},
        "hosted",
        "the hosted relay SendGrid takes its mail",
    ),
    "a newsletter from an address": (
        {"kind": "website", "recipients_per_day": 15_000, "public_addresses": OFFICE},
        {},
        "relay",
        "not oauth, because 15,000 recipients a day are more than the 10,000",
    ),
    "somebody else's server": (
        {"kind": "other", "public_addresses": OFFICE, "third_party_host": True},
        {"hosted": "mailgun"},
        "hosted",
        "whose public addresses other customers share",
    ),
    "somebody else's server with a certificate": (
        {"certificate_name": "shop.contoso.com", "third_party_host": True},
        {},
        "relay",
        "the TLS certificate shop.contoso.com",
    ),
    "a password at last": ({"kind": "printer"}, {"mailboxes": USER}, "basic", "it can do nothing but sign in by password"),
    "a password after its end, turned on again": (
        {"kind": "printer"},
        {"mailboxes": USER, "today": LATER, "basic_reenabled": True},
        "basic",
        "sign in by password",
    ),
    "Direct Send rejected": (
        {"kind": "ups", "recipients": "internal"},
        {"direct_send_rejected": True, "mailboxes": USER},
        "basic",
        "not direct_send, because direct_send_rejected is to be true",
    ),
    "compliance": (
        {"kind": "printer", "keep_in_tenant": True},
        {"hosted": "smtp2go", "acs": True, "mailboxes": USER},
        "basic",
        "its mail must stay in the tenant",
    ),
}


@pytest.mark.parametrize("case", AUTO)
def test_the_way_and_its_reason(case: str) -> None:
    what, known, method, reason = AUTO[case]
    decision = decide(sender(**what), facts(**known))
    assert (decision.method, decision.problems) == (method, ())
    assert reason in decision.reason


# the method told, what the sender is, what the tenant is, the sentence
IMPOSSIBLE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "31 a minute": (
        {"method": "oauth", "messages_per_minute": 31},
        {},
        "oauth is impossible: 31 messages a minute are more than the 30 that one mailbox may send; spread it over 2 mailboxes",
    ),
    "10,001 a day": (
        {"method": "oauth", "recipients_per_day": 10_001},
        {},
        "oauth is impossible: 10,001 recipients a day are more than the 10,000 of one mailbox; spread it over 2 mailboxes",
    ),
    "1,001 a message": (
        {"method": "oauth", "recipients_per_message": 1_001},
        {},
        "1,001 recipients a message are more than the 1,000 of Exchange Online; split the message",
    ),
    "1,001 a message by a connector": (
        {"method": "relay", "public_addresses": OFFICE, "recipients_per_message": 1_001},
        {},
        "1,001 recipients",
    ),
    "Direct Send to outside": (
        {"method": "direct_send"},
        {},
        "direct_send is impossible: Direct Send reaches internal recipients only",
    ),
    "basic under Security Defaults": (
        {"method": "basic"},
        {"security_defaults": True, "mailboxes": USER},
        "basic is impossible: Entra Security Defaults are on and refuse every SMTP sign-in by password; use oauth or relay",
    ),
    "basic after its end": (
        {"method": "basic"},
        {"today": LATER, "mailboxes": USER},
        "basic is impossible: Microsoft has switched SMTP sign-in by password off after 2026-12-31; use oauth, relay or hve",
    ),
    "basic without a mailbox": ({"method": "basic"}, {}, "there is no mailbox device@contoso.com to sign in to"),
    "basic on a shared mailbox": ({"method": "basic"}, {"mailboxes": {"device@contoso.com": "SharedMailbox"}}, "has no sign-in of its own"),
    "a relay that nothing knows": ({"method": "relay"}, {}, "it has neither a static public address nor a TLS certificate"),
    "a shared address": ({"method": "relay", "public_addresses": OFFICE, "third_party_host": True}, {}, "other customers share"),
    "Sent Items by a connector": ({"method": "relay", "public_addresses": OFFICE, "sent_items": True}, {}, "keeps no copy in Sent Items"),
    "HVE to outside": ({"method": "hve"}, {}, "High Volume Email reaches internal recipients only"),
    "HVE to 51": ({"method": "hve", "recipients": "internal", "recipients_per_message": 51}, {}, "more than the 50 of High Volume Email"),
    "ACS that is not there": ({"method": "acs"}, {}, "no Azure Communication Services resource is named"),
    "ACS at 31 a minute": ({"method": "acs", "messages_per_minute": 31}, {"acs": True}, "more than the 30 of Azure Communication Services"),
    "ACS out of the tenant": ({"method": "acs", "keep_in_tenant": True}, {"acs": True}, "its mail must stay in the tenant"),
    "hosted by nobody": ({"method": "hosted"}, {}, "set m365_hosted_relay to smtp2go, sendgrid or mailgun"),
    "TLS 1.0": ({"method": "oauth", "tls12": False}, {}, "older is refused (421 4.7.66); let it send through a relay host"),
    "a printer told to use OAuth that cannot": ({"method": "oauth", "oauth": False}, {}, "it cannot sign in with OAuth; use relay"),
    "a relay host at a mailbox's limit": (
        {"method": "relay", "relay_host": "bridge", "messages_per_minute": 40},
        {"relays": [BRIDGE]},
        "relay is impossible: 40 messages a minute",
    ),
    "a foreign domain": (
        {"method": "oauth", "address": "x@fabrikam.com"},
        {},
        "fabrikam.com is no accepted domain of this tenant (contoso.com",
    ),
    "a relay host that is not there": (
        {"method": "relay", "relay_host": "attic"},
        {"relays": [BRIDGE]},
        "nor in m365_relays (bridge): name one of them",
    ),
    "a proof to outside": (
        {"method": "direct_send", "recipients": "internal", "verify_recipient": "ada@fabrikam.com"},
        {},
        "its recipients are internal, but verify_recipient is ada@fabrikam.com",
    ),
    "a foreign certificate": (
        {"method": "relay", "address": "x@fabrikam.com", "certificate_name": "mx.fabrikam.com"},
        {},
        "neither fabrikam.com nor the certificate's domain (mx.fabrikam.com) is an accepted domain",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_the_impossible_is_refused_with_the_way_out(case: str) -> None:
    what, known, sentence = IMPOSSIBLE[case]
    found = decide(sender(**what), facts(**known)).problems
    assert any(sentence in text for text in found), found
    assert all(text.startswith("m365_senders: Device: ") and text.endswith(".") for text in found)


def test_no_way_at_all_says_why_for_each_and_the_nearest_way_out() -> None:
    [problem] = decide(sender(kind="printer", sent_items=True), facts()).problems
    assert all(f"not {method}, because " in problem for method in METHODS)
    assert "The nearest is oauth: use relay, or a relay host that signs in for it." in problem


def test_all_that_is_wrong_comes_at_once() -> None:
    found = decide(sender(method="hve", recipients_per_message=60, tls12=False, sent_items=True), facts()).problems
    assert len(found) == 4


def test_a_password_and_direct_send_come_with_a_warning() -> None:
    [warning] = decide(sender(kind="printer"), facts(mailboxes=USER)).warnings
    assert warning.startswith("Device: Basic authentication is off by default after 2026-12-31, in 38 days;")
    assert not decide(sender(kind="printer"), facts(mailboxes=USER, basic_reenabled=True)).warnings
    assert "without public_addresses in the SPF record" in decide(sender(method="direct_send", recipients="internal"), facts()).warnings[0]


# -- what holds for every sender and every tenant -----------------------------------------------------------------------

SENDERS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(KINDS)),
        "recipients": st.sampled_from(["internal", "external"]),
        "oauth": st.sampled_from([None, True, False]),
        "tls12": st.booleans(),
        "public_addresses": st.sampled_from([[], OFFICE]),
        "certificate_name": st.sampled_from([None, "relay.contoso.com"]),
        "messages_per_minute": st.integers(1, 60),
        "recipients_per_day": st.integers(0, 20_000),
        "recipients_per_message": st.sampled_from([1, 50, 51, 1000, 1001]),
        "sent_items": st.booleans(),
        "third_party_host": st.booleans(),
        "keep_in_tenant": st.booleans(),
    }
)
TENANTS = st.fixed_dictionaries(
    {
        "security_defaults": st.booleans(),
        "today": st.sampled_from([TODAY, LATER]),
        "basic_reenabled": st.booleans(),
        "direct_send_rejected": st.booleans(),
        "hve": st.booleans(),
        "acs": st.booleans(),
        "hosted": st.sampled_from(["", "smtp2go"]),
        "mailboxes": st.sampled_from([{}, USER]),
        "relays": st.sampled_from([(), (BRIDGE,), (PLANT,)]),
    }
)


@given(SENDERS, TENANTS)
def test_a_way_is_found_exactly_where_nothing_speaks_against_it(what: dict[str, Any], known: dict[str, Any]) -> None:
    one, tenant = sender(**what), facts(**known)
    decision = decide(one, tenant)
    open_ways = [m for m in METHODS if not refusals(m, one, tenant) and (m != "hve" or tenant.hve)]
    assert decision.method == (open_ways[0] if open_ways else "auto")
    assert bool(decision.problems) == (not open_ways)
    assert bool(decision.reason) == bool(open_ways)


@given(SENDERS, TENANTS, st.sampled_from(METHODS))
def test_auto_never_takes_what_is_refused_when_told(what: dict[str, Any], known: dict[str, Any], method: str) -> None:
    tenant = facts(**known)
    automatic = decide(sender(**what), tenant)
    told = decide(sender(**what, method=method), tenant)
    if told.problems and what["oauth"] is not None:
        assert automatic.method != method
    assert told.method == method


@given(SENDERS, TENANTS)
def test_the_promises_of_a_way(what: dict[str, Any], known: dict[str, Any]) -> None:
    one, tenant = sender(**what), facts(**known)
    decision = decide(one, tenant)
    if decision.method in ("direct_send", "hve"):
        assert one.internal
    if decision.method in ("acs", "hosted"):
        assert not one.keep_in_tenant
    if decision.method == "basic":
        assert not tenant.security_defaults
        assert not tenant.basic_ended
    if one.sent_items:
        assert decision.method in ("oauth", "basic", "auto")
    if decision.signs_in or decision.method == "basic":
        assert one.messages_per_minute <= limits.MESSAGES_A_MINUTE
        assert one.recipients_per_day <= limits.RECIPIENTS_A_DAY


@given(SENDERS, TENANTS)
def test_less_mail_never_closes_a_way(what: dict[str, Any], known: dict[str, Any]) -> None:
    less = what | {"messages_per_minute": 1, "recipients_per_day": 0, "recipients_per_message": 1}
    tenant = facts(**known)
    for method in METHODS:
        assert len(refusals(method, sender(**less), tenant)) <= len(refusals(method, sender(**what), tenant))


def test_every_method_has_its_rules() -> None:
    assert tuple(RULES) == METHODS
