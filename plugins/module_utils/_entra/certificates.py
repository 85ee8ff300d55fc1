# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public certificates as an application registers them (keyCredential). A private key beside one is never read.

Private to the collection. Source: Microsoft Graph v1.0, "keyCredential resource type".
"""

from __future__ import annotations

import base64
import datetime
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._core.errors import InvalidInput, MissingLibrary

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class PublicCertificate:
    der: bytes
    thumbprint: str  # SHA-1, hex, upper case: Entra's name for it
    subject: str
    expires: datetime.datetime

    def credential(self) -> dict[str, Any]:
        """The keyCredential to write; the dates come from the certificate."""
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "displayName": f"{self.subject} until {self.expires:%Y-%m-%d}"[:90],
            "key": base64.b64encode(self.der).decode(),
        }


def read(text: str, *, ended: bool = False) -> PublicCertificate:
    """The (first) certificate of a PEM text, or of a file that holds PEM or DER. InvalidInput says what is wrong.

    `ended`: one that has expired will do, because it is to be removed.
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
        raise InvalidInput(f"certificates: {source} is no certificate: give PEM or DER, the public part only.") from error
    expires = leaf.not_valid_after_utc
    if expires < datetime.datetime.now(datetime.UTC) and not ended:
        raise InvalidInput(f"certificates: {source} ({leaf.subject.rfc4514_string()}) expired on {expires:%Y-%m-%d}: make a new one.")
    return PublicCertificate(
        leaf.public_bytes(serialization.Encoding.DER),
        leaf.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - Entra's name for a certificate
        leaf.subject.rfc4514_string(),
        expires,
    )


def problems(text: str, *, ended: bool = False) -> list[str]:
    try:
        read(text, ended=ended)
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
