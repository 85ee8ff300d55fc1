# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices as restriction classes, tables and listeners. tests/hosts runs them in Postfix."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import devices, header_from, postfix
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.crypt_sha512 import FORM, salt, sha512_crypt
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.model import RelayConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.plan import Access, Listener

from .role_variables import problems, relay_config

SCANNER = {"name": "Third floor", "networks": ["192.0.2.10"], "senders": ["scanner@contoso.com"]}
ERP = {"name": "ERP", "username": "Erp", "password": "s3cret", "senders": ["scanner@contoso.com"]}
HASHED = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnJQuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"


def with_devices(*entries: dict[str, Any], **changed: Any) -> RelayConfig:
    return relay_config(relay_devices=list(entries), **changed)


def listener(access: Access, name: str) -> Listener:
    return next(entry for entry in access.listeners if entry.name == name)


def test_a_network_client_may_send_only_as_its_senders() -> None:
    config = with_devices(SCANNER)
    assert devices.tables(config)["clients"] == ["192.0.2.10/32 m365_device_1"]
    device_class = devices.access(config).classes[1]
    assert device_class.name == "m365_device_1"
    assert device_class.restrictions[0] == "check_sender_access inline:{{scanner@contoso.com = OK}}"
    assert re.search(r"static:\{REJECT 5.7.1 Third floor may send only as scanner@contoso.com; ", device_class.restrictions[1])


def test_a_sasl_user_is_not_a_network_client() -> None:
    config = with_devices(SCANNER, {**ERP, "networks": ["198.51.100.0/24"]})
    assert devices.tables(config)["users"] == ["erp m365_device_2"]
    assert not [line for line in devices.tables(config)["clients"] if "198.51.100" in line]
    assert devices.access(config).unbanned4 == ["127.0.0.0/8", "192.0.2.10/32", "198.51.100.0/24"]
    assert devices.access(with_devices({**ERP, "networks": ["2001:db8::/48"]})).unbanned6 == ["::1/128", "2001:db8::/48"]


def test_senders_of_a_rewritten_device_are_filtered() -> None:
    config = with_devices({**SCANNER, "rewrite": True})
    access = devices.access(config)
    assert access.classes[1].restrictions == ["check_sender_access static:{FILTER m365-rewrite:scanner@contoso.com}", "permit"]
    assert access.rewriting
    assert not devices.access(with_devices(SCANNER)).rewriting


def test_only_the_internal_listener_accepts_every_sender() -> None:
    """It is no port: any local user can connect to one on loopback."""
    access = devices.access(with_devices(SCANNER, ERP))
    internal = listener(access, "internal")
    assert (internal.type, internal.service) == ("unix", "m365-internal")
    assert internal.options["smtpd_relay_restrictions"] == "m365_local, reject"
    assert [one.name for one in access.listeners if "m365_local" in str(one.options)] == ["internal"]
    assert not [
        line for lines in devices.tables(with_devices(SCANNER, ERP)).values() for line in lines if "m365_local" in line or "127." in line
    ]


def test_local_programs_may_be_a_device() -> None:
    access = with_devices({**SCANNER, "networks": ["127.0.0.1", "::1"]})
    assert devices.tables(access)["clients"] == ["127.0.0.1/32 m365_device_1", "::1/128 m365_device_1"]


def test_submission_listeners_exist_only_with_sasl_users() -> None:
    assert [entry.name for entry in devices.access(with_devices(SCANNER)).listeners] == ["devices", "internal"]
    access = devices.access(with_devices(ERP))
    assert listener(access, "submission").options["smtpd_tls_security_level"] == "encrypt"
    assert listener(access, "submissions").options["smtpd_tls_wrappermode"] == "yes"
    assert "smtpd_sasl_auth_enable" not in listener(access, "devices").options


UNKNOWN = "check_client_access static:{521 5.7.1 This address is in no network of relay_devices}"


def test_unknown_clients_connect_only_where_a_sasl_user_has_no_networks() -> None:
    pinned = {**ERP, "networks": ["198.51.100.0/24"]}
    for entries, clients in (
        ([SCANNER, pinned], f"check_client_access cidr:/etc/postfix/m365/networks, {UNKNOWN}"),
        ([SCANNER, pinned, {**ERP, "name": "Two", "username": "two"}], ""),
    ):
        access = devices.access(with_devices(*entries, relay_legacy_address="192.0.2.1"))
        for name in ("submission", "submissions", "legacy"):
            assert listener(access, name).options["smtpd_client_restrictions"] == clients, name
        assert access.unknown_client == UNKNOWN
        assert "smtpd_client_restrictions" not in listener(access, "devices").options
    alone = devices.access(with_devices(SCANNER, relay_legacy_address="192.0.2.1"))
    assert "smtpd_client_restrictions" not in listener(alone, "legacy").options
    lines = devices.tables(with_devices(SCANNER, pinned))["networks"]
    assert lines == ["192.0.2.10/32 OK", "198.51.100.0/24 OK"]


def test_unknown_clients_share_half_of_the_connections() -> None:
    networks = ["203.0.113.0/24", "2001:db8:1::/48"]
    limits = postfix.plan(with_devices(SCANNER, {**ERP, "networks": networks}, relay_legacy_address="192.0.2.1")).connection_limits
    assert (limits.ports, limits.unknown_clients) == (["587", "465", "2525"], 100)
    assert {"10.0.0.0/8", "192.0.2.10/32", "203.0.113.0/24"} <= set(limits.known4)
    assert {"fc00::/7", "2001:db8:1::/48"} <= set(limits.known6)
    assert postfix.plan(with_devices(ERP, relay_processes=60)).connection_limits.unknown_clients == 30


@pytest.mark.parametrize(("address", "service"), [("192.0.2.1", "192.0.2.1:2525"), ("2001:db8::1", "[2001:db8::1]:2525")])
def test_old_tls_is_on_the_legacy_address_only(address: str, service: str) -> None:
    access = devices.access(with_devices(SCANNER, ERP, relay_legacy_address=address))
    assert listener(access, "legacy").service == service
    assert [entry.name for entry in access.listeners if "smtpd_tls_protocols" in entry.options] == ["legacy"]
    assert access.ports == "587,465,2525"


def test_cleartext_auth_is_enabled_only_by_its_variable() -> None:
    for cleartext, option in ((False, "yes"), (True, "no")):
        config = with_devices(ERP, relay_legacy_address="192.0.2.1", relay_legacy_cleartext_auth=cleartext)
        assert listener(devices.access(config), "legacy").options["smtpd_tls_auth_only"] == option
    alone = with_devices(SCANNER, relay_legacy_address="192.0.2.1")
    assert "smtpd_sasl_auth_enable" not in listener(devices.access(alone), "legacy").options


def test_the_passwd_file_has_stable_hashes_and_networks() -> None:
    users = ({**ERP, "networks": ["10.1.0.0/16"]}, {**ERP, "name": "Two", "username": "two", "password": None, "password_hash": HASHED})
    config = with_devices(*users)
    text = devices.sasl_users(config)
    assert text == devices.sasl_users(config)
    assert "s3cret" not in text
    first, second = text.splitlines()
    assert FORM.fullmatch(first.removeprefix("erp:{SHA512-CRYPT}").removesuffix("::::::allow_nets=10.1.0.0/16"))
    assert second == f"two:{{SHA512-CRYPT}}{HASHED}::::::"
    assert text.splitlines()[0] != devices.sasl_users(with_devices(*users, relay_hostname="relay2.contoso.com")).splitlines()[0]


@pytest.mark.parametrize(
    ("password", "salted", "hashed"),
    [
        (
            "Hello world!",
            "saltstring",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        ),
        (
            "Hello world!",
            "saltstringsaltstring",
            "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
        ),
    ],
)
def test_reference_vectors_of_sha512_crypt(password: str, salted: str, hashed: str) -> None:
    assert sha512_crypt(password, salted, 10000 if "rounds" in hashed else 5000) == hashed


def test_a_salt_depends_on_its_context_only() -> None:
    assert salt("relay", "erp") == salt("relay", "erp") != salt("relay", "two")
    assert re.fullmatch(r"[./0-9A-Za-z]{16}", salt("relay", "erp"))


def test_the_plan_has_the_tables_and_no_password() -> None:
    plan = postfix.plan(with_devices(SCANNER, ERP))
    assert plan.tables["users"] == ["erp m365_device_2"]
    assert plan.transports[0].options["smtp_header_checks"] == "regexp:/etc/postfix/m365/from-m365-1"
    assert plan.tables["from-m365-1"]
    assert "s3cret" not in str(plan)


# Each sentence names the variable, the value and the fix.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"relay_devices": "scanner"}, "relay_devices is not a list of mappings"),
    ({"relay_devices": [{**SCANNER, "name": ""}]}, "number 1: has no name; set one"),
    ({"relay_devices": [{**SCANNER, "name": "a\nb = c"}]}, "has characters other than"),
    ({"relay_devices": [{**SCANNER, "name": "a}b"}]}, "has characters other than"),
    ({"relay_devices": [SCANNER, {**SCANNER, "networks": ["192.0.2.11"]}]}, "the name third floor is there 2 times; keep one"),
    ({"relay_devices": [{**SCANNER, "networks": []}]}, "neither networks nor a username"),
    ({"relay_devices": [{**SCANNER, "networks": ["0.0.0.0/0"]}]}, "0.0.0.0/0, which is every address"),
    ({"relay_devices": [{**SCANNER, "networks": ["::/0"]}]}, "::/0, which is every address"),
    ({"relay_devices": [{**SCANNER, "networks": ["128.0.0.0/1"]}]}, "128.0.0.0/1, wider than /8"),
    ({"relay_devices": [{**SCANNER, "networks": ["2001::/16"]}]}, "2001::/16, wider than /32"),
    ({"relay_devices": [{**SCANNER, "networks": ["192.0.2.10/24"]}]}, "bits beyond the prefix; use 192.0.2.0/24"),
    ({"relay_devices": [{**SCANNER, "networks": ["printer1"]}]}, "'printer1', which is not a network"),
    ({"relay_devices": [{**SCANNER, "networks": ["224.0.0.1"]}]}, "224.0.0.1, which no device can have"),
    ({"relay_devices": [{**SCANNER, "networks": ["::ffff:192.0.2.1"]}]}, "an IPv4 network in IPv6 notation"),
    (
        {"relay_devices": [SCANNER, {**SCANNER, "name": "Two", "networks": ["192.0.2.0/24"]}]},
        "the networks 192.0.2.10/32 of Third floor and 192.0.2.0/24 of Two overlap",
    ),
    ({"relay_devices": [{**SCANNER, "senders": []}]}, "has no senders"),
    ({"relay_devices": [{**SCANNER, "senders": ["nobody"]}]}, "'nobody', which is no mail address"),
    ({"relay_devices": [{**SCANNER, "senders": ["boss@contoso.com"]}]}, "may send as boss@contoso.com, which no mailbox serves"),
    ({"relay_mailboxes": [{"address": "#fax@contoso.com"}]}, "the sender #fax@contoso.com begins with #"),
    ({"relay_mailboxes": [{"address": "x@contoso.com", "senders": ["#7@contoso.com"]}]}, "the sender #7@contoso.com begins with #"),
    ({"relay_mailboxes": [{"address": "a=b@contoso.com"}]}, "the sender a=b@contoso.com has one of {}$=, in it"),
    ({"relay_devices": [{**ERP, "username": "a:b"}]}, "the username 'a:b' has characters other than"),
    ({"relay_devices": [ERP, {**ERP, "name": "Two", "username": "ERP"}]}, "the username erp is there 2 times"),
    ({"relay_devices": [{**ERP, "password_hash": HASHED}]}, "has both password and password_hash"),
    ({"relay_devices": [{**ERP, "password": ""}]}, "has neither password nor password_hash"),
    ({"relay_devices": [{**ERP, "password": "", "password_hash": "md5"}]}, "password_hash is not a SHA512-CRYPT hash"),
    ({"relay_devices": [{**ERP, "password": "a\nb"}]}, "the password has a control character"),
    ({"relay_devices": [{**SCANNER, "password": "x"}]}, "has a password, but no username"),
    ({"relay_legacy_cleartext_auth": True}, "relay_legacy_address empty"),
    ({"relay_legacy_address": "printers"}, "'printers', which is not an IP address"),
    ({"relay_legacy_address": "::"}, "relay_legacy_address is ::: use the relay's one address"),
    ({"relay_legacy_address": "192.0.2.1", "relay_legacy_port": 587}, "relay_legacy_port is 587, which is for SASL users"),
    ({"relay_legacy_address": "192.0.2.1", "host_addresses": ["192.0.2.7"]}, "192.0.2.1, which this host does not have (192.0.2.7)"),
    ({"relay_devices": [{**ERP, "username": 1234}]}, "ERP: username is not text: put it in quotes"),
    ({"relay_devices": [{**ERP, "password": 123456}]}, "ERP: password is not text: put it in quotes"),
    ({"relay_devices": [{**SCANNER, "networks": "192.0.2.10"}]}, "networks is '192.0.2.10': use a list"),
    ({"relay_devices": [{**SCANNER, "senders": "scanner@contoso.com"}]}, "senders is 'scanner@contoso.com': use a list"),
    ({"relay_devices": [{**SCANNER, "rewrite": "no"}]}, "rewrite is 'no': use true or false"),
]


@pytest.mark.parametrize(("changed", "sentence"), WRONG)
def test_invalid_variable_is_one_problem(changed: dict[str, Any], sentence: str) -> None:
    result = problems(**changed)
    assert len(result) == 1, result
    assert sentence in result[0]
    assert "s3cret" not in result[0]
    assert "123456" not in result[0]


@pytest.mark.parametrize("host", [{"host_addresses": ["192.0.2.7", "192.0.2.1"]}, {"host_addresses": ["::1"], "binds_any_address": True}])
def test_the_legacy_address_is_one_that_the_host_has_or_may_get(host: dict[str, Any]) -> None:
    assert not problems(relay_legacy_address="192.0.2.1", **host)


def test_valid_variables_have_no_problem() -> None:
    users = {**ERP, "networks": ["192.0.2.0/24"]}
    six = {**SCANNER, "name": "Six", "networks": ["2001:db8::/64", "10.0.0.0/8"]}
    assert with_devices(SCANNER, users, six, relay_legacy_address="192.0.2.1", relay_legacy_cleartext_auth=True).legacy


def test_a_device_needs_no_mailbox_where_the_upstream_has_none() -> None:
    config = with_devices(SCANNER, relay_upstream="connector", relay_mailboxes=[], m365_tenant="contoso.com")
    assert header_from.tables(config).keys() == {"from-m365-1", "from-m365"}


def test_each_sender_has_its_own_from_table_where_the_upstream_has_no_mailboxes() -> None:
    alarm = {"name": "Alarm", "networks": ["192.0.2.11"], "senders": ["Alarm@contoso.com"]}
    plan = postfix.plan(
        with_devices(SCANNER, alarm, relay_upstream="connector", relay_mailboxes=[], m365_tenant="contoso.com", relay_postmaster="it@x.de")
    )
    assert plan.tables["transports"][:2] == ["scanner@contoso.com m365-1:contoso.com:25", "alarm@contoso.com m365-2:contoso.com:25"]
    assert "REPLACE From: alarm@contoso.com" in plan.tables["from-m365-2"][1]
    assert "scanner" not in str(plan.tables["from-m365-2"])
    limited = [entry.name for entry in plan.transports if "destination_rate_delay" in entry.limits]
    assert limited == ["m365-notices"]
