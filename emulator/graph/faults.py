"""The named faults of Graph and what they answer."""

from __future__ import annotations

import base64
from collections.abc import Callable

from emulator.faults import Fault
from emulator.graph.errors import GraphError, bad_request, not_found
from emulator.http import Response

_CLAIMS = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1735689600"}}}').decode()
CHALLENGE = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    f'error="insufficient_claims", claims="{_CLAIMS}"'
)


def play(fault: Fault, run: Callable[[], Response]) -> Response:
    """The response of a call with a fault; `run` is the call without it."""
    options = fault.options
    match fault.name:
        case "throttled":
            headers = {"Retry-After": str(options.get("retry_after", 1)), "x-ms-throttle-scope": "Tenant_Application"}
            raise GraphError(429, "TooManyRequests", "Too many requests. Please try again later.", headers)
        case "throttled_silently":  # Conditional Access and identity protection send no Retry-After
            raise GraphError(429, "TooManyRequests", "Too many requests. Please try again later.")
        case "unavailable":
            return Response(503, None, {"Retry-After": str(options["retry_after"])} if "retry_after" in options else {})
        case "server_error":
            raise GraphError(500, "UnknownError", "An internal server error occurred.")
        case "applied_404":
            run()
            raise not_found(str(options.get("object", "")))
        case "not_replicated":
            raise not_found(str(options.get("object", "")))
        case "expired_nextlink":
            text = "The specified page token value has expired and can no longer be included in your request."
            raise bad_request(text, "Directory_ExpiredPageToken")
        case "claims_challenge":
            raise claims_challenge()
        case "concurrency":
            raise GraphError(409, "Directory_ConcurrencyViolation", "A concurrency violation has occurred.")
    return fault.response()


def claims_challenge() -> GraphError:
    """Continuous access evaluation: "Claims challenges, claims requests and client capabilities"."""
    text = (
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
    )
    return GraphError(401, "InvalidAuthenticationToken", text, {"WWW-Authenticate": CHALLENGE})


NAMES = {
    "throttled",
    "throttled_silently",
    "unavailable",
    "server_error",
    "applied_404",
    "not_replicated",
    "expired_nextlink",
    "claims_challenge",
    "concurrency",
}
