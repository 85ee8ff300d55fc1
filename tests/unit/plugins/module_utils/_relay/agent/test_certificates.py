# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys in files, read with openssl; postconf is a table."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import certificates
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.status_document import CertificateStatus

MISSING, NEITHER, OTHER = (
    "the file does not exist",
    "the file holds neither a certificate nor a key without a passphrase",
    "it does not match its key",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two certificates with their keys."""
    directory = tmp_path_factory.mktemp("made")
    for name in ("a", "b"):
        files = ["-keyout", str(directory / f"{name}.key"), "-out", str(directory / f"{name}.pem")]
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
        subprocess.run([*new, "-subj", f"/CN={name}", *files], check=True, capture_output=True)
    for name in ("empty.key", "empty.pem"):
        (directory / name).write_text("")
    encrypt = ["openssl", "pkey", "-in", str(directory / "a.key"), "-aes256", "-passout", "pass:secret"]
    subprocess.run([*encrypt, "-out", str(directory / "encrypted.key")], check=True, capture_output=True)
    return directory


def read(identity: Path, devices: str = "", connectors: str = "", signs_in: bool = False) -> list[CertificateStatus]:
    def output(*command: str) -> str:
        if command[0].endswith("postconf"):
            return connectors if "-P" in command else f"{devices}\n\n"
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    return list(certificates.read(identity, signs_in, output))


def failures(statuses: list[CertificateStatus]) -> list[tuple[str, str]]:
    return [(Path(one.path).name, one.failure) for one in statuses if one.failure]


def test_certificate_with_its_key_has_its_end(made: Path) -> None:
    (status,) = read(made, f"{made}/a.key, {made}/a.pem")
    assert (status.use, status.path, status.failure) == ("devices", f"{made}/a.pem", "")
    assert status.expires
    (connector,) = read(made, connectors=f"m365/unix/smtp_tls_chain_files = {made}/b.key,{made}/b.pem\n" * 2)
    assert (connector.use, connector.path) == ("connector", f"{made}/b.pem")


def test_both_in_one_file(made: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text((made / "a.key").read_text() + (made / "a.pem").read_text())
    assert [(one.path, one.failure) for one in read(made, str(both))] == [(str(both), "")]


@pytest.mark.parametrize("use", ["devices", "connectors"])
@pytest.mark.parametrize(
    ("key", "certificate", "expected"),
    [
        ("a.key", "missing.pem", [("missing.pem", MISSING)]),
        ("missing.key", "a.pem", [("missing.key", MISSING)]),
        ("missing.key", "missing.pem", [("missing.key", MISSING), ("missing.pem", MISSING)]),
        ("b.key", "a.pem", [("a.pem", OTHER)]),
        ("empty.key", "a.pem", [("empty.key", NEITHER)]),
        ("a.key", "empty.pem", [("empty.pem", NEITHER)]),
        ("encrypted.key", "a.pem", [("encrypted.key", NEITHER)]),
    ],
)
def test_file_that_cannot_be_used_is_reported(made: Path, use: str, key: str, certificate: str, expected: list[tuple[str, str]]) -> None:
    value = f"{made}/{key}, {made}/{certificate}"
    statuses = read(made, value) if use == "devices" else read(made, connectors=f"m365/unix/smtp_tls_chain_files = {value}\n")
    assert failures(statuses) == expected


def test_sign_in_certificate_and_key_are_required_where_the_relay_signs_in(made: Path, tmp_path: Path) -> None:
    assert read(tmp_path) == []
    assert failures(read(tmp_path, signs_in=True)) == [("key.pem", MISSING), ("cert.pem", MISSING)]
    for name in ("", "next."):
        (tmp_path / f"{name}cert.pem").write_text((made / "a.pem").read_text())
        (tmp_path / f"{name}key.pem").write_text("")  # the metrics unit sees an empty file without permissions
    assert [(one.use, one.failure) for one in read(tmp_path, signs_in=True)] == [("sign-in", ""), ("sign-in, next", "")]
    (tmp_path / "next.key.pem").unlink()
    assert failures(read(tmp_path, signs_in=True)) == [("next.key.pem", MISSING)]
