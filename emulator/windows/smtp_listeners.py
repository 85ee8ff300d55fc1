"""The SMTP ports of a product: open as its service and its configuration say. Each stands for a port of its own on this host."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Any

from emulator.platform import Platform
from emulator.sockets import listening
from emulator.windows.machine import Machine
from emulator.windows.packet_filter import passes_firewall

PAUSE = 0.1  # seconds between two looks at the configuration and the queue


class SmtpListeners(ABC):
    """`others`: the listeners of the host's other products. A port that one of them has is not opened."""

    def __init__(self, platform: Platform, machine: Machine, address: str) -> None:
        self._platform, self._machine, self._address = platform, machine, address
        self.others: list[SmtpListeners] = []
        self._ports: dict[str, int] = {}  # of Windows -> on this host
        self._servers: dict[str, asyncio.Server] = {}
        self._task = asyncio.create_task(self._work())

    @abstractmethod
    def configured_ports(self) -> set[str]:
        """The ports that the product has open."""

    @abstractmethod
    async def serve(self, port: str, source: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which the firewall has let in. `source`: the client's address."""

    @abstractmethod
    async def deliver(self) -> None:
        """Try the messages that are due."""

    def service_runs(self, name: str) -> bool:
        return any(one.name == name and one.state == "Running" for one in self._machine.host.services) and not self._machine.is_down

    def close(self) -> None:
        self._task.cancel()
        for server in self._servers.values():
            server.close()

    def announced(self) -> dict[str, int]:
        """The ports on this host, by the port of Windows that they stand for; only those that are open."""
        return {port: self._ports[port] for port in sorted(self._servers)}

    async def synchronize(self) -> None:
        """Open and close ports as service and configuration say."""
        taken = {str(port) for process in self._machine.host.processes for port in process.ports}
        wanted = self.configured_ports() - taken - {port for other in self.others for port in other.announced()}
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
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                if passes_firewall(self._machine.host, source, port):
                    await self.serve(port, source, reader, writer)
            writer.close()

        return connected

    async def _work(self) -> None:
        """Follow the configuration and the clock."""
        while True:
            await self.synchronize()
            await self.deliver()
            await asyncio.sleep(PAUSE)
