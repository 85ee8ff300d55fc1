"""Client assertions signed by a certificate of the application.

Source: "Microsoft identity platform application authentication certificate credentials" (x5t with RS256, x5t#S256
with PS256) and RFC 7523 section 3.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator.entra.errors import EntraError
from emulator.state import Application, Certificate, Tenant
from emulator.tokens import signed_claims

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LOGIN_HOSTS = {
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "sts.windows.net",
}
SKEW = 300.0  # seconds of clock difference that are forgiven


def check(assertion: str, application: Application, tenant: Tenant, origin: str, now: float) -> str:
    """The id of the application's key that signed the assertion; raises EntraError where none did."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError:
        raise EntraError(50027) from None
    key_id, claims = _verified(assertion, header, application, now)
    if not all(isinstance(claims.get(name), str) for name in ("iss", "sub", "aud")):
        raise EntraError(50027)
    if claims["iss"].lower() != application.app_id or claims["sub"].lower() != application.app_id:
        raise EntraError(700021)
    if not _audience_fits(claims["aud"], tenant, origin):
        raise EntraError(700023)
    check_times(claims, now)
    return key_id


def _verified(assertion: str, header: dict[str, Any], application: Application, now: float) -> tuple[str, dict[str, Any]]:
    """The id of the key and the claims."""
    thumbprint = str(header.get("x5t#S256") or header.get("x5t") or "").rstrip("=")
    registered = _certificate(application, header, now)
    if registered is None or header.get("alg") not in ("RS256", "PS256"):
        raise _unregistered("The key was not found.", thumbprint, application)
    certificate = x509.load_der_x509_certificate(base64.b64decode(registered.der))
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise _unregistered("The key was not found.", thumbprint, application)
    if certificate.not_valid_after_utc.timestamp() < now:
        raise _unregistered("The key used is expired.", thumbprint, application)
    try:
        return registered.key_id, signed_claims(assertion, key, header["alg"])
    except jwt.InvalidSignatureError:
        raise _unregistered("The key was not found.", thumbprint, application) from None
    except jwt.InvalidTokenError:
        raise EntraError(50027) from None


def _certificate(application: Application, header: dict[str, Any], now: float) -> Certificate | None:
    """The registered certificate that the header names; msal leaves base64's padding on."""
    named = {str(header.get("x5t#S256", "")).rstrip("="), str(header.get("x5t", "")).rstrip("=")} - {""}
    for registered in application.certificates:
        der = base64.b64decode(registered.der)
        own = {_digest(hashlib.sha256(der)), _digest(hashlib.sha1(der, usedforsecurity=False))}
        if named & own and registered.effective_from <= now:
            return registered
    return None


def _digest(digest: Any) -> str:
    return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def _unregistered(reason: str, thumbprint: str, application: Application) -> EntraError:
    try:
        readable = base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)).hex().upper()
    except ValueError:
        readable = thumbprint
    return EntraError(700027, reason=reason, thumbprint=readable, app=application.app_id)


def _audience_fits(audience: str, tenant: Tenant, origin: str) -> bool:
    parts = urlsplit(audience)
    if f"{parts.scheme}://{parts.netloc}" != origin and parts.hostname not in LOGIN_HOSTS:
        return False
    segment, _, rest = parts.path.strip("/").partition("/")
    named = segment.lower() in (tenant.id, *tenant.accepted_domains)
    return named and rest in ("oauth2/v2.0/token", "v2.0", "oauth2/token", "")


def check_times(claims: dict[str, Any], now: float) -> None:
    """Raise EntraError unless an assertion is valid now."""
    start, end = claims.get("nbf", claims.get("iat", now)), claims.get("exp")
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        raise EntraError(50027)
    if not start - SKEW <= now <= end + SKEW:
        text = {"now": now, "start": float(start), "end": float(end)}
        raise EntraError(700024, **{name: _iso(value) for name, value in text.items()})


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
