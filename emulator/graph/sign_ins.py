"""/auditLogs/signIns ("List signIns"): who signed in with a user name and a password, and how that ended.

Only version beta has signInEventTypes; a query that does not name it returns interactive sign-ins ("signIn resource type", beta).

An application's own tokens make rows of kind servicePrincipal, with the key that it used.
"""

from __future__ import annotations

import math
from typing import Any

from emulator.graph.call import Call, route
from emulator.graph.credentials import iso
from emulator.graph.errors import GraphError, not_found
from emulator.graph.query import one, page
from emulator.http import Response
from emulator.state import DAY, Rolling, SignIn, Tenant, has_premium
from emulator.tokens import EXCHANGE_APP
from emulator.well_known import EXCHANGE_NAME

Document = dict[str, Any]
RETENTION = 30 * DAY
INTERACTIVE, APPLICATION = "interactiveUser", "servicePrincipal"
LARGEST_PAGE = 1000  # and the default
REQUESTS, WINDOW = 5, 10.0  # "Microsoft Graph service-specific throttling limits": reports


def require_log(call: Call) -> None:
    """Refuse who may not read the log and the reports on it at this moment."""
    call.require("AuditLog.Read.All")
    if not has_premium(call.tenant.licences):
        code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
        raise GraphError(403, code, "Neither tenant is B2C or tenant doesn't have premium license")
    _throttle(call)


def _readable(call: Call) -> list[SignIn]:
    """The log's entries, newest first."""
    call.require("Directory.Read.All")
    require_log(call)
    oldest = call.now - RETENTION
    every = [*call.tenant.sign_ins, *call.platform.app_sign_ins.get(call.tenant.id, ())]
    return sorted((one for one in reversed(every) if one.created > oldest), key=lambda one: -one.created)


def app_sign_ins(call: Call) -> list[SignIn]:
    """The sign-ins of applications, oldest first."""
    every = [*call.tenant.sign_ins, *call.platform.app_sign_ins.get(call.tenant.id, ())]
    return sorted((one for one in every if one.event_type == APPLICATION), key=lambda one: one.created)


def _throttle(call: Call) -> None:
    asked = call.platform.report_requests.setdefault((call.tenant.id, str(call.claims.get("appid"))), Rolling(WINDOW))
    if asked.count(call.now) >= REQUESTS:
        headers = {"Retry-After": str(max(1, math.ceil(asked.room_in(call.now))))}
        raise GraphError(429, "TooManyRequests", "Too many requests. Please try again later.", headers)
    asked.add(call.now)


@route("GET", "/auditLogs/signIns")
def list_sign_ins(call: Call) -> Response:
    rows, beta = _readable(call), call.version == "beta"
    if not (beta and "signInEventTypes" in call.options.get("$filter", "")):
        rows = [one for one in rows if one.event_type == INTERACTIVE]
    type_name = "betaSignIn" if beta else "signIn"
    return page(call, type_name, rows, "auditLogs/signIns", show=lambda one: _shown(call, one), largest=LARGEST_PAGE)


@route("GET", "/auditLogs/signIns/{key}")
def get_sign_in(call: Call, key: str) -> Response:
    match = next((one for one in _readable(call) if one.id == key), None)
    if match is None:
        raise not_found(key)
    return one(call, "betaSignIn" if call.version == "beta" else "signIn", _shown(call, match), "auditLogs/signIns")


def _shown(call: Call, sign_in: SignIn) -> Document:
    document = _document(call.tenant, sign_in)
    if sign_in.event_type == APPLICATION:
        principal = call.tenant.enterprise_application(sign_in.app_id)
        document |= {"appId": sign_in.app_id, "appDisplayName": sign_in.display_name, "userId": "", "userDisplayName": None}
        document |= {"servicePrincipalId": principal.id if principal else "", "servicePrincipalName": sign_in.display_name}
    if call.version != "beta":
        return document
    return document | {"signInEventTypes": [sign_in.event_type], "servicePrincipalCredentialKeyId": sign_in.key_id}


def _document(tenant: Tenant, sign_in: SignIn) -> Document:
    device = dict.fromkeys(("deviceId", "displayName", "operatingSystem", "browser", "trustType"), "")
    return {
        "id": sign_in.id,
        "createdDateTime": iso(sign_in.created),
        "userDisplayName": sign_in.display_name,
        "userPrincipalName": sign_in.user,
        "userId": sign_in.user_id,
        "appId": EXCHANGE_APP,
        "appDisplayName": EXCHANGE_NAME,
        "ipAddress": sign_in.ip_address,
        "clientAppUsed": sign_in.client_app,
        "correlationId": sign_in.id,
        "conditionalAccessStatus": sign_in.conditional_access,
        "isInteractive": sign_in.event_type == INTERACTIVE,
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "resourceDisplayName": EXCHANGE_NAME,
        "resourceId": EXCHANGE_APP,
        "resourceTenantId": tenant.id,
        "homeTenantId": tenant.id,
        "userAgent": "BAV2ROPC",
        "status": {
            "errorCode": sign_in.error_code,
            "failureReason": sign_in.failure_reason or "Other.",
            "additionalDetails": None,
        },
        "deviceDetail": device | {"isCompliant": False, "isManaged": False},
        "location": {"city": None, "state": None, "countryOrRegion": None, "geoCoordinates": {}},
        "appliedConditionalAccessPolicies": [],
    }
