# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.arm import ArmClient
from ansible_collections.mailops.m365.plugins.module_utils._clients.authorized import AuthorizedTransport
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import ArmError

from ....conftest import FakeClock
from ....script import Script

ROOT = "https://management.azure.com"


@pytest.fixture
def arm(authorize: Callable[[str], AuthorizedTransport]) -> ArmClient:
    return ArmClient(authorize("management"), 60.0)


def test_a_list_is_read_page_after_page(arm: ArmClient, script: Script) -> None:
    script.expect("GET", f"{ROOT}/x?api-version=1").answers(200, {"value": [{"name": "a"}], "nextLink": f"{ROOT}/x?page=2"})
    script.expect("GET", f"{ROOT}/x?page=2").answers(200, {"value": [{"name": "b"}]})
    assert [one["name"] for one in arm.every("/x", "1", "list x")] == ["a", "b"]


def test_missing_object_reads_as_none_and_deletes_without_error(arm: ArmClient, script: Script) -> None:
    script.expect("GET", f"{ROOT}/x?api-version=1").answers(404, {"error": {"code": "ResourceNotFound", "message": "no"}})
    script.expect("DELETE", f"{ROOT}/x?api-version=1").answers(404)
    assert arm.get("/x", "1", "read x") is None
    arm.delete("/x", "1", "remove x")


def test_running_operation_is_polled(arm: ArmClient, script: Script, clock: FakeClock) -> None:
    link = {"Azure-AsyncOperation": f"{ROOT}/operations/1", "Retry-After": "2"}
    script.expect("PUT", f"{ROOT}/x?api-version=1").json_body({"a": 1}).answers(201, {}, link)
    script.expect("GET", f"{ROOT}/operations/1").answers(200, {"status": "InProgress"})
    script.expect("GET", f"{ROOT}/operations/1").answers(200, {"status": "Succeeded"})
    arm.put("/x", "1", {"a": 1}, "make x")
    assert clock.slept == [2.0, 5.0]


def test_failed_or_endless_operation_is_reported(arm: ArmClient, script: Script) -> None:
    link = {"Location": f"{ROOT}/operations/1"}
    script.expect("PUT", f"{ROOT}/x?api-version=1").answers(202, {}, link)
    script.expect("GET", f"{ROOT}/operations/1").answers(200, {"status": "Failed", "error": {"code": "Conflict", "message": "taken"}})
    with pytest.raises(ArmError, match="Could not make x: another resource uses this SMTP username"):
        arm.put("/x", "1", {}, "make x")
    script.expect("PUT", f"{ROOT}/x?api-version=1").answers(202, {}, link | {"Retry-After": "100"})
    with pytest.raises(ArmError, match="did not end in time"):
        arm.put("/x", "1", {}, "make x")


def test_a_refusal_names_what_is_missing(arm: ArmClient, script: Script) -> None:
    body = {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization"}}
    script.expect("PUT", f"{ROOT}/x?api-version=1").answers(403, body).times(2)
    with pytest.raises(ArmError, match="no Azure role that allows this") as raised:
        arm.put("/x", "1", {}, "make x")
    assert raised.value.transient
