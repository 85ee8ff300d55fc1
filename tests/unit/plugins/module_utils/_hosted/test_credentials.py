# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and passwords of credentials, and what the clients do with answers that the emulator does not give."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import HostedRelayError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._hosted.credentials import (
    CreatedCredential,
    ListedCredential,
    created_on,
    name_of,
    new_label,
    new_password,
)
from ansible_collections.mailops.m365.plugins.module_utils._hosted.mailgun import MailgunCredentials
from ansible_collections.mailops.m365.plugins.module_utils._hosted.sendgrid import SendGridCredentials
from ansible_collections.mailops.m365.plugins.module_utils._hosted.smtp2go import Smtp2GoCredentials
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Transport

from ....script import Script

TODAY = datetime.date(2026, 11, 29)
KEY = "SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
PASSWORD = "PasswordOfTheErp0123456789abcdef"


def test_label_has_mark_name_and_date() -> None:
    first = new_label("erp", TODAY, ())
    assert first == "mailops-erp-20261129"
    assert new_label("erp", TODAY, [first, f"{first}-2"]) == f"{first}-3"
    for label in (first, f"{first}-3"):
        assert (name_of(label), created_on(label)) == ("erp", TODAY)


@pytest.mark.parametrize(("label", "name", "date"), [
    ("mailops-a-20250101-20261129", "a-20250101", TODAY), ("mailops-erp-20261340", "erp", None), ("erp-20261129", None, None),
    ("mailops-20261129", None, None), ("mailops-ERP-20261129", None, None), ("mailops-erp", None, None), ("postmaster", None, None),
])  # fmt: skip
def test_names_of_others_have_no_mark(label: str, name: str | None, date: datetime.date | None) -> None:
    assert (name_of(label), created_on(label)) == (name, date)


def test_password_has_letters_and_digits_only() -> None:
    passwords = {new_password() for _number in range(50)}
    assert len(passwords) == 50
    assert all(len(one) == 32 and one.isalnum() and one.isascii() for one in passwords)


def test_sendgrid_key_is_created_with_one_permission_and_not_repeated(transport: Transport, script: Script) -> None:
    client = SendGridCredentials(transport, "https://api.sendgrid.example", KEY, "global")
    body = {"name": "mailops-erp-20261129", "scopes": ["mail.send"]}
    answer = {"api_key": "SG.x.y", "api_key_id": "x", "name": "mailops-erp-20261129", "scopes": ["mail.send", "2fa_required"]}
    script.expect("POST", "/v3/api_keys").json_body(body).answers(201, answer)
    created = client.create("mailops-erp-20261129", "", "")
    assert created == CreatedCredential("x", "apikey", "SG.x.y")
    assert "SG.x.y" not in repr(created)
    script.expect("POST", "/v3/api_keys").fails(TimeoutError("no answer in time"))
    with pytest.raises(Unreachable):
        client.create("mailops-erp-20261129", "", "")
    script.expect("DELETE", "/v3/api_keys/x").answers(404, {"errors": [{"message": "not found"}]})
    client.remove("x")


def test_password_that_an_answer_repeats_is_hidden(transport: Transport, script: Script) -> None:
    smtp2go = Smtp2GoCredentials(transport, "https://api.smtp2go.example/v3", "api-key", "global")
    script.expect("POST", "/v3/users/smtp/add").answers(400, {"data": {"error": f"weak: {PASSWORD}", "error_code": "E_ApiResponseCodes.X"}})
    with pytest.raises(HostedRelayError) as refused:
        smtp2go.create("mailops-erp-20261129", "", PASSWORD)
    mailgun = MailgunCredentials(transport, "https://api.mailgun.example", "key", "us")
    script.expect("POST", "/v3/domains/mg.contoso.com/credentials").form(password=PASSWORD).answers(400, {"message": f"weak: {PASSWORD}"})
    with pytest.raises(HostedRelayError) as refused_too:
        mailgun.create("mailops-erp-20261129", "mg.contoso.com", PASSWORD)
    for error in (refused.value, refused_too.value):
        assert PASSWORD not in f"{error} {error.as_result()}"
        assert "weak: ********" in str(error)


def test_status_of_an_smtp_user_is_a_problem(transport: Transport, script: Script) -> None:
    users = [
        {"username": "a-user", "status": "sandbox"}, {"username": "b-user", "sending_allowed": False},
        {"username": "c-user", "status": "allowed", "sending_allowed": True},
    ]  # fmt: skip
    script.expect("POST", "/v3/users/smtp/view").answers(200, {"request_id": "1", "data": {"results": users}})
    listed = Smtp2GoCredentials(transport, "https://api.smtp2go.example/v3", "api-key", "global").read(()).credentials
    assert ["sandbox" in listed[0].problem, "blocked" in listed[1].problem, listed[2].problem] == [True, True, ""]


def test_mailgun_pages_and_domains_of_other_regions(transport: Transport, script: Script) -> None:
    def path(domain: str, skip: int) -> str:
        return f"/v3/domains/{domain}/credentials?skip={skip}&limit=1000"

    full = [{"login": f"u{number}@mg.contoso.com"} for number in range(1000)]
    script.expect("GET", path("mg.contoso.com", 0)).answers(200, {"items": full, "total_count": 1001})
    script.expect("GET", path("mg.contoso.com", 1000)).answers(200, {"items": [{"login": "Mailops-erp-20261129@mg.contoso.com"}]})
    script.expect("GET", path("eu.contoso.com", 0)).answers(404, {"message": "Domain not found"})
    client = MailgunCredentials(transport, "https://api.mailgun.example", "key", "us")
    listing = client.read(["mg.contoso.com", "eu.contoso.com"])
    assert (len(listing.credentials), listing.unknown_domains) == (1001, ("eu.contoso.com",))
    assert listing.credentials[-1] == ListedCredential("mailops-erp-20261129@mg.contoso.com", "mailops-erp-20261129")
    script.expect("POST", "/v3/domains/eu.contoso.com/credentials").answers(404, {"message": "Domain not found"})
    with pytest.raises(HostedRelayError, match="Domain not found"):
        client.create("mailops-erp-20261129", "eu.contoso.com", PASSWORD)
