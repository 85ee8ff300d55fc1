# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import ServerConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import parse as parse_agent
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import postfix
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.plan import RelayPlan

from .role_variables import problems, relay_config

TWO = [{"address": "scanner@contoso.com"}, {"address": "erp@contoso.com", "senders": ["ERP@contoso.com", "invoices@contoso.com"]}]


def limits(plan: RelayPlan, name: str) -> Mapping[str, str]:
    return next(transport.limits for transport in plan.transports if transport.name == name)


def test_each_mailbox_has_a_transport_with_a_password_and_routes_for_its_senders() -> None:
    config = relay_config(relay_mailboxes=TWO)
    plan = postfix.plan(config)
    assert [transport.name for transport in plan.transports] == ["m365-1", "m365-2"]
    assert plan.tables["transports"][:3] == [
        "scanner@contoso.com m365-1:[127.0.0.1]:2587",
        "erp@contoso.com m365-2:[127.0.0.1]:2587",
        "invoices@contoso.com m365-2:[127.0.0.1]:2587",
    ]
    assert postfix.passwords(config) == {
        "m365-1.passwd": ["[127.0.0.1]:2587 scanner@contoso.com:"],
        "m365-2.passwd": ["[127.0.0.1]:2587 erp@contoso.com:"],
    }
    assert "m365-2.passwd" in plan.transports[1].options["smtp_sasl_password_maps"]


def test_mail_of_unknown_senders_is_deferred_and_bounces_are_discarded() -> None:
    plan = postfix.plan(relay_config())
    assert plan.default_transport.startswith("retry:4.")
    assert plan.tables["transports"][-1].startswith("<> discard:")


@pytest.mark.parametrize(
    ("rate", "relay_count", "delay"), [(30, 1, "2s"), (30, 2, "4s"), (20, 1, "3s"), (25, 1, "3s"), (7, 1, "9s"), ("30", "2", "4s")]
)
def test_relays_share_the_rate_of_a_mailbox(rate: int, relay_count: int, delay: str) -> None:
    plan = postfix.plan(relay_config(relay_count=relay_count, relay_mailboxes=[{"address": "a@contoso.com", "messages_per_minute": rate}]))
    assert limits(plan, "m365-1")["destination_rate_delay"] == delay


def test_without_a_rate_there_is_no_delay_and_relays_share_the_connections() -> None:
    box = {"address": "a@contoso.com", "messages_per_minute": 0, "connections": 3, "recipients_per_day": 10000}
    plan = postfix.plan(relay_config(relay_count=2, relay_mailboxes=[box]))
    assert "destination_rate_delay" not in limits(plan, "m365-1")
    assert limits(plan, "m365-1")["destination_concurrency_limit"] == "1"
    assert plan.agent.mailboxes[0].recipients_per_day == 5000


def test_connections_to_microsoft_are_reused_and_postmaster_mail_leaves_none_idle() -> None:
    """Otherwise those of a burst and the next message's exceed the three connections of a mailbox."""
    plan = postfix.plan(relay_config(relay_postmaster="it@contoso.com"))
    kept = {transport.name: transport.options["smtp_connection_cache_destinations"] for transport in plan.transports}
    assert kept == {"m365-1": "127.0.0.1", "m365-notices": ""}
    assert plan.transports[1].options["smtp_connection_cache_on_demand"] == "no"


def test_postmaster_mail_is_sent_from_a_mailbox() -> None:
    config = relay_config(relay_postmaster="it@contoso.com")
    plan = postfix.plan(config)
    assert plan.tables["notices"] == ["@relay1.contoso.com scanner@contoso.com"]
    assert "@relay1.contoso.com m365-notices:[127.0.0.1]:2587" in plan.tables["transports"]
    assert postfix.passwords(config)["m365-notices.passwd"] == ["[127.0.0.1]:2587 scanner@contoso.com:"]


def test_the_mx_endpoint_is_looked_up_used_over_ipv4_and_verified() -> None:
    config = relay_config(relay_upstream="connector", m365_tenant="contoso.com", relay_mailboxes=[])
    plan = postfix.plan(config)
    assert plan.default_transport == "m365:contoso.com:25"
    options = plan.transports[0].options
    assert options["inet_protocols"] == "ipv4"
    assert options["smtp_tls_security_level"] == "secure"
    assert ".mail.protection.outlook.com" in options["smtp_tls_secure_cert_match"]
    assert not postfix.passwords(config)


def matches(certificate_name: str, pattern: str) -> bool:
    """Postfix's rule (postconf(5), smtp_tls_secure_cert_match): a pattern with a leading dot matches the names of all sub-domains."""
    return certificate_name.endswith(pattern) if pattern.startswith(".") else certificate_name == pattern


@pytest.mark.parametrize(
    ("variables", "transport"),
    [
        ({"m365_tenant": "fabrikam.com"}, "m365:fabrikam.com:25"),
        ({"relay_connector_host": "fabrikam-com.p-v1.mx.microsoft"}, "m365:[fabrikam-com.p-v1.mx.microsoft]:25"),
    ],
)
def test_mx_host_under_mx_microsoft_is_verified(variables: dict[str, Any], transport: str) -> None:
    """The MX host of a domain that was added since July 2026, which a record names or the variable."""
    plan = postfix.plan(relay_config(relay_upstream="connector", relay_mailboxes=[], **variables))
    assert plan.default_transport == transport
    options = plan.transports[0].options
    patterns = options["smtp_tls_secure_cert_match"].replace(",", " ").split()
    assert options["smtp_tls_security_level"] == "secure"
    for name in ("*.p-v1.mx.microsoft", "*.mx.microsoft", "fabrikam-com.p-v1.mx.microsoft", "*.mail.protection.outlook.com"):
        assert any(matches(name, pattern) for pattern in patterns), name
    for name in ("mx.microsoft.example.com", "*.amx.microsoft", "smtp.office365.com"):
        assert not any(matches(name, pattern) for pattern in patterns), name


def test_the_key_comes_before_the_chain_of_a_client_certificate() -> None:
    paths = {"relay_connector_certificate": "/etc/ssl/relay.pem", "relay_connector_key": "/etc/ssl/relay.key"}
    plan = postfix.plan(relay_config(relay_upstream="connector", relay_connector_host="mx.contoso.com", relay_mailboxes=[], **paths))
    assert plan.default_transport == "m365:[mx.contoso.com]:25"
    assert plan.transports[0].options["smtp_tls_chain_files"] == "/etc/ssl/relay.key, /etc/ssl/relay.pem"


@pytest.mark.parametrize(
    ("upstream", "smarthost", "hop", "user"),
    [
        ("smtp2go", {"username": "u", "password": "p"}, "[mail.smtp2go.com]:587", "u:p"),
        ("sendgrid", {"password": "SG.x"}, "[smtp.sendgrid.net]:587", "apikey:SG.x"),
        ("mailgun", {"username": "u", "password": "p", "host": "smtp.eu.mailgun.org"}, "[smtp.eu.mailgun.org]:587", "u:p"),
        ("mailgun", {"username": "u", "password": "p", "region": "eu"}, "[smtp.eu.mailgun.org]:587", "u:p"),
        ("smtp2go", {"username": "u", "password": "p", "region": "au"}, "[mail-au.smtp2go.com]:587", "u:p"),
        ("sendgrid", {"password": "SG.x", "region": "eu", "host": "proxy.example"}, "[proxy.example]:587", "apikey:SG.x"),
        ("acs", {"username": "r|a|t", "password": "p:q"}, "[smtp.azurecomm.net]:587", "r|a|t:p:q"),
        ("smarthost", {"host": "mail.example.net", "port": 465, "username": "u", "password": "p"}, "[mail.example.net]:465", "u:p"),
    ],
)
def test_other_servers_get_a_password_over_verified_tls(upstream: str, smarthost: dict[str, Any], hop: str, user: str) -> None:
    config = relay_config(relay_upstream=upstream, relay_smarthost=smarthost, relay_mailboxes=[])
    plan = postfix.plan(config)
    assert plan.default_transport == f"m365:{hop}"
    assert postfix.passwords(config) == {"m365.passwd": [f"{hop} {user}"]}
    assert plan.transports[0].options["smtp_tls_security_level"] == "secure"
    assert ("smtp_tls_wrappermode" in plan.transports[0].options) == (smarthost.get("port") == 465)


def test_a_smart_host_without_a_password_gets_none() -> None:
    config = relay_config(relay_upstream="smarthost", relay_smarthost={"host": "mail", "tls": "none"}, relay_mailboxes=[])
    plan = postfix.plan(config)
    assert not postfix.passwords(config)
    assert "smtp_sasl_auth_enable" not in plan.transports[0].options


@pytest.mark.parametrize("port", [465, 8465, 443])
def test_ports_for_implicit_tls_use_wrapper_mode(port: int) -> None:
    account = {"host": "mail.example", "port": port, "username": "u", "password": "p"}
    plan = postfix.plan(relay_config(relay_upstream="smtp2go", relay_smarthost=account))
    assert plan.transports[0].options["smtp_tls_wrappermode"] == "yes"


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"relay_hostname": "Relay.contoso.com"}, "relay.contoso.com"),
        ({"relay_hostname": "", "inventory_hostname": "r2.corp.example", "fqdn": "x.y"}, "r2.corp.example"),
        ({"relay_hostname": "", "inventory_hostname": "192.0.2.7", "fqdn": "host.corp.example"}, "host.corp.example"),
        ({"relay_hostname": "", "inventory_hostname": "r2", "m365_tenant": "contoso.com"}, "r2.contoso.com"),
        ({"relay_hostname": "", "inventory_hostname": "r2"}, "r2.localdomain"),
    ],
)
def test_hostname(variables: dict[str, str], name: str) -> None:
    assert relay_config(**variables).hostname == name


def test_the_plan_holds_no_secret() -> None:
    device = {"name": "NAS", "username": "nas", "password": "d3v1ce", "senders": ["scanner@contoso.com"]}
    plan = postfix.plan(
        relay_config(relay_upstream="smtp2go", relay_smarthost={"username": "u", "password": "s3cr3t"}, relay_devices=[device])
    )
    assert "s3cr3t" not in str(plan)
    assert "d3v1ce" not in str(plan)
    assert "$6$" not in str(plan)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"relay_upstream": "pigeon"}, "relay_upstream is 'pigeon'"),
        ({"m365_tenant": "contoso"}, "m365_tenant is 'contoso'"),
        ({"m365_cloud": "moon"}, "m365_cloud is 'moon'"),
        ({"relay_client_id": "abc"}, "relay_client_id is 'abc'"),
        ({"relay_mailboxes": []}, "relay_mailboxes is empty"),
        ({"relay_mailboxes": [{"senders": []}]}, "without an address"),
        ({"relay_mailboxes": [{"address": "scanner"}]}, "no mail address"),
        ({"relay_mailboxes": [{"address": "a@b.de"}, {"address": "c@b.de", "senders": ["A@b.de"]}]}, "twice"),
        ({"relay_mailboxes": [{"address": "a@b.de", "messages_per_minute": 31}]}, "from 0 to 30"),
        ({"relay_mailboxes": [{"address": "a@b.de", "connections": 4}]}, "from 1 to 3"),
        ({"relay_mailboxes": [{"address": "a@b.de", "messages_per_minute": 0}], "relay_count": 3}, "every relay needs one"),
        ({"relay_count": 0}, "relay_count is 0"),
        ({"relay_message_size_limit": "big"}, "relay_message_size_limit is 'big'"),
        ({"relay_connections_per_client": 0}, "relay_connections_per_client is 0"),
        ({"relay_processes": 5, "relay_connections_per_client": 2}, "relay_processes is 5"),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "smtputf8": "maybe"}}, "relay_smarthost.smtputf8 is 'maybe'"),
        ({"relay_active_queue_limit": 100}, "relay_active_queue_limit is 100"),
        ({"relay_processes": 39}, "set relay_processes to at least 40"),
        ({"relay_upstream": "connector", "m365_tenant": "contoso.com", "relay_connector_tls": "none"}, "relay_connector_tls is 'none'"),
        ({"relay_queue_lifetime": "two days"}, "such as 30m"),
        ({"relay_postmaster": "it"}, "relay_postmaster"),
        ({"relay_tls_certificate": "/etc/x.pem"}, "belong together"),
        ({"relay_metrics_directory": "metrics"}, "absolute path"),
        ({"relay_hostname": "[relay]"}, "relay_hostname is '[relay]'"),
        ({"relay_hostname": "Contoso.com"}, "relay_hostname is contoso.com, a mail domain"),
        ({"relay_hostname": "contoso.de", "relay_postmaster": "it@contoso.de"}, "relay_hostname is contoso.de, a mail domain"),
        ({"relay_queue_lifetime": "15w"}, "relay_queue_lifetime is 15w: Postfix supports at most 100d"),
        ({"relay_backup_directory": ""}, "relay_backup_directory is empty"),
        ({"relay_backup_directory": "/root/relay"}, "services cannot access /home and /root"),
        ({"relay_metrics_directory": "/home/metrics"}, "services cannot access /home and /root"),
        ({"relay_upstream": "connector"}, "has no MX record"),
        ({"relay_upstream": "smtp2go"}, "lacks a username or a password"),
        ({"relay_upstream": "smarthost"}, "relay_smarthost.host is ''"),
        (
            {"relay_upstream": "sendgrid", "relay_smarthost": {"password": "p", "region": "au"}},
            "relay_smarthost.region is 'au', which SendGrid does not have: use global, eu",
        ),
        (
            {"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "region": "eu"}},
            "relay_smarthost.region is 'eu', and no hosted relay is set",
        ),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "username": "u"}}, "either a username or a password"),
        (
            {"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "username": "u", "password": "p", "tls": "none"}},
            "in clear text",
        ),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "username": "u\n", "password": "p"}}, "line break"),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "port": 0}}, "use a port"),
    ],
)
def test_invalid_variable_is_one_problem(changed: dict[str, Any], sentence: str) -> None:
    result = problems(**changed)
    assert len(result) == 1, result
    assert sentence in result[0]
    assert result[0].endswith((".", ")"))


def test_all_problems_are_reported_at_once() -> None:
    assert len(problems(relay_client_id="", relay_count=99, relay_mailboxes=[])) == 3


DEVICES = [
    {"name": "Printers", "networks": ["192.0.2.0/24"], "senders": ["scanner@contoso.com"]},
    {"name": "Copier", "networks": ["198.51.100.9"], "senders": ["scanner@contoso.com"], "rewrite": True},
    {"name": "ERP", "username": "erp", "password": "x", "senders": ["scanner@contoso.com"]},
]


def test_every_listener_advertises_the_size_limit_and_postfix_accepts_its_own_header_fields_beyond_it() -> None:
    plan = postfix.plan(relay_config(relay_devices=DEVICES, relay_legacy_address="192.0.2.1", relay_message_size_limit=10_000_000))
    sizes = {listener.name: listener.options["message_size_limit"] for listener in plan.access.listeners}
    devices = ("devices", "submission", "submissions", "legacy")
    assert sizes == {**dict.fromkeys(devices, "10000000"), "internal": "0"}
    assert plan.accepted_size == 10_000_000 + 65536
    internal = next(listener for listener in plan.access.listeners if listener.name == "internal")
    assert internal.options["cleanup_service_name"] == "m365-internal-cleanup", "a cleanup service without a limit"


@pytest.mark.parametrize(
    ("upstream", "offered"),
    [
        ({}, False),
        ({"relay_upstream": "connector", "m365_tenant": "contoso.com"}, True),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m"}}, False),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "smtputf8": True}}, True),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "username": "u", "password": "p", "smtputf8": True}}, True),
        ({"relay_upstream": "mailgun", "relay_smarthost": {"username": "u", "password": "p"}}, True),
        ({"relay_upstream": "mailgun", "relay_smarthost": {"username": "u", "password": "p", "smtputf8": False}}, False),
        *(
            ({"relay_upstream": name, "relay_smarthost": {"username": "u", "password": "p"}}, False)
            for name in ("smtp2go", "sendgrid", "acs")
        ),
    ],
)
def test_smtputf8_is_offered_where_the_upstreams_path_carries_it(upstream: dict[str, Any], offered: bool) -> None:
    assert postfix.plan(relay_config(**upstream)).smtputf8 == offered


def test_a_client_may_have_a_tenth_of_a_listeners_connections() -> None:
    plan = postfix.plan(relay_config())
    assert (plan.connections_per_client, plan.processes) == (20, 200)
    plan = postfix.plan(relay_config(relay_connections_per_client=50, relay_processes=100))
    assert (plan.connections_per_client, plan.processes) == (50, 100)


@pytest.mark.parametrize(("rate", "relay_count", "seconds"), [(30, 1, 2), (30, 2, 4), (0, 1, 0), (7, 1, 9)])
def test_agent_knows_the_pace_of_a_mailbox(rate: int, relay_count: int, seconds: int) -> None:
    plan = postfix.plan(relay_config(relay_count=relay_count, relay_mailboxes=[{"address": "a@contoso.com", "messages_per_minute": rate}]))
    assert plan.agent.mailboxes[0].seconds_per_message == seconds


@pytest.mark.parametrize(
    ("changed", "server"),
    [
        ({}, ServerConfig("smtp.office365.com", 587)),
        ({"relay_upstream": "connector", "m365_tenant": "contoso.com"}, ServerConfig("contoso.com", 25, mx=True, ipv4_only=True)),
        (
            {"relay_upstream": "connector", "relay_connector_host": "contoso-com.mail.protection.outlook.com"},
            ServerConfig("contoso-com.mail.protection.outlook.com", 25, ipv4_only=True),
        ),
        (
            {"relay_upstream": "smarthost", "relay_smarthost": {"host": "mail.example.net", "port": 465}},
            ServerConfig("mail.example.net", 465, implicit_tls=True),
        ),
    ],
)
def test_agent_knows_the_server_that_it_checks(changed: dict[str, Any], server: ServerConfig) -> None:
    assert postfix.plan(relay_config(**changed)).agent.server == server
    assert parse_agent(json.loads(json.dumps(asdict(postfix.plan(relay_config(**changed)).agent)))).server == server
