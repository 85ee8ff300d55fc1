"""Secrets and certificates of an application (passwordCredential, keyCredential).

Source: "application: addPassword", "Update application" (keyCredentials is replaced whole) and "keyCredential
resource type" (customKeyIdentifier, and `key` only with $select on a single object).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import string
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from emulator.graph.call import Call
from emulator.graph.errors import bad_request
from emulator.graph.validate import parse_date
from emulator.state import Application, Certificate, Secret, new_guid

TWO_YEARS = 2 * 365 * 86400.0
ALPHABET = string.ascii_letters + string.digits + "~._-"
Document = dict[str, Any]


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_document(certificate: Certificate, *, with_key: bool) -> Document:
    thumbprint, start, end = _facts(certificate.der)
    return {
        "customKeyIdentifier": thumbprint,
        "displayName": certificate.display_name,
        "endDateTime": end,
        "key": certificate.der if with_key else None,
        "keyId": certificate.key_id,
        "startDateTime": start,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


@lru_cache(maxsize=4096)
def _facts(der: str) -> tuple[str, str, str]:
    """Thumbprint and validity of a certificate."""
    content = base64.b64decode(der)
    certificate = x509.load_der_x509_certificate(content)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    thumbprint = hashlib.sha1(content, usedforsecurity=False).hexdigest().upper()
    return thumbprint, iso(start.timestamp()), iso(end.timestamp())


def password_document(secret: Secret, *, with_value: bool = False) -> Document:
    return {
        "customKeyIdentifier": None,
        "displayName": secret.display_name or None,
        "endDateTime": iso(secret.end) if secret.end else None,
        "hint": secret.value[:3],
        "keyId": secret.key_id,
        "secretText": secret.value if with_value else None,
        "startDateTime": iso(secret.start) if secret.start else None,
    }


def add_password(call: Call, application: Application, requested: Document) -> Secret:
    for name in ("secretText", "hint", "keyId", "customKeyIdentifier"):
        if requested.get(name):
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    start = parse_date(requested.get("startDateTime")) or float(int(call.now))
    secret = Secret(
        value="".join(secrets.choice(ALPHABET) for _ in range(40)),
        display_name=requested.get("displayName") or "",
        start=start,
        end=parse_date(requested.get("endDateTime")) or start + TWO_YEARS,
        effective_from=call.platform.after("credential"),
    )
    if secret.end <= secret.start:
        raise bad_request("Password credential has invalid start or end date.")
    application.secrets.append(secret)
    return secret


def certificates(call: Call, application: Application, entries: list[Document]) -> list[Certificate]:
    """The certificates after a write of the whole keyCredentials list."""
    kept = {certificate.key_id: certificate for certificate in application.certificates}
    matches = []
    for entry in entries:
        old = kept.get(str(entry.get("keyId")))
        if old is None:
            matches.append(_new_certificate(call, entry))
        elif _is_as_read(entry, old):
            matches.append(old)
        else:
            raise bad_request(f"Update to existing credential with KeyId '{old.key_id}' is not allowed.")
    if len({certificate.key_id for certificate in matches}) != len(matches):
        raise bad_request("Key credentials must have distinct keyId values.")
    return matches


def _is_as_read(entry: Document, certificate: Certificate) -> bool:
    """Whether an entry is what a GET returns; only `key` may be absent or null."""
    expected = key_document(certificate, with_key=True)
    key = expected.pop("key")
    return entry.get("key") in (None, key) and {name: value for name, value in entry.items() if name != "key"} == expected


def _new_certificate(call: Call, entry: Document) -> Certificate:
    if entry.get("type") != "AsymmetricX509Cert" or entry.get("usage") != "Verify":
        raise bad_request("Key credential must have type AsymmetricX509Cert and usage Verify.")
    if not entry.get("key"):
        raise bad_request("New key credentials must have a key value.", "KeyCredentialsMissingKey")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(entry["key"], validate=True))
    except (ValueError, binascii.Error):
        raise bad_request("Key value is invalid certificate.", "KeyCredentialsInvalidCertificate") from None
    if parse_date(entry.get("endDateTime")) > certificate.not_valid_after_utc.timestamp() + 1:
        raise bad_request("Key credential end date is invalid.", "KeyCredentialsInvalidEndDate")
    return Certificate(
        der=base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
        key_id=entry.get("keyId") or new_guid(),
        display_name=entry.get("displayName") or certificate.subject.rfc4514_string(),
        effective_from=call.platform.after("credential"),
    )


def kept_secrets(application: Application, entries: list[Document]) -> list[Secret]:
    """passwordCredentials can be taken away by PATCH, never added or changed."""
    known = {secret.key_id: secret for secret in application.secrets}
    for entry in entries:
        if entry.get("keyId") not in known or entry.get("secretText"):
            raise bad_request("Password credentials cannot be set here. Use addPassword.", "CannotUpdatePasswords")
    return [known[entry["keyId"]] for entry in entries]
