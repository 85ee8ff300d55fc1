# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._identity.device_code import ask
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_response import TokenResponse

from ....conftest import FakeClock


class Client:
    """Answers authorization_pending until the user signs in at `signed_in_at`."""

    def __init__(self, clock: FakeClock, signed_in_at: float) -> None:
        self._clock, self._signed_in_at = clock, signed_in_at
        self.requests: list[float] = []

    def initiate_device_flow(self, scopes: list[str]) -> dict[str, Any]:
        return {"user_code": "ABC", "message": "enter ABC", "expires_in": 12, "interval": 5, "scopes": scopes}

    def acquire_token_by_device_flow(self, _flow: dict[str, Any], **_options: Any) -> dict[str, Any]:
        self.requests.append(self._clock.now())
        return {"access_token": "t"} if self._clock.now() >= self._signed_in_at else {"error": "authorization_pending"}


@pytest.mark.parametrize(("after", "result"), [(11.0, {"access_token": "t"}), (100.0, {"error": "authorization_pending"})])
def test_sign_in_within_the_last_interval_is_not_missed(after: float, result: dict[str, Any]) -> None:
    clock = FakeClock()
    start = clock.now()
    client = Client(clock, start + after)
    sign_in: Any = SimpleNamespace(tenant="contoso.com", transport=SimpleNamespace(clock=clock, pause=clock.sleep))
    assert ask(client, sign_in, "scope", lambda _text: None) == TokenResponse.parse(result)
    assert [moment - start for moment in client.requests] == [0.0, 5.0, 10.0, 15.0]
