# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from pathlib import Path

from ansible_collections.mailops.m365.plugins.module_utils._entra import certificates
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import certificate, pem, thumbprint


def test_a_certificate_is_read_from_text_pem_and_der(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    leaf = certificate(rsa_key, "relay1")
    der = leaf.public_bytes(serialization.Encoding.DER)
    (tmp_path / "leaf.pem").write_bytes(pem(leaf))
    (tmp_path / "leaf.cer").write_bytes(der)
    for source in (pem(leaf).decode(), str(tmp_path / "leaf.pem"), str(tmp_path / "leaf.cer")):
        found = certificates.read(source)
        assert (found.der, found.thumbprint, found.subject) == (der, thumbprint(leaf), "CN=relay1")


def test_the_credential_to_write_is_public_and_short(rsa_key: rsa.RSAPrivateKey) -> None:
    leaf = certificate(rsa_key, "x" * 64)
    credential = certificates.read(pem(leaf).decode()).credential()
    assert (credential["type"], credential["usage"]) == ("AsymmetricX509Cert", "Verify")
    assert base64.b64decode(credential["key"]) == leaf.public_bytes(serialization.Encoding.DER)
    assert len(credential["displayName"]) <= 90
    assert f"{leaf.not_valid_after_utc:%Y-%m-%d}" in credential["displayName"]


def test_a_private_key_beside_it_is_never_read(rsa_key: rsa.RSAPrivateKey) -> None:
    found = certificates.read((pem(rsa_key) + pem(certificate(rsa_key))).decode())
    assert "PRIVATE" not in repr(found.credential())
    assert certificates.problems(pem(rsa_key).decode()) == [
        "certificates: the PEM text is no certificate: give PEM or DER, the public part only."
    ]


def test_what_is_wrong_is_named(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    (tmp_path / "junk").write_bytes(b"junk")
    [problem] = certificates.problems(str(tmp_path / "junk"))
    assert problem == f"certificates: {tmp_path}/junk is no certificate: give PEM or DER, the public part only."
    [problem] = certificates.problems(str(tmp_path / "nowhere"))
    assert problem == f"certificates: '{tmp_path}/nowhere' is neither PEM text nor a file that can be read."
    [problem] = certificates.problems("\0")
    assert "neither PEM text nor a file" in problem
    [problem] = certificates.problems(pem(certificate(rsa_key, "old", days=-1)).decode())
    assert "the PEM text (CN=old) expired on" in problem
    assert certificates.problems(pem(certificate(rsa_key)).decode()) == []
