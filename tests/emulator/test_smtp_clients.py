"""Third-party clients, unmodified, with certificate validation: swaks, curl and msmtp."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.emulator.smtp_lab import MESSAGE, OPS, PASSWORD, Lab, connector, token

pytest_plugins = ["tests.emulator.smtp_lab"]

PACKAGES = {"swaks": "swaks", "curl": "curl", "msmtp": "msmtp"}
OUTSIDE = "x@example.net"


def run(program: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """The program's end; stdout holds what it wrote to stderr, too. Nothing of this machine's settings reaches it."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed (Debian package {PACKAGES[program]})")
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [path, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=60, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode("utf-8", "replace"))


def received(lab: Lab) -> tuple[str, str | None, str]:
    """How the one message came: via, connector, Subject."""
    (result,) = lab.state.messages
    assert (result.mail_from, result.recipients) == (OPS, [OUTSIDE])
    return result.via, result.connector, str(email.message_from_bytes(result.raw)["Subject"])


def swaks(lab: Lab, *arguments: str, mx: bool = False) -> subprocess.CompletedProcess[str]:
    port = lab.mx_port if mx else lab.smtp_port
    common = ["--server", "localhost", "--port", str(port), "--ehlo", "client.example.net", "--from", OPS, "--to", OUTSIDE]
    return run("swaks", *common, "--header", "Subject: by swaks", "--timeout", "30", *arguments)


@pytest.mark.parametrize(("password", "status", "text"), [(PASSWORD, 0, "235 2.7.0 "), ("wrong", 28, "535 5.7.139 ")])
def test_swaks_by_login(lab: Lab, password: str, status: int, text: str) -> None:
    trust = ["--tls", "--tls-verify", "--tls-ca-path", str(lab.authority.ca_file)]
    done = swaks(lab, *trust, "--auth", "LOGIN", "--auth-user", OPS, "--auth-password", password)
    assert (done.returncode, text in done.stdout) == (status, True), done.stdout
    if not status:
        assert received(lab) == ("submission-login", None, "by swaks")


def test_swaks_is_offered_no_plain(lab: Lab) -> None:
    done = swaks(lab, "--tls", "--auth", "PLAIN", "--auth-user", OPS, "--auth-password", PASSWORD)
    assert done.returncode == 28, done.stdout
    assert lab.state.messages == []


@pytest.mark.parametrize("whole", [True, False])
def test_swaks_with_a_certificate_at_the_mx(lab: Lab, tmp_path: Path, whole: bool) -> None:
    """swaks takes one certificate only; OpenSSL adds the intermediate where it finds it among the trusted ones."""
    lab.contoso.inbound_connectors["relay"] = connector(TlsSenderCertificateName="relay.contoso.com")
    leaf, key = lab.authority.issue_leaf_only(["relay.contoso.com"], client=True)
    chain, key_file, trusted = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "trusted.pem"
    chain.write_bytes(leaf)
    key_file.write_bytes(key)
    trusted.write_bytes(lab.authority.ca_file.read_bytes() + (lab.authority.server_chain.read_bytes() if whole else b""))
    listed = ["--tls-verify", "--tls-ca-path", str(trusted), "--tls-cert", str(chain), "--tls-key", str(key_file)]
    done = swaks(lab, "--tls", *listed, mx=True)
    if whole:
        assert done.returncode == 0, done.stdout
        assert received(lab) == ("connector", "relay", "by swaks")
    else:
        assert done.returncode == 24, done.stdout
        assert "550 5.7.64 TenantAttribution; Relay Access Denied SMTP" in done.stdout


def curl(lab: Lab, *arguments: str, mx: bool = False) -> subprocess.CompletedProcess[str]:
    port = lab.mx_port if mx else lab.smtp_port
    common = [
        "--silent",
        "--show-error",
        "--verbose",
        "--noproxy",
        "*",
        "--url",
        f"smtp://localhost:{port}/client.example.net",
        "--ssl-reqd",
    ]
    common += [
        "--cacert",
        str(lab.authority.ca_file),
        "--mail-from",
        OPS,
        "--mail-rcpt",
        OUTSIDE,
        "--upload-file",
        "-",
        "--max-time",
        "30",
    ]
    return run("curl", *common, *arguments, stdin=MESSAGE.replace(b"test", b"by curl"))


def test_curl_by_xoauth2(lab: Lab) -> None:
    """After an empty challenge, because the token is too long for its command line."""
    done = curl(lab, "--user", OPS, "--oauth2-bearer", token(), "--login-options", "AUTH=XOAUTH2")
    assert done.returncode == 0, done.stdout
    assert "< 334 \n" in done.stdout.replace("\r", "")
    assert received(lab) == ("submission", None, "by curl")


def test_curl_with_a_token_that_is_not_for_smtp(lab: Lab) -> None:
    bearer = token(aud="https://outlook.office.com")
    done = curl(lab, "--user", OPS, "--oauth2-bearer", bearer, "--login-options", "AUTH=XOAUTH2")
    assert done.returncode == 67, done.stdout
    assert "535 5.7.3 Authentication unsuccessful [" in done.stdout


def test_curl_by_login(lab: Lab) -> None:
    done = curl(lab, "--user", f"{OPS}:{PASSWORD}")
    assert done.returncode == 0, done.stdout
    assert received(lab) == ("submission-login", None, "by curl")


@pytest.mark.parametrize("whole", [True, False])
def test_curl_with_a_certificate_at_the_mx(lab: Lab, tmp_path: Path, whole: bool) -> None:
    """curl sends what is in the file: without the intermediate no connector fits."""
    lab.contoso.inbound_connectors["relay"] = connector(TlsSenderCertificateName="*.contoso.com")
    issue = lab.authority.issue if whole else lab.authority.issue_leaf_only
    chain, key = issue(["relay.contoso.com"], client=True)
    file = tmp_path / "client.pem"
    file.write_bytes(chain + key)
    done = curl(lab, "--cert", str(file), mx=True)
    if whole:
        assert done.returncode == 0, done.stdout
        assert received(lab) == ("connector", "relay", "by curl")
    else:
        assert done.returncode == 55, done.stdout
        assert "550 5.7.64 TenantAttribution; Relay Access Denied SMTP" in done.stdout


def msmtp(lab: Lab, directory: Path, method: str, secret: str) -> subprocess.CompletedProcess[str]:
    secret_file, configuration = directory / "secret", directory / "msmtprc"
    secret_file.write_text(secret + "\n")
    configuration.write_text(
        f"account default\nhost localhost\nport {lab.smtp_port}\ndomain client.example.net\ntls on\ntls_starttls on\n"
        f"tls_trust_file {lab.authority.ca_file}\nauth {method}\nuser {OPS}\npasswordeval cat {secret_file}\nfrom {OPS}\n"
    )
    configuration.chmod(0o600)
    return run("msmtp", f"--file={configuration}", "--debug", OUTSIDE, stdin=MESSAGE.replace(b"\r\n", b"\n").replace(b"test", b"by msmtp"))


@pytest.mark.parametrize(("method", "via"), [("xoauth2", "submission"), ("login", "submission-login")])
def test_msmtp(lab: Lab, tmp_path: Path, method: str, via: str) -> None:
    done = msmtp(lab, tmp_path, method, token() if method == "xoauth2" else PASSWORD)
    assert done.returncode == 0, done.stdout
    assert received(lab) == (via, None, "by msmtp")


def test_msmtp_with_a_right_that_is_missing(lab: Lab, tmp_path: Path) -> None:
    lab.ops.grants.clear()
    done = msmtp(lab, tmp_path, "xoauth2", token())
    assert done.returncode == os.EX_UNAVAILABLE, done.stdout
    assert "430 4.2.0 STOREDRV; mailbox logon failure;" in done.stdout
