# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._audit.commented_yaml import Item, Noted, comment, items, scalar
from ansible_collections.mailops.m365.plugins.module_utils._audit.draft import Draft, Facts, draft
from ansible_collections.mailops.m365.plugins.module_utils._audit.evidence import BasicUsage, ClientUsage, Evidence
from ansible_collections.mailops.m365.plugins.module_utils._audit.mail_flow import MailFlow
from ansible_collections.mailops.m365.plugins.module_utils._audit.verdict import Calendar
from ansible_collections.mailops.m365.plugins.module_utils._exchange.authentication_policies import User
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import Connector

TODAY, END = datetime.date(2026, 11, 28), datetime.date(2026, 12, 31)
SEEN = BasicUsage(succeeded=2, last_succeeded=TODAY, addresses=("203.0.113.9",))
USERS = {"crm@contoso.com": User("guid", None, "CRM", "UserMailbox")}


class Loader(yaml.SafeLoader):
    """YAML with Ansible's tag for data that is no template."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def drafted(today: datetime.date = TODAY, **evidence: Any) -> str:
    one = Evidence("crm@contoso.com", **{"basic": SEEN, **evidence})
    return draft([one], Facts("contoso.com", 30, Calendar(today, END), users=USERS)).text


@pytest.mark.parametrize(
    "text",
    [
        *("ERP", "yes", "null", "12", "1e3", "2026-11-28", "a: b", "- x", "# c", "it's", 'a"b', "Büro", "a\nb", "tab\t", " space "),
        *("", "*a", "&a", "!x", "{{ lookup('pipe', 'id') }}", "{% if %}", "\u2028", "\u0085", "@x", "[a]", "a #b", "%", "\U0001f4e0"),
    ],
)
def test_every_text_is_read_back_as_it_was(text: str) -> None:
    assert yaml.load(f"key: {scalar(text)}", Loader) == {"key": text}  # noqa: S506 (a SafeLoader)
    assert "\n" not in scalar(text)


def test_templates_are_tagged() -> None:
    assert scalar("{{ x }}").startswith("!unsafe ")
    assert scalar("{ x }") == '"{ x }"'


def test_lists_and_comments() -> None:
    lines = list(items("senders", [Item({"name": "a", "hosts": Noted(["192.0.2.1", "192.0.2.0/24"], "guess: static")}, ("seen\ntwice",))]))
    assert lines == ["senders:", "  # seen twice", "  - name: a", "    hosts: [192.0.2.1, 192.0.2.0/24]  # guess: static"]
    assert list(items("senders", [])) == ["senders: []"]
    assert all(line.startswith("# ") and len(line) <= 120 for line in comment("word " * 100))


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({"basic": None}, "Basic authentication: not readable."),
        ({"basic": BasicUsage()}, "Basic authentication: none seen."),
        ({"basic": BasicUsage(failed=3, last_failed=TODAY)}, "all 3 sign-ins with Basic authentication failed"),
        ({"security_defaults": True}, "it is refused now (Security Defaults are enabled)"),
        ({"smtp_auth": False}, "it is refused now (SMTP AUTH is disabled for the mailbox)"),
        ({"basic": None, "smtp_app": True}, "it used SMTP in the last 180 days"),
        ({"basic": replace(SEEN, addresses=tuple(f"203.0.113.{n}" for n in range(5)))}, "it may be a person with a mail program"),
        ({"basic": None, "clients": ClientUsage(basic=True), "smtp_auth": False}, "it is refused now (SMTP AUTH is disabled"),
        ({"today": END + datetime.timedelta(days=1)}, "it is disabled by default since 2026-12-31"),
    ],
)
def test_what_cannot_be_planned_is_a_comment_with_the_reason(evidence: dict[str, Any], reason: str) -> None:
    text = drafted(**evidence)
    assert "m365_senders: []" in text
    assert reason in " ".join(text.replace("#   ", "").split())


def test_a_tenant_that_enabled_basic_authentication_again_says_so() -> None:
    later = END + datetime.timedelta(days=30)
    text = drafted(later, basic=BasicUsage(succeeded=1, last_succeeded=later, addresses=("203.0.113.9",)))
    assert "m365_basic_reenabled: true" in text
    assert "address: crm@contoso.com" in text


def test_the_export_names_senders_where_the_log_is_not_readable() -> None:
    text = drafted(basic=None, clients=ClientUsage(basic=True, messages=812))
    assert "  # Basic authentication: 812 messages in the 90 days of the report SMTP AUTH clients." in text
    assert "address: crm@contoso.com" in text
    assert "public_addresses" not in text


def test_mail_without_sign_in_is_not_drafted_while_the_connectors_are_not_readable() -> None:
    flow = MailFlow(messages=9, recipients=9, last=TODAY, sources=("203.0.113.9",))
    for path in ("direct_send", "relayed"):
        text = drafted(**{"basic": None, "flow": flow, path: True, "connector": None, "direct_send_rejected": False})
        assert "m365_senders: []" in text
        assert "whether through a connector is not readable" in " ".join(text.replace("#   ", "").split())


def test_listed_senders_are_left_out() -> None:
    assert "crm@contoso.com" not in drafted(listed=True)


def test_settings_that_the_inventory_sets_stay() -> None:
    facts = Facts("contoso.com", 30, Calendar(TODAY, END), users=USERS, variables=["smtp_auth_mailboxes"])
    result = draft([Evidence("crm@contoso.com", basic=SEEN)], facts)
    assert "smtp_auth_mailboxes" not in result.text
    assert (result.senders, result.left_out) == (1, 0)


FLOW = MailFlow(messages=9, recipients=9, last=TODAY, recipients_per_day=3, sources=("203.0.113.9", "198.51.100.7"))


CERTIFICATE = Connector("Data centre", tls_sender_certificate_name="relay.contoso.com", require_tls=True)


def relayed(*connectors: Connector) -> Draft:
    names = tuple(one.name for one in connectors)
    evidence = Evidence("crm@contoso.com", basic=BasicUsage(), flow=FLOW, relayed=True, certificate_connectors=names)
    return draft([evidence], Facts("contoso.com", 30, Calendar(TODAY, END), users=USERS, connectors=connectors))


def test_the_only_connector_by_certificate_is_drafted_as_a_guess() -> None:
    result = relayed(CERTIFICATE)
    variables = yaml.load(result.text, Loader)  # noqa: S506 (a SafeLoader)
    [sender] = variables["m365_senders"]
    assert (sender["method"], sender["connector"], sender["certificate_name"]) == ("connector", "Data centre", "relay.contoso.com")
    assert "connector: Data centre  # guess: the only one that is matched by a certificate" in result.text
    [connector] = variables["inbound_connector_connectors"]
    assert connector == {"name": "Data centre", **CERTIFICATE.as_result()}


@pytest.mark.parametrize(
    ("connectors", "reason"),
    [
        ((), "without sign-in, through a path that is not known."),
        ((CERTIFICATE, replace(CERTIFICATE, name="Plant")), "through one of the connectors Data centre, Plant."),
    ],
)
def test_an_unknown_path_is_a_comment(connectors: tuple[Connector, ...], reason: str) -> None:
    result = relayed(*connectors)
    assert (result.senders, result.left_out) == (0, 1)
    assert reason in " ".join(result.text.replace("#   ", "").split())


@pytest.mark.parametrize(
    "evidence",
    [
        {"basic": None, "clients": ClientUsage(basic=False, oauth=True, messages=12)},
        {"basic": BasicUsage(), "smtp_auth": True, "flow": FLOW},
    ],
)
def test_senders_with_oauth_are_items_in_comments(evidence: dict[str, Any]) -> None:
    one = Evidence("crm@contoso.com", **evidence)
    facts = Facts("contoso.com", 30, Calendar(TODAY, END), users=USERS, applications=["ERP mailer, last sign-in 2026-11-27"])
    result = draft([one], facts)
    assert (yaml.load(result.text, Loader), result.left_out) == ({"m365_senders": []}, 1)  # noqa: S506 (a SafeLoader)
    assert "(ERP mailer, last sign-in 2026-11-27)" in " ".join(result.text.replace("# ", "").split())
    commented = result.text[result.text.index("#   # OAuth:") :].splitlines()
    lines = ["m365_senders:", *(line.removeprefix("# ") for line in commented)]
    [sender] = yaml.load("\n".join(lines), Loader)["m365_senders"]  # noqa: S506 (a SafeLoader)
    assert (sender["name"], sender["address"], sender["method"]) == ("CRM", "crm@contoso.com", "oauth")


@pytest.mark.parametrize(
    "evidence",
    [
        {"basic": None, "smtp_auth": True, "flow": FLOW},
        {"basic": BasicUsage(), "smtp_auth": True},
        {"basic": BasicUsage(failed=1, last_failed=TODAY), "smtp_auth": True, "flow": FLOW},
    ],
)
def test_who_may_use_basic_or_sends_nothing_is_no_sender_with_oauth(evidence: dict[str, Any]) -> None:
    assert "OAuth" not in drafted(**evidence).replace("whether with Basic authentication or OAuth", "")


def test_texts_of_a_connector_that_are_no_network_are_left_out() -> None:
    connector = Connector("Office", sender_ip_addresses=("203.0.113.1-203.0.113.5", "203.0.113.9", "192.0.2.1"))
    evidence = Evidence("crm@contoso.com", basic=BasicUsage(), flow=FLOW, connector="Office")
    text = draft([evidence], Facts("contoso.com", 30, Calendar(TODAY, END), users=USERS, connectors=[connector])).text
    assert "public_addresses: [203.0.113.9]" in text


@pytest.mark.parametrize(
    ("rejected", "reason"),
    [
        (True, "connector: that is rejected by the organization."),
        (None, "connector: that may be rejected (not readable)."),
    ],
)
def test_direct_send_that_may_be_rejected_is_a_comment(rejected: bool | None, reason: str) -> None:
    evidence = Evidence("crm@contoso.com", basic=BasicUsage(), flow=FLOW, direct_send=True, direct_send_rejected=rejected)
    result = draft([evidence], Facts("contoso.com", 30, Calendar(TODAY, END), users=USERS, connectors=[]))
    assert result.senders == 0
    assert reason in " ".join(result.text.replace("#   ", "").replace("# ", "").split())
