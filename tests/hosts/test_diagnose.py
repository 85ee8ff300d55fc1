"""Playbook diagnose on a booted relay host: the path from there, and a cause that only this host has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from testbed.addresses import HUB

from .device_relay import DeviceRelay
from .relay import run_playbook

pytestmark = pytest.mark.xdist_group("devices")
OPTIONS = {
    "diagnose_domains": ["contoso.com"], "diagnose_hosted_relays": [], "diagnose_public_dns_servers": [HUB],
    "diagnose_certificate_issuers": ["Emulator"], "diagnose_samples": 3, "diagnose_duration": 0, "diagnose_timeout": 60,
}  # fmt: skip
CLOSED = (
    "add table inet closed; add chain inet closed out { type filter hook output priority 0; };"
    " add rule inet closed out tcp dport 25 reject with tcp reset"
)


def diagnose(relay: DeviceRelay) -> str:
    """The output of the playbook, in one line."""
    values = json.dumps(OPTIONS | {"diagnose_hosts": relay.host.name})
    return " ".join(run_playbook(relay.lab, "playbooks/diagnose.yml", {"all": {}}, "--extra-vars", values).split())


@contextmanager
def closed_port(relay: DeviceRelay) -> Iterator[None]:
    """The packet filter of the host refuses connections to port 25."""
    relay.host.run(f"nft '{CLOSED}'")
    try:
        yield
    finally:
        relay.host.run("nft delete table inet closed")


def test_the_path_of_a_relay_host(relay: DeviceRelay) -> None:
    output = diagnose(relay)
    assert "No problem of the network was observed." in output
    for part in (
        "smtp.office365.com:587",
        "contoso-com.mail.protection.outlook.com:25",
        f"public address {relay.host.address}",
        "changed=0",
    ):
        assert part in output


def test_a_port_that_the_relay_host_itself_blocks(relay: DeviceRelay) -> None:
    with closed_port(relay):
        output = diagnose(relay)
    assert "blocks outgoing TCP port 25 (connection refused at" in output
    assert "Send through port 587" in output
