"""The WS-Management service of one host: it hands operations to the shells."""

from __future__ import annotations

from typing import Any

from emulator.faults import Fault
from emulator.platform import Platform
from emulator.state import WindowsUser
from emulator.windows import soap
from emulator.windows.faults import WsmanFault
from emulator.windows.machine import Machine
from emulator.windows.runspaces import Runspaces
from emulator.windows.shells import Shells
from emulator.windows.soap import Operation


class Endpoint:
    def __init__(self, platform: Platform, machine: Machine) -> None:
        self.machine = machine
        self._platform = platform
        self._shells = Shells(Runspaces(machine), lambda: platform.faults.latency("windows"))

    def is_reachable(self) -> bool:
        """Whether the host answers. A restart that is due ends its shells."""
        host = self.machine.host
        if host.restart_at and self.machine.now >= host.restart_at:
            self._shells.end_all()
            self.machine.restart()
        winrm = next((one for one in host.services if one.name == "WinRM"), None)
        return not self.machine.is_down and (winrm is None or winrm.state == "Running")

    def fault(self, **facts: Any) -> Fault | None:
        """The fault that was ordered for such a request."""
        return self._platform.faults.take("windows", host=self.machine.host.name, **facts)

    async def handle(self, operation: Operation, user: WindowsUser) -> bytes:
        """The envelope of the answer; raises WsmanFault."""
        self._platform.counters.count(self.machine.host.name, f"windows_{operation.name}")
        if operation.action == "Identify":
            return soap.identify(self.machine.host.build)
        if not user.administrator:
            raise WsmanFault("access_denied")
        return await self._shells.handle(operation, user)
