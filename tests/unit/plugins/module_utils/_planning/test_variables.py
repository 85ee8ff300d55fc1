# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decisions need of the tenant, what they are together, and what is typed into the devices."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning import limits, tenant_limits
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import Facts, Mailbox
from ansible_collections.mailops.m365.plugins.module_utils._planning.decision import Decision, decide
from ansible_collections.mailops.m365.plugins.module_utils._planning.device_settings import settings, sheet
from ansible_collections.mailops.m365.plugins.module_utils._planning.senders import problems
from ansible_collections.mailops.m365.plugins.module_utils._planning.variables import DEFAULTS, ROLES, Wishes, complete, derive, needed

from tests.static.tree import REPO

from .world import BRIDGE, PLANT, facts, item, sender

OFFICE = ["203.0.113.10"]
APP = "mailops-smtp-sender"


def decided(known: Facts, *senders: dict[str, Any]) -> list[Decision]:
    found = [decide(sender(**{"name": f"S{number}", **options}), known) for number, options in enumerate(senders)]
    assert not [problem for decision in found for problem in decision.problems]
    return found


def variables(known: Facts, *senders: dict[str, Any], **wishes: Any) -> dict[str, Any]:
    return derive(decided(known, *senders), known, Wishes(APP, **wishes))


# -- what the roles get -------------------------------------------------------------------------------------------------


def test_a_sender_with_oauth_gets_its_mailbox_its_rights_and_its_switch() -> None:
    found = variables(facts(), {"kind": "erp", "display_name": "ERP", "verify_recipient": "proof@example.net"})
    assert found == {
        "shared_mailbox_mailboxes": [{"address": "device@contoso.com", "display_name": "ERP"}],
        "entra_app_unique_name": APP,
        "entra_app_permissions": [{"name": "SMTP.SendAsApp"}],
        "entra_app_full_access": ["device@contoso.com"],
        "entra_app_send_as": [],
        "smtp_auth_mailboxes": [{"address": "device@contoso.com"}],
        "verify_senders": [{"name": "S0", "method": "oauth", "address": "device@contoso.com", "verify_recipient": "proof@example.net"}],
        "verify_app_unique_name": APP,
    }
    assert needed(found) == ["shared_mailbox", "entra_app", "smtp_auth", "verify"]


def test_two_senders_of_one_mailbox_share_it_and_another_address_needs_send_as() -> None:
    senders = [{"kind": "erp", "mailbox": "Shop@contoso.com"}, {"kind": "website", "address": "shop@contoso.com"}]
    found = variables(facts(), *senders)
    assert found["entra_app_full_access"] == ["shop@contoso.com"]
    assert found["entra_app_send_as"] == ["device@contoso.com"]
    assert [m["address"] for m in found["shared_mailbox_mailboxes"]] == ["shop@contoso.com", "device@contoso.com"]


def test_an_alias_needs_neither_a_mailbox_nor_a_right() -> None:
    shop = Mailbox("shop@contoso.com", "SharedMailbox")
    known = Facts(**vars(facts()) | {"mailboxes": dict.fromkeys(("shop@contoso.com", "device@contoso.com"), shop)})
    found = variables(known, {"kind": "erp", "mailbox": "shop@contoso.com"})
    assert found["entra_app_send_as"] == []
    assert found["shared_mailbox_mailboxes"] == [{"address": "shop@contoso.com"}]


def test_a_users_mailbox_is_left_to_the_user() -> None:
    found = variables(facts(mailboxes={"device@contoso.com": "UserMailbox"}), {"kind": "erp"})
    assert "shared_mailbox_mailboxes" not in found


def test_a_copy_in_sent_items_of_another_address_is_asked_for() -> None:
    found = variables(facts(), {"kind": "erp", "mailbox": "shop@contoso.com", "sent_items": True})
    assert found["shared_mailbox_mailboxes"][1] == {"address": "device@contoso.com", "message_copy_for_sent_as": True}


def test_a_password_gets_its_switch_and_its_policy() -> None:
    found = variables(facts(mailboxes={"device@contoso.com": "UserMailbox"}), {"method": "basic"})
    assert found["smtp_auth_mailboxes"] == [{"address": "device@contoso.com", "sign_in": "basic"}]
    [policy] = found["authentication_policy_policies"]
    assert (policy["allow_basic_smtp"], policy["mailboxes"]) == (True, ["device@contoso.com"])
    assert "entra_app_unique_name" not in found


@pytest.mark.parametrize(("addresses", "connectors"), [
    ([["203.0.113.1"], ["203.0.113.2"]], [["203.0.113.1"], ["203.0.113.2"]]),
    ([["203.0.113.1"], ["203.0.113.1"]], [["203.0.113.1"]]),
    ([["203.0.113.1"], ["203.0.113.2"], ["203.0.113.2", "203.0.113.1"]], [["203.0.113.1", "203.0.113.2"]]),
])  # fmt: skip
def test_senders_that_share_an_address_share_a_connector(addresses: list[list[str]], connectors: list[list[str]]) -> None:
    found = variables(facts(), *({"public_addresses": some} for some in addresses))
    assert [c["sender_ip_addresses"] for c in found["inbound_connector_connectors"]] == connectors
    assert [c["name"] for c in found["inbound_connector_connectors"]] == [f"mailops {some[0]}" for some in connectors]
    assert found["spf_ip4"] == sorted({address for some in addresses for address in some})


def test_the_order_of_the_senders_does_not_rename_a_connector() -> None:
    senders = [{"public_addresses": ["203.0.113.2"]}, {"public_addresses": ["203.0.113.1", "203.0.113.2"]}]
    names = [variables(facts(), *some)["inbound_connector_connectors"][0]["name"] for some in (senders, senders[::-1])]
    assert names == ["mailops 203.0.113.1"] * 2


def test_certificates_and_relay_hosts_get_connectors_of_their_own() -> None:
    known = facts(relays=[PLANT, BRIDGE])
    found = variables(
        known,
        {"certificate_name": "x.contoso.com"},
        {"relay_host": "plant"},
        {"relay_host": "bridge"},
        {"connector": "Mine", "public_addresses": OFFICE},
    )
    by_name = {c["name"]: c for c in found["inbound_connector_connectors"]}
    assert by_name["mailops x.contoso.com"]["tls_sender_certificate_name"] == "x.contoso.com"
    assert by_name["mailops x.contoso.com"]["require_tls"] is True
    assert by_name["mailops plant"]["sender_ip_addresses"] == ["198.51.100.7"]
    assert by_name["Mine"]["comment"] == "mailops.m365: S3"
    assert len(by_name) == 3, "a relay host that signs in needs no connector"
    assert found["entra_app_full_access"] == ["device@contoso.com"]


def test_direct_send_stays_open_for_who_needs_it() -> None:
    found = variables(facts(), {"recipients": "internal", "kind": "ups"})
    assert (found["direct_send_rejected"], found["direct_send_senders"]) == (False, ["device@contoso.com"])


def test_closing_what_nobody_uses() -> None:
    found = variables(facts(), {"kind": "erp"}, close_others=True)
    assert (found["smtp_auth_organization"], found["smtp_auth_exclusive"]) == ("disabled", True)
    assert found["direct_send_rejected"] is True
    assert found["authentication_policy_organization"] == found["authentication_policy_policies"][-1]["name"]
    direct = variables(facts(), {"recipients": "internal", "kind": "ups"}, close_others=True)
    assert (direct["direct_send_rejected"], direct["smtp_auth_mailboxes"]) == (False, [])


def test_hve_acs_and_a_hosted_relay() -> None:
    known = facts(hve=True, acs=True, hosted="sendgrid")
    found = variables(
        known, {"method": "hve", "recipients": "internal", "kind": "erp"}, {"method": "acs", "name": "Web shop"}, {"method": "hosted"}
    )
    assert found["hve_account_accounts"] == [{"address": "device@contoso.com", "display_name": "S0", "apps": [APP]}]
    assert found["entra_app_permissions"] == [{"name": "Mail.Send"}]
    assert found["acs_smtp_username_usernames"] == [{"name": "web-shop", "username": "device@contoso.com"}]
    assert found["spf_includes"] == ["sendgrid.net"]


def test_what_the_inventory_sets_itself_wins_and_still_gives_its_role_work() -> None:
    found = complete(variables(facts(), {"kind": "erp"}), ["smtp_auth_mailboxes", "direct_send_rejected"])
    assert "smtp_auth_mailboxes" not in found
    assert found["direct_send_senders"] == []
    assert needed([*found, "smtp_auth_mailboxes", "direct_send_rejected"]) == ["shared_mailbox", "entra_app", "smtp_auth", "direct_send"]


def test_the_roles_and_their_defaults_are_the_roles_own() -> None:
    for role, defaults in DEFAULTS.items():
        own = yaml.safe_load((REPO / "roles" / role / "defaults/main.yml").read_text())
        assert defaults == {name: own[name] for name in defaults}
    for role, variable in ROLES:
        if (REPO / "roles" / role).exists():
            assert variable in (REPO / "roles" / role / "meta/argument_specs.yml").read_text()


# -- all senders together -----------------------------------------------------------------------------------------------


def total(known: Facts, *senders: dict[str, Any]) -> list[str]:
    return tenant_limits.problems(decided(known, *senders), known)


@pytest.mark.parametrize(
    ("licences", "trial", "allowed"),
    [(1, False, 10_000), (10, False, 12_005), (100, False, 22_059), (1_000, False, 72_446), (9, True, 5_000)],
)
def test_the_external_limit_is_microsofts_formula(licences: int, trial: bool, allowed: int) -> None:
    assert abs(limits.external_recipients_a_day(licences, trial=trial) - allowed) <= 1
    many = [{"public_addresses": OFFICE, "recipients_per_day": allowed // 2}, {"public_addresses": OFFICE, "recipients_per_day": allowed}]
    [problem] = total(facts(licences=licences, trial=trial), *many)
    assert "tenant external recipient rate limit" in problem
    assert ("a trial tenant" in problem) == trial


def test_recipients_inside_and_other_services_do_not_count() -> None:
    known = facts(licences=1, acs=True)
    assert not total(known, {"public_addresses": OFFICE, "recipients": "internal", "recipients_per_day": 90_000})
    assert not total(known, {"method": "acs", "recipients_per_day": 90_000})
    assert not total(facts(licences=None), {"public_addresses": OFFICE, "recipients_per_day": 90_000})


def test_one_mailbox_is_one_limit() -> None:
    twenty = {"kind": "erp", "messages_per_minute": 20, "recipients_per_day": 6_000, "recipients": "internal"}
    rate, day = total(facts(), twenty, twenty)
    assert rate.startswith("m365_senders: S0, S1 together send 40 messages a minute as device@contoso.com, which may send 30:")
    assert "12,000 recipients a day" in day
    assert not total(facts(), twenty, twenty | {"mailbox": "other@contoso.com"})


def test_the_initial_domain_reaches_hundred() -> None:
    one = {"kind": "erp", "address": "a@contoso.onmicrosoft.com", "recipients_per_day": 60}
    assert not total(facts(), one)
    [problem] = total(facts(), one, one | {"address": "b@contoso.onmicrosoft.com"})
    assert "120 external recipients a day" in problem


# -- malformed ----------------------------------------------------------------------------------------------------------

MALFORMED = {
    "no_address": ({"address": "device"}, "m365_senders: Device: address holds 'device', which is no mail address (name@domain)."),
    "private": ({"public_addresses": ["10.1.2.3"]}, "public_addresses holds '10.1.2.3', which is private"),
    "large": ({"public_addresses": ["203.0.0.0/16"]}, "which is larger than the /24"),
    "six": ({"public_addresses": ["2001:db8::1"]}, "which is IPv6"),
    "words": ({"public_addresses": ["the office"]}, "which is neither an IPv4 address nor a network"),
    "host bits": ({"public_addresses": ["203.0.113.7/24"]}, "which is neither an IPv4 address nor a network"),
    "negative": ({"recipients_per_day": -1}, "recipients_per_day is -1: give a number of at least 0."),
    "none": ({"messages_per_minute": 0}, "messages_per_minute is 0: give a number of at least 1."),
    "name": ({"name": " "}, "has an empty name: name what sends."),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_named(case: str) -> None:
    options, sentence = MALFORMED[case]
    [problem] = problems([item(**options)])
    assert sentence in problem


def test_a_name_twice_and_everything_at_once() -> None:
    found = problems([item(), item(name="device", verify_recipient="nobody", mailbox="", public_addresses=["10.0.0.1"])])
    assert len(found) == 4
    assert "this name is there twice" in found[0]


# -- what is typed in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "known", "wanted"), [
    ({"kind": "erp"}, {}, {"server": "smtp.office365.com", "port": 587, "user": "device@contoso.com"}),
    ({"public_addresses": OFFICE}, {"mx_host": "mx.example.net"}, {"server": "mx.example.net", "port": 25, "sign_in": "none"}),
    ({"relay_host": "bridge"}, {"relays": [BRIDGE]}, {"server": "relay.contoso.com", "port": 25, "sign_in": "none"}),
    ({"method": "hosted"}, {"hosted": "mailgun"}, {"server": "smtp.mailgun.org", "port": 587, "sign_in": "password"}),
    ({"method": "hve", "recipients": "internal"}, {}, {"port": 587, "sign_in": "the account's password"}),
    ({"method": "acs"}, {"acs": True}, {"server": "smtp.azurecomm.net", "port": 587}),
    ({"method": "direct_send", "recipients": "internal"}, {}, {"server": "the tenant's MX host"}),
])  # fmt: skip
def test_the_settings_of_a_way(what: dict[str, Any], known: dict[str, Any], wanted: dict[str, Any]) -> None:
    tenant = facts(**known)
    [decision] = decided(tenant, what)
    found = settings(decision, tenant, CLOUDS["global"], APP)
    assert {name: found[name] for name in wanted} == wanted
    assert found["from"] == "device@contoso.com"


def test_the_sheet_is_a_table_with_a_line_a_sender() -> None:
    known = facts()
    decision = decide(sender(name="A | B", kind="erp"), known)
    entry = {"name": "A | B", "method": "oauth", "reason": decision.reason, "settings": settings(decision, known, CLOUDS["global"], APP)}
    lines = sheet("contoso.com", [entry]).splitlines()
    assert lines[0] == "# Mail settings: contoso.com"
    assert lines[4].startswith("| A \\| B | smtp.office365.com | 587 | STARTTLS, TLS 1.2 | OAuth 2.0 (XOAUTH2)")
