"""hMailServer's COM objects, typed by its IDL (contract.json): late binding by name, without regard to case.

A name or a number of arguments that the IDL does not have ends the script, and so does a value of another type. An element of a
collection is changed by Save only. Sources: hMailServer's source (IDL, DBScripts), its documentation of the COM interface.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.state import HMailElement, HMailServer, WindowsHost
from emulator.windows.contract import contract
from emulator.windows.powershell.errors import OutsideSubsetError, ScriptError, script_error
from emulator.windows.powershell.values import NOTHING, NetObject, Value, kind_of

PROGID = "hMailServer.Application"
DENIED = (
    "You do not have access to this property / method. Ensure that hMailServer.Application.Authenticate() is called with proper login "
    "credentials."
)
E_FAIL, DISP_E_BADINDEX = -2147467259, -2147352565


def _specification() -> dict[str, Any]:
    return dict(contract()["hmailserver"])


def com_error(message: str, hresult: int = E_FAIL) -> ScriptError:
    return script_error(
        message, "System.Runtime.InteropServices.COMException", category="OperationStopped", exception="COMException", hresult=hresult
    )


class ComObject(NetObject):
    """An object of an interface. Subclasses hold its values; this class holds it to the IDL."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self.type_name = f"System.__ComObject#{interface}"
        self._members = _specification()["interfaces"][interface]

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
        _check(f"{self.interface}.{found}", str(described["type"]), value)
        self.write(found, value)

    def call(self, name: str, arguments: list[Value]) -> Value:
        found, described = self.member(name)
        expected = described.get("parameters", described.get("index"))
        if expected is None or len(arguments) != len(expected):
            raise OutsideSubsetError(f"{self.interface}.{found} with {len(arguments)} arguments")
        for (parameter, kind), value in zip(expected, arguments, strict=True):
            _check(f"{self.interface}.{found}({parameter})", str(kind), value)
        return self.invoke(found, arguments)

    def read(self, name: str, kind: str) -> Value:
        raise OutsideSubsetError(f"{self.interface}.{name} is not emulated")

    def write(self, name: str, value: Value) -> None:
        raise OutsideSubsetError(f"{self.interface}.{name} is not emulated")

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        raise OutsideSubsetError(f"{self.interface}.{name} is not emulated")


def _check(name: str, kind: str, value: Value) -> None:
    """Refuse a value of another type; an enumeration has its numbers."""
    number = isinstance(value, int) and not isinstance(value, bool)
    kinds = {"string": isinstance(value, str), "bool": isinstance(value, bool), "int": number, "int64": number}
    members = _specification()["enums"].get(kind.removeprefix("enum:"), {}).values()
    if not (kinds.get(kind, False) or (number and value in members)):
        raise OutsideSubsetError(f"{name} is a {kind}, not the {kind_of(value)} that was given")


def _empty(kind: str) -> Value:
    if kind.startswith("enum:"):
        return 0
    return {"string": "", "bool": False, "int": 0, "int64": 0}.get(kind)


def expanded(row: HMailElement) -> HMailElement:
    """A range with its options as properties, in place of their bits."""
    options = row.properties.pop("options", None)
    if options is not None:
        bits = _specification()["range_option_bits"]
        row.properties.update({name: bool(options & bit) for name, bit in bits.items()})
    return row


class Element(ComObject):
    """An element of a collection. What is assigned waits for Save."""

    SECRETS = {"Account": "Password", "Route": "RelayerAuthPassword"}

    def __init__(self, interface: str, row: HMailElement, collection: Collection) -> None:
        super().__init__(interface)
        self._row, self._collection = row, collection
        self._changed: dict[str, Value] = {}

    def read(self, name: str, kind: str) -> Value:
        if name == "Accounts":
            return Collection("Accounts", "Account", "Address", self._row.accounts)
        if kind.startswith("object:"):
            return super().read(name, kind)
        if name == self.SECRETS.get(self.interface):
            return ""  # a password cannot be read back
        if name == "ID":
            return self._row.id
        return self._changed.get(name, self._row.properties.get(name, _empty(kind)))

    def write(self, name: str, value: Value) -> None:
        self._changed[name] = value

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        if name == "Save":
            self._collection.save(self._row, self._changed)
            self._changed = {}
            return NOTHING
        if name == "Delete":
            self._collection.remove(self._row)
            return NOTHING
        if name == "SetRelayerAuthPassword":
            self._changed["RelayerAuthPassword"] = arguments[0]
            return NOTHING
        return super().invoke(name, arguments)


class Collection(ComObject):
    """A collection over rows of the state. `key`: the property by which ItemByName and ItemByAddress find an element."""

    def __init__(
        self, interface: str, element: str, key: str, rows: list[HMailElement], installed: Callable[[], list[HMailElement]] | None = None
    ) -> None:
        super().__init__(interface)
        self._element, self._key, self.rows, self._installed = element, key, rows, installed

    def read(self, name: str, kind: str) -> Value:
        return len(self.rows) if name == "Count" else super().read(name, kind)

    def _wrapped(self, row: HMailElement | None) -> Value:
        if row is None:
            raise com_error("Invalid index.", DISP_E_BADINDEX)
        return Element(self._element, row, self)

    def _at(self, index: int) -> HMailElement | None:
        return self.rows[index] if 0 <= index < len(self.rows) else None

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        if name == "Add":
            return Element(self._element, HMailElement(0), self)
        if name == "Refresh":
            return NOTHING
        if name == "Item":
            return self._wrapped(self._at(arguments[0]))
        if name == "ItemByDBID":
            return self._wrapped(next((row for row in self.rows if row.id == arguments[0]), None))
        if name in ("ItemByName", "ItemByAddress"):
            return self._wrapped(
                next((row for row in self.rows if str(row.properties.get(self._key, "")).lower() == arguments[0].lower()), None)
            )
        if name in ("DeleteByDBID", "Delete"):
            row = self._at(arguments[0]) if name == "Delete" else next((row for row in self.rows if row.id == arguments[0]), None)
            if row is not None:
                self.remove(row)
            return NOTHING
        if name == "SetDefault" and self._installed:
            self.rows[:] = self._installed()
            return NOTHING
        return super().invoke(name, arguments)

    def save(self, row: HMailElement, changed: dict[str, Value]) -> None:
        """Store an element. A name exists once."""
        name = (row.properties | changed).get(self._key)
        if isinstance(name, str) and any(
            one is not row and str(one.properties.get(self._key, "")).lower() == name.lower() for one in self.rows
        ):
            raise com_error(f"Failed to save object. Another object with the name {name} already exists.")
        row.properties.update(changed)
        if not any(one is row for one in self.rows):
            row.id = max((one.id for one in self.rows), default=0) + 1
            self.rows.append(row)

    def remove(self, row: HMailElement) -> None:
        self.rows[:] = [one for one in self.rows if one is not row]


class Settings(ComObject):
    """Application.Settings; an assignment is stored at once."""

    def __init__(self, server: HMailServer) -> None:
        super().__init__("Settings")
        self._server = server

    def read(self, name: str, kind: str) -> Value:
        server = self._server
        if name == "SecurityRanges":
            for row in server.ranges:
                expanded(row)
            return Collection(name, "SecurityRange", "Name", server.ranges, lambda: [expanded(row) for row in HMailServer().ranges])
        if name == "TCPIPPorts":
            return Collection(name, "TCPIPPort", "", server.ports, lambda: HMailServer().ports)
        if name == "Routes":
            return Collection(name, "Route", "DomainName", server.routes)
        if kind.startswith("object:"):
            return super().read(name, kind)
        return server.properties.get(name, _specification()["defaults"]["Settings"].get(name, _empty(kind)))

    def write(self, name: str, value: Value) -> None:
        self._server.properties[name] = value

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        if name == "SetSMTPRelayerPassword":
            self._server.relayer_password = arguments[0]
        elif name == "SetAdministratorPassword":
            self._server.administrator_password = arguments[0]
        else:
            return super().invoke(name, arguments)
        return NOTHING


class Application(ComObject):
    """hMailServer.Application. Without an administrator password every caller is the administrator."""

    OPEN = ("Version", "Authenticate", "Connect")

    def __init__(self, server: HMailServer) -> None:
        super().__init__("Application")
        self._server = server
        self._authenticated = server.administrator_password == ""

    def _need_rights(self, name: str) -> None:
        if not self._authenticated and name not in self.OPEN:
            raise com_error(DENIED)

    def read(self, name: str, kind: str) -> Value:
        self._need_rights(name)
        if name == "Version":
            return self._server.version
        if name == "Settings":
            return Settings(self._server)
        if name == "Domains":
            return Collection("Domains", "Domain", "Name", self._server.domains)
        return super().read(name, kind)

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        self._need_rights(name)
        if name == "Authenticate":
            user, password = arguments
            self._authenticated = user.lower() == "administrator" and password == self._server.administrator_password
            account = HMailElement(0, {"Address": "Administrator", "AdminLevel": 2, "Active": True})
            return Element("Account", account, Collection("Accounts", "Account", "Address", [account])) if self._authenticated else None
        if name in ("Start", "Stop", "Reinitialize"):
            self._server.restarts += name != "Stop"
            return NOTHING
        return super().invoke(name, arguments)


def new_object(host: WindowsHost, progid: str) -> NetObject:
    """New-Object -ComObject."""
    if host.hmailserver is None or progid.lower() != PROGID.lower():
        message = (
            "Retrieving the COM class factory for component with CLSID {00000000-0000-0000-0000-000000000000} failed due to the following "
        )
        message += "error: 80040154 Class not registered (Exception from HRESULT: 0x80040154 (REGDB_E_CLASSNOTREG))."
        error_id = "NoCOMClassIdentified,Microsoft.PowerShell.Commands.NewObjectCommand"
        raise script_error(message, error_id, category="ResourceUnavailable", exception="COMException", hresult=-2147221164)
    return Application(host.hmailserver)
