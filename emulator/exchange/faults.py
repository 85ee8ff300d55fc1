"""The named faults of the Exchange admin API and what they answer."""

from __future__ import annotations

from emulator.exchange.errors import DIRECTORY, SERVER, TASKS, ExchangeError, forbidden, object_not_found
from emulator.exchange.paging import expired
from emulator.faults import Fault
from emulator.graph.faults import CHALLENGE
from emulator.http import Response

CONCURRENCY = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again"
PLAYED_BY_CMDLET = {
    "connector_disabled",
    "certificate_name_refused",
    "stale_replica",
    "name_not_found",
    "boolean_strings",
    "item_without_status",
    "several_objects",
    "no_object",
}
NAMES = {
    "throttled",
    "concurrency",
    "unavailable",
    "dc_overloaded",
    "server_busy",
    "expired_nextlink",
    "claims_challenge",
    "forbidden",
    "error_in_200",
    "redirect",
    *PLAYED_BY_CMDLET,
}


def play(fault: Fault, identity: str) -> Response | None:
    """The response of a command with a fault; None: the cmdlet runs and applies it."""
    options = fault.options
    match fault.name:
        case "throttled":
            return Response(429, "Too many requests.", {"Retry-After": str(options.get("retry_after", 1))})
        case "concurrency":
            return concurrency()
        case "unavailable":
            return Response(503, None, {"Retry-After": str(options["retry_after"])} if "retry_after" in options else {})
        case "dc_overloaded":
            text = f"The domain controller '{SERVER}' is overloaded. Please try again later."
            return ExchangeError(500, f"{DIRECTORY}.DCOverloadedException", text).response()
        case "server_busy":
            kind = f"{TASKS}.ServerBusyException"
            return ExchangeError(400, kind, "The server is busy. Please try again later.").response()
        case "expired_nextlink":
            return expired().response()
        case "claims_challenge":
            return Response(401, None, {"WWW-Authenticate": CHALLENGE})
        case "forbidden":
            return forbidden()
        case "error_in_200":
            error = object_not_found(identity) if options.get("not_found") else _busy()
            return Response(200, error.body())
        case name if name in PLAYED_BY_CMDLET:
            return None
    return fault.response()


def redirect(fault: Fault, origin: str, path: str) -> Response | None:
    """A redirect to `location`, else to the sub-domain `prefix` of this host; that sub-domain is not redirected."""
    scheme, _, host = origin.partition("://")
    prefix = str(fault.options.get("prefix", "eurprd01"))
    if host.startswith(f"{prefix}."):
        fault.used -= 1
        return None
    return Response(302, None, {"Location": str(fault.options.get("location", f"{scheme}://{prefix}.{host}{path}"))})


def concurrency() -> Response:
    """More requests of one tenant in flight than the service allows."""
    return Response(429, CONCURRENCY, {"content-type": "text/plain"})


def _busy() -> ExchangeError:
    text = "The server is too busy or unavailable. Please try again later."
    return ExchangeError(500, "Microsoft.Exchange.Data.Storage.StorageTransientException", text)
