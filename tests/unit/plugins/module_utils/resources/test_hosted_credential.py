# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials at an account of SendGrid and an SMTP endpoint: creation, rotation with overlap, interruptions, no secret anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._hosted import credential_store
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils.resources.hosted_credential import INFO, RESOURCE

from ....conftest import FakeClock, Play, problems_of
from ....mailserver import MailServer
from ....script import response

KEY = "SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
CANARY = "canary"
DAY = 86_400
TODAY = "20270115"  # of the test's clock
FIRST = f"mailops-erp-{TODAY}"
Run = Callable[..., dict[str, Any]]


class SendGrid:
    """An account's API keys, id -> name. Every password has the canary."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {"foreign": "erp"}
        self.requests: list[str] = []
        self.scopes = ["mail.send", "api_keys.create", "api_keys.read", "api_keys.delete"]
        self.loses = False

    def __call__(self, request: Request) -> Response:
        method, path = request.method, request.url.removeprefix("https://api.sendgrid.com/v3").partition("?")[0]
        self.requests.append(f"{method} {path}")
        if path == "/scopes":
            return response(200, {"scopes": self.scopes})
        if method == "GET":
            return response(200, {"result": [{"api_key_id": key, "name": name} for key, name in self.keys.items()]})
        if method == "DELETE":
            return response(204 if self.keys.pop(path.rpartition("/")[2], None) else 404)
        assert request.json["scopes"] == ["mail.send"]
        identifier = f"id{len(self.requests)}"
        self.keys[identifier] = request.json["name"]
        if self.loses:
            raise TimeoutError("no answer in time")
        return response(201, {"api_key": f"SG.{identifier}.{CANARY}", "api_key_id": identifier, "name": request.json["name"]})


@pytest.fixture
def sendgrid() -> SendGrid:
    return SendGrid()


@pytest.fixture
def run(
    play: Play, sendgrid: SendGrid, mail_server: MailServer, tmp_path: Path, journal_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    results: list[Any] = []
    route = mail_server.route()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", route.ca_file)
    account = {"provider": "sendgrid", "api_key": KEY, "store": str(tmp_path / "store"), "smtp_host": route.host, "smtp_port": route.port}

    def task(resource: Any = RESOURCE, **options: Any) -> dict[str, Any]:
        own = {"credentials": [{"name": "erp"}]} if resource is RESOURCE else {}
        results.append(play(resource, sendgrid, **{**account, **own, **options}))
        return dict(results[-1])

    yield task
    texts = [path.read_text("utf-8") for path in journal_dir.rglob("*") if path.is_file()]
    assert not [text for text in [*texts, *map(str, results)] if CANARY in text or KEY in text]


def stored(tmp_path: Path) -> dict[str, Any]:
    [path] = (tmp_path / "store").rglob("erp.json")
    return dict(json.loads(path.read_text("ascii")))


def test_credential_is_created_once_and_verified(run: Run, sendgrid: SendGrid, mail_server: MailServer, tmp_path: Path) -> None:
    planned = run(check_mode=True)
    assert (planned["changed"], sendgrid.keys, mail_server.sessions) == (True, {"foreign": "erp"}, [])
    assert not (tmp_path / "store").exists()
    done = run()
    assert (done["changed"], done["diff"]) == (True, planned["diff"])
    assert done["diff"]["after"] == {"erp": {"credential": FIRST, "previous": []}}
    [row], current = done["credentials"], stored(tmp_path)["current"]
    assert (row["credential"], row["username"], row["verified"], row["created"]) == (FIRST, "apikey", True, "2027-01-15")
    assert current["password"].endswith(CANARY)
    assert mail_server.sessions[0].sign_ins == ["apikey", current["password"]]
    assert row == planned["credentials"][0] | {"username": "apikey"}
    del sendgrid.requests[:]
    again = run()
    assert (again["changed"], again["cost"]["requests"]) == (False, 1)
    assert again["credentials"] == [row | {"reason": None}]
    assert run(INFO)["credentials"] == again["credentials"]
    assert run(INFO, names=["other"])["credentials"] == []


def test_rotation_overlaps_and_the_following_run_removes_the_replaced_one(run: Run, sendgrid: SendGrid, clock: FakeClock) -> None:
    run()
    clock.time += 29 * DAY
    assert run(renew="30")["changed"] is False
    clock.time += DAY
    rotated = run(renew="30")
    [row] = rotated["credentials"]
    assert (row["credential"], row["previous"], row["reason"]) == ("mailops-erp-20270214", [FIRST], "it was created on 2027-01-15")
    assert set(sendgrid.keys.values()) == {"erp", FIRST, "mailops-erp-20270214"}
    planned = run(renew="30", check_mode=True)
    removed = run(renew="30")
    assert (removed["changed"], removed["diff"]) == (True, planned["diff"])
    assert set(sendgrid.keys.values()) == {"erp", "mailops-erp-20270214"}
    assert run(renew="30")["changed"] is False


def test_replaced_credential_is_kept_for_the_days_of_the_overlap(run: Run, sendgrid: SendGrid, clock: FakeClock) -> None:
    run()
    assert run(renew="now", overlap=2)["credentials"][0]["credential"] == f"{FIRST}-2"
    clock.time += DAY
    assert run(overlap=2)["changed"] is False
    clock.time += DAY
    assert run(overlap=2)["changed"] is True
    assert set(sendgrid.keys.values()) == {"erp", f"{FIRST}-2"}


def test_new_credential_that_smtp_refuses_replaces_nothing(run: Run, sendgrid: SendGrid, mail_server: MailServer, tmp_path: Path) -> None:
    run()
    before = stored(tmp_path)
    mail_server.answers["password"] = "535 Authentication failed: The provided authorization grant is invalid, expired, or revoked"
    failed = run(renew="now")
    assert failed["failed"] is True
    assert "The provided authorization grant is invalid" in str(failed)
    assert stored(tmp_path) == before
    assert set(sendgrid.keys.values()) == {"erp", FIRST}


def test_current_credential_that_smtp_refuses_is_replaced(run: Run, mail_server: MailServer, tmp_path: Path) -> None:
    run()
    refused = stored(tmp_path)["current"]["password"]

    class Refusing(dict[str, str]):
        def get(self, step: str, default: Any = None) -> Any:
            last = mail_server.sessions[-1].sign_ins[-1:] == [refused]
            return "535 Authentication failed" if step == "password" and last else default

    mail_server.answers = Refusing()
    done = run()
    assert done["credentials"][0]["reason"] == "SMTP does not accept it"
    assert done["credentials"][0]["credential"] == f"{FIRST}-2"
    assert stored(tmp_path)["current"]["password"] != refused


def test_endpoint_that_does_not_answer_is_noted_and_nothing_is_replaced(run: Run, mail_server: MailServer) -> None:
    run()
    mail_server.answers["banner"] = "421 try later"
    result = run()
    assert (result["changed"], result["credentials"][0]["verified"]) == (False, None)
    assert result["notes"][0].startswith(f"{FIRST} could not be verified:")
    assert run(verify=False, renew="now")["changed"] is True


def test_lost_answer_leaves_no_key_behind(run: Run, sendgrid: SendGrid, tmp_path: Path) -> None:
    sendgrid.loses = True
    assert run()["failed"] is True
    assert (stored(tmp_path)["next"]["password"], list(sendgrid.keys.values())) == ("", ["erp", FIRST])
    sendgrid.loses = False
    done = run()
    assert done["credentials"][0]["reason"] == "an earlier run was interrupted"
    assert list(sendgrid.keys.values()) == ["erp", FIRST]
    assert stored(tmp_path)["current"]["id"] in sendgrid.keys


def test_interrupted_rotation_is_continued_with_the_same_credential(
    run: Run, sendgrid: SendGrid, mail_server: MailServer, tmp_path: Path
) -> None:
    mail_server.answers["banner"] = "421 try later"
    assert run()["failed"] is True
    upcoming = stored(tmp_path)["next"]
    del mail_server.answers["banner"]
    assert run()["changed"] is True
    assert (stored(tmp_path)["current"], stored(tmp_path)["next"]) == (upcoming, None)
    assert list(sendgrid.keys.values()) == ["erp", FIRST]


def test_key_is_removed_again_where_the_store_fails(run: Run, sendgrid: SendGrid, monkeypatch: pytest.MonkeyPatch) -> None:
    replaces = credential_store.os.replace
    calls: list[str] = []

    def fails(source: str, target: Path) -> None:
        calls.append(str(target))
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        replaces(source, target)

    monkeypatch.setattr(credential_store.os, "replace", fails)
    failed = run()
    assert "m365_hosted_credential_store" in failed["msg"]
    assert "No space left on device" in failed["msg"]
    assert list(sendgrid.keys.values()) == ["erp"]


def test_revoked_key_is_replaced(run: Run, sendgrid: SendGrid, tmp_path: Path) -> None:
    run()
    sendgrid.keys.pop(stored(tmp_path)["current"]["id"])
    [row] = run()["credentials"]
    assert (row["credential"], row["previous"]) == (f"{FIRST}-2", [])
    assert row["reason"] == "the provider does not have it any more"


def test_credential_without_a_stored_password_is_replaced_on_request_only(run: Run, sendgrid: SendGrid) -> None:
    sendgrid.keys["lost"] = "mailops-erp-20260101"
    for check_mode in (True, False):
        refused = run(check_mode=check_mode)
        assert "has no password of credential erp, and the provider has mailops-erp-20260101: copy" in refused["msg"]
        assert refused["changed"] is False
    [row] = run(renew="now")["credentials"]
    assert row["previous"] == ["mailops-erp-20260101"]
    run()
    assert set(sendgrid.keys.values()) == {"erp", FIRST}


def test_absent_and_exclusive_remove_what_has_our_mark(run: Run, sendgrid: SendGrid, tmp_path: Path) -> None:
    run(credentials=[{"name": "erp"}, {"name": "crm"}])
    assert run(credentials=[{"name": "crm"}])["changed"] is False
    planned = run(credentials=[{"name": "erp", "state": "absent"}], check_mode=True)
    removed = run(credentials=[{"name": "erp", "state": "absent"}])
    assert (removed["diff"], removed["credentials"]) == (planned["diff"], [])
    assert sorted(sendgrid.keys.values()) == ["erp", f"mailops-crm-{TODAY}"]
    assert not list((tmp_path / "store").rglob("erp.json"))
    assert run(credentials=[{"name": "erp", "state": "absent"}])["changed"] is False
    assert run(credentials=[], exclusive=True)["changed"] is True
    assert sendgrid.keys == {"foreign": "erp"}


def test_missing_permission_is_named_before_a_write(run: Run, sendgrid: SendGrid, tmp_path: Path) -> None:
    sendgrid.scopes = ["api_keys.read"]
    assert "m365_hosted_relay_api_key lacks the permissions api_keys.create, mail.send" in run()["msg"]
    assert not (tmp_path / "store").exists()


def test_credential_of_another_controller_is_kept_and_noted(run: Run, sendgrid: SendGrid) -> None:
    run()
    sendgrid.keys["other"] = "mailops-erp-20260101"
    result = run()
    assert (result["changed"], result["notes"]) == (False, ["erp: the provider has mailops-erp-20260101, not in the store: kept."])


def test_run_that_another_one_overtook_changes_nothing(
    run: Run, sendgrid: SendGrid, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run()
    lock = credential_store.DirectoryStore.lock

    def overtaken(store: Any) -> Any:
        content = stored(tmp_path)
        content["previous"] = [{"label": "mailops-erp-20260101", "id": "x", "replaced": "2026-01-01"}]
        Path(store.location("erp")).write_text(json.dumps(content), "ascii")
        return lock(store)

    monkeypatch.setattr(credential_store.DirectoryStore, "lock", overtaken)
    assert "Another run has changed the credential erp meanwhile" in run(renew="now")["msg"]
    assert set(sendgrid.keys.values()) == {"erp", FIRST}


def test_secret_of_the_session_is_in_no_error(run: Run, mail_server: MailServer) -> None:
    run()
    encoded = base64.b64encode(f"SG.id3.{CANARY}".encode()).decode()
    mail_server.answers["password"] = f"550 refused: {encoded}"
    assert encoded not in str(run())


def test_all_problems_of_the_input_are_reported_at_once() -> None:
    items: list[dict[str, Any]] = [{"name": "ERP"}, {"name": "erp"}, {"name": "erp"}]
    account = {"provider": "mailgun", "region": "au", "smtp_port": 465, "renew": "soon", "overlap": 400}
    starts = [
        "m365_hosted_relay_region is 'au'", "m365_hosted_relay_api_key is not set", "m365_hosted_relay_smtp_port is 465, where TLS starts",
        "credentials holds 'ERP', which is no name", "credentials: ERP: domain is not set", "credentials: erp: domain is not set",
        "credentials: erp: domain is not set", "m365_hosted_credential_renew is 'soon'", "m365_hosted_credential_overlap is 400",
        "credentials lists erp more than once",
    ]  # fmt: skip
    problems = problems_of(RESOURCE, **account, credentials=items)
    assert len(problems) == len(starts)
    assert all(problem.startswith(start) for problem, start in zip(problems, starts, strict=True)), problems
    domain = problems_of(RESOURCE, provider="sendgrid", api_key=KEY, credentials=[{"name": "erp", "domain": "contoso.com"}])
    assert domain == ["credentials: erp: domain is 'contoso.com', and a credential of SendGrid is for all domains: leave it out."]
    wrong = problems_of(RESOURCE, provider="mailgun", api_key=KEY, credentials=[{"name": "erp", "domain": "x"}])
    assert wrong == ["credentials: erp: domain is 'x', which is not a domain name."]
    assert problems_of(INFO, provider="sendgrid", api_key=KEY, names=["E"])[0].startswith("names holds 'E'")
