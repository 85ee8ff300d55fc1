"""Get-CimInstance of the classes that describe the host."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from emulator.windows import processes, service_cmdlets
from emulator.windows.cim import CimInstance, WmiDateTime, condition, matches
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.values import Members, PSObject, Value
from emulator.windows.services import Services

CIMV2 = "root/cimv2"
MODULE = "Microsoft.Management.Infrastructure.CimCmdlets"
# "Win32_OperatingSystem class": the part of its properties that the emulator has.
OPERATING_SYSTEM = {
    "Caption": "string", "Version": "string", "BuildNumber": "string", "ProductType": "uint32", "OperatingSystemSKU": "uint32",
    "CSName": "string", "OSArchitecture": "string", "LastBootUpTime": "datetime", "CurrentTimeZone": "sint16",
    "SystemDrive": "string", "WindowsDirectory": "string",
}  # fmt: skip
# "Win32_ComputerSystem class".
COMPUTER_SYSTEM = {"Name": "string", "DNSHostName": "string", "Domain": "string", "Workgroup": "string", "PartOfDomain": "boolean"}
# Builds and names: "Windows Server release information".
NAMES = {14393: "2016", 17763: "2019", 20348: "2022", 26100: "2025"}
# "Win32_OperatingSystem class", OperatingSystemSKU: Standard Server (full and core installation), Professional.
SKUS = {"Server": 7, "Server Core": 13, "Client": 48}


def caption(build: int, edition: str) -> str:
    """The marketing name of a version."""
    if edition == "Client":
        return f"Microsoft Windows {11 if build >= 22000 else 10} Pro"
    name = NAMES[max(number for number in NAMES if number <= build)]
    return f"Microsoft Windows Server {name} Standard"


def operating_system(machine: Machine) -> list[CimInstance]:
    host = machine.host
    values: dict[str, Value] = {
        "Caption": caption(host.build, host.edition),
        "Version": f"10.0.{host.build}",
        "BuildNumber": str(host.build),
        "ProductType": 1 if host.edition == "Client" else 3,
        "OperatingSystemSKU": SKUS[host.edition],
        "CSName": host.name.upper(),
        "OSArchitecture": "64-bit",
        "LastBootUpTime": WmiDateTime(host.booted),
        "CurrentTimeZone": host.utc_offset,
        "SystemDrive": "C:",
        "WindowsDirectory": "C:\\Windows",
    }
    return [CimInstance(CIMV2, "Win32_OperatingSystem", OPERATING_SYSTEM, values)]


def computer_system(machine: Machine) -> list[CimInstance]:
    name = machine.host.name
    values: dict[str, Value] = {
        "Name": name.upper(), "DNSHostName": name, "Domain": "WORKGROUP", "Workgroup": "WORKGROUP", "PartOfDomain": False
    }  # fmt: skip
    return [CimInstance(CIMV2, "Win32_ComputerSystem", COMPUTER_SYSTEM, values)]


CLASSES: dict[tuple[str, str], Callable[[Machine], list[CimInstance]]] = {
    (CIMV2, "win32_operatingsystem"): operating_system,
    (CIMV2, "win32_computersystem"): computer_system,
    (CIMV2, "win32_service"): service_cmdlets.instances,
    (CIMV2, "win32_process"): processes.instances,
}


def instances(machine: Machine, call: Call) -> list[CimInstance]:
    """The instances that -Namespace, -ClassName and -Filter name; WMI's own errors for a wrong namespace or class."""
    namespace = call.get("Namespace", CIMV2).replace("\\", "/").lower()
    name = call.get("ClassName")
    if namespace not in {one for one, _ in CLASSES}:
        raise call.failure("Invalid namespace ", "HRESULT 0x8004100e", category="MetadataError", exception="CimException")
    read = CLASSES.get((namespace, name.lower()))
    if read is None:
        raise call.failure("Invalid class ", "HRESULT 0x80041010", category="MetadataError", target=namespace, exception="CimException")
    error = machine.wmi_error(call.get("ClassName"))
    if error:
        raise call.failure(error[0], f"HRESULT 0x{error[1]:x}", exception="CimException", hresult=error[1] - 2**32)
    comparisons = condition(call.get("Filter")) if call.has("Filter") else []
    return [one for one in read(machine) if matches(one, comparisons)]


def cmdlets(machine: Machine) -> list[Cmdlet]:
    def get(call: Call) -> Iterable[Value]:
        return instances(machine, call)

    def invoke(call: Call) -> Iterable[Value]:
        """A method of an instance; its answer has the method's return value."""
        targets = [*(call.piped or []), *([call.get("InputObject")] if call.has("InputObject") else [])]
        table = call.get("Arguments")
        arguments = {str(name).lower(): value for name, value in table.entries.items()} if table else {}
        codes = []
        for target in targets:
            method = call.get("MethodName").lower()
            known = isinstance(target, CimInstance) and target.class_name == "Win32_Service"
            code = service_cmdlets.invoke(Services(machine.host), target, method, arguments) if known else None
            if isinstance(target, CimInstance) and target.class_name == "Win32_Process" and method == "terminate" and not arguments:
                code = processes.terminate(machine, target.get("ProcessId"))
            if code is None:
                raise OutsideSubsetError(f"the method {call.get('MethodName')} with {len(arguments)} arguments")
            codes.append(code)
        return [PSObject(Members({"ReturnValue": code}), "Microsoft.Management.Infrastructure.CimMethodResult") for code in codes]

    parameters = (Parameter("ClassName", "string", 0, mandatory=True), Parameter("Namespace"), Parameter("Filter"))
    piped = Parameter("InputObject", "net", pipeline=True)
    method = (Parameter("MethodName", "string", 0, mandatory=True), Parameter("Arguments", "hashtable", 1), piped)
    return [Cmdlet("Get-CimInstance", get, parameters, MODULE), Cmdlet("Invoke-CimMethod", invoke, method, MODULE, confirms=True)]
