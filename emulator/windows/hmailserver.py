"""hMailServer's COM objects: the application, its settings, and collections, whose elements are changed by Save only."""

from __future__ import annotations

from collections.abc import Callable

from emulator.state import HMailElement, HMailServer
from emulator.windows import installer
from emulator.windows.hmail_com import DENIED, PROGID, ComObject, com_error, empty, expanded, setting
from emulator.windows.hmail_objects import MESSAGE_PROGID, GlobalObjects, Logging, NewMessage, Status
from emulator.windows.machine import Machine
from emulator.windows.powershell.errors import script_error
from emulator.windows.powershell.values import NOTHING, NetObject, Value

DISP_E_BADINDEX = -2147352565
STOPPED, RUNNING = 1, 3  # eServerState


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
        if kind == "variant":
            return super().read(name, kind)
        return self._changed.get(name, self._row.properties.get(name, empty(kind)))

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
        if name == "ValidatePassword":
            return self._row.properties.get("Password") == arguments[0]
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

    def __init__(self, machine: Machine, server: HMailServer) -> None:
        super().__init__("Settings")
        self._machine, self._server = machine, server

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
        if name == "SSLCertificates":
            return Collection(name, "SSLCertificate", "Name", server.certificates)
        if name == "Logging":
            return Logging(self._machine, server)
        if kind.startswith("object:"):
            return super().read(name, kind)
        return setting(server, name)

    def write(self, name: str, value: Value) -> None:
        self._server.properties[name] = value

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        if name == "SetSMTPRelayerPassword":
            self._server.relayer_password = arguments[0]
        elif name == "SetAdministratorPassword":
            self._server.administrator_password = arguments[0]
        elif name == "ClearLogonFailureList":
            self._server.logon_failures = []
        else:
            return super().invoke(name, arguments)
        return NOTHING


class Application(ComObject):
    """hMailServer.Application. Without an administrator password every caller is the administrator."""

    OPEN = ("Version", "Authenticate", "Connect")

    def __init__(self, machine: Machine, server: HMailServer) -> None:
        super().__init__("Application")
        self._machine, self._server = machine, server
        self._authenticated = server.administrator_password == ""

    def _need_rights(self, name: str) -> None:
        if not self._authenticated and name not in self.OPEN:
            raise com_error(DENIED)

    def read(self, name: str, kind: str) -> Value:
        self._need_rights(name)
        objects: dict[str, Callable[[], Value]] = {
            "Version": lambda: self._server.version,
            "Settings": lambda: Settings(self._machine, self._server),
            "Domains": lambda: Collection("Domains", "Domain", "Name", self._server.domains),
            "Status": lambda: Status(self._machine, self._server),
            "GlobalObjects": lambda: GlobalObjects(self._machine, self._server),
            "ServerState": lambda: STOPPED if self._server.stopped else RUNNING,
            "InitializationFile": lambda: f"{installer.directory(self._server.version)}\\Bin\\hMailServer.INI",
        }
        return objects[name]() if name in objects else super().read(name, kind)

    def invoke(self, name: str, arguments: list[Value]) -> Value:
        self._need_rights(name)
        if name == "Authenticate":
            user, password = arguments
            self._authenticated = user.lower() == "administrator" and password == self._server.administrator_password
            account = HMailElement(0, {"Address": "Administrator", "AdminLevel": 2, "Active": True})
            return Element("Account", account, Collection("Accounts", "Account", "Address", [account])) if self._authenticated else None
        if name in ("Start", "Stop", "Reinitialize"):
            self._server.stopped = name == "Stop"
            self._server.restarts += name != "Stop"
            return NOTHING
        return super().invoke(name, arguments)


def new_object(machine: Machine, progid: str) -> NetObject:
    """New-Object -ComObject. Without a running service there is nothing that answers."""
    server = machine.host.hmailserver
    error_id = "NoCOMClassIdentified,Microsoft.PowerShell.Commands.NewObjectCommand"
    message = (
        "Retrieving the COM class factory for component with CLSID {00000000-0000-0000-0000-000000000000} failed due to the following "
    )
    if server is None or progid.lower() not in (PROGID.lower(), MESSAGE_PROGID.lower()):
        message += "error: 80040154 Class not registered (Exception from HRESULT: 0x80040154 (REGDB_E_CLASSNOTREG))."
        raise script_error(message, error_id, category="ResourceUnavailable", exception="COMException", hresult=-2147221164)
    if not any(one.name == installer.SERVICE and one.state == "Running" for one in machine.host.services):
        message += "error: 80080005 Server execution failed (Exception from HRESULT: 0x80080005 (CO_E_SERVER_EXEC_FAILURE))."
        raise script_error(message, error_id, category="ResourceUnavailable", exception="COMException", hresult=-2146959355)
    return Application(machine, server) if progid.lower() == PROGID.lower() else NewMessage(machine, server)
