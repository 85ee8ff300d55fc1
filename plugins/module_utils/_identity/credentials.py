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
from typing import TYPE_CHECKING, Any

from .._core.errors import InvalidInput
from . import key_files
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
    key, leaf = key_files.open_pair(path, password, name, f"{prefix}certificate_password")
    for clause in key_files.entra_problems(leaf):
        register = "" if "expired" not in clause else " and register it on the application with a credential that still works"
        raise InvalidInput(f"{name} is {path}, whose certificate ({leaf.subject.rfc4514_string()}) {clause}{register}.")
    return client_certificate(key, leaf)


def client_certificate(key: Any, leaf: x509.Certificate) -> ClientCertificate:
    """The credential of a private key and its certificate."""
    from cryptography.hazmat.primitives import hashes, serialization

    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return ClientCertificate(
        private_key=pem,
        certificate=leaf.public_bytes(serialization.Encoding.PEM).decode(),
        thumbprint=leaf.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - Entra's identifier of a certificate
        subject=leaf.subject.rfc4514_string(),
        expires=leaf.not_valid_after_utc,
    )
