# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.filter.relay_windows import relay_windows
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import windows

DEFAULTS = yaml.safe_load((Path(__file__).resolve().parents[6] / "roles/relay_windows/defaults/main.yml").read_text())
PRINTERS = {"name": "Printers", "networks": ["10.1.2.0/24", "10.1.3.7"], "senders": ["scanner@contoso.com"]}
SCANNERS = {
    "name": "Scanners",
    "networks": ["10.1.4.0/24"],
    "username": "scanner@relay.internal",
    "password": "correct horse",
    "senders": ["scanner@contoso.com"],
}
SMARTHOST = {"host": "relay1.contoso.com", "username": "branch1", "password": "a secret"}
FILES = {"certificate_file": r"C:\relay.pem", "private_key_file": r"C:\relay.key"}
VARIABLES: dict[str, Any] = DEFAULTS | {
    "inventory_hostname": "relay2.contoso.com",
    "relay_windows_product": "iis_smtp",
    "relay_upstream": "connector",
    "relay_connector_host": "contoso-com.mail.protection.outlook.com",
    "relay_devices": [PRINTERS],
    "relay_message_size_limit": 0,
    "relay_drain_timeout": 600,
}
HMAILSERVER = {"relay_windows_product": "hmailserver", "relay_windows_admin_password": "a long password"}


def parse(**variables: Any) -> dict[str, Any]:
    return windows.parse(VARIABLES | variables)


def problems(**variables: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse(**variables)
    return caught.value.problems


def test_iis_smtp_behind_a_connector() -> None:
    parsed = parse()
    assert parsed == {
        "state": "present",
        "product": "iis_smtp",
        "firewall": {"state": "present", "networks": ["10.1.2.0/24", "10.1.3.7"], "ports": [25], "profiles": []},
        "smtp_server": {
            "state": "present",
            "drain_timeout": 600,
            "fqdn": "relay2.contoso.com",
            "relay_networks": ["10.1.2.0/24", "10.1.3.7"],
            "relay_authenticated": False,
            "connection_networks": ["10.1.2.0/24", "10.1.3.7"],
            "authentication": ["anonymous"],
            "require_tls": False,
            "masquerade_domain": "",
            "max_session_size": 367001600,
            "max_recipients": 100,
            "retry_minutes": [15, 30, 60, 240],
            "delay_notice_minutes": 720,
            "give_up_minutes": 2880,
            "log": True,
            "update_password": "when_changed",
            "postmaster": "Postmaster",
            "listeners": [{"address": "", "port": 25}],
            "max_message_size": 36700160,
            "upstream": {"host": "contoso-com.mail.protection.outlook.com", "port": 25, "tls": "required"},
        },
    }


def test_hmailserver_with_devices_that_authenticate() -> None:
    parsed = parse(**HMAILSERVER, relay_devices=[PRINTERS, SCANNERS], relay_windows_certificate=FILES)
    server = parsed["hmailserver"]
    assert server["ranges"] == [
        {"name": "Printers", "networks": ["10.1.2.0/24", "10.1.3.7"], "authenticate": False},
        {"name": "Scanners", "networks": ["10.1.4.0/24"], "authenticate": True},
    ]
    assert server["accounts"] == [{"address": "scanner@relay.internal", "password": "correct horse"}]
    assert server["listeners"] == [{"address": "", "port": 25, "tls": "none"}, {"address": "", "port": 587, "tls": "required"}]
    assert parsed["firewall"]["ports"] == [25, 587]
    assert (server["certificate"], server["installer"], server["upstream"]["verify"]) == (FILES, None, True)


@pytest.mark.parametrize(("product", "smarthost", "upstream"), [
    ("iis_smtp", {}, {"port": 587, "tls": "required"}),
    ("hmailserver", {}, {"port": 587, "tls": "required", "verify": True}),
    ("hmailserver", {"port": 465}, {"port": 465, "tls": "implicit", "verify": True}),
    ("hmailserver", {"tls": "encrypt"}, {"port": 587, "tls": "required", "verify": False}),
])  # fmt: skip
def test_a_relay_host_on_linux_as_smart_host(product: str, smarthost: dict[str, Any], upstream: dict[str, Any]) -> None:
    parsed = parse(**HMAILSERVER | {"relay_windows_product": product}, relay_upstream="smarthost", relay_smarthost=SMARTHOST | smarthost)
    options = parsed["smtp_server" if product == "iis_smtp" else product]
    assert options["upstream"] == {"host": "relay1.contoso.com", "username": "branch1", "password": "a secret"} | upstream


def test_options_of_the_product_are_variables() -> None:
    """Clients that authenticate connect from networks of their own, which may not relay without."""
    iis = parse(
        relay_windows_masquerade_domain="contoso.com",
        accepted_domains=["contoso.com"],
        relay_windows_retry_minutes=[5, 5, 10, 10],
        relay_windows_update_password="always",
        relay_windows_connection_networks=["10.9.0.0/24"],
        relay_windows_firewall_profiles=["domain"],
        m365_basic_auth_end_date="2027-06-30",
    )
    server = iis["smtp_server"]
    assert (server["masquerade_domain"], server["retry_minutes"], server["update_password"]) == ("contoso.com", [5, 5, 10, 10], "always")
    assert server["relay_networks"] == ["10.1.2.0/24", "10.1.3.7"]
    assert server["connection_networks"] == iis["firewall"]["networks"] == ["10.1.2.0/24", "10.1.3.7", "10.9.0.0/24"]
    assert (iis["firewall"]["profiles"], server["basic_auth_end_date"]) == (["domain"], "2027-06-30")
    hmailserver = parse(**HMAILSERVER, relay_windows_auto_ban={"attempts": 5}, relay_windows_tries=10)["hmailserver"]
    assert (hmailserver["auto_ban"], hmailserver["tries"], hmailserver["minutes_between_tries"]) == ({"attempts": 5}, 10, 60)


def test_clients_that_authenticate_need_no_devices() -> None:
    variables = {
        "relay_devices": [],
        "relay_windows_relay_authenticated": True,
        "relay_windows_authentication": ["windows"],
        "relay_windows_connection_networks": ["10.9.0.0/24"],
    }
    assert relay_windows(VARIABLES | variables)["problems"] == []
    without = relay_windows(VARIABLES | variables | {"relay_windows_connection_networks": []})
    assert without == {"problems": ["relay_windows_connection_networks is empty: name the devices' networks, such as 10.1.2.0/24."]}


@pytest.mark.parametrize(("variables", "sentence"), [
    ({"relay_windows_retry_minutes": [5]}, "relay_windows_retry_minutes is [5]: use four numbers from 1 to 9999"),
    ({"relay_windows_authentication": ["basic"]}, "relay_windows_authentication has basic without relay_windows_require_tls, which sends"),
    ({"relay_windows_max_session_size": 2000}, "relay_windows_max_session_size is 2000, less than relay_message_size_limit: use at least"),
    ({"relay_windows_masquerade_domain": "contoso"}, "relay_windows_masquerade_domain is 'contoso': use an accepted domain"),
    ({"relay_windows_update_password": "never"}, "value of relay_windows_update_password must be one of: when_changed, on_create, always"),
    ({"relay_connector_host": "mx"}, "relay_connector_host is 'mx': use a fully qualified name or an IPv4 address."),
    ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "mx"}}, "relay_smarthost.host is 'mx': use a fully qualified name"),
    (
        {"relay_upstream": "sendgrid", "relay_smarthost": {"password": "geheim"}, "relay_message_size_limit": 31457281},
        "relay_message_size_limit is 31457281: SendGrid accepts at most 31457280 bytes. Set it to 31457280 or less.",
    ),
    (HMAILSERVER | {"relay_windows_tries": 5000}, "relay_windows_tries is 5000: use a number from 0 to 1000."),
    (HMAILSERVER | {"relay_windows_auto_ban": {"attempts": 0}}, "relay_windows_auto_ban.attempts is 0: use a number from 1 to 1000."),
    (HMAILSERVER | {"relay_windows_installer": {"path": "C:/x.exe"}}, "relay_windows_installer.sha256 is missing or no SHA-256"),
    (HMAILSERVER | {"relay_windows_admin_password": "geheim"}, "relay_windows_admin_password has fewer than 8 characters"),
    (
        HMAILSERVER | {"relay_devices": [SCANNERS | {"password": "geheim"}], "relay_windows_certificate": FILES},
        "relay_devices, scanner@relay.internal, has a password with fewer than 8 characters: use a longer one.",
    ),
])  # fmt: skip
def test_problems_of_the_modules_name_variables(variables: dict[str, Any], sentence: str) -> None:
    """What the module would refuse is a problem of the role, before its first task."""
    [problem] = relay_windows(VARIABLES | variables)["problems"]
    assert problem.startswith(sentence)
    assert "geheim" not in problem


def test_a_hosted_relay_has_its_own_server() -> None:
    parsed = parse(relay_upstream="sendgrid", relay_smarthost={"username": "apikey", "password": "a secret"})
    assert parsed["smtp_server"]["upstream"]["host"] == "smtp.sendgrid.net"


def test_the_removal_needs_no_devices() -> None:
    parsed = parse(**HMAILSERVER, relay_state="absent", relay_devices=[], relay_connector_host="")
    assert parsed["hmailserver"] == {
        "state": "absent",
        "drain_timeout": 600,
        "admin_password": "a long password",
        "previous_admin_password": None,
    }
    assert parsed["firewall"] == {"state": "absent"}


@pytest.mark.parametrize(("variables", "sentence"), [
    ({"relay_windows_product": ""}, "relay_windows_product is ''"),
    ({"relay_state": "gone"}, "relay_state is 'gone': use present or absent"),
    ({"relay_upstream": "oauth"}, "relay_upstream is oauth, and IIS SMTP Server has no OAuth: use connector, or use a relay host on Linux"),
    ({"relay_upstream": "graph"}, "relay_upstream is 'graph': use connector"),
    ({"relay_connector_host": ""}, "relay_connector_host is empty: set the tenant's MX endpoint"),
    (
        {"relay_connector_host": "", "relay_tenant": "contoso"},
        "relay_connector_host is empty, and this run has not planned contoso (relay_tenant) with senders: run playbook site for it, too",
    ),
    (
        {"relay_windows_masquerade_domain": "contoso.net", "accepted_domains": ["contoso.com", "fabrikam.com"]},
        "relay_windows_masquerade_domain is contoso.net, which is no accepted domain of the tenant: use one of contoso.com, fabrikam.com.",
    ),
    ({"relay_connector_certificate": "/x.pem"}, "relay_connector_certificate is set, and IIS SMTP Server has no client certificate"),
    ({"relay_mailboxes": [{"address": "a@contoso.com"}]}, "relay_mailboxes is set, and IIS SMTP Server has one upstream server"),
    ({"relay_devices": [PRINTERS | {"rewrite": True}]}, "relay_devices, Printers: rewrite is true, and IIS SMTP Server does not replace"),
    ({"relay_devices": []}, "relay_devices is empty: name the devices' networks"),
    ({"relay_devices": [PRINTERS | {"networks": ["203.0.113.0/24"]}]}, "relay_devices has 203.0.113.0/24, which is not private"),
    ({"relay_devices": [PRINTERS | {"networks": ["fd00::/64"]}]}, "relay_devices has fd00::/64, an IPv6 network"),
    ({"relay_devices": [SCANNERS]}, "relay_devices, Scanners: has a username, and IIS SMTP Server authenticates accounts of Windows"),
    ({"inventory_hostname": "relay2"}, "relay_hostname is '': set the relay's fully qualified name"),
    ({"relay_windows_listeners": [{"port": 0}]}, "relay_windows_listeners has port 0: use a port from 1 to 65535."),
    ({"relay_windows_listeners": [{"port": 70000}]}, "relay_windows_listeners has port 70000: use a port from 1 to 65535."),
    ({"relay_windows_listeners": [{"port": 587, "tls": "required"}]}, "relay_windows_listeners has tls: required, and a listener of IIS"),
    ({"relay_upstream": "smarthost", "relay_smarthost": SMARTHOST | {"port": 465}}, "relay_smarthost.port is 465, and IIS"),
    ({"relay_upstream": "smarthost", "relay_smarthost": SMARTHOST | {"tls": "none"}}, "relay_smarthost.tls is none, which would send"),
    ({"relay_message_size_limit": 5}, "relay_message_size_limit is 5: use a whole number from 100000"),
    ({"variable_names": ["relay_windows_prodct"]}, "relay_windows_prodct is no variable of this collection: did you mean relay_windows_p"),
    ({"relay_windows_product": "hmailserver"}, "relay_windows_admin_password is empty"),
    (HMAILSERVER | {"relay_devices": [SCANNERS]}, "relay_windows_certificate is not set, and a listener has TLS"),
    (HMAILSERVER | {"relay_devices": [SCANNERS | {"networks": []}, PRINTERS]}, "relay_devices, Scanners: has a username and no networks"),
    (HMAILSERVER | {"relay_devices": [SCANNERS | {"username": "a@contoso.com"}]}, "relay_devices, Scanners: the username is a@contoso.com"),
    (
        HMAILSERVER | {"relay_devices": [SCANNERS | {"password": "", "password_hash": "$6$salt$" + "a" * 86}]},
        "relay_devices, Scanners: has password_hash, and hMailServer makes hashes of its own: set password.",
    ),
])  # fmt: skip
def test_refusals_before_anything_is_written(variables: dict[str, Any], sentence: str) -> None:
    sentences = problems(**variables)
    assert [one for one in sentences if one.startswith(sentence)], sentences
    assert "correct horse" not in str(sentences)
