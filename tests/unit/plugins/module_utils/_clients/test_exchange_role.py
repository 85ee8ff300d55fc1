# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory role that is in the token and that Exchange does not use yet."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import Command, ExchangeClient
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange_role import NOT_EFFECTIVE
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import ExchangeError
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_permissions import TokenPermissions

from ....conftest import TENANT, StubTokens
from ....script import Script, response

ROOT = f"/adminapi/beta/{TENANT}"
INVOKE = f"{ROOT}/InvokeCommand"
BATCH = f"{ROOT}/$batch"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
CLAIMS = base64.b64encode(b"{}").decode()
SUCCESS: dict[str, Any] = {"value": []}


def app(*roles: str, name: str = "Exchange.ManageAsApp") -> TokenPermissions:
    return TokenPermissions(frozenset([name]), False, frozenset(roles))


def command(number: int = 0, cmdlet: str = "Set-CASMailbox") -> Command:
    return Command(cmdlet, {"Identity": f"{number}@contoso.com"}, attempted=f"set {number}")


@pytest.fixture
def exchange(authorize: Any, tokens: StubTokens) -> ExchangeClient:
    """A client whose token contains all that Exchange requires."""
    tokens.cached, tokens.role_awaits, tokens.allowed = False, 9, app(EXCHANGE_ADMINISTRATOR)
    return ExchangeClient(authorize("exchange"), TENANT)


@pytest.mark.parametrize(("status", "body"), [(403, b"\0" * 64), (403, b""), (401, None), (401, "unauthorized")])
def test_request_is_repeated_with_new_tokens_until_the_role_is_effective(
    exchange: ExchangeClient, script: Script, status: int, body: Any
) -> None:
    for number in (1, 2):
        script.expect("POST", INVOKE).header("Authorization", f"Bearer token-{number}").answers(status, body)
    script.expect("POST", INVOKE).header("Authorization", "Bearer token-3").answers(200, SUCCESS)
    assert exchange.run(command(cmdlet="New-InboundConnector")).values == []


@pytest.mark.parametrize(
    "permissions",
    [
        None,
        app(),
        app(GLOBAL_READER),
        app(EXCHANGE_ADMINISTRATOR, name="full_access_as_app"),
        TokenPermissions(frozenset(["Exchange.ManageAsApp"]), False, None),
        TokenPermissions(frozenset(["Exchange.Manage"]), True, frozenset()),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
def test_refusal_of_a_token_without_the_role_is_reported_at_once(
    exchange: ExchangeClient, script: Script, tokens: StubTokens, status: int, permissions: TokenPermissions | None
) -> None:
    tokens.allowed = permissions
    script.expect("POST", INVOKE).answers(status, b"")
    with pytest.raises(ExchangeError) as raised:
        exchange.run(command())
    assert NOT_EFFECTIVE not in str(raised.value)
    assert tokens.role_awaits == 9


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (403, {"error": {"code": "Forbidden", "message": "Access is restricted by an administrator."}}, {}),
        (403, "<html>The proxy refuses outlook.office365.com</html>", {}),
        (403, b"\x1f\x8b\x08broken", {}),
        (400, {"error": {"code": "BadRequest", "message": "No."}}, {}),
    ],
)
def test_refusal_for_another_reason_is_reported_at_once(
    exchange: ExchangeClient, script: Script, tokens: StubTokens, status: int, body: Any, headers: dict[str, str]
) -> None:
    script.expect("POST", INVOKE).answers(status, body, headers)
    with pytest.raises(ExchangeError) as raised:
        exchange.run(command())
    assert NOT_EFFECTIVE not in str(raised.value)
    assert tokens.role_awaits == 9


def test_claims_challenge_is_not_waited_for(exchange: ExchangeClient, script: Script, tokens: StubTokens) -> None:
    script.expect("POST", INVOKE).answers(401, None, {"WWW-Authenticate": f'Bearer claims="{CLAIMS}"'}).times(2)
    with pytest.raises(ExchangeError, match="Unauthorized"):
        exchange.run(command())
    assert tokens.role_awaits == 9


@pytest.mark.parametrize("first", [(200, SUCCESS), (404, {"error": {"code": "NotFound", "message": "no"}})])
def test_cmdlet_that_is_refused_after_another_one_is_reported_at_once(
    exchange: ExchangeClient, script: Script, tokens: StubTokens, first: tuple[int, Any]
) -> None:
    """A role group that has lost management roles."""
    script.expect("POST", INVOKE).answers(*first)
    script.expect("POST", INVOKE).answers(403, b"\0" * 64)
    outcome = exchange.batch([command(cmdlet="Get-CASMailbox")])[0]
    assert (outcome.error is None) == (first[0] == 200)
    with pytest.raises(ExchangeError, match="may have lost management roles") as raised:
        exchange.run(command())
    assert NOT_EFFECTIVE not in str(raised.value)
    assert tokens.role_awaits == 9


@pytest.mark.parametrize("count", [1, 2])
def test_tenant_that_goes_on_refusing_is_reported_after_the_wait_timeout(
    exchange: ExchangeClient, script: Script, tokens: StubTokens, count: int
) -> None:
    tokens.role_awaits = 3
    script.expect("POST", INVOKE if count == 1 else BATCH).answers(403, b"\0" * 64).times(4)
    with pytest.raises(ExchangeError) as raised:
        exchange.batch([command(n) for n in range(count)])[0].checked()
    assert "the automation app has no Exchange role for this command" in str(raised.value)
    assert str(raised.value).endswith(NOT_EFFECTIVE)


# -- batches ----------------------------------------------------------------------------------------------------------


def answered(request: Request, *refused: str) -> Response:
    """Every item succeeds, but for the refused ones (by id)."""
    items = [item["id"] for item in request.json["requests"]]
    answers = [{"id": one, "status": 403} if one in refused else {"id": one, "status": 200, "body": SUCCESS} for one in items]
    return response(200, {"responses": answers})


def sizes(script: Script) -> list[int]:
    return [len(request.json["requests"]) for request in script.requests]


def test_batch_whose_items_are_all_refused_is_repeated(exchange: ExchangeClient, script: Script, tokens: StubTokens) -> None:
    script.expect("POST", BATCH).answers_with(lambda request: answered(request, "0", "1", "2"))
    script.expect("POST", BATCH).answers_with(answered)
    assert [outcome.error for outcome in exchange.batch([command(n) for n in range(3)])] == [None] * 3
    assert (sizes(script), tokens.role_awaits) == ([3, 3], 8)
    assert {item["headers"]["Authorization"] for item in script.requests[1].json["requests"]} == {"Bearer token-2"}


def test_item_that_is_refused_beside_others_is_reported_at_once(exchange: ExchangeClient, script: Script, tokens: StubTokens) -> None:
    script.expect("POST", BATCH).answers_with(lambda request: answered(request, "1"))
    errors = [outcome.error for outcome in exchange.batch([command(n) for n in range(3)])]
    assert [error and error.code for error in errors] == [None, "Forbidden", None]
    assert tokens.role_awaits == 9


def test_items_that_wait_for_a_role_of_this_run_are_sent_again_alone(exchange: ExchangeClient, script: Script, tokens: StubTokens) -> None:
    tokens.awaits, tokens.allowed = 5, None
    script.expect("POST", BATCH).answers_with(lambda request: answered(request, "1", "2"))
    script.expect("POST", BATCH).answers_with(lambda request: answered(request, "2"))
    script.expect("POST", BATCH).answers_with(answered)
    assert [outcome.error for outcome in exchange.batch([command(n) for n in range(3)])] == [None] * 3
    assert (sizes(script), tokens.awaits) == ([3, 2, 1], 3)
