# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
import requests
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MissingLibrary, SignInError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import parse
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.identity import Identity
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.token_endpoint import request_token

from .test_tokens import CONFIG, write_identity

REFUSED = {
    "error": "invalid_client",
    "error_description": "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on "
    "application. Trace ID: abc",
    "error_codes": [700027],
    "trace_id": "abc",
}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[dict[str, Any]]]:
    """A fake msal that returns or raises `answer`; the list has its clients' arguments."""

    def install(answer: Any) -> list[dict[str, Any]]:
        clients: list[dict[str, Any]] = []

        class Client:
            def __init__(self, client_id: str, **options: Any) -> None:
                clients.append({"client_id": client_id, **options})

            def acquire_token_for_client(self, scopes: list[str]) -> Any:
                clients[-1]["scopes"] = scopes
                if isinstance(answer, Exception):
                    raise answer
                return answer

        fake = types.ModuleType("msal")
        vars(fake)["ConfidentialClientApplication"] = Client
        monkeypatch.setitem(sys.modules, "msal", fake)
        return clients

    return install


@pytest.fixture
def identity(tmp_path: Any) -> Identity:
    write_identity(tmp_path)
    return Identity(tmp_path)


def test_request_is_signed_by_certificate(library: Any, identity: Identity) -> None:
    clients = library({"access_token": "t", "expires_in": 3599})
    assert request_token(parse(CONFIG), identity).access_token == "t"
    credential = clients[0].pop("client_credential")
    assert credential["private_key"].startswith("-----BEGIN PRIVATE KEY")
    assert len(credential["thumbprint"]) == 40
    assert clients[0]["authority"] == "https://login.microsoftonline.com/contoso.com"
    assert clients[0]["scopes"] == ["https://outlook.office365.com/.default"]
    assert clients[0]["timeout"] <= 30


def test_refusal_raises_one_sentence_with_its_remedy(library: Any, identity: Identity) -> None:
    library(REFUSED)
    with pytest.raises(SignInError) as caught:
        request_token(parse(CONFIG), identity)
    assert caught.value.code == "AADSTS700027"
    assert caught.value.entry
    assert caught.value.entry.cause in str(caught.value)
    assert caught.value.request_id == "abc"


@pytest.mark.parametrize(
    "raised", [requests.ConnectionError("refused"), requests.Timeout("slow"), requests.HTTPError("503 Server Error"), KeyError("error")]
)
def test_unreachable_endpoint_is_named(library: Any, identity: Identity, raised: Exception) -> None:
    library(raised)
    with pytest.raises(Unreachable, match=r"login\.microsoftonline\.com cannot be reached or is out of order"):
        request_token(parse(CONFIG), identity)


def test_invalid_proxy_is_reported_without_its_password(library: Any, identity: Identity) -> None:
    library(requests.exceptions.InvalidURL("Failed to parse: http://erp:geheim@proxy:99999"))
    with pytest.raises(Unreachable) as refused:
        request_token(parse(CONFIG), identity)
    assert "HTTPS_PROXY" in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_invalid_answer_is_reported_without_the_key(library: Any, identity: Identity) -> None:
    library(ValueError("not JSON " + "x" * 500))
    with pytest.raises(SignInError) as caught:
        request_token(parse(CONFIG), identity)
    assert len(str(caught.value)) < 400
    assert "PRIVATE" not in str(caught.value)


def test_missing_library_is_reported(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    with pytest.raises(MissingLibrary, match="msal"):
        request_token(parse(CONFIG), identity)
