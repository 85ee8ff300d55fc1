# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._identity import credentials
from ansible_collections.mailops.m365.plugins.module_utils._identity.credentials import ClientCertificate, ClientSecret, load
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ....conftest import certificate, pem, thumbprint

PASSWORD = "open-sesame-ü"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "credential"


def _pfx(key: rsa.RSAPrivateKey | None, leaf: object, password: str | None) -> bytes:
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"sender", key, leaf, None, lock)  # type: ignore[arg-type]


def test_secret_is_used_unchanged_and_not_in_its_repr() -> None:
    credential = load("s3cret", None, None)
    assert isinstance(credential, ClientSecret)
    assert credential.for_msal() == "s3cret"
    assert "s3cret" not in repr(credential)


@pytest.mark.parametrize("key_first", [True, False])
@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_pem_file_holds_key_and_certificate_in_any_order(file: Path, rsa_key: rsa.RSAPrivateKey, key_first: bool, password: str) -> None:
    leaf = certificate(rsa_key, "erp")
    parts = [pem(rsa_key, password), pem(leaf)]
    file.write_bytes(b"".join(parts if key_first else parts[::-1]))
    credential = load(None, str(file), password or None)
    assert isinstance(credential, ClientCertificate)
    assert credential.thumbprint == thumbprint(leaf)
    assert credential.subject == "CN=erp"
    assert credential.expires > datetime.datetime.now(datetime.UTC)
    argument = credential.for_msal()
    assert argument["public_certificate"].encode() == pem(leaf)
    assert serialization.load_pem_private_key(argument["private_key"].encode(), None).private_numbers() == rsa_key.private_numbers()  # type: ignore[union-attr]
    assert "PRIVATE KEY" not in repr(credential)


def test_the_certificate_of_the_key_is_taken_among_several(file: Path, rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey) -> None:
    leaf = certificate(rsa_key, "leaf")
    file.write_bytes(pem(certificate(other_key, "intermediate")) + pem(leaf) + pem(rsa_key))
    assert credentials.load_certificate(str(file), None).thumbprint == thumbprint(leaf)


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_pfx_file_works(file: Path, rsa_key: rsa.RSAPrivateKey, password: str | None) -> None:
    leaf = certificate(rsa_key)
    file.write_bytes(_pfx(rsa_key, leaf, password))
    assert credentials.load_certificate(str(file), password).thumbprint == thumbprint(leaf)


def test_a_home_directory_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rsa_key: rsa.RSAPrivateKey) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.pem").write_bytes(pem(rsa_key) + pem(certificate(rsa_key)))
    assert credentials.load_certificate("~/key.pem", None).subject == "CN=sender"


@pytest.mark.parametrize(
    ("form", "password", "sentence"),
    [
        ("pem", None, "which holds an encrypted private key: set m365_certificate_password."),
        ("pem", "wrong", "which holds a private key that m365_certificate_password does not decrypt"),
        ("pfx", None, "m365_certificate_password is wrong or missing, or it is not a PFX file."),
        ("pfx", "wrong", "m365_certificate_password is wrong or missing, or it is not a PFX file."),
    ],
)
def test_a_wrong_or_missing_password_is_named(
    file: Path, rsa_key: rsa.RSAPrivateKey, form: str, password: str | None, sentence: str
) -> None:
    leaf = certificate(rsa_key)
    file.write_bytes(pem(rsa_key, PASSWORD) + pem(leaf) if form == "pem" else _pfx(rsa_key, leaf, PASSWORD))
    with pytest.raises(InvalidInput) as raised:
        credentials.load_certificate(str(file), password)
    assert sentence in str(raised.value)
    assert PASSWORD not in str(raised.value)
    assert "wrong'" not in str(raised.value)


def test_a_needless_password_is_named(file: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    file.write_bytes(pem(rsa_key) + pem(certificate(rsa_key)))
    with pytest.raises(InvalidInput, match="m365_certificate_password is set, but the private key is not encrypted"):
        credentials.load_certificate(str(file), "needless")


@pytest.mark.parametrize("content", [b"", b"not a credential", b"-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n"])
def test_what_is_no_credential_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="neither a PEM file with a private key and a certificate nor a PFX file"):
        credentials.load_certificate(str(file), None)


def test_a_key_or_a_certificate_alone_is_refused(file: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    der = certificate(rsa_key).public_bytes(serialization.Encoding.DER)
    for content, sentence in (
        (pem(rsa_key), "holds a private key and no certificate: append its certificate"),
        (pem(certificate(rsa_key)), "holds a certificate and no private key: append the private key"),
        (der, "holds a certificate and no private key: give a PEM or PFX file with both"),
        (_pfx(None, certificate(rsa_key), None), "holds no private key with its certificate"),
    ):
        file.write_bytes(content)
        with pytest.raises(InvalidInput, match=sentence):
            credentials.load_certificate(str(file), None)


def test_a_damaged_key_and_a_damaged_certificate_are_two_sentences(file: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    key, leaf = pem(rsa_key), pem(certificate(rsa_key))
    for content, sentence in (
        (key[:80] + key[200:] + leaf, "holds a private key that cannot be decoded"),
        (key + leaf[:80] + leaf[200:], "holds a certificate that cannot be decoded"),
    ):
        file.write_bytes(content)
        with pytest.raises(InvalidInput, match=sentence):
            credentials.load_certificate(str(file), None)


def test_a_foreign_key_is_refused(file: Path, rsa_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey) -> None:
    file.write_bytes(pem(rsa_key) + pem(certificate(other_key)))
    with pytest.raises(InvalidInput, match="holds a certificate that does not belong to its private key"):
        credentials.load_certificate(str(file), None)


def test_a_key_that_entra_does_not_take_is_refused(file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(pem(key) + pem(certificate(key)))
    with pytest.raises(InvalidInput, match=r"certificate \(CN=sender\) has a key that is not RSA: Entra accepts RSA keys only"):
        credentials.load_certificate(str(file), None)
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    file.write_bytes(pem(short) + pem(certificate(short)))
    with pytest.raises(InvalidInput, match="has an RSA key of 1024 bits: create a key of 2048 bits or more"):
        credentials.load_certificate(str(file), None)


def test_a_certificate_of_the_future_is_refused(file: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    file.write_bytes(pem(rsa_key) + pem(certificate(rsa_key, days=500)))
    with pytest.raises(InvalidInput, match=r"is not valid before .*: check its dates and the clock of this host"):
        credentials.load_certificate(str(file), None)


def test_expired_certificate_names_its_expiry_date(file: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    leaf = certificate(rsa_key, "old", days=-2)
    file.write_bytes(pem(rsa_key) + pem(leaf))
    with pytest.raises(InvalidInput, match=rf"\(CN=old\) expired on {leaf.not_valid_after_utc:%Y-%m-%d}: create a new one and register it"):
        credentials.load_certificate(str(file), None)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"m365_certificate_path is .*/nowhere, which cannot be read: No such file or directory\."):
        load(None, str(tmp_path / "nowhere"), None)


def test_two_credentials_or_none_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Both m365_client_secret and m365_certificate_path are set"):
        load("s3cret", "/some/file", None)
    with pytest.raises(InvalidInput, match="No credential: set m365_client_secret or m365_certificate_path, or the environment variable"):
        load(None, None, None)
    with pytest.raises(InvalidInput, match=r"No credential: set app_client_secret or app_certificate_path\."):
        load(None, None, None, prefix="app_")
