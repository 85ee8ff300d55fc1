"""The Windows hosts of the state: their ports, which follow the state when it is replaced."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any

from emulator.ca import Authority
from emulator.platform import Platform
from emulator.smtp.tls import server_context
from emulator.sockets import listening
from emulator.state import WindowsHost
from emulator.windows.authentication import Channel
from emulator.windows.certificates import endpoint_binding
from emulator.windows.connection import Connection
from emulator.windows.endpoint import Endpoint
from emulator.windows.hmail_listeners import HMailListeners
from emulator.windows.iis_listeners import IisListeners
from emulator.windows.machine import Machine
from emulator.windows.smtp_client import Address
from emulator.windows.smtp_listeners import SmtpListeners


@dataclass
class Listener:
    """A host with its open ports."""

    host: WindowsHost
    address: str
    http_port: int
    https_port: int
    machine: Machine
    products: list[SmtpListeners]
    servers: list[asyncio.Server] = field(default_factory=list)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def announced(self) -> dict[str, Any]:
        return {
            "name": self.host.name,
            "address": self.address,
            "http_port": self.http_port,
            "https_port": self.https_port,
            "smtp_ports": {port: number for product in self.products for port, number in product.announced().items()},
        }


class WindowsHosts:
    """Opens and closes the ports of all hosts, in a running event loop."""

    def __init__(self, platform: Platform, authority: Authority, address: str, mx: Address) -> None:
        self._platform, self._authority, self._address, self._mx = platform, authority, address, mx
        self._listeners: list[Listener] = []
        self._binding = endpoint_binding(authority.server_chain.read_bytes())
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Open the ports of the state's hosts. They accept connections from now on; the first answers when the event loop runs."""
        for host in self._platform.state.windows:
            self._listeners.append(self._listener(host))

    def close(self) -> None:
        for listener in self._listeners:
            for product in listener.products:
                product.close()
            for server in listener.servers:
                server.close()
            for writer in listener.writers:
                writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        self._listeners.clear()

    def all(self) -> list[dict[str, Any]]:
        """Name, address and ports of every host."""
        return [listener.announced() for listener in self._listeners]

    def _listener(self, host: WindowsHost) -> Listener:
        address = host.address or self._address
        http, https = listening(address, host.http_port), listening(address, host.https_port)
        machine = Machine(host, lambda: self._platform.now, self._platform.faults)
        products = self._products(machine, address)
        listener = Listener(host, address, http.getsockname()[1], https.getsockname()[1], machine, products)
        endpoint = Endpoint(self._platform, machine)
        for sock, context in ((http, None), (https, self._context())):
            task = asyncio.create_task(self._serve(listener, endpoint, sock, context))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return listener

    def _products(self, machine: Machine, address: str) -> list[SmtpListeners]:
        """The products that may listen for SMTP; a port is of the one that has opened it first."""
        iis = IisListeners(self._platform, machine, address, self._mx, self._authority)
        hmailserver = HMailListeners(self._platform, machine, address, self._mx, self._authority)
        iis.others, hmailserver.others = [hmailserver], [iis]
        return [iis, hmailserver]

    def _context(self) -> ssl.SSLContext:
        """TLS that asks for a client certificate and takes any: what it is worth, the certificate mapping says."""
        context = server_context(self._authority, client_certificates=True)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _channel(self, writer: asyncio.StreamWriter) -> Channel:
        connection = writer.get_extra_info("ssl_object")
        return Channel(connection, self._binding if connection else b"")

    async def _serve(self, listener: Listener, endpoint: Endpoint, sock: Any, context: ssl.SSLContext | None) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            listener.writers.add(writer)
            try:
                await Connection(endpoint, self._channel(writer)).run(reader, writer)
            finally:
                listener.writers.discard(writer)

        listener.servers.append(await asyncio.start_server(connected, sock=sock, ssl=context))
