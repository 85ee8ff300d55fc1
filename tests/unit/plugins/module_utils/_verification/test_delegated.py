# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders whose user has signed in: as himself, as a shared mailbox, on its behalf."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.smtp_probe import RESOURCE

from ....conftest import Play
from ....mailserver import MailServer
from ....script import Script
from ....services import Exchange
from .._identity.test_tokens import DISCOVERY, DOCUMENT, TOKEN, refused
from ..resources.test_delegated_sign_in import ADA, APP, token_response
from ..resources.test_smtp_probe import Verify, sender

SHOP, SCOPE = "shop@contoso.com", "https://outlook.office365.com/SMTP.Send"


@pytest.fixture
def service(script: Script) -> Exchange:
    return Exchange(script, Get_AcceptedDomain=lambda parameters: [{"DomainName": "contoso.com"}])


@pytest.fixture
def verify(play: Play, service: Exchange, mail_server: MailServer) -> Verify:
    route = mail_server.route()
    cloud = {"authority": "https://login.microsoftonline.com", "graph": "https://graph.microsoft.com", "ca_file": route.ca_file}
    cloud |= {"exchange": "https://outlook.office365.com", "smtp_host": route.host, "smtp_port": route.port}
    return lambda *senders, **options: play(RESOURCE, service, senders=list(senders), cloud=cloud, user_app_id=APP, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    held = tmp_path / "ada.token"
    held.write_text("r3fresh-0\n")
    held.chmod(0o600)
    return held


def ada(path: Path, address: str = ADA, **more: Any) -> dict[str, Any]:
    return sender(address, method="delegated", user=ADA, token_store={"path": str(path)}, **more)


def renewed(script: Script) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).form(client_id=APP, grant_type="refresh_token", refresh_token="r3fresh-0").answers(200, token_response(1))


def test_a_user_sends_as_himself_and_the_token_is_renewed_in_its_place(
    verify: Verify, script: Script, mail_server: MailServer, path: Path
) -> None:
    renewed(script)
    result = verify(ada(path))
    assert (result["verified"], result["senders"][0]["method"]) == (1, "delegated")
    assert mail_server.sessions[0].sign_ins == [f"user={ADA}\x01auth=Bearer granted-1\x01\x01"]
    assert SCOPE in (script.requests[-1].form or {})["scope"].split()
    assert path.read_text() == "r3fresh-1\n"
    assert "r3fresh" not in json.dumps(result)


@pytest.mark.parametrize(("on_behalf", "envelope", "header"), [(False, SHOP, None), (True, ADA, ADA)])
def test_a_user_sends_as_a_shared_mailbox_or_on_its_behalf(
    verify: Verify, script: Script, mail_server: MailServer, path: Path, on_behalf: bool, envelope: str, header: str | None
) -> None:
    renewed(script)
    assert verify(ada(path, SHOP, on_behalf=on_behalf))["verified"] == 1
    [session] = mail_server.sessions
    assert session.sign_ins[0].startswith(f"user={ADA}\x01")
    assert any(command.lower().startswith(f"mail from:<{envelope}>") for command in session.commands)
    message = email.message_from_bytes(session.messages[0], policy=email.policy.SMTP)
    assert (message["From"], message["Sender"]) == (SHOP, header)


def test_senders_of_one_user_ask_for_one_token(verify: Verify, script: Script, mail_server: MailServer, path: Path) -> None:
    renewed(script)
    assert verify(ada(path), ada(path, SHOP))["verified"] == 2


@pytest.mark.parametrize(
    ("code", "error", "cause", "remedy"),
    [
        (65001, "invalid_grant", "admin consent for this application's permissions is missing", "Grant admin consent"),
        (700082, "invalid_grant", "was not used for 90 days", "Sign in again"),
        (50173, "invalid_grant", "was revoked", "Sign in again"),
        (53003, "invalid_grant", "Conditional Access", "Exclude"),
    ],
)
def test_refusal_names_the_remedy(verify: Verify, script: Script, path: Path, code: int, error: str, cause: str, remedy: str) -> None:
    script.expect("GET", DISCOVERY).answers(200, DOCUMENT)
    script.expect("POST", TOKEN).answers(400, refused(code, error, "No, r3fresh-0."))
    result = verify(ada(path), required=False)
    [entry] = result["senders"]
    assert (entry["status"], entry["stage"], entry["code"]) == ("failed", "token", f"AADSTS{code}")
    assert cause in entry["reason"]
    assert remedy in entry["remedy"]
    assert "r3fresh-0" not in json.dumps(result)


def test_a_user_who_has_not_signed_in(verify: Verify, tmp_path: Path) -> None:
    result = verify(ada(tmp_path / "none"), required=False)
    assert "ada@contoso.com has not signed in yet" in result["senders"][0]["reason"]
    assert "role delegated_sign_in" in result["senders"][0]["reason"]


def test_check_mode_reads_no_token(verify: Verify, tmp_path: Path) -> None:
    assert verify(ada(tmp_path / "none"), check_mode=True, reachability=True)["senders"][0]["stage"] == "tls"


def test_an_application_that_does_not_exist(play: Play, service: Exchange, script: Script, mail_server: MailServer, path: Path) -> None:
    route = mail_server.route()
    script.expect("GET", "/v1.0/applications(uniqueName='user-sender')?$select=appId").answers(
        404, {"error": {"code": "Request_ResourceNotFound"}}
    )
    options = {"user_app_unique_name": "user-sender", "required": False}
    outcome = play(RESOURCE, service, senders=[ada(path, host=route.host, port=route.port)], **options)
    assert outcome["verified"] == 0


def test_invalid_options_of_a_delegated_sender(play: Play, service: Exchange, tmp_path: Path) -> None:
    wrong = [sender(method="delegated"), ada(tmp_path / "x", on_behalf=True)]
    assert [entry["reason"] for entry in play(RESOURCE, service, senders=wrong)["senders"]] == [
        "method delegated needs user, who has signed in (role delegated_sign_in). "
        "method delegated needs user_app_unique_name or user_app_id, the application that users sign in to. "
        "token_store is missing: say where the refresh token is kept (kind, and path, fetch or variable)",
        "on_behalf has no meaning where the user sends from the user's own address: leave it out. "
        "method delegated needs user_app_unique_name or user_app_id, the application that users sign in to",
    ]
