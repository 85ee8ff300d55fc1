"""Third-party mail libraries, unmodified, against a whole emulator: PHPMailer and nodemailer."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import os
import shutil
import subprocess
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from emulator.ca import Authority
from tests.emulator.conftest import EXCHANGE, Api, Start, app_id
from tests.emulator.smtp_lab import OPS, PASSWORD
from tests.emulator.test_smtp_clients_whole import OUTSIDE, TENANT

pytestmark = [pytest.mark.one_python_is_enough, pytest.mark.tier_all]
HERE = Path(__file__).resolve().parent / "clients"
PHPMAILER = Path("/usr/share/php/libphp-phpmailer/autoload.php")
# The pinned one that `make test-emulator` fetches, else Debian's.
NODEMAILER = (HERE.parents[2] / ".cache/clients/node_modules/nodemailer", Path("/usr/share/nodejs/nodemailer"))
SCAN = bytes(range(256)) * 2000


def run(command: list[str], expected: dict[str, Any]) -> dict[str, Any]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, input=json.dumps(expected), capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def phpmailer(expected: dict[str, Any]) -> dict[str, Any]:
    php = shutil.which("php")
    if php is None or not PHPMAILER.exists():
        pytest.skip("PHPMailer is not installed (Debian packages php-cli, php-mbstring, libphp-phpmailer)")
    return run([php, str(HERE / "send.php")], expected)


def nodemailer(expected: dict[str, Any]) -> dict[str, Any]:
    node, module = shutil.which("node"), next((path for path in NODEMAILER if path.exists()), None)
    if node is None or module is None:
        pytest.skip("nodemailer is not there (make test-emulator fetches it with npm; Debian packages nodejs, node-nodemailer)")
    return run([node, str(HERE / "send.js")], {"module": str(module), "messages": 1} | expected)


CLIENTS = {"PHPMailer": phpmailer, "nodemailer": nodemailer}


@pytest.fixture
def api(start: Start) -> Api:
    return start(tenant=TENANT)


def letter(api: Api, mechanism: str, secret: str, **changes: Any) -> dict[str, Any]:
    cloud = api.emulator.cloud
    server = {"host": "localhost", "port": cloud["smtp_port"], "ca": cloud["ca_file"]}
    who = {"user": OPS, "secret": secret, "mechanism": mechanism, "from": OPS, "to": OUTSIDE}
    return server | who | {"attachment": base64.b64encode(SCAN).decode()} | changes


def arrived(api: Api) -> tuple[dict[str, Any], EmailMessage]:
    (result,) = api.admin.messages(recipient=OUTSIDE)
    assert api.emulator.stderr() == ""
    return result, email.message_from_bytes(api.admin.raw_message(result["number"]), EmailMessage, policy=email.policy.default)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "LOGIN", ""])
def test_a_message_with_an_attachment(api: Api, client: str, mechanism: str) -> None:
    """An empty mechanism is the client's own choice: of LOGIN and XOAUTH2, with a password, LOGIN."""
    secret = api.token("sender", EXCHANGE) if mechanism == "XOAUTH2" else PASSWORD
    answer = CLIENTS[client](letter(api, mechanism, secret))
    assert "error" not in answer, answer
    result, message = arrived(api)
    oauth = mechanism == "XOAUTH2"
    assert (result["via"], result["authenticated_as"]) == ("submission" if oauth else "submission-login", OPS)
    assert result["app_id"] == (app_id("sender") if oauth else None)
    assert str(message["Subject"]).startswith(f"by {client}: Größe")
    assert str(message["From"]) == f"Büro <{OPS}>"
    (attachment,) = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("scan.pdf", SCAN)
    body = message.get_body()
    assert isinstance(body, EmailMessage)
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == "Hello,\nan attachment.\n."  # a dot alone ends nothing


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("mechanism", "secret", "reply_text"),
    [("LOGIN", "wrong", "5.7.139"), ("XOAUTH2", "no.token.atall", "5.7.3")],
)
def test_a_refused_sign_in(api: Api, client: str, mechanism: str, secret: str, reply_text: str) -> None:
    answer = CLIENTS[client](letter(api, mechanism, secret))
    if client == "nodemailer":
        assert (answer["code"], answer["status"]) == ("EAUTH", 535)
        assert f"535 {reply_text} Authentication unsuccessful" in answer["error"]
    else:  # PHPMailer keeps the reply to itself
        assert "Could not authenticate" in answer["error"]
    assert api.admin.messages() == []


@pytest.mark.parametrize("client", CLIENTS)
def test_other_sender_address_is_refused(api: Api, client: str) -> None:
    answer = CLIENTS[client](letter(api, "LOGIN", PASSWORD, **{"from": "sales@contoso.com"}))
    assert "SendAsDenied" in json.dumps(answer), answer
    assert api.admin.messages() == []


@pytest.mark.parametrize("client", CLIENTS)
def test_certificate_of_an_unknown_authority_is_refused(api: Api, tmp_path: Path, client: str) -> None:
    """The clients check whom they speak to: without the emulator's authority nothing is sent, nor a password."""
    other = Authority(tmp_path / "other").ca_file
    answer = CLIENTS[client](letter(api, "LOGIN", PASSWORD, ca=str(other)))
    assert "certificate" in answer["error"], answer
    assert api.admin.messages() == []


def test_a_pool_of_three_connections(api: Api) -> None:
    """As many as a mailbox may have: nothing of a burst is refused."""
    answer = nodemailer(letter(api, "XOAUTH2", api.token("sender", EXCHANGE), messages=12))
    assert len(answer["sent"]) == 12, answer
    assert {response[:3] for response in answer["sent"]} == {"250"}
    assert len(api.admin.messages(recipient=OUTSIDE)) == 12
