"""Windows Remote Shells (MS-WSMV): Create, Command, Send, Receive, Signal, Delete."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.http import TICK
from emulator.state import WindowsUser
from emulator.windows import soap
from emulator.windows.commands import Process
from emulator.windows.faults import WsmanFault
from emulator.windows.runspaces import Runspaces
from emulator.windows.soap import SHELL, TRANSFER, Operation

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


@dataclass
class Shell:
    id: str
    user: WindowsUser
    uri: str
    encoding: str
    idle_timeout: float  # seconds
    used: float  # when, by the emulator's clock
    commands: dict[str, Command] = field(default_factory=dict)
    started: int = 0


class Shells:
    """The shells of a host."""

    def __init__(self, runspaces: Runspaces, latency: Callable[[], float]) -> None:
        self._runspaces, self._machine, self._latency = runspaces, runspaces.machine, latency
        self._shells: dict[str, Shell] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, operation: Operation, user: WindowsUser) -> bytes:
        self._expire()
        if operation.action == f"{TRANSFER}/Create":
            return self._create(operation, user)
        shell = self._shells.get(operation.selectors.get("ShellId", "").upper())
        if shell is None or shell.user.name != user.name:
            raise WsmanFault("shell_gone")
        shell.used = self._machine.now
        if operation.action == f"{TRANSFER}/Delete":
            self._delete(shell)
            return soap.answer(operation, "")
        if operation.action == f"{SHELL}/Command":
            return self._command(shell, operation)
        if operation.action == f"{SHELL}/Send":
            return self._send(shell, operation)
        if operation.action == f"{SHELL}/Receive":
            return await self._receive(shell, operation)
        if operation.action == f"{SHELL}/Signal":
            shell.commands.pop(operation.part("Signal").get("CommandId", "").upper(), None)
            return soap.answer(operation, "<rsp:SignalResponse/>")
        raise WsmanFault("action_not_supported")

    def _expire(self) -> None:
        """Shells end after IdleTimeout without a request."""
        now = self._machine.now
        for shell in list(self._shells.values()):
            if now - shell.used > shell.idle_timeout:
                self._delete(shell)

    def _delete(self, shell: Shell) -> None:
        del self._shells[shell.id]
        for command in shell.commands.values():
            command.changed.set()

    def end_all(self) -> None:
        """What a restart of the host does to its shells."""
        for shell in list(self._shells.values()):
            self._delete(shell)

    def _create(self, operation: Operation, user: WindowsUser) -> bytes:
        config = self._machine.host.winrm
        if sum(shell.user.name == user.name for shell in self._shells.values()) >= config.max_shells_per_user:
            raise WsmanFault("shell_quota")
        if operation.uri != f"{SHELL}/cmd":
            raise WsmanFault("no_resource")
        part = operation.part("Shell")
        shell_id = (part.get("ShellId") or str(uuid.uuid4())).upper()
        idle = min(soap.seconds(part.findtext(f"{{{SHELL}}}IdleTimeOut"), config.idle_timeout / 1000), config.idle_timeout / 1000)
        encoding = ENCODINGS.get(operation.options.get("WINRS_CODEPAGE", "437"))
        if encoding is None:
            raise WsmanFault("schema")
        self._shells[shell_id] = Shell(shell_id, user, operation.uri, encoding, idle, self._machine.now)
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet>'
        xml = f"<x:ResourceCreated><a:Address>{soap.ANONYMOUS}</a:Address><a:ReferenceParameters>"
        xml += f"<w:ResourceURI>{operation.uri}</w:ResourceURI>"
        xml += f"{selector}</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId>"
        xml += f"<rsp:ResourceUri>{operation.uri}</rsp:ResourceUri><rsp:Owner>{self._machine.host.name}\\{user.name}</rsp:Owner>"
        xml += f"<rsp:IdleTimeOut>PT{idle:.3f}S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
        return soap.answer(operation, f"{xml}<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>")

    def _command(self, shell: Shell, operation: Operation) -> bytes:
        """Start a command. WinRS does not count a command as ended before its shell ends (ansible.builtin.winrm makes a new shell then)."""
        if shell.started >= self._machine.host.winrm.max_operations_per_user:
            raise WsmanFault("quota")
        shell.started += 1
        part = operation.part("CommandLine")
        words = [part.findtext(f"{{{SHELL}}}Command") or "", *(one.text or "" for one in part.iterfind(f"{{{SHELL}}}Arguments"))]
        command_id = (part.get("CommandId") or str(uuid.uuid4())).upper()
        process = Process(
            self._runspaces,
            shell.user,
            " ".join(word for word in words if word),
            shell.encoding,
            piped=operation.options.get("WINRS_CONSOLEMODE_STDIN", "TRUE").upper() == "FALSE",
            through_cmd=operation.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() != "TRUE",
        )
        shell.commands[command_id] = command = Command(process)
        if not process.waits_for_input:
            self._start(command)
        return soap.answer(operation, f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>")

    def _start(self, command: Command) -> None:
        task = asyncio.create_task(self._run(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, command: Command) -> None:
        begin = asyncio.get_running_loop().time()
        while (left := begin + self._latency() - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(TICK, left))
        done = command.process.run(bytes(command.stdin))
        command.stdout += done.stdout
        command.stderr += done.stderr
        command.exit_code = done.exit_code
        command.changed.set()

    def _command_of(self, shell: Shell, command_id: str | None) -> Command:
        command = shell.commands.get((command_id or "").upper())
        if command is None:
            raise WsmanFault("no_resource")
        return command

    def _send(self, shell: Shell, operation: Operation) -> bytes:
        part = operation.part("Send").find(f"{{{SHELL}}}Stream")
        if part is None:
            raise WsmanFault("schema")
        command = self._command_of(shell, part.get("CommandId"))
        command.stdin += base64.b64decode(part.text or "")
        if part.get("End", "").lower() == "true" and command.process.waits_for_input:
            self._start(command)
        return soap.answer(operation, "<rsp:SendResponse/>")

    async def _receive(self, shell: Shell, operation: Operation) -> bytes:
        """The output so far; without any, the answer waits, at most OperationTimeout."""
        part = operation.part("Receive").find(f"{{{SHELL}}}DesiredStream")
        command_id = ("" if part is None else part.get("CommandId", "")).upper()
        command = self._command_of(shell, command_id)
        try:
            await asyncio.wait_for(command.changed.wait(), operation.timeout)
        except TimeoutError:
            raise WsmanFault("timeout") from None
        if shell.id not in self._shells:
            raise WsmanFault("shell_gone")
        room = max(1024, (operation.size - OVERHEAD) * 3 // 4)
        xml = ""
        for name, data in (("stdout", command.stdout), ("stderr", command.stderr)):
            piece = bytes(data[:room])
            del data[: len(piece)]
            room -= len(piece)
            xml += soap.stream(name, command_id, piece) if piece else ""
        return soap.answer(operation, f"<rsp:ReceiveResponse>{xml}{self._state(command, command_id)}</rsp:ReceiveResponse>")

    @staticmethod
    def _state(command: Command, command_id: str) -> str:
        if command.stdout or command.stderr or command.exit_code is None:
            return f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Running"/>'
        ends = "".join(soap.stream(name, command_id, b"", end=True) for name in ("stdout", "stderr"))
        state = f'<rsp:CommandState CommandId="{command_id}" State="{SHELL}/CommandState/Done">'
        return f"{ends}{state}<rsp:ExitCode>{command.exit_code}</rsp:ExitCode></rsp:CommandState>"
