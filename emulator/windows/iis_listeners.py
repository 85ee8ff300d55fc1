"""The ports of IIS SMTP: open while the service runs, on the ports of the bindings."""

from __future__ import annotations

import asyncio

from emulator.ca import Authority
from emulator.platform import Platform
from emulator.smtp.tls import server_context
from emulator.state import QueuedMail, SmtpVirtualServer
from emulator.windows import iis_pickup, iis_smtp
from emulator.windows.iis_delivery import Delivery
from emulator.windows.iis_session import IisSession, allows
from emulator.windows.machine import Machine
from emulator.windows.smtp_client import Address
from emulator.windows.smtp_listeners import SmtpListeners


class IisListeners(SmtpListeners):
    def __init__(self, platform: Platform, machine: Machine, address: str, mx: Address, authority: Authority) -> None:
        super().__init__(platform, machine, address)
        self._context = server_context(authority, client_certificates=False)
        self._delivery = Delivery(machine, mx, self.running)

    def running(self) -> bool:
        return self.service_runs("SMTPSVC")

    def configured_ports(self) -> set[str]:
        bindings = [one for server in iis_smtp.servers(self._machine.host) for one in server.bindings]
        return {one.split(":")[1] for one in bindings} if self.running() else set()

    async def serve(self, port: str, source: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = self._server(port)
        if server and allows(server.connections, source):
            await IisSession(self._machine, server, source, lambda mail: self._queue(server, mail), self._context).run(reader, writer)

    def _server(self, port: str) -> SmtpVirtualServer | None:
        matching = (one for one in iis_smtp.servers(self._machine.host) if any(each.split(":")[1] == port for each in one.bindings))
        return next(matching, None)

    @staticmethod
    def _queue(server: SmtpVirtualServer, mail: QueuedMail) -> None:
        server.queue.append(mail)

    async def deliver(self) -> None:
        for server in iis_smtp.servers(self._machine.host):
            if self.running():
                iis_pickup.collect(self._machine, server)
            await self._delivery.attempt(server)
