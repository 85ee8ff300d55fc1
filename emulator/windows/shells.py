"""The shells of a host (MS-WSMV): those of cmd.exe and the runspace pools of PowerShell, with their quota and their end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from emulator.http import TICK
from emulator.state import WindowsUser
from emulator.windows import soap
from emulator.windows.faults import WsmanFault
from emulator.windows.psrp import URI as POOL
from emulator.windows.psrp import Pool
from emulator.windows.runspaces import Runspaces
from emulator.windows.soap import SHELL, TRANSFER, Operation
from emulator.windows.winrs import CmdShell

CMD = f"{SHELL}/cmd"


class Content(Protocol):
    """What a shell runs. Each method returns the XML of its answer's body, or raises WsmanFault."""

    streams: str

    def command(self, operation: Operation) -> str: ...

    def send(self, operation: Operation) -> str: ...

    async def receive(self, operation: Operation) -> str: ...

    def signal(self, operation: Operation) -> str: ...

    def close(self) -> None: ...


@dataclass
class Shell:
    id: str
    user: WindowsUser
    content: Content
    idle_timeout: float  # seconds
    used: float  # when, by the emulator's clock


class Scheduler:
    """Runs commands, each after the latency that was ordered."""

    def __init__(self, latency: Callable[[], float]) -> None:
        self._latency = latency
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Callable[[], None]) -> None:
        task = asyncio.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while (left := begin + self._latency() - loop.time()) > 0:
            await asyncio.sleep(min(TICK, left))
        work()


class Shells:
    """The shells of a host."""

    def __init__(self, runspaces: Runspaces, latency: Callable[[], float]) -> None:
        self._runspaces, self._machine = runspaces, runspaces.machine
        self._scheduler = Scheduler(latency)
        self._shells: dict[str, Shell] = {}

    async def handle(self, operation: Operation, user: WindowsUser) -> bytes:
        self._expire()
        if operation.action == f"{TRANSFER}/Create":
            return self._create(operation, user)
        shell = self._shells.get(operation.selectors.get("ShellId", "").upper())
        if shell is None or shell.user.name != user.name:
            raise WsmanFault("shell_gone")
        shell.used = self._machine.now
        if operation.action == f"{SHELL}/Receive":
            xml = await shell.content.receive(operation)
            if shell.id not in self._shells:
                raise WsmanFault("shell_gone")
            return soap.answer(operation, xml)
        if operation.action == f"{TRANSFER}/Delete":
            self._delete(shell)
            return soap.answer(operation, "")
        methods = {"Command": shell.content.command, "Send": shell.content.send, "Signal": shell.content.signal}
        if not operation.action.startswith(f"{SHELL}/") or operation.name not in methods:
            raise WsmanFault("action_not_supported")
        return soap.answer(operation, methods[operation.name](operation))

    def _expire(self) -> None:
        """Shells end after IdleTimeout without a request."""
        now = self._machine.now
        for shell in list(self._shells.values()):
            if now - shell.used > shell.idle_timeout:
                self._delete(shell)

    def _delete(self, shell: Shell) -> None:
        del self._shells[shell.id]
        shell.content.close()

    def end_all(self) -> None:
        """What a restart of the host does to its shells."""
        for shell in list(self._shells.values()):
            self._delete(shell)

    def _create(self, operation: Operation, user: WindowsUser) -> bytes:
        config = self._machine.host.winrm
        if sum(shell.user.name == user.name for shell in self._shells.values()) >= config.max_shells_per_user:
            raise WsmanFault("shell_quota")
        part = operation.part("Shell")
        shell_id = (part.get("ShellId") or str(uuid.uuid4())).upper()
        idle = min(soap.seconds(part.findtext(f"{{{SHELL}}}IdleTimeOut"), config.idle_timeout / 1000), config.idle_timeout / 1000)
        if operation.uri == CMD:
            content: Content = CmdShell(self._runspaces, user, operation, self._scheduler.start)
        elif operation.uri.lower() == POOL.lower():
            content = Pool(self._runspaces, user, operation, self._scheduler.start)
        else:
            raise WsmanFault("no_resource")
        self._shells[shell_id] = Shell(shell_id, user, content, idle, self._machine.now)
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet>'
        xml = f"<x:ResourceCreated><a:Address>{soap.ANONYMOUS}</a:Address><a:ReferenceParameters>"
        xml += f"<w:ResourceURI>{operation.uri}</w:ResourceURI>{selector}</a:ReferenceParameters></x:ResourceCreated><rsp:Shell>"
        xml += f"<rsp:ShellId>{shell_id}</rsp:ShellId><rsp:ResourceUri>{operation.uri}</rsp:ResourceUri>"
        xml += f"<rsp:Owner>{self._machine.host.name}\\{user.name}</rsp:Owner><rsp:IdleTimeOut>PT{idle:.3f}S</rsp:IdleTimeOut>"
        return soap.answer(operation, f"{xml}{content.streams}</rsp:Shell>")
