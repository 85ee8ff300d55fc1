"""Setup programs of hMailServer: what an installation leaves, what is in its way, and the removal.

Source: hMailServer's installation scripts (Inno Setup). A silent installation suppresses Inno Setup's own message boxes, not those of the
scripts: nobody sees such a dialog under WinRM, and the program waits for good.
"""

from __future__ import annotations

import hashlib

from emulator.state import HMailServer, RegistryValue, WindowsHost, WindowsService
from emulator.state.windows_files import WindowsFile, WindowsProcess

SERVICE = "hMailServer"
SILENT = {"/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART"}
DOTNET_45 = 378389
# Release of the .NET Framework that comes with a build ("How to determine which versions are installed").
DOTNET = {14393: 394802, 17763: 461814, 20348: 528449, 26100: 533509}
NO_PASSWORD = "d41d8cd98f00b204e9800998ecf8427e"  # noqa: S105 (MD5 of nothing)
TOOLS = ("hmailadmin", "dbsetup", "dbsetupquick", "dbupdater")  # Administrator, Database Setup, Database Upgrader
PORTS = (25, 110, 143)
OK, FATAL = 0, 4  # exit codes of Inno Setup
NET_KEY = r"HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall\hMailServer_is1"


def is_32bit(version: str) -> bool:
    return tuple(int(part) for part in version.split("-")[0].split(".")[:2]) < (5, 7)


def directory(version: str) -> str:
    return r"C:\Program Files (x86)\hMailServer" if is_32bit(version) else r"C:\Program Files\hMailServer"


def ini_path(version: str) -> str:
    return f"{directory(version)}\\Bin\\hMailServer.INI"


def ini(server: HMailServer) -> bytes:
    """hMailServer.INI: the administrator password as a salted SHA-256 (6 and 64 characters), MD5 of nothing where there is none."""
    password = server.administrator_password
    salted = "a1b2c3" + hashlib.sha256(f"a1b2c3{password}".encode()).hexdigest()
    return f"[Directories]\r\n[Security]\r\nAdministratorPassword={salted if password else NO_PASSWORD}\r\n".encode()


def dotnet_release(host: WindowsHost) -> int:
    return host.dotnet_release or DOTNET[max((build for build in DOTNET if build <= host.build), default=14393)]


def registry_values(host: WindowsHost) -> list[RegistryValue]:
    """What is in the registry: the .NET Framework, and the installed product (a setup program of 32 bits writes below WOW6432Node)."""
    values = [RegistryValue(NET_KEY, "Release", "DWord", number=dotnet_release(host))]
    if host.hmailserver:
        version = host.hmailserver.version
        folder, view = directory(version) + "\\", "HKLM:\\SOFTWARE\\" + ("WOW6432Node\\" if is_32bit(version) else "")
        texts = {"DisplayVersion": version.replace("-B", "."), "InstallLocation": folder, "UninstallString": f'"{folder}unins000.exe"'}
        values += [RegistryValue(view + UNINSTALL, name, text=text) for name, text in texts.items()]
        values.append(RegistryValue(r"HKLM:\SOFTWARE\WOW6432Node\hMailServer", "InstallLocation", text=folder))
    return values


def install(host: WindowsHost, version: str) -> None:
    """A new installation, or an upgrade, which keeps the database."""
    if host.hmailserver:
        host.hmailserver.version = version
    else:
        host.hmailserver = HMailServer(version=version)
    host.services = [one for one in host.services if one.name != SERVICE]
    path = f'"{directory(version)}\\Bin\\hMailServer.exe" RunAsService'
    host.services.append(WindowsService(SERVICE, "hMailServer", "Auto", "Running", ["RpcSs"], path=path, starts=1))


def uninstall(host: WindowsHost) -> None:
    """The removal. It leaves hMailServer.INI with the administrator password, and the database."""
    if host.hmailserver:
        path = ini_path(host.hmailserver.version)
        host.files = [one for one in host.files if one.path.lower() != path.lower()]
        host.files.append(WindowsFile(path, ini(host.hmailserver)))
    host.hmailserver = None
    host.services = [one for one in host.services if one.name != SERVICE]


def obstacle(host: WindowsHost, arguments: set[str], listening: set[int], names: set[str], left_ini: bytes) -> str:
    """The dialog that a setup program shows, which nobody answers; empty: none. `names`: of the processes, in lower case."""
    if not arguments >= SILENT:
        return "the wizard"
    if dotnet_release(host) < DOTNET_45:
        return "hMailServer requires .NET Framework 4.5"
    if names & set(TOOLS):
        return "hMailServer Administrator is started."
    running = any(one.name == SERVICE and one.state == "Running" for one in host.services)
    if not running and listening & set(PORTS):
        return "one or several of the TCP/IP ports 25, 110 and 143 are already in use."
    return "Please enter the password of hMailServer Administrator." if _has_password(left_ini) else ""


def _has_password(content: bytes) -> bool:
    value = next((line.partition(b"=")[2] for line in content.splitlines() if line.startswith(b"AdministratorPassword=")), b"")
    return value not in (b"", NO_PASSWORD.encode())


def run(host: WindowsHost, setup: WindowsFile, arguments: set[str], listening: set[int], names: set[str], left_ini: bytes) -> int | None:
    """The exit code of a setup program; None: it waits for the answer to a dialog."""
    dialog = obstacle(host, arguments, listening, names, left_ini)
    if not dialog:
        install(host, setup.installs)
        return OK
    at_the_database = dialog.startswith("Please enter")
    if at_the_database:
        install(host, setup.installs)  # the files are there, the service is not started
        next(one for one in host.services if one.name == SERVICE).state = "Stopped"
    number = max([one.id for one in host.processes], default=4000)
    host.processes.append(WindowsProcess("setup", number + 4))
    host.processes.append(WindowsProcess("setup.tmp", number + 8, parent=number + 4))
    if at_the_database:
        host.processes.append(WindowsProcess("DBSetupQuick", number + 12, parent=number + 8))
    return None
