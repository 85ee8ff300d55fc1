"""Relays that authenticate by password at their upstream: one at Azure Communication Services, one of a branch office at that relay.

Then they have other upstreams: for SMTPUTF8 a smart host that offers it, and the tenant's MX endpoint; in the end the hosted relays, with
credentials from the store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from testbed.addresses import HUB
from testbed.lab import Lab

from . import smtputf8
from .relay import Relay, run_playbook, smtp_session, wait_until
from .smarthost_relay import PORT, upstream

pytestmark = pytest.mark.xdist_group("upstreams")

# The longer form of an SMTP username: service, application, tenant (testbed/tenants.yml).
USERNAME = "contoso-mail|6a1d0b5e-1111-4c1e-9b3a-0a5f3d1c0001|0f2b6d5a-1111-4f7e-8f2e-5c1d9b000001"
PASSWORD = "of the branch: alone"
SENDER, ADA = "alarms@contoso.com", "ada@contoso.com"


def variables(secret: str) -> dict[str, Any]:
    head = {
        "relay_upstream": "acs",
        "relay_smarthost": {"username": USERNAME, "password": secret},
        "relay_hostname": "relay2.contoso.com",
        "relay_fail2ban": False,
        "relay_devices": [
            {"name": "Branch", "username": "branch", "password": PASSWORD, "senders": [SENDER]},
            {"name": "Head office", "networks": ["198.51.100.101"], "senders": [SENDER]},
        ],
    }
    branch = {
        "relay_upstream": "smarthost",
        "relay_smarthost": {"host": "relay2.contoso.com", "username": "branch", "password": PASSWORD, "tls": "encrypt"},
        "relay_devices": [{"name": "Alarm panel", "networks": ["198.51.100.101"], "senders": [SENDER]}],
    }
    return {"relay1": branch, "relay2": head}


@pytest.fixture(scope="module")
def relays(lab: Lab) -> Iterator[dict[str, Relay]]:
    hosts = {name: lab.boot(name, release, installed=True) for name, release in (("relay1", "bookworm"), ("relay2", "trixie"))}
    secret = json.loads(lab.inventory.read_text())["all"]["children"]["tenants"]["hosts"]["contoso"]["m365_client_secret"]
    output = run_playbook(lab, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": variables(secret)}}}}, "--diff")
    assert secret not in output
    assert PASSWORD not in output
    yield {name: Relay(lab, host, SENDER) for name, host in hosts.items()}
    for name in hosts:
        lab.remove(name)


@pytest.mark.parametrize("name", ["relay2", "relay1"], ids=["acs", "smart host with a password"])
def test_mail_arrives_through(relays: dict[str, Relay], name: str) -> None:
    relay, prefix = relays[name], f"by-{name}"
    outcome = relay.send(prefix, 3)
    wait_until(lambda: len(relay.arrived(prefix)) == 3, 60, lambda: f"mail; waiting for: {relay.reasons()}")
    assert relay.duplicates(outcome, prefix) == []
    came = [one for one in relay.lab.admin.messages() if prefix in str(one["message_id"])]
    assert {(one["via"], one["mail_from"]) for one in came} == {("acs", SENDER)}


@pytest.mark.parametrize("name", ["relay2", "relay1"], ids=["acs", "smart host with a password"])
def test_smtputf8_is_not_offered(relays: dict[str, Relay], name: str) -> None:
    """Neither server is known to offer it (RFC 6531): a message that requires it would be returned."""
    relay = relays[name]
    smtputf8.assert_refused(relay.lab.devices["printer"], relay.host, SENDER)


def test_wrong_password_defers_mail_and_bounces_none(relays: dict[str, Relay]) -> None:
    relay = relays["relay1"]
    wrong = variables("")["relay1"]
    wrong["relay_smarthost"]["password"] = "not that one"
    hosts = {"relay1": wrong}
    run_playbook(relay.lab, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": hosts}}}}, "--limit", "relay1")
    outcome = relay.send("wrong", 1)
    assert any("authentication failed" in reason.lower() for reason in relay.deferred(1))
    run_playbook(
        relay.lab,
        "tests/hosts/relay_only.yml",
        {"all": {"children": {"relays": {"hosts": {"relay1": variables("")["relay1"]}}}}},
        "--limit",
        "relay1",
    )
    relay.flush()
    assert relay.duplicates(outcome, "wrong") == []


def test_passwords_are_readable_by_root_only(relays: dict[str, Relay]) -> None:
    for relay in relays.values():
        files = relay.host.run("ls /etc/postfix/m365/*.passwd").split()
        assert files
        for file in files:
            assert relay.host.run(["stat", "--format=%U %a", file]).strip() == "root 600"
            assert relay.host.call(["runuser", "--user=postfix", "--", "cat", file]).returncode != 0


@pytest.fixture(scope="module")
def other_upstreams(lab: Lab, relays: dict[str, Relay]) -> dict[str, Relay]:
    """relay1 has a smart host that offers SMTPUTF8, relay2 a connector."""
    devices = variables("")["relay2"]["relay_devices"]
    smarthost = {"host": HUB, "port": PORT, "tls": "none", "smtputf8": True}
    hosts = {
        "relay1": {"relay_upstream": "smarthost", "relay_smarthost": smarthost, "relay_devices": devices},
        "relay2": {"relay_upstream": "connector", "m365_tenant": "contoso.com", "relay_devices": devices},
    }
    run_playbook(lab, "tests/hosts/relay_only.yml", {"all": {"children": {"relays": {"hosts": hosts}}}})
    return relays


def test_smtputf8_is_passed_on_to_a_smart_host_that_offers_it(lab: Lab, other_upstreams: dict[str, Relay]) -> None:
    with upstream(lab, "--smtputf8") as server:
        smtputf8.assert_arrives(lab.devices["printer"], other_upstreams["relay1"].host, SENDER, server)


def test_smtputf8_is_passed_on_by_a_connector(lab: Lab, other_upstreams: dict[str, Relay]) -> None:
    relay = other_upstreams["relay2"]
    before = {message["number"] for message in lab.admin.messages()}
    lines = smtputf8.commands(SENDER, smtputf8.OPTION, ADA)
    smtputf8.assert_accepted(smtp_session(lab.devices["printer"], relay.host.address, lines))
    wait_until(lambda: {message["number"] for message in lab.admin.messages()} - before, 60, relay.reasons)
    (arrived,) = [message for message in lab.admin.messages() if message["number"] not in before]
    assert (arrived["mail_from"], arrived["recipients"]) == (SENDER, [ADA])
    assert f"Subject: {smtputf8.TEXT}".encode("latin-1") in lab.admin.raw_message(arrived["number"])


# -- hosted relays ----------------------------------------------------------------------------------------------------

# Provider -> the path of its API, and the domain of the envelope sender.
HOSTED = {
    "smtp2go": ("smtp2go/global/v3", "em-mailops.contoso.com"),
    "sendgrid": ("sendgrid/global", "em-mailops.contoso.com"),
    "mailgun": ("mailgun/us", "mg.contoso.com"),
}


def hosted_inventory(lab: Lab, providers: dict[str, str], **relay: Any) -> dict[str, Any]:
    """The tenant's credentials at all providers, and relays with these upstreams; the tenant's own provider is that of relay1.

    `relay`: more variables of the relays.
    """
    keys = json.loads(lab.sandbox.vars_file.read_text(encoding="utf-8"))["demo_secrets"]
    of_domain = {"mailgun": {"domain": "mg.contoso.com"}}
    accounts = [
        {
            "provider": name,
            "api_key": keys[f"{name}_api_key"],
            "api_url": f"https://graph.microsoft.com/{path}",
            "credential": {"name": "gateway"} | of_domain.get(name, {}),
        }
        for name, (path, _domain) in HOSTED.items()
    ]
    own = next(one for one in accounts if one["provider"] == providers["relay1"])
    tenant = {
        "hosted_accounts": accounts,
        "m365_hosted_credential_store": str(lab.directory / "store"),
        "m365_hosted_relay": own["provider"],
        "m365_hosted_relay_api_key": own["api_key"],
        "m365_hosted_relay_api_url": own["api_url"],
    }
    relays = {
        host: {
            "m365_tenant": "contoso.com",
            "m365_hosted_credential_store": tenant["m365_hosted_credential_store"],
            "relay_upstream": provider,
            "relay_smarthost": {"credential": "gateway"},
            "relay_fail2ban": False,
            "relay_devices": [{"name": "Alarm panel", "networks": ["198.51.100.101"], "senders": [SENDER]}],
            **relay,
        }
        for host, provider in providers.items()
    }
    return {"all": {"children": {"relays": {"hosts": relays}, "tenants": {"hosts": {"contoso": tenant}}}}}


@pytest.mark.parametrize(
    "providers", [{"relay1": "smtp2go", "relay2": "sendgrid"}, {"relay1": "mailgun"}], ids=["smtp2go and sendgrid", "mailgun"]
)
def test_mail_arrives_through_a_hosted_relay(relays: dict[str, Relay], providers: dict[str, str]) -> None:
    """At the provider's own host and port 587, whose certificate is verified, with the credential that the store has."""
    lab = relays["relay1"].lab
    inventory = hosted_inventory(lab, providers)
    output = run_playbook(lab, "tests/hosts/hosted_upstreams.yml", inventory, "--diff", "--limit", ",".join(["contoso", *providers]))
    secrets = [json.loads(path.read_text())["current"]["password"] for path in (lab.directory / "store").rglob("*.json")]
    assert len(secrets) == len(HOSTED)
    assert [secret for secret in secrets if secret in output] == []
    for host, provider in providers.items():
        assert envelope_domains(relays[host], f"through-{provider}") == {HOSTED[provider][1]}
        if provider != "mailgun":  # test_limits has Mailgun, which offers SMTPUTF8
            smtputf8.assert_refused(lab.devices["printer"], relays[host].host, SENDER)


def envelope_domains(relay: Relay, prefix: str) -> set[str]:
    """Those of two messages that are sent through the relay, and arrive."""
    outcome = relay.send(prefix, 2)
    wait_until(lambda: len(relay.arrived(prefix)) == 2, 60, lambda: f"mail; waiting for: {relay.reasons()}")
    assert relay.duplicates(outcome, prefix) == []
    came = [one for one in relay.lab.admin.messages() if prefix in str(one["message_id"])]
    return {str(one["mail_from"]).rpartition("@")[2] for one in came}


def test_suppressed_recipient_is_not_verifiable_through_a_relay_host(relays: dict[str, Relay]) -> None:
    """The provider answers 250 and does not deliver: its lists are read first, on the controller, which has the API key."""
    relay = relays["relay1"]
    [account] = relay.lab.admin.accounts("mailgun")
    entry = {"address": "printers@contoso.com", "list": "bounces", "added": relay.lab.admin.now()}
    account["domains"][0]["suppressions"] = [entry]
    relay.lab.admin.replace_accounts("mailgun", [account])
    senders = [{"name": name, "address": SENDER, "verify_recipient": f"{name}@contoso.com"} for name in ("ada", "printers")]
    inventory = hosted_inventory(relay.lab, {"relay1": "mailgun"}, relay_tenant="contoso", relay_senders=senders)
    relay.lab.admin.delete_messages()
    output = " ".join(run_playbook(relay.lab, "playbooks/verify.yml", inventory, "--limit", "contoso,relay1").split())
    reason = "Mailgun accepts mail to printers@contoso.com and does not deliver it, because the address is in its list bounces"
    assert reason in output, output
    assert [message["recipients"] for message in relay.lab.admin.messages()] == [["ada@contoso.com"]]
    assert inventory["all"]["children"]["tenants"]["hosts"]["contoso"]["m365_hosted_relay_api_key"] not in output
