# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role variables that planned senders need."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import Mailbox, PlanningContext, PlanSettings
from ansible_collections.mailops.m365.plugins.module_utils._planning.methods import METHODS, PLANNED
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_variables import (
    DEFAULTS,
    ROLES,
    complete,
    derive,
    listed,
    roles_to_run,
)
from ansible_collections.mailops.m365.plugins.module_utils._planning.senders import VerifyConnection

from tests.static.tree import REPO

from .samples import OAUTH_RELAY, PLANT, planned, tenant

OFFICE = ["203.0.113.10"]
APP = "mailops-smtp-sender"


def variables(known: PlanningContext, *senders: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return derive(planned(known, *senders), known, PlanSettings(APP, **settings))


def test_oauth_needs_mailbox_permissions_and_smtp_auth() -> None:
    values = variables(tenant(), {"kind": "erp", "display_name": "ERP", "verify_recipient": "verify@example.net"})
    assert values == {
        "shared_mailbox_mailboxes": [{"address": "device@contoso.com", "display_name": "ERP"}],
        "entra_app_unique_name": APP,
        "entra_app_permissions": [{"name": "SMTP.SendAsApp"}],
        "entra_app_full_access": ["device@contoso.com"],
        "entra_app_send_as": [],
        "smtp_auth_mailboxes": [{"address": "device@contoso.com"}],
        "verify_senders": [{"name": "S0", "method": "oauth", "address": "device@contoso.com", "verify_recipient": "verify@example.net"}],
        "verify_app_unique_name": APP,
    }
    assert roles_to_run(values) == ["shared_mailbox", "entra_app", "smtp_auth", "verify"]


def test_another_address_of_a_mailbox_needs_send_as() -> None:
    senders = [{"kind": "erp", "mailbox": "Shop@contoso.com"}, {"kind": "website", "address": "shop@contoso.com"}]
    values = variables(tenant(), *senders)
    assert values["entra_app_full_access"] == ["shop@contoso.com"]
    assert values["entra_app_send_as"] == ["device@contoso.com"]
    assert [m["address"] for m in values["shared_mailbox_mailboxes"]] == ["shop@contoso.com", "device@contoso.com"]


def test_an_alias_needs_neither_mailbox_nor_send_as() -> None:
    shop = Mailbox("shop@contoso.com", "SharedMailbox")
    known = PlanningContext(**vars(tenant()) | {"mailboxes": dict.fromkeys(("shop@contoso.com", "device@contoso.com"), shop)})
    values = variables(known, {"kind": "erp", "mailbox": "shop@contoso.com"})
    assert values["entra_app_send_as"] == []
    assert values["shared_mailbox_mailboxes"] == [{"address": "shop@contoso.com"}]


def test_a_user_mailbox_is_not_managed() -> None:
    values = variables(tenant(mailboxes={"device@contoso.com": "UserMailbox"}), {"kind": "erp"})
    assert "shared_mailbox_mailboxes" not in values


def test_sent_items_of_another_address_enables_message_copy() -> None:
    values = variables(tenant(), {"kind": "erp", "mailbox": "shop@contoso.com", "sent_items": True})
    assert values["shared_mailbox_mailboxes"][1] == {"address": "device@contoso.com", "message_copy_for_sent_as": True}


def test_basic_authentication_needs_smtp_auth_and_a_policy() -> None:
    values = variables(tenant(mailboxes={"device@contoso.com": "UserMailbox"}), {"method": "basic"})
    assert values["smtp_auth_mailboxes"] == [{"address": "device@contoso.com", "sign_in": "basic"}]
    [policy] = values["authentication_policy_policies"]
    assert (policy["allow_basic_smtp"], policy["mailboxes"]) == (True, ["device@contoso.com"])
    assert "entra_app_unique_name" not in values


@pytest.mark.parametrize(("addresses", "connectors"), [
    ([["203.0.113.1"], ["203.0.113.2"]], [["203.0.113.1"], ["203.0.113.2"]]),
    ([["203.0.113.1"], ["203.0.113.1"]], [["203.0.113.1"]]),
    ([["203.0.113.1"], ["203.0.113.2"], ["203.0.113.2", "203.0.113.1"]], [["203.0.113.1", "203.0.113.2"]]),
])  # fmt: skip
def test_senders_that_share_an_ip_address_share_a_connector(addresses: list[list[str]], connectors: list[list[str]]) -> None:
    values = variables(tenant(), *({"public_addresses": some} for some in addresses))
    assert [c["sender_ip_addresses"] for c in values["inbound_connector_connectors"]] == connectors
    assert [c["name"] for c in values["inbound_connector_connectors"]] == [f"mailops S{number}" for number in range(len(connectors))]
    assert values["spf_ip4"] == sorted({address for some in addresses for address in some})


@pytest.mark.parametrize(("addresses", "expected"), [
    ([["203.0.113.10"], ["203.0.113.10/32"]], [["203.0.113.10"]]),
    ([["203.0.113.16/28"], ["203.0.113.20"]], [["203.0.113.16/28"]]),
    ([["203.0.113.20"], ["203.0.113.40"], ["203.0.113.0/255.255.255.192"]], [["203.0.113.0/26"]]),
    ([["203.0.113.16/028"], ["203.0.113.32"]], [["203.0.113.16/28"], ["203.0.113.32"]]),
])  # fmt: skip
def test_connectors_never_overlap(addresses: list[list[str]], expected: list[list[str]]) -> None:
    values = variables(tenant(), *({"public_addresses": some} for some in addresses))
    assert [connector["sender_ip_addresses"] for connector in values["inbound_connector_connectors"]] == expected
    assert values["spf_ip4"] == sorted(text for some in expected for text in some)


def test_senders_with_one_connector_name_share_it() -> None:
    values = variables(
        tenant(), {"connector": "Plant", "public_addresses": ["203.0.113.1"]}, {"connector": "plant", "public_addresses": ["203.0.113.9"]}
    )
    [connector] = values["inbound_connector_connectors"]
    assert (connector["name"], connector["sender_ip_addresses"]) == ("Plant", ["203.0.113.1", "203.0.113.9"])


def test_neither_order_nor_addresses_of_senders_rename_a_connector() -> None:
    senders = [
        {"name": "Scanner", "public_addresses": ["203.0.113.2"]},
        {"name": "Gate", "public_addresses": ["203.0.113.1", "203.0.113.2"]},
    ]
    moved = [sender | {"public_addresses": ["203.0.113.9"]} for sender in senders]
    names = [variables(tenant(), *some)["inbound_connector_connectors"][0]["name"] for some in (senders, senders[::-1], moved)]
    assert names == ["mailops Gate"] * 3


def test_a_connector_has_the_owners_mark_and_a_name_that_exchange_takes() -> None:
    sender = {"name": "Scanner of the third floor, next to the stairs at the window side", "public_addresses": ["203.0.113.2"]}
    [connector] = variables(tenant(), sender, owner="branch")["inbound_connector_connectors"]
    assert connector["comment"] == f"mailops.m365 [branch] {sender['name']}"
    assert connector["name"] == "branch Scanner of the third floor, next to the stairs at the win"


LONG = "Scanner of the third floor, next to the stairs at the window side"


@pytest.mark.parametrize(("senders", "names"), [
    ([{"name": f"{LONG} {end}"} for end in "ab"], [f"mailops {LONG}"[:64].rstrip(), f"mailops {LONG}"[:62].rstrip() + " 2"]),
    ([{"name": "Plant"}, {"name": "Fax", "relay_host": "plant", "public_addresses": []}], ["mailops Plant 2", "mailops plant"]),
    ([{"name": "Plant"}, {"name": "Gate", "connector": "Mailops Plant"}], ["mailops Plant 2", "Mailops Plant"]),
    ([{"name": "Plant"}, {"name": "Gate", "connector": "Mailops Plant"}, {"name": "Lab", "connector": "mailops plant 2"}],
     ["mailops Plant 3", "Mailops Plant", "mailops plant 2"]),
])  # fmt: skip
def test_no_two_connectors_have_one_name(senders: list[dict[str, Any]], names: list[str]) -> None:
    listed = [{"public_addresses": [f"203.0.113.{number}"]} | sender for number, sender in enumerate(senders)]

    def by_name(some: list[dict[str, Any]]) -> dict[str, str]:
        return {c["comment"]: c["name"] for c in variables(tenant(relay_hosts=[PLANT]), *some)["inbound_connector_connectors"]}

    assert list(by_name(listed).values()) == names
    assert all(len(name) <= 64 for name in names)
    assert by_name(listed[::-1]) == by_name(listed), "the order of senders does not matter"


def test_what_matches_a_connector_is_exact() -> None:
    """A change from IP address to certificate, or back, leaves nothing of the other."""
    certificate, address = [
        variables(tenant(), sender)["inbound_connector_connectors"][0]
        for sender in ({"certificate_name": "x.contoso.com"}, {"public_addresses": ["203.0.113.2"]})
    ]
    assert (certificate["sender_ip_addresses"], certificate["require_tls"]) == ([], True)
    assert (address["tls_sender_certificate_name"], address["require_tls"]) == ("", False)


def test_certificates_and_relay_hosts_have_their_own_connectors() -> None:
    known = tenant(relay_hosts=[PLANT, OAUTH_RELAY])
    values = variables(
        known,
        {"certificate_name": "x.contoso.com"},
        {"relay_host": "plant"},
        {"relay_host": "gateway"},
        {"connector": "Mine", "public_addresses": OFFICE},
    )
    by_name = {c["name"]: c for c in values["inbound_connector_connectors"]}
    assert by_name["mailops S0"]["tls_sender_certificate_name"] == "x.contoso.com"
    assert by_name["mailops S0"]["require_tls"] is True
    assert by_name["mailops plant"]["sender_ip_addresses"] == ["198.51.100.7"]
    assert by_name["Mine"]["comment"] == "mailops.m365 [mailops] S3"
    assert len(by_name) == 3, "a relay host that signs in needs no connector"
    assert values["entra_app_full_access"] == ["device@contoso.com"]


def test_direct_send_is_not_rejected_where_a_sender_uses_it() -> None:
    values = variables(tenant(), {"recipients": "internal", "kind": "ups"})
    assert (values["direct_send_rejected"], values["direct_send_senders"]) == (False, ["device@contoso.com"])


def test_disabling_unused_access() -> None:
    values = variables(tenant(), {"kind": "erp"}, disable_unused_access=True)
    assert (values["smtp_auth_organization"], values["smtp_auth_exclusive"]) == ("disabled", True)
    assert values["direct_send_rejected"] is True
    assert values["authentication_policy_organization"] == values["authentication_policy_policies"][-1]["name"]
    direct = variables(tenant(), {"recipients": "internal", "kind": "ups"}, disable_unused_access=True)
    assert (direct["direct_send_rejected"], direct["smtp_auth_mailboxes"]) == (False, [])


def test_hve_acs_and_a_hosted_relay() -> None:
    known = tenant(hve=True, acs=True, hosted_relay="sendgrid")
    values = variables(
        known, {"method": "hve", "recipients": "internal", "kind": "erp"}, {"method": "acs", "name": "Web shop"}, {"method": "hosted"}
    )
    assert values["hve_account_accounts"] == [{"address": "device@contoso.com", "display_name": "S0", "apps": [APP]}]
    assert values["entra_app_permissions"] == [{"name": "Mail.Send"}]
    assert values["acs_smtp_username_usernames"] == [{"name": "web-shop", "username": "device@contoso.com"}]
    assert not [name for name in values if name.startswith("spf_")], "its envelope sender is a subdomain of its own"


def test_sender_of_a_hosted_relay_is_verified_with_its_credential() -> None:
    news = {"method": "hosted", "name": "News Letter", "verify_recipient": "it@contoso.com"}
    other = {**news, "name": "Other", "verify_connection": VerifyConnection(credential="erp")}
    [test, own] = variables(tenant(hosted_relay="mailgun"), news, other)["verify_senders"]
    assert test == {
        "name": "News Letter", "method": "hosted", "address": "device@contoso.com", "verify_recipient": "it@contoso.com",
        "credential": "news-letter",
    }  # fmt: skip
    assert own["credential"] == "erp", "the inventory lists the credentials itself"


def test_inventory_variables_take_precedence_and_make_their_role_run() -> None:
    values = complete(variables(tenant(), {"kind": "erp"}), ["smtp_auth_mailboxes", "direct_send_rejected"])
    assert "smtp_auth_mailboxes" not in values
    assert values["direct_send_senders"] == []
    assert roles_to_run([*values, "smtp_auth_mailboxes", "direct_send_rejected"]) == [
        "shared_mailbox",
        "entra_app",
        "smtp_auth",
        "direct_send",
        "verify",
    ]


def test_defaults_are_those_of_the_roles() -> None:
    for role, defaults in DEFAULTS.items():
        own = yaml.safe_load((REPO / "roles" / role / "defaults/main.yml").read_text())
        assert defaults == {name: own[name] for name in defaults}
    for role, variable in ROLES:
        if (REPO / "roles" / role).exists():
            assert variable in (REPO / "roles" / role / "meta/argument_specs.yml").read_text()


def test_every_method_makes_its_own_roles_run() -> None:
    known = tenant(
        relay_hosts=[OAUTH_RELAY, PLANT], hve=True, acs=True, hosted_relay="mailgun", mailboxes={"user@contoso.com": "UserMailbox"}
    )
    senders: dict[str, list[dict[str, Any]]] = {
        "connector": [{"public_addresses": OFFICE}],
        "relay_host": [{"relay_host": "gateway"}, {"relay_host": "plant"}],
        "hve": [{"recipients": "internal", "kind": "erp"}],
        "direct_send": [{"recipients": "internal", "public_addresses": OFFICE}],
        "basic": [{"address": "user@contoso.com"}],
    }
    for method in PLANNED:
        plans = planned(known, *({**values, "method": method} for values in senders.get(method, [{}])))
        verifies = set() if all(plan.relay_host and plan.relay_host.managed for plan in plans) else {"verify"}
        assert set(roles_to_run(derive(plans, known, PlanSettings(APP)))) == {*METHODS[method].roles} | verifies, method


def test_a_sender_without_recipient_is_reported_by_role_verify() -> None:
    [elsewhere] = variables(tenant(), {"kind": "erp", "verify_from": "office"})["verify_senders"]
    assert elsewhere["verify_from"] == "office"
    tests = variables(tenant(), {"kind": "erp"})["verify_senders"]
    assert [(test["address"], "verify_recipient" in test) for test in tests] == [("device@contoso.com", False)]


def test_role_verify_gets_what_a_connector_matches() -> None:
    senders = [{"public_addresses": OFFICE}, {"certificate_name": "relay.contoso.com", "name": "other", "address": "o@contoso.com"}]
    first, second = variables(tenant(), *({**sender, "method": "connector"} for sender in senders))["verify_senders"]
    assert (first["public_addresses"], "certificate_name" in first) == (list(OFFICE), False)
    assert (second["certificate_name"], "public_addresses" in second) == ("relay.contoso.com", False)


@pytest.mark.parametrize(("value", "items"), [(None, []), ("a.crt,b.crt", ["a.crt", "b.crt"]), (["a"], ["a"])])
def test_a_list_of_the_inventory_may_be_a_text_or_unset(value: object, items: list[str]) -> None:
    assert listed(value) == items
