"""Hosts that run Windows: version, accounts, WinRM, registry, and what their event logs hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.local_addresses import LOCAL, is_local
from emulator.state.hmailserver import HMailServer
from emulator.state.iis_smtp import SmtpVirtualServer
from emulator.state.keys import At, Moment, UnfitError, key
from emulator.state.windows_files import WindowsFile, WindowsProcess
from emulator.state.windows_services import FirewallRule, WindowsCertificate, WindowsService, usual_services

# InstallationType in the registry (Server Core App Compatibility documentation of Microsoft: "Server", "Server Core"; "Client").
EDITIONS = ("Server", "Server Core", "Client")
REGISTRY_KINDS = ("String", "ExpandString", "DWord", "QWord", "MultiString")


def _address(value: str, _: At) -> str:
    if value and not is_local(value):
        raise UnfitError(f"must be {LOCAL}")
    return value


@dataclass
class WindowsUser:
    """A local account."""

    name: str = field(metadata=key("the name"))
    password: str = field(metadata=key("the password"))
    certificate_upn: str = field(default="", metadata=key("the user principal name of the certificate that is mapped to it"))
    certificate_issuer: str = field(default="", metadata=key("PEM of the certificate that issued it"))
    administrator: bool = field(default=True, metadata=key("whether it is a member of Administrators"))


@dataclass
class WinRm:
    """The configuration of WinRM's service and of its shells (`winrm get winrm/config`)."""

    basic: bool = field(default=False, metadata=key("whether Basic authentication is allowed"))
    negotiate: bool = field(default=True, metadata=key("whether Negotiate and NTLM are allowed"))
    certificate: bool = field(default=False, metadata=key("whether client certificates are allowed"))
    cbt_hardening_level: str = field(
        default="Relaxed",
        metadata=key("CbtHardeningLevel; Strict: NTLM by HTTPS needs channel bindings", choices=("None", "Relaxed", "Strict")),
    )
    allow_unencrypted: bool = field(default=False, metadata=key("whether HTTP without message encryption is allowed"))
    max_shells_per_user: int = field(default=30, metadata=key("MaxShellsPerUser", least=1))
    max_operations_per_user: int = field(
        default=1500, metadata=key("MaxConcurrentOperationsPerUser; WinRS counts commands of a shell", least=1)
    )
    idle_timeout: int = field(default=7_200_000, metadata=key("IdleTimeout of shells in milliseconds", least=60_000))


@dataclass
class RegistryValue:
    """A value of the registry that the emulator does not derive."""

    path: str = field(metadata=key("the key, as HKLM:\\SOFTWARE\\..."))
    name: str = field(metadata=key("the name of the value"))
    kind: str = field(default="String", metadata=key("its type", choices=REGISTRY_KINDS))
    text: str = field(default="", metadata=key("the value of a String or ExpandString"))
    number: int = field(default=0, metadata=key("the value of a DWord or QWord", least=0))
    texts: list[str] = field(default_factory=list, metadata=key("the value of a MultiString"))


@dataclass
class WindowsEvent:
    """An event: 4688 (process creation with its command line), 4104 (script block), 4103 (module logging)."""

    id: int = field(metadata=key("the event ID"))
    time: Moment = field(default=0.0, metadata=key("when it was logged"))
    message: str = field(default="", metadata=key("command line, script text, or the cmdlet with its parameters"))


@dataclass
class WindowsHost:
    """A host that runs Windows."""

    name: str = field(metadata=key("the computer name"))
    address: str = field(default="", metadata=key("the address that it listens on; empty: that of the emulator", convert=_address))
    http_port: int = field(default=0, metadata=key("port of WinRM by HTTP; 0: any free port", least=0, most=65535))
    https_port: int = field(default=0, metadata=key("port of WinRM by HTTPS; 0: any free port", least=0, most=65535))
    build: int = field(default=20348, metadata=key("the build: 14393 (2016), 17763 (2019), 20348 (2022), 26100 (2025)", least=14393))
    edition: str = field(default="Server", metadata=key("Server (Desktop Experience), Server Core or Client", choices=EDITIONS))
    users: list[WindowsUser] = field(default_factory=list, metadata=key("local accounts"))
    winrm: WinRm = field(default_factory=WinRm, metadata=key("WinRM"))
    registry: list[RegistryValue] = field(default_factory=list, metadata=key("further values of the registry"))
    registry_keys: list[str] = field(default_factory=list, metadata=key("keys of the registry without values"))
    features: list[str] = field(default_factory=list, metadata=key("installed roles and features, as SMTP-Server"))
    features_with_restart: list[str] = field(default_factory=list, metadata=key("features whose installation needs a restart"))
    services: list[WindowsService] = field(default_factory=usual_services, metadata=key("services"))
    smtp_servers: list[SmtpVirtualServer] = field(default_factory=list, metadata=key("virtual servers of IIS SMTP"))
    hmailserver: HMailServer | None = field(default=None, metadata=key("hMailServer; null: it is not installed"))
    files: list[WindowsFile] = field(default_factory=list, metadata=key("files, and what can be downloaded from a URL"))
    processes: list[WindowsProcess] = field(default_factory=list, metadata=key("processes that are none of its services"))
    dotnet_release: int = field(default=0, metadata=key("Release of the .NET Framework 4; 0: that of the build", least=0))
    outbound_address: str = field(default="", metadata=key("the address that its SMTP connections come from; empty: any", convert=_address))
    smtp_routes: dict[str, str] = field(
        default_factory=dict, metadata=key("smart hosts as name:port -> address:port on this host; the MX of Microsoft needs none")
    )
    certificates: list[WindowsCertificate] = field(default_factory=list, metadata=key("certificates of the store LocalMachine\\My"))
    firewall: list[FirewallRule] = field(default_factory=list, metadata=key("rules of the firewall"))
    utc_offset: int = field(
        default=0,
        metadata=key("minutes that its time zone is ahead of UTC (CurrentTimeZone); programs write local times", least=-720, most=840),
    )
    reboot_pending: bool = field(default=False, metadata=key("whether a restart is pending"))
    restart_at: Moment = field(default=0.0, metadata=key("when it is restarted; 0: no restart is ordered"))
    restart_seconds: float = field(default=0.0, metadata=key("how long a restart takes, on the emulator's clock", least=0))
    booted: Moment = field(default=0.0, metadata=key("when it was last started, or will be; 0: when the emulator was"))
    events: list[WindowsEvent] = field(default_factory=list, metadata=key("events of command lines and scripts, the oldest first"))
    refused: list[str] = field(default_factory=list, metadata=key("what scripts used that is outside of the interpreter's subset"))

    def user(self, name: str) -> WindowsUser | None:
        """An account by name, with or without the computer's name before it."""
        domain, _, account = name.rpartition("\\")
        if domain.lower() not in ("", ".", self.name.lower()):
            return None
        return next((user for user in self.users if user.name.lower() == account.lower()), None)
