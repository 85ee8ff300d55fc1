"""High Volume Email: its cmdlets, and what its server answers to what they set."""

from __future__ import annotations

import shutil
import smtplib
import ssl
import subprocess
from typing import Any

import pytest

from tests.emulator.conftest import EXCHANGE, Api, Start, app_id
from tests.emulator.smtp_lab import reply_text, send, xoauth2_blob

ACCOUNT, PASSWORD = "alarms@contoso.com", "a long enough password"
SCOPE = "https://outlook.office.com/.default"
INSIDE = "ops@contoso.com"
MESSAGE = b"From: Alarms <alarms@contoso.com>\r\nTo: ops@contoso.com\r\nSubject: test\r\nMessage-ID: <1@contoso.com>\r\n\r\nhello\r\n"
SENDER = {
    "display_name": "sender",
    "secrets": [{"value": "sender-secret"}],
    "service_principal": {"app_roles": ["Office 365 Exchange Online/Mail.Send"]},
}
CLASSIC = SENDER | {"display_name": "classic", "secrets": [{"value": "classic-secret"}]}
CLASSIC |= {"service_principal": {"app_roles": ["Office 365 Exchange Online/SMTP.SendAsApp"]}}
NEW = {"Name": "alarms", "DisplayName": "Alarms", "PrimarySmtpAddress": ACCOUNT, "Password": PASSWORD, "HVEAccount": True}


@pytest.fixture
def api(start: Start, state: dict[str, Any]) -> Api:
    """A tenant whose SMTP AUTH is off and that has a billing policy."""
    applications = [*state["tenants"][0]["applications"], SENDER, CLASSIC]
    mailboxes = [{"address": INSIDE, "password": PASSWORD}]
    tenant = {"applications": applications, "smtp_client_authentication_disabled": True, "mailboxes": mailboxes}
    return start(tenant=tenant | {"billing_policies": [{"name": "Pay as you go"}]})


def connect(api: Api) -> smtplib.SMTP:
    client = smtplib.SMTP(api.emulator.cloud["hve_host"], api.emulator.cloud["hve_port"], "client.example.net", timeout=20)
    client.ehlo()
    client.starttls(context=ssl.create_default_context(cafile=api.emulator.cloud["ca_file"]))
    client.ehlo()
    return client


def submit(api: Api, app: str = "sender", scope: str = SCOPE, user: str = ACCOUNT, **envelope: Any) -> str:
    """The first reply that refuses the application's message, else the last one."""
    with connect(api) as client:
        answer = reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob(user, api.token(app, scope))}"))
        if not answer.startswith("235"):
            return answer
        return send(client, **{"sender": ACCOUNT, "recipients": (INSIDE,), "message": MESSAGE} | envelope)


def principal(api: Api, app: str = "sender") -> str:
    return str(api.graph("GET", f"/servicePrincipals(appId='{app_id(app)}')").json()["id"])


def ready(api: Api) -> None:
    """Everything is as it must be."""
    api.rows("New-MailUser", NEW)
    api.rows("Add-HVEAppAccess", {"Identity": ACCOUNT, "AppIds": [principal(api)]})
    [policy] = api.rows("Get-BillingPolicy", {"ResourceType": "HVE"})
    api.rows("Set-HVEAccountBillingPolicy", {"Identity": ACCOUNT, "BillingPolicyId": policy["BillingPolicyId"]})


def test_each_step_of_setting_up_an_account_moves_the_refusal(api: Api) -> None:
    assert submit(api).startswith("535 5.7.3 ")
    api.rows("New-MailUser", NEW)
    assert submit(api, "classic").startswith("535 5.7.144 XOAUTH2 authentication failed. Invalid API permissions")
    assert submit(api, scope=EXCHANGE).startswith("535 5.7.3 ")
    assert submit(api) == "550 5.7.240 The application is not allowed for use with this High Volume Email account"
    api.rows("Add-HVEAppAccess", {"Identity": ACCOUNT, "AppIds": [principal(api)]})
    assert submit(api) == "550 5.7.1 The High Volume Email account has no valid billing policy (NoProperBillingPolicyStored)"
    [policy] = api.rows("Get-BillingPolicy", {"ResourceType": "HVE"})
    api.rows("Set-HVEAccountBillingPolicy", {"Identity": ACCOUNT, "BillingPolicyId": policy["BillingPolicyId"]})
    assert submit(api).startswith("250 2.0.0 OK <1@contoso.com>")
    [message] = api.admin.messages(tenant="contoso.com")
    assert (message["via"], message["authenticated_as"], message["app_id"]) == ("hve", ACCOUNT, app_id("sender"))

    api.admin.change("contoso.com", "billing_policies", "Pay as you go", status="SubscriptionIsNotActive")
    assert submit(api).endswith("(SubscriptionIsNotActive)")
    api.rows("Set-HVEAccountBillingPolicy", {"Identity": ACCOUNT, "BillingPolicyId": ""})
    assert submit(api).endswith("(NoProperBillingPolicyStored)")
    assert api.emulator.stderr() == ""


def test_what_an_account_may_not_send(api: Api) -> None:
    ready(api)
    assert submit(api, sender="noreply@contoso.com").startswith("550 5.7.62 ")
    assert submit(api, message=MESSAGE.replace(b"alarms@", b"noreply@")).startswith("550 5.6.241 ")
    assert submit(api, recipients=("x@example.net",)).startswith("550 5.5.105 External sending is not supported for High Volume Email")
    assert submit(api, recipients=(INSIDE,) * 50).startswith("250 ")
    assert submit(api, recipients=(INSIDE,) * 51).startswith("452 4.5.3 ")
    assert submit(api, message=MESSAGE + b"x" * 78 * (10 * 1024 * 1024 // 78)).startswith("552 5.3.4 ")
    assert submit(api, user=INSIDE, sender=INSIDE).startswith("550 5.2.240 ")
    assert submit(api, user="nobody@contoso.com").startswith("535 5.7.3 ")


def test_a_token_that_ends_soon_is_not_taken(api: Api) -> None:
    ready(api)
    token = api.token("sender", SCOPE)
    api.admin.advance(2900)
    assert submit(api).startswith("250 ")
    api.admin.advance(200)
    assert submit(api) == "501 5.5.127 Invalid XOAUTH2 auth data - Token will expire soon"
    api.admin.advance(600)
    assert submit(api).startswith("535 5.7.143 ")
    api.forget_tokens()
    assert submit(api).startswith("250 ")
    assert token != api.token("sender", SCOPE)


def test_password_signs_in_unless_security_defaults_are_enabled(api: Api) -> None:
    ready(api)

    def answer(user: str = ACCOUNT, password: str = PASSWORD) -> str:
        with connect(api) as client:
            try:
                return reply_text(client.login(user, password))
            except smtplib.SMTPAuthenticationError as error:
                return f"{error.smtp_code} {bytes(error.smtp_error).decode()}"

    assert answer().startswith("235 ")  # although the tenant's SMTP AUTH is off
    assert answer(password="wrong").startswith("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.")
    assert answer(user="nobody@contoso.com").startswith("535 5.7.3 ")
    api.rows("Enable-OrganizationCustomization")
    api.rows("New-AuthenticationPolicy", {"Name": "No basic"})
    api.rows("Set-OrganizationConfig", {"DefaultAuthenticationPolicy": "No basic"})
    assert answer().startswith("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.")
    api.rows("Set-AuthenticationPolicy", {"Identity": "No basic", "AllowBasicAuthSmtp": True})
    api.admin.change("contoso.com", security_defaults=True)
    assert answer().startswith(
        "535 5.7.139 Authentication unsuccessful, the organization configuration does not allow this authentication method"
    )
    assert submit(api).startswith("250 ")


def test_app_access_has_a_replication_delay(start: Start, state: dict[str, Any]) -> None:
    applications = [*state["tenants"][0]["applications"], SENDER]
    tenant = {"applications": applications, "billing_policies": [{"name": "Pay as you go"}]}
    api = start(tenant=tenant, settings={"lag": {"hve_app_access": 300}})
    api.admin.stop_clock()
    ready(api)
    assert submit(api).startswith("550 5.7.240 ")
    api.admin.advance(300)
    assert submit(api).startswith("250 ")


def test_settings_and_apps_are_kept_and_read_back(api: Api, start: Start, state: dict[str, Any]) -> None:
    ready(api)
    api.rows("Set-HVEAccountSettings", {"Identity": ACCOUNT, "ReplyTo": INSIDE})
    assert api.rows("Get-HVEAccountSettings", {"Identity": ACCOUNT}) == [
        {"Identity": ACCOUNT, "ReplyTo": INSIDE, "AllowedApps": [principal(api)]}
    ]
    [billing] = api.rows("Get-HVEAccountBillingPolicy", {"Identity": ACCOUNT})
    assert (billing["BillingPolicyName"], billing["BillingPolicyStatus"]) == ("Pay as you go", "BillingPolicyValid")
    [user] = api.rows("Get-MailUser", {"HVEAccount": True, "ResultSize": "Unlimited"})
    assert (user["PrimarySmtpAddress"], user["DisplayName"], user["RecipientType"]) == (ACCOUNT, "Alarms", "MailUser")
    submit(api)
    assert api.admin.raw_message(1).startswith(b"Reply-To: ops@contoso.com\r\nFrom: Alarms")
    kept = api.admin.tenant("contoso.com")
    again = start(tenant={name: kept[name] for name in ("applications", "hve_accounts", "billing_policies", "mailboxes")})
    assert again.admin.tenant("contoso.com")["hve_accounts"] == kept["hve_accounts"]
    api.rows("Set-MailUser", {"Identity": user["Guid"], "HVEAccount": True, "DisplayName": "Alarm centre"})
    api.rows("Set-HVEAccountSettings", {"Identity": ACCOUNT, "ReplyTo": ""})
    api.rows("Remove-HVEAppAccess", {"Identity": ACCOUNT, "AppIds": [principal(api)]})
    [settings] = api.rows("Get-HVEAccountSettings", {"Identity": ACCOUNT})
    assert (settings["ReplyTo"], settings["AllowedApps"]) == (None, [])
    assert api.rows("Get-MailUser", {"Identity": ACCOUNT})[0]["DisplayName"] == "Alarm centre"
    api.rows("Remove-MailUser", {"Identity": ACCOUNT, "Confirm": False})
    assert api.rows("Get-MailUser", {"HVEAccount": True}) == []


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "kind"),
    [
        ("New-MailUser", NEW | {"PrimarySmtpAddress": INSIDE}, "ADObjectAlreadyExistsException"),
        ("New-MailUser", NEW | {"Name": "ops"}, "ADObjectAlreadyExistsException"),
        ("New-MailUser", NEW | {"Alias": "OPS"}, "ADObjectAlreadyExistsException"),
        ("New-MailUser", NEW | {"Alias": "kept"}, "ADObjectAlreadyExistsException"),
        ("New-Mailbox", {"Name": "other", "Alias": "Kept", "Shared": True}, "ADObjectAlreadyExistsException"),
        ("New-Mailbox", {"Name": "KEPT", "Alias": "free", "Shared": True}, "ADObjectAlreadyExistsException"),
        ("New-MailUser", NEW | {"PrimarySmtpAddress": "a@elsewhere.example"}, "DataValidationException"),
        ("New-MailUser", NEW | {"Password": "short"}, "DataValidationException"),
        ("New-MailUser", {name: value for name, value in NEW.items() if name != "Password"}, "AmbiguousParameterSetException"),
        ("Get-HVEAccountSettings", {"Identity": INSIDE}, "ManagementObjectNotFoundException"),
        ("Add-HVEAppAccess", {"Identity": "kept@contoso.com", "AppIds": [app_id("sender")]}, "DataValidationException"),
        ("Set-HVEAccountBillingPolicy", {"Identity": "kept@contoso.com", "BillingPolicyId": "none"}, "ManagementObjectNotFoundException"),
        ("Set-HVEAccountBillingPolicy", {"Identity": "kept@contoso.com"}, "AmbiguousParameterSetException"),
        ("Set-HVEAccountBillingPolicy", {"Identity": "kept@contoso.com", "BillingPolicyId": None}, "AmbiguousParameterSetException"),
        ("Set-HVEAccountSettings", {"Identity": "kept@contoso.com", "ReplyTo": None}, "ParameterTransformationException"),
        ("Set-HVEAccountSettings", {"Identity": "kept@contoso.com", "ReplyTo": "x"}, "DataValidationException"),
        ("Get-BillingPolicy", {"ResourceType": "Mailbox"}, "DataValidationException"),
    ],
)
def test_invalid_account_changes_are_refused(start: Start, cmdlet: str, parameters: dict[str, Any], kind: str) -> None:
    api = start(tenant={"hve_accounts": [{"address": "kept@contoso.com"}]})
    answer = api.exchange(cmdlet, parameters)
    assert answer.status_code in (400, 404)
    assert answer.headers["x-ExceptionType"] == kind


def test_the_password_is_not_in_the_record(start: Start, tmp_path: Any) -> None:
    record = tmp_path / "record.jsonl"
    api = start(record=record)
    api.rows("New-MailUser", NEW)
    assert '"Password": "***"' in record.read_text()
    assert PASSWORD not in record.read_text()


def test_swaks_by_password(api: Api, tmp_path: Any) -> None:
    swaks = shutil.which("swaks")
    if swaks is None:
        pytest.skip("swaks is not installed: it is the package swaks")
    ready(api)
    port = str(api.emulator.cloud["hve_port"])
    common = [swaks, "--server", "localhost", "--port", port, "--ehlo", "client.example.net", "--tls", "--from", ACCOUNT, "--to", INSIDE]
    who = ["--auth", "LOGIN", "--auth-user", ACCOUNT, "--auth-password", PASSWORD]
    done = subprocess.run([*common, *who, "--header", f"From: {ACCOUNT}"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [message] = api.admin.messages(recipient=INSIDE)
    assert message["via"] == "hve-login"
