# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mailboxes that an application is for: they are looked for before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.entra_app import RESOURCE

from ....conftest import Play, problems_of
from ....script import Script
from ....services import Exchange, missing
from .test_entra_app import SEND, Reads, application, assignment


@pytest.fixture
def reads(script: Script) -> Reads:
    return Reads(script)


def mailboxes(script: Script, *present: str) -> Exchange:
    def get(parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if parameters["Identity"] not in present:
            raise missing(parameters["Identity"])
        return [{"Guid": "g"}]

    return Exchange(script, Get_Mailbox=get, Get_AcceptedDomain=lambda _parameters: [{"DomainName": "contoso.com"}])


def test_mailboxes_that_do_not_exist_stop_everything_before_it_is_written(
    play: Play, reads: Reads, script: Script, journal_dir: Path
) -> None:
    reads()
    service = mailboxes(script, "a@contoso.com")
    addresses = ["a@contoso.com", "b@contoso.com", "c@else.example"]
    result = play(RESOURCE, service, unique_name="sender", permissions=[SEND], mailboxes=addresses)
    assert "Exchange has no mailbox b@contoso.com" in result["msg"]
    assert "c@else.example: not in an accepted domain of this tenant (contoso.com)" in result["msg"]
    assert service.batch_sizes == [3]
    assert not journal_dir.exists()


def test_mailboxes_are_not_read_where_there_is_nothing_to_write(play: Play, reads: Reads, script: Script) -> None:
    reads(application(), assigned=[assignment()])
    service = mailboxes(script)
    result = play(RESOURCE, service, unique_name="sender", permissions=[SEND], mailboxes=["a@contoso.com"])
    assert (result["changed"], service.requests) == (False, 0)


def test_malformed_mailbox_is_reported_without_a_request() -> None:
    [problem] = problems_of(RESOURCE, unique_name="sender", mailboxes=["a@contoso.com", ""])
    assert problem == "mailboxes holds an empty address: remove it."
