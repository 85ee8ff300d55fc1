"""A relay host whose upstream is a hosted relay, in a check run before its credential exists: only one that the run creates is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_misspelt_variables import FACTS
from .test_playbooks import REPO, Playground, Run

RELAY = {
    "ansible_connection": "local",
    "relay_tenant": "fabrikam",
    "relay_fail2ban": False,
    "relay_devices": [{"name": "Panel", "networks": ["192.168.2.7"], "senders": ["ups@fabrikam.com"]}],
}
WINDOWS = {"relay_windows_product": "iis_smtp", "relay_hostname": "gateway.fabrikam.com"}
TAGS = ("--tags", "relay")


@dataclass(frozen=True)
class Kind:
    """A role of relay hosts: the inventory's group, the file with its validation, and more variables of the host."""

    group: str
    role: str
    validation: str
    variables: dict[str, Any]


KINDS = [
    Kind("relays", "relay_host", "config/validate", {}),
    Kind("windows_relays", "relay_windows", "validate", WINDOWS),
]


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    made = Playground(tmp_path)
    yield made
    made.sandbox.stop()


def play(playground: Playground, kind: Kind, upstream: str, credential: str, *options: str) -> Run:
    """Configure the tenant, and validate the variables of its relay host gateway as the role does first.

    The sender UPS alarms of the demo uses a relay host where there is one. The environment names the store of credentials.
    """
    tenant: dict[str, Any] = {
        "m365_hosted_relay": "sendgrid",
        "m365_hosted_relay_api_key": "{{ demo_secrets.sendgrid_api_key }}",
        "m365_hosted_relay_api_url": "{{ m365_cloud.graph }}/sendgrid/global",
        "m365_hosted_relay_smtp_host": "127.0.0.1",
        "m365_hosted_relay_smtp_port": "{{ demo_vars.hosted_smtp_ports.sendgrid.global }}",
    }
    relay = RELAY | kind.variables | {"relay_upstream": upstream, "relay_smarthost": {"credential": credential}}
    inventory = playground.directory / "relays.yml"
    groups = {"tenants": {"hosts": {"fabrikam": tenant}}, kind.group: {"hosts": {"gateway": relay}}}
    inventory.write_text(yaml.safe_dump(groups))
    validation = {"name": f"mailops.m365.{kind.role}", "tasks_from": kind.validation, "apply": {"tags": ["relay"]}}
    tasks: list[dict[str, Any]] = [{"ansible.builtin.set_fact": FACTS}, {"ansible.builtin.include_role": validation}]
    playbook = playground.directory / "play.yml"
    plays = [
        {"hosts": "fabrikam", "gather_facts": False, "roles": [{"role": "mailops.m365.tenant"}]},
        {"hosts": kind.group, "gather_facts": False, "tags": ["relay"], "tasks": tasks},
    ]
    playbook.write_text(yaml.safe_dump(plays))
    store = {"MAILOPS_HOSTED_CREDENTIAL_STORE": str(playground.directory / "store")}
    arguments = ("-i", str(inventory), "--limit", "fabrikam,gateway", *options)
    return playground.play(str(playbook), *arguments, inventory=REPO / "inventories" / "demo", variables=store)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.role for kind in KINDS])
def test_check_run_accepts_only_a_credential_that_the_run_creates(playground: Playground, kind: Kind) -> None:
    """With tag relay alone, neither the check run nor the real run creates it."""
    planned = play(playground, kind, "sendgrid", "gateway", "--check")
    assert planned.code == 0, planned.output
    store = playground.directory / "store"
    assert not store.exists()
    for upstream, credential, options in (("sendgrid", "gatewya", ()), ("mailgun", "gateway", ()), ("sendgrid", "gateway", TAGS)):
        refused = play(playground, kind, upstream, credential, "--check", *options)
        assert refused.code == 2, refused.output
        text = " ".join(refused.output.split())
        assert f"relay_smarthost.credential is '{credential}', and " in text, refused.output
        assert "has none: run role hosted_relay for the tenant on this controller first" in text, refused.output
    done = play(playground, kind, "sendgrid", "gateway")
    assert done.code == 0, done.output
    assert [path.name for path in store.rglob("*.json")] == ["gateway.json"]
    [account] = playground.admin.accounts("sendgrid")
    assert len([key for key in account["keys"] if str(key.get("name")).startswith("mailops-gateway-")]) == 1
    later = play(playground, kind, "sendgrid", "gateway", "--check", *TAGS)
    assert later.code == 0, later.output
