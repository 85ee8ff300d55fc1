"""Playbooks with managed and with expiring credentials, as a user runs them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_playbooks import REPO, Playground, Run

CREDENTIALS = ("entra_app_certificates", "verify_app_certificate_path")


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    made = Playground(tmp_path_factory.mktemp("playground"))
    yield made
    made.sandbox.stop()


def inventory(directory: Path, **changes: Any) -> Path:
    """Contoso of the demo without its credentials of the sender app."""
    demo = REPO / "inventories" / "demo"
    contoso = yaml.safe_load((demo / "host_vars" / "contoso.yml").read_text())
    kept = {name: value for name, value in contoso.items() if name not in CREDENTIALS}
    (directory / "group_vars").mkdir(parents=True)
    (directory / "hosts.yml").write_text(yaml.safe_dump({"tenants": {"hosts": {"contoso": kept | changes}}}))
    (directory / "group_vars" / "tenants.yml").write_text((demo / "group_vars" / "tenants.yml").read_text())
    return directory


def keys_of(run: Run) -> list[dict[str, Any]]:
    return [entry for entry in run.report["attention"] if entry["kind"] == "key"]


def test_senders_are_verified_with_a_managed_certificate_and_no_key_leaks(playground: Playground, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    hosts = inventory(tmp_path / "inventory", entra_app_certificate="managed", m365_key_directory=str(keys))
    check = playground.play("site.yml", "--check", inventory=hosts)
    assert (check.code, keys.exists()) == (0, False), check.output
    run = playground.play("site.yml", "-vvv", "--diff", inventory=hosts)
    assert run.code == 0, run.output
    methods = [sender["method"] for task in run.report["tasks"] for sender in task["senders"] if sender["status"] == "verified"]
    assert "oauth" in methods
    again = playground.play("site.yml", inventory=hosts)
    assert (again.code, again.total("changed"), keys_of(again)) == (0, 0, []), again.output
    [path] = keys.rglob("*.pem")
    texts = [run.output, json.dumps(run.report), playground.record_file.read_text()]
    texts += [file.read_text() for file in (playground.sandbox.directory / "journal").glob("*.jsonl")]
    line = path.read_text().splitlines()[12]  # of the private exponent; the first lines are the public modulus
    assert not [text for text in texts if line in text or "PRIVATE KEY" in text]


def test_expiring_credentials_are_warned_about_without_another_request(playground: Playground, tmp_path: Path) -> None:
    hosts = REPO / "inventories" / "demo"
    before = playground.play("site.yml", "--check", "--limit", "contoso", inventory=hosts)
    contoso = playground.admin.tenant("contoso.com")
    automation = next(app for app in contoso["applications"] if app["display_name"] == "Automation")
    secret = {"value": playground.secrets["contoso_client_secret"], "display_name": "pipeline", "end": time.time() + 20.5 * 86400}
    playground.admin.change("contoso.com", "applications", automation["app_id"], secrets=[secret])
    run = playground.play("site.yml", "--check", "--limit", "contoso", inventory=hosts)
    assert run.code == 0, run.output
    [entry] = keys_of(run)
    assert (entry["hosts"], entry["subject"], entry["urgent"]) == (["contoso"], "Automation app: client secret pipeline", False)
    assert entry["problems"][0].endswith("in 20 days.")
    assert "m365_client_secret" in entry["remedy"]
    assert "Automation app: client secret pipeline: Expires on" in run.output
    assert run.report["format"] == "mailops.report/1"
    assert run.total("requests") == before.total("requests")
