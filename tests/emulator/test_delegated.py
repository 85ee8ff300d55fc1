"""Users who sign in themselves: device code and refresh tokens, with an unmodified msal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import msal
import pytest

from emulator.launcher import Emulator
from tests.emulator.conftest import TENANT, Api, Start, app_id

SMTP_SEND = "https://outlook.office.com/SMTP.Send"
ADA, PASSWORD = "ada@contoso.com", "correct horse battery"
PRINCIPAL = "33333333-0000-4000-8000-000000000001"
EXCHANGE_SP, GRAPH_SP = "33333333-0000-4000-8000-000000000002", "33333333-0000-4000-8000-000000000003"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def tenant(*, scope: str = "SMTP.Send", resource: str = EXCHANGE_SP, public: bool = True, **user: Any) -> dict[str, Any]:
    """A tenant with one application and one user; an empty scope: no consent."""
    grants = [{"client_id": PRINCIPAL, "resource_id": resource, "scope": scope}] if scope else []
    return {
        "applications": [
            {
                "display_name": "sender",
                "secrets": [{"value": "sender-secret"}],
                "properties": {"isFallbackPublicClient": public},
                "service_principal": {"id": PRINCIPAL},
            }
        ],
        "enterprise_applications": [
            {"app_id": "00000002-0000-0ff1-ce00-000000000000", "id": EXCHANGE_SP},
            {"app_id": "00000003-0000-0000-c000-000000000000", "id": GRAPH_SP},
        ],
        "delegated_grants": grants,
        "mailboxes": [{"address": ADA, "display_name": "Ada", "password": PASSWORD, "user": user}],
    }


@pytest.fixture
def api(start: Start) -> Api:
    return start({"device_code_interval": 1}, tenant())


def client(api: Api) -> msal.PublicClientApplication:
    """Instance discovery would ask Microsoft's own host."""
    authority = f"{api.emulator.cloud['authority']}/{TENANT}"
    return msal.PublicClientApplication(app_id("sender"), authority=authority, http_client=api.session, instance_discovery=False)


def device(api: Api, **more: str) -> dict[str, Any]:
    """The answer of the device authorization endpoint."""
    url = f"{api.emulator.cloud['authority']}/{TENANT}/oauth2/v2.0/devicecode"
    form = {"client_id": app_id("sender"), "scope": f"{SMTP_SEND} offline_access openid profile"} | more
    return dict(api.session.post(url, data=form).json())


def poll(api: Api, code: dict[str, Any], **more: str) -> dict[str, Any]:
    form = {"grant_type": DEVICE, "client_id": app_id("sender"), "device_code": code["device_code"]} | more
    return dict(api.token_answer(**form).json())


def signed_in(api: Api, **more: bool) -> dict[str, Any]:
    """What the client gets once Ada has signed in."""
    code = device(api)
    api.admin.enter_code(code["user_code"], ADA, PASSWORD, **more)
    return poll(api, code)


def refreshed(api: Api, refresh_token: str, **more: str) -> dict[str, Any]:
    form = {"grant_type": "refresh_token", "client_id": app_id("sender"), "refresh_token": refresh_token, "scope": SMTP_SEND} | more
    return dict(api.token_answer(**form).json())


def code_of(answer: dict[str, Any]) -> tuple[str, int]:
    return answer["error"], answer["error_codes"][0]


def test_msal_signs_a_user_in_and_refreshes(api: Api) -> None:
    app = client(api)
    flow = app.initiate_device_flow([SMTP_SEND])
    assert flow["message"] == (
        f"To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code {flow['user_code']} to "
        "authenticate."
    )
    assert [(one["user_code"], one["state"]) for one in api.admin.device_codes()] == [(flow["user_code"], "pending")]
    assert api.admin.enter_code(flow["user_code"], ADA, PASSWORD)["state"] == "approved"
    result = app.acquire_token_by_device_flow(flow)
    assert result["id_token_claims"]["preferred_username"] == ADA
    assert [account["username"] for account in app.get_accounts()] == [ADA]
    claims = jwt.decode(result["access_token"], options={"verify_signature": False})
    expected = {
        "aud": "https://outlook.office.com",
        "scp": "SMTP.Send",
        "upn": ADA,
        "tid": TENANT,
        "appid": app_id("sender"),
        "appidacr": "0",
    }
    assert expected.items() <= claims.items()
    assert "roles" not in claims
    again = app.acquire_token_by_refresh_token(result["refresh_token"], [SMTP_SEND])
    assert again["refresh_token"] != result["refresh_token"]
    silent = app.acquire_token_silent([SMTP_SEND], app.get_accounts()[0], force_refresh=True)
    assert silent["access_token"] not in (result["access_token"], again["access_token"])


def test_polls_before_the_user_came(api: Api) -> None:
    code = device(api)
    assert (code["expires_in"], code["interval"]) == (900, 1)
    assert code_of(poll(api, code)) == ("authorization_pending", 70016)


def test_polling_too_fast_is_refused(start: Start) -> None:
    api = start({"device_code_interval": 60}, tenant())
    api.admin.stop_clock()
    code = device(api)
    assert poll(api, code)["error"] == "authorization_pending"
    assert poll(api, code)["error"] == "slow_down"


def test_device_code_is_redeemed_once(api: Api) -> None:
    code = device(api)
    api.admin.enter_code(code["user_code"], ADA, PASSWORD)
    assert "access_token" in poll(api, code)
    assert code_of(poll(api, code)) == ("bad_verification_code", 70018)


def test_a_code_expires(api: Api) -> None:
    code = device(api)
    api.admin.advance(901)
    assert code_of(poll(api, code)) == ("expired_token", 70020)
    with pytest.raises(ValueError, match="AADSTS70018"):
        api.admin.enter_code(code["user_code"], ADA, PASSWORD)


def test_the_user_declines(api: Api) -> None:
    code = device(api)
    assert api.admin.enter_code(code["user_code"], decline=True)["state"] == "declined"
    assert poll(api, code)["error"] == "authorization_declined"


@pytest.mark.parametrize(
    ("user", "password", "expected"),
    [(ADA, "wrong", "AADSTS50126"), ("nobody@contoso.com", PASSWORD, "AADSTS50034")],
)
def test_a_refused_sign_in_leaves_the_code_waiting(api: Api, user: str, password: str, expected: str) -> None:
    code = device(api)
    with pytest.raises(ValueError, match=expected):
        api.admin.enter_code(code["user_code"], user, password)
    assert poll(api, code)["error"] == "authorization_pending"


def test_second_factor(start: Start) -> None:
    api = start({"device_code_interval": 1}, tenant(mfa=True))
    code = device(api)
    with pytest.raises(ValueError, match="AADSTS50076"):
        api.admin.enter_code(code["user_code"], ADA, PASSWORD)
    api.admin.enter_code(code["user_code"], ADA, PASSWORD, mfa=True)
    result = poll(api, code)
    assert jwt.decode(result["access_token"], options={"verify_signature": False})["amr"] == ["pwd", "mfa"]
    assert "access_token" in refreshed(api, result["refresh_token"])


def test_later_required_second_factor_invalidates_the_refresh_token(api: Api) -> None:
    result = signed_in(api)
    api.admin.change("contoso.com", "mailboxes", ADA, user={"mfa": True})
    assert code_of(refreshed(api, result["refresh_token"])) == ("invalid_grant", 50076)


def test_missing_user_consent_is_refused(start: Start) -> None:
    api = start({"device_code_interval": 1}, tenant(scope=""))
    code = device(api)
    with pytest.raises(ValueError, match="AADSTS65001"):
        api.admin.enter_code(code["user_code"], ADA, PASSWORD)
    answer = poll(api, code)
    assert code_of(answer) == ("invalid_grant", 65001)
    assert answer["suberror"] == "consent_required"
    assert f"'{app_id('sender')}' named 'sender'" in answer["error_description"]


def test_the_user_consents(start: Start) -> None:
    api = start({"device_code_interval": 1}, tenant(scope=""))
    assert "access_token" in signed_in(api, consent=True)
    grants = api.admin.tenant("contoso.com")["delegated_grants"]
    assert [(grant["scope"], grant["principal_id"] is None) for grant in grants] == [("SMTP.Send", False)]


def test_consent_under_graphs_scope_serves_exchange(start: Start) -> None:
    api = start({"device_code_interval": 1}, tenant(resource=GRAPH_SP))
    claims = jwt.decode(signed_in(api)["access_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["scp"]) == ("https://outlook.office.com", "SMTP.Send")


def test_withdrawn_consent_invalidates_the_refresh_token(api: Api) -> None:
    result = signed_in(api)
    grant = api.admin.tenant("contoso.com")["delegated_grants"][0]
    api.admin.delete("contoso.com", "delegated_grants", grant["id"])
    assert code_of(refreshed(api, result["refresh_token"])) == ("invalid_grant", 65001)


def test_refresh_token_expires_by_inactivity(api: Api) -> None:
    result = signed_in(api)
    api.admin.advance(60 * 86400)
    rotated = refreshed(api, result["refresh_token"], scope=f"{SMTP_SEND} offline_access")
    api.admin.advance(60 * 86400)
    answer = refreshed(api, result["refresh_token"])
    assert code_of(answer) == ("invalid_grant", 700082)
    assert "was inactive for 90.00:00:00." in answer["error_description"]
    assert "access_token" in refreshed(api, rotated["refresh_token"])  # its own days have begun at its issue


def test_revoked_refresh_token(api: Api) -> None:
    result = signed_in(api)
    api.admin.revoke("contoso.com", ADA)
    assert code_of(refreshed(api, result["refresh_token"])) == ("invalid_grant", 50173)
    assert "access_token" in refreshed(api, signed_in(api)["refresh_token"])


def test_disabled_user(api: Api) -> None:
    result = signed_in(api)
    api.admin.change("contoso.com", "mailboxes", ADA, user={"enabled": False})
    assert code_of(refreshed(api, result["refresh_token"])) == ("invalid_grant", 50057)


def test_unknown_refresh_token_and_another_clients(api: Api) -> None:
    assert code_of(refreshed(api, "1.nonsense")) == ("invalid_grant", 70000)
    assert api.token_answer(grant_type="refresh_token", client_id=app_id("sender")).json()["error_codes"] == [900144]


def test_confidential_client_must_authenticate(start: Start) -> None:
    api = start({"device_code_interval": 1}, tenant(public=False))
    code = device(api)
    api.admin.enter_code(code["user_code"], ADA, PASSWORD)
    answer = poll(api, code)
    assert code_of(answer) == ("invalid_client", 7000218)
    assert "access_token" in poll(api, code, client_secret="sender-secret")


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("", 900144),
        ("https://outlook.office.com/Nonsense", 650053),
        (f"{SMTP_SEND} https://graph.microsoft.com/User.Read", 28000),
        ("https://vault.azure.net/user_impersonation", 500011),
    ],
)
def test_bad_scopes(api: Api, scope: str, code: int) -> None:
    assert device(api, scope=scope)["error_codes"] == [code]


def test_default_scope_and_own_origin(api: Api) -> None:
    origin = api.emulator.cloud["exchange"]
    code = device(api, scope=f"{origin}/.default")
    api.admin.enter_code(code["user_code"], ADA, PASSWORD)
    result = poll(api, code)
    assert result["scope"] == f"{origin}/SMTP.Send"
    assert "refresh_token" not in result  # offline_access was not requested
    assert "id_token" not in result


def test_a_user_administers_with_roles_of_his_own(start: Start) -> None:
    state = tenant(scope="Exchange.Manage", directory_roles=["Exchange Administrator"])
    state["delegated_grants"].append({"client_id": PRINCIPAL, "resource_id": GRAPH_SP, "scope": "Application.Read.All"})
    api = start({"device_code_interval": 1}, state)
    answers = []
    for scope in ("https://outlook.office365.com/Exchange.Manage", "https://graph.microsoft.com/Application.Read.All"):
        code = device(api, scope=scope)
        api.admin.enter_code(code["user_code"], ADA, PASSWORD)
        answers.append({"Authorization": f"Bearer {poll(api, code)['access_token']}"})
    body = {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": {}}}
    assert api.session.post(api.exchange_url(), json=body, headers=answers[0]).status_code == 200
    assert api.session.get(f"{api.emulator.cloud['graph']}/v1.0/applications", headers=answers[1]).status_code == 200


def test_tokens_survive_a_save_and_no_file_holds_one(tmp_path: Path, state: dict[str, Any]) -> None:
    record = tmp_path / "record.jsonl"
    document = state | {"settings": {"device_code_interval": 1}}
    document["tenants"] = [state["tenants"][0] | tenant(), *state["tenants"][1:]]
    with Emulator(document, directory=tmp_path / "one", save=True, record=record) as emulator:
        api = Api(emulator)
        pending, result = device(api), signed_in(api)
        listed = json.dumps([emulator.admin.tenant("contoso.com"), emulator.admin.device_codes()])
    saved = (tmp_path / "one" / "state.json").read_text(encoding="utf-8")
    for text in (listed, saved, record.read_text(encoding="utf-8"), emulator.stderr()):
        for secret in (pending["device_code"], result["refresh_token"], result["access_token"]):
            assert secret not in text
    with Emulator(tmp_path / "one" / "state.json", directory=tmp_path / "two") as emulator:
        assert refreshed(Api(emulator), result["refresh_token"])["expires_in"] == 3599
