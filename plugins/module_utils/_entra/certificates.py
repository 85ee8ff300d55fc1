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
from typing import TYPE_CHECKING, TypedDict

from .._core.errors import InvalidInput, MissingLibrary
from .._identity import key_files

if TYPE_CHECKING:
    from cryptography import x509

_LONGEST_PATH = 1024  # characters


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

    @property
    def pem(self) -> str:
        text = base64.b64encode(self.der).decode()
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])

    def key_credential(self) -> KeyCredential:
        """The keyCredential to write; Entra takes the dates from the certificate."""
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "displayName": f"{self.subject} until {self.expires:%Y-%m-%d}"[:90],
            "key": base64.b64encode(self.der).decode(),
        }


def read(text: str, option: str = "certificates", *, retired: bool = False) -> PublicCertificate:
    """The first certificate of a PEM text, or of a file with PEM or DER. Raises InvalidInput, which names the option.

    `retired`: the certificate is to be removed; neither its dates nor its key matter.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    content, source = _content(text, option)
    blocks = key_files.CERTIFICATE.findall(content)
    if not blocks and b"-----BEGIN" in content:
        raise InvalidInput(f"{option}: {source} holds {_other_content(content)} and no certificate: give the public certificate.")
    try:
        leaf = x509.load_pem_x509_certificate(blocks[0]) if blocks else x509.load_der_x509_certificate(content)
    except ValueError as error:
        if blocks:
            raise InvalidInput(f"{option}: {source} holds a certificate that cannot be decoded: export the certificate again.") from error
        raise InvalidInput(f"{option}: {source} is not a certificate: give the public certificate as PEM or DER.") from error
    leaf = _of_key(leaf, content, f"{option}: {source}")
    for clause in () if retired else key_files.entra_problems(leaf):
        raise InvalidInput(f"{option}: {source} ({leaf.subject.rfc4514_string()}) {clause}.")
    return PublicCertificate(
        leaf.public_bytes(serialization.Encoding.DER),
        leaf.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - Entra's identifier of a certificate
        leaf.subject.rfc4514_string(),
        leaf.not_valid_after_utc,
    )


def problems(text: str, option: str = "certificates", *, retired: bool = False) -> list[str]:
    """The problems that `read` raises."""
    try:
        read(text, option, retired=retired)
    except InvalidInput as error:
        return error.problems
    return []


def _of_key(first: x509.Certificate, content: bytes, source: str) -> x509.Certificate:
    """The certificate of the private key that is in the same text, where there is a readable one; else the first certificate."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    if not key_files.PRIVATE_KEY.search(content) or key_files.is_encrypted(content):
        return first
    try:
        key = serialization.load_pem_private_key(key_files.PRIVATE_KEY.findall(content)[0], None).public_key()
        leaves = x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return first
    match = next((leaf for leaf in leaves if leaf.public_key() == key), None)
    if match is None:
        raise InvalidInput(f"{source} holds a private key that does not belong to its certificate: correct the file.")
    return match


def _other_content(content: bytes) -> str:
    if key_files.PRIVATE_KEY.search(content):
        return "a private key"
    label = re.search(rb"-----BEGIN ([A-Z0-9 ]+)-----", content)
    return f"a PEM block {label[1].decode()!r}" if label else "a damaged PEM block"


def _content(text: str, option: str) -> tuple[bytes, str]:
    if "-----BEGIN" in text:
        return text.encode(), "the PEM text"
    if "\n" in text or len(text) > _LONGEST_PATH:
        raise InvalidInput(f"{option}: a text is neither PEM text nor the path of a file: begin it with -----BEGIN CERTIFICATE-----.")
    try:
        return Path(text).expanduser().read_bytes(), text
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        sentence = f"{option}: {text!r} cannot be read ({reason}): correct the path, or give the certificate as PEM text."
        raise InvalidInput(sentence) from error
