"""Errors of scripts, and the flow of control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class OutsideSubsetError(Exception):
    """A script uses what the interpreter does not know. A script cannot catch it."""


@dataclass
class Failure:
    """What an ErrorRecord is made of. `category`: a member of ErrorCategory (System.Management.Automation.ErrorCategory)."""

    message: str
    error_id: str
    category: str = "NotSpecified"
    target: str = ""
    exception: str = "RuntimeException"
    hresult: int = -2146233087  # COR_E_SYSTEM
    line: int = 0
    column: int = 0
    text: str = ""

    def described(self) -> str:
        """The text that the console shows (about_Try_Catch_Finally, "NormalView" of Windows PowerShell)."""
        reason = f"[], {self.exception}" if not self.target else f"({self.target}:) [], {self.exception}"
        place = f"At line:{self.line} char:{self.column}\r\n+ {self.text}\r\n" if self.line else ""
        return (
            f"{self.message}\r\n{place}"
            f"    + CategoryInfo          : {self.category}: {reason}\r\n    + FullyQualifiedErrorId : {self.error_id}\r\n"
        )


@dataclass(frozen=True)
class Outcome:
    """How a script ended: with a terminating error, with `exit`, or at its end."""

    failure: Failure | None = None
    exit_code: int | None = None


class ScriptError(Exception):
    """An error that ends the statement, and that try catches; `failure` says what happened."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class ThrownError(ScriptError):
    """What `throw` raises: it ends the script whatever $ErrorActionPreference says (about_Throw)."""


def script_error(message: str, error_id: str, **more: Any) -> ScriptError:
    return ScriptError(Failure(message, error_id, **more))


class BreakFlow(Exception):  # noqa: N818 (no error)
    pass


class ContinueFlow(Exception):  # noqa: N818
    pass


class ReturnFlow(Exception):  # noqa: N818
    pass


class ExitFlow(Exception):  # noqa: N818
    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code
