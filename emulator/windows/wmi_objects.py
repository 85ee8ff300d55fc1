"""Objects of System.Management: what Get-WmiObject returns, its Properties and Put ("Get-WmiObject", "ManagementObject Class")."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from emulator.state import SmtpVirtualServer
from emulator.windows import iis_smtp
from emulator.windows.cim import CimInstance, condition, matches
from emulator.windows.cim_cmdlets import CLASSES
from emulator.windows.contract import class_types
from emulator.windows.iis_smtp import NAMESPACE, SECURITY, SETTING
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.values import NOTHING, Array, NetObject, Value, plain

DOMAIN = "IIsSmtpDomainSetting"


class ManagementObject(NetObject):
    """An instance with all its properties, and `put`, which stores them; None where the class is read-only."""

    def __init__(
        self, namespace: str, class_name: str, types: dict[str, str], read: Callable[[str], Value], put: Callable[..., None] | None
    ):
        self.type_name = f"System.Management.ManagementObject#{namespace}\\{class_name}"
        self.class_name, self._types, self._read, self._put = class_name, types, read, put
        self._changed: dict[str, Value] = {}

    def property_name(self, name: str) -> str:
        found = next((one for one in self._types if one.lower() == name.lower()), None)
        if found is None:
            raise OutsideSubsetError(f"{self.class_name} has no property {name!r}")
        return found

    def get(self, name: str) -> Value:
        if name.lower() == "properties":
            return PropertyCollection(self)
        if name.lower() == "__class":
            return self.class_name
        found = self.property_name(name)
        return self._changed[found] if found in self._changed else self._read(found)

    def set(self, name: str, value: Value) -> None:
        found = self.property_name(name)
        if found == "Name" or self._put is None:
            raise OutsideSubsetError(f"{self.class_name}.{found} cannot be written")
        self._check(found, value)
        self._changed[found] = value

    def _check(self, name: str, value: Value) -> None:
        if self.class_name == SETTING:
            iis_smtp.check(name, value)
        elif not _fits(value, self._types[name]):
            raise OutsideSubsetError(f"{self.class_name}.{name} is a {self._types[name]}")

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "put" and not arguments and self._put is not None:
            self._put(self._changed)
            return NOTHING
        return super().call(name, arguments)

    def text(self) -> str:
        return self.class_name


def _fits(value: Value, kind: str) -> bool:
    if kind == "string[]":
        return value is None or (isinstance(value, Array) and all(isinstance(one, str) for one in value))
    return isinstance(value, bool) if kind == "boolean" else isinstance(value, str)


class PropertyCollection(NetObject):
    """ManagementObject.Properties; an index names a property."""

    type_name = "System.Management.PropertyDataCollection"

    def __init__(self, owner: ManagementObject) -> None:
        self._owner = owner

    def index(self, key: Value) -> Value:
        if not isinstance(key, str):
            raise OutsideSubsetError("an index of Properties that is no name")
        return PropertyData(self._owner, self._owner.property_name(key))


class PropertyData(NetObject):
    type_name = "System.Management.PropertyData"

    def __init__(self, owner: ManagementObject, name: str) -> None:
        self._owner, self._name = owner, name

    def get(self, name: str) -> Value:
        if name.lower() == "name":
            return self._name
        return self._owner.get(self._name) if name.lower() == "value" else super().get(name)

    def set(self, name: str, value: Value) -> None:
        if name.lower() != "value":
            super().set(name, value)
        self._owner.set(self._name, plain(value))


def server_setting(machine: Machine, server: SmtpVirtualServer) -> ManagementObject:
    """IIsSmtpServerSetting. A Put writes every property, not only those that changed."""
    types, host = class_types(NAMESPACE, SETTING), machine.host

    def put(changed: dict[str, Value]) -> None:
        kept = {name: iis_smtp.value_of(host, server, name) for name in types if name not in ("Name", "RelayIpList", *changed)}
        iis_smtp.write(host, server, kept | changed)

    return ManagementObject(NAMESPACE, SETTING, types, lambda name: iis_smtp.value_of(host, server, name), put)


def security_setting(server: SmtpVirtualServer) -> ManagementObject:
    """IIsIPSecuritySetting: connection control."""
    entries = server.connections
    fields = {
        "GrantByDefault": "grant_by_default", "IPGrant": "ip_grant", "IPDeny": "ip_deny", "DomainGrant": "domain_grant",
        "DomainDeny": "domain_deny",
    }  # fmt: skip

    def read(name: str) -> Value:
        if name == "Name":
            return server.name
        value = getattr(entries, fields[name])
        return value if isinstance(value, bool) else Array(value, "string")

    def put(changed: dict[str, Value]) -> None:
        for name, value in changed.items():
            setattr(entries, fields[name], value if isinstance(value, bool) else list(value or []))

    return ManagementObject(NAMESPACE, SECURITY, class_types(NAMESPACE, SECURITY), read, put)


def domain_settings(server: SmtpVirtualServer) -> list[ManagementObject]:
    """IIsSmtpDomainSetting, read-only here: the domains of a virtual server beside the default one."""
    types = class_types(NAMESPACE, DOMAIN)
    rows = [{"Name": f"{server.name}/Domain/{domain}", "RouteAction": action} for domain, action in server.domains.items()]
    return [ManagementObject(NAMESPACE, DOMAIN, types, row.get, None) for row in rows]


def _objects(machine: Machine, call: Call) -> list[ManagementObject | CimInstance]:
    """The instances of a class, or WMI's own errors."""
    namespace = call.get("Namespace", "root/cimv2").replace("\\", "/").lower()
    name = call.get("Class").lower()
    ordered = machine.wmi_error(call.get("Class"))
    if ordered:
        more = {"category": "InvalidOperation", "exception": "ManagementException", "hresult": ordered[1] - 2**32}
        raise call.failure(ordered[0], "GetWMIManagementException", **more)
    if namespace == NAMESPACE.lower() and iis_smtp.wmi_exists(machine.host):
        made: dict[str, Callable[[SmtpVirtualServer], list[ManagementObject]]] = {
            SETTING.lower(): lambda server: [server_setting(machine, server)],
            SECURITY.lower(): lambda server: [security_setting(server)],
            DOMAIN.lower(): domain_settings,
        }
        if name not in made:
            raise _error(call, f'Invalid class "{call.get("Class")}"')
        return [one for server in iis_smtp.servers(machine.host) for one in made[name](server)]
    if namespace not in {one for one, _ in CLASSES}:
        raise _error(call, f'Invalid namespace "{call.get("Namespace")}"')
    if (namespace, name) not in CLASSES:
        raise _error(call, f'Invalid class "{call.get("Class")}"')
    return [*CLASSES[namespace, name](machine)]


def _error(call: Call, message: str) -> Exception:
    return call.failure(f"{message} ", "GetWMIManagementException", category="InvalidType", exception="ManagementException")


def cmdlets(machine: Machine) -> list[Cmdlet]:
    def get(call: Call) -> Iterable[Value]:
        comparisons = condition(call.get("Filter")) if call.has("Filter") else []
        return [one for one in _objects(machine, call) if matches(one, comparisons)]

    parameters = (Parameter("Class", "string", 0, mandatory=True, aliases=("ClassName",)), Parameter("Namespace"), Parameter("Filter"))
    return [Cmdlet("Get-WmiObject", get, parameters)]


def binding_class(path: str) -> NetObject:
    """[wmiclass]'root\\MicrosoftIISv2:ServerBinding', whose CreateInstance makes an embedded object."""
    if path.replace("\\", "/").lower() != f"{NAMESPACE}:{iis_smtp.BINDING}".lower():
        raise OutsideSubsetError(f"[wmiclass]'{path}'")
    return _BindingClass()


class _BindingClass(NetObject):
    type_name = "System.Management.ManagementClass"

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "createinstance" and not arguments:
            empty = iis_smtp.binding("", "", "")
            return CimInstance(NAMESPACE, iis_smtp.BINDING, empty.types, dict.fromkeys(empty.types))
        return super().call(name, arguments)
