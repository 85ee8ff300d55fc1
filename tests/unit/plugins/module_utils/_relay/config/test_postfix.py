# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import postfix
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.parse import hostname

from .role_variables import given

TWO = [{"address": "scanner@contoso.com"}, {"address": "erp@contoso.com", "senders": ["ERP@contoso.com", "invoices@contoso.com"]}]


def limits(plan: dict[str, Any], name: str) -> dict[str, str]:
    return next(entry["limits"] for entry in plan["transports"] if entry["name"] == name)


def test_every_mailbox_has_a_transport_with_its_own_password_and_the_senders_are_routed_to_it() -> None:
    told = given(relay_mailboxes=TWO)
    plan = postfix.settings(told)
    assert [entry["name"] for entry in plan["transports"]] == ["m365-1", "m365-2"]
    assert plan["tables"]["transports"][:3] == [
        "scanner@contoso.com m365-1:[127.0.0.1]:2587",
        "erp@contoso.com m365-2:[127.0.0.1]:2587",
        "invoices@contoso.com m365-2:[127.0.0.1]:2587",
    ]
    assert postfix.passwords(told) == {
        "m365-1.passwd": ["[127.0.0.1]:2587 scanner@contoso.com:"],
        "m365-2.passwd": ["[127.0.0.1]:2587 erp@contoso.com:"],
    }
    assert "m365-2.passwd" in plan["transports"][1]["options"]["smtp_sasl_password_maps"]


def test_mail_of_nobody_is_kept_by_oauth_and_returned_mail_is_never_relayed() -> None:
    plan = postfix.settings(given())
    assert plan["default_transport"].startswith("retry:4.")
    assert plan["tables"]["transports"][-1].startswith("<> discard:")


@pytest.mark.parametrize(
    ("pace", "pair", "delay"), [(30, 1, "2s"), (30, 2, "4s"), (20, 1, "3s"), (25, 1, "3s"), (7, 1, "9s"), ("30", "2", "4s")]
)
def test_a_pace_is_kept_by_all_relays_together(pace: int, pair: int, delay: str) -> None:
    plan = postfix.settings(given(relay_count=pair, relay_mailboxes=[{"address": "a@contoso.com", "messages_per_minute": pace}]))
    assert limits(plan, "m365-1")["destination_rate_delay"] == delay


def test_without_a_pace_there_is_no_delay_and_the_connections_are_shared() -> None:
    box = {"address": "a@contoso.com", "messages_per_minute": 0, "connections": 3, "recipients_per_day": 10000}
    plan = postfix.settings(given(relay_count=2, relay_mailboxes=[box]))
    assert "destination_rate_delay" not in limits(plan, "m365-1")
    assert limits(plan, "m365-1")["destination_concurrency_limit"] == "1"
    assert plan["relay"]["mailboxes"][0]["recipients_per_day"] == 5000


def test_idle_connections_to_microsoft_are_used_again_and_notices_leave_none() -> None:
    """Otherwise those of a burst and the next message's are more than the three that a mailbox may have."""
    plan = postfix.settings(given(relay_postmaster="it@contoso.com"))
    kept = {entry["name"]: entry["options"]["smtp_connection_cache_destinations"] for entry in plan["transports"]}
    assert kept == {"m365-1": "127.0.0.1", "m365-notices": ""}
    assert plan["transports"][1]["options"]["smtp_connection_cache_on_demand"] == "no"


def test_notices_go_out_in_a_mailboxes_name() -> None:
    told = given(relay_postmaster="it@contoso.com")
    plan = postfix.settings(told)
    assert plan["tables"]["notices"] == ["@relay1.contoso.com scanner@contoso.com"]
    assert "@relay1.contoso.com m365-notices:[127.0.0.1]:2587" in plan["tables"]["transports"]
    assert postfix.passwords(told)["m365-notices.passwd"] == ["[127.0.0.1]:2587 scanner@contoso.com:"]


def test_a_connector_is_found_by_the_domains_mx_over_ipv4_and_verified() -> None:
    told = given(relay_upstream="connector", m365_tenant="contoso.com", relay_mailboxes=[])
    plan = postfix.settings(told)
    assert plan["default_transport"] == "m365:contoso.com:25"
    options = plan["transports"][0]["options"]
    assert options["inet_protocols"] == "ipv4"
    assert options["smtp_tls_security_level"] == "secure"
    assert ".mail.protection.outlook.com" in options["smtp_tls_secure_cert_match"]
    assert not postfix.passwords(told)


def test_a_connector_by_certificate_shows_the_key_before_its_chain() -> None:
    paths = {"relay_connector_certificate": "/etc/ssl/relay.pem", "relay_connector_key": "/etc/ssl/relay.key"}
    plan = postfix.settings(given(relay_upstream="connector", relay_connector_host="mx.contoso.com", relay_mailboxes=[], **paths))
    assert plan["default_transport"] == "m365:[mx.contoso.com]:25"
    assert plan["transports"][0]["options"]["smtp_tls_chain_files"] == "/etc/ssl/relay.key, /etc/ssl/relay.pem"


@pytest.mark.parametrize(
    ("upstream", "smarthost", "hop", "user"),
    [
        ("smtp2go", {"username": "u", "password": "p"}, "[mail.smtp2go.com]:587", "u:p"),
        ("sendgrid", {"password": "SG.x"}, "[smtp.sendgrid.net]:587", "apikey:SG.x"),
        ("mailgun", {"username": "u", "password": "p", "host": "smtp.eu.mailgun.org"}, "[smtp.eu.mailgun.org]:587", "u:p"),
        ("acs", {"username": "r|a|t", "password": "p:q"}, "[smtp.azurecomm.net]:587", "r|a|t:p:q"),
        ("smarthost", {"host": "mail.example.net", "port": 465, "username": "u", "password": "p"}, "[mail.example.net]:465", "u:p"),
    ],
)
def test_other_servers_take_a_password_over_verified_tls(upstream: str, smarthost: dict[str, Any], hop: str, user: str) -> None:
    told = given(relay_upstream=upstream, relay_smarthost=smarthost, relay_mailboxes=[])
    plan = postfix.settings(told)
    assert plan["default_transport"] == f"m365:{hop}"
    assert postfix.passwords(told) == {"m365.passwd": [f"{hop} {user}"]}
    assert plan["transports"][0]["options"]["smtp_tls_security_level"] == "secure"
    assert ("smtp_tls_wrappermode" in plan["transports"][0]["options"]) == (smarthost.get("port") == 465)


def test_a_smart_host_without_a_password_is_asked_for_none() -> None:
    told = given(relay_upstream="smarthost", relay_smarthost={"host": "mail", "tls": "none"}, relay_mailboxes=[])
    plan = postfix.settings(told)
    assert not postfix.passwords(told)
    assert "smtp_sasl_auth_enable" not in plan["transports"][0]["options"]


@pytest.mark.parametrize("port", [465, 8465, 443])
def test_tls_from_the_first_byte_is_spoken_on_the_ports_that_are_for_it(port: int) -> None:
    account = {"host": "mail.example", "port": port, "username": "u", "password": "p"}
    plan = postfix.settings(given(relay_upstream="smtp2go", relay_smarthost=account))
    assert plan["transports"][0]["options"]["smtp_tls_wrappermode"] == "yes"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"relay_hostname": "Relay.contoso.com"}, "relay.contoso.com"),
        ({"relay_hostname": "", "inventory_hostname": "r2.corp.example", "fqdn": "x.y"}, "r2.corp.example"),
        ({"relay_hostname": "", "inventory_hostname": "192.0.2.7", "fqdn": "host.corp.example"}, "host.corp.example"),
        ({"relay_hostname": "", "inventory_hostname": "r2", "m365_tenant": "contoso.com"}, "r2.contoso.com"),
        ({"relay_hostname": "", "inventory_hostname": "r2"}, "r2.localdomain"),
    ],
)
def test_the_relays_name(told: dict[str, str], name: str) -> None:
    assert hostname(given(**told)) == name


def test_the_plan_which_is_a_fact_holds_no_secret() -> None:
    device = {"name": "NAS", "username": "nas", "password": "d3v1ce", "senders": ["scanner@contoso.com"]}
    plan = postfix.settings(
        given(relay_upstream="smtp2go", relay_smarthost={"username": "u", "password": "s3cr3t"}, relay_devices=[device])
    )
    assert "s3cr3t" not in str(plan)
    assert "d3v1ce" not in str(plan)
    assert "$6$" not in str(plan)


@pytest.mark.parametrize(
    ("wrong", "said"),
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
        ({"relay_queue_lifetime": "two days"}, "such as 30m"),
        ({"relay_postmaster": "it"}, "relay_postmaster"),
        ({"relay_tls_certificate": "/etc/x.pem"}, "belong together"),
        ({"relay_metrics_directory": "metrics"}, "absolute path"),
        ({"relay_hostname": "[relay]"}, "relay_hostname is '[relay]'"),
        ({"relay_hostname": "Contoso.com"}, "relay_hostname is contoso.com, a mail domain"),
        ({"relay_hostname": "contoso.de", "relay_postmaster": "it@contoso.de"}, "relay_hostname is contoso.de, a mail domain"),
        ({"relay_queue_lifetime": "15w"}, "relay_queue_lifetime is 15w: Postfix knows no longer time than 100d"),
        ({"relay_backup_directory": ""}, "relay_backup_directory is empty"),
        ({"relay_backup_directory": "/root/relay"}, "services do not see what is below /home and /root"),
        ({"relay_metrics_directory": "/home/metrics"}, "services do not see what is below /home and /root"),
        ({"relay_upstream": "connector"}, "no MX to look up"),
        ({"relay_upstream": "smtp2go"}, "lacks a username or a password"),
        ({"relay_upstream": "smarthost"}, "relay_smarthost.host is ''"),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "username": "u"}}, "alone"),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "username": "u", "password": "p", "tls": "none"}}, "in clear"),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "username": "u\n", "password": "p"}}, "line end"),
        ({"relay_upstream": "smarthost", "relay_smarthost": {"host": "m", "port": 0}}, "give a port"),
    ],
)
def test_bad_input_is_one_sentence(wrong: dict[str, Any], said: str) -> None:
    found = postfix.problems(given(**wrong))
    assert len(found) == 1, found
    assert said in found[0]
    assert found[0].endswith((".", ")"))


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        postfix.settings(given(relay_client_id="", relay_count=99, relay_mailboxes=[]))
    assert len(caught.value.problems) == 3
