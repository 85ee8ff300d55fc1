# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay hosts of an inventory, and what a tenant and its relay hosts want of each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning import relay_hosts
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import Relay
from ansible_collections.mailops.m365.plugins.module_utils._planning.decision import decide
from ansible_collections.mailops.m365.plugins.module_utils._planning.device_settings import settings
from ansible_collections.mailops.m365.plugins.module_utils._planning.variables import Wishes, derive
from ansible_collections.mailops.m365.plugins.module_utils.resources.sender_plan import RELAY

from .world import facts, sender

WISHES = Wishes("mailops-smtp-sender", verify_recipient="proof@example.net")


def option(**given: Any) -> dict[str, Any]:
    blank = {name: spec.get("default") for name, spec in RELAY.items()}
    return blank | {"name": "relay1", "host": "relay1.contoso.com", "upstream": "oauth", "managed": True} | given


def host(name: str, **variables: Any) -> dict[str, Any]:
    return {"inventory_hostname": name, "relay_tenant": "contoso", **variables}


def relay(**given: Any) -> Relay:
    return relay_hosts.read(option(**given))


def test_a_relay_of_the_inventory_is_told_to_its_own_tenant_only() -> None:
    hosts = [host("relay1", ansible_host="198.51.100.21"), host("plant", relay_tenant="fabrikam"), {"inventory_hostname": "loose"}]
    assert relay_hosts.of_inventory(hosts, "contoso") == [
        {"name": "relay1", "host": "198.51.100.21", "upstream": "oauth", "users": {}, "managed": True}
    ]
    assert relay_hosts.of_inventory([host("relay1", relay_state="absent")], "contoso") == []


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("relay1.contoso.com", {"ansible_host": "10.0.0.5"}, "relay1.contoso.com"),
        ("relay1", {"ansible_host": "10.0.0.5"}, "10.0.0.5"),
        ("relay1", {"ansible_host": "10.0.0.5", "relay_hostname": "relay.contoso.com"}, "relay.contoso.com"),
        ("relay1", {}, "relay1"),
    ],
)
def test_devices_are_told_the_name_in_the_relays_certificate(name: str, more: dict[str, str], told: str) -> None:
    [found] = relay_hosts.of_inventory([host(name, **more)], "contoso")
    assert found["host"] == told


def test_what_the_tenant_has_to_know_holds_no_password() -> None:
    devices = [
        {"name": "NAS", "username": "nas", "password": "Very-Secret-1", "senders": ["NAS@contoso.com"]},
        {"name": "Printers", "networks": ["10.0.0.0/24"], "senders": ["printers@contoso.com"]},
    ]
    [found] = relay_hosts.of_inventory([host("relay1", relay_hostname="relay1.contoso.com", relay_devices=devices)], "contoso")
    assert (found["host"], found["users"]) == ("relay1.contoso.com", {"nas@contoso.com": "nas"})
    assert "Very-Secret-1" not in str(found)


def test_a_pair_is_one_relay_to_the_tenant() -> None:
    hosts = [
        host("relay2", relay_peer_of="relay1", relay_public_addresses=["203.0.113.2"], relay_certificates=["two"]),
        host("relay1", relay_public_addresses=["203.0.113.1"], relay_certificates=["one"]),
    ]
    [found] = relay_hosts.of_inventory(hosts, "contoso")
    assert (found["name"], found["host"]) == ("relay1", "relay1 or relay2")
    assert (found["public_addresses"], found["certificates"]) == (["203.0.113.1", "203.0.113.2"], ["one", "two"])


def test_a_pair_of_which_one_has_not_told_its_certificate_is_not_known() -> None:
    [found] = relay_hosts.of_inventory([host("relay1", relay_certificates=["one"]), host("relay2", relay_peer_of="relay1")], "contoso")
    assert "certificates" not in found


@pytest.mark.parametrize(("given", "words"), [
    ({"upstream": "connector"}, "neither relay_public_addresses nor relay_certificate_name"),
    ({"upstream": "connector", "managed": False}, "neither public_addresses nor certificate_name"),
    ({"certificates": None}, "entra_app_exclusive would remove it"),
])  # fmt: skip
def test_what_is_wrong_with_a_relay_is_said(given: dict[str, Any], words: str) -> None:
    [problem] = relay_hosts.problems([option(**given)], removes_unlisted=True)
    assert words in problem
    assert "relay1" in problem


@pytest.mark.parametrize("given", [
    {"certificates": ["PEM"]},
    {"upstream": "connector", "public_addresses": ["203.0.113.1"]},
    {"upstream": "smtp2go"},
    {"managed": False, "certificates": None},
])  # fmt: skip
def test_a_good_relay_has_no_problems(given: dict[str, Any]) -> None:
    assert relay_hosts.problems([option(**given)], removes_unlisted=True) == []


def test_a_relay_gets_the_mailboxes_of_the_senders_that_use_it() -> None:
    known = facts(relays=[relay(), relay(name="relay2")])
    senders = [
        {"name": "Scanner", "address": "scanner@contoso.com", "relay_host": "relay1"},
        {
            "name": "Copier",
            "address": "copier@contoso.com",
            "mailbox": "scanner@contoso.com",
            "relay_host": "relay1",
            "verify_recipient": "me@example.net",
        },
        {"name": "ERP", "address": "erp@contoso.com", "kind": "erp"},
    ]
    decisions = [decide(sender(**one), known) for one in senders]
    assert relay_hosts.wanted(decisions, known, WISHES) == {
        "relay1": {
            "mailboxes": [{"address": "scanner@contoso.com", "senders": ["scanner@contoso.com", "copier@contoso.com"]}],
            "senders": [
                {"name": "Scanner", "address": "scanner@contoso.com", "verify_recipient": "proof@example.net"},
                {"name": "Copier", "address": "copier@contoso.com", "verify_recipient": "me@example.net"},
            ],
        },
        "relay2": {"mailboxes": [], "senders": []},
    }
    # The relay proves its own; the tenant proves the rest.
    assert [proof["name"] for proof in derive(decisions, known, WISHES)["verify_senders"]] == ["ERP"]


def test_the_application_takes_the_certificates_of_relays_that_sign_in() -> None:
    signing = relay(certificates=["new", "old"], retired_certificates=["older", "old"])
    plain = relay(name="plain", upstream="connector", public_addresses=["203.0.113.1"], certificates=["not for Entra"])
    known = facts(relays=[signing, plain, relay(name="idle", certificates=["idle"])])
    decisions = [decide(sender(relay_host=name, name=name), known) for name in ("relay1", "plain")]
    assert relay_hosts.certificates(decisions, known) == (["new", "old"], ["older"])


def test_a_relay_by_connector_gets_its_connector_and_spf_and_one_through_a_provider_its_include() -> None:
    by_address = relay(upstream="connector", public_addresses=["203.0.113.1"])
    hosted = relay(name="hosted", upstream="smtp2go", public_addresses=["203.0.113.9"])
    known = facts(relays=[by_address, hosted])
    found = derive([decide(sender(relay_host=name, name=name), known) for name in ("relay1", "hosted")], known, WISHES)
    assert [c["sender_ip_addresses"] for c in found["inbound_connector_connectors"]] == [["203.0.113.1"]]
    assert (found["spf_ip4"], found["spf_includes"]) == (["203.0.113.1"], ["spf.smtp2go.com"])


def test_mail_that_stays_in_the_tenant_does_not_leave_through_a_providers_relay() -> None:
    known = facts(relays=[relay(upstream="sendgrid")])
    decision = decide(sender(relay_host="relay1", method="relay", keep_in_tenant=True), known)
    assert "keep_in_tenant" in decision.problems[0]
    assert "sendgrid" in decision.problems[0]


def test_a_device_that_logs_in_to_its_relay_is_told_how() -> None:
    known = facts(relays=[relay(users={"NAS@contoso.com": "nas"})])
    typed = [
        settings(decide(sender(relay_host="relay1", address=a), known), known, CLOUDS["global"], "app")
        for a in ("nas@contoso.com", "b@contoso.com")
    ]
    assert [(found["port"], found["user"]) for found in typed] == [(587, "nas"), (25, "")]
