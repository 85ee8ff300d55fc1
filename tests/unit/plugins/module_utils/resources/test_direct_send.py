# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.direct_send import INFO, NOTE, RESOURCE

from ....conftest import Play, problems_of
from ....services import Exchange, Refused


class Organization(Exchange):
    """An organization whose switch answers as it is given: a Boolean, a word, or None where it does not know it."""

    def __init__(self, rejected: Any = False) -> None:
        super().__init__(Get_OrganizationConfig=self.get, Set_OrganizationConfig=self.set)
        self.rejected = rejected

    def get(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        assert parameters == {}
        return [{"DisplayName": "Contoso"} | ({} if self.rejected is None else {"RejectDirectSend": self.rejected})]

    def set(self, parameters: dict[str, Any]) -> None:
        assert set(parameters) == {"RejectDirectSend", "Confirm"}
        assert parameters["Confirm"] is False
        words = isinstance(self.rejected, str)
        self.rejected = str(parameters["RejectDirectSend"]) if words else parameters["RejectDirectSend"]


def refuse(parameters: dict[str, Any]) -> None:
    raise Refused("SomeException", "No.")


# -- input ------------------------------------------------------------------------------------------------------------


def test_rejection_is_refused_without_a_request_while_senders_rely_on_direct_send(play: Play, journal_dir: Path) -> None:
    service = Organization()
    for check_mode in (True, False):
        result = play(RESOURCE, service, check_mode=check_mode, rejected=True, senders=["ups@contoso.com", "Printer@contoso.com"])
        assert (result["failed"], result["changed"]) == (True, False)
        assert result["failure"]["problems"] == [
            "rejected is true, but senders that rely on Direct Send would be refused: ups@contoso.com, Printer@contoso.com; give each "
            "an inbound connector or SMTP AUTH, and remove it from senders, first. Nothing was changed."
        ]
    assert (service.requests, service.rejected) == (0, False)
    assert not journal_dir.exists()


def test_direct_send_senders_do_not_prevent_acceptance(play: Play) -> None:
    service = Organization(True)
    assert play(RESOURCE, service, rejected=False, senders=["ups@contoso.com"])["changed"] is True
    assert service.rejected is False


def test_all_invalid_addresses_are_reported_at_once() -> None:
    problems = problems_of(RESOURCE, rejected=True, senders=["nonsense", "a@contoso.com", "A@contoso.com"])
    assert problems == ["senders holds 'nonsense', which is no mail address (name@domain).", "senders holds A@contoso.com twice: keep one."]
    assert problems_of(RESOURCE, rejected=True) == []


# -- the switch -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("have", [False, True])
@pytest.mark.parametrize("want", [False, True])
def test_the_switch_is_brought_from_each_state_to_each(play: Play, have: bool, want: bool, words: bool) -> None:
    service = Organization(str(have) if words else have)
    result = play(RESOURCE, service, rejected=want)
    assert result["direct_send"] == {"rejected": want}
    assert result["changed"] is (have != want)
    assert service.ran("Set-") == ([{"RejectDirectSend": want, "Confirm": False}] if have != want else [])
    assert result["diff"]["before"] == ({"rejected": have} if have != want else "")
    assert result["diff"]["after"] == ({"rejected": want} if have != want else "")
    again = play(RESOURCE, service, rejected=want)
    assert (again["changed"], again["cost"]["requests"]) == (False, 1)


@pytest.mark.parametrize("check_mode", [False, True])
def test_change_to_rejected_has_a_note(play: Play, check_mode: bool) -> None:
    assert play(RESOURCE, Organization(False), check_mode=check_mode, rejected=True)["notes"] == [NOTE]
    assert "up to 30 minutes" in NOTE
    assert "forwarded mail" in NOTE
    assert "notes" not in play(RESOURCE, Organization(True), check_mode=check_mode, rejected=True)
    assert "notes" not in play(RESOURCE, Organization(True), check_mode=check_mode, rejected=False)


def test_check_mode_writes_nothing_and_predicts(play: Play, journal_dir: Path) -> None:
    service = Organization()
    planned = play(RESOURCE, service, check_mode=True, rejected=True)
    assert (service.writes, journal_dir.exists()) == ([], False)
    done = play(RESOURCE, service, rejected=True)
    assert (planned["changed"], planned["diff"], planned["direct_send"]) == (True, done["diff"], done["direct_send"])


def test_what_is_replaced_is_in_the_journal(play: Play, journal_dir: Path) -> None:
    play(RESOURCE, Organization(), rejected=True)
    [file] = journal_dir.glob("*.jsonl")
    first = json.loads(file.read_text().splitlines()[0])
    assert (first["before"], first["after"]) == ({"rejected": False}, {"rejected": True})


def test_an_organization_without_the_switch_rejects_nothing(play: Play) -> None:
    service = Organization(None)
    assert play(INFO, service)["direct_send"] == {"rejected": False}
    assert play(RESOURCE, service, rejected=False)["changed"] is False
    assert play(RESOURCE, service, rejected=True)["changed"] is True


# -- failures ---------------------------------------------------------------------------------------------------------


def test_refused_read_and_refused_write_are_reported(play: Play) -> None:
    service = Organization()
    service.cmdlets["Set-OrganizationConfig"] = refuse
    written = play(RESOURCE, service, rejected=True)
    assert "Could not set whether Direct Send is rejected: the service answered SomeException: No." in written["msg"]
    assert "direct_send" not in written
    service.cmdlets["Get-OrganizationConfig"] = refuse
    for resource, options in ((RESOURCE, {"rejected": True}), (INFO, {})):
        message = play(resource, service, **options)["msg"]
        assert "Could not read whether Direct Send is rejected: the service answered SomeException: No." in message


# -- the info module --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [True, "True", False, "False"])
def test_the_info_module_shows_the_switch_with_one_request(play: Play, answer: Any) -> None:
    result = play(INFO, Organization(answer))
    cost = {"requests": 1, "retries": 0, "waited": 0.0}
    assert result == {"changed": False, "direct_send": {"rejected": answer in (True, "True")}, "cost": cost}
