"""A Windows host of the emulator in this process: scripts are executed as sent, without WinRM and Ansible."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.m365.plugins.module_utils._core.json_types import JsonObject
from ansible_collections.mailops.m365.plugins.module_utils._engine import windows_engine
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import argument_spec
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import Answer

from emulator.state import WindowsHost, WindowsUser
from emulator.windows.machine import Machine
from emulator.windows.powershell.core_cmdlets import console_text
from emulator.windows.runspaces import Runspaces

START = 1_800_000_000.0  # Unix seconds of the emulated clock


class EmulatedHost:
    """`state`: the host of the emulator. `outputs`: what the scripts have written."""

    def __init__(self, **keys: Any) -> None:
        self.state = WindowsHost("win1", users=[WindowsUser("ansible", "geheim")], **keys)
        self.now = START
        self.outputs: list[str] = []
        self._runspaces = Runspaces(Machine(self.state, lambda: self.now))

    def execute(self, script: str, lines: str) -> Answer:
        session = self._runspaces.session(self.state.users[0])
        session.input.extend(lines.splitlines())
        output: list[Any] = []
        session.write, session.write_text = output.append, output.append
        outcome = self._runspaces.run_script(script, session)
        text = "".join(f"{console_text(one)}\r\n" for one in output)
        self.outputs.append(text)
        return Answer(1 if outcome.failure else 0, text, outcome.failure.message if outcome.failure else "")

    def run(self, resource: Any, options: dict[str, Any], *, check_mode: bool = False) -> JsonObject:
        """A task's result, its options with their defaults; no script used what the interpreter does not know."""
        validated = ArgumentSpecValidator(**argument_spec(resource.spec)).validate(options)
        assert validated.error_messages == []
        parameters = validated.validated_parameters
        result = windows_engine.run(resource, parameters, "win1", self.execute, check_mode=check_mode)
        assert self.state.refused == []
        return result
