"""Runs scripts and programs on a machine, and logs what Windows logs of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from emulator.state import WindowsUser
from emulator.windows import (
    adsi,
    cim_cmdlets,
    computer_cmdlets,
    features,
    files,
    firewall,
    hmailserver,
    mailroot,
    processes,
    registry_cmdlets,
    service_cmdlets,
    wmi_objects,
)
from emulator.windows.machine import Machine
from emulator.windows.powershell import core_cmdlets, interpreter
from emulator.windows.powershell.binding import Cmdlet, bind, logged, not_recognized
from emulator.windows.powershell.errors import Failure, Outcome, OutsideSubsetError
from emulator.windows.powershell.session import Session
from emulator.windows.powershell.values import Value

MODULES: tuple[Callable[[Machine], list[Cmdlet]], ...] = (
    cim_cmdlets.cmdlets,
    registry_cmdlets.cmdlets,
    service_cmdlets.cmdlets,
    features.cmdlets,
    firewall.cmdlets,
    wmi_objects.cmdlets,
    computer_cmdlets.cmdlets,
    files.cmdlets,
    mailroot.cmdlets,
    processes.cmdlets,
)


class Runspaces:
    """What a machine can run."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def _cmdlets(self) -> dict[str, Cmdlet]:
        """The cmdlets that the host's version has."""
        every = [*core_cmdlets.CMDLETS, *(one for module in MODULES for one in module(self.machine))]
        return {one.name.lower(): one for one in every}

    def session(self, user: WindowsUser) -> Session:
        """A new runspace."""
        host = self.machine.host
        environment = {"COMPUTERNAME": host.name.upper(), "USERNAME": user.name, "SystemRoot": r"C:\Windows", "SystemDrive": "C:"}
        environment |= {"ProgramData": r"C:\ProgramData"}

        def native(name: str, arguments: list[str]) -> tuple[list[str], int] | None:
            return self.program(name, arguments, user)

        def unknown(name: str) -> None:
            host.refused.append(f"the command {name}")

        variables: dict[str, Any] = {
            "erroractionpreference": "Continue",
            "progresspreference": "Continue",
            "warningpreference": "Continue",
            "verbosepreference": "SilentlyContinue",
        }

        def new_object(type_name: str, arguments: list[Value]) -> Value:
            if type_name.lower() == files.CertificateObject.type_name.lower() and len(arguments) == 1:
                return files.certificate(self.machine, arguments[0])
            if type_name.lower() != adsi.TYPE or len(arguments) != 1 or not isinstance(arguments[0], str):
                raise OutsideSubsetError(f"New-Object {type_name} with {len(arguments)} arguments")
            return adsi.entry(self.machine, arguments[0])

        log = functools.partial(self.machine.log, 4103)
        return Session(
            self._cmdlets(),
            native,
            environment=environment,
            variables=variables,
            log=log,
            unknown=unknown,
            new_object=new_object,
            new_com_object=functools.partial(hmailserver.new_object, self.machine),
            wmi_class=wmi_objects.binding_class,
            static_methods=files.statics(self.machine),
        )

    def run_script(self, source: str, session: Session) -> Outcome:
        """Run a script. What is outside of the subset ends it with an error, and is kept in the state."""
        self.machine.log(4104, source)
        try:
            return interpreter.execute(source, session)
        except OutsideSubsetError as error:
            return Outcome(failure=self.refusal(error))

    def run_cmdlet(self, session: Session, name: str, named: list[tuple[str, Value]], piped: list[Value] | None) -> list[Value]:
        """What a cmdlet writes that PSRP names as a command of a pipeline."""
        cmdlet = session.cmdlets.get(name.lower())
        if cmdlet is None:
            session.unknown(name)
            raise not_recognized(name)
        call = bind(session, cmdlet, named, [], piped)
        session.log(logged(call))
        return list(cmdlet.run(call))

    def refusal(self, error: OutsideSubsetError) -> Failure:
        self.machine.host.refused.append(str(error))
        return Failure(f"outside of the emulator's subset of PowerShell: {error}", "OutsideSubset")

    def program(self, name: str, arguments: list[str], user: WindowsUser) -> tuple[list[str], int] | None:
        """The lines of output and the exit code of a program; None for an unknown one."""
        host, name = self.machine.host, name.lower().removesuffix(".exe")
        if name == "hostname" and not arguments:
            return [host.name], 0
        if name == "whoami" and not arguments:
            return [f"{host.name}\\{user.name}".lower()], 0
        if name == "shutdown" and len(arguments) == 3 and [one.lower() for one in arguments[:2]] == ["/r", "/t"] and arguments[2].isdigit():
            host.restart_at = self.machine.now + int(arguments[2])
            return [], 0
        return None
