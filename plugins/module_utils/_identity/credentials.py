# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of the automation app: one class per method, which gives msal its credential.

Sources: "Microsoft identity platform application authentication certificate credentials";
MSAL for Python, ConfidentialClientApplication.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.errors import InvalidInput, MissingLibrary
from .sign_in import Credential, SignIn, confidential
from .token_response import TokenResponse

if TYPE_CHECKING:
    from cryptography import x509

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class ClientSecret:
    """A client secret (passwordCredential). Its repr does not contain the value."""

    value: str = field(repr=False)

    def for_msal(self) -> Any:
        return self.value

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> TokenResponse:
        return confidential(sign_in, self.for_msal(), scope, claims)

    def fingerprint(self) -> str:
        """An identifier of this credential that does not reveal it."""
        return hashlib.sha256(self.value.encode()).hexdigest()


@dataclass(frozen=True)
class ClientCertificate:
    """A private key with its certificate, both PEM; the repr does not contain the key. `thumbprint` is SHA-1 in hex, as Entra shows it."""

    private_key: str = field(repr=False)
    certificate: str
    thumbprint: str
    subject: str
    expires: datetime.datetime

    def for_msal(self) -> Any:
        return {"private_key": self.private_key, "public_certificate": self.certificate}

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> TokenResponse:
        return confidential(sign_in, self.for_msal(), scope, claims)

    def fingerprint(self) -> str:
        return self.thumbprint


def load(secret: str | None, certificate_path: str | None, password: str | None, *, prefix: str = "m365_") -> Credential:
    """The credential that the options mean; InvalidInput names the variable where they mean none, or two."""
    if secret and certificate_path:
        raise InvalidInput(f"Both {prefix}client_secret and {prefix}certificate_path are set: give one of them.")
    if secret:
        return ClientSecret(secret)
    if certificate_path:
        return load_certificate(certificate_path, password, prefix=prefix)
    raise InvalidInput(
        f"No credential: set {prefix}client_secret or {prefix}certificate_path"
        + (", or the environment variable AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH." if prefix == "m365_" else ".")
    )


def load_certificate(path: str, password: str | None, *, prefix: str = "m365_") -> ClientCertificate:
    """A private key and its certificate from one file, PEM or PFX (PKCS #12). InvalidInput says what is wrong with it."""
    name = f"{prefix}certificate_path"
    try:
        content = Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{name} is {path}, which cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    key, leaf = _opened(content, password, path, prefix)
    if not isinstance(key, RSAPrivateKey):
        raise InvalidInput(f"{name} is {path}, whose private key is not RSA: Entra takes RSA keys only; make a new key and certificate.")
    expires = leaf.not_valid_after_utc
    if expires < datetime.datetime.now(datetime.UTC):
        raise InvalidInput(
            f"{name} is {path}, whose certificate ({leaf.subject.rfc4514_string()}) expired on {expires:%Y-%m-%d}: "
            "make a new one and register it on the application (module entra_app) with a credential that still works."
        )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return ClientCertificate(
        private_key=pem,
        certificate=leaf.public_bytes(serialization.Encoding.PEM).decode(),
        thumbprint=leaf.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - Entra's name for a certificate
        subject=leaf.subject.rfc4514_string(),
        expires=expires,
    )


def _opened(content: bytes, password: str | None, path: str, prefix: str) -> tuple[Any, x509.Certificate]:
    """The private key of a file's content, and the certificate that belongs to it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    name, secret = f"{prefix}certificate_path", password.encode() if password else None
    if secret and b"-----BEGIN" in content and b"ENCRYPTED" not in content:
        raise InvalidInput(f"{prefix}certificate_password is set, but its private key has no password ({path}): leave it out.")
    key: Any
    leaf: x509.Certificate | None
    try:
        if b"-----BEGIN" in content:
            key = serialization.load_pem_private_key(content, secret)
            leaf = next((c for c in x509.load_pem_x509_certificates(content) if c.public_key() == key.public_key()), None)
        else:
            key, leaf, _others = pkcs12.load_key_and_certificates(content, secret)
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            f"{name} is {path}, which cannot be opened: it is neither a PEM file with a private key and a certificate nor "
            f"a PFX file, or {prefix}certificate_password is wrong or missing."
        ) from error
    if key is None:
        raise InvalidInput(f"{name} is {path}, which holds no private key with its certificate.")
    if leaf is None:
        raise InvalidInput(f"{name} is {path}, whose certificate does not belong to its private key.")
    return key, leaf
