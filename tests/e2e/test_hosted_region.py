"""Which host of a hosted relay a relay host sends to: that of relay_smarthost.region, else of the account that its credential is of.

Both roles of relay hosts decide in Jinja which of the tenant's variables count.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._hosted.credential_store import DirectoryStore, Secret, StoredCredential

from .test_misspelt_variables import FACTS
from .test_playbooks import REPO

TENANT = "contoso.com"
PASSWORD = "k3yThatNobodyMaySee0123456789abc"
# Tenant -> its account.
TENANTS = {
    "europe": {"m365_hosted_relay": "smtp2go", "m365_hosted_relay_region": "eu"},
    "default": {"m365_hosted_relay": "smtp2go"},
}
# Relay host -> its tenant, its upstream, the region in relay_smarthost, the server that it sends to.
RELAYS = {
    "of-the-tenants-region": ("europe", "smtp2go", "", "mail-eu.smtp2go.com"),
    "of-its-own-region": ("europe", "smtp2go", "us", "mail-us.smtp2go.com"),
    "at-another-provider": ("europe", "mailgun", "", "smtp.mailgun.org"),
    "of-a-tenant-without-region": ("default", "smtp2go", "", "mail.smtp2go.com"),
    "without-tenant": ("", "smtp2go", "au", "mail-au.smtp2go.com"),
}
# Role -> the file with its validation, what prints the server, and more variables of its hosts.
ROLES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "relay_host": (
        "config/validate",
        "{{ __relay_config.default_transport }}",
        {"relay_mailboxes": [{"address": "ups@contoso.com"}], "relay_fail2ban": False},
    ),
    "relay_windows": (
        "validate",
        "{{ __relay_windows.smtp_server.upstream.host }}",
        {"relay_windows_product": "iis_smtp", "relay_hostname": "gateway.contoso.com"},
    ),
}


def inventory(directory: Path, role: str, variables: dict[str, Any]) -> dict[str, Any]:
    """The relay hosts, and their tenants, which are not configured in the run. The credential is in the store."""
    for provider in {upstream for _tenant, upstream, _region, _host in RELAYS.values()}:
        store = DirectoryStore(str(directory / "store"), TENANT, provider)
        with store.lock():
            store.write("gateway", StoredCredential(Secret("mailops-gateway-20261128", "1", "mailops-gateway-20261128", PASSWORD)))
    hosts = {
        name: {
            "m365_tenant": TENANT,
            "relay_tenant": tenant,
            "relay_upstream": upstream,
            "relay_smarthost": {"credential": "gateway", **({"region": region} if region else {})},
            "relay_devices": [{"name": "Panel", "networks": ["192.168.2.7"], "senders": ["ups@contoso.com"]}],
            "role_path": str(REPO / "roles" / role),  # after the role, its variables need the path of its defaults
            **variables,
        }
        for name, (tenant, upstream, region, _host) in RELAYS.items()
    }
    return {"relays": {"hosts": hosts}, "tenants": {"hosts": TENANTS}}


def region_of_verification(role: str) -> str:
    """The template of the region in which the role reads the account before test messages."""
    [task, *_others] = yaml.safe_load((REPO / f"roles/{role}/tasks/verify.yml").read_text(encoding="utf-8"))
    return str(task["mailops.m365.hosted_account_info"]["region"])


@pytest.mark.parametrize("role", list(ROLES))
def test_region_of_the_account_whose_credential_a_relay_host_has(tmp_path: Path, role: str) -> None:
    validation, server, variables = ROLES[role]
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": FACTS},
        {"ansible.builtin.include_role": {"name": f"mailops.m365.{role}", "tasks_from": validation, "public": True}},
        {"ansible.builtin.debug": {"msg": f"{{{{ inventory_hostname }}}} sends to {server}."}},
        {"ansible.builtin.debug": {"msg": f"{{{{ inventory_hostname }}}} reads the account of {region_of_verification(role)}."}},
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "relays", "connection": "local", "gather_facts": False, "tasks": tasks}]))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory(tmp_path, role, variables)))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
    environment = clean | {
        "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"),
        "MAILOPS_HOSTED_CREDENTIAL_STORE": str(tmp_path / "store"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(tmp_path / "hosts.yml"), str(tmp_path / "play.yml")]
    done = subprocess.run(command, cwd=REPO, env=environment, check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    printed = dict(re.findall(r"([a-z-]+) sends to (?:m365:\[)?([a-z0-9.-]+[a-z])(?:\]:587)?\.", done.stdout))
    assert printed == {name: host for name, (_tenant, _upstream, _region, host) in RELAYS.items()}, done.stdout
    accounts = dict(re.findall(r"([a-z-]+) reads the account of (eu|us|au)\.", done.stdout))
    assert {name: accounts.get(name) for name in ("of-the-tenants-region", "of-its-own-region", "of-a-tenant-without-region")} == {
        "of-the-tenants-region": "eu", "of-its-own-region": "us", "of-a-tenant-without-region": None
    }  # fmt: skip
