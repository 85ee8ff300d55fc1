# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from pathlib import Path

from ansible_collections.mailops.m365.plugins.module_utils._entra import certificates
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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
        "certificates: the PEM text holds a private key and no certificate: give the public certificate."
    ]


def test_every_mistake_with_a_certificate_has_its_own_sentence(
    tmp_path: Path, rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    curve = ec.generate_private_key(ec.SECP384R1())
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    leaf, old, future = certificate(rsa_key), certificate(rsa_key, "old", days=-1), certificate(rsa_key, days=401)
    file = tmp_path / "leaf.crt"
    mistakes = {
        b"junk": "is not a certificate: give the public certificate as PEM or DER.",
        pem(rsa_key): "holds a private key and no certificate: give the public certificate.",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n": (
            "holds a PEM block 'CERTIFICATE REQUEST' and no certificate: give the public certificate."
        ),
        pem(leaf)[:90] + pem(leaf)[200:]: "holds a certificate that cannot be decoded: export the certificate again.",
        pem(other_key) + pem(leaf): "holds a private key that does not belong to its certificate: correct the file.",
        pem(
            certificate(curve)
        ): "(CN=sender) has a key that is not RSA: Entra accepts RSA keys only; create an RSA key and its certificate.",
        pem(certificate(short)): "(CN=sender) has an RSA key of 1024 bits: create a key of 2048 bits or more and its certificate.",
        pem(old): f"(CN=old) expired on {old.not_valid_after_utc:%Y-%m-%d}: create a new one.",
        pem(future): f"(CN=sender) is not valid before {future.not_valid_before_utc:%Y-%m-%d}: check its dates and the clock of this host.",
    }
    for content, sentence in mistakes.items():
        file.write_bytes(content)
        assert certificates.problems(str(file), "retired_certificates") == [f"retired_certificates: {file} {sentence}"]
    assert certificates.problems(pem(leaf).decode()) == []


def test_a_path_that_cannot_be_read_is_named_and_a_long_text_is_not_repeated(tmp_path: Path) -> None:
    for path, reason in (
        (f"{tmp_path}/nowhere", "No such file or directory"),
        (str(tmp_path), "Is a directory"),
        ("\0", "embedded null byte"),
    ):
        [problem] = certificates.problems(path)
        assert problem == f"certificates: {path!r} cannot be read ({reason}): correct the path, or give the certificate as PEM text."
    [problem] = certificates.problems("MIIEvgIBADANBgkqhkiG9w0BAQEFAASC\nBKgwggSkAgEAAoIBAQ")
    assert problem == "certificates: a text is neither PEM text nor the path of a file: begin it with -----BEGIN CERTIFICATE-----."


def test_neither_date_nor_key_of_a_retired_certificate_matters(rsa_key: rsa.RSAPrivateKey) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    for leaf in (certificate(rsa_key, days=-5), certificate(curve)):
        assert certificates.read(pem(leaf).decode(), retired=True).thumbprint == thumbprint(leaf)


def test_the_certificate_of_the_key_in_the_same_file_is_taken(rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey) -> None:
    text = (pem(certificate(other_key, "authority")) + pem(certificate(rsa_key, "leaf")) + pem(rsa_key)).decode()
    assert certificates.read(text).subject == "CN=leaf"
