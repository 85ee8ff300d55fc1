"""What the tests of Windows hosts share: a host, its URLs, and scripts without WinRM."""

from __future__ import annotations

import base64
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from emulator.launcher import Emulator
from emulator.windows.powershell import core_cmdlets, interpreter
from emulator.windows.powershell.errors import Failure
from emulator.windows.powershell.session import Session

USER, PASSWORD = "ansible", "Pa55-wörd's"


def host_document(name: str = "win1", /, **keys: Any) -> dict[str, Any]:
    """A host with an administrator and a user; Basic by HTTPS only, as WinRM's default would leave it."""
    users = [{"name": USER, "password": PASSWORD}, {"name": "clerk", "password": PASSWORD, "administrator": False}]
    return {"name": name, "users": users, "winrm": {"basic": True}} | keys


class Lab:
    """A running emulator's Windows host."""

    def __init__(self, emulator: Emulator, name: str = "win1") -> None:
        self.emulator, self.name = emulator, name
        self.ports = next(host for host in emulator.admin.windows_hosts() if host["name"] == name)
        self.http = f"http://{self.ports['address']}:{self.ports['http_port']}/wsman"
        self.https = f"https://{self.ports['address']}:{self.ports['https_port']}/wsman"
        self.ca_file = str(emulator.cloud["ca_file"])

    @property
    def document(self) -> dict[str, Any]:
        return self.emulator.admin.windows_host(self.name)

    def events(self, number: int) -> list[str]:
        """The messages of the events of this ID."""
        return [event["message"] for event in self.document["events"] if event["id"] == number]


@dataclass
class Ran:
    """What a script did: its exit code, the objects and texts that it wrote, its errors, and its session."""

    code: int
    output: list[Any]
    errors: list[Failure] = field(default_factory=list)
    session: Session | None = None


def run(script: str, *lines: str, **variables: Any) -> Ran:
    """Run a script in the interpreter alone, with the engine's cmdlets; `lines` are its input."""
    ran = Ran(0, [])
    cmdlets = {one.name.lower(): one for one in core_cmdlets.CMDLETS}
    shared = deque(lines)
    ran.session = Session(cmdlets, input=shared, console=shared, variables=dict(variables))
    ran.session.write, ran.session.write_text, ran.session.write_error = ran.output.append, ran.output.append, ran.errors.append
    outcome = interpreter.execute(script, ran.session)
    ran.errors += [outcome.failure] if outcome.failure else []
    ran.code = 1 if outcome.failure else outcome.exit_code if outcome.exit_code is not None else int(ran.session.failed)
    return ran


def output(script: str, *lines: str) -> list[Any]:
    """What a script writes that has no error."""
    ran = run(script, *lines)
    assert ran.errors == []
    return ran.output


def encoded(script: str) -> list[str]:
    """Arguments of powershell.exe."""
    return ["-NoProfile", "-NonInteractive", "-EncodedCommand", base64.b64encode(script.encode("utf-16-le")).decode()]
