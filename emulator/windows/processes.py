"""Processes of a Windows host with the ports that they listen on, and the programs that scripts start.

Sources: the pages of Get-Process, Start-Process and Get-NetTCPConnection; "Win32_Process class"; "Process Class" (.NET).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from emulator.state.windows_files import WindowsProcess
from emulator.windows import iis_smtp, installer
from emulator.windows.cim import CimInstance
from emulator.windows.files import Files
from emulator.windows.hmail_com import setting
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.operators import wildcard
from emulator.windows.powershell.values import NOTHING, EnumValue, NetObject, Value

PROCESS = {"ProcessId": "uint32", "ParentProcessId": "uint32", "Name": "string"}
SERVICES = (1, 3, 5)  # eSessionType: SMTP, POP3, IMAP
STATES = {"Listen": 2, "Established": 5}  # MSFT_NetTCPConnection
CMDLETS = "Microsoft.PowerShell.Commands"


@dataclass
class Process:
    """A running process. `parent` 0: one of the system."""

    name: str
    id: int
    parent: int = 0
    ports: list[int] = field(default_factory=list)


def table(machine: Machine) -> list[Process]:
    """Every process that matters; the first one has a port."""
    host = machine.host
    numbered = [WindowsProcess(one.name, one.id or 3000 + 4 * number, one.parent, one.ports) for number, one in enumerate(host.processes)]
    processes = [Process("System", 4, 0, [5985, 5986]), *(Process(one.name, one.id, one.parent, one.ports) for one in numbered)]
    running = {one.name for one in host.services if one.state == "Running"}
    if "SMTPSVC" in running:
        bindings = [int(one.split(":")[1]) for server in iis_smtp.servers(host) for one in server.bindings]
        processes.append(Process("inetinfo", 1200, 0, bindings))
    if installer.SERVICE in running and host.hmailserver:
        server = host.hmailserver
        served = [kind for kind, name in zip(SERVICES, ("ServiceSMTP", "ServicePOP3", "ServiceIMAP"), strict=True) if setting(server, name)]
        ports = [int(row.properties["PortNumber"]) for row in server.ports if row.properties.get("Protocol") in served]
        taken = {port for one in processes for port in one.ports}
        processes.append(Process("hMailServer", 1300, 0, [] if server.stopped else [one for one in ports if one not in taken]))
    return processes


def instances(machine: Machine) -> list[CimInstance]:
    """Win32_Process."""
    return [
        CimInstance("root/cimv2", "Win32_Process", PROCESS, {"ProcessId": one.id, "ParentProcessId": one.parent, "Name": f"{one.name}.exe"})
        for one in table(machine)
    ]


def terminate(machine: Machine, number: int) -> int:
    """End a process; a return value of Win32_Process.Terminate."""
    before = len(machine.host.processes)
    machine.host.processes = [one for one in machine.host.processes if one.id != number]
    return 0 if len(machine.host.processes) < before else 9  # path not found


class ProcessObject(NetObject):
    """System.Diagnostics.Process. Its exit code is there only where Handle was read before its end."""

    type_name = "System.Diagnostics.Process"

    def __init__(self, machine: Machine, name: str, number: int, code: int | None = None) -> None:
        self._machine, self._name, self._number, self._code = machine, name, number, code
        self._kept = False

    def get(self, name: str) -> Value:
        name = name.lower()
        if name == "handle":
            self._kept = True
            return 1044
        if name == "exitcode":
            return self._code if self._kept else None
        members: dict[str, Value] = {"id": self._number, "processname": self._name, "name": self._name, "hasexited": self._code is not None}
        return members[name] if name in members else super().get(name)

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "waitforexit" and len(arguments) == 1 and isinstance(arguments[0], int):
            return self._code is not None
        if name.lower() == "kill" and not arguments:
            terminate(self._machine, self._number)
            return NOTHING
        return super().call(name, arguments)


class Connection(NetObject):
    """MSFT_NetTCPConnection."""

    type_name = "Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetTCPConnection"

    def __init__(self, port: int, process: int) -> None:
        state = EnumValue("Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetTCPConnection.State", "Listen", STATES["Listen"])
        self._members: dict[str, Value] = {"localport": port, "owningprocess": process, "state": state, "localaddress": "0.0.0.0"}  # noqa: S104

    def get(self, name: str) -> Value:
        return self._members[name.lower()] if name.lower() in self._members else super().get(name)


def start(machine: Machine, path: str, arguments: list[str]) -> ProcessObject | None:
    """Run a program to its end, or to a dialog; None: there is no such program."""
    host, files = machine.host, Files(machine)
    setup = files.find(path)
    processes = table(machine)
    switches = {one.upper() for one in arguments}
    if host.hmailserver and path.lower() == f"{installer.directory(host.hmailserver.version)}\\unins000.exe".lower():
        if not switches >= installer.SILENT:
            raise OutsideSubsetError("a removal that is not silent")
        installer.uninstall(host)
        return ProcessObject(machine, "unins000", 5000, installer.OK)
    if setup is None or not setup.installs:
        return None
    listening = {port for one in processes for port in one.ports}
    names = {one.name.lower() for one in processes}
    left = b"" if host.hmailserver else files.content(installer.ini_path(setup.installs))
    code = installer.run(host, setup, switches, listening, names, left)
    number = next((one.id for one in reversed(host.processes) if one.name == "setup"), 5000) if code is None else 5000
    return ProcessObject(machine, "setup", number, code)


def cmdlets(machine: Machine) -> list[Cmdlet]:
    def get(call: Call) -> Iterable[Value]:
        patterns = [wildcard(one) for one in call.get("Name", ["*"])]
        return [ProcessObject(machine, one.name, one.id) for one in table(machine) if any(each.fullmatch(one.name) for each in patterns)]

    def connections(call: Call) -> Iterable[Value]:
        if call.get("State") != "Listen":
            raise OutsideSubsetError("Get-NetTCPConnection without -State Listen")
        return [Connection(port, one.id) for one in table(machine) for port in one.ports]

    def begin(call: Call) -> Iterable[Value]:
        if not call.get("PassThru", False):
            raise OutsideSubsetError("Start-Process without -PassThru, of which nothing can be read")
        machine.log(4688, " ".join([f'"{call.get("FilePath")}"', *call.get("ArgumentList", [])]))
        made = start(machine, call.get("FilePath"), call.get("ArgumentList", []))
        if made is None:
            message = "This command cannot be run due to the error: The system cannot find the file specified."
            raise call.failure(message, "InvalidOperationException", category="InvalidOperation", exception="InvalidOperationException")
        return [made]

    path, switch = Parameter("FilePath", "string", 0, mandatory=True), Parameter("PassThru", "switch")
    return [
        Cmdlet("Get-Process", get, (Parameter("Name", "string[]", 0),)),
        Cmdlet("Get-NetTCPConnection", connections, (Parameter("State", choices=tuple(STATES)),), error_source="Get-NetTCPConnection"),
        Cmdlet("Start-Process", begin, (path, Parameter("ArgumentList", "string[]", 1), switch)),
    ]
