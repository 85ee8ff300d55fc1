"""A tenant whose sender app was deleted: it is restored, since its unique name stays reserved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Api, Start

from .tenant_play import Play

MAIL = {"name": "Shop", "method": "oauth", "address": "noreply@contoso.com"}
OPS = {"name": "Ops", "method": "oauth", "address": "ops@contoso.com"}
RECORD = "/applications(uniqueName='mailops-record')"
APP = "/applications(uniqueName='mailops-smtp-sender')"


@pytest.fixture
def api(start: Start) -> Api:
    return start()


@pytest.fixture
def play(api: Api, tmp_path: Path) -> Play:
    return Play(api, tmp_path)


def actions(result: dict[str, Any]) -> list[tuple[str, str]]:
    assert "failed" not in result, result
    return [(change["action"], change["kind"]) for change in result["changes"]]


def delete_application(api: Api, *, purge_principal: bool = False) -> dict[str, Any]:
    application: dict[str, Any] = api.graph("GET", APP).json()
    principal = api.graph("GET", f"/servicePrincipals(appId='{application['appId']}')").json()
    assert api.graph("DELETE", f"/applications/{application['id']}").status_code == 204
    if purge_principal:
        assert api.graph("DELETE", f"/directory/deletedItems/{principal['id']}").status_code == 204
    return application


@pytest.mark.parametrize("purge_principal", [False, True])
def test_a_deleted_application_is_restored_with_its_client_id(play: Play, api: Api, purge_principal: bool) -> None:
    play(MAIL)
    deleted = delete_application(api, purge_principal=purge_principal)
    checked = play(MAIL, check_mode=True)
    assert ("restore", "application") in actions(checked)
    assert api.graph("GET", APP).status_code == 404
    assert ("restore", "application") in actions(play(MAIL))
    application = api.graph("GET", APP).json()
    assert (application["id"], application["appId"]) == (deleted["id"], deleted["appId"])
    assert not play(MAIL)["changed"]


def test_a_deleted_record_is_restored_and_written_again(play: Play, api: Api) -> None:
    play(MAIL)
    record = api.graph("GET", RECORD).json()
    assert api.graph("DELETE", f"/applications/{record['id']}").status_code == 204
    assert "failed" not in play(MAIL, OPS)
    restored = api.graph("GET", RECORD).json()
    assert restored["id"] == record["id"]
    assert any(OPS["address"] in tag for tag in restored["tags"])
    assert not play(MAIL, OPS)["changed"]


def test_a_sender_that_left_the_list_meanwhile_loses_its_permissions(play: Play, api: Api) -> None:
    play(MAIL, OPS)
    delete_application(api)
    play(OPS)
    assert not play(OPS)["changed"]
    [mailbox] = [one for one in play.state()["mailboxes"] if one["address"] == "noreply@contoso.com"]
    assert not mailbox.get("grants")


def test_a_unique_name_of_a_purged_application_is_refused_with_what_to_do(play: Play, api: Api) -> None:
    play(MAIL)
    deleted = delete_application(api)
    assert api.graph("DELETE", f"/directory/deletedItems/{deleted['id']}").status_code == 204
    result = play(MAIL)
    assert "a deleted one reserves it for 30 days" in result["msg"]
    assert play(MAIL, app_unique_name="mailops-smtp-sender-2")["changed"]
