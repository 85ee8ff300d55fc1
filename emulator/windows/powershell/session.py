"""What a running script has around it: its variables, streams, cmdlets and the host's objects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulator.windows.powershell.binding import Cmdlet
from emulator.windows.powershell.errors import Failure, OutsideSubsetError, ScriptError
from emulator.windows.powershell.values import NOTHING, NetObject, Value, text

MOST_STEPS = 100_000


def _nowhere(value: Value) -> None:
    return None


@dataclass
class Session:
    """A runspace. `cmdlets`: by name in lower case. `native`: runs a program; its lines and its exit code, None for an unknown one."""

    cmdlets: Mapping[str, Cmdlet]
    native: Callable[[str, list[str]], tuple[list[str], int] | None] = lambda name, arguments: None
    new_object: Callable[[str, list[Value]], Value] | None = None  # New-Object of a type of the machine
    new_com_object: Callable[[str], NetObject] | None = None
    wmi_class: Callable[[str], NetObject] | None = None  # [wmiclass]
    static_methods: Mapping[tuple[str, str], Callable[..., Value]] = field(default_factory=dict)  # of types that touch the machine
    environment: Mapping[str, str] = field(default_factory=dict)
    input: deque[Value] = field(default_factory=deque)  # $input
    console: deque[str] | None = None  # lines of [Console]::In; None: the host application has no console
    write: Callable[[Value], None] = _nowhere
    write_text: Callable[[str], None] = _nowhere  # [Console]::Out
    write_error: Callable[[Failure], None] = _nowhere
    log: Callable[[str], None] = _nowhere  # module logging
    variables: dict[str, Value] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)  # types of variables that an assignment names
    strict: bool = False
    last_exit: int | None = None
    unknown: Callable[[str], None] = _nowhere  # a command that does not exist here
    failed: bool = False  # the opposite of $?
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise OutsideSubsetError(f"more than {MOST_STEPS} statements")

    @property
    def preference(self) -> str:
        return text(self.variables.get("erroractionpreference", "Continue"))

    def report(self, failure: Failure, preference: str = "") -> None:
        """A non-terminating error."""
        chosen = (preference or self.preference).lower()
        if chosen == "stop":
            raise ScriptError(failure)
        self.failed = True
        if chosen == "continue":
            self.write_error(failure)
        elif chosen not in ("silentlycontinue", "ignore"):
            raise OutsideSubsetError(f"$ErrorActionPreference = {chosen}")


class Input(NetObject):
    """$input: an enumerator, which is read once (about_Automatic_Variables)."""

    type_name = "System.Collections.ArrayList+ArrayListEnumeratorSimple"

    def __init__(self, session: Session) -> None:
        self._session = session

    def enumerated(self) -> list[Value]:
        items = list(self._session.input)
        self._session.input.clear()
        return items


class ConsoleReader(NetObject):
    """[Console]::In. A runspace of PSRP has no console: the end of the input at once."""

    type_name = "System.IO.TextReader"

    def __init__(self, session: Session) -> None:
        self._session = session

    def call(self, name: str, arguments: list[Value]) -> Value:
        lines = self._session.console
        if arguments or name.lower() not in ("readline", "readtoend"):
            return super().call(name, arguments)
        if name.lower() == "readline":
            return lines.popleft() if lines else None
        rest = "".join(f"{line}\n" for line in lines or ())
        if lines:
            lines.clear()
        return rest


class ConsoleWriter(NetObject):
    """[Console]::Out."""

    type_name = "System.IO.TextWriter"

    def __init__(self, session: Session) -> None:
        self._session = session

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() not in ("write", "writeline") or len(arguments) != 1:
            return super().call(name, arguments)
        self._session.write_text(text(arguments[0]) + ("\r\n" if name.lower() == "writeline" else ""))
        return NOTHING


class ExceptionObject(NetObject):
    """An exception: Message and HResult."""

    def __init__(self, failure: Failure) -> None:
        self._failure = failure
        self.type_name = f"System.{failure.exception}"

    def get(self, name: str) -> Value:
        members = {"message": self._failure.message, "hresult": self._failure.hresult}
        return members[name.lower()] if name.lower() in members else super().get(name)

    def text(self) -> str:
        return f"{self.type_name}: {self._failure.message}"


class ErrorRecord(NetObject):
    """What catch finds in $_ (about_Try_Catch_Finally)."""

    type_name = "System.Management.Automation.ErrorRecord"

    def __init__(self, failure: Failure) -> None:
        self.failure = failure

    def get(self, name: str) -> Value:
        members: dict[str, Value] = {
            "exception": ExceptionObject(self.failure),
            "fullyqualifiederrorid": self.failure.error_id,
            "categoryinfo": _Category(self.failure),
        }  # fmt: skip
        return members[name.lower()] if name.lower() in members else super().get(name)

    def text(self) -> str:
        return self.failure.message


class _Category(NetObject):
    type_name = "System.Management.Automation.ErrorCategoryInfo"

    def __init__(self, failure: Failure) -> None:
        self._failure = failure

    def get(self, name: str) -> Value:
        members = {"category": self._failure.category, "targetname": self._failure.target, "reason": self._failure.exception}
        return members[name.lower()] if name.lower() in members else super().get(name)
