"""The table of hosted relays: consistent in itself, and the only place that names their hosts."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._hosted.account import Account
from ansible_collections.mailops.m365.plugins.module_utils._hosted.clients import (
    CLIENTS,
    allow_list_client,
    credential_client,
    domain_client,
    state_client,
)
from ansible_collections.mailops.m365.plugins.module_utils._hosted.providers import (
    HOSTED_RELAYS,
    REGIONS,
    obsolete_include_notes,
    region_problems,
)
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.model import UPSTREAM_TYPES
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.upstreams import IMPLICIT_TLS_PORTS


@pytest.mark.parametrize("name", HOSTED_RELAYS)
def test_every_region_has_its_own_host_and_the_port_is_one_with_starttls(name: str) -> None:
    relay = HOSTED_RELAYS[name]
    hosts = [region.smtp_host for region in relay.regions.values()]
    assert len(set(hosts)) == len(hosts)
    assert relay.port in relay.starttls_ports
    assert not set(relay.starttls_ports) & set(relay.tls_ports)
    assert set(relay.tls_ports) <= set(IMPLICIT_TLS_PORTS)
    assert not set(relay.starttls_ports) & set(IMPLICIT_TLS_PORTS)


@pytest.mark.parametrize(("name", "region", "host"), [
    ("smtp2go", None, "mail.smtp2go.com"),
    ("smtp2go", "eu", "mail-eu.smtp2go.com"),
    ("sendgrid", None, "smtp.sendgrid.net"),
    ("sendgrid", "eu", "smtp.eu.sendgrid.net"),
    ("mailgun", None, "smtp.mailgun.org"),
    ("mailgun", "us", "smtp.mailgun.org"),
    ("mailgun", "eu", "smtp.eu.mailgun.org"),
])  # fmt: skip
def test_host_of_a_region(name: str, region: str | None, host: str) -> None:
    assert HOSTED_RELAYS[name].region(region).smtp_host == host


def test_relay_host_has_the_limits_of_the_table() -> None:
    assert {name: relay.message_size for name, relay in HOSTED_RELAYS.items()} == {
        "smtp2go": 52428800, "sendgrid": 31457280, "mailgun": 26214400
    }  # fmt: skip
    assert {name: UPSTREAM_TYPES[name].recipients for name in HOSTED_RELAYS} == {"smtp2go": 100, "sendgrid": 1000, "mailgun": 1000}
    assert {name: UPSTREAM_TYPES[name].username for name in HOSTED_RELAYS} == {"smtp2go": "", "sendgrid": "apikey", "mailgun": ""}


def test_only_mailgun_needs_an_include() -> None:
    needed = {
        name: [region.spf_include for region in relay.regions.values() if region.spf_include] for name, relay in HOSTED_RELAYS.items()
    }
    assert needed == {"smtp2go": [], "sendgrid": [], "mailgun": ["mailgun.org", "eu.mailgun.org"]}
    assert list(HOSTED_RELAYS["smtp2go"].spf_includes) == ["spf.smtp2go.com"]


def test_region_of_another_provider_is_refused() -> None:
    assert not region_problems("r", "mailgun", "eu")
    assert not region_problems("r", None, None)
    assert region_problems("r", "mailgun", "au") == ["r is 'au', which Mailgun does not have: use us, eu."]
    [problem] = region_problems("r", None, "eu")
    assert "no hosted relay is set" in problem
    assert set(REGIONS) == {"global", "us", "eu", "au"}


def test_obsolete_include_is_named_once() -> None:
    records = ["v=spf1 +include:SPF.smtp2go.com include:notsendgrid.net include:mailgun.org -all"]
    [note] = obsolete_include_notes("contoso.com", records)
    assert note.startswith("contoso.com: SMTP2GO does not need include:spf.smtp2go.com any more")
    assert not list(obsolete_include_notes("contoso.com", []))


@pytest.mark.parametrize("name", HOSTED_RELAYS)
def test_every_provider_of_the_table_has_all_clients(transport: Transport, name: str) -> None:
    assert set(CLIENTS) == set(HOSTED_RELAYS)
    account = Account(name, None, "key", None)
    clients = CLIENTS[name]
    assert type(domain_client(transport, account)) is clients.domains
    assert type(credential_client(transport, account)) is clients.credentials
    assert type(state_client(transport, account)) is clients.state
    lists = {service: type(allow_list_client(transport, account, service)) for service in ("smtp", "api")}
    assert lists == {"smtp": clients.smtp_allow_list, "api": clients.api_allow_list}
