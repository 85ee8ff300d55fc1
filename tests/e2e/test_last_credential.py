"""The last usable credential of an application stays, whatever the inventory lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import entra_app, federated_credential

from tests.emulator.conftest import Api, KeyPair, Start

from .emulated import Run
from .tenant_play import Play

APP = "mailops-smtp-sender"
ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
FEDERATED = {"name": "ci", "issuer": "https://token.example", "subject": "ci", "audience": "api://AzureADTokenExchange"}


@pytest.fixture
def api(start: Start) -> Api:
    return start()


def credentials(api: Api) -> tuple[int, int]:
    """The numbers of certificates and of federated credentials."""
    path = f"/applications(uniqueName='{APP}')"
    keys = api.graph("GET", f"{path}?$select=keyCredentials").json()["keyCredentials"]
    return len(keys), len(api.graph("GET", f"{path}/federatedIdentityCredentials").json()["value"])


@pytest.mark.parametrize("check_mode", [True, False])
def test_exclusive_removes_the_certificate_or_the_federated_credential_but_not_both(
    api: Api, tmp_path: Path, key_pair: KeyPair, check_mode: bool
) -> None:
    play = Play(api, tmp_path)
    listed = {"entra_app_certificates": [key_pair.pem], "entra_app_federated_credentials": [FEDERATED]}
    assert "failed" not in play(ERP, inventory=listed)
    assert credentials(api) == (1, 1)
    nothing = {"entra_app_exclusive": True, "entra_app_certificates": [], "entra_app_permissions": [{"name": "SMTP.SendAsApp"}]}
    result = play(ERP, inventory=nothing, app_exclusive=True, check_mode=check_mode)
    assert "failed" not in result, result
    removed = [change["kind"] for change in result["changes"] if change["action"] == "remove"]
    assert removed == ["certificate"]
    assert [note for note in result["notes"] if "the federated credentials ci stay" in note]
    assert credentials(api) == ((1, 1) if check_mode else (0, 1))
    if not check_mode:
        again = play(ERP, inventory=nothing, app_exclusive=True)
        assert (again["changed"], credentials(api)) == (False, (0, 1))


def test_the_modules_alone_keep_the_last_one(api: Api, tmp_path: Path, key_pair: KeyPair) -> None:
    run = Run(api, tmp_path / "run")

    def certificates(**options: Any) -> dict[str, Any]:
        return run(entra_app.RESOURCE, unique_name=APP, **options)

    certificates(certificates=[key_pair.pem])
    kept = certificates(certificates=[], exclusive=True)
    assert (kept["changed"], credentials(api)) == (False, (1, 0))
    assert "stays: without it the application has no usable credential" in kept["notes"][0]
    run(federated_credential.RESOURCE, unique_name=APP, credentials=[FEDERATED])
    assert certificates(certificates=[], exclusive=True)["changed"]
    kept = run(federated_credential.RESOURCE, unique_name=APP, credentials=[], exclusive=True)
    assert (kept["changed"], credentials(api)) == (False, (0, 1))
    alone = Run(api, tmp_path / "another run")(
        federated_credential.RESOURCE, unique_name=APP, credentials=[{"name": "ci", "state": "absent"}]
    )
    assert (alone["changed"], credentials(api)) == (False, (0, 1))
