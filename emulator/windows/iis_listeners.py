"""The ports of IIS SMTP: open while the service runs, on the ports of the bindings. Each stands for a port of its own on this host."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from emulator.platform import Platform
from emulator.sockets import listening
from emulator.state import QueuedMail, SmtpVirtualServer
from emulator.windows import iis_smtp
from emulator.windows.iis_delivery import Address, Delivery
from emulator.windows.iis_session import IisSession, allows, passes_firewall
from emulator.windows.machine import Machine

PAUSE = 0.1  # seconds between two looks at the queue


class IisListeners:
    def __init__(self, platform: Platform, machine: Machine, address: str, mx: Address) -> None:
        self._platform, self._machine, self._address = platform, machine, address
        self._delivery = Delivery(machine, mx, self.running)
        self._ports: dict[str, int] = {}  # of Windows -> on this host
        self._servers: dict[str, asyncio.Server] = {}
        self._task = asyncio.create_task(self._work())

    def running(self) -> bool:
        return any(one.name == "SMTPSVC" and one.state == "Running" for one in self._machine.host.services) and not self._machine.is_down

    def close(self) -> None:
        self._task.cancel()
        for server in self._servers.values():
            server.close()

    def announced(self) -> dict[str, int]:
        """The ports on this host, by the port of Windows that they stand for; only those that are open."""
        return {port: self._ports[port] for port in sorted(self._servers)}

    def _wanted(self) -> set[str]:
        bindings = [one for server in iis_smtp.servers(self._machine.host) for one in server.bindings]
        return {one.split(":")[1] for one in bindings} if self.running() else set()

    async def synchronize(self) -> None:
        """Open and close ports as service and bindings say."""
        wanted = self._wanted()
        for port in self._servers.keys() - wanted:
            self._servers.pop(port).close()
        for port in wanted - self._servers.keys():
            sock = listening(self._address, self._ports.get(port, 0))
            self._ports[port] = sock.getsockname()[1]
            self._servers[port] = await asyncio.start_server(self._client(port), sock=sock)

    def _client(self, port: str) -> Any:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = str(writer.get_extra_info("peername")[0])
            source = self._platform.state.network.get(peer, peer)
            server = self._server(port)
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                if server and passes_firewall(self._machine.host, source, port) and allows(server.connections, source):
                    await IisSession(self._machine, server, source, lambda mail: self._queue(server, mail)).run(reader, writer)
            writer.close()

        return connected

    def _server(self, port: str) -> SmtpVirtualServer | None:
        found = (one for one in iis_smtp.servers(self._machine.host) if any(each.split(":")[1] == port for each in one.bindings))
        return next(found, None)

    @staticmethod
    def _queue(server: SmtpVirtualServer, mail: QueuedMail) -> None:
        server.queue.append(mail)

    async def _work(self) -> None:
        """Follow the configuration and the clock."""
        while True:
            await self.synchronize()
            for server in iis_smtp.servers(self._machine.host):
                await self._delivery.attempt(server)
            await asyncio.sleep(PAUSE)
