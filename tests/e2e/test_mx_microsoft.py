"""A domain whose MX host is under mx.microsoft, as that of every domain which was added since July 2026: no name is derived."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.dns import Resolver
from ansible_collections.mailops.m365.plugins.module_utils._verification import upstream
from ansible_collections.mailops.m365.plugins.module_utils.resources import inbound_connector, smtp_probe

from tests.emulator.conftest import Api, Start

from .emulated import Run
from .tenant_play import Play

HOST = "fabrikam-com.p-v1.mx.microsoft"
TENANT: dict[str, Any] = {
    "domains": ["contoso.com", "fabrikam.com"],
    "dns": {"fabrikam.com": [f"fabrikam.com 300 MX 0 {HOST}.", 'fabrikam.com 300 TXT "v=spf1 ip4:203.0.113.0/24 -all"']},
    "mailboxes": [{"address": "plant@fabrikam.com"}, {"address": "it@fabrikam.com"}],
}
METHODS: dict[str, dict[str, Any]] = {
    "connector": {"public_addresses": ["203.0.113.10"]},
    "direct_send": {"recipients": "internal", "public_addresses": ["203.0.113.11"]},
}
CONNECTORS = [{"name": "Plant", "sender_ip_addresses": ["203.0.113.10"], "sender_domains": ["fabrikam.com"]}]
MACHINE = {"name": "Plant", "address": "plant@fabrikam.com", "verify_recipient": "it@fabrikam.com"}
SOURCES = {"connector": "127.0.0.10", "direct_send": "127.0.0.11"}


def without_mx_host(api: Api) -> dict[str, Any]:
    """The cloud of the emulator as Microsoft's: Graph names the MX host."""
    return {name: value for name, value in api.emulator.cloud.items() if name != "mx_host"}


@pytest.mark.parametrize("method", METHODS)
def test_a_sender_gets_the_mx_host_that_graph_names(start: Start, tmp_path: Path, method: str) -> None:
    play = Play(start(tenant=TENANT), tmp_path)
    sender = {"name": "Plant", "method": method, "address": "plant@fabrikam.com", **METHODS[method]}
    result = play(sender, check_mode=True, cloud=without_mx_host(play.api))
    assert "failed" not in result, result
    [entry] = result["plan"]
    assert entry["settings"]["server"] == HOST


# -- verification -----------------------------------------------------------------------------------------------------


@pytest.fixture
def site(state: dict[str, Any], start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run at a site with two public addresses, whose resolver is the emulator's name server. Without the connector at first."""
    monkeypatch.setitem(state, "network", {"127.0.0.10": "203.0.113.10", "127.0.0.11": "203.0.113.11"})
    api = start(tenant=TENANT)
    resolver, lookup = Resolver(api.emulator.dns_servers), socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if not str(host).endswith(".mx.microsoft"):
            return lookup(host, *arguments, **options)
        [address] = resolver.ask(host, "A").values
        return lookup(address, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    run = Run(api, tmp_path / "run")
    run.connection["cloud"] = without_mx_host(api)
    return run


def verify(site: Run, method: str, source: str) -> dict[str, Any]:
    sender = {**MACHINE, "method": method, "source_address": source}
    [result] = site(smtp_probe.RESOURCE, senders=[sender], required=False)["senders"]
    return dict(result)


@pytest.mark.parametrize("method", METHODS)
def test_a_sender_is_verified_at_the_mx_host(site: Run, method: str) -> None:
    site.twice(inbound_connector.RESOURCE, connectors=CONNECTORS)
    result = verify(site, method, SOURCES[method])
    assert (result["status"], result["accepted_by"], result["reason"]) == ("verified", method, "")
    assert result["server"] == f"{HOST}:{site.api.emulator.cloud['mx_port']}"
    assert result["tls"].startswith("TLSv1.")
    [message] = site.api.admin.messages()
    assert (message["via"], message["recipients"]) == (method.replace("_", "-"), ["it@fabrikam.com"])


def test_a_connector_is_not_verified_by_direct_send_at_the_mx_host(site: Run) -> None:
    result = verify(site, "connector", SOURCES["connector"])
    assert (result["status"], result["stage"], result["code"]) == ("failed", "recipient", "550 5.7.64")


def test_direct_send_is_not_verified_by_a_connector_at_the_mx_host(site: Run) -> None:
    site.twice(inbound_connector.RESOURCE, connectors=CONNECTORS)
    assert verify(site, "direct_send", SOURCES["connector"])["status"] == "not_verifiable"


@pytest.mark.parametrize("exists", [True, False])
def test_a_relay_hosts_connector_is_checked_at_the_mx_host(site: Run, exists: bool) -> None:
    """With the server as Postfix logs it; the certificate has the name *.p-v1.mx.microsoft."""
    if exists:
        site.twice(inbound_connector.RESOURCE, connectors=CONNECTORS)
    parameters = {"smtp_tls_CAfile": site.api.emulator.cloud["ca_file"], "smtp_bind_address": SOURCES["connector"]}
    route = upstream.route_to(f"{HOST}[127.0.0.1]:{site.api.emulator.cloud['mx_port']}", parameters)
    assert route.host == HOST
    refusal = upstream.check_connector(route, "plant@fabrikam.com")
    assert getattr(refusal, "code", None) == (None if exists else "550 5.7.64"), refusal
    other = dataclasses.replace(route, host=HOST.replace(".p-v1", ".p-v1.other"))
    assert "certificate" in str(upstream.check_connector(other, "plant@fabrikam.com"))
