# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with certificates and private keys: each mistake has its own sentence.

Sources: RFC 7468 (PEM), RFC 7292 (PKCS #12); "Microsoft identity platform application authentication certificate credentials".
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.errors import InvalidInput, MissingLibrary

if TYPE_CHECKING:
    from cryptography import x509

LEAST_RSA_BITS = 2048
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----.+?-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----", re.DOTALL)


def now() -> datetime.datetime:
    """The current time in UTC."""
    return datetime.datetime.fromtimestamp(time.time(), datetime.UTC)


def content_of(path: str, name: str) -> bytes:
    """A file's content; InvalidInput names the option where it cannot be read."""
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{name} is {path}, which cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def is_encrypted(content: bytes) -> bool:
    """Whether a PEM private key needs a password."""
    return any(b"ENCRYPTED" in block for block in PRIVATE_KEY.findall(content))


def entra_problems(leaf: x509.Certificate) -> Iterator[str]:
    """Why Entra does not accept a certificate as a credential, a clause each: its key, its dates."""
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    key = leaf.public_key()
    if not isinstance(key, RSAPublicKey):
        yield "has a key that is not RSA: Entra accepts RSA keys only; create an RSA key and its certificate"
    elif key.key_size < LEAST_RSA_BITS:
        yield f"has an RSA key of {key.key_size} bits: create a key of {LEAST_RSA_BITS} bits or more and its certificate"
    yield from date_problems(leaf)


def date_problems(leaf: x509.Certificate) -> Iterator[str]:
    """Why a certificate is not valid now, a clause each."""
    if leaf.not_valid_after_utc <= now():
        yield f"expired on {leaf.not_valid_after_utc:%Y-%m-%d}: create a new one"
    elif leaf.not_valid_before_utc > now():
        yield f"is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}: check its dates and the clock of this host"


def open_pair(path: str, password: str | None, name: str, password_name: str) -> tuple[Any, x509.Certificate]:
    """The private key of a PEM or PFX file, and the certificate that belongs to it. InvalidInput says what is wrong with the file."""
    content = content_of(path, name)
    opened = f"{name} is {path}, which"
    if b"-----BEGIN" in content:
        return _open_pem(content, password, opened, password_name)
    return _open_pfx(content, password, opened, password_name)


def _open_pem(content: bytes, password: str | None, opened: str, password_name: str) -> tuple[Any, x509.Certificate]:
    has_key, has_certificate = bool(PRIVATE_KEY.search(content)), bool(CERTIFICATE.search(content))
    if not has_key and not has_certificate:
        raise InvalidInput(f"{opened} is neither a PEM file with a private key and a certificate nor a PFX file.")
    if not has_key:
        raise InvalidInput(f"{opened} holds a certificate and no private key: append the private key to the file.")
    if not has_certificate:
        raise InvalidInput(f"{opened} holds a private key and no certificate: append its certificate to the file.")
    encrypted = is_encrypted(content)
    if encrypted and not password:
        raise InvalidInput(f"{opened} holds an encrypted private key: set {password_name}.")
    if password and not encrypted:
        raise InvalidInput(f"{password_name} is set, but the private key is not encrypted ({opened.removesuffix(', which')}): remove it.")
    key = _private_key(PRIVATE_KEY.findall(content)[0], password, opened, password_name)
    leaf = next((leaf for leaf in _certificates(content, opened) if leaf.public_key() == key.public_key()), None)
    if leaf is None:
        raise InvalidInput(f"{opened} holds a certificate that does not belong to its private key: put both of one pair into the file.")
    return key, leaf


def _private_key(content: bytes, password: str | None, opened: str, password_name: str) -> Any:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    try:
        return serialization.load_pem_private_key(content, password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if password:
            raise InvalidInput(f"{opened} holds a private key that {password_name} does not decrypt: correct the password.") from error
        raise InvalidInput(f"{opened} holds a private key that cannot be decoded: export the key again.") from error


def _certificates(content: bytes, opened: str) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise InvalidInput(f"{opened} holds a certificate that cannot be decoded: export the certificate again.") from error


def _open_pfx(content: bytes, password: str | None, opened: str, password_name: str) -> tuple[Any, x509.Certificate]:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import pkcs12
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    if is_der_certificate(content):
        raise InvalidInput(f"{opened} holds a certificate and no private key: give a PEM or PFX file with both.")
    if not content.startswith(b"\x30"):
        raise InvalidInput(f"{opened} is neither a PEM file with a private key and a certificate nor a PFX file.")
    try:
        key, leaf, _others = pkcs12.load_key_and_certificates(content, password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInput(f"{opened} cannot be opened: {password_name} is wrong or missing, or it is not a PFX file.") from error
    if key is None or leaf is None:
        raise InvalidInput(f"{opened} holds no private key with its certificate: export both into the PFX file.")
    return key, leaf


def is_der_certificate(content: bytes) -> bool:
    from cryptography import x509

    try:
        x509.load_der_x509_certificate(content)
    except ValueError:
        return False
    return True
