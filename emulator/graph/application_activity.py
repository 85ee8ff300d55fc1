"""/reports/servicePrincipalSignInActivities (beta): when applications last got a token with a credential of their own.

Source: "List servicePrincipalSignInActivities", "servicePrincipalSignInActivity resource type".
"""

from __future__ import annotations

from emulator.graph.call import Call, route
from emulator.graph.credentials import iso
from emulator.graph.errors import bad_request
from emulator.graph.query import page
from emulator.graph.sign_ins import app_sign_ins, require_log
from emulator.http import Response
from emulator.state import new_guid
from emulator.well_known import derived_id


@route("GET", "/reports/servicePrincipalSignInActivities")
def list_activities(call: Call) -> Response:
    if call.version != "beta":
        raise bad_request("Resource not found for the segment 'servicePrincipalSignInActivities'.", "BadRequest")
    require_log(call)
    last = {one.app_id: one.created for one in app_sign_ins(call)}
    return page(call, "servicePrincipalSignInActivity", list(last.items()), "reports/servicePrincipalSignInActivities", show=_shown)


def _shown(one: tuple[str, float]) -> dict[str, object]:
    app_id, when = one
    last = {"lastSignInDateTime": iso(when), "lastSignInRequestId": new_guid()}
    never = {"lastSignInDateTime": None, "lastSignInRequestId": None}
    return {
        "id": derived_id("sign-in activity", app_id),
        "appId": app_id,
        "lastSignInActivity": last,
        "delegatedClientSignInActivity": never,
        "delegatedResourceSignInActivity": never,
        "applicationAuthenticationClientSignInActivity": last,
        "applicationAuthenticationResourceSignInActivity": never,
    }
