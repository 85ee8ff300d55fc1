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
        public = certificates.read(source)
        assert (public.der, public.thumbprint, public.subject) == (der, thumbprint(leaf), "CN=relay1")


def test_the_key_credential_is_public_and_short(rsa_key: rsa.RSAPrivateKey) -> None:
    leaf = certificate(rsa_key, "x" * 64)
    credential = certificates.read(pem(leaf).decode()).key_credential()
    assert (credential["type"], credential["usage"]) == ("AsymmetricX509Cert", "Verify")
    assert base64.b64decode(credential["key"]) == leaf.public_bytes(serialization.Encoding.DER)
    assert len(credential["displayName"]) <= 90
    assert f"{leaf.not_valid_after_utc:%Y-%m-%d}" in credential["displayName"]


def test_private_key_in_the_text_is_ignored(rsa_key: rsa.RSAPrivateKey) -> None:
    public = certificates.read((pem(rsa_key) + pem(certificate(rsa_key))).decode())
    assert "PRIVATE" not in repr(public.key_credential())
    assert certificates.problems(pem(rsa_key).decode()) == [
        "certificates: the PEM text is not a certificate: give the public certificate as PEM or DER."
    ]


def test_problems_of_a_certificate(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    (tmp_path / "junk").write_bytes(b"junk")
    [problem] = certificates.problems(str(tmp_path / "junk"))
    assert problem == f"certificates: {tmp_path}/junk is not a certificate: give the public certificate as PEM or DER."
    [problem] = certificates.problems(str(tmp_path / "nowhere"))
    assert problem == f"certificates: '{tmp_path}/nowhere' is neither PEM text nor a file that can be read."
    [problem] = certificates.problems("\0")
    assert "neither PEM text nor a file" in problem
    [problem] = certificates.problems(pem(certificate(rsa_key, "old", days=-1)).decode())
    assert "the PEM text (CN=old) expired on" in problem
    assert certificates.problems(pem(certificate(rsa_key)).decode()) == []
