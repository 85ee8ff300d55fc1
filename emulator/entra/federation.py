"""Client assertions that another issuer signed: they stand for the application where a federated credential fits them.

Sources: "Workload identity federation"; "Microsoft Entra authentication and authorization error codes" (70025, 700211,
700212, 700213, 700024); 7002138 as the service answers since its breaking change of August 2024.
"""

from __future__ import annotations

import re
from typing import Any

import jwt

from emulator.entra.assertion import check_times
from emulator.entra.errors import EntraError
from emulator.oidc import UnknownIssuerError
from emulator.platform import Platform
from emulator.state import Application, FederatedCredential

# Entra itself, as the issuer of a managed identity's tokens.
ENTRA_ISSUER = re.compile(r"(https://[^/]+)/([0-9a-f-]{36})/v2\.0")


def is_foreign(assertion: str, application: Application) -> bool:
    """Whether another issuer than the application itself signed the assertion."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return str(claims.get("iss", "")).lower() != application.app_id


def check(platform: Platform, assertion: str, application: Application) -> None:
    """Return when a federated credential of the application fits the assertion, else raise EntraError."""
    claims = jwt.decode(assertion, options={"verify_signature": False})
    issuer, subject, audience = (claims.get(name) for name in ("iss", "sub", "aud"))
    if not isinstance(issuer, str) or not isinstance(subject, str) or not audience:
        raise EntraError(50027)
    _fitting(platform, application, issuer, subject, audience)
    try:
        verified = _verified(platform, assertion, issuer)
    except UnknownIssuerError:
        raise EntraError(50166, issuer=issuer) from None
    except jwt.InvalidTokenError:
        raise EntraError(50013) from None
    check_times(verified, platform.now)


def _fitting(platform: Platform, application: Application, issuer: str, subject: str, audience: Any) -> FederatedCredential:
    """The credential that is equal, letter by letter; the refusal names the first difference."""
    known = [one for one in application.federated if one.effective_from <= platform.now]
    if not known:
        raise EntraError(70025, app=application.app_id, name=application.display_name)
    same_issuer = [one for one in known if one.issuer == issuer]
    if not same_issuer:
        raise EntraError(700211, issuer=issuer)
    same_subject = [one for one in same_issuer if one.subject == subject]
    if not same_subject:
        near = any(one.subject.lower() == subject.lower() for one in same_issuer)
        raise EntraError(7002138 if near else 700213, subject=subject)
    audiences = set(audience) if isinstance(audience, list) else {str(audience)}
    match = next((one for one in same_subject if audiences & set(one.audiences)), None)
    if match is None:
        raise EntraError(700212, audience=", ".join(sorted(audiences)))
    return match


def _verified(platform: Platform, assertion: str, issuer: str) -> dict[str, Any]:
    own = ENTRA_ISSUER.fullmatch(issuer)
    if own and own.group(1) in platform.state.tokens.origins and own.group(2) in platform.state.tenants:
        return platform.state.tokens.own_claims(assertion)
    return platform.providers.verified(assertion, issuer)
