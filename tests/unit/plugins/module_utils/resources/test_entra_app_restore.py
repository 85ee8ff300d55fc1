# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deleted application reserves its unique name: it is restored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._composition.changes import changes_of
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Plan
from ansible_collections.mailops.m365.plugins.module_utils.resources.entra_app import RESOURCE

from ....conftest import FakeClock, Play, problems_of
from ....script import Script, graph_error
from .test_entra_app import (
    DELETED,
    EXCHANGE_API,
    LABEL,
    SEND,
    SEND_AS_APP,
    Reads,
    application,
    assignment,
    expect_assignment,
    expect_principal,
)

PRINCIPALS = "/v1.0/directory/deletedItems/microsoft.graph.servicePrincipal?$select=id,appId"
RESTORED = "is restored, with its client id app-client and its credentials"


@pytest.fixture
def reads(script: Script) -> Reads:
    return Reads(script)


def deleted(**more: Any) -> dict[str, Any]:
    return application(**{"deletedDateTime": "2026-11-20T08:15:00Z", "tags": ["mailops"], **more})


def expect_restore(script: Script, *principals: dict[str, Any]) -> None:
    script.expect("POST", "/v1.0/directory/deletedItems/app-object/restore").json_body({}).answers(200, application())
    script.expect("GET", PRINCIPALS).answers(200, {"value": list(principals)})


def test_a_check_run_predicts_the_restoration(play: Play, reads: Reads, script: Script) -> None:
    reads(deleted=[deleted(uniqueName="another", id="x"), deleted(uniqueName="Sender")])
    result = play(RESOURCE, script, check_mode=True, unique_name="sender", permissions=[SEND])
    assert result["changed"] is True
    assert result["diff"]["before"] == {"unique_name": "Sender", "display_name": "Sender", "deleted": "2026-11-20T08:15:00Z"}
    assert (result["app"]["object_id"], result["app"]["app_id"], result["app"]["service_principal_id"]) == (
        "app-object",
        "app-client",
        None,
    )
    assert RESTORED in " ".join(result["notes"])


def test_the_application_and_its_enterprise_application_are_restored_and_changed(play: Play, reads: Reads, script: Script) -> None:
    reads(deleted=[deleted()])
    expect_restore(script, {"id": "foreign", "appId": "other"}, {"id": "sp-object", "appId": "APP-client"})
    script.expect("POST", "/v1.0/directory/deletedItems/sp-object/restore").answers(200, {})
    reads(application(), assigned=[])
    expect_assignment(script, (EXCHANGE_API, SEND_AS_APP))
    result = play(RESOURCE, script, unique_name="sender", permissions=[SEND])
    assert (result["app"]["app_id"], result["app"]["service_principal_id"], result["app"]["consented"]) == (
        "app-client",
        "sp-object",
        [LABEL],
    )


def test_what_came_back_with_the_application_is_not_written_again(play: Play, reads: Reads, script: Script) -> None:
    reads(deleted=[deleted()])
    expect_restore(script)
    reads(application(), assigned=[assignment()])
    assert play(RESOURCE, script, unique_name="sender", permissions=[SEND])["changed"] is True


def test_an_enterprise_application_that_is_gone_for_ever_is_created(play: Play, reads: Reads, script: Script) -> None:
    reads(apis=(), deleted=[deleted()])
    expect_restore(script)
    reads(application(), apis=(), principal=False)
    expect_principal(script)
    assert play(RESOURCE, script, unique_name="sender")["app"]["service_principal_id"] == "sp-object"


def test_a_restored_application_that_reads_do_not_return_yet_is_waited_for(
    play: Play, reads: Reads, script: Script, clock: FakeClock
) -> None:
    reads(apis=(), deleted=[deleted()])
    expect_restore(script)
    reads(apis=(), deleted=None)
    reads(application(), apis=())
    assert play(RESOURCE, script, unique_name="sender", wait_timeout=60)["changed"] is True
    assert clock.slept


def test_an_application_restored_by_somebody_else_meanwhile_is_used(play: Play, reads: Reads, script: Script) -> None:
    reads(apis=(), deleted=[deleted()])
    script.expect("POST", "/v1.0/directory/deletedItems/app-object/restore").answers(404, graph_error("Request_ResourceNotFound"))
    script.expect("GET", PRINCIPALS).answers(200, {"value": []})
    reads(application(), apis=())
    assert "failed" not in play(RESOURCE, script, unique_name="sender")


def test_an_adopted_application_cannot_get_a_reserved_name(play: Play, reads: Reads, script: Script) -> None:
    reads(title="Mine", titled=[application(uniqueName=None, appId="mine")], apis=(), deleted=[deleted()])
    result = play(RESOURCE, script, unique_name="sender", display_name="Mine")
    assert "cannot be given to the application mine: the application app-client, deleted on 2026-11-20, reserves it" in result["msg"]


def test_deleted_applications_that_may_not_be_read_leave_the_conflict_to_the_service(play: Play, script: Script, reads: Reads) -> None:
    reads(apis=(), deleted=None)
    for _attempt in ("with the token", "with a new token"):
        script.expect("GET", f"/v1.0{DELETED}").answers(403, graph_error("Authorization_RequestDenied"))
    conflict = "Another object with the same value for property uniqueName already exists."
    script.expect("PATCH", "/v1.0/applications(uniqueName='sender')").answers(400, graph_error("Request_BadRequest", conflict))
    result = play(RESOURCE, script, unique_name="sender")
    assert result["failed"] is True
    assert "a deleted one reserves it for 30 days" in result["msg"]
    assert "Restore the deleted application" in result["msg"]


def test_the_plan_names_the_action_restore() -> None:
    before, after = {"unique_name": "app", "deleted": "2026-11-20T08:15:00Z"}, {"unique_name": "app", "certificates": ["AA"]}
    planned: Any = SimpleNamespace(
        name="entra_app", plan=Plan(before, after, "changes"), step=SimpleNamespace(subject="app", restores=frozenset())
    )
    changes = list(changes_of(planned, lambda step, kind, name: ""))
    assert [(one.action, one.kind, one.risk) for one in changes] == [("restore", "application", ""), ("add", "certificate", "key")]


@pytest.mark.parametrize("length", [64, 65])
def test_the_length_of_a_unique_name(length: int) -> None:
    assert bool(problems_of(RESOURCE, unique_name="x" * length)) == (length > 64)
