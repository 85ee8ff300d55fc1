"""An object of hMailServer's COM interface, held to its IDL (contract.json): late binding by name, without regard to case.

A name or a number of arguments that the IDL does not have ends the script, and so does a value of another type.
Sources: hMailServer's source (IDL, DBScripts), its documentation of the COM interface.
"""

from __future__ import annotations

from typing import Any

from emulator.state import HMailElement, HMailServer
from emulator.windows.contract import contract
from emulator.windows.powershell.errors import OutsideSubsetError, ScriptError, script_error
from emulator.windows.powershell.values import NetObject, Value, kind_of

PROGID = "hMailServer.Application"
DENIED = (
    "You do not have access to this property / method. Ensure that hMailServer.Application.Authenticate() is called with proper login "
    "credentials."
)
E_FAIL = -2147467259


def specification() -> dict[str, Any]:
    return dict(contract()["hmailserver"])


def setting(server: HMailServer, name: str) -> Value:
    """A property of Settings: as it was written, else as installed, else empty."""
    default = specification()["defaults"]["Settings"].get(name)
    if default is None:
        default = empty(str(specification()["interfaces"]["Settings"][name]["type"]))
    return server.properties.get(name, default)


def logs(server: HMailServer, name: str) -> bool:
    """Whether the log is written, and this part of it (LogSMTP, LogApplication)."""
    return bool(server.logging.get("Enabled")) and bool(server.logging.get(name))


def com_error(message: str, hresult: int = E_FAIL) -> ScriptError:
    return script_error(
        message, "System.Runtime.InteropServices.COMException", category="OperationStopped", exception="COMException", hresult=hresult
    )


class ComObject(NetObject):
    """An object of an interface. Subclasses hold its values; this class holds it to the IDL."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self.type_name = f"System.__ComObject#{interface}"
        self._members = specification()["interfaces"][interface]

    def member(self, name: str) -> tuple[str, dict[str, Any]]:
        found = next((one for one in self._members if one.lower() == name.lower()), None)
        if found is None:
            raise OutsideSubsetError(f"hMailServer's {self.interface} has no member {name!r}")
        return found, self._members[found]

    def get(self, name: str) -> Value:
        found, described = self.member(name)
        if described["kind"] != "property" or not described.get("read") or "index" in described:
            raise OutsideSubsetError(f"{self.interface}.{found} is no property that can be read without arguments")
        return self.read(found, str(described["type"]))

    def set(self, name: str, value: Value) -> None:
        found, described = self.member(name)
        if described["kind"] != "property" or not described.get("write"):
            raise OutsideSubsetError(f"{self.interface}.{found} cannot be written")
        check(f"{self.interface}.{found}", str(described["type"]), value)
        self.write(found, value)

    def call(self, name: str, arguments: list[Value]) -> Value:
        found, described = self.member(name)
        expected = described.get("parameters", described.get("index"))
        if expected is None or len(arguments) != len(expected):
            raise OutsideSubsetError(f"{self.interface}.{found} with {len(arguments)} arguments")
        for (parameter, kind), value in zip(expected, arguments, strict=True):
            check(f"{self.interface}.{found}({parameter})", str(kind), value)
        return self.invoke(found, arguments)

    def read(self, name: str, kind: str) -> Value:
        raise OutsideSubsetError(f"{self.interface}.{name} is not emulated")

    def write(self, name: str, value: Value) -> None:
        raise OutsideSubsetError(f"{self.interface}.{name} is not emulated")

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        raise OutsideSubsetError(f"{self.interface}.{name} is not emulated")


def check(name: str, kind: str, value: Value) -> None:
    """Refuse a value of another type; an enumeration has its numbers."""
    number = isinstance(value, int) and not isinstance(value, bool)
    kinds = {"string": isinstance(value, str), "bool": isinstance(value, bool), "int": number, "int64": number}
    members = specification()["enums"].get(kind.removeprefix("enum:"), {}).values()
    if not (kinds.get(kind, False) or (number and value in members)):
        raise OutsideSubsetError(f"{name} is a {kind}, not the {kind_of(value)} that was given")


def empty(kind: str) -> Value:
    if kind.startswith("enum:"):
        return 0
    return {"string": "", "bool": False, "int": 0, "int64": 0}.get(kind)


def expanded(row: HMailElement) -> HMailElement:
    """A range with its options as properties, in place of their bits."""
    options = row.properties.pop("options", None)
    if options is not None:
        bits = specification()["range_option_bits"]
        row.properties.update({name: bool(options & bit) for name, bit in bits.items()})
    return row
