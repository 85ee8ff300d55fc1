"""Windows Remote Shells of cmd.exe (MS-WSMV): commands with their input and output as streams of bytes."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.state import WindowsUser
from emulator.windows import soap
from emulator.windows.commands import Process
from emulator.windows.faults import WsmanFault
from emulator.windows.runspaces import Runspaces
from emulator.windows.soap import SHELL, Operation

OVERHEAD = 4096  # bytes of an envelope around the data
ENCODINGS = {"65001": "utf-8", "437": "cp437", "1252": "cp1252", "850": "cp850"}


@dataclass
class Command:
    """A running command. `changed` is set when there is output, or the command has ended."""

    process: Process
    stdin: bytearray = field(default_factory=bytearray)
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    exit_code: int | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def run(self) -> None:
        done = self.process.run(bytes(self.stdin))
        self.stdout += done.stdout
        self.stderr += done.stderr
        self.exit_code = done.exit_code
        self.changed.set()


class CmdShell:
    streams = "<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams>"

    def __init__(self, runspaces: Runspaces, user: WindowsUser, operation: Operation, start: Callable[[Callable[[], None]], None]) -> None:
        encoding = ENCODINGS.get(operation.options.get("WINRS_CODEPAGE", "437"))
        if encoding is None:
            raise WsmanFault("schema")
        self._runspaces, self._user, self._encoding, self._start = runspaces, user, encoding, start
        self._commands: dict[str, Command] = {}
        self._started = 0

    def close(self) -> None:
        for command in self._commands.values():
            command.changed.set()

    def command(self, operation: Operation) -> str:
        """Start a command. WinRS does not count a command as ended before its shell ends (ansible.builtin.winrm makes a new shell then)."""
        if self._started >= self._runspaces.machine.host.winrm.max_operations_per_user:
            raise WsmanFault("quota")
        self._started += 1
        part = operation.part("CommandLine")
        words = [part.findtext(f"{{{SHELL}}}Command") or "", *(one.text or "" for one in part.iterfind(f"{{{SHELL}}}Arguments"))]
        command_id = (part.get("CommandId") or str(uuid.uuid4())).upper()
        process = Process(
            self._runspaces,
            self._user,
            " ".join(word for word in words if word),
            self._encoding,
            piped=operation.options.get("WINRS_CONSOLEMODE_STDIN", "TRUE").upper() == "FALSE",
            through_cmd=operation.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() != "TRUE",
        )
        self._commands[command_id] = command = Command(process)
        if not process.waits_for_input:
            self._start(command.run)
        return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"

    def _command_of(self, command_id: str | None) -> Command:
        command = self._commands.get((command_id or "").upper())
        if command is None:
            raise WsmanFault("no_resource")
        return command

    def send(self, operation: Operation) -> str:
        part = operation.part("Send").find(f"{{{SHELL}}}Stream")
        if part is None:
            raise WsmanFault("schema")
        command = self._command_of(part.get("CommandId"))
        command.stdin += base64.b64decode(part.text or "")
        if part.get("End", "").lower() == "true" and command.process.waits_for_input:
            self._start(command.run)
        return "<rsp:SendResponse/>"

    def signal(self, operation: Operation) -> str:
        """Both signals end a command: terminate and ctrl_c."""
        command = self._commands.pop(operation.part("Signal").get("CommandId", "").upper(), None)
        if command:
            command.changed.set()
        return "<rsp:SignalResponse/>"

    async def receive(self, operation: Operation) -> str:
        """The output so far; without any, the answer waits, at most OperationTimeout."""
        part = operation.part("Receive").find(f"{{{SHELL}}}DesiredStream")
        command_id = ("" if part is None else part.get("CommandId", "")).upper()
        command = self._command_of(command_id)
        try:
            await asyncio.wait_for(command.changed.wait(), operation.timeout)
        except TimeoutError:
            raise WsmanFault("timeout") from None
        room = max(1024, (operation.size - OVERHEAD) * 3 // 4)
        xml = ""
        for name, data in (("stdout", command.stdout), ("stderr", command.stderr)):
            piece = bytes(data[:room])
            del data[: len(piece)]
            room -= len(piece)
            xml += soap.stream(name, command_id, piece) if piece else ""
        return f"<rsp:ReceiveResponse>{xml}{self._state(command, command_id)}</rsp:ReceiveResponse>"

    @staticmethod
    def _state(command: Command, command_id: str) -> str:
        if command.stdout or command.stderr or command.exit_code is None:
            return f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Running"/>'
        ends = "".join(soap.stream(name, command_id, b"", end=True) for name in ("stdout", "stderr"))
        state = f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Done">'
        return f"{ends}{state}<rsp:ExitCode>{command.exit_code}</rsp:ExitCode></rsp:CommandState>"
