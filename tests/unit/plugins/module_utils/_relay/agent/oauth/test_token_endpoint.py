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
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.identity import Identity
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.oauth.token_endpoint import acquire

from .test_tokens import SETTINGS, pair

REFUSED = {
    "error": "invalid_client",
    "error_description": "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on "
    "application. Trace ID: abc",
    "error_codes": [700027],
    "trace_id": "abc",
}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[dict[str, Any]]]:
    """msal, which answers or raises as it is told; the list has what its client was made of."""

    def install(answer: Any) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []

        class Client:
            def __init__(self, client_id: str, **options: Any) -> None:
                made.append({"client_id": client_id, **options})

            def acquire_token_for_client(self, scopes: list[str]) -> Any:
                made[-1]["scopes"] = scopes
                if isinstance(answer, Exception):
                    raise answer
                return answer

        fake = types.ModuleType("msal")
        vars(fake)["ConfidentialClientApplication"] = Client
        monkeypatch.setitem(sys.modules, "msal", fake)
        return made

    return install


@pytest.fixture
def identity(tmp_path: Any) -> Identity:
    pair(tmp_path)
    return Identity(tmp_path)


def test_it_signs_in_by_certificate_as_the_application_of_the_tenant(library: Any, identity: Identity) -> None:
    made = library({"access_token": "t", "expires_in": 3599})
    assert acquire(SETTINGS, identity)["access_token"] == "t"
    credential = made[0].pop("client_credential")
    assert credential["private_key"].startswith("-----BEGIN PRIVATE KEY")
    assert len(credential["thumbprint"]) == 40
    assert made[0]["authority"] == "https://login.microsoftonline.com/contoso.com"
    assert made[0]["scopes"] == ["https://outlook.office365.com/.default"]
    assert made[0]["timeout"] <= 30


def test_a_refusal_is_one_sentence_with_its_remedy(library: Any, identity: Identity) -> None:
    library(REFUSED)
    with pytest.raises(SignInError) as caught:
        acquire(SETTINGS, identity)
    assert caught.value.code == "AADSTS700027"
    assert caught.value.known
    assert caught.value.known.cause in str(caught.value)
    assert caught.value.trace == "abc"


@pytest.mark.parametrize(
    "raised", [requests.ConnectionError("refused"), requests.Timeout("slow"), requests.HTTPError("503 Server Error"), KeyError("error")]
)
def test_an_endpoint_that_is_out_of_order_is_named(library: Any, identity: Identity, raised: Exception) -> None:
    library(raised)
    with pytest.raises(Unreachable, match=r"login\.microsoftonline\.com cannot be reached or is out of order"):
        acquire(SETTINGS, identity)


def test_an_answer_that_is_none_is_told_without_the_key(library: Any, identity: Identity) -> None:
    library(ValueError("not JSON " + "x" * 500))
    with pytest.raises(SignInError) as caught:
        acquire(SETTINGS, identity)
    assert len(str(caught.value)) < 400
    assert "PRIVATE" not in str(caught.value)


def test_a_host_without_the_library_is_told(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    with pytest.raises(MissingLibrary, match="msal"):
        acquire(SETTINGS, identity)
