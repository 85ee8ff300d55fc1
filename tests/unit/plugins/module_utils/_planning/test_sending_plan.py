# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method of a sender: a table of cases, and properties that hold for every sender."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._planning import limits
from ansible_collections.mailops.m365.plugins.module_utils._planning.methods import METHODS, PLANNED
from ansible_collections.mailops.m365.plugins.module_utils._planning.senders import KINDS
from ansible_collections.mailops.m365.plugins.module_utils._planning.sending_plan import plan_sender
from hypothesis import given
from hypothesis import strategies as st

from .samples import OAUTH_RELAY, PLANT, TODAY, sender, tenant

USER = {"device@contoso.com": "UserMailbox"}
OFFICE = ["203.0.113.10"]
LATER = datetime.date(2027, 1, 1)

# sender, tenant, method, part of the reason
AUTO: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "an ERP system": ({"kind": "erp"}, {}, "oauth", "it signs in with OAuth"),
    "sent items": ({"kind": "erp", "sent_items": True}, {}, "oauth", "keeps a copy in Sent Items"),
    "a printer with an address": (
        {"kind": "printer", "public_addresses": OFFICE},
        {},
        "connector",
        "a connector matches it by IP address 203.0.113.10",
    ),
    "why not oauth": ({"kind": "printer", "public_addresses": OFFICE}, {}, "connector", "not oauth, because it cannot sign in with OAuth"),
    "a certificate": ({"certificate_name": "relay.contoso.com"}, {}, "connector", "TLS certificate relay.contoso.com"),
    "a printer that can": ({"kind": "printer", "oauth": True}, {}, "oauth", "it signs in with OAuth"),
    "old TLS": ({"kind": "erp", "tls12": False, "public_addresses": OFFICE}, {}, "connector", "it does not support TLS 1.2"),
    "the tenant's only relay host": (
        {"kind": "scanner"},
        {"relay_hosts": [OAUTH_RELAY]},
        "relay_host",
        "it sends through the relay host gateway",
    ),
    "the relay host that the sender names": (
        {"relay_host": "plant"},
        {"relay_hosts": [OAUTH_RELAY, PLANT]},
        "relay_host",
        "it sends through the relay host plant",
    ),
    "its own IP address before a relay host": (
        {"public_addresses": OFFICE},
        {"relay_hosts": [OAUTH_RELAY]},
        "connector",
        "a connector matches it by",
    ),
    "internal recipients only": ({"kind": "ups", "recipients": "internal"}, {}, "direct_send", "its recipients are internal"),
    "internal recipients with HVE": ({"kind": "nas", "recipients": "internal"}, {"hve": True}, "hve", "High Volume Email"),
    "an alarm storm to internal recipients": (
        {"kind": "monitoring", "recipients": "internal", "messages_per_minute": 200},
        {"hve": True},
        "hve",
        "200 messages a minute are more than the 30",
    ),
    "a newsletter": ({"kind": "website", "recipients_per_day": 50_000}, {"acs": True}, "acs", "50,000 recipients a day"),
    "a newsletter by a hosted relay": (
        {"kind": "website", "recipients_per_day": 50_000, "messages_per_minute": 500},
        {"acs": True, "hosted_relay": "sendgrid"},
        "hosted",
        "it sends through the hosted relay SendGrid",
    ),
    "a newsletter from an address": (
        {"kind": "website", "recipients_per_day": 15_000, "public_addresses": OFFICE},
        {},
        "connector",
        "not oauth, because 15,000 recipients a day are more than the 10,000",
    ),
    "somebody else's server": (
        {"kind": "other", "public_addresses": OFFICE, "third_party_host": True},
        {"hosted_relay": "mailgun"},
        "hosted",
        "whose public addresses other customers share",
    ),
    "somebody else's server with a certificate": (
        {"certificate_name": "shop.contoso.com", "third_party_host": True},
        {},
        "connector",
        "TLS certificate shop.contoso.com",
    ),
    "Basic authentication as the last method": ({"kind": "printer"}, {"mailboxes": USER}, "basic", "it supports Basic authentication only"),
    "Basic authentication after its end, enabled again": (
        {"kind": "printer"},
        {"mailboxes": USER, "today": LATER, "basic_reenabled": True},
        "basic",
        "Basic authentication",
    ),
    "Direct Send rejected": (
        {"kind": "ups", "recipients": "internal"},
        {"direct_send_rejected": True, "mailboxes": USER},
        "basic",
        "not direct_send, because direct_send_rejected is true",
    ),
    "compliance": (
        {"kind": "printer", "keep_in_tenant": True},
        {"hosted_relay": "smtp2go", "acs": True, "mailboxes": USER},
        "basic",
        "its mail must stay in the tenant",
    ),
}


@pytest.mark.parametrize("case", AUTO)
def test_method_and_reason_of_auto(case: str) -> None:
    what, state, method, reason = AUTO[case]
    plan = plan_sender(sender(**what), tenant(**state))
    assert (plan.method, plan.problems) == (method, ())
    assert reason in plan.reason


# sender with its method, tenant, part of the problem
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
        {"method": "connector", "public_addresses": OFFICE, "recipients_per_message": 1_001},
        {},
        "1,001 recipients",
    ),
    "Direct Send to external recipients": (
        {"method": "direct_send"},
        {},
        "direct_send is impossible: Direct Send reaches internal recipients only",
    ),
    "basic under Security Defaults": (
        {"method": "basic"},
        {"security_defaults": True, "mailboxes": USER},
        "basic is impossible: Entra Security Defaults are enabled and block Basic authentication for SMTP; use oauth, connector",
    ),
    "basic after its end": (
        {"method": "basic"},
        {"today": LATER, "mailboxes": USER},
        "basic is impossible: Basic authentication for SMTP is off by default after 2026-12-31; use oauth, connector, relay_host or hve",
    ),
    "basic without a mailbox": ({"method": "basic"}, {}, "mailbox device@contoso.com does not exist"),
    "basic on a shared mailbox": ({"method": "basic"}, {"mailboxes": {"device@contoso.com": "SharedMailbox"}}, "has no sign-in of its own"),
    "a connector without source": ({"method": "connector"}, {}, "it has neither a static public IP address nor a TLS certificate"),
    "a shared address": ({"method": "connector", "public_addresses": OFFICE, "third_party_host": True}, {}, "other customers share"),
    "Sent Items by a connector": (
        {"method": "connector", "public_addresses": OFFICE, "sent_items": True},
        {},
        "keeps no copy in Sent Items",
    ),
    "HVE to external recipients": ({"method": "hve"}, {}, "High Volume Email reaches internal recipients only"),
    "HVE to 51": ({"method": "hve", "recipients": "internal", "recipients_per_message": 51}, {}, "more than the 50 of High Volume Email"),
    "ACS without resource": ({"method": "acs"}, {}, "no Azure Communication Services resource is configured"),
    "ACS at 31 a minute": ({"method": "acs", "messages_per_minute": 31}, {"acs": True}, "more than the 30 of Azure Communication Services"),
    "ACS out of the tenant": ({"method": "acs", "keep_in_tenant": True}, {"acs": True}, "its mail must stay in the tenant"),
    "a hosted relay that is not configured": ({"method": "hosted"}, {}, "set m365_hosted_relay to one of smtp2go, sendgrid, mailgun"),
    "TLS 1.0": ({"method": "oauth", "tls12": False}, {}, "older versions are refused (421 4.7.66); send through a relay host"),
    "a printer told to use OAuth that cannot": ({"method": "oauth", "oauth": False}, {}, "it cannot sign in with OAuth; use connector"),
    "a relay host at a mailbox's limit": (
        {"method": "relay_host", "relay_host": "gateway", "messages_per_minute": 40},
        {"relay_hosts": [OAUTH_RELAY]},
        "relay_host is impossible: 40 messages a minute",
    ),
    "a foreign domain": (
        {"method": "oauth", "address": "x@fabrikam.com"},
        {},
        "fabrikam.com is no accepted domain of this tenant (contoso.com",
    ),
    "an unknown relay host": (
        {"method": "relay_host", "relay_host": "attic"},
        {"relay_hosts": [OAUTH_RELAY]},
        "nor in m365_relays (gateway): name one of them",
    ),
    "a verification to external recipients": (
        {"method": "direct_send", "recipients": "internal", "verify_recipient": "ada@fabrikam.com"},
        {},
        "its recipients are internal, but verify_recipient is ada@fabrikam.com",
    ),
    "a foreign certificate": (
        {"method": "connector", "address": "x@fabrikam.com", "certificate_name": "mx.fabrikam.com"},
        {},
        "neither fabrikam.com nor the certificate's domain (mx.fabrikam.com) is an accepted domain",
    ),
    "a certificate of a subdomain that is not accepted": (
        {"method": "connector", "address": "x@fabrikam.com", "certificate_name": "*.sub.contoso.com"},
        {},
        "neither fabrikam.com nor the certificate's domain (*.sub.contoso.com) is an accepted domain",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_method_is_refused_with_its_remedy(case: str) -> None:
    what, state, sentence = IMPOSSIBLE[case]
    problems = plan_sender(sender(**what), tenant(**state)).problems
    assert any(sentence in text for text in problems), problems
    assert all(text.startswith("m365_senders: Device: ") and text.endswith(".") for text in problems)


def test_without_a_possible_method_every_reason_and_the_nearest_remedy_are_named() -> None:
    [problem] = plan_sender(sender(kind="printer", sent_items=True), tenant()).problems
    assert all(f"not {method}, because " in problem for method in PLANNED)
    assert "The nearest is oauth: use connector, or a relay host that signs in for it." in problem


def test_every_refusal_of_a_method_is_a_problem() -> None:
    problems = plan_sender(sender(method="hve", recipients_per_message=60, tls12=False, sent_items=True), tenant()).problems
    assert len(problems) == 4


@pytest.mark.parametrize(("product", "mailboxes", "words"), [
    ("grafana", {}, "Grafana cannot sign in with OAuth by SMTP; set its relay_host, or another method."),
    ("lexmark", {}, "Lexmark signs in as a person, and device@contoso.com would be created as a shared mailbox"),
    ("lexmark", {"device@contoso.com": "SharedMailbox"}, "and device@contoso.com is a shared mailbox, which has no sign-in of its own"),
    ("lexmark", {"device@contoso.com": "UserMailbox"}, ""),
    ("smtplib", {}, ""),
    ("canon", {}, ""),  # not known
    (None, {}, ""),
])  # fmt: skip
def test_product_that_cannot_sign_in_as_planned_has_a_warning(product: str | None, mailboxes: dict[str, str], words: str) -> None:
    plan = plan_sender(sender(oauth=True, product=product), tenant(mailboxes=mailboxes))
    assert plan.method == "oauth"
    assert [words in warning for warning in plan.warnings] == ([True] if words else [])


def test_basic_authentication_and_direct_send_have_a_warning() -> None:
    [warning] = plan_sender(sender(kind="printer"), tenant(mailboxes=USER)).warnings
    assert warning.startswith("Device: Basic authentication is off by default after 2026-12-31, in 38 days, and an administrator can turn")
    assert not plan_sender(sender(kind="printer"), tenant(mailboxes=USER, basic_reenabled=True)).warnings
    assert (
        "without public_addresses in the SPF record"
        in plan_sender(sender(method="direct_send", recipients="internal"), tenant()).warnings[0]
    )


# -- properties of every sender and every tenant --------------------------------------------------------------------------

SENDERS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(KINDS)),
        "recipients": st.sampled_from(["internal", "external"]),
        "product": st.sampled_from([None, "lexmark", "grafana", "smtplib", "jira"]),
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
        "hosted_relay": st.sampled_from(["", "smtp2go"]),
        "mailboxes": st.sampled_from([{}, USER]),
        "relay_hosts": st.sampled_from([(), (OAUTH_RELAY,), (PLANT,)]),
    }
)


@given(SENDERS, TENANTS)
def test_auto_selects_the_first_method_without_refusal(what: dict[str, Any], state: dict[str, Any]) -> None:
    one, known = sender(**what), tenant(**state)
    plan = plan_sender(one, known)
    possible = [m for m in PLANNED if not METHODS[m].refusals(one, known, auto=True)]
    assert plan.method == (possible[0] if possible else "auto")
    assert bool(plan.problems) == (not possible)
    assert bool(plan.reason) == bool(possible)


@given(SENDERS, TENANTS, st.sampled_from(PLANNED))
def test_auto_never_selects_a_method_that_is_refused_when_set(what: dict[str, Any], state: dict[str, Any], method: str) -> None:
    known = tenant(**state)
    automatic = plan_sender(sender(**what), known)
    explicit = plan_sender(sender(**what, method=method), known)
    if explicit.problems and what["oauth"] is not None:
        assert automatic.method != method
    assert explicit.method == method


@given(SENDERS, TENANTS)
def test_a_selected_method_keeps_its_conditions(what: dict[str, Any], state: dict[str, Any]) -> None:
    one, known = sender(**what), tenant(**state)
    plan = plan_sender(one, known)
    if plan.method in ("direct_send", "hve"):
        assert one.internal
    if plan.method in ("acs", "hosted"):
        assert not one.keep_in_tenant
    if plan.method == "basic":
        assert not known.security_defaults
        assert not known.basic_auth_ended
    if one.sent_items:
        assert plan.method in ("oauth", "basic", "auto")
    if plan.uses_oauth or plan.method == "basic":
        assert one.messages_per_minute <= limits.MESSAGES_A_MINUTE
        assert one.recipients_per_day <= limits.RECIPIENTS_A_DAY


@given(SENDERS, TENANTS)
def test_less_mail_never_adds_a_refusal(what: dict[str, Any], state: dict[str, Any]) -> None:
    less = what | {"messages_per_minute": 1, "recipients_per_day": 0, "recipients_per_message": 1}
    known = tenant(**state)
    for method in PLANNED:
        assert len(METHODS[method].refusals(sender(**less), known)) <= len(METHODS[method].refusals(sender(**what), known))
