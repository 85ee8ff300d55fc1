"""Cmdlets of services (Microsoft.PowerShell.Management), and Win32_Service."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.state import WindowsService
from emulator.windows.cim import CimInstance
from emulator.windows.contract import class_types
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.operators import wildcard
from emulator.windows.powershell.values import Array, EnumValue, NetObject, Value
from emulator.windows.services import ALREADY_RUNNING, INVALID_PARAMETER, NOT_ACTIVE, OK, Services

# System.ServiceProcess.ServiceControllerStatus and ServiceStartMode.
STATUSES = {"Stopped": 1, "Running": 4}
START_TYPES = {"Auto": ("Automatic", 2), "Manual": ("Manual", 3), "Disabled": ("Disabled", 4)}
MODES = {written: mode for mode, (written, _) in START_TYPES.items()}


class ServiceController(NetObject):
    """System.ServiceProcess.ServiceController, as it was when it was read."""

    type_name = "System.ServiceProcess.ServiceController"

    def __init__(self, service: WindowsService) -> None:
        self.name = service.name
        written, number = START_TYPES[service.start_mode]
        self._members: dict[str, Value] = {
            "name": service.name,
            "servicename": service.name,
            "displayname": service.display_name or service.name,
            "status": EnumValue("System.ServiceProcess.ServiceControllerStatus", service.state, STATUSES[service.state]),
            "starttype": EnumValue("System.ServiceProcess.ServiceStartMode", written, number),
        }

    def get(self, name: str) -> Value:
        return self._members[name.lower()] if name.lower() in self._members else super().get(name)

    def text(self) -> str:
        return self.type_name


class ServiceCmdlets:
    def __init__(self, services: Services) -> None:
        self._services = services

    def _named(self, call: Call) -> list[WindowsService]:
        """The services that -Name or the pipeline names; a missing one is a non-terminating error."""
        if not call.has("Name") and call.piped is None:
            return sorted(self._services.all(), key=lambda one: one.name.lower())
        names = [one.name if isinstance(one, ServiceController) else one for one in [*call.get("Name", Array()), *(call.piped or [])]]
        matches: list[WindowsService] = []
        for name in names:
            found = [one for one in self._services.all() if wildcard(name).fullmatch(one.name)]
            if not found and not any(one in name for one in "*?["):
                message = f"Cannot find any service with service name '{name}'."
                call.report(
                    message, "NoServiceFoundForGivenName", category="ObjectNotFound", target=name, exception="ServiceCommandException"
                )
            matches += found
        return matches

    def get(self, call: Call) -> Iterable[Value]:
        return [ServiceController(one) for one in self._named(call)]

    def set(self, call: Call) -> Iterable[Value]:
        for service in self._named(call):
            if call.has("StartupType"):
                service.start_mode = MODES[call.get("StartupType")]
        return []

    def start(self, call: Call) -> Iterable[Value]:
        for service in self._named(call):
            self._start(call, service)
        return []

    def _start(self, call: Call, service: WindowsService) -> None:
        if self._services.start(service) not in (OK, ALREADY_RUNNING):
            message = f"Service '{service.display_name or service.name} ({service.name})' cannot be started due to the following error: "
            message += f"Cannot start service {service.name} on computer '.'."
            call.report(message, "CouldNotStartService", category="OpenError", target=service.name, exception="ServiceCommandException")

    def _stop(self, call: Call, service: WindowsService) -> bool:
        if self._services.stop(service, force=call.get("Force", False)) in (OK, NOT_ACTIVE):
            return True
        message = f"Cannot stop service '{service.display_name or service.name} ({service.name})' because it has dependent services. "
        message += "It can only be stopped if the Force flag is set."
        more = {"category": "InvalidOperation", "target": service.name, "exception": "ServiceCommandException"}
        call.report(message, "ServiceHasDependentServices", **more)
        return False

    def stop(self, call: Call) -> Iterable[Value]:
        for service in self._named(call):
            self._stop(call, service)
        return []

    def restart(self, call: Call) -> Iterable[Value]:
        """Stop and start; services that were stopped with it are started again."""
        for service in self._named(call):
            running = [one for one in self._services.dependents(service) if one.state == "Running"]
            if self._stop(call, service):
                for one in (service, *running):
                    self._start(call, one)
        return []


def instances(machine: Machine) -> list[CimInstance]:
    """Win32_Service."""
    return [
        CimInstance(
            "root/cimv2",
            "Win32_Service",
            class_types("root/cimv2", "Win32_Service"),
            {
                "Name": one.name, "State": one.state, "StartMode": one.start_mode, "Started": one.state == "Running",
                "StartName": one.account, "PathName": one.path,
            },
        )
        for one in machine.host.services
    ]  # fmt: skip


def invoke(services: Services, instance: CimInstance, method: str, arguments: dict[str, Value]) -> int | None:
    """The return value of a method of Win32_Service; None for a method that it does not have."""
    service = services.find(instance.get("Name"))
    if service is None:
        return INVALID_PARAMETER
    if method == "startservice" and not arguments:
        return services.start(service)
    if method == "stopservice" and not arguments:
        return services.stop(service)
    if method == "changestartmode" and set(arguments) == {"startmode"}:
        mode = MODES.get(str(arguments["startmode"]))
        if mode is None:
            return INVALID_PARAMETER
        service.start_mode = mode
        return OK
    return None


def cmdlets(machine: Machine) -> list[Cmdlet]:
    made = ServiceCmdlets(Services(machine.host))
    name = Parameter("Name", "string[]", 0)
    piped = Parameter("InputObject", "net[]", pipeline=True)
    force = Parameter("Force", "switch")
    startup = Parameter("StartupType", choices=tuple(MODES))
    return [
        Cmdlet("Get-Service", made.get, (name, piped)),
        Cmdlet("Set-Service", made.set, (name, startup, piped), confirms=True),
        Cmdlet("Start-Service", made.start, (name, piped), confirms=True),
        Cmdlet("Stop-Service", made.stop, (name, force, piped), confirms=True),
        Cmdlet("Restart-Service", made.restart, (name, force, piped), confirms=True),
    ]
