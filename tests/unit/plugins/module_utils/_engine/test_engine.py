# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils import error_catalog
from ansible_collections.mailops.m365.plugins.module_utils._clients.graph import Call
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import GraphError, InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import JOURNAL, TENANT, Spec
from ansible_collections.mailops.m365.plugins.module_utils._engine import host_engine
from ansible_collections.mailops.m365.plugins.module_utils._engine.local_host import LocalHost
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Plan, ReadOnlyResource
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request

from ....conftest import SECRET, Play
from ....conftest import TENANT as TENANT_ID
from ....script import Script

HEADERS = {"before_header": f"{TENANT_ID} room", "after_header": f"{TENANT_ID} room"}
ROOM = Spec({"colour": {"type": "str"}, "key": {"type": "str", "no_log": True}})


@dataclass(frozen=True)
class RoomParams:
    colour: str | None
    key: str | None


class Room:
    """A toy: a room has a colour; `events` is what was done to it, and what the journal held then."""

    name = "room"
    spec: Spec = TENANT | JOURNAL | ROOM
    params_type = RoomParams

    def __init__(self, journal: Path, have: str = "white", failure: Exception | None = None) -> None:
        self.journal, self.have, self.failure = journal, have, failure
        self.events: list[str] = []

    def phases(self) -> list[str]:
        files = list(self.journal.glob("*.jsonl")) if self.journal.is_dir() else []
        return [json.loads(line)["phase"] for file in files for line in file.read_text().splitlines()]

    def validate(self, params: RoomParams) -> list[str]:
        return ["colour is plaid: choose one.", "colour is no colour."] if params.colour == "plaid" else []

    def plan(self, tenant: Tenant, params: RoomParams, check_mode: bool) -> Plan[str]:
        self.events.append("plan")
        want = params.colour
        changes = "paint" if want != self.have else None
        return Plan({"colour": self.have}, {"colour": want}, changes, {"room": want, "id": None}, ["Wet paint."] if changes else [])

    def apply(self, tenant: Tenant, params: RoomParams, plan: Plan[str]) -> dict[str, Any]:
        self.events.append(f"apply after {self.phases()}")
        if self.failure:
            raise self.failure
        self.have = params.colour or ""
        return {"room": self.have, "id": 7}


@pytest.fixture
def room(journal_dir: Path) -> Room:
    return Room(journal_dir)


def _unused(request: Request) -> Any:
    raise AssertionError(request.url)


def test_a_change_is_noted_before_it_is_made_and_afterwards(play: Play, room: Room) -> None:
    result = play(room, _unused, colour="red")
    assert room.events == ["plan", "apply after ['before']"]
    assert room.phases() == ["before", "done"]
    assert result == {
        "changed": True,
        "room": "red",
        "id": 7,
        "cost": {"requests": 0, "retries": 0, "waited": 0.0},
        "diff": {**HEADERS, "before": {"colour": "white"}, "after": {"colour": "red"}},
        "notes": ["Wet paint."],
    }


def test_a_second_run_changes_nothing(play: Play, room: Room) -> None:
    play(room, _unused, colour="red")
    assert play(room, _unused, colour="red")["changed"] is False
    assert room.events == ["plan", "apply after ['before']", "plan"]
    assert room.phases() == ["before", "done"]


def test_check_mode_predicts_and_never_applies(play: Play, room: Room) -> None:
    result = play(room, _unused, check_mode=True, colour="red")
    assert room.events == ["plan"]
    assert room.phases() == []
    assert (result["changed"], result["room"], result["id"]) == (True, "red", None)
    assert result["diff"] == {**HEADERS, "before": {"colour": "white"}, "after": {"colour": "red"}}


def test_all_input_problems_are_reported_at_once_and_in_full(play: Play, room: Room) -> None:
    result = play(room, _unused, colour="plaid")
    assert room.events == []
    assert result == {
        "failed": True,
        "changed": False,
        "msg": "2 problems:\n- colour is plaid: choose one.\n- colour is no colour.",
        "failure": {
            "problems": ["colour is plaid: choose one.", "colour is no colour."],
        },
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"client_secret": None}, "No credential: set m365_client_secret or m365_certificate_path"),
        ({"certificate_path": "/nowhere.pem"}, "Both m365_client_secret and m365_certificate_path are set"),
        ({"client_secret": None, "certificate_path": "/nowhere.pem"}, "/nowhere.pem, which cannot be read"),
        ({"tenant": None}, "m365_tenant is not set"),
        ({"client_id": " "}, "m365_client_id is not set: give the variable m365_client_id, the option client_id or"),
        ({"client_id": "my app"}, "m365_client_id is 'my app': give the application's client id, a GUID."),
        ({"tenant": "my tenant"}, "m365_tenant is 'my tenant': give the tenant's id (a GUID) or one of its domains."),
        ({"cloud": "usgov"}, "m365_cloud is 'usgov', which is no cloud"),
    ],
)
def test_invalid_connection_is_reported_before_any_request(play: Play, room: Room, options: dict[str, Any], words: str) -> None:
    result = play(room, _unused, sign_in=True, colour="red", **options)
    assert result["failed"] is True
    assert words in result["msg"]
    assert room.events == []


def test_failed_change_is_in_the_journal_and_the_result(play: Play, journal_dir: Path) -> None:
    entry = error_catalog.graph("TooManyRequests")
    error = GraphError("paint it", "slow down", code="TooManyRequests", status=429, entry=entry, request_id="t-1")
    room = Room(journal_dir, failure=error)
    result = play(room, _unused, colour="red")
    assert room.phases() == ["before", "failed"]
    assert result["failed"] is True
    assert result["changed"] is True  # writing had begun
    assert result["msg"] == str(error)
    assert result["failure"] == {
        "attempted": "paint it", "service_message": "slow down", "code": "TooManyRequests", "status": 429, "transient": True,
        "request_id": "t-1",
        "cause": "Graph throttles this application in this tenant", "remedy": "Try again later.",
    }  # fmt: skip
    assert result["cost"]["requests"] == 0


def test_an_unwritable_journal_stops_the_change(play: Play, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    room = Room(tmp_path / "file" / "journal")
    result = play(room, _unused, colour="red", journal_dir=str(room.journal))
    assert room.events == ["plan"]
    assert "m365_journal_dir" in result["msg"]
    assert "nothing was changed" in result["msg"]


def test_a_journal_that_breaks_meanwhile_is_a_warning_not_a_failure(play: Play, room: Room) -> None:
    apply = room.apply

    def breaking(*args: Any) -> dict[str, Any]:
        [file] = room.journal.glob("*.jsonl")
        file.unlink()
        file.mkdir()
        return apply(*args)

    room.phases = list  # type: ignore[method-assign]
    room.apply = breaking  # type: ignore[method-assign]
    result = play(room, _unused, colour="red")
    assert result["changed"] is True
    assert "lacks the end of entry" in result["notes"][1]


def test_unexpected_exception_is_not_caught(play: Play, journal_dir: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        play(Room(journal_dir, failure=ZeroDivisionError()), _unused, colour="red")


def test_secret_options_are_redacted_from_a_failure(play: Play, journal_dir: Path) -> None:
    room = Room(journal_dir, failure=InvalidInput(f"one {SECRET}", "two k3y-value"))
    result = play(room, _unused, colour="red", key="k3y-value")
    [file] = journal_dir.glob("*.jsonl")
    for text in (json.dumps(result, ensure_ascii=False), json.dumps(result), file.read_text()):
        assert SECRET not in text
        assert "k3y-value" not in text
    assert result["failure"]["problems"] == ["one ********", "two ********"]


def test_a_read_only_resource_has_no_diff(play: Play, journal_dir: Path, script: Script) -> None:
    room = Room(journal_dir)
    room.spec = TENANT | ROOM | Spec({}, writes=False)
    assert "diff" not in play(room, script, colour="white")


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_resource_that_writes_nothing_or_runs_in_check_mode_cannot_send_a_write(
    play: Play, journal_dir: Path, script: Script, check_mode: bool
) -> None:
    class Leak(Room):
        def plan(self, tenant: Tenant, params: RoomParams, check_mode: bool) -> Plan[str]:
            tenant.graph.write(Call("PATCH", "/room", {"colour": params.colour}, attempted="paint"))
            return super().plan(tenant, params, check_mode)

    leak = Leak(journal_dir)
    leak.spec = TENANT | ROOM | (JOURNAL if check_mode else Spec({}, writes=False))
    result = play(leak, script, check_mode=check_mode, colour="green")
    assert result["msg"] == "Could not paint: the task only reads, and PATCH /v1.0/room may write. Nothing was sent; report this defect."


@dataclass(frozen=True)
class ShedParams:
    colour: str | None


class Shed(ReadOnlyResource[ShedParams]):
    """A toy of the local host: its spec names no tenant."""

    name = "shed"
    spec = Spec({"colour": {"type": "str"}}, writes=False)
    params_type = ShedParams

    def plan(self, host: LocalHost, params: ShedParams, check_mode: bool) -> Plan[None]:
        if params.colour == "plaid":
            raise InvalidInput("the shed is not plaid.")
        return Plan(outcome={"where": host.name})


def test_a_host_resource_runs_on_the_local_host_and_signs_in_nowhere() -> None:
    assert host_engine.run(Shed(), {"colour": "red"}, check_mode=False) == {
        "changed": False,
        "where": platform.node(),
        "cost": {"requests": 0, "retries": 0, "waited": 0.0},
    }
    assert host_engine.run(Shed(), {"colour": "plaid"}, check_mode=False)["msg"] == "the shed is not plaid."
