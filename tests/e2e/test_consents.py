"""Consents to permissions of the sender app: those that an earlier run granted end with the senders that need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import TENANT, Start

from .tenant_play import Play

ERP = {"name": "ERP", "method": "oauth", "address": "noreply@contoso.com"}
BULK = {"name": "Bulk", "method": "hve", "recipients": "internal", "oauth": True, "address": "bulk@contoso.com"}
BASIC_BULK = {**BULK, "oauth": False}
SEND_AS, MAIL_SEND = "Office 365 Exchange Online/SMTP.SendAsApp", "Office 365 Exchange Online/Mail.Send"
OPTIONS: dict[str, Any] = {"inventory": {"hve_account_password": "a-long-password"}}
APP = "mailops-smtp-sender"


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(tenant={"security_defaults": False}), tmp_path)


def app(play: Play) -> dict[str, Any]:
    return next(one for one in play.state()["applications"] if one["unique_name"] == APP)


def consents(play: Play) -> list[str]:
    return sorted(role["role"] for role in app(play)["service_principal"]["app_roles"])


def required(play: Play) -> int:
    return sum(len(api["resourceAccess"]) for api in app(play)["properties"]["requiredResourceAccess"])


def removed(result: dict[str, Any]) -> list[str]:
    return [change["key"] for change in result["changes"] if (change["kind"], change["action"]) == ("consent", "remove")]


def test_a_consent_ends_with_the_last_sender_that_needs_it(play: Play) -> None:
    assert "failed" not in play(ERP, BULK, **OPTIONS)
    assert (consents(play), required(play)) == ([MAIL_SEND, SEND_AS], 2)
    planned = play(ERP, BASIC_BULK, check_mode=True, **OPTIONS)
    applied = play(ERP, BASIC_BULK, **OPTIONS)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    assert removed(applied) == [f"consent:{APP} office 365 exchange online: mail.send (application)"]
    assert (consents(play), required(play)) == ([SEND_AS], 1)
    assert not play(ERP, BASIC_BULK, **OPTIONS)["changed"]
    assert "failed" not in play(ERP, BULK, **OPTIONS)
    assert consents(play) == [MAIL_SEND, SEND_AS]


def test_an_application_that_stays_without_senders_loses_its_consents(play: Play) -> None:
    assert "failed" not in play(ERP, BULK, **OPTIONS)
    applied = play(**OPTIONS)
    assert "failed" not in applied, applied
    assert applied["app"] is None
    assert (consents(play), required(play)) == ([], 0)
    assert not play(**OPTIONS)["changed"]


def test_another_application_of_the_senders_ends_the_consents_of_the_former_one(play: Play) -> None:
    assert "failed" not in play(ERP, **OPTIONS)
    applied = play(ERP, app_unique_name="other-sender", **OPTIONS)
    assert "failed" not in applied, applied
    assert applied["app"]["unique_name"] == "other-sender"
    assert consents(play) == []
    assert not play(ERP, app_unique_name="other-sender", **OPTIONS)["changed"]


def test_a_consent_that_somebody_else_granted_stays(play: Play) -> None:
    assert "failed" not in play(ERP, **OPTIONS)
    principal = app(play)["service_principal"]
    roles = [*principal["app_roles"], {"role": MAIL_SEND}]
    play.api.admin.change(TENANT, "applications", app(play)["app_id"], service_principal=principal | {"app_roles": roles})
    assert "failed" not in play(ERP, BULK, **OPTIONS)
    applied = play(ERP, BASIC_BULK, **OPTIONS)
    assert removed(applied) == []
    assert consents(play) == [MAIL_SEND, SEND_AS]


def test_the_removal_of_a_tenant_revokes_it_from_an_application_that_somebody_else_created(
    start: Start, state: dict[str, Any], tmp_path: Path
) -> None:
    own = {"display_name": APP, "unique_name": APP, "service_principal": {"app_roles": [MAIL_SEND]}}
    play = Play(start(tenant={"applications": [*state["tenants"][0]["applications"], own]}), tmp_path)
    assert "failed" not in play(ERP, **OPTIONS)
    assert consents(play) == [MAIL_SEND, SEND_AS]
    removed_all = play(state="absent")
    assert "failed" not in removed_all, removed_all
    assert consents(play) == [MAIL_SEND]


def test_a_consent_that_another_owner_needs_is_that_owners(play: Play) -> None:
    assert "failed" not in play(BULK, **OPTIONS)
    other = {**BULK, "name": "Mass", "address": "mass@contoso.com"}
    assert "failed" not in play(other, owner="branch", **OPTIONS)
    applied = play(BASIC_BULK, **OPTIONS)
    assert removed(applied) == []
    assert not play(other, owner="branch", **OPTIONS)["changed"]
    assert consents(play) == [MAIL_SEND]
    last = play(owner="branch", **OPTIONS)
    assert removed(last) == [f"consent:{APP} office 365 exchange online: mail.send (application)"]
    assert consents(play) == []


# -- delegated permissions --------------------------------------------------------------------------------------------

DELEGATED = [
    {"name": "SMTP.SendAsApp"},
    {"name": "SMTP.Send", "type": "delegated"},
    {"name": "offline_access", "api": "graph", "type": "delegated"},
]
SMTP_SEND = f"consent:{APP} office 365 exchange online: smtp.send (delegated)"
OFFLINE = f"consent:{APP} microsoft graph: offline_access (delegated)"


def grants(play: Play) -> list[str]:
    """The scopes of the grants for all users of the sender app."""
    path = f"/servicePrincipals(appId='{app(play)['app_id']}')/oauth2PermissionGrants"
    return sorted(grant["scope"] for grant in play.api.graph("GET", path).json()["value"])


def listed(permissions: list[dict[str, str]]) -> dict[str, Any]:
    return {"inventory": {"entra_app_permissions": permissions}}


def test_delegated_consents_end_with_the_list_that_needs_them(play: Play) -> None:
    assert "failed" not in play(ERP, **listed(DELEGATED))
    assert grants(play) == ["SMTP.Send", "offline_access"]
    planned = play(ERP, check_mode=True, **listed(DELEGATED[:1]))
    applied = play(ERP, **listed(DELEGATED[:1]))
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    assert sorted(removed(applied)) == [OFFLINE, SMTP_SEND]
    assert {change["risk"] for change in applied["changes"] if change["kind"] == "consent"} == {"removes"}
    assert (grants(play), required(play)) == ([], 1)
    assert not play(ERP, **listed(DELEGATED[:1]))["changed"]


def test_a_delegated_consent_that_somebody_else_granted_stays(play: Play) -> None:
    assert "failed" not in play(ERP, **listed(DELEGATED[:1]))
    principal = play.api.graph("GET", f"/servicePrincipals(appId='{app(play)['app_id']}')").json()["id"]
    resource = play.api.graph("GET", "/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')").json()["id"]
    body = {"clientId": principal, "consentType": "AllPrincipals", "resourceId": resource, "scope": "POP.AccessAsUser.All"}
    assert play.api.graph("POST", "/oauth2PermissionGrants", body).status_code == 201
    assert "failed" not in play(ERP, **listed(DELEGATED))
    assert grants(play) == ["POP.AccessAsUser.All SMTP.Send", "offline_access"]
    applied = play(ERP, **listed(DELEGATED[:1]))
    assert sorted(removed(applied)) == [OFFLINE, SMTP_SEND]
    assert grants(play) == ["POP.AccessAsUser.All"]


def test_an_application_that_stays_without_senders_loses_its_delegated_consents(play: Play) -> None:
    assert "failed" not in play(ERP, **listed(DELEGATED))
    applied = play()
    assert "failed" not in applied, applied
    assert (consents(play), grants(play), required(play)) == ([], [], 0)
    assert not play()["changed"]
