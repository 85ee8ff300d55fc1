# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret comes out again: the services here repeat in their errors all that they were sent."""

from __future__ import annotations

import base64
import json
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from ansible_collections.mailops.m365.plugins.action.resource import resource_of
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._engine import run as engine_run
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import SECRET, Play, certificate, pem
from ....mailserver import MailServer
from ....script import exchange_error, graph_error, response
from .._identity.test_tokens import DOCUMENT, refused

APP_SECRET, KEY_PASSWORD, MAILBOX_PASSWORD, TOKEN = "4pp-s3cret/+=", "k3y pässword", "m4ilbox-pässword", "eyJ0.granted.t0ken"
APP = "99999999-8888-4777-8666-555555555555"


class Parrot:
    """Every service at once, and each repeats what it was sent.

    Reads of `answers` (by cmdlet) succeed; the token endpoint grants, or refuses with the form where `grants` is false.
    """

    def __init__(self, *, grants: bool = True, **answers: Any) -> None:
        self.grants, self.answers = grants, {name.replace("_", "-"): answer for name, answer in answers.items()}
        self.sent: list[str] = []
        self.assertions: list[str] = []

    def __call__(self, request: Request) -> Response:
        if request.url.endswith("openid-configuration"):
            return response(200, DOCUMENT)
        form = request.form or {}
        message = f"You sent {request.headers} {json.dumps(request.json)} {form} {urlencode(form)} {list(form.values())}"
        self.sent.append(message)
        if request.form is not None:
            self.assertions += [form["client_assertion"]] if "client_assertion" in form else []
            if self.grants:
                return response(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
            return response(401, refused(7000215, "invalid_client", message))
        if "/adminapi/" not in request.url:
            return response(400, graph_error("Request_BadRequest", message))
        if request.url.endswith("$batch"):
            items = [self.item(item["id"], item["body"], message) for item in request.json["requests"]]
            return response(200, {"responses": items})
        item = self.item("", request.json, message)
        return response(item["status"], item["body"])

    def item(self, number: str, body: dict[str, Any], message: str) -> dict[str, Any]:
        cmdlet = body["CmdletInput"]["CmdletName"]
        if cmdlet in self.answers:
            return {"id": number, "status": 200, "body": {"value": self.answers[cmdlet]}}
        return {"id": number, "status": 400, "body": exchange_error("SomeException", message)}


@pytest.fixture
def credential(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> tuple[str, str]:
    """A file with an encrypted private key, and that key as it must not be seen."""
    path = tmp_path / "credential.pem"
    path.write_bytes(pem(rsa_key, KEY_PASSWORD) + pem(certificate(rsa_key)))
    return str(path), pem(rsa_key).decode().splitlines()[1]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What became of the exceptions: text, repr, and the whole trace with its causes."""
    texts: list[str] = []
    failure = engine_run.failed_result

    def spy(error: MailopsError, tenant: Any) -> dict[str, Any]:
        texts.extend([str(error), repr(error), repr(error.args), "".join(traceback.format_exception(error)), repr(vars(error))])
        return failure(error, tenant)

    monkeypatch.setattr(engine_run, "failed_result", spy)
    return texts


def forms(*secrets: str) -> set[str]:
    spellings = {text for secret in secrets for text in (secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode())}
    return spellings | {urlencode({"": secret})[1:] for secret in secrets}


def assert_clean(result: Any, seen: list[str], directory: Path, *secrets: str) -> None:
    journal = [path.read_text() for path in directory.glob("*.jsonl")] if directory.is_dir() else []
    texts = [json.dumps(result), json.dumps(result, ensure_ascii=False), repr(result), *seen, *journal]
    for secret in forms(*secrets):
        for text in texts:
            assert secret not in text, f"{secret!r} is in {text[max(0, text.index(secret) - 200) :][:400]}"


TASKS: dict[str, dict[str, Any]] = {
    "entra_app": {"unique_name": "sender", "permissions": [{"name": "SMTP.SendAsApp"}]},
    "entra_app_info": {"unique_name": "sender"},
    "exchange_service_principal": {"app_id": APP, "full_access": ["a@contoso.com"]},
    "inbound_connector": {"connectors": [{"name": "Relay", "sender_ip_addresses": ["203.0.113.5"]}]},
    "inbound_connector_info": {},
    "security_defaults_info": {},
    "smtp_auth": {"organization": "enabled", "mailboxes": [{"address": "a@contoso.com"}]},
    "smtp_auth_info": {"mailboxes": ["a@contoso.com", "b@contoso.com"]},
    "smtp_probe": {
        "senders": [{"address": "a@contoso.com", "verify_recipient": "b@example.net", "method": "basic", "password": MAILBOX_PASSWORD}]
    },
}


@pytest.mark.parametrize("module", TASKS)
def test_a_refused_read_shows_neither_secret_nor_token(play: Play, seen: list[str], journal_dir: Path, module: str) -> None:
    service = Parrot()
    result = play(resource_of(module), service, sign_in=True, **TASKS[module])
    assert result["failed"] is True
    assert any(TOKEN in message for message in service.sent)
    assert "You sent" in json.dumps(result) + "".join(seen)
    assert_clean(result, seen, journal_dir, SECRET, TOKEN, MAILBOX_PASSWORD)


@pytest.mark.parametrize("module", TASKS)
def test_a_refused_sign_in_by_certificate_shows_nothing_of_it(
    play: Play, seen: list[str], journal_dir: Path, module: str, credential: tuple[str, str]
) -> None:
    service = Parrot(grants=False)
    path, key = credential
    options = {"client_secret": None, "certificate_path": path, "certificate_password": KEY_PASSWORD, **TASKS[module]}
    result = play(resource_of(module), service, sign_in=True, **options)
    assert result["failed"] is True
    assert service.assertions
    assert_clean(result, seen, journal_dir, KEY_PASSWORD, key, *service.assertions, MAILBOX_PASSWORD)


def test_a_refused_sign_in_by_secret_shows_nothing_of_it(play: Play, seen: list[str], journal_dir: Path) -> None:
    result = play(resource_of("smtp_auth"), Parrot(grants=False), sign_in=True, **TASKS["smtp_auth"])
    assert "the client secret is wrong" in result["msg"]
    assert_clean(result, seen, journal_dir, SECRET)


def test_a_refused_write_leaves_nothing_in_the_journal(play: Play, seen: list[str], journal_dir: Path) -> None:
    service = Parrot(
        Get_TransportConfig=[{"SmtpClientAuthenticationDisabled": True}],
        Get_CASMailbox=[{"Guid": "g", "PrimarySmtpAddress": "a@contoso.com", "SmtpClientAuthenticationDisabled": None}],
        Set_TransportConfig=[],
    )
    result = play(resource_of("smtp_auth"), service, sign_in=True, **TASKS["smtp_auth"])
    assert result["failed"] is True
    [journal] = journal_dir.glob("*.jsonl")
    assert '"phase": "failed"' in journal.read_text()
    assert "You sent" in journal.read_text()
    assert_clean(result, seen, journal_dir, SECRET, TOKEN)


def _probe(mail_server: MailServer, **options: Any) -> dict[str, Any]:
    route = mail_server.route()
    cloud = {"authority": "https://login.microsoftonline.com", "graph": "https://graph.microsoft.com", "exchange": "https://outlook.office365.com",
             "smtp_host": route.host, "smtp_port": route.port, "ca_file": route.ca_file}  # fmt: skip
    oauth = {"name": "o", "address": "a@contoso.com", "verify_recipient": "b@example.net"}
    basic = {**oauth, "name": "b", "address": "b@contoso.com", "method": "basic", "password": MAILBOX_PASSWORD}
    return {"cloud": cloud, "senders": [oauth, basic], "app_id": APP, "app_client_secret": APP_SECRET, **options}


@pytest.mark.parametrize("required", [True, False])
def test_a_mail_server_that_repeats_the_sign_in_shows_nothing(
    play: Play, seen: list[str], journal_dir: Path, mail_server: MailServer, required: bool
) -> None:
    encoded = base64.b64encode(MAILBOX_PASSWORD.encode()).decode()
    xoauth2 = base64.b64encode(f"user=a@contoso.com\x01auth=Bearer {TOKEN}\x01\x01".encode()).decode()
    mail_server.answers |= {"AUTH": f"535 5.7.3 {xoauth2} {TOKEN}", "password": f"535 5.7.3 {encoded} {MAILBOX_PASSWORD}"}
    service = Parrot(Get_AcceptedDomain=[{"DomainName": "contoso.com"}])
    result = play(resource_of("smtp_probe"), service, sign_in=True, **_probe(mail_server, required=required))
    assert result["verified"] == 0
    assert [row["stage"] for row in result["senders"]] == ["sign-in", "sign-in"]
    assert all("********" in row["service_message"] for row in result["senders"])
    assert_clean(result, seen, journal_dir, SECRET, APP_SECRET, TOKEN, xoauth2, MAILBOX_PASSWORD)


def test_the_probes_own_refused_application_shows_nothing(play: Play, seen: list[str], journal_dir: Path, mail_server: MailServer) -> None:
    service = Parrot(Get_AcceptedDomain=[{"DomainName": "contoso.com"}])
    grant = service.__call__

    def sender(request: Request) -> Response:
        service.grants = (request.form or {}).get("client_id") != APP
        return grant(request)

    result = play(resource_of("smtp_probe"), sender, sign_in=True, **_probe(mail_server, required=False))
    [oauth, basic] = result["senders"]
    assert (oauth["stage"], oauth["reason"], basic["status"]) == ("token", "the client secret is wrong", "verified")
    assert_clean(result, seen, journal_dir, SECRET, APP_SECRET, MAILBOX_PASSWORD)


def test_a_bad_password_of_a_key_is_not_in_the_sentence(
    play: Play, seen: list[str], journal_dir: Path, credential: tuple[str, str]
) -> None:
    options = {"client_secret": None, "certificate_path": credential[0], "certificate_password": f"not {KEY_PASSWORD}"}
    result = play(resource_of("smtp_auth"), Parrot(), sign_in=True, **options, **TASKS["smtp_auth"])
    assert "m365_certificate_password does not decrypt" in result["msg"]
    assert_clean(result, seen, journal_dir, KEY_PASSWORD)
