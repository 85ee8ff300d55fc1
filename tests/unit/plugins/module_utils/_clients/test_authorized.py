# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.authorized import AuthorizedTransport, challenge
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request

from ....conftest import StubTokens
from ....script import Script, response

URL = "https://graph.microsoft.com/v1.0/x"
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
CHALLENGE = {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{base64.b64encode(CLAIMS.encode()).decode()}"'}
Authorize = Callable[[str], AuthorizedTransport]


def test_every_request_has_the_token_and_an_id(authorize: Authorize, script: Script) -> None:
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-1").header("Prefer", "me").answers(200, {})
    assert authorize("graph").send(Request("GET", URL, {"Prefer": "me"})).status == 200
    uuid.UUID(script.requests[0].headers["client-request-id"])


@pytest.mark.parametrize("status", [401, 403])
def test_a_cached_token_is_renewed_once(authorize: Authorize, script: Script, tokens: StubTokens, status: int) -> None:
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-1").answers(status)
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-2").answers(status)
    authorized = authorize("graph")
    assert authorized.send(Request("GET", URL)).status == status
    assert script.requests[0].headers["client-request-id"] == script.requests[1].headers["client-request-id"]
    assert authorized.transport.cost.retries == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_fresh_token_is_not_renewed(authorize: Authorize, script: Script, tokens: StubTokens, status: int) -> None:
    tokens.cached = False
    script.expect("GET", "/v1.0/x").answers(status)
    assert authorize("graph").send(Request("GET", URL)).status == status
    assert tokens.number == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_request_is_repeated_while_a_granted_role_is_awaited(
    authorize: Authorize, script: Script, tokens: StubTokens, status: int
) -> None:
    tokens.cached, tokens.awaits = False, 3
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-1").answers(status)
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-2").answers(status)
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-3").answers(200, {})
    assert authorize("graph").send(Request("GET", URL)).status == 200
    assert tokens.awaits == 1


@pytest.mark.parametrize("cached", [True, False])
def test_a_challenge_brings_a_token_with_its_claims(authorize: Authorize, script: Script, tokens: StubTokens, cached: bool) -> None:
    tokens.cached = cached
    script.expect("GET", "/v1.0/x").answers(401, None, CHALLENGE)
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-2").answers(200, {})
    assert authorize("graph").send(Request("GET", URL)).status == 200
    assert tokens.claims == [CLAIMS]


def test_a_second_challenge_is_final(authorize: Authorize, script: Script, tokens: StubTokens) -> None:
    script.expect("GET", "/v1.0/x").answers(401, None, CHALLENGE).times(2)
    assert authorize("graph").send(Request("GET", URL)).status == 401


def test_a_token_that_another_thread_renewed_is_used(authorize: Authorize, script: Script, tokens: StubTokens) -> None:
    def meanwhile(request: Request) -> object:
        tokens.renewed("any", "token-1")
        return response(401)

    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-1").answers_with(meanwhile)  # type: ignore[arg-type]
    script.expect("GET", "/v1.0/x").header("Authorization", "Bearer token-2").answers(200, {})
    assert authorize("graph").send(Request("GET", URL)).status == 200
    assert tokens.number == 2


def test_a_body_that_holds_the_token_is_made_anew(authorize: Authorize, script: Script) -> None:
    script.expect("POST", "/v1.0/x").json_body({"inner": "token-1"}).answers(401)
    script.expect("POST", "/v1.0/x").json_body({"inner": "token-2"}).answers(200, {})
    assert authorize("graph").send(Request("POST", URL), body_of=lambda token: {"inner": token}).status == 200


@pytest.mark.parametrize(
    "url",
    ["https://graph.microsoft.com.evil.example/v1.0/x", "http://graph.microsoft.com/v1.0/x", "https://graph.microsoft.com:444/v1.0/x",
     "https://outlook.office365.com/x", "https://graph.microsoft.com@evil.example/x"],
)  # fmt: skip
def test_no_other_host_gets_the_token(authorize: Authorize, script: Script, url: str) -> None:
    with pytest.raises(MailopsError, match="no token was sent there"):
        authorize("graph").send(Request("GET", url))
    assert script.requests == []


def test_a_redirect_is_handed_back_not_followed(authorize: Authorize, script: Script) -> None:
    script.expect("GET", "/v1.0/x").answers(302, None, {"Location": "https://evil.example/"})
    assert authorize("graph").send(Request("GET", URL)).status == 302


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ("", None),
        ('Bearer error="invalid_token"', None),
        ('Bearer claims="%%%"', None),
        ('Bearer claims="/w=="', None),
        (f'Bearer claims="{base64.b64encode(b"abcd").decode().rstrip("=")}"', "abcd"),
        (CHALLENGE["WWW-Authenticate"], CLAIMS),
    ],
)
def test_a_challenge_is_decoded(header: str, claims: str | None) -> None:
    assert challenge(response(401, None, {"WWW-Authenticate": header})) == claims
    if claims == CLAIMS:
        json.loads(claims)
