# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.rbac import recipient_filter, scopes
from ansible_collections.mailops.m365.plugins.module_utils.resources.rbac_for_applications import INFO, RESOURCE

from ....conftest import FakeClock, Play, problems_of
from .rbac_tenant import APP, OBJECT, A, B, C, Organization, number_of, steps

BOTH: dict[str, Any] = {"unique_name": "sender", "mailboxes": [A, B.upper()], "replace": True}
MADE = ["scope", "assign"]


def twice(play: Play, service: Organization, **options: Any) -> dict[str, Any]:
    """A check run, which must write nothing and foretell the real one, and the real one."""
    before = list(service.log)
    planned = play(RESOURCE, service, check_mode=True, **options)
    assert service.log == before
    done = play(RESOURCE, service, **options)
    for name in ("changed", "diff", "rbac", "msg"):
        assert planned.get(name) == done.get(name)
    return done


def test_a_new_application_gets_its_role_alone(play: Play) -> None:
    service = Organization()
    done = twice(play, service, **BOTH)
    assert steps(service.log) == [*MADE, "tag alone"]
    assert service.scopes == {"sender": f"PrimarySmtpAddress -eq '{A}' -or PrimarySmtpAddress -eq '{B}'"}
    assert service.ran("New-ManagementRoleAssignment")[0]["Name"] == "SMTP.SendAsApp sender"
    assert done["rbac"] == {
        "app_id": APP, "object_id": OBJECT, "scopes": {"sender": [A, B]},
        "consent": False, "full_access": [], "phase": "alone", "due": None,
    }  # fmt: skip
    assert done["diff"]["before"] == ""
    again = twice(play, service, **BOTH)
    assert (again["changed"], again["cost"]["requests"]) == (False, 3)
    assert len(service.ran("Get-MailboxPermission")) == 4  # of two mailboxes, in the first check run and the first real one


def test_an_application_with_consent_is_moved_over_several_runs(play: Play, clock: FakeClock) -> None:
    service = Organization(A, B, consented=True)
    notes = []
    for expected in (
        [*MADE, "tag assigned"],
        ["withdraw", "tag withdrawn"],
        ["revoke", "tag alone"],
    ):
        service.log.clear()
        done = twice(play, service, **BOTH)
        assert steps(service.log) == expected
        notes += done.get("notes", [])
        assert twice(play, service, **BOTH)["changed"] is False
        clock.time += 7200
    assert [note.partition(" until ")[0] for note in notes] == [
        "The role assignment may take",
        "Tokens with SMTP.SendAsApp may be in use",
    ]
    assert clock.slept == []
    assert (service.granted, service.directory.consents) == (set(), [])
    assert [tag.partition("@")[0] for tag in service.directory.tags] == ["mailops", "mailops-rbac:alone"]


def test_application_with_consent_is_moved_in_one_run_that_waits(play: Play, clock: FakeClock) -> None:
    service = Organization(A, consented=True)
    done = twice(play, service, **BOTH, wait_timeout=14400)
    assert steps(service.log) == [*MADE, "tag assigned", "withdraw", "tag withdrawn", "revoke", "tag alone"]
    assert clock.slept == [7200.0, 7200.0]
    assert (done["diff"]["before"]["consent"], done["diff"]["before"]["full_access"]) == (True, [A])
    assert done["rbac"]["phase"] == "alone"


def test_application_is_moved_back_to_permissions(play: Play, clock: FakeClock) -> None:
    service = Organization()
    play(RESOURCE, service, **BOTH)
    back = BOTH | {"state": "absent"}
    refused = play(RESOURCE, service, **back)
    assert refused["failure"]["problems"] == [
        f"mailboxes: the application lacks FullAccess on {A}, {B.upper()}: grant it first (module exchange_service_principal); nothing was "
        "changed."
    ]
    planned = play(RESOURCE, service, check_mode=True, **back)  # of a real run in which an earlier task grants it
    service.granted = {A, B}
    for expected in (["tag granted"], ["consent", "tag consented"], ["unassign", "no scope", "tag "]):
        service.log.clear()
        done = twice(play, service, **back)
        assert steps(service.log) == expected
        if planned:
            assert planned["diff"] == done["diff"]
            planned = {}
        clock.time += 7200
    assert done["rbac"] is None
    assert done["diff"]["after"] == ""
    assert (service.directory.tags, len(service.directory.consents), service.granted) == (["mailops"], 1, {A, B})
    assert twice(play, service, **back)["changed"] is False


def test_nothing_is_removed_where_nothing_exists(play: Play) -> None:
    service = Organization(A, consented=True)
    done = twice(play, service, **BOTH, state="absent")
    assert (done["changed"], done["rbac"], done["diff"]["before"]) == (False, None, "")


def test_without_replace_consent_and_permissions_are_left_alone(play: Play) -> None:
    service = Organization(A, consented=True)
    options = {"app_id": APP, "scope": "Senders", "mailboxes": [A]}
    done = twice(play, service, **options)
    assert service.log == MADE
    assert done["diff"] == done["diff"] | {"before": "", "after": {"scopes": {"Senders": [A]}}}
    assert service.directory.requests == 2  # one a run
    assert twice(play, service, **options)["changed"] is False
    assert twice(play, service, **options, state="absent")["rbac"] is None
    assert service.log == [*MADE, "unassign", "no scope"]


def test_custom_filter_is_compared_by_its_meaning(play: Play) -> None:
    service = Organization()
    options = BOTH | {"recipient_filter": "alias -eq 'A'  -or Alias -like 'b*'"}
    assert twice(play, service, **options)["changed"] is True
    assert twice(play, service, **options)["changed"] is False
    assert twice(play, service, **options | {"recipient_filter": "Alias -like 'b*' -or Alias -eq 'a'"})["changed"] is False
    done = twice(play, service, **options | {"recipient_filter": "Alias -ne 'c'"})
    assert done["diff"]["before"]["scopes"] == {"sender": "((Alias -eq 'A') -or (Alias -like 'b*'))"}
    assert done["diff"]["after"]["scopes"] == {"sender": "Alias -ne 'c'"}


def test_consent_stays_where_a_mailbox_is_not_in_scope(play: Play, clock: FakeClock) -> None:
    service = Organization(A, B, consented=True)
    options = BOTH | {"recipient_filter": "Alias -eq 'a'"}
    made = play(RESOURCE, service, **options)
    assert f"{B.upper()}: not in the application's scope by Exchange's own test" in made["msg"]
    assert made["changed"] is True
    assert 200 < sum(clock.slept) <= 300
    service.directory.tags.append("mailops-rbac:assigned@2026-01-01T00:00:00Z")
    late = twice(play, service, **options)
    assert "not in the application's scope" in late["msg"]
    assert late["changed"] is False
    assert len(service.directory.consents) == 1


def test_changes_are_polled_until_they_are_read_back(play: Play, clock: FakeClock) -> None:
    service = Organization(late=3)
    assert play(RESOURCE, service, **BOTH)["changed"] is True
    assert clock.slept == [2.0, 4.0]
    assert [test["Resource"] for test in service.ran("Test-")] == [B, A, B, A, B]  # the service answers a batch in any order


def test_scope_is_corrected(play: Play) -> None:
    service = Organization()
    play(RESOURCE, service, **BOTH)
    service.scopes["sender"] = "Alias -eq 'c'"
    service.assign("SMTP.SendAsApp sender", "sender", enabled="False")
    service.assign("By hand", None)
    service.log.clear()
    done = twice(play, service, **BOTH)
    assert sorted(service.log) == ["enable", "filter"]
    assert done["notes"] == ["The application has the role by other assignments, too, which are left as they are: By hand."]


def test_many_mailboxes_get_several_scopes_and_stay_where_they_are(play: Play) -> None:
    many = tuple(f"sender{number:03}@branch.contoso.com" for number in range(300))
    service = Organization(more=many)
    options: dict[str, Any] = {"unique_name": "sender", "mailboxes": list(many[:299])}
    twice(play, service, **options)
    assert [number_of(name) for name in service.scopes] == list(range(1, len(service.scopes) + 1))
    assert len(service.scopes) == len(service.assignments) == 3
    assert max(len(text) for text in service.scopes.values()) <= scopes.MAX_FILTER_LENGTH
    held = {name: recipient_filter.addresses(text) or set() for name, text in service.scopes.items()}
    service.log.clear()
    twice(play, service, **options | {"mailboxes": [*many[1:]]})
    assert service.log == ["filter"]  # one leaves the first scope, and another takes its place there
    now = {name: recipient_filter.addresses(text) for name, text in service.scopes.items()}
    assert now["sender"] == held["sender"] - {many[0]} | {many[299]}
    assert {name: now[name] for name in ("sender 2", "sender 3")} == {name: held[name] for name in ("sender 2", "sender 3")}
    service.log.clear()
    twice(play, service, **options | {"mailboxes": sorted(held["sender"] - {many[0]})})
    assert service.log == ["filter", "unassign", "unassign", "no scope", "no scope"]


def test_a_check_run_before_the_application_is_there(play: Play) -> None:
    service = Organization()
    service.directory.there = service.registered = False
    new = "new@contoso.com"
    options = BOTH | {"mailboxes": [A, new], "expected_mailboxes": [new]}
    planned = play(RESOURCE, service, check_mode=True, **options)
    assert planned["notes"] == [
        "Entra has no enterprise application for sender yet; the prediction assumes that an earlier task of the real run creates it."
    ]
    refused = play(RESOURCE, service, **BOTH)
    assert refused["msg"].endswith("Entra has no enterprise application for sender: register it first (module entra_app).")
    service.directory.there = True
    refused = play(RESOURCE, service, **BOTH)
    assert refused["msg"].endswith("Exchange does not know the application sender: register it first (module exchange_service_principal).")
    assert service.log == []
    service.registered, service.mailboxes[new] = True, service.mailbox(new)
    done = play(RESOURCE, service, **options)
    assert done["diff"] == planned["diff"]


def test_scope_with_the_same_filter_is_adopted_and_never_removed(play: Play) -> None:
    service = Organization()
    service.scopes["sender"] = "Alias -eq 'b'"
    service.assign("SMTP.SendAsApp sender", "sender")
    options = {"unique_name": "sender", "recipient_filter": "alias  -eq 'X'", "mailboxes": []}
    service.mailboxes[A] = service.mailbox("x@contoso.com")
    done = play(RESOURCE, service, **options)
    assert done["rbac"]["scopes"] == {"Somebody's": "Alias -eq 'x'"}
    assert service.scopes == {}
    assert list(service.assignments) == ["SMTP.SendAsApp sender 2"]
    assert service.assignments["SMTP.SendAsApp sender 2"]["CustomResourceScope"] == "Somebody's"
    again = play(RESOURCE, service, **options)
    assert (again["changed"], again["rbac"]["scopes"]) == (False, {"Somebody's": "Alias -eq 'x'"})
    other = play(RESOURCE, service, **options | {"recipient_filter": "Alias -eq 'c'"})
    assert other["rbac"]["scopes"] == {"sender": "Alias -eq 'c'"}
    assert [item["CustomResourceScope"] for item in service.assignments.values()] == ["sender"]
    play(RESOURCE, service, **options)
    play(RESOURCE, service, unique_name="sender", state="absent")
    assert (service.assignments, service.scopes) == ({}, {})


def test_two_addresses_of_one_mailbox_are_one_mailbox(play: Play) -> None:
    service = Organization()
    options = {"unique_name": "sender", "mailboxes": ["Alias@contoso.com", A, B]}
    done = play(RESOURCE, service, **options)
    assert done["rbac"]["scopes"] == {"sender": [A, B]}
    again = play(RESOURCE, service, **options)
    assert (again["changed"], again["rbac"]["scopes"]) == (False, {"sender": [A, B]})
    assert play(RESOURCE, service, **options | {"mailboxes": [B, "alias@contoso.com"]})["changed"] is False


@pytest.mark.parametrize("check_mode", [False, True])
def test_invalid_mailboxes_are_refused(play: Play, check_mode: bool) -> None:
    service = Organization()
    for listed in (["nobody@contoso.com", "x@elsewhere.example"], [A, "nobody@contoso.com"]):
        result = play(RESOURCE, service, check_mode=check_mode, unique_name="sender", mailboxes=listed)
        assert "Exchange has no mailbox nobody@contoso.com: create it or correct the address" in result["msg"]
        assert play(RESOURCE, service, check_mode=check_mode, **BOTH | {"mailboxes": ["nobody@contoso.com"]})["failed"]
    assert service.log == []


def test_all_input_problems_are_reported_at_once() -> None:
    wrong = {"scope": "x" * 46, "recipient_filter": "Alias =", "settle_time": -1, "replace": True}
    assert problems_of(RESOURCE, unique_name="sender", **wrong) == [
        f"scope is '{'x' * 46}': use 1 to 45 characters.",
        "recipient_filter is 'Alias =': '=' cannot be read; write it as in PrimarySmtpAddress -eq 'erp@contoso.com'.",
        "settle_time is -1: give seconds, 0 or more.",
        "mailboxes is empty: list the addresses of the mailboxes that the application sends as.",
    ]
    assert problems_of(RESOURCE, unique_name="s" * 100, mailboxes=["a b"]) == [
        "mailboxes holds 'a b', which is no mail address (name@domain)."
    ]
    assert problems_of(RESOURCE, unique_name="sender", state="absent") == []
    assert problems_of(RESOURCE, unique_name="sender", recipient_filter="Alias -eq 'a'") == []


def test_leftovers_of_a_removed_application_are_removed(play: Play) -> None:
    service = Organization()
    play(RESOURCE, service, **BOTH)
    service.directory.there = False
    service.log.clear()
    assert twice(play, service, **BOTH, state="absent")["changed"] is True
    assert service.log == ["unassign", "no scope"]


def test_info_module_reads_scopes_and_assignments(play: Play) -> None:
    service = Organization(C, consented=True)
    assert play(INFO, service, unique_name="sender")["rbac"]["phase"] is None
    play(RESOURCE, service, **BOTH)
    read = play(INFO, service, unique_name="sender", mailboxes=[A, C.upper()])
    assert read["in_scope"] == {A: True, C: False}
    assert (read["rbac"]["scopes"], read["rbac"]["consent"], read["rbac"]["phase"]) == ({"sender": [A, B]}, True, "assigned")
    service.directory.there = False
    assert play(INFO, service, unique_name="gone", mailboxes=[A])["in_scope"] == {}
