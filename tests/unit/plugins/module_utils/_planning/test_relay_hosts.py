# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay hosts of an inventory, and their part in the plan of a tenant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.params import make_params
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning import options, relay_hosts
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import PlanSettings, RelayHost
from ansible_collections.mailops.m365.plugins.module_utils._planning.device_settings import device_settings
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_variables import derive
from ansible_collections.mailops.m365.plugins.module_utils._planning.sending_plan import plan_sender

from .samples import sender, tenant

SETTINGS = PlanSettings("mailops-smtp-sender", verify_recipient="verify@example.net")


def option(**values: Any) -> options.RelayHostOptions:
    blank = {name: spec.get("default") for name, spec in options.RELAY_HOST.items()}
    return make_params(
        options.RelayHostOptions, blank | {"name": "relay1", "host": "relay1.contoso.com", "upstream": "oauth", "managed": True} | values
    )


def host(name: str, **variables: Any) -> dict[str, Any]:
    return {"inventory_hostname": name, "relay_tenant": "contoso", **variables}


def relay(**values: Any) -> RelayHost:
    return options.relay_host(option(**values))


def test_a_relay_host_belongs_to_its_own_tenant_only() -> None:
    hosts = [host("relay1", ansible_host="198.51.100.21"), host("plant", relay_tenant="fabrikam"), {"inventory_hostname": "loose"}]
    assert relay_hosts.of_inventory(hosts, "contoso") == [
        {"name": "relay1", "host": "198.51.100.21", "upstream": "oauth", "users": {}, "managed": True}
    ]
    assert relay_hosts.of_inventory([host("relay1", relay_state="absent")], "contoso") == []


@pytest.mark.parametrize(
    "variable",
    [
        "relay_state", "relay_upstream", "relay_peer_of", "relay_public_addresses", "relay_certificate_name", "relay_hostname",
        "relay_devices", "relay_certificates", "relay_retired_certificates", "relay_legacy_address", "relay_legacy_port",
    ],
)  # fmt: skip
def test_empty_variable_of_a_relay_counts_as_unset(variable: str) -> None:
    assert relay_hosts.of_inventory([host("relay1", **{variable: None})], "contoso") == relay_hosts.of_inventory(
        [host("relay1")], "contoso"
    )


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("relay1.contoso.com", {"ansible_host": "10.0.0.5"}, "relay1.contoso.com"),
        ("relay1", {"ansible_host": "10.0.0.5"}, "10.0.0.5"),
        ("relay1", {"ansible_host": "10.0.0.5", "relay_hostname": "relay.contoso.com"}, "relay.contoso.com"),
        ("relay1", {}, "relay1"),
    ],
)
def test_devices_connect_to_the_name_in_the_certificate(name: str, more: dict[str, str], expected: str) -> None:
    [entry] = relay_hosts.of_inventory([host(name, **more)], "contoso")
    assert entry["host"] == expected


def test_the_relay_options_hold_no_password() -> None:
    devices = [
        {"name": "NAS", "username": "nas", "password": "Very-Secret-1", "senders": ["NAS@contoso.com"]},
        {"name": "Printers", "networks": ["10.0.0.0/24"], "senders": ["printers@contoso.com"]},
    ]
    [entry] = relay_hosts.of_inventory([host("relay1", relay_hostname="relay1.contoso.com", relay_devices=devices)], "contoso")
    assert (entry["host"], entry["users"]) == ("relay1.contoso.com", {"nas@contoso.com": "nas"})
    assert "Very-Secret-1" not in str(entry)


def test_peers_are_one_relay_host() -> None:
    hosts = [
        host("relay2", relay_peer_of="relay1", relay_public_addresses=["203.0.113.2"], relay_certificates=["two"]),
        host("relay1", relay_public_addresses=["203.0.113.1"], relay_certificates=["one"]),
    ]
    [entry] = relay_hosts.of_inventory(hosts, "contoso")
    assert (entry["name"], entry["host"]) == ("relay1", "relay1 or relay2")
    assert (entry["public_addresses"], entry["certificates"]) == (["203.0.113.1", "203.0.113.2"], ["one", "two"])


def test_listener_for_old_devices_is_known_with_those_of_peers() -> None:
    hosts = [
        host("relay1.contoso.com", relay_legacy_address="10.9.9.1", relay_legacy_port=2526),
        host("relay2.contoso.com", relay_legacy_address="10.9.9.2", relay_legacy_port=2526, relay_peer_of="relay1.contoso.com"),
    ]
    [pair] = relay_hosts.of_inventory(hosts, "contoso")
    assert (pair["legacy_address"], pair["legacy_port"]) == ("10.9.9.1 or 10.9.9.2", 2526)
    [alone] = relay_hosts.of_inventory(hosts[:1], "contoso")
    assert options.relay_host(option(**alone)).legacy_address == "10.9.9.1"


def test_peers_have_certificates_only_where_all_were_read() -> None:
    [entry] = relay_hosts.of_inventory([host("relay1", relay_certificates=["one"]), host("relay2", relay_peer_of="relay1")], "contoso")
    assert "certificates" not in entry


@pytest.mark.parametrize(("values", "words"), [
    ({"upstream": "connector"}, "neither relay_public_addresses nor relay_certificate_name"),
    ({"upstream": "connector", "managed": False}, "neither public_addresses nor certificate_name"),
    ({"certificates": None}, "entra_app_exclusive would remove it"),
])  # fmt: skip
def test_a_problem_of_a_relay_host_is_named(values: dict[str, Any], words: str) -> None:
    [problem] = options.relay_host_problems([option(**values)], removes_unlisted=True)
    assert words in problem
    assert "relay1" in problem


@pytest.mark.parametrize("values", [
    {"certificates": ["PEM"]},
    {"upstream": "connector", "public_addresses": ["203.0.113.1"]},
    {"upstream": "smtp2go"},
    {"managed": False, "certificates": None},
])  # fmt: skip
def test_a_valid_relay_host_has_no_problems(values: dict[str, Any]) -> None:
    assert options.relay_host_problems([option(**values)], removes_unlisted=True) == []


def test_a_relay_host_has_the_mailboxes_of_its_senders() -> None:
    known = tenant(relay_hosts=[relay(), relay(name="relay2")])
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
    plans = [plan_sender(sender(**one), known) for one in senders]
    assigned = relay_hosts.assignments(plans, known, SETTINGS)
    assert {name: assignment.as_result() for name, assignment in assigned.items()} == {
        "relay1": {
            "mailboxes": [{"address": "scanner@contoso.com", "senders": ["scanner@contoso.com", "copier@contoso.com"]}],
            "senders": [
                {"name": "Scanner", "address": "scanner@contoso.com", "verify_recipient": "verify@example.net"},
                {"name": "Copier", "address": "copier@contoso.com", "verify_recipient": "me@example.net"},
            ],
            "domains": sorted(known.domains),
        },
        "relay2": {"mailboxes": [], "senders": [], "domains": sorted(known.domains)},
    }
    # The relay host verifies its own senders, the tenant the others.
    assert [test["name"] for test in derive(plans, known, SETTINGS)["verify_senders"]] == ["ERP"]


def test_the_application_needs_the_certificates_of_relay_hosts_that_sign_in() -> None:
    signing = relay(certificates=["new", "old"], retired_certificates=["older", "old"])
    plain = relay(name="plain", upstream="connector", public_addresses=["203.0.113.1"], certificates=["not for Entra"])
    known = tenant(relay_hosts=[signing, plain, relay(name="idle", certificates=["idle"])])
    plans = [plan_sender(sender(relay_host=name, name=name), known) for name in ("relay1", "plain")]
    assert relay_hosts.certificates(plans, known) == (["new", "old"], ["older"])


def test_upstream_connector_needs_connector_and_spf_and_a_hosted_relay_neither() -> None:
    by_address = relay(upstream="connector", public_addresses=["203.0.113.1"])
    hosted = relay(name="hosted", upstream="smtp2go", public_addresses=["203.0.113.9"])
    known = tenant(relay_hosts=[by_address, hosted])
    entry = derive([plan_sender(sender(relay_host=name, name=name), known) for name in ("relay1", "hosted")], known, SETTINGS)
    assert [c["sender_ip_addresses"] for c in entry["inbound_connector_connectors"]] == [["203.0.113.1"]]
    assert entry["spf_ip4"] == ["203.0.113.1"]
    assert "spf_includes" not in entry


def test_keep_in_tenant_refuses_a_hosted_relay() -> None:
    known = tenant(relay_hosts=[relay(upstream="sendgrid")])
    plan = plan_sender(sender(relay_host="relay1", method="relay_host", keep_in_tenant=True), known)
    assert "keep_in_tenant" in plan.problems[0]
    assert "sendgrid" in plan.problems[0]


def test_a_device_with_a_sasl_user_uses_submission() -> None:
    known = tenant(relay_hosts=[relay(users={"NAS@contoso.com": "nas"})])
    settings = [
        device_settings(plan_sender(sender(relay_host="relay1", address=a), known), known, CLOUDS["global"], "app")
        for a in ("nas@contoso.com", "b@contoso.com")
    ]
    assert [(device.port, device.user) for device in settings] == [(587, "nas"), (25, "")]


WINDOWS = {"group_names": ["windows_relays"], "relay_public_addresses": ["203.0.113.10"]}
SMART_HOST = {"relay_upstream": "smarthost", "relay_smarthost": {"host": "Relay1.contoso.com", "username": "branch1"}}


def windows_relay(**variables: Any) -> list[RelayHost]:
    """The relay hosts of a tenant with relay1 on Linux and win1 on Windows."""
    linux = host("relay1.contoso.com", relay_public_addresses=["198.51.100.1"], relay_certificates=["PEM"])
    both = [host("win1.contoso.com", **WINDOWS, **variables), linux]
    return [relay(**{"upstream": "connector", "managed": False} | item) for item in relay_hosts.of_inventory(both, "contoso")]


def test_a_relay_on_windows_uses_a_connector_by_default() -> None:
    linux, windows = windows_relay()
    assert (linux.name, linux.upstream, linux.managed, linux.windows) == ("relay1.contoso.com", "oauth", True, False)
    assert (windows.name, windows.host) == ("win1.contoso.com", "win1.contoso.com")
    assert (windows.upstream, windows.managed, windows.windows, windows.via) == ("connector", False, True, "")
    assert windows.public_addresses == ("203.0.113.10",)


def test_mail_of_a_relay_on_windows_leaves_from_its_smart_host() -> None:
    linux, windows = windows_relay(**SMART_HOST)
    assert (windows.upstream, windows.via, windows.host) == ("oauth", "relay1.contoso.com", "win1.contoso.com")
    assert (windows.public_addresses, windows.certificates) == (("198.51.100.1",), ("PEM",))
    context = tenant(relay_hosts=[linux, windows])
    plan = plan_sender(sender(relay_host="win1.contoso.com", method="relay_host"), context)
    assert (plan.problems, plan.warnings, plan.uses_oauth) == ((), (), True)
    assigned = relay_hosts.assignments([plan], context, SETTINGS)
    assert [one["address"] for one in assigned["relay1.contoso.com"].as_result()["mailboxes"]] == [plan.sender.mailbox]  # type: ignore[attr-defined]
    assert {name: len(one.senders) for name, one in assigned.items()} == {"relay1.contoso.com": 1, "win1.contoso.com": 1}
    assert relay_hosts.certificates([plan], context) == (["PEM"], [])


def test_another_smart_host_is_none_of_the_tenant() -> None:
    _linux, windows = windows_relay(relay_upstream="smarthost", relay_smarthost={"host": "mail.example.net"})
    assert (windows.upstream, windows.via) == ("smarthost", "")


def test_a_sender_of_a_relay_on_windows_has_a_connector_and_spf() -> None:
    windows = windows_relay()[1]
    context = tenant(relay_hosts=[windows])
    plan = plan_sender(sender(relay_host=windows.name, method="relay_host"), context)
    assert plan.problems == ()
    assert plan.warnings == ()
    [verified] = relay_hosts.assignments([plan], context, SETTINGS)[windows.name].senders
    assert (verified["address"], verified["verify_recipient"]) == (plan.sender.address, "verify@example.net")
    variables = derive([plan], context, SETTINGS)
    [connector] = variables["inbound_connector_connectors"]
    assert (connector["sender_ip_addresses"], variables["spf_ip4"]) == (["203.0.113.10"], ["203.0.113.10"])
    assert not variables.get("verify_senders")
    settings = device_settings(plan, context, CLOUDS["global"], "app")
    assert (settings.server, settings.port, settings.sign_in) == ("win1.contoso.com", 25, "none")
    from_there = plan_sender(sender(relay_host=windows.name, method="relay_host", verify_from="printserver"), context)
    assert from_there.warnings == ()
    [test] = derive([from_there], context, SETTINGS)["verify_senders"]
    assert (test["host"], test["verify_from"]) == ("win1.contoso.com", "printserver")


USERS = [{"username": "scanner@relay.internal", "senders": ["scanner@contoso.com"], "networks": ["10.1.2.0/24"]}]
HMAILSERVER = {"relay_windows_product": "hmailserver", "relay_devices": USERS}


@pytest.mark.parametrize(("variables", "user", "other"), [
    ({"relay_windows_product": "iis_smtp"}, None, (25, "STARTTLS where supported")),
    ({"relay_windows_listeners": [{"port": 2525}]}, None, (2525, "STARTTLS where supported")),
    ({"relay_windows_listeners": [{"port": 587}, {"address": "10.0.0.1"}]}, None, (25, "STARTTLS where supported")),
    ({"relay_windows_listeners": [{"port": "smtp"}]}, None, (25, "STARTTLS where supported")),
    ({"relay_windows_require_tls": True}, None, (25, "STARTTLS")),
    (HMAILSERVER, (587, "STARTTLS"), (25, "none")),
    (HMAILSERVER | {"relay_windows_listeners": [{"port": 465, "tls": "implicit"}, {}]}, (465, "implicit TLS"), (25, "none")),
])  # fmt: skip
def test_devices_connect_to_a_port_that_the_relay_on_windows_listens_on(
    variables: dict[str, Any], user: tuple[int, str] | None, other: tuple[int, str]
) -> None:
    """`user`: port and encryption of the device with a user name, `other`: of the one without."""
    windows = windows_relay(**variables)[1]
    context = tenant(relay_hosts=[windows])
    plans = [
        plan_sender(sender(relay_host=windows.name, method="relay_host", address=address, verify_from="printserver"), context)
        for address in ("scanner@contoso.com", "printer@contoso.com")
    ]
    settings = [device_settings(plan, context, CLOUDS["global"], "app") for plan in plans]
    assert [(one.port, one.encryption) for one in settings] == [user or other, other]
    [first, _second] = derive(plans, context, SETTINGS)["verify_senders"]
    assert first["port"] == other[0], "the test message has no user name"


def test_a_port_of_a_listener_is_a_number_of_a_port() -> None:
    [problem] = options.relay_host_problems([option(listeners=[{"port": 70000, "tls": "none"}])])
    assert problem.startswith("m365_relays: relay1: listeners.port is 70000")


def test_a_relay_on_windows_sends_from_no_mailbox_of_a_sender() -> None:
    windows = windows_relay()[1]
    context = tenant(relay_hosts=[windows])
    plan = plan_sender(sender(relay_host=windows.name, method="relay_host", mailbox="shared@contoso.com"), context)
    [problem] = plan.problems
    assert "it sends from the mailbox shared@contoso.com (mailbox), and win1.contoso.com on Windows has one upstream for all" in problem
    assert problem.endswith("remove mailbox, or use a relay host on Linux with upstream oauth.")


@pytest.mark.parametrize(("variables", "sentence"), [
    ({"upstream": "oauth"}, "win1 has relay_upstream oauth, and a relay on Windows has no OAuth: use connector with relay_public"),
    ({"certificate_name": "win1.contoso.com"}, "win1 has upstream connector and relay_certificate_name, and a relay on Windows has no"),
    ({}, "win1 has upstream connector and no public address: set its relay_public_addresses, which the connector matches."),
    ({"public_addresses": ["10.1.2.3"]}, "win1: relay_public_addresses holds '10.1.2.3'"),
])  # fmt: skip
def test_what_a_relay_on_windows_cannot_do_is_a_problem(variables: dict[str, Any], sentence: str) -> None:
    item = option(**{"name": "win1", "upstream": "connector", "managed": False, "windows": True} | variables)
    [problem] = options.relay_host_problems([item])
    assert problem.startswith(f"m365_relays: {sentence}")
    assert options.relay_host_problems([option(name="win1", windows=True, managed=False, upstream="oauth", via="relay1")]) == []
