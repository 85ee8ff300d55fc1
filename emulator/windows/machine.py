"""The machine below WinRM: the host of the state, the time, and its event logs."""

from __future__ import annotations

import time
from collections.abc import Callable

from emulator.faults import Fault, Faults
from emulator.state import WindowsEvent, WindowsHost
from emulator.windows.faults import BANNER, NOISE, WMI
from emulator.windows.services import Services


class Machine:
    """A host of the state. `clock`: the emulator's time in Unix seconds. `faults`: those that were ordered."""

    def __init__(self, host: WindowsHost, clock: Callable[[], float], faults: Faults | None = None) -> None:
        self.host, self._clock, self._faults = host, clock, faults or Faults()
        if not host.booted:
            host.booted = clock()

    @property
    def now(self) -> float:
        return self._clock()

    def local_time(self, moment: float | None = None) -> time.struct_time:
        """A moment, by default now, in the host's time zone."""
        return time.gmtime((self.now if moment is None else moment) + 60 * self.host.utc_offset)

    def fault(self, stage: str, **facts: object) -> Fault | None:
        """The fault that was ordered for a stage of scripts: script, wmi."""
        return self._faults.take("windows", host=self.host.name, stage=stage, **facts)

    def content(self, path: str) -> bytes:
        """The content of a file of the state; empty where there is none."""
        return next((one.content for one in self.host.files if one.path.lower() == path.lower()), b"")

    def noise(self) -> str:
        """What a profile writes before a script's output; empty where nothing was ordered."""
        fault = self.fault("script")
        return str(fault.options.get("text", BANNER)) if fault and fault.name == NOISE else ""

    def wmi_error(self, class_name: str) -> tuple[str, int] | None:
        """Text and HRESULT of an error of WMI that was ordered for a class."""
        fault = self.fault("wmi", **{"class": class_name})
        return WMI.get(fault.name or "") if fault else None

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
