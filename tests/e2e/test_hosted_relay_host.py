"""A relay host whose upstream is a hosted relay, in a check run before its credential exists: only one that the run creates is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_misspelt_variables import TASKS
from .test_playbooks import REPO, Playground, Run

RELAY = {
    "ansible_connection": "local",
    "relay_tenant": "fabrikam",
    "relay_upstream": "sendgrid",
    "relay_fail2ban": False,
    "relay_devices": [{"name": "Panel", "networks": ["192.0.2.7"], "senders": ["ups@fabrikam.com"]}],
}


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    made = Playground(tmp_path)
    yield made
    made.sandbox.stop()


def play(playground: Playground, upstream: str, credential: str, *options: str) -> Run:
    """Configure the tenant, and validate the variables of its relay host gateway as the role does first.

    The sender UPS alarms of the demo uses a relay host where there is one.
    """
    tenant: dict[str, Any] = {
        "m365_hosted_relay": "sendgrid",
        "m365_hosted_relay_api_key": "{{ demo_secrets.sendgrid_api_key }}",
        "m365_hosted_relay_api_url": "{{ m365_cloud.graph }}/sendgrid/global",
        "m365_hosted_relay_smtp_host": "127.0.0.1",
        "m365_hosted_relay_smtp_port": "{{ demo_vars.hosted_smtp_ports.sendgrid.global }}",
        "m365_hosted_credential_store": str(playground.directory / "store"),
    }
    relay = RELAY | {"relay_upstream": upstream, "relay_smarthost": {"credential": credential}}
    inventory = playground.directory / "relays.yml"
    groups = {"tenants": {"hosts": {"fabrikam": tenant}}, "relays": {"hosts": {"gateway": relay}}}
    inventory.write_text(yaml.safe_dump(groups))
    playbook = playground.directory / "play.yml"
    plays = [
        {"hosts": "fabrikam", "gather_facts": False, "roles": [{"role": "mailops.m365.tenant"}]},
        {"hosts": "relays", "gather_facts": False, "tasks": TASKS},
    ]
    playbook.write_text(yaml.safe_dump(plays))
    return playground.play(str(playbook), "-i", str(inventory), *options, inventory=REPO / "inventories" / "demo")


def test_check_run_accepts_only_a_credential_that_the_run_creates(playground: Playground) -> None:
    planned = play(playground, "sendgrid", "gateway", "--check", "--limit", "fabrikam,gateway")
    assert planned.code == 0, planned.output
    store = playground.directory / "store"
    assert not store.exists()
    for upstream, credential in (("sendgrid", "gatewya"), ("mailgun", "gateway")):
        refused = play(playground, upstream, credential, "--check", "--limit", "fabrikam,gateway")
        assert refused.code == 2, refused.output
        text = " ".join(refused.output.split())
        assert f"relay_smarthost.credential is '{credential}', and " in text, refused.output
        assert "has none: run role hosted_relay for the tenant on this controller first" in text, refused.output
    done = play(playground, "sendgrid", "gateway", "--limit", "fabrikam,gateway")
    assert done.code == 0, done.output
    assert [path.name for path in store.rglob("*.json")] == ["gateway.json"]
    [account] = playground.admin.accounts("sendgrid")
    assert len([key for key in account["keys"] if str(key.get("name")).startswith("mailops-gateway-")]) == 1
