# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public certificates for the keyCredentials of an application. A private key in the same text is ignored.

Source: Microsoft Graph v1.0, "keyCredential resource type".
"""

from __future__ import annotations

import base64
import datetime
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from .._core.errors import InvalidInput, MissingLibrary

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class KeyCredential(TypedDict, total=False):
    """Microsoft Graph v1.0, "keyCredential resource type"; Graph sets keyId and customKeyIdentifier."""

    keyId: str
    customKeyIdentifier: str
    type: str
    usage: str
    displayName: str
    key: str
    startDateTime: str
    endDateTime: str


@dataclass(frozen=True)
class PublicCertificate:
    """`thumbprint`: SHA-1, hexadecimal, upper case, which is Entra's identifier of a certificate. `expires`: in UTC."""

    der: bytes
    thumbprint: str
    subject: str
    expires: datetime.datetime

    def key_credential(self) -> KeyCredential:
        """The keyCredential to write; Entra takes the dates from the certificate."""
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "displayName": f"{self.subject} until {self.expires:%Y-%m-%d}"[:90],
            "key": base64.b64encode(self.der).decode(),
        }


def read(text: str, *, allow_expired: bool = False) -> PublicCertificate:
    """The first certificate of a PEM text, or of a file with PEM or DER. Raises InvalidInput where there is none.

    `allow_expired`: accept an expired certificate, which is to be removed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    content, source = _content(text)
    block = _BLOCK.search(content.decode("latin-1"))
    try:
        pem = block.group(0).encode() if block else b""
        leaf = x509.load_pem_x509_certificate(pem) if pem else x509.load_der_x509_certificate(content)
    except ValueError as error:
        raise InvalidInput(f"certificates: {source} is not a certificate: give the public certificate as PEM or DER.") from error
    expires = leaf.not_valid_after_utc
    if expires < datetime.datetime.now(datetime.UTC) and not allow_expired:
        raise InvalidInput(f"certificates: {source} ({leaf.subject.rfc4514_string()}) expired on {expires:%Y-%m-%d}: create a new one.")
    return PublicCertificate(
        leaf.public_bytes(serialization.Encoding.DER),
        leaf.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - Entra's identifier of a certificate
        leaf.subject.rfc4514_string(),
        expires,
    )


def problems(text: str, *, allow_expired: bool = False) -> list[str]:
    """The problems that `read` raises."""
    try:
        read(text, allow_expired=allow_expired)
    except InvalidInput as error:
        return error.problems
    return []


def _content(text: str) -> tuple[bytes, str]:
    if "-----BEGIN" in text:
        return text.encode(), "the PEM text"
    try:
        return Path(text).expanduser().read_bytes(), text
    except (OSError, ValueError) as error:
        raise InvalidInput(f"certificates: {text!r} is neither PEM text nor a file that can be read.") from error
