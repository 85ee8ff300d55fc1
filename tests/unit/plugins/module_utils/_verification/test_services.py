# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test messages through High Volume Email and Azure Communication Services Email."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.smtp_probe import RESOURCE

from ....conftest import Play
from ....mailserver import MailServer
from ....script import Script
from ....services import Exchange
from .._identity.test_tokens import DISCOVERY, DOCUMENT, TOKEN, granted
from ..resources.test_smtp_probe import APP, APP_SECRET, CREDENTIAL, Verify, sender

HVE_SCOPE = "https://outlook.office.com/.default"


@pytest.fixture
def service(script: Script) -> Exchange:
    return Exchange(script, Get_AcceptedDomain=lambda parameters: [{"DomainName": "contoso.com"}])


@pytest.fixture
def cloud(mail_server: MailServer) -> dict[str, Any]:
    route = mail_server.route()
    hosts = {f"{name}_{part}": value for name in ("smtp", "hve", "acs") for part, value in (("host", route.host), ("port", route.port))}
    real = {
        "authority": "https://login.microsoftonline.com",
        "graph": "https://graph.microsoft.com",
        "exchange": "https://outlook.office365.com",
    }
    return real | hosts | {"ca_file": route.ca_file}


@pytest.fixture
def verify(play: Play, service: Exchange, cloud: dict[str, Any]) -> Verify:
    return lambda *senders, **options: play(RESOURCE, service, senders=list(senders), **{"cloud": cloud, **options})


def hve(**more: Any) -> dict[str, Any]:
    return sender("alarms@contoso.com", method="hve", **{"verify_recipient": "it@contoso.com"} | more)


def test_high_volume_email_signs_in_with_a_token_for_its_own_audience(verify: Verify, script: Script, mail_server: MailServer) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_id=APP, client_secret=APP_SECRET, scope=HVE_SCOPE).answers(200, granted(1))
    result = verify(hve(), **CREDENTIAL)
    assert result["verified"] == 1
    assert mail_server.sessions[0].sign_ins == ["user=alarms@contoso.com\x01auth=Bearer granted-1\x01\x01"]


def test_token_near_its_expiry_is_not_sent_to_high_volume_email(verify: Verify, script: Script, mail_server: MailServer) -> None:
    """A token of 800 seconds serves Exchange, but High Volume Email would refuse it within minutes."""
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(200, granted(1) | {"expires_in": 800})
    script.expect("POST", TOKEN).answers(200, granted(2))
    result = verify(hve(), hve(name="again"), **CREDENTIAL)
    assert result["verified"] == 2
    assert [session.sign_ins[0].split("Bearer ")[1].rstrip("\x01") for session in mail_server.sessions] == ["granted-1", "granted-2"]


def test_high_volume_email_takes_a_password_without_an_application(verify: Verify, mail_server: MailServer) -> None:
    assert verify(hve(password="pa55 word"))["verified"] == 1
    assert mail_server.sessions[0].sign_ins == ["alarms@contoso.com", "pa55 word"]


def test_high_volume_email_without_password_needs_an_application(verify: Verify) -> None:
    result = verify(hve(), hve(name="other", password="pa55 word"))
    assert [(entry["status"], entry["reason"]) for entry in result["senders"]] == [
        (
            "failed",
            "method hve needs app_unique_name or app_id, the application that it signs in as. "
            "method hve needs verify_app_certificate_path or verify_app_client_secret, that application's credential",
        ),
        ("verified", ""),
    ]


@pytest.mark.parametrize(
    ("answers", "code", "cause"),
    [
        ({"password": "535 5.7.3 Authentication unsuccessful"}, "535 5.7.3", "authentication failed: the tenant has no such account"),
        ({"MAIL": "550 5.7.240 The application is not allowed"}, "550 5.7.240", "the sender app is not among the account's allowed apps"),
        (
            {"RCPT": "550 5.5.105 External sending is not supported"},
            "550 5.5.105",
            "High Volume Email delivers to internal recipients",
        ),
        ({"DATA": "552 5.3.4 Message size exceeds"}, "552 5.3.4", "the message is larger than High Volume Email allows"),
    ],
)
def test_what_high_volume_email_refuses_is_explained_in_its_own_terms(
    verify: Verify, mail_server: MailServer, answers: dict[str, str], code: str, cause: str
) -> None:
    mail_server.answers |= answers
    [entry] = verify(hve(password="pa55 word"), required=False)["senders"]
    assert (entry["status"], entry["code"]) == ("failed", code)
    assert entry["reason"].startswith(cause)
    assert entry["remedy"]


def test_cloud_without_the_service_is_reported(verify: Verify, cloud: dict[str, Any]) -> None:
    [entry] = verify(hve(password="x"), required=False, cloud=cloud | {"hve_host": ""})["senders"]
    assert entry["reason"] == "this cloud has no server for method hve: give the sender's host"


def acs(**more: Any) -> dict[str, Any]:
    return sender("invoices@elsewhere.example", method="acs", **more)


def test_azure_communication_services_take_a_username_and_the_applications_secret(verify: Verify, mail_server: MailServer) -> None:
    result = verify(acs(username="contoso-invoices"), acs(password="its own"), app_client_secret=APP_SECRET)
    assert result["verified"] == 2
    signs = sorted(session.sign_ins for session in mail_server.sessions)
    assert signs == [["contoso-invoices", APP_SECRET], ["invoices@elsewhere.example", "its own"]]


def test_azure_communication_services_take_a_token_where_there_is_no_secret(verify: Verify, script: Script, tmp_path: Any) -> None:
    assert verify(acs())["senders"][0]["reason"].startswith("method acs needs app_unique_name or app_id")
    result = verify(acs(), app_id=APP, app_certificate_path=str(tmp_path / "none.pem"), required=False)
    assert "app_certificate_path is" in result["senders"][0]["reason"]


def test_what_azure_communication_services_refuse_is_explained(verify: Verify, mail_server: MailServer) -> None:
    mail_server.answers["password"] = "535 5.7.3 Authentication unsuccessful"
    [entry] = verify(acs(password="x"), required=False)["senders"]
    assert entry["reason"].startswith("authentication failed: the SMTP username, the client secret or the sender app's role")
