"""Refusals of SMTP2GO's API, as its OpenAPI document has them."""

from __future__ import annotations

from emulator.http import Response
from emulator.state import new_guid


class Smtp2GoError(Exception):
    """A refusal. `code`: without the prefix of all codes."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code

    def response(self) -> Response:
        data = {"error": self.message, "error_code": f"E_ApiResponseCodes.{self.code}"}
        return Response(self.status, {"request_id": new_guid(), "data": data})


def invalid(message: str) -> Smtp2GoError:
    return Smtp2GoError(400, message, "NON_VALIDATING_IN_PAYLOAD")
