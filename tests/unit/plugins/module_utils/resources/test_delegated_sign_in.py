# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user signs in once; afterwards one silent use of the refresh token verifies it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.delegated_sign_in import RESOURCE

from ....conftest import TENANT, FakeClock, Play, problems_of
from ....script import Script
from .._identity.test_federated import CODE, DEVICE, KNOWN
from .._identity.test_tokens import DISCOVERY, TOKEN, granted, refused

APP, ADA = "99999999-8888-4777-8666-555555555555", "ada@contoso.com"
SCOPE = "https://outlook.office.com/SMTP.Send"
BY_NAME = "/v1.0/applications(uniqueName='user-sender')?$select=appId"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token_stores" / "ada.token"


@pytest.fixture
def held(path: Path) -> Path:
    """A token store with a refresh token."""
    path.parent.mkdir()
    path.write_text("r3fresh-0\n")
    path.chmod(0o600)
    return path


def token_response(number: int, user: str = ADA, **more: Any) -> dict[str, Any]:
    """An answer with tokens of a user; msal reads the ID token without checking its signature."""
    body = base64.urlsafe_b64encode(
        json.dumps({"preferred_username": user, "aud": APP, "sub": "s", "exp": 9e9, "iat": 1}).encode()
    ).decode()
    return granted(number) | {"refresh_token": f"r3fresh-{number}", "id_token": f"e30.{body.rstrip('=')}.x"} | more


def options(path: Path, **more: Any) -> dict[str, Any]:
    app = {} if "app_unique_name" in more else {"app_id": APP}
    return {"user": ADA, "token_store": {"path": str(path)}} | app | more


def asked(script: Script, *answers: tuple[int, dict[str, Any]]) -> None:
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", DEVICE).form(client_id=APP).answers(200, CODE)
    for status, body in answers:
        script.expect("POST", TOKEN).form(device_code="d3vice").answers(status, body)


# -- signing in -------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Attempted too soon")  # the test's clock is not msal's
def test_a_user_signs_in_and_the_token_is_stored(play: Play, script: Script, path: Path, clock: FakeClock, journal_dir: Path) -> None:
    prompts: list[str] = []
    asked(script, (400, {"error": "authorization_pending", "error_codes": [70016]}), (200, token_response(1)))
    result = play(RESOURCE, script, prompt=prompts.append, **options(path))
    assert prompts == [f"{TENANT}: for {ADA}: {CODE['message']}"]
    assert clock.slept == [5]
    assert path.read_text() == "r3fresh-1\n"
    where = f"the file {path}"
    assert result["sign_in"] == {
        "user": ADA,
        "app_id": APP,
        "token_store": where,
        "signed_in": True,
        "reason": f"{where} holds no refresh token",
    }
    assert result["changed"] is True
    assert (result["diff"]["before"]["signed_in"], result["diff"]["after"]["signed_in"]) == (False, True)
    assert SCOPE in (script.requests[1].form or {})["scope"]
    journal = next(journal_dir.iterdir()).read_text()
    for secret in ("r3fresh-1", "granted-1", "d3vice"):
        assert secret not in json.dumps(result) + journal + "".join(prompts)


def test_a_sign_in_that_works_changes_nothing_and_is_renewed(play: Play, script: Script, held: Path, journal_dir: Path) -> None:
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", TOKEN).form(grant_type="refresh_token", refresh_token="r3fresh-0").answers(200, token_response(1))
    result = play(RESOURCE, script, **options(held))
    assert (result["changed"], result["sign_in"]["signed_in"], result["sign_in"]["reason"]) == (False, True, "")
    assert result["diff"]["before"] == result["diff"]["after"]
    assert held.read_text() == "r3fresh-1\n"
    assert not journal_dir.exists()


def test_check_mode_verifies_the_token_without_storing_it(play: Play, script: Script, held: Path) -> None:
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", TOKEN).answers(200, token_response(1))
    assert play(RESOURCE, script, check_mode=True, **options(held))["changed"] is False
    assert held.read_text() == "r3fresh-0\n"


def test_check_mode_reports_the_required_sign_in(play: Play, script: Script, path: Path) -> None:
    result = play(RESOURCE, script, check_mode=True, prompt=lambda text: None, **options(path))
    assert (result["changed"], result["diff"]["after"]["signed_in"]) == (True, True)
    assert result["notes"] == [f"{ADA} would have to sign in: the file {path} holds no refresh token."]
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (700082, "the refresh token was not used for 90 days and has expired"),
        (50173, "the refresh token was revoked, or the user's password was reset"),
        (50076, "multi-factor authentication is required"),
    ],
)
def test_invalid_token_starts_a_new_sign_in(play: Play, script: Script, held: Path, code: int, cause: str) -> None:
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", TOKEN).answers(400, refused(code, "invalid_grant", "No more r3fresh-0."))
    script.expect("POST", DEVICE).answers(200, CODE)
    script.expect("POST", TOKEN).answers(200, token_response(1))
    result = play(RESOURCE, script, prompt=lambda text: None, **options(held))
    assert result["sign_in"]["reason"] == f"{cause} (AADSTS{code})"
    assert held.read_text() == "r3fresh-1\n"


@pytest.mark.parametrize(("code", "error"), [(65001, "invalid_grant"), (53003, "invalid_grant"), (7000218, "invalid_client")])
def test_failure_that_a_new_sign_in_cannot_remedy_is_reported(play: Play, script: Script, held: Path, code: int, error: str) -> None:
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", TOKEN).answers(400, refused(code, error, "Refused r3fresh-0."))
    result = play(RESOURCE, script, prompt=lambda text: None, **options(held))
    assert result["failure"]["code"] == f"AADSTS{code}"
    assert f"sign in to {TENANT} as {ADA}" in result["msg"]
    assert "r3fresh-0" not in json.dumps(result)
    assert held.read_text() == "r3fresh-0\n"


def test_application_is_looked_up_by_its_unique_name(play: Play, script: Script, held: Path) -> None:
    script.expect("GET", BY_NAME).answers(200, {"appId": APP})
    script.expect("GET", DISCOVERY).answers(200, KNOWN)
    script.expect("POST", TOKEN).form(client_id=APP).answers(200, token_response(1))
    assert play(RESOURCE, script, **options(held, app_unique_name="user-sender"))["sign_in"]["app_id"] == APP


def test_application_that_will_be_created(play: Play, script: Script, path: Path) -> None:
    for check_mode in (True, False):
        script.expect("GET", BY_NAME).answers(404, {"error": {"code": "Request_ResourceNotFound", "message": ""}})
        result = play(RESOURCE, script, check_mode=check_mode, prompt=lambda text: None, **options(path, app_unique_name="user-sender"))
        if check_mode:
            assert result["sign_in"]["reason"] == "the application user-sender does not exist yet"
            assert "Entra has no application user-sender yet; the prediction assumes" in result["notes"][0]
        else:
            assert "app_unique_name: Entra has no application user-sender: register it first (role delegated_sign_in with " in result["msg"]


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_somebody_else_in_the_browser_is_refused(play: Play, script: Script, path: Path) -> None:
    asked(script, (200, token_response(1, user="bob@contoso.com")))
    result = play(RESOURCE, script, prompt=lambda text: None, **options(path))
    assert "bob@contoso.com signed in, not ada@contoso.com: nothing was stored" in result["msg"]
    assert not path.exists()


@pytest.mark.parametrize(
    ("error", "cause"),
    [("authorization_declined", "the user declined the sign-in"), ("expired_token", "the code was not entered in time and has expired")],
)
def test_expired_and_declined_device_codes(play: Play, script: Script, path: Path, error: str, cause: str) -> None:
    asked(script, (400, {"error": error, "error_description": f"{error} d3vice"}))
    result = play(RESOURCE, script, prompt=lambda text: None, **options(path))
    assert cause in result["msg"]
    assert "d3vice" not in json.dumps(result)


@pytest.mark.filterwarnings("ignore:Attempted too soon")
def test_sign_in_times_out(play: Play, script: Script, path: Path, clock: FakeClock) -> None:
    asked(script, *[(400, {"error": "authorization_pending", "error_codes": [70016]})] * 7)
    result = play(RESOURCE, script, prompt=lambda text: None, **options(path, sign_in_timeout=30))
    assert "the code was not used in the time allowed" in result["msg"]
    assert sum(clock.slept) == 30


@pytest.mark.parametrize("check_mode", [True, False])
def test_task_that_cannot_print_a_device_code_is_refused(play: Play, script: Script, path: Path, check_mode: bool) -> None:
    result = play(RESOURCE, script, check_mode=check_mode, **options(path))
    assert f"{ADA} has to sign in, and this task cannot show the code: run it on the host that runs Ansible" in result["msg"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_unwritable_token_store_is_refused_by_the_plan(play: Play, script: Script, tmp_path: Path, check_mode: bool) -> None:
    def refusal(**more: Any) -> str:
        result = play(RESOURCE, script, check_mode=check_mode, prompt=lambda text: None, **options(tmp_path, **more))
        return str(result["msg"])

    for store in ({"kind": "environment", "variable": "NO_SUCH_TOKEN"}, {"kind": "command", "fetch": ["true"]}):
        assert f"{ADA} has to sign in, but the token store cannot be written: give kind command a store" in refusal(token_store=store)
    (tmp_path / "file").write_text("")
    assert "cannot be read: Not a directory." in refusal(token_store={"path": str(tmp_path / "file" / "ada.token")})
    (tmp_path / "ada.token").mkdir()
    assert "cannot be read: Is a directory." in refusal(token_store={"path": str(tmp_path / "ada.token")})


def test_a_directory_that_cannot_be_written_is_refused_by_the_plan(
    play: Play, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda directory, mode: directory != tmp_path)
    result = play(RESOURCE, script, prompt=lambda text: None, **options(tmp_path / "new" / "ada.token"))
    where = f"the file {tmp_path}/new/ada.token cannot be written in {tmp_path}"
    assert result["msg"] == f"{ADA} has to sign in, but {where}: choose a file in a writable directory."
    assert not (tmp_path / "new").exists()


def test_all_obstacles_of_a_sign_in_are_reported_at_once(play: Play, script: Script, tmp_path: Path) -> None:
    script.expect("GET", BY_NAME).answers(404, {"error": {"code": "Request_ResourceNotFound", "message": ""}})
    store = {"kind": "environment", "variable": "NO_SUCH_TOKEN"}
    problems = play(RESOURCE, script, **options(tmp_path, token_store=store, app_unique_name="user-sender"))["failure"]["problems"]
    assert [" ".join(problem.split()[:5]) for problem in problems] == [
        "app_unique_name: Entra has no application",
        "ada@contoso.com has to sign in,",
        "ada@contoso.com has to sign in,",
    ]


def test_consent_to_offline_access_is_missed(play: Play, script: Script, path: Path) -> None:
    asked(script, (200, token_response(1, refresh_token="")))
    assert "consent to offline_access is missing" in play(RESOURCE, script, prompt=lambda text: None, **options(path))["msg"]


def test_all_input_problems_are_reported_at_once() -> None:
    assert problems_of(RESOURCE, user="ada", token_store={"path": "x"}, sign_in_timeout=5) == [
        "user holds 'ada', which is no mail address (name@domain).",
        "token_store: path is 'x': give an absolute path, so that every run uses the same file.",
        "app_unique_name or app_id is missing: name the public client that the user signs in to.",
        "sign_in_timeout is 5: use 30 to 900 seconds; a device code expires after 900.",
    ]
    assert "app_id is 'x': give the application's client id, a GUID." in problems_of(
        RESOURCE, user=ADA, app_id="x", token_store={"path": "/x"}
    )


# -- taking it away ---------------------------------------------------------------------------------------------------


def test_a_sign_in_is_removed_once(play: Play, script: Script, held: Path) -> None:
    removal = {"user": ADA, "token_store": {"path": str(held)}, "state": "absent"}
    check = play(RESOURCE, script, check_mode=True, **removal)
    assert (check["changed"], held.exists()) == (True, True)
    gone = play(RESOURCE, script, **removal)
    assert (gone["changed"], gone["diff"], held.exists()) == (True, check["diff"], False)
    assert play(RESOURCE, script, **removal)["changed"] is False


@pytest.mark.parametrize("token_store", [{"kind": "environment", "variable": "X"}, {"kind": "command", "fetch": ["cat"]}])
def test_failed_removal_is_reported(token_store: dict[str, Any]) -> None:
    assert any("remove" in problem for problem in problems_of(RESOURCE, user=ADA, token_store=token_store, state="absent"))
