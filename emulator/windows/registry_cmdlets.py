"""The registry by the cmdlets of Microsoft.PowerShell.Management (about_Registry_Provider)."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.state import RegistryValue
from emulator.state.windows import REGISTRY_KINDS
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.values import Array, Members, PSObject, Value, kind_of
from emulator.windows.registry import Registry, value_of

PATH = Parameter("Path", "string", 0, mandatory=True, aliases=("LiteralPath",))
NAME = Parameter("Name", "string", 1)


class RegistryCmdlets:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def get_item_property(self, call: Call) -> Iterable[Value]:
        values = self._values(call)
        if values is None:
            return []
        if call.has("Name"):
            values = [one for one in values if one.name.lower() == call.get("Name").lower()]
            if not values:
                self._no_property(call)
                return []
        properties = Members({one.name: value_of(one) for one in values})
        properties["PSPath"] = rf"Microsoft.PowerShell.Core\Registry::{_full(call.get('Path'))}"
        return [PSObject(properties)]

    def get_item_property_value(self, call: Call) -> Iterable[Value]:
        values = self._values(call) or []
        match = next((one for one in values if one.name.lower() == call.get("Name").lower()), None)
        if match:
            return [value_of(match)]
        if values:
            self._no_property(call)
        return []

    def test_path(self, call: Call) -> Iterable[Value]:
        return [self._registry.values(_checked(call.get("Path"))) is not None]

    def new_item(self, call: Call) -> Iterable[Value]:
        path = _checked(call.get("Path"))
        if self._registry.values(path) is not None and not call.get("Force", False):
            message = "A key in this path already exists."
            call.report(message, "System.IO.IOException", category="ResourceExists", target=path, exception="IOException")
            return []
        self._registry.create(path)
        return [PSObject(Members({"Name": _full(path)}), "Microsoft.Win32.RegistryKey")]

    def set_item_property(self, call: Call) -> Iterable[Value]:
        """Set-ItemProperty, and New-ItemProperty, which refuses a value that exists without -Force."""
        values = self._values(call)
        if values is None:
            return []
        path, name = _checked(call.get("Path")), call.get("Name")
        there = next((one for one in values if one.name.lower() == name.lower()), None)
        if there and call.cmdlet.name == "New-ItemProperty" and not call.get("Force", False):
            call.report(
                "The property already exists.", "System.IO.IOException", category="WriteError", target=path, exception="IOException"
            )
            return []
        kind = call.get("PropertyType") or (there.kind if there else "String")
        self._registry.write(_made(path, name, kind, call.get("Value")))
        return []

    def remove_item_property(self, call: Call) -> Iterable[Value]:
        if self._values(call) is not None and not self._registry.remove(_checked(call.get("Path")), call.get("Name")):
            self._no_property(call)
        return []

    def _values(self, call: Call) -> list[RegistryValue] | None:
        path = _checked(call.get("Path"))
        values = self._registry.values(path)
        if values is None:
            message = f"Cannot find path '{path}' because it does not exist."
            call.report(message, "PathNotFound", category="ObjectNotFound", target=path, exception="ItemNotFoundException")
        return values

    @staticmethod
    def _no_property(call: Call) -> None:
        message = f"Property {call.get('Name')} does not exist at path {_full(call.get('Path'))}."
        more = {"category": "InvalidArgument", "target": call.get("Name"), "exception": "PSArgumentException"}
        call.report(message, "System.Management.Automation.PSArgumentException", **more)


def _checked(path: str) -> str:
    if not path.lower().startswith("hklm:\\") or any(one in path for one in "*?["):
        raise OutsideSubsetError(f"the path {path}; only keys below HKLM:\\")
    return path


def _full(path: str) -> str:
    return "HKEY_LOCAL_MACHINE" + path[len("HKLM:") :]


def _made(path: str, name: str, kind: str, value: Value) -> RegistryValue:
    made = RegistryValue(path.rstrip("\\"), name, kind)
    if kind in ("DWord", "QWord") and isinstance(value, int) and not isinstance(value, bool):
        made.number = value
    elif kind == "MultiString" and isinstance(value, Array) and all(isinstance(one, str) for one in value):
        made.texts = list(value)
    elif kind in ("String", "ExpandString") and isinstance(value, str):
        made.text = value
    else:
        raise OutsideSubsetError(f"a {kind_of(value)} as a {kind} of the registry")
    return made


def cmdlets(machine: Machine) -> list[Cmdlet]:
    made = RegistryCmdlets(Registry(machine.host))
    named = (PATH, Parameter("Name", "string", 1, mandatory=True))
    kind = Parameter("PropertyType", choices=REGISTRY_KINDS, aliases=("Type",))
    value = Parameter("Value", "object", 2)
    force = Parameter("Force", "switch")
    return [
        Cmdlet("Get-ItemProperty", made.get_item_property, (PATH, NAME)),
        Cmdlet("Get-ItemPropertyValue", made.get_item_property_value, named),
        Cmdlet("Test-Path", made.test_path, (PATH,)),
        Cmdlet("New-Item", made.new_item, (PATH, force)),
        Cmdlet("New-ItemProperty", made.set_item_property, (*named, value, kind, force)),
        Cmdlet("Set-ItemProperty", made.set_item_property, (*named, value, kind, force)),
        Cmdlet("Remove-ItemProperty", made.remove_item_property, named),
    ]
