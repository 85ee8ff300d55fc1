"""The emulator's process: one HTTPS port for the login host, Graph and Exchange, the SMTP ports, the admin port."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from emulator import oidc, statefile
from emulator.admin import Admin
from emulator.arm import service as arm
from emulator.ca import Authority
from emulator.clock import Clock
from emulator.dns import server as dns
from emulator.entra import managed_identity
from emulator.entra import service as entra
from emulator.exchange import service as exchange
from emulator.graph import service as graph
from emulator.graph import usage_reports
from emulator.http import Handler, Latency, Request, Response, Route, asgi
from emulator.mailgun import service as mailgun
from emulator.platform import Platform, Record
from emulator.sendgrid import service as sendgrid
from emulator.smtp.servers import serve_acs, serve_hosted, serve_hve, serve_mx, serve_submission
from emulator.smtp2go import service as smtp2go
from emulator.sockets import listening

if TYPE_CHECKING:
    from emulator.windows.service import WindowsHosts


@dataclass
class Options:
    state: Path
    save: bool = False
    record: Path | None = None
    host: str = "127.0.0.1"
    hve_host: str | None = None  # left out: `host`, as all services
    acs_host: str | None = None
    hosted_host: Sequence[tuple[str, str]] = ()  # provider, address
    https_port: int = 0
    smtp_port: int = 0
    mx_port: int = 0
    hve_port: int = 0
    acs_port: int = 0
    dns_port: int = 0
    admin_port: int = 0
    directory: Path | None = None
    ready_file: Path | None = None


class _Server(uvicorn.Server):
    """One of several servers in this process: signals are the process's own business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WindowsListeners:
    """The ports of Windows hosts. What they need is imported with the first such host: it takes a tenth of a second."""

    def __init__(self, platform: Platform, authority: Authority, address: str) -> None:
        self._platform, self._authority, self._address = platform, authority, address
        self._hosts: WindowsHosts | None = None
        self.mx = ("", 0)  # where the MX listens, once it does
        platform.state.on_replace.append(self.reopen)

    def open(self) -> None:
        if self._platform.state.windows:
            from emulator.windows.service import WindowsHosts

            self._hosts = WindowsHosts(self._platform, self._authority, self._address, self.mx)
            self._hosts.open()

    def close(self) -> None:
        if self._hosts:
            self._hosts.close()
            self._hosts = None

    def reopen(self) -> None:
        """The state was replaced: its hosts are others, also where they have the same names."""
        self.close()
        self.open()

    def all(self) -> list[dict[str, Any]]:
        return self._hosts.all() if self._hosts else []


class Emulator:
    def __init__(self, options: Options) -> None:
        self.options = options
        self._start_text = statefile.read(options.state)
        state, settings = statefile.load_text(self._start_text, options.state)
        directory = options.directory or options.state.with_name(f".{options.state.name}.emulator")
        directory.mkdir(parents=True, exist_ok=True)
        self.clock_file = directory / "clock"
        self.platform = Platform(state, settings, record=Record(options.record), clock=Clock(self.clock_file))
        self.authority = Authority(directory)
        self.exchange = exchange.ExchangeAdmin(self.platform)
        self.sendgrid, self.smtp2go = sendgrid.SendGrid(self.platform), smtp2go.Smtp2Go(self.platform)
        self.mailgun = mailgun.Mailgun(self.platform)
        self.windows = WindowsListeners(self.platform, self.authority, options.host)
        self.admin = Admin(self.platform, self.save, self.reset, self.windows.all)

    def reset(self, document: Any = None) -> None:
        """Return to the state and the settings that the emulator started with, or take over those of a state document."""
        if document is None:
            self.platform.reset(*statefile.load_text(self._start_text, self.options.state))
        else:
            self.platform.reset(*statefile.parse(document, self.options.state.parent))

    def save(self) -> None:
        statefile.save(self.options.state, self.platform.state, self.platform.settings)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        mail, hosted = await self._mail(), await self._hosted()
        names = await dns.serve(self.platform, self.options.host, self.options.dns_port)
        https, admin = listening(self.options.host, self.options.https_port), listening(self.admin_host, self.options.admin_port)
        port = https.getsockname()[1]
        self.platform.state.tokens.origins |= {f"https://{name}:{port}" for name in (self.options.host, "localhost")}
        servers = [
            self._http(self._route, self.authority.server_chain, self.authority.server_key),
            self._http(lambda request: (self._local, lambda: 0.0)),
        ]
        tasks = [asyncio.create_task(server.serve([sock])) for server, sock in zip(servers, (https, admin), strict=True)]
        while not all(server.started for server in servers):
            await asyncio.sleep(0.005)
        self.windows.mx = mail[1].sockets[0].getsockname()
        self.windows.open()
        ports = [server.sockets[0].getsockname()[1] for server in mail]
        hosted_ports = {
            provider: {region: one.sockets[0].getsockname()[1] for region, one in regions.items()} for provider, regions in hosted.items()
        }
        self._announce(port, admin.getsockname()[1], *ports, names=names.address, hosted=hosted_ports)
        await stopped.wait()
        for mail_server in [*mail, *(one for regions in hosted.values() for one in regions.values())]:
            mail_server.close()
        names.close()
        self.windows.close()
        await self._stop(servers, tasks)
        if self.options.save:
            self.save()
        self.platform.record.close()

    @staticmethod
    async def _stop(servers: list[_Server], tasks: list[asyncio.Task[None]]) -> None:
        """Let answers under way leave; clients that merely keep their connection are not waited for."""
        for server in servers:
            server.should_exit = True
        await asyncio.wait(tasks, timeout=0.5)
        for server in servers:
            server.force_exit = True
        await asyncio.wait(tasks, timeout=1.0)

    @property
    def admin_host(self) -> str:
        """The admin API has no authentication, so it is on loopback wherever the services are."""
        return self.options.host if ipaddress.IPv4Address(self.options.host).is_loopback else "127.0.0.1"

    def _http(self, route: Route, chain: Path | None = None, key: Path | None = None) -> _Server:
        config = uvicorn.Config(
            asgi(route),
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=120,
            ssl_certfile=chain,
            ssl_keyfile=str(key) if key else None,
        )
        return _Server(config)

    async def _mail(self) -> list[asyncio.Server]:
        options, common = self.options, (self.platform.state, self.platform.faults)
        trusted = (self.authority, self.platform.settings)
        return [
            await serve_submission(*common, options.host, options.smtp_port, *trusted),
            await serve_mx(*common, options.host, options.mx_port, *trusted),
            await serve_hve(*common, options.hve_host or options.host, options.hve_port, *trusted),
            await serve_acs(*common, options.acs_host or options.host, options.acs_port, *trusted),
        ]

    async def _hosted(self) -> dict[str, dict[str, asyncio.Server]]:
        options, common = self.options, (self.platform.state, self.platform.faults)
        addresses = dict(options.hosted_host)
        return await serve_hosted(*common, options.host, self.authority, self.platform.settings, addresses)

    def _route(self, request: Request) -> tuple[Handler, Latency]:
        """The service of a path, and its latency."""

        def none() -> float:
            return 0.0

        def latency(service: str) -> Latency:
            return lambda: self.platform.faults.latency(service)

        if arm.handles(request.path):
            return (lambda one: arm.handle(self.platform, one)), none
        if graph.handles(request.path):
            return (lambda one: graph.handle(self.platform, one)), latency("graph")
        if usage_reports.handles(request.path):
            return (lambda one: usage_reports.download(self.platform, one)), none
        if exchange.handles(request.path):
            return self.exchange.arrive(request), latency("exchange")
        if entra.handles(request.path):
            return (lambda one: entra.handle(self.platform, one)), latency("token")
        if sendgrid.handles(request.path):
            return self.sendgrid.handle, latency("sendgrid")
        if smtp2go.handles(request.path):
            return self.smtp2go.handle, latency("smtp2go")
        if mailgun.handles(request.path):
            return self.mailgun.handle, latency("mailgun")
        if oidc.handles(request.path):
            return self.platform.providers.handle, latency("token")
        return (lambda one: Response(404)), none

    def _local(self, request: Request) -> Response:
        """The port in plain HTTP: the admin API, and what a platform serves to its own workloads."""
        if managed_identity.handles(request.path):
            return managed_identity.handle(self.platform, request)
        return self.admin.handle(request)

    def _announce(
        self, https: int, admin: int, smtp: int, mx: int, hve: int, acs: int, *, names: str, hosted: Mapping[str, Mapping[str, int]]
    ) -> None:
        host = self.options.host
        origin = f"https://{host}:{https}"
        cloud = {
            "authority": origin,
            "graph": origin,
            "exchange": origin,
            "smtp_host": host,
            "smtp_port": smtp,
            "mx_host": host,
            "mx_port": mx,
            "hve_host": self.options.hve_host or host,
            "hve_port": hve,
            "acs_host": self.options.acs_host or host,
            "acs_port": acs,
            "management": origin,
            "reports": f"https://localhost:{https}",
            "ca_file": str(self.authority.ca_file.resolve()),
        }
        if self.platform.settings.cloud:
            cloud |= self.platform.cloud.announced()
        ready = {
            "pid": os.getpid(),
            "admin": f"http://{self.admin_host}:{admin}",
            "clock": str(self.clock_file.resolve()),
            "m365_cloud": cloud,
            "m365_dns_servers": [names],
            "hosted_smtp_ports": hosted,
            "windows": self.windows.all(),
        }
        line = json.dumps(ready)
        if self.options.ready_file:
            temporary = self.options.ready_file.with_name(f".{self.options.ready_file.name}.new")
            temporary.write_text(line + "\n", encoding="utf-8")
            temporary.replace(self.options.ready_file)
        print(line, flush=True)
