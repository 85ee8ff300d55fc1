"""The state file: what it may say, and that saving and loading are inverse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import statefile
from emulator.launcher import Emulator
from emulator.state import Message
from tests.emulator.conftest import TENANT, Api, Start, app_id
from tests.emulator.test_admin_api import session_of_a_faithful_client


def test_state_survives_a_restart(start: Start) -> None:
    first = start(save=True)
    session_of_a_faithful_client(first)
    principal = first.graph("GET", "/servicePrincipals?$filter=displayName eq 'SMTP sender'&$select=id").json()["value"][0]["id"]
    before = first.admin.tenant("contoso.com")
    assert first.emulator.stop() == 0
    with Emulator(first.emulator.state_file, directory=first.emulator.directory) as emulator:
        assert emulator.admin.tenant("contoso.com") == before
        assert Api(emulator).rows("Get-ServicePrincipal")[0]["ObjectId"] == principal


def everything(tmp_path: Path, state: dict[str, Any]) -> Path:
    """A state file that uses every kind of part."""
    document = json.loads(json.dumps(state))
    document["network"] = {"127.0.0.7": "203.0.113.10"}
    document["settings"] = {"lag": {"smtp_switch": 5}, "latency": {"graph": 0.1}, "options": {"anything": [1]}}
    tenant = document["tenants"][0]
    tenant["exchange_service_principals"] = [{"app_id": app_id("manager")}]
    tenant["mailboxes"][0]["grants"] = [
        {"right": "FullAccess", "trustee": app_id("manager")},
        {"right": "SendAs", "trustee": "ops@contoso.com"},
    ]
    tenant["inbound_connectors"] = [{"name": "Relay", "SenderDomains": ["*"], "Enabled": False}]
    tenant["enterprise_applications"] = [{"app_id": "11111111-2222-4333-8444-555555555555", "display_name": "Foreign"}]
    path = tmp_path / "everything.yml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_save_and_load_are_inverse(tmp_path: Path, state: dict[str, Any], suffix: str) -> None:
    loaded, settings = statefile.load(everything(tmp_path, state))
    tenant = loaded.tenants[TENANT]
    tenant.set_later("reject_direct_send", True, 5000.0)
    loaded.receive(Message(TENANT, "submission", "a@contoso.com", ["b@x.example"], b"Subject: \xff\r\n\r\nbody"))
    saved = tmp_path / f"saved.{suffix}"
    statefile.save(saved, loaded, settings)
    again = statefile.load(saved)
    assert again == (loaded, settings)
    assert again[0].tenants[TENANT].seen("reject_direct_send", 4999.0) is False
    statefile.save(saved, *again)
    assert statefile.load(saved) == again


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "tenants[0].colour: is not known here"),
        ({"initial_domain": None}, "tenants[0].initial_domain: must be text, not nothing"),
        ({"security_defaults": "yes"}, "tenants[0].security_defaults: must be true or false, not text"),
        ({"mailboxes": [{"address": "a@b.example"}]}, "tenants[0].mailboxes[0].address: 'a@b.example' is in no accepted domain"),
        ({"mailboxes": [{"address": "a@contoso.com", "kind": "Postbox"}]}, "tenants[0].mailboxes[0].kind: must be one of"),
        ({"mailboxes": [{"address": "a@contoso.com"}] * 2}, "tenants[0].mailboxes[1].address: a@contoso.com is there twice"),
        ({"mailboxes": [{"generate": 3, "address": "a@contoso.com"}]}, "tenants[0].mailboxes[0].address: must hold {n}"),
        (
            {"mailboxes": [{"generate": 3, "address": "a{n}{m}@contoso.com"}]},
            "tenants[0].mailboxes[0].address: only {n} stands for something",
        ),
        (
            {"applications": [{"display_name": "x", "service_principal": {"app_roles": ["Microsoft Graph/Nonsense"]}}]},
            "tenants[0].applications[0].service_principal.app_roles[0]: Microsoft Graph has no application role 'Nonsense'",
        ),
        (
            {"applications": [{"display_name": "x", "service_principal": {"directory_roles": ["King"]}}]},
            "tenants[0].applications[0].service_principal.directory_roles[0]: 'King' is no directory role",
        ),
        (
            {"applications": [{"display_name": "x", "certificates": [{"path": "nowhere.pem"}]}]},
            "tenants[0].applications[0].certificates[0].path: cannot be read",
        ),
        ({"inbound_connectors": [{"name": "x", "Colour": "red"}]}, "tenants[0].inbound_connectors[0].Colour: is no property"),
    ],
)
def test_a_bad_state_file_is_named_by_its_path(tmp_path: Path, state: dict[str, Any], change: dict[str, Any], complaint: str) -> None:
    document = json.loads(json.dumps(state))
    document["tenants"][0] |= change
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    with pytest.raises(statefile.StateError) as caught:
        statefile.load(path)
    assert str(caught.value).startswith(f"{path}: {complaint}")
    assert "\n" not in str(caught.value)


def test_certificate_by_relative_path(tmp_path: Path, key_pair: Any) -> None:
    (tmp_path / "app.pem").write_text(key_pair.pem)
    document = {
        "tenants": [{"initial_domain": "x.example", "applications": [{"display_name": "a", "certificates": [{"path": "app.pem"}]}]}]
    }
    loaded, _ = statefile.parse(document, tmp_path)
    tenant = next(iter(loaded.tenants.values()))
    assert len(next(iter(tenant.applications.values())).certificates) == 1


def test_derived_ids_are_the_same_in_every_run(tmp_path: Path, state: dict[str, Any]) -> None:
    assert statefile.parse(state, tmp_path)[0] == statefile.parse(json.loads(json.dumps(state)), tmp_path)[0]


def test_deleted_objects_linger_in_lists_and_survive_a_save(start: Start) -> None:
    api = start({"lag": {"deletion": 60}}, save=True)
    api.admin.stop_clock()
    principal = api.new_principal("lingering")
    query = "?$filter=displayName eq 'lingering'"
    for kind, key in (("servicePrincipals", principal["id"]), ("applications", f"appId='{principal['appId']}'")):
        path = f"/{kind}({key})" if "=" in key else f"/{kind}/{key}"
        assert api.graph("DELETE", path).status_code == 204
        assert api.graph("GET", path).status_code == 404
        assert len(api.graph("GET", f"/{kind}{query}").json()["value"]) == 1
    api.admin.advance(61)
    assert api.graph("GET", f"/servicePrincipals{query}").json()["value"] == []
    api.emulator.stop()
    loaded, _ = statefile.load(api.emulator.state_file)
    assert len(loaded.tenants[TENANT].deleted_items) == 2
