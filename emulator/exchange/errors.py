"""Errors of the Exchange admin API's InvokeCommand.

The shapes are those that independent REST clients (CIPP, ScubaGear, ExoHelper) parse: `details[0].message` is
`<error id>|<exception type>|<text>`; ids may be empty and texts hold server names, so that only the type is stable.
"""

from __future__ import annotations

from typing import Any

from emulator.http import Response

SERVER = "DB8PR01A001DC01.EURPR01A001.PROD.OUTLOOK.COM"
TASKS = "Microsoft.Exchange.Configuration.Tasks"
DIRECTORY = "Microsoft.Exchange.Data.Directory"
INVOCATION = "Microsoft.Exchange.AdminApi.CommandInvocation"
WARNINGS_TYPE = {"adminapi.warnings@odata.type": "#Collection(String)"}

CODES = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests", 500: "InternalServerError"}


class ExchangeError(Exception):
    """A command that failed: HTTP status, exception type, text and perhaps an error id."""

    def __init__(self, status: int, kind: str, text: str, error_id: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{kind}: {text}")
        self.status = status
        self.kind = kind
        self.text = text
        self.error_id = error_id
        self.headers = headers or {}

    def body(self, cmdlet: str = "") -> dict[str, Any]:
        inner = {
            "message": "Error executing cmdlet",
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
            "stacktrace": "   at Microsoft.Exchange.Admin.OData.Core.Context.ExceptionHandler",
            "internalexception": {"message": self.text, "type": self.kind, "stacktrace": ""},
        }
        error = {
            "code": CODES.get(self.status, "InternalServerError"),
            "message": "Error executing cmdlet",
            "details": [{"code": "Client", "target": cmdlet, "message": f"{self.error_id}|{self.kind}|{self.text}"}],
            "innererror": inner,
        }
        return {"error": error} | WARNINGS_TYPE | {"@adminapi.warnings": []}

    def response(self, cmdlet: str = "") -> Response:
        kind = self.kind.rpartition(".")[2]
        return Response(self.status, self.body(cmdlet), {"x-ExceptionType": kind} | self.headers)


def forbidden() -> Response:
    """Unknown cmdlet, or not in the caller's roles: a body of NUL bytes."""
    return Response(403, b"\0" * 64, {"content-type": "application/json"})


def parameter_error(*names: str) -> ExchangeError:
    text = "Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. "
    return ExchangeError(400, f"{INVOCATION}.AmbiguousParameterSetException", text + ", ".join(names))


def transformation_error(name: str, value: object, kind: str, reason: str) -> ExchangeError:
    text = (
        f'Cannot process argument transformation on parameter \'{name}\'. Cannot convert value "{value}" to type "{kind}". Error: {reason}'
    )
    return ExchangeError(400, f"{INVOCATION}.ParameterTransformationException", text)


def object_not_found(name: str, error_id: str = "Ex6F9304") -> ExchangeError:
    text = f"The operation couldn't be performed because object '{name}' couldn't be found on '{SERVER}'."
    return ExchangeError(404, f"{TASKS}.ManagementObjectNotFoundException", text, error_id)


def mailbox_not_found(name: str) -> ExchangeError:
    text = f'The specified mailbox Identity:"{name}" doesn\'t exist.'
    return ExchangeError(404, f"{TASKS}.ManagementObjectNotFoundException", text, "Ex41BAF5")


def recipient_not_found(name: str) -> ExchangeError:
    text = f"Couldn't find '{name}' as a recipient."
    return ExchangeError(404, f"{TASKS}.ManagementObjectNotFoundException", text, "Ex6F9304")


def already_exists(text: str) -> ExchangeError:
    return ExchangeError(400, f"{DIRECTORY}.ADObjectAlreadyExistsException", text, "Ex18B1D1")


def invalid(text: str) -> ExchangeError:
    return ExchangeError(400, "Microsoft.Exchange.Data.DataValidationException", text)
