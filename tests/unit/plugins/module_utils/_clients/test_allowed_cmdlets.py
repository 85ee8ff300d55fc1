# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.allowed_cmdlets import AllowedCmdlets
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import Command, ExchangeClient

from ....conftest import TENANT
from ....script import Script, response

PLANNED = ["Set-CASMailbox", "New-InboundConnector"]


def forbidden(body: Any, status: int = 200, answered: tuple[str, ...] = ("Get-Mailbox",)) -> list[str]:
    return AllowedCmdlets.of(response(status, body), answered).without(PLANNED)


@pytest.mark.parametrize(
    "exported",
    ["Get-Mailbox,Set-CASMailbox", "get-mailbox, set-casmailbox", ["Get-Mailbox", "Set-CASMailbox"], "'Get-Mailbox',\n'Set-CASMailbox'"],
)
def test_what_the_list_lacks_is_forbidden(exported: Any) -> None:
    assert forbidden({"value": [{"exportedCmdlets": exported}]}) == ["New-InboundConnector"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"value": [{"exportedCmdlets": "Get-Mailbox"}]}, 403),
        ({"value": [{"exportedCmdlets": "Set-CASMailbox"}]}, 200),  # without a cmdlet that this sign-in has run
        ({"value": [{"exportedCmdlets": ""}]}, 200),
        ({"value": [{"compressedModule": "H4sI"}]}, 200),
        ({"value": []}, 200),
        ({"value": None}, 200),
        (["Get-Mailbox"], 200),
        (None, 200),
        (None, 404),
    ],
)
def test_an_answer_that_does_not_fit_forbids_nothing(body: Any, status: int) -> None:
    assert forbidden(body, status) == []


def test_the_client_asks_once_for_what_it_may_run(authorize: Any, script: Script) -> None:
    exchange = ExchangeClient(authorize("exchange"), TENANT)
    script.expect("POST", f"/adminapi/beta/{TENANT}/InvokeCommand").answers(200, {"value": []})
    exchange.run(Command("Get-Mailbox"))
    script.expect("GET", f"/adminapi/v1.0/{TENANT}/EXOModuleFile?Version=3.9.2").answers(
        200, {"value": [{"exportedCmdlets": "Get-Mailbox,Set-CASMailbox"}]}
    )
    assert exchange.forbidden(PLANNED) == ["New-InboundConnector"]
