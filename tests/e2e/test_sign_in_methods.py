"""Every way in which Ansible signs in, and every cloud, end to end: the modules' core against the emulator."""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.clouds import CLOUDS
from tests.emulator.conftest import TENANT, Api, Start, app_id
from tests.emulator.test_managed_identity import SYSTEM, _identity

CORE = "ansible_collections.mailops.m365.plugins.module_utils"
SUBJECT = "repo:contoso/infra:ref:refs/heads/main"
Task = Callable[..., dict[str, Any]]


def run(api: Api, module: str, directory: Path, prompt: Any = None, **options: Any) -> dict[str, Any]:
    """A task, as the action runs it: options checked and filled by Ansible, tokens in the run's own directory."""
    engine, arguments = importlib.import_module(f"{CORE}._engine.tenant_engine"), importlib.import_module(f"{CORE}._entry_points.arguments")
    resource = importlib.import_module(f"{CORE}.resources.{module.removesuffix('_info')}")
    entry = resource.INFO if module.endswith("_info") else resource.RESOURCE
    validation = importlib.import_module("ansible.module_utils.common.arg_spec").ArgumentSpecValidator
    spec = arguments.argument_spec(entry.spec)
    names = ("argument_spec", "mutually_exclusive", "required_together", "required_one_of", "required_if")
    common = {"tenant": TENANT, "cloud": api.emulator.cloud, "client_id": app_id("manager"), "wait_timeout": 5}
    if entry.spec.writes:
        common["journal_dir"] = str(directory / "journal")
    checked = validation(*(spec[name] for name in names)).validate({**common, **options})
    assert not checked.error_messages
    params = arguments.plain(checked.validated_parameters)
    result: dict[str, Any] = engine.run(entry, params, check_mode=False, token_directory=str(directory / "tokens"), prompt=prompt)
    return result


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE", "ACTIONS_ID_TOKEN_REQUEST_URL", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("source", ["file", "variable", "request"])
def test_tokens_of_other_issuers(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    api = start()
    credentials = [{"name": "github-main", "github": {"repository": "contoso/infra", "branch": "main"}}]
    secret = {"client_secret": "manager-secret"}
    made = run(api, "federated_credential", tmp_path / "setup", app_id=app_id("manager"), credentials=credentials, **secret)
    assert made["changed"], made
    assert not run(api, "federated_credential", tmp_path / "setup", app_id=app_id("manager"), credentials=credentials, **secret)["changed"]
    token = api.admin.id_token("github", sub=SUBJECT, aud="api://AzureADTokenExchange")
    options: dict[str, Any]
    if source == "file":
        (tmp_path / "token").write_text(token)
        options = {"federated_token_file": str(tmp_path / "token")}
    elif source == "variable":
        monkeypatch.setenv("JOB_TOKEN", token)
        options = {"federated_token_variable": "JOB_TOKEN"}
    else:
        job = api.admin.start_job("github", sub=SUBJECT)
        options = {"federated_request_url": job["url"], "federated_request_token": job["token"]}
    done = run(api, "smtp_auth", tmp_path / source, organization="enabled", **options)
    assert done["changed"], done
    assert token not in json.dumps(done)
    assert not any(token in file.read_text() for file in (tmp_path / source).rglob("*.json*"))


CI = {"name": "github-main", "issuer": "https://token.actions.githubusercontent.com", "subject": SUBJECT}
OTHER = {"name": "other", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:contoso/other:ref:refs/heads/main"}


@pytest.mark.parametrize(
    "options",
    [
        {"credentials": [OTHER], "exclusive": True},
        {"credentials": [OTHER, {"name": CI["name"], "state": "absent"}]},
        {"credentials": [OTHER, CI | {"subject": "repo:contoso/infra:ref:refs/heads/next"}]},
        {"credentials": [OTHER, CI | {"audience": "api://other"}]},
    ],
)
def test_the_federated_credential_of_the_sign_in_is_neither_removed_nor_changed(
    start: Start, tmp_path: Path, options: dict[str, Any]
) -> None:
    """Where another credential of the application, a secret, is usable, so that it is not the last one."""
    api = start()
    secret: dict[str, Any] = {"client_secret": "manager-secret"}
    stale = OTHER | {"name": "stale", "subject": "stale"}
    task: dict[str, Any] = {"api": api, "module": "federated_credential", "app_id": app_id("manager")}
    before = run(**task, directory=tmp_path / "setup", credentials=[CI, stale], **secret)["credentials"]
    (tmp_path / "token").write_text(api.admin.id_token("github", sub=SUBJECT, aud="api://AzureADTokenExchange"))
    federated: dict[str, Any] = {"federated_token_file": str(tmp_path / "token")}
    done = run(**task, directory=tmp_path / "job", **options, **federated)
    assert done["changed"], done
    assert done["credentials"]["github-main"] == before["github-main"]
    assert ("stale" in done["credentials"], "other" in done["credentials"]) == (not options.get("exclusive"), True)
    assert "the federated credential github-main stays as it is: Ansible signs in with it." in done["notes"][0]
    again = run(**task, directory=tmp_path / "again", **options, **federated)
    assert (again.get("msg"), again["changed"], again["credentials"]) == (None, False, done["credentials"])
    otherwise = run(**task, directory=tmp_path / "otherwise", **options, **secret)
    assert (otherwise.get("notes"), otherwise["credentials"].get("github-main") == before["github-main"]) == (None, False)


def test_a_renamed_credential_of_the_sign_in_is_refused(start: Start, tmp_path: Path) -> None:
    """Entra has no issuer and subject twice, so that the new one would be created after the old one was removed."""
    api = start()
    task: dict[str, Any] = {"api": api, "module": "federated_credential", "app_id": app_id("manager")}
    run(**task, directory=tmp_path / "setup", credentials=[CI], client_secret="manager-secret")
    (tmp_path / "token").write_text(api.admin.id_token("github", sub=SUBJECT, aud="api://AzureADTokenExchange"))
    renamed: dict[str, Any] = {"credentials": [CI | {"name": "renamed"}], "exclusive": True}
    refused = run(**task, directory=tmp_path / "job", **renamed, federated_token_file=str(tmp_path / "token"))
    assert "sign in otherwise to replace the one that Ansible signs in with" in refused["msg"]
    other: dict[str, Any] = {"unique_name": "sender", "credentials": [CI], "client_secret": "manager-secret"}
    run(api, "entra_app", tmp_path / "app", unique_name="sender", client_secret="manager-secret")
    run(api, "federated_credential", tmp_path / "app", **other)
    removed = other | {"credentials": [{"name": CI["name"], "state": "absent"}, OTHER]}
    del removed["client_secret"]
    done = run(api, "federated_credential", tmp_path / "job2", **removed, federated_token_file=str(tmp_path / "token"))
    assert list(done["credentials"]) == ["other"], "of another application"


def test_refused_token_names_the_claims_to_compare(start: Start, tmp_path: Path) -> None:
    api = start()
    token = api.admin.id_token("github", sub=SUBJECT, aud="api://AzureADTokenExchange")
    (tmp_path / "token").write_text(token)
    refused = run(api, "smtp_auth_info", tmp_path, federated_token_file=str(tmp_path / "token"))
    assert "the application has no federated credential (AADSTS70025)" in refused["msg"]
    assert token not in json.dumps(refused)


def test_a_managed_identity(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = start(tenant={"enterprise_applications": [_identity(SYSTEM, False)]})
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", api.admin.url)
    audience = {"exchange_audience": "https://outlook.office365.com", "graph_audience": "https://graph.microsoft.com"}
    cloud = api.emulator.cloud | audience
    read = run(api, "smtp_auth_info", tmp_path, auth_method="managed_identity", client_id=None, cloud=cloud, tenant="contoso.com")
    assert "failed" not in read, read


def test_a_person_by_device_code(start: Start, tmp_path: Path) -> None:
    """Asked once: the second service's token comes by the refresh token."""
    api = start(settings={"device_code_interval": 0})
    application = api.new_application("Console", isFallbackPublicClient=True)
    principal = api.graph("POST", "/servicePrincipals", {"appId": application["appId"]}).json()["id"]
    resource = api.graph("GET", "/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')").json()["id"]
    grant = {"clientId": principal, "consentType": "AllPrincipals", "resourceId": resource, "scope": "Exchange.Manage"}
    assert api.graph("POST", "/oauth2PermissionGrants", grant).status_code == 201
    roles = {"directory_roles": ["29232cdf-9323-42fd-ade2-1d097af3e4de"]}
    api.admin.change(TENANT, "mailboxes", "ops@contoso.com", password="person-password", user=roles)
    prompts: list[str] = []

    def person() -> None:
        limit = time.monotonic() + 20
        while not api.admin.device_codes() and time.monotonic() < limit:
            time.sleep(0.05)
        api.admin.enter_code(api.admin.device_codes()[0]["user_code"], "ops@contoso.com", "person-password")

    thread = threading.Thread(target=person)
    thread.start()
    cloud = api.emulator.cloud | {"exchange_audience": "https://outlook.office365.com"}
    options = {"auth_method": "device_code", "client_id": application["appId"], "cloud": cloud}
    read = run(api, "smtp_auth_info", tmp_path, prompts.append, **options)
    thread.join()
    assert "failed" not in read, read
    assert len(prompts) == 1
    assert prompts[0].startswith(f"{TENANT}: To sign in")
    assert "failed" not in run(api, "smtp_auth_info", tmp_path, prompts.append, **options)
    assert len(prompts) == 1


@pytest.mark.parametrize("name", list(CLOUDS))
def test_each_cloud_end_to_end(start: Start, tmp_path: Path, name: str) -> None:
    """From an empty tenant to a verified sender, with the audiences of this cloud alone; those of another are refused."""
    api = start(settings={"cloud": name})
    secret = {"client_secret": "manager-secret"}
    run(api, "entra_app", tmp_path, unique_name="sender", permissions=[{"name": "SMTP.SendAsApp"}], **secret)
    [application] = [one for one in api.admin.tenant(TENANT)["applications"] if one["unique_name"] == "sender"]
    api.admin.change(TENANT, "applications", application["app_id"], secrets=[{"value": "sender-secret"}])
    service = run(api, "exchange_service_principal", tmp_path, unique_name="sender", full_access=["ops@contoso.com"], **secret)
    assert service["changed"], service
    assert run(api, "smtp_auth", tmp_path, mailboxes=[{"address": "ops@contoso.com", "smtp_auth": "enabled"}], **secret)["changed"]
    credentials = [{"name": "pipeline", "github": {"repository": "contoso/infra", "branch": "main"}}]
    federated = run(api, "federated_credential", tmp_path, unique_name="sender", credentials=credentials, **secret)
    assert federated["credentials"]["pipeline"]["audience"] == CLOUDS[name].federated_audience
    senders = [{"name": "Operations", "address": "ops@contoso.com", "verify_recipient": "noreply@contoso.com"}]
    probe = run(api, "smtp_probe", tmp_path, senders=senders, app_unique_name="sender", app_client_secret="sender-secret", **secret)
    assert "failed" not in probe, probe
    assert [message["authenticated_as"] for message in api.admin.messages(tenant=TENANT)] == ["ops@contoso.com"]
    other = next(cloud for cloud in CLOUDS.values() if cloud.graph != CLOUDS[name].graph)
    wrong = api.emulator.cloud | other.announced()
    refused = run(api, "entra_app_info", tmp_path / "wrong", unique_name="sender", cloud=wrong, **secret)
    assert "AADSTS500011" in refused["msg"]
    assert "m365_cloud" in refused["msg"]
