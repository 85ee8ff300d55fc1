"""The token endpoint: the client credentials flow, by secret or by certificate, and the way to the grants of users.

Source: "OAuth 2.0 client credentials flow on the Microsoft identity platform"; roles and wids as in "Access token
claims reference".
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from emulator import policies
from emulator.entra import assertion, device_code, federation, refresh
from emulator.entra.delegated import Client
from emulator.entra.errors import CATALOGUE, EntraError
from emulator.faults import Fault
from emulator.http import Request, Response
from emulator.platform import Platform
from emulator.state import Application, EnterpriseApplication, State, Tenant
from emulator.tokens import IN_NO_TENANT

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


# Grants of a user through an application; a public client has no credential.
DELEGATED = {device_code.GRANT: device_code.redeem, "refresh_token": refresh.refresh}


def device_authorization(platform: Platform, request: Request, tenant_name: str) -> Response:
    """The device authorization endpoint. A confidential client is refused when it polls, not here."""
    return _answered(platform, request, tenant_name, _device_authorization)


def token(platform: Platform, request: Request, tenant_name: str) -> Response:
    return _answered(platform, request, tenant_name, _issue)


Operation = Callable[[Platform, Request, Tenant], Response]


def _answered(platform: Platform, request: Request, tenant_name: str, operation: Operation) -> Response:
    correlation = request.headers.get("client-request-id")
    tenant: Tenant | None = platform.state.tenant(tenant_name)
    platform.counters.count(tenant.id if tenant else None, "token")
    fault = platform.faults.take("token", method=request.method, path=request.path, tenant=tenant_name)
    try:
        if fault:
            return _faulty(fault)
        if request.method != "POST":
            raise EntraError(900144, parameter="grant_type")
        return operation(platform, request, find_tenant(platform.state, tenant_name))
    except EntraError as error:
        return error.response(platform.now, correlation)


def _faulty(fault: Fault) -> Response:
    """A named fault (AADSTS<code>, throttled, unavailable) or the fault's status, headers and body."""
    code = re.fullmatch(r"AADSTS(\d+)", fault.name or "")
    if code and int(code.group(1)) in CATALOGUE:
        raise EntraError(int(code.group(1)), **{k: str(v) for k, v in fault.options.items()})
    if fault.name == "throttled":
        return Response(429, {"error": "temporarily_unavailable"}, {"Retry-After": "1"} | fault.headers)
    if fault.name == "unavailable":
        return Response(503, None, fault.headers)
    return fault.response()


def find_tenant(state: State, name: str) -> Tenant:
    tenant = state.tenant(name)
    if tenant:
        return tenant
    if name.lower() in ("common", "organizations", "consumers"):
        raise EntraError(50059)
    if GUID.fullmatch(name) or "." in name:
        raise EntraError(90002, tenant=name)
    raise EntraError(900023, tenant=name)


def _issue(platform: Platform, request: Request, tenant: Tenant) -> Response:
    form = _form(request)
    for name in ("grant_type", "client_id"):
        if not form.get(name):
            raise EntraError(900144, parameter=name)
    if form["grant_type"] in DELEGATED:
        return DELEGATED[form["grant_type"]](_delegated_client(platform, request, tenant, form), form)
    if form["grant_type"] != "client_credentials":
        raise EntraError(70003, grant=form["grant_type"])
    application, principal = _client(platform, tenant, form["client_id"].lower())
    method, key_id = _authenticate(platform, form, application, tenant, request.origin)
    audience, roles = resource_of(platform, tenant, principal, form.get("scope", ""))
    source = platform.state.network.get(request.client, request.client)
    if policies.blocks_application(tenant, principal, platform.state.tokens.resources(audience), source):
        raise EntraError(53003)
    claims = principal_claims(platform, tenant, principal, application.display_name) | {"aud": audience, "appidacr": method}
    if roles:
        claims["roles"] = roles
    if form.get("claims"):
        claims["xms_ev"] = form["claims"]  # a claims challenge was answered
    lifetime = platform.settings.token_lifetime
    platform.log_app_sign_in(tenant, principal.app_id, application.display_name, key_id, source)
    body = {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": platform.state.tokens.issue(claims),
    }
    return Response(200, body, {"cache-control": "no-store", "pragma": "no-cache"})


def _device_authorization(platform: Platform, request: Request, tenant: Tenant) -> Response:
    form = _form(request)
    if not form.get("client_id"):
        raise EntraError(900144, parameter="client_id")
    application, principal = _client(platform, tenant, form["client_id"].lower())
    return device_code.start(Client(platform, tenant, application, principal, "0", request.origin), form)


def _delegated_client(platform: Platform, request: Request, tenant: Tenant, form: dict[str, str]) -> Client:
    application, principal = _client(platform, tenant, form["client_id"].lower())
    credential = form.get("client_secret") or form.get("client_assertion")
    public = not credential and application.properties.get("isFallbackPublicClient")
    method = "0" if public else _authenticate(platform, form, application, tenant, request.origin)[0]
    return Client(platform, tenant, application, principal, method, request.origin)


def _form(request: Request) -> dict[str, str]:
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) != len(pairs) or not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise EntraError(9002313)
    return form


def _client(platform: Platform, tenant: Tenant, app_id: str) -> tuple[Application, EnterpriseApplication]:
    """The application and its service principal in the tenant; a multi-tenant application may live in another."""
    now = platform.now
    principal = tenant.enterprise_application(app_id)
    if principal and principal.visible_from > now:
        principal = None
    homes = [tenant, *platform.state.tenants.values()] if principal else [tenant]
    application = next((result for home in homes if (result := home.application(app_id))), None)
    if application is None or application.visible_from > now:
        raise EntraError(700016, app=app_id, tenant=tenant.display_name)
    if principal is None:
        raise EntraError(7000229, app=app_id, tenant=tenant.id)
    disabled = application.properties.get("isDisabled") or not principal.properties.get("accountEnabled", True)
    if disabled:
        raise EntraError(7000112, app=app_id, name=application.display_name)
    if application.object_id not in tenant.applications and _single_tenant(application):
        raise EntraError(700016, app=app_id, tenant=tenant.display_name)
    return application, principal


def _single_tenant(application: Application) -> bool:
    return bool(application.properties.get("signInAudience", "AzureADMyOrg") == "AzureADMyOrg")


def _authenticate(platform: Platform, form: dict[str, str], application: Application, tenant: Tenant, origin: str) -> tuple[str, str]:
    """How the client proved itself, as `appidacr` (1 secret, 2 certificate), and the id of its key ("": federated)."""
    if form.get("client_assertion"):
        if form.get("client_assertion_type") != assertion.ASSERTION_TYPE:
            raise EntraError(900144, parameter="client_assertion_type")
        if federation.is_foreign(form["client_assertion"], application):
            federation.check(platform, form["client_assertion"], application)
            return "2", ""
        return "2", assertion.check(form["client_assertion"], application, tenant, origin, platform.now)
    if not form.get("client_secret"):
        raise EntraError(7000218)
    now = platform.now
    known = [s for s in application.secrets if s.value == form["client_secret"] and s.effective_from <= now]
    if not known:
        raise EntraError(7000215, app=application.app_id)
    usable = [secret for secret in known if not secret.end or secret.end > now]
    if not usable:
        raise EntraError(7000222, app=application.app_id)
    return "1", usable[0].key_id


def resource_of(platform: Platform, tenant: Tenant, principal: EnterpriseApplication, scope: str) -> tuple[str, list[str]]:
    """The audience and the roles that the principal has there now."""
    if not scope:
        raise EntraError(900144, parameter="scope")
    identifier, _, default = scope.rpartition("/")
    if default != ".default" or " " in scope or not identifier:
        raise EntraError(1002012, scope=scope)
    requested = platform.state.tokens.resources(identifier)
    principals = [tenant.enterprise_application(app_id) for app_id in requested]
    resources = [result for result in principals if result]
    if not resources and (not requested or not set(requested) <= IN_NO_TENANT):
        raise EntraError(500011, resource=identifier, tenant=tenant.display_name)
    disabled = next((r for r in resources if not r.properties.get("accountEnabled", True)), None)
    if disabled:
        raise EntraError(500014, resource=identifier)
    return identifier.rstrip("/"), _roles(platform, tenant, principal, resources)


def _roles(platform: Platform, tenant: Tenant, principal: EnterpriseApplication, resources: list[EnterpriseApplication]) -> list[str]:
    now = platform.now
    values = {(r.id, role["id"]): role["value"] for r in resources for role in r.app_roles}
    return [
        values[a.resource_id, a.app_role_id]
        for a in tenant.app_role_assignments.values()
        if a.principal_id == principal.id and (a.resource_id, a.app_role_id) in values and a.effective_from <= now
    ]


def principal_claims(platform: Platform, tenant: Tenant, principal: EnterpriseApplication, name: str) -> dict[str, Any]:
    """Claims of a token about a service principal; `name` is its application's."""
    now = int(platform.now)
    issuer = f"{platform.cloud.issuer}{tenant.id}/"
    return {
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now + platform.settings.token_lifetime,
        "app_displayname": name,
        "appid": principal.app_id,
        "idp": issuer,
        "idtyp": "app",
        "oid": principal.id,
        "sub": principal.id,
        "tid": tenant.id,
        "uti": base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("="),
        "ver": "1.0",
        "wids": [role for role, effective_from in principal.directory_roles.items() if effective_from <= platform.now],
    }
