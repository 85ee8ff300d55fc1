"""Restart-Computer."""

from __future__ import annotations

from emulator.windows.machine import Machine
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.values import Value

RESTART_SECONDS = 5  # until a restart that a cmdlet orders ends the shells


def cmdlets(machine: Machine) -> list[Cmdlet]:
    """Restart-Computer of the host itself; it needs -Force where somebody is signed in, and WinRM's user is."""

    def restart(call: Call) -> list[Value]:
        if not call.get("Force", False):
            message = "Failed to restart the computer with the following error message: The system shutdown cannot be initiated because "
            message += "there are other users logged on to the computer."
            raise call.failure(message, "RestartcomputerFailed", category="OperationStopped", exception="InvalidOperationException")
        machine.host.restart_at = machine.now + RESTART_SECONDS
        return []

    return [Cmdlet("Restart-Computer", restart, (Parameter("Force", "switch"),), confirms=True)]
