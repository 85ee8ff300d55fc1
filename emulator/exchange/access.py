"""Who may call what: Exchange.ManageAsApp in the token (a user's: Exchange.Manage), and a directory role or a role group.

Source: "App-only authentication for unattended scripts in Exchange Online PowerShell"; measured: neither or only the
directory role 401, only the app role 403.
"""

from __future__ import annotations

from emulator.exchange import role_groups
from emulator.exchange.errors import forbidden
from emulator.http import Response
from emulator.platform import Platform
from emulator.state import Tenant
from emulator.tokens import Claims, TokenError
from emulator.well_known import DIRECTORY_ROLES

FULL = {DIRECTORY_ROLES["Exchange Administrator"], DIRECTORY_ROLES["Global Administrator"]}
RECIPIENTS = {DIRECTORY_ROLES["Exchange Recipient Administrator"]}
READING = {DIRECTORY_ROLES["Global Reader"]}
SECURITY_READING = {DIRECTORY_ROLES["Security Reader"]}
GROUPS = "_role_groups"  # what is no claim, but goes with them: Exchange looks it up for itself
SECURITY_CMDLETS = {"Get-AdminAuditLogConfig", "Get-DkimSigningConfig", "Get-HostedConnectionFilterPolicy"}


def authenticate(platform: Platform, authorization: str, tenant_name: str) -> tuple[Tenant, Claims] | Response:
    """The tenant and the claims of an acceptable token, else the refusal."""
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise TokenError("malformed")
        claims = platform.state.tokens.verify(token, "exchange")
    except TokenError as error:
        return _unauthorized(error.reason)
    tenant = platform.state.tenant(tenant_name)
    if tenant is None or tenant.id != claims["tid"]:
        return _unauthorized("tenant")
    if "Exchange.ManageAsApp" not in claims.get("roles", ()) and "Exchange.Manage" not in claims.get("scp", "").split():
        return _unauthorized("role")
    claims = {**claims, "wids": _effective_roles(platform, tenant, claims)}
    groups = role_groups.of(tenant, str(claims.get("appid", "")), platform.now)
    if not groups and not set(claims["wids"]) & (FULL | RECIPIENTS | READING | SECURITY_READING):
        return forbidden()
    return tenant, claims | {GROUPS: groups}


def _effective_roles(platform: Platform, tenant: Tenant, claims: Claims) -> list[str]:
    """The directory roles in the token that Exchange uses: an application's takes effect later than tokens carry it (its lag)."""
    principal = tenant.enterprise_application(str(claims.get("appid", ""))) if claims.get("idtyp") == "app" else None
    assigned = principal.directory_roles if principal else {}
    lag = platform.settings.lag_of("exchange_directory_role")
    return [role for role in claims.get("wids", ()) if not assigned.get(role) or assigned[role] + lag <= platform.now]


def _unauthorized(reason: str) -> Response:
    challenge = (
        'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000001-0000-0000-c000-000000000000@*", '
        f'token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token", error_description="{reason}"'
    )
    return Response(401, None, {"WWW-Authenticate": challenge})


def may_run(claims: Claims, cmdlet: str) -> bool:
    roles = set(claims.get("wids", ()))
    if roles & FULL or role_groups.may_run(claims.get(GROUPS, []), cmdlet):
        return True
    if roles & RECIPIENTS and role_groups.may_run([role_groups.RECIPIENTS], cmdlet):
        return True
    if not cmdlet.startswith(("Get-", "Test-")):
        return False
    return bool(roles & READING) or (bool(roles & SECURITY_READING) and cmdlet in SECURITY_CMDLETS)
