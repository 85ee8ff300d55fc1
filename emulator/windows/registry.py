"""The registry: values of the state, and those that follow from the version of Windows."""

from __future__ import annotations

from emulator.state import RegistryValue, WindowsHost
from emulator.windows import installer
from emulator.windows.powershell.values import Array, Value

CURRENT_VERSION = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion"

# Component Based Servicing: the key exists while a restart is pending.
REBOOT_PENDING = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"


class Registry:
    """Keys by path, without regard to case; only HKLM."""

    def __init__(self, host: WindowsHost) -> None:
        self._host = host

    def _derived(self) -> list[RegistryValue]:
        """Get-ComputerInfo's sources (HKLM, Windows NT\\CurrentVersion); the names of versions there end with Windows 10."""
        host = self._host
        client = host.edition == "Client"
        texts = {
            "CurrentBuild": str(host.build),
            "CurrentBuildNumber": str(host.build),
            "InstallationType": host.edition,
            "EditionID": "Professional" if client else "ServerStandard",
        }
        derived = [RegistryValue(CURRENT_VERSION, name, text=value) for name, value in texts.items()]
        derived += installer.registry_values(host)
        return derived + ([RegistryValue(REBOOT_PENDING, "(default)")] if host.reboot_pending else [])

    def values(self, path: str) -> list[RegistryValue] | None:
        """The values of a key; None where it does not exist. A key with a value below it exists."""
        path = path.rstrip("\\").lower()
        all_values = [*self._host.registry, *self._derived()]
        if not any(one.path.lower() == path or one.path.lower().startswith(f"{path}\\") for one in all_values):
            return [] if path in (one.lower() for one in self._host.registry_keys) else None
        return [one for one in all_values if one.path.lower() == path]

    def create(self, path: str) -> None:
        if self.values(path) is None:
            self._host.registry_keys.append(path.rstrip("\\"))

    def write(self, value: RegistryValue) -> None:
        self.remove(value.path, value.name)
        self._host.registry.append(value)

    def remove(self, path: str, name: str) -> bool:
        """Remove a value; its key stays."""
        self.create(path)
        kept = [one for one in self._host.registry if (one.path.lower(), one.name.lower()) != (path.rstrip("\\").lower(), name.lower())]
        gone = len(kept) != len(self._host.registry)
        if gone and path.rstrip("\\").lower() not in (one.lower() for one in self._host.registry_keys):
            self._host.registry_keys.append(path.rstrip("\\"))
        self._host.registry = kept
        return gone


def value_of(one: RegistryValue) -> Value:
    if one.kind in ("DWord", "QWord"):
        return one.number
    return Array(one.texts, "string") if one.kind == "MultiString" else one.text
