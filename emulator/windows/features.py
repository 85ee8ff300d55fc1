"""Roles and features of Windows Server, those that a mail relay needs, and their cmdlets (module ServerManager).

Sources: contract.json for the versions that have them; the pages of Get-, Install- and Uninstall-WindowsFeature for objects and results.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emulator.state import SmtpVirtualServer, WindowsHost, WindowsService
from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.operators import wildcard
from emulator.windows.powershell.values import Array, EnumValue, NetObject, Value
from emulator.windows.services import Services

REMOVED_IN = 26100  # Windows Server 2025
MODULE = "Microsoft.Windows.ServerManager.Commands"


@dataclass(frozen=True)
class Feature:
    """`needs`: installed with it. `core`: whether Server Core has it. `until`: the build that no longer has it."""

    display_name: str
    needs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()  # with -IncludeManagementTools
    core: bool = True
    until: int = 0


FEATURES = {
    "SMTP-Server": Feature("SMTP Server", ("Web-Metabase",), ("RSAT-SMTP",), core=False, until=REMOVED_IN),
    "RSAT-SMTP": Feature("SMTP Server Tools", core=False, until=REMOVED_IN),
    "Web-Server": Feature("Web Server (IIS)"),
    "Web-Metabase": Feature("IIS 6 Metabase Compatibility"),
    "Web-WMI": Feature("IIS 6 WMI Compatibility", ("Web-Metabase",)),
    "Web-Lgcy-Mgmt-Console": Feature("IIS 6 Management Console", ("Web-Metabase",), core=False, until=REMOVED_IN),
    "Web-Lgcy-Scripting": Feature("IIS 6 Scripting Tools", ("Web-Metabase",)),
}
INETINFO = r"C:\Windows\system32\inetsrv\inetinfo.exe"
# Services that come with a feature. SMTPSVC's start mode after the installation is Manual.
SERVICES = {
    "Web-Metabase": WindowsService("IISADMIN", "IIS Admin Service", "Auto", "Running", ["RpcSs"], path=INETINFO),
    "SMTP-Server": WindowsService(
        "SMTPSVC", "Simple Mail Transfer Protocol (SMTP)", "Manual", "Stopped", ["IISADMIN"], path=INETINFO
    ),
}  # fmt: skip
RESTART_NEEDED = {"Maybe": 0, "No": 1, "Yes": 2}
EXIT_CODES = {"Success": 0, "NoChangeNeeded": 1003, "SuccessRestartRequired": 3010}
INSTALL_STATES = {"Available": 0, "Installed": 1}


class FeatureObject(NetObject):
    """Microsoft.Windows.ServerManager.Commands.Feature."""

    type_name = f"{MODULE}.Feature"

    def __init__(self, name: str, *, installed: bool) -> None:
        self.name = name
        state = "Installed" if installed else "Available"
        self._members: dict[str, Value] = {
            "name": name,
            "displayname": FEATURES[name].display_name,
            "installed": installed,
            "installstate": EnumValue(f"{MODULE}.InstallState", state, INSTALL_STATES[state]),
        }

    def get(self, name: str) -> Value:
        return self._members[name.lower()] if name.lower() in self._members else super().get(name)

    def text(self) -> str:
        return self.name


class FeatureResult(NetObject):
    """Microsoft.Windows.ServerManager.Commands.FeatureOperationResult."""

    type_name = f"{MODULE}.FeatureOperationResult"

    def __init__(self, changed: list[FeatureObject], *, restart: bool) -> None:
        needed = "Yes" if restart else "No"
        code = "NoChangeNeeded" if not changed else "SuccessRestartRequired" if restart else "Success"
        self._members: dict[str, Value] = {
            "success": True,
            "restartneeded": EnumValue(f"{MODULE}.RestartState", needed, RESTART_NEEDED[needed]),
            "exitcode": EnumValue(f"{MODULE}.FeatureOperationExitCode", code, EXIT_CODES[code]),
            "featureresult": Array(changed),
        }

    def get(self, name: str) -> Value:
        return self._members[name.lower()] if name.lower() in self._members else super().get(name)


class FeatureCmdlets:
    def __init__(self, host: WindowsHost) -> None:
        self._host = host

    def _available(self) -> list[str]:
        """The features of this version and edition."""
        core, build = self._host.edition == "Server Core", self._host.build
        return [name for name, one in FEATURES.items() if (one.core or not core) and not (one.until and build >= one.until)]

    def _installed(self, name: str) -> bool:
        return name in self._host.features

    def get(self, call: Call) -> Iterable[Value]:
        patterns = [wildcard(one) for one in call.get("Name", Array(["*"]))]
        names = [name for name in self._available() if any(pattern.fullmatch(name) for pattern in patterns)]
        return [FeatureObject(name, installed=self._installed(name)) for name in names]

    def _requested(self, call: Call) -> list[str]:
        names = []
        for written in call.get("Name"):
            name = next((one for one in self._available() if one.lower() == written.lower()), None)
            if name is None:
                message = "ArgumentNotValid: The role, role service, or feature name is not valid: "
                message += f"'{written}'. The name was not found."
                raise call.failure(message, "NameDoesNotExist", category="InvalidArgument", target=written, exception="Exception")
            names.append(name)
        return names

    def install(self, call: Call) -> Iterable[Value]:
        if call.get("Restart", False):
            raise OutsideSubsetError("Install-WindowsFeature -Restart, which would end the script at once")
        names: list[str] = []
        for name in self._requested(call):
            tools = FEATURES[name].tools if call.get("IncludeManagementTools", False) else ()
            names += [one for one in (*FEATURES[name].needs, name, *tools) if one not in names and not self._installed(one)]
        restart = any(name in self._host.features_with_restart for name in names)
        for name in names:
            self._host.features.append(name)
            if name in SERVICES and not Services(self._host).find(SERVICES[name].name):
                service = SERVICES[name]
                self._host.services.append(WindowsService(**vars(service) | {"depends_on": list(service.depends_on)}))
        if "SMTP-Server" in names and not self._host.smtp_servers:
            self._host.smtp_servers.append(SmtpVirtualServer())
        self._host.reboot_pending = self._host.reboot_pending or restart
        return [FeatureResult([FeatureObject(name, installed=True) for name in names], restart=restart)]

    def uninstall(self, call: Call) -> Iterable[Value]:
        names = [name for name in self._requested(call) if self._installed(name)]
        names += [name for name in self._host.features if name not in names and set(FEATURES[name].needs) & set(names)]
        for name in names:
            self._host.features.remove(name)
            gone = SERVICES[name].name if name in SERVICES else ""
            self._host.smtp_servers = [] if name == "SMTP-Server" else self._host.smtp_servers
            self._host.services = [one for one in self._host.services if one.name != gone]
        self._host.reboot_pending = self._host.reboot_pending or bool(names)
        return [FeatureResult([FeatureObject(name, installed=False) for name in names], restart=bool(names))]


def cmdlets(machine: Machine) -> list[Cmdlet]:
    """A client edition does not have the module ServerManager."""
    if machine.host.edition == "Client":
        return []
    made = FeatureCmdlets(machine.host)
    name = Parameter("Name", "string[]", 0, mandatory=True)
    tools, restart = Parameter("IncludeManagementTools", "switch"), Parameter("Restart", "switch")
    return [
        Cmdlet("Get-WindowsFeature", made.get, (Parameter("Name", "string[]", 0),), MODULE),
        Cmdlet("Install-WindowsFeature", made.install, (name, tools, restart), MODULE, f"{MODULE}.AddWindowsFeatureCommand", confirms=True),
        Cmdlet("Uninstall-WindowsFeature", made.uninstall, (name,), MODULE, f"{MODULE}.RemoveWindowsFeatureCommand", confirms=True),
    ]
