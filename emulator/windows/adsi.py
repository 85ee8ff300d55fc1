"""ADSI's objects of the metabase: DirectoryEntry of IIS://localhost/SmtpSvc/1, and its address lists (IIsIPSecurity).

A list is a COM object whose members are reached by InvokeMember only; a change is in effect when the object is assigned to its property and
CommitChanges is called. Sources: published scripts; contract.json for the members.
"""

from __future__ import annotations

import copy

from emulator.state import AddressList, SmtpVirtualServer
from emulator.windows import iis_smtp
from emulator.windows.contract import contract
from emulator.windows.machine import Machine
from emulator.windows.powershell.errors import OutsideSubsetError, ScriptError, script_error
from emulator.windows.powershell.values import NOTHING, Array, EnumValue, NetObject, Value, kind_of

SERVICE, PATH = "IIS://localhost/SmtpSvc", "IIS://localhost/SmtpSvc/1"
TYPE = "system.directoryservices.directoryentry"
FIELDS = {
    "GrantByDefault": "grant_by_default", "IPGrant": "ip_grant", "IPDeny": "ip_deny", "DomainGrant": "domain_grant",
    "DomainDeny": "domain_deny",
}  # fmt: skip
GET, SET = 4096, 8192  # BindingFlags


def _com_error(message: str, hresult: int) -> ScriptError:
    return script_error(message, "COMException", exception="MethodInvocationException", hresult=hresult)


class AddressListObject(NetObject):
    """IIsIPSecurity. It is a copy: what is set becomes effective by the entry's CommitChanges."""

    type_name = "System.__ComObject"

    def __init__(self, entries: AddressList) -> None:
        self.entries = copy.deepcopy(entries)

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "gettype" and not arguments:
            return _ComType(self)
        return super().call(name, arguments)

    def read(self, name: str) -> Value:
        value = getattr(self.entries, FIELDS[name])
        return value if isinstance(value, bool) else Array(value, "object")

    def write(self, name: str, value: Value) -> None:
        if name == "GrantByDefault":
            if not isinstance(value, bool):
                raise OutsideSubsetError(f"IIsIPSecurity.{name} is a boolean, not a {kind_of(value)}")
            self.entries.grant_by_default = value
            return
        if not isinstance(value, Array) or value.element != "string":
            raise OutsideSubsetError(f"IIsIPSecurity.{name} is a string[], not a {kind_of(value)}")
        entries = [", ".join(part.strip() for part in one.split(",")) for one in value]  # it reads back with a blank after the comma
        if len(set(entries)) != len(entries):
            raise _com_error('Exception calling "InvokeMember" with "5" argument(s): "The object already exists."', -2147019886)
        setattr(self.entries, FIELDS[name], entries)


class _ComType(NetObject):
    """System.RuntimeType of a COM object: InvokeMember."""

    type_name = "System.RuntimeType"

    def __init__(self, target: AddressListObject) -> None:
        self._target = target

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() != "invokemember" or len(arguments) != 5:
            return super().call(name, arguments)
        member, flags, binder, target, values = arguments
        members = contract()["adsi"][PATH]["RelayIpList"]["members"]
        if member not in members:
            message = 'Exception calling "InvokeMember" with "5" argument(s): "Unknown name. (Exception from HRESULT: 0x80020006)"'
            raise _com_error(message, -2147352570)
        if not isinstance(flags, EnumValue) or binder is not None or target is not self._target:
            raise OutsideSubsetError("InvokeMember with other arguments than name, BindingFlags, $null, the object and its values")
        if flags.number & GET and values is None:
            return self._target.read(member)
        if flags.number & SET and isinstance(values, Array) and values.element == "object" and len(values) == 1:
            self._target.write(member, values[0])
            return NOTHING
        raise OutsideSubsetError("InvokeMember: the values are $null for GetProperty, and an object[] of one element for SetProperty")


class ServiceEntry(NetObject):
    """System.DirectoryServices.DirectoryEntry of IIS://localhost/SmtpSvc: Children.Add makes a virtual server."""

    type_name = "System.DirectoryServices.DirectoryEntry"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def get(self, name: str) -> Value:
        if name.lower() != "children":
            return super().get(name)
        if not {"SMTP-Server", "Web-Metabase"} <= {*self._machine.host.features}:
            raise _unknown("Children")
        return _Children(self._machine)


class _Children(NetObject):
    type_name = "System.DirectoryServices.DirectoryEntries"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() != "add" or arguments != ["1", "IIsSmtpServer"]:
            return super().call(name, arguments)
        return _NewServer(self._machine)


class _NewServer(NetObject):
    """A virtual server that exists after CommitChanges. It has no directories."""

    type_name = "System.DirectoryServices.DirectoryEntry"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.bindings: list[str] = []

    def get(self, name: str) -> Value:
        return _NewProperties(self) if name.lower() == "properties" else super().get(name)

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() != "commitchanges" or arguments:
            return super().call(name, arguments)
        host = self._machine.host
        if host.smtp_servers:
            raise _com_error('Exception calling "CommitChanges" with "0" argument(s): "The object already exists."', -2147019886)
        properties = dict.fromkeys(("QueueDirectory", "BadMailDirectory", "PickupDirectory", "DropDirectory"), "")
        host.smtp_servers.append(SmtpVirtualServer(properties=dict(properties), bindings=self.bindings))
        return NOTHING


class _NewProperties(NetObject):
    type_name = "System.DirectoryServices.PropertyCollection"

    def __init__(self, entry: _NewServer) -> None:
        self._entry = entry

    def index(self, key: Value) -> Value:
        if key != "ServerBindings":
            raise OutsideSubsetError(f"the property {key} of a new virtual server")
        return _NewBindings(self._entry)


class _NewBindings(NetObject):
    type_name = "System.DirectoryServices.PropertyValueCollection"

    def __init__(self, entry: _NewServer) -> None:
        self._entry = entry

    def set(self, name: str, value: Value) -> None:
        if name.lower() != "value" or not isinstance(value, str) or value.count(":") != 2:
            raise OutsideSubsetError("ServerBindings takes address:port:host")
        self._entry.bindings = [value]


def _unknown(member: str) -> ScriptError:
    message = f'The following exception occurred while retrieving member "{member}": "Unknown error (0x80005000)"'
    return script_error(message, "CatchFromBaseGetMember", exception="ExtendedTypeSystemException", hresult=-2147463168)


class DirectoryEntry(NetObject):
    """System.DirectoryServices.DirectoryEntry of the virtual server."""

    type_name = "System.DirectoryServices.DirectoryEntry"

    def __init__(self, machine: Machine, path: str) -> None:
        self._machine, self._path = machine, path
        self.pending: dict[str, AddressList] = {}

    def server(self) -> SmtpVirtualServer:
        """The virtual server; ADSI binds when a member is read."""
        host = self._machine.host
        match = next((one for one in iis_smtp.servers(host) if f"iis://localhost/{one.name}".lower() == self._path.lower()), None)
        if match is None or "Web-Metabase" not in host.features:
            raise _unknown("Properties")
        return match

    def get(self, name: str) -> Value:
        if name.lower() == "properties":
            self.server()
            return _Properties(self)
        return super().get(name)

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "refreshcache" and not arguments:
            self.pending.clear()
            return NOTHING
        if name.lower() != "commitchanges" or arguments:
            return super().call(name, arguments)
        server = self.server()
        for written, entries in self.pending.items():
            if written == "RelayIpList":
                server.relay_list = entries
            else:
                server.connections = entries
        self.pending.clear()
        return NOTHING


class _Properties(NetObject):
    type_name = "System.DirectoryServices.PropertyCollection"

    def __init__(self, entry: DirectoryEntry) -> None:
        self._entry = entry

    def index(self, key: Value) -> Value:
        name = next((one for one in contract()["adsi"][PATH] if isinstance(key, str) and one.lower() == key.lower()), None)
        if name is None:
            raise OutsideSubsetError(f"the property {key} of {PATH}; the emulator has RelayIpList and IPSecurity")
        return _Property(self._entry, name)


class _Property(NetObject):
    type_name = "System.DirectoryServices.PropertyValueCollection"

    def __init__(self, entry: DirectoryEntry, name: str) -> None:
        self._entry, self._name = entry, name

    def get(self, name: str) -> Value:
        if name.lower() != "value":
            return super().get(name)
        server = self._entry.server()
        if self._name == "IPSecurity":
            return AddressListObject(self._entry.pending.get(self._name, server.connections))
        if server.relay_list is None and self._name not in self._entry.pending:
            return None if server.relay_list_missing else AddressListObject(AddressList())
        return AddressListObject(self._entry.pending.get(self._name, server.relay_list or AddressList()))

    def set(self, name: str, value: Value) -> None:
        if name.lower() != "value" or not isinstance(value, AddressListObject):
            raise OutsideSubsetError(f"{self._name} takes the object that was read from it")
        self._entry.pending[self._name] = copy.deepcopy(value.entries)


def entry(machine: Machine, path: str) -> NetObject:
    """The object of a path."""
    return ServiceEntry(machine) if path.lower() == SERVICE.lower() else DirectoryEntry(machine, path)
