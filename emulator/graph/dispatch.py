"""From a call to its operation, with faults and permissions on the way."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.graph import faults
from emulator.graph.call import ROUTES, Call
from emulator.graph.errors import GraphError, bad_request
from emulator.http import Response
from emulator.state import new_guid


def dispatch(call: Call) -> Response:
    fault = call.platform.faults.take("graph", method=call.method, path=call.path, tenant=call.tenant.id)
    if fault and fault.name == "claims_challenge" and "xms_ev" in call.claims:
        fault.used -= 1  # this token answers the challenge
        fault = None
    return faults.play(fault, lambda: _run(call)) if fault else _run(call)


def _run(call: Call) -> Response:
    others = False
    for route in ROUTES:
        match = route.pattern.fullmatch(call.path)
        if match and route.method == call.method:
            if route.permissions:
                call.require(*route.permissions)
            return route.operation(call, **match.groupdict())
        others = others or bool(match)
    if others:
        raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    segment = call.path.strip("/").split("/")[0]
    raise bad_request(f"Resource not found for the segment '{segment}'.", "BadRequest")


def refusal(error: GraphError, now: float, headers: Mapping[str, str]) -> Response:
    request_id = new_guid()
    body = error.body(now, request_id, headers.get("client-request-id", request_id))
    return Response(error.status, body, error.headers | {"request-id": request_id})
