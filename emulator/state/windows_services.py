"""What a Windows host has installed: services, features, rules of its firewall."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.keys import Moment, key

START_MODES = ("Auto", "Manual", "Disabled")  # Win32_Service.StartMode
STATES = ("Stopped", "Running")
PROFILES = ("Any", "Domain", "Private", "Public")


@dataclass
class WindowsService:
    """A service of Windows."""

    name: str = field(metadata=key("the service name"))
    display_name: str = field(default="", metadata=key("the display name; empty: the service name"))
    start_mode: str = field(default="Manual", metadata=key("StartMode", choices=START_MODES))
    state: str = field(default="Stopped", metadata=key("State", choices=STATES))
    depends_on: list[str] = field(default_factory=list, metadata=key("services that it needs"))
    account: str = field(default="LocalSystem", metadata=key("StartName"))
    path: str = field(default="C:\\Windows\\system32\\svchost.exe", metadata=key("PathName"))
    starts: int = field(default=0, metadata=key("how often it was started"))


@dataclass
class WindowsCertificate:
    """A certificate of the store LocalMachine\\My."""

    names: list[str] = field(metadata=key("the DNS names, the first of which is the subject's"))
    not_after: Moment = field(default=0.0, metadata=key("when it expires"))
    thumbprint: str = field(default="", metadata=key("the thumbprint"))
    private_key: bool = field(default=True, metadata=key("whether its private key is there"))


@dataclass
class FirewallRule:
    """A rule of Windows Defender Firewall."""

    name: str = field(metadata=key("its name (InstanceID)"))
    display_name: str = field(default="", metadata=key("DisplayName"))
    description: str = field(default="", metadata=key("Description"))
    group: str = field(default="", metadata=key("Group"))
    enabled: bool = field(default=True, metadata=key("whether it is enabled"))
    profiles: list[str] = field(default_factory=lambda: ["Any"], metadata=key("network profiles", choices=PROFILES))
    direction: str = field(default="Inbound", metadata=key("Direction", choices=("Inbound", "Outbound")))
    action: str = field(default="Allow", metadata=key("Action", choices=("Allow", "Block")))
    protocol: str = field(default="Any", metadata=key("Protocol"))
    local_ports: list[str] = field(default_factory=lambda: ["Any"], metadata=key("ports, ranges, or Any"))
    remote_addresses: list[str] = field(default_factory=lambda: ["Any"], metadata=key("addresses, networks as address/mask, or Any"))


def usual_services() -> list[WindowsService]:
    """Services that every installation has, of those that a relay needs or that WinRM is made of."""
    return [
        WindowsService("RpcSs", "Remote Procedure Call (RPC)", "Auto", "Running"),
        WindowsService("WinRM", "Windows Remote Management (WS-Management)", "Auto", "Running", ["RpcSs"]),
        WindowsService("MpsSvc", "Windows Defender Firewall", "Auto", "Running", ["RpcSs"]),
    ]
