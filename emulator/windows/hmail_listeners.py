"""The SMTP ports of hMailServer: those that it had when its service, or Application.Start, was started last."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
from pathlib import Path

from emulator.ca import Authority
from emulator.platform import Platform
from emulator.state import HMailElement, HMailServer
from emulator.windows.hmail_com import setting
from emulator.windows.hmail_delivery import HMailDelivery
from emulator.windows.hmail_logon import range_of
from emulator.windows.hmail_session import HMailSession, Port, message
from emulator.windows.machine import Machine
from emulator.windows.smtp_client import NONE, Address
from emulator.windows.smtp_listeners import SmtpListeners

SMTP = 1  # eSessionType
SERVICE = "hMailServer"


class HMailListeners(SmtpListeners):
    def __init__(self, platform: Platform, machine: Machine, address: str, mx: Address, authority: Authority) -> None:
        super().__init__(platform, machine, address)
        self._delivery = HMailDelivery(machine, mx, str(authority.ca_file), self.running)
        self._start: object = None  # which start the ports are of
        self._opened: dict[str, Port] = {}
        self._sessions = 0

    @property
    def _server(self) -> HMailServer | None:
        return self._machine.host.hmailserver

    def running(self) -> bool:
        server = self._server
        return server is not None and not server.stopped and self.service_runs(SERVICE)

    def configured_ports(self) -> set[str]:
        server = self._server
        if server is None or not self.running() or not setting(server, "ServiceSMTP"):
            self._start = None if server is None or not self.running() else self._start
            return set()
        starts = next(one.starts for one in self._machine.host.services if one.name == SERVICE)
        start = (id(server), starts, server.restarts)
        if start != self._start:
            self._start, self._opened = start, self._configured(server)
        return set(self._opened)

    def _configured(self, server: HMailServer) -> dict[str, Port]:
        """The ports of the configuration. One with TLS whose certificate cannot be loaded is not opened."""
        ports = {}
        for row in server.ports:
            if row.properties.get("Protocol") != SMTP:
                continue
            security = int(row.properties.get("ConnectionSecurity", NONE))
            context = self._context(server, int(row.properties.get("SSLCertificateID", 0)))
            if security == NONE or context:
                ports[str(row.properties.get("PortNumber"))] = Port(security, context)
        return ports

    def _context(self, server: HMailServer, number: int) -> ssl.SSLContext | None:
        certificate = next((one for one in server.certificates if one.id == number), None)
        files = [self._file(certificate, name) for name in ("CertificateFile", "PrivateKeyFile")] if certificate else []
        if not all(files):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as directory, contextlib.suppress(ssl.SSLError):
            paths = [Path(directory) / str(number) for number in range(len(files))]
            for path, content in zip(paths, files, strict=True):
                path.write_bytes(content)
            if paths:
                context.load_cert_chain(paths[0], paths[1])
                return context
        return None

    def _file(self, certificate: HMailElement, name: str) -> bytes:
        return self._machine.content(str(certificate.properties.get(name, "")))

    async def serve(self, port: str, source: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = self._server
        if server is None:
            return
        row, most = range_of(server, source, self._machine.now), int(setting(server, "MaxSMTPConnections"))
        if row is None or not row.properties.get("AllowSMTPConnections") or (most and self._sessions >= most):
            return

        def queue(sender: str, recipients: list[str], raw: bytes) -> None:
            server.queue.append(message(server, sender, recipients, raw, self._machine.now))

        self._sessions += 1
        try:
            await HMailSession(self._machine, server, self._opened[port], source, row, queue).run(reader, writer)
        finally:
            self._sessions -= 1

    async def deliver(self) -> None:
        if self._server:
            await self._delivery.attempt(self._server)
