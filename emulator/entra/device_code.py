"""The device code flow: the client asks, a user enters the code elsewhere and signs in, the client polls.

Sources: "OAuth 2.0 device authorization grant flow" on the Microsoft identity platform; RFC 8628.
"""

from __future__ import annotations

import secrets
from typing import Any

from emulator.entra import users
from emulator.entra.delegated import Client, check_consent, issue, parse_scope
from emulator.entra.errors import EntraError
from emulator.http import Response
from emulator.platform import Platform
from emulator.state import DelegatedGrant, DeviceCode, Mailbox, Tenant, new_guid
from emulator.state.sign_in import digest

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PAGE = "https://microsoft.com/devicelogin"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another


def start(client: Client, form: dict[str, str]) -> Response:
    """The answer of /devicecode."""
    scope = form.get("scope", "")
    parse_scope(client, scope)
    settings, now = client.platform.settings, client.platform.now
    secret, user_code = secrets.token_urlsafe(96), "".join(secrets.choice(LETTERS) for _ in range(9))
    known = client.tenant.device_codes
    for old in [key for key, one in known.items() if one.expires + settings.device_code_lifetime < now]:
        del known[old]
    code = DeviceCode(
        digest(secret),
        user_code,
        client.application.app_id,
        scope,
        expires=now + settings.device_code_lifetime,
        interval=settings.device_code_interval,
    )
    known[code.digest] = code
    body = {
        "user_code": user_code,
        "device_code": secret,
        "verification_uri": PAGE,
        "expires_in": settings.device_code_lifetime,
        "interval": code.interval,
        "message": f"To sign in, use a web browser to open the page {PAGE} and enter the code {user_code} to authenticate.",
    }
    return Response(200, body, {"cache-control": "no-store", "pragma": "no-cache"})


def redeem(client: Client, form: dict[str, str]) -> Response:
    """One poll: a device code is good for one answer with tokens."""
    if not form.get("device_code"):
        raise EntraError(900144, parameter="device_code")
    code = client.tenant.device_codes.get(digest(form["device_code"]))
    if code is None or code.app_id != client.application.app_id:
        raise EntraError(70018)
    now = client.platform.now
    if code.expires <= now:
        raise EntraError(70020)
    too_soon, code.polled = now - code.polled < code.interval - 1, now
    if code.declined:
        raise EntraError(65004)
    if code.failure:
        raise EntraError(code.failure, app=client.application.app_id, name=client.application.display_name)
    if not code.user_id:
        raise EntraError(70016, error="slow_down") if too_soon else EntraError(70016)
    user = users.user_by_id(client.tenant, code.user_id)
    answer = issue(client, user, code.scope, mfa=code.mfa, claims_request=form.get("claims", ""))
    del client.tenant.device_codes[code.digest]
    return answer


# -- the user's side, through the admin API ----------------------------------------------------------------------------


def document(tenant: Tenant, code: DeviceCode) -> dict[str, Any]:
    """What a person beside the device sees of it: never the device code."""
    state = "declined" if code.declined else f"AADSTS{code.failure}" if code.failure else "approved" if code.user_id else "pending"
    listed = {"user_code": code.user_code, "tenant": tenant.id, "app_id": code.app_id, "scope": code.scope}
    return listed | {"expires": code.expires, "state": state}


def waiting(platform: Platform) -> list[dict[str, Any]]:
    """The codes that are not answered yet."""
    tenants = platform.state.tenants.values()
    codes = [(tenant, code) for tenant in tenants for code in tenant.device_codes.values()]
    listed = [document(tenant, code) for tenant, code in codes if code.expires > platform.now]
    return [one for one in listed if one["state"] == "pending"]


def answer(platform: Platform, user_code: str, order: dict[str, Any]) -> dict[str, Any]:
    """A user enters a code and signs in (`user`, `password`, `mfa`), consents where consent is missing (`consent`), or declines.

    A sign-in that is refused leaves the code waiting, as the page lets the user try again; missing consent ends it.
    """
    tenant, code = _find(platform, user_code)
    if order.get("decline"):
        code.declined = True
        return document(tenant, code)
    everywhere = (application for home in platform.state.tenants.values() for application in home.applications.values())
    application = next((one for one in everywhere if one.app_id == code.app_id), None)
    principal = tenant.enterprise_application(code.app_id)
    if application is None or principal is None:  # removed since
        raise EntraError(7000229, app=code.app_id, tenant=tenant.id)
    mfa = bool(order.get("mfa"))
    user = users.sign_in(platform, tenant, application, str(order.get("user", "")), str(order.get("password", "")), mfa=mfa)
    client = Client(platform, tenant, application, principal, "0", "")
    if order.get("consent"):
        _consent(client, user, code.scope)
    try:
        check_consent(client, user, parse_scope(client, code.scope))
    except EntraError as error:
        code.failure = error.code
        raise
    code.user_id, code.mfa = user.user_id, mfa
    return document(tenant, code)


def _find(platform: Platform, user_code: str) -> tuple[Tenant, DeviceCode]:
    for tenant in platform.state.tenants.values():
        for code in tenant.device_codes.values():
            if code.user_code == user_code.strip().upper() and code.expires > platform.now:
                return tenant, code
    raise EntraError(70018)


def _consent(client: Client, user: Mailbox, scope: str) -> None:
    """Consent of the user for this user alone: a grant of consentType Principal."""
    requested = parse_scope(client, scope)
    for resource in requested.resources:
        names = [name for name in requested.names if name in {offer["value"] for offer in resource.scopes}]
        if names:
            grant = DelegatedGrant(new_guid(), client.principal.id, resource.id, " ".join(names), user.user_id)
            client.tenant.delegated_grants[grant.id] = grant
