"""/auditLogs/signIns, fed by the sign-ins of client submission."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.emulator.conftest import EXCHANGE, STATE, TENANT, Api, Start, app_id

PREMIUM = [{"sku": "SPE_E3", "purchased": 10}]
LISTED = "/auditLogs/signIns"


def mailbox(name: str, **more: Any) -> dict[str, Any]:
    return {"address": f"{name}@contoso.com", "password": "a password", "smtp_client_authentication_disabled": False} | more


def sign_in(api: Api, name: str, password: str = "a password") -> str:  # noqa: S107 (of a played mailbox)
    """Who tries AUTH LOGIN; the reply, or nothing where it was taken."""
    cloud = api.emulator.cloud
    with smtplib.SMTP(cloud["smtp_host"], cloud["smtp_port"], timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
        client.ehlo()
        client.user, client.password = f"{name}@contoso.com", password
        with contextlib.suppress(smtplib.SMTPAuthenticationError):
            client.auth("LOGIN", client.auth_login)
            return ""
        return "refused"


def listed(api: Api, **options: str) -> list[dict[str, Any]]:
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    answer = api.graph("GET", f"{LISTED}?{query}" if query else LISTED)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["value"])


def test_password_sign_ins_are_logged(start: Start) -> None:
    boxes = [mailbox("erp"), mailbox("scanner"), mailbox("off", smtp_client_authentication_disabled=True)]
    api = start(tenant={"mailboxes": boxes, "licences": PREMIUM})
    assert sign_in(api, "erp") == ""
    assert [sign_in(api, name, "wrong") for name in ("scanner", "off", "nobody")] == ["refused"] * 3
    api.admin.change(TENANT, security_defaults=True)
    assert sign_in(api, "erp") == "refused"
    matches = [(one["userPrincipalName"], one["status"]["errorCode"]) for one in listed(api)]
    # newest first; what Exchange refuses by its own switches never reaches Entra
    assert matches == [("erp@contoso.com", 530035), ("scanner@contoso.com", 50126), ("erp@contoso.com", 0)]
    (first,) = listed(api, filter="clientAppUsed eq 'Authenticated SMTP' and status/errorCode eq 0")
    assert first["ipAddress"] == "127.0.0.1"
    assert first["resourceDisplayName"] == "Office 365 Exchange Online"
    assert first["isInteractive"] is True
    assert api.graph("GET", f"{LISTED}/{first['id']}").json()["userPrincipalName"] == "erp@contoso.com"


def test_sign_ins_of_an_application_are_a_kind_of_their_own_with_the_key(start: Start) -> None:
    secrets = [{"value": "first", "key_id": "key 1"}, {"value": "second", "key_id": "key 2"}]
    mailer = {"display_name": "mailer", "secrets": secrets, "service_principal": {}}
    api = start(tenant={"licences": PREMIUM, "applications": [*STATE["tenants"][0]["applications"], mailer]})
    api.new_token("mailer", EXCHANGE, client_secret="second")
    assert listed(api) == [], "interactive sign-ins only, unless a query names a kind"
    kind = f"signInEventTypes/any(t:t eq 'servicePrincipal') and appId eq '{app_id('mailer')}'"
    [row] = api.graph("GET", f"{api.emulator.cloud['graph']}/beta{LISTED}?$filter={quote(kind)}").json()["value"]
    assert (row["appId"], row["servicePrincipalName"], row["userPrincipalName"]) == (app_id("mailer"), "mailer", "")
    assert (row["servicePrincipalCredentialKeyId"], row["status"]["errorCode"]) == ("key 2", 0)
    version_1 = quote("servicePrincipalCredentialKeyId eq 'key 2'")
    assert api.graph("GET", f"{LISTED}?$filter={version_1}").status_code == 400, "only beta has the property"


def test_the_log_needs_entra_id_p1_and_two_permissions(start: Start) -> None:
    api = start()
    error = api.graph("GET", LISTED).json()["error"]
    assert (error["code"], error["message"]) == (
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )
    denied = api.graph("GET", LISTED, app="reader")
    assert (denied.status_code, denied.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


def sign_in_records(moments: list[float], **more: Any) -> list[dict[str, Any]]:
    return [{"user": "ops@contoso.com", "created": moment} | more for moment in moments]


def test_times_filter_and_thirty_days_are_kept(start: Start) -> None:
    now = datetime.now(UTC).timestamp()
    days = [40, 20, 10, 1]
    api = start(tenant={"licences": PREMIUM, "sign_ins": sign_in_records([now - day * 86400 for day in days])})
    assert len(listed(api)) == 3
    since, until = (datetime.fromtimestamp(now - day * 86400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for day in (15, 5))
    assert len(listed(api, filter=f"createdDateTime ge {since}")) == 2
    assert len(listed(api, filter=f"createdDateTime ge {since} and createdDateTime lt {until}")) == 1
    refused = api.graph("GET", f"{LISTED}?$filter=createdDateTime ge yesterday")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BadRequest")


def test_pages_of_a_thousand(start: Start) -> None:
    now = datetime.now(UTC).timestamp()
    api = start(tenant={"licences": PREMIUM, "sign_ins": sign_in_records([now - 5000 + n for n in range(2_300)], client_app="SMTP")})
    sizes, url = [], f"{LISTED}?$filter=clientAppUsed eq 'SMTP'"
    while url:
        answer = api.graph("GET", url).json()
        sizes.append(len(answer["value"]))
        url = answer.get("@odata.nextLink", "")
    assert sizes == [1000, 1000, 300]
    assert api.graph("GET", f"{LISTED}?$top=1001").status_code == 400


def test_five_requests_in_ten_seconds(start: Start) -> None:
    api = start(tenant={"licences": PREMIUM})
    api.admin.stop_clock()
    assert [api.graph("GET", LISTED).status_code for _ in range(6)] == [200] * 5 + [429]
    assert 1 <= int(api.graph("GET", LISTED).headers["Retry-After"]) <= 10
    api.admin.advance(11)
    assert api.graph("GET", LISTED).status_code == 200


def test_the_log_is_part_of_the_state(start: Start) -> None:
    entry = {"user": "ops@contoso.com", "created": 1_790_000_000.0, "error_code": 53003, "conditional_access": "failure"}
    api = start(tenant={"licences": PREMIUM, "sign_ins": [entry]})
    (document,) = api.admin.tenant(TENANT)["sign_ins"]
    assert document == document | entry | {"display_name": "ops", "client_app": "Authenticated SMTP"}
    api.admin.change(TENANT, sign_ins=[document, document | {"id": "another"}])
    assert len(api.admin.tenant(TENANT)["sign_ins"]) == 2
