"""Unmodified clients against a whole emulator, with a token that its token endpoint issued."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulator.ca import Authority
from tests.emulator.conftest import EXCHANGE, Api, Start, app_id
from tests.emulator.smtp_lab import MESSAGE, OPS, PASSWORD

OUTSIDE = "x@example.net"
TENANT: dict[str, Any] = {
    "applications": [
        {
            "display_name": "sender",
            "secrets": [{"value": "sender-secret"}],
            "service_principal": {"app_roles": ["Office 365 Exchange Online/SMTP.SendAsApp"]},
        }
    ],
    "exchange_service_principals": [{"app_id": app_id("sender"), "display_name": "sender"}],
    "mailboxes": [
        {
            "address": OPS,
            "password": PASSWORD,
            "smtp_client_authentication_disabled": False,
            "grants": [{"right": "FullAccess", "trustee": "sender"}],
        }
    ],
    "inbound_connectors": [
        {"name": "relay", "ConnectorType": "OnPremises", "SenderDomains": ["*"], "TlsSenderCertificateName": "relay.contoso.com"}
    ],
}


@pytest.fixture
def api(start: Start) -> Api:
    return start(tenant=TENANT)


def run(package: str, *arguments: str | Path) -> str:
    """What a program wrote, having ended well."""
    path = shutil.which(package)
    if path is None:
        pytest.skip(f"{package} is not installed: it is the package {package}")
    done = subprocess.run([path, *arguments], input=MESSAGE, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (done.stdout + done.stderr).decode()


def received(api: Api) -> tuple[str, str | None, str | None, str | None]:
    (result,) = api.admin.messages(recipient=OUTSIDE)
    assert result["header_from"] == "Ops <ops@contoso.com>"
    assert api.emulator.stderr() == ""
    return result["via"], result["authenticated_as"], result["app_id"], result["connector"]


def test_curl_by_xoauth2_under_the_services_own_name(api: Api) -> None:
    cloud, port = api.emulator.cloud, str(api.emulator.cloud["smtp_port"])
    there = ["--resolve", f"smtp.office365.com:{port}:127.0.0.1", "--noproxy", "*", "--ssl-reqd", "--cacert", cloud["ca_file"]]
    who = ["--user", OPS, "--oauth2-bearer", api.token("sender", EXCHANGE), "--login-options", "AUTH=XOAUTH2"]
    envelope = ["--mail-from", OPS, "--mail-rcpt", OUTSIDE, "--upload-file", "-"]
    run("curl", *there, *who, *envelope, f"smtp://smtp.office365.com:{port}/client.example.net")
    assert received(api) == ("submission", OPS, app_id("sender"), None)


@pytest.mark.parametrize("method", ["xoauth2", "login"])
def test_msmtp(api: Api, tmp_path: Path, method: str) -> None:
    secret, configuration = tmp_path / "secret", tmp_path / "msmtprc"
    secret.write_text(api.token("sender", EXCHANGE) if method == "xoauth2" else PASSWORD)
    cloud = api.emulator.cloud
    configuration.write_text(
        f"account default\nhost localhost\nport {cloud['smtp_port']}\ndomain client.example.net\ntls on\ntls_starttls on\n"
        f"tls_trust_file {cloud['ca_file']}\nauth {method}\nuser {OPS}\npasswordeval cat {secret}\nfrom {OPS}\n"
    )
    configuration.chmod(0o600)
    run("msmtp", f"--file={configuration}", OUTSIDE)
    app = app_id("sender") if method == "xoauth2" else None
    assert received(api) == ("submission" if app else "submission-login", OPS, app, None)


def swaks(api: Api, port: str, *arguments: str | Path) -> str:
    common = [
        "--server",
        "localhost",
        "--port",
        str(api.emulator.cloud[port]),
        "--ehlo",
        "client.example.net",
        "--from",
        OPS,
        "--to",
        OUTSIDE,
    ]
    return run("swaks", *common, "--tls", "--header", "From: Ops <ops@contoso.com>", *arguments)


def test_swaks_by_login(api: Api) -> None:
    log = swaks(api, "smtp_port", "--auth", "LOGIN", "--auth-user", OPS, "--auth-password", PASSWORD)
    assert "<~  334 VXNlcm5hbWU6\n" in log
    assert "<~  334 UGFzc3dvcmQ6\n" in log
    assert "<~  235 2.7.0 Authentication successful\n" in log
    assert received(api) == ("submission-login", OPS, None, None)


def test_swaks_with_a_certificate_at_the_mx(api: Api, tmp_path: Path) -> None:
    """Where swaks trusts the intermediate, OpenSSL sends it along."""
    chain, key = Authority(Path(api.emulator.cloud["ca_file"]).parent).issue(["relay.contoso.com"], client=True)
    file = tmp_path / "client.pem"
    file.write_bytes(chain + key)
    swaks(api, "mx_port", "--tls-cert", file, "--tls-key", file, "--tls-ca-path", file)
    assert received(api) == ("connector", None, None, "relay")
