"""The machine below WinRM: the host of the state, the time, and its event logs."""

from __future__ import annotations

from collections.abc import Callable

from emulator.state import WindowsEvent, WindowsHost
from emulator.windows.services import Services


class Machine:
    """A host of the state. `clock`: the emulator's time in Unix seconds."""

    def __init__(self, host: WindowsHost, clock: Callable[[], float]) -> None:
        self.host, self._clock = host, clock
        if not host.booted:
            host.booted = clock()

    @property
    def now(self) -> float:
        return self._clock()

    def restart(self) -> None:
        """A restart: services start by their start mode, and what waited for it is done."""
        host = self.host
        host.restart_at, host.reboot_pending = 0.0, False
        host.booted = self.now + host.restart_seconds
        Services(host).boot()

    @property
    def is_down(self) -> bool:
        """Whether it is being restarted."""
        return self.now < self.host.booted

    def log(self, event: int, message: str) -> None:
        """Events of Windows: 4688 in Security, 4103 and 4104 in Microsoft-Windows-PowerShell/Operational."""
        self.host.events.append(WindowsEvent(event, self.now, message))
