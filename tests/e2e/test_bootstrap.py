"""Playbook bootstrap against the emulator, with an inventory that already names a credential."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.well_known import GRAPH_ROLES

from .test_playbooks import Playground

ADMINISTRATOR = "5f5f5f5f-0000-4000-8000-000000000009"
MANAGE = "Office 365 Exchange Online/Exchange.ManageAsApp"


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    made = Playground(tmp_path_factory.mktemp("playground"))
    yield made
    made.sandbox.stop()


def register_administrator(playground: Playground, app_roles: list[str]) -> None:
    """An application of Fabrikam with which bootstrap signs in."""
    playground.admin.put(
        "fabrikam.com",
        "applications",
        ADMINISTRATOR,
        app_id=ADMINISTRATOR,
        display_name="Bootstrap",
        secrets=[{"value": "bootstrap-secret-of-an-administrator"}],
        service_principal={"app_roles": app_roles, "directory_roles": []},
    )


def test_bootstrap_signs_in_by_extra_vars_and_prints_what_the_inventory_needs(playground: Playground, tmp_path: Path) -> None:
    """Fabrikam's inventory has a certificate with a password."""
    register_administrator(playground, [*(f"Microsoft Graph/{role}" for role in GRAPH_ROLES), MANAGE])
    options = [
        "--limit",
        "fabrikam",
        "-e",
        f"m365_client_id={ADMINISTRATOR}",
        "-e",
        "m365_client_secret=bootstrap-secret-of-an-administrator",
    ]
    options += ["-e", "automation_access_unique_name=mailops-automation", "-e", "automation_access_certificate=managed"]
    options += ["-e", f"m365_key_directory={tmp_path}/keys"]
    check = playground.play("bootstrap.yml", "--check", *options)
    assert check.code == 0, check.output
    assert playground.record(), "the check run reads"
    assert playground.writes() == []
    assert not (tmp_path / "keys").exists()
    run = playground.play("bootstrap.yml", *options)
    assert run.code == 0, run.output
    applications = playground.admin.tenant("fabrikam.com")["applications"]
    [registered] = [one for one in applications if one["unique_name"] == "mailops-automation"]
    path = tmp_path / "keys" / "fabrikam.com" / "mailops-automation.pem"
    assert f"m365_client_id: {registered['app_id']}" in run.output
    assert f"m365_certificate_path: {path}" in run.output
    assert "PRIVATE KEY" in path.read_text()
    texts = [run.output, json.dumps(run.report), playground.record_file.read_text()]
    texts += [file.read_text() for file in (playground.sandbox.directory / "journal").glob("*.jsonl")]
    line = path.read_text().splitlines()[12]  # of the private exponent; the first lines are the public modulus
    assert not [text for text in texts if line in text or "PRIVATE KEY" in text]
    assert "bootstrap-secret-of-an-administrator" not in run.output
    [entry] = [entry for entry in run.report["attention"] if entry["kind"] == "other"]
    assert registered["app_id"] in entry["problems"][0]
    signed_in = ["-e", f"m365_client_id={registered['app_id']}", "-e", f"m365_certificate_path={path}"]
    again = playground.play("bootstrap.yml", *options[:2], *signed_in, *options[6:], "-e", "m365_certificate_password=")
    assert again.code == 0, again.output
    assert again.total("changed") == 0


def test_bootstrap_names_all_missing_permissions_before_the_first_write(playground: Playground) -> None:
    playground.admin.reset()
    roles = ["Microsoft Graph/Application.Read.All", "Microsoft Graph/Directory.Read.All"]
    register_administrator(playground, roles)
    options = ["--limit", "fabrikam", "-e", f"m365_client_id={ADMINISTRATOR}", "-e", "m365_auth_method=client_secret"]
    options += ["-e", "m365_client_secret=bootstrap-secret-of-an-administrator", "-e", "automation_access_unique_name=mailops-automation"]
    writes = len(playground.writes())
    run = playground.play("bootstrap.yml", *options)
    assert run.code != 0
    [sentence] = run.sentences().values()
    for name in ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"):
        assert f"lacks the permission {name} of Microsoft Graph" in sentence
    assert sentence.startswith("3 problems:")
    assert len(playground.writes()) == writes
