# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way of signing in the options mean, and what is wrong with them, before any request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import TENANT
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant
from ansible_collections.mailops.m365.plugins.module_utils._entry_points import arguments
from ansible_collections.mailops.m365.plugins.module_utils._http import clouds
from ansible_collections.mailops.m365.plugins.module_utils._identity import methods
from ansible_collections.mailops.m365.plugins.module_utils._identity.azure_pipelines import PipelineToken
from ansible_collections.mailops.m365.plugins.module_utils._identity.credentials import ClientSecret
from ansible_collections.mailops.m365.plugins.module_utils._identity.device_code import DeviceCode
from ansible_collections.mailops.m365.plugins.module_utils._identity.federated import FederatedToken
from ansible_collections.mailops.m365.plugins.module_utils._identity.managed_identity import ManagedIdentity
from ansible_collections.mailops.m365.plugins.module_utils._identity.methods import CredentialOptions

from ....conftest import CLIENT
from ....conftest import TENANT as TENANT_ID
from ....script import Script

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2lnbmF0dXJl"
BEARER = "request-bearer-s3cret"
URL = "https://pipelines.example.net/idtoken?api-version=2.0"


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{JWT}\n")
    return str(path)


@pytest.mark.parametrize(
    ("params", "method"),
    [
        ({}, "client_secret"),
        ({"client_secret": "s"}, "client_secret"),
        ({"certificate_path": "c"}, "certificate"),
        ({"federated_token_file": "f"}, "federated"),
        ({"federated_token_variable": "V"}, "federated"),
        ({"federated_request_url": URL}, "federated"),
        ({"client_secret": "s", "federated_request_url": URL}, "client_secret"),
        ({"managed_identity_client_id": "system"}, "managed_identity"),
        ({"certificate_path": "c", "managed_identity_client_id": CLIENT}, "certificate"),
        ({"auth_method": "auto", "client_secret": "s"}, "client_secret"),
        ({"auth_method": "federated", "client_secret": "s"}, "federated"),
        ({"auth_method": "device_code"}, "device_code"),
    ],
)
def test_set_options_select_the_method_unless_auth_method_does(params: dict[str, Any], method: str) -> None:
    assert methods.chosen(CredentialOptions(**params)) == method


@pytest.mark.parametrize("name", ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"])
def test_platform_identity_comes_after_set_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1/token")
    assert methods.chosen(CredentialOptions()) == "managed_identity"
    assert methods.chosen(CredentialOptions(federated_request_url=URL)) == "federated"
    assert methods.chosen(CredentialOptions(auth_method="client_secret")) == "client_secret"


def test_step_of_azure_pipelines_signs_in_with_the_token_of_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent sets the URL in every job; the bearer is only in the steps that are to have it."""
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/contoso/mail/oidctoken")
    assert methods.chosen(CredentialOptions()) == "client_secret"
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", BEARER)
    monkeypatch.setenv("MSI_ENDPOINT", "http://127.0.0.1:1/token")
    assert methods.chosen(CredentialOptions()) == "federated"
    assert methods.chosen(CredentialOptions(client_secret="s")) == "client_secret"
    assert methods.chosen(CredentialOptions(managed_identity_client_id=CLIENT)) == "managed_identity"
    for method in (None, "federated"):
        loaded = methods.load(CredentialOptions(auth_method=method))
        assert isinstance(loaded, FederatedToken)
        assert isinstance(loaded.source, PipelineToken)
        assert BEARER not in repr(loaded) + loaded.fingerprint()
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", "http://x.example/")
    with pytest.raises(InvalidInput, match=r"variable SYSTEM_OIDCREQUESTURI is 'http://x\.example': an https URL is needed") as raised:
        methods.load(CredentialOptions())
    assert BEARER not in str(raised.value)


def test_the_jobs_of_a_platform_need_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub Actions and Kubernetes say by the environment what they offer."""
    options = arguments.argument_spec(TENANT)["argument_spec"]
    for option, name in (
        ("federated_token_file", "AZURE_FEDERATED_TOKEN_FILE"),
        ("federated_request_url", "ACTIONS_ID_TOKEN_REQUEST_URL"),
        ("federated_request_token", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    ):
        monkeypatch.setenv(name, "told")
        fallback = options[option]["fallback"]
        assert fallback[0](*fallback[1]) == "told"


def test_each_method_has_its_class(token_file: str) -> None:
    def load(**params: Any) -> Any:
        return methods.load(CredentialOptions(**params), print)

    assert isinstance(load(auth_method="client_secret", client_secret="s", certificate_path="/no/file"), ClientSecret)
    assert isinstance(load(federated_token_file=token_file), FederatedToken)
    assert isinstance(load(auth_method="federated", managed_identity_client_id="system"), FederatedToken)
    assert load(auth_method="managed_identity") == ManagedIdentity("system")
    assert load(managed_identity_client_id=CLIENT) == ManagedIdentity(CLIENT)
    assert isinstance(load(auth_method="device_code"), DeviceCode)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "No credential: set m365_client_secret or m365_certificate_path, or the environment variable AZURE_CLIENT_SECRET"),
        ({"client_secret": "s", "certificate_path": "c"}, r"Both m365_client_secret and m365_certificate_path are set: give one of them\."),
        (
            {"client_secret": "s", "federated_token_variable": "V"},
            "Both m365_client_secret and m365_federated_token_variable are set: give one of them, or choose with m365_auth_method",
        ),
        (
            {"auth_method": "federated", "federated_token_file": "f", "federated_token_variable": "V"},
            r"Both m365_federated_token_file and m365_federated_token_variable are set: give one of them\.",
        ),
        (
            {"auth_method": "client_secret", "certificate_path": "c"},
            "m365_auth_method is client_secret, but m365_client_secret is not set: set it, or the environment variable AZURE_CLIENT_SECRET",
        ),
        (
            {"auth_method": "certificate", "client_secret": "s"},
            "m365_auth_method is certificate, but m365_certificate_path is not set: .* AZURE_CLIENT_CERTIFICATE_PATH",
        ),
        ({"auth_method": "federated"}, "nothing says where the token comes from: set m365_federated_token_file .* id-token: write"),
        ({"federated_token_file": "/no/file"}, "m365_federated_token_file is /no/file, which cannot be read: No such file or directory"),
        ({"federated_token_variable": "NO_SUCH"}, "m365_federated_token_variable is NO_SUCH, an environment variable that is not set"),
        ({"federated_request_url": URL}, "m365_federated_request_url is set without m365_federated_request_token: give both"),
        (
            {"federated_request_url": "http://x.example/", "federated_request_token": BEARER},
            "m365_federated_request_url is 'http://x.example/': give an https URL",
        ),
        (
            {"managed_identity_client_id": "mine"},
            "m365_managed_identity_client_id is 'mine': give the identity's client id, a GUID, or",
        ),
        ({"auth_method": "device_code"}, "m365_auth_method is device_code, which shows a code to a person, and this task can show none"),
    ],
)
def test_what_is_missing_is_named_with_its_fix(params: dict[str, Any], words: str, script: Script) -> None:
    tenant = {"tenant": TENANT_ID, "client_id": CLIENT, "cloud": "global"}
    with pytest.raises(InvalidInput, match=words) as raised:
        Tenant({**tenant, **params}, sender=script).check_credential()
    assert BEARER not in str(raised.value)


@pytest.mark.parametrize("content", ["not-a-token", JWT + ".x.y", "{}", ""])
def test_invalid_token_is_refused_and_not_in_the_error(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=r"m365_federated_token_file is .*/token, which holds no token") as raised:
        methods.load(CredentialOptions(federated_token_file=str(path)))
    assert not content or content not in str(raised.value)
    monkeypatch.setenv("JOB_TOKEN", content or "x")
    with pytest.raises(InvalidInput, match="m365_federated_token_variable is JOB_TOKEN, an environment variable that holds no token"):
        methods.load(CredentialOptions(federated_token_variable="JOB_TOKEN"))


def test_a_token_file_may_hold_no_text(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match=r"which cannot be read: it is no text\."):
        methods.load(CredentialOptions(federated_token_file=str(tmp_path / "token")))


def test_a_managed_identity_needs_no_client_id(script: Script) -> None:
    tenant = Tenant({"tenant": TENANT_ID, "cloud": "global", "auth_method": "managed_identity"}, sender=script)
    tenant.check_credential()
    assert tenant.client_id == ""
    with pytest.raises(InvalidInput, match="m365_client_id is not set"):
        Tenant({"tenant": TENANT_ID, "cloud": "global", "auth_method": "federated"}, sender=script)


@pytest.mark.parametrize(("cloud", "suffix"), [("global", ""), ("gcc-high", "USGov"), ("dod", "USGov"), ("china", "China")])
def test_each_cloud_has_its_own_audience_for_foreign_tokens(cloud: str, suffix: str) -> None:
    assert clouds.resolve(cloud).federated_audience == f"api://AzureADTokenExchange{suffix}"
