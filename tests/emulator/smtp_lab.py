"""Test environment of the SMTP tests: two tenants, a signer of tokens of its own, a clock, and both services in a thread.

A test file takes the fixtures with `pytest_plugins = ["tests.emulator.smtp_lab"]`, after having imported it: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.ca import Authority
from emulator.clock import Clock
from emulator.connectors import read_back
from emulator.faults import Faults
from emulator.smtp.servers import serve_mx, serve_submission
from emulator.smtp.settings import SmtpSettings
from emulator.state import ExchangeServicePrincipal, InboundConnector, Mailbox, MailboxGrant, State, Tenant

CONTOSO, FABRIKAM = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
APP, OBJECT, SID = "22222222-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002", "S-1-5-21-1-2-3-4"
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
OPS, PASSWORD = "ops@contoso.com", "correct horse"
FAR = 10**7  # seconds: no test run lasts so long
MESSAGE = b"From: Ops <ops@contoso.com>\r\nTo: x@example.net\r\nSubject: test\r\nMessage-ID: <1@contoso.com>\r\n\r\nhello\r\n"


class Verifier:
    """Signature only: everything else is for the verdict to judge."""

    def verify(self, token: str) -> dict[str, Any]:
        quiet = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        try:
            return dict(jwt.decode(token, KEY.public_key(), algorithms=["ES256"], options=quiet))
        except jwt.InvalidTokenError as error:
            raise ValueError(str(error)) from error


def token(key: ec.EllipticCurvePrivateKey = KEY, **changes: Any) -> str:
    """A token of the application; a claim given as None is left out."""
    now = time.time()
    claims = {
        "aud": "https://outlook.office365.com",
        "iss": f"https://sts.windows.net/{CONTOSO}/",
        "appid": APP,
        "oid": OBJECT,
        "tid": CONTOSO,
        "roles": ["SMTP.SendAsApp"],
        "nbf": now,
        "exp": now + 3600,
    }
    return jwt.encode({name: value for name, value in (claims | changes).items() if value is not None}, key, algorithm="ES256")


def xoauth2_blob(user: str = OPS, bearer: str | None = None) -> str:
    return base64.b64encode(f"user={user}\x01auth=Bearer {bearer or token()}\x01\x01".encode()).decode()


def _mailbox(address: str, **more: Any) -> Mailbox:
    local = address.partition("@")[0]
    return Mailbox(address=address, guid=f"guid-{address}", name=local, display_name=local, sid=f"sid-{address}", **more)


def make_state() -> State:
    """Everything is as it must be to send as ops@contoso.com; each test spoils one thing."""
    contoso = Tenant(CONTOSO, "Contoso", "contoso.onmicrosoft.com", ["contoso.com"])
    fabrikam = Tenant(FABRIKAM, "Fabrikam", "fabrikam.onmicrosoft.com", ["fabrikam.com"])
    contoso.exchange_service_principals[OBJECT] = ExchangeServicePrincipal(APP, OBJECT, SID)
    ops = _mailbox(OPS, aliases=["o.p.s@contoso.com"], password=PASSWORD, smtp_client_authentication_disabled=False)
    ops.grants = [MailboxGrant("FullAccess", SID)]
    for mailbox in (ops, _mailbox("sales@contoso.com", aliases=["shop@contoso.com"])):
        contoso.mailboxes[mailbox.address] = mailbox
    fabrikam.mailboxes["it@fabrikam.com"] = _mailbox("it@fabrikam.com", smtp_client_authentication_disabled=False)
    state = State(tenants={CONTOSO: contoso, FABRIKAM: fabrikam})
    state.now = Clock()
    return state


def connector(name: str = "relay", effective_from: float = 0.0, **properties: Any) -> InboundConnector:
    values = {"ConnectorType": "OnPremises", "SenderDomains": ["*"]} | properties
    return InboundConnector(name, f"guid-{name}", read_back(values), effective_from)


class Lab:
    """Both services on ports of their own; `state` and `faults` are the tests' to change."""

    def __init__(self, authority: Authority, **settings: Any) -> None:
        self.state, self.faults, self.authority = make_state(), Faults(), authority
        self.settings = SmtpSettings(**{"verifier": Verifier()} | settings)
        self.loop = asyncio.new_event_loop()
        self.problems: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda loop, context: self.problems.append(context))
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.smtp_port, self.mx_port = asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(10)

    async def _open(self) -> tuple[int, int]:
        common = (self.state, self.faults, "127.0.0.1", 0, self.authority, self.settings)
        self._servers = [await serve_submission(*common), await serve_mx(*common)]
        smtp, mx = (server.sockets[0].getsockname()[1] for server in self._servers)
        return smtp, mx

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    @property
    def clock(self) -> Clock:
        assert isinstance(self.state.now, Clock)
        return self.state.now

    @property
    def contoso(self) -> Tenant:
        return self.state.tenants[CONTOSO]

    @property
    def ops(self) -> Mailbox:
        return self.contoso.mailboxes[OPS]

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.ca_file))

    @contextlib.contextmanager
    def client(
        self,
        source: str = "127.0.0.1",
        *,
        mx: bool = False,
        tls: bool = True,
        files: Path | None = None,
        version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> Iterator[smtplib.SMTP]:
        """smtplib after EHLO, STARTTLS and EHLO; `files`: a client certificate with its key."""
        port = self.mx_port if mx else self.smtp_port
        client = smtplib.SMTP("localhost", port, "client.example.net", timeout=20, source_address=(source, 0))
        try:
            client.ehlo()
            if tls:
                context = self.trust()
                context.maximum_version = version
                if files:
                    context.load_cert_chain(files)
                client.starttls(context=context)
                client.ehlo()
            yield client
        finally:
            client.close()

    @contextlib.contextmanager
    def signed_in(self) -> Iterator[smtplib.SMTP]:
        with self.client() as client:
            assert reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob()}")) == "235 2.7.0 Authentication successful"
            yield client

    def raw(self, *, mx: bool = False) -> Raw:
        return Raw(self.mx_port if mx else self.smtp_port)


def reply_text(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {answer[1].decode()}"


def send(client: smtplib.SMTP, sender: str = OPS, recipients: tuple[str, ...] = ("x@example.net",), message: bytes = MESSAGE) -> str:
    """One transaction; the first reply that refuses it, else the last one."""
    for answer in (client.mail(sender), *(client.rcpt(recipient) for recipient in recipients)):
        if answer[0] != 250:
            client.rset()
            return reply_text(answer)
    return reply_text(client.data(message))


class Raw:
    """A socket that sends exactly the bytes that it is passed."""

    def __init__(self, port: int) -> None:
        self.socket: socket.socket = socket.create_connection(("localhost", port), timeout=20)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *ignored: object) -> None:
        self._file.close()
        self.socket.close()

    def line(self) -> str:
        """The next line with its end; nothing when the server has closed."""
        return self._file.readline().decode()

    def reply(self) -> list[str]:
        """The lines of one reply."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines

    def say(self, text: str | bytes) -> list[str]:
        self.socket.sendall(text if isinstance(text, bytes) else text.encode() + b"\r\n")
        return self.reply()

    def start_tls(self, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> None:
        assert self.say("STARTTLS") == ["220 2.0.0 SMTP server ready\r\n"]
        self._file.close()
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost", session=session)
        self._file = self.socket.makefile("rb")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


StartLab = Callable[..., Lab]


@pytest.fixture
def start_lab(authority: Authority, caplog: pytest.LogCaptureFixture) -> Iterator[StartLab]:
    """`start_world(setting=...)`; at the end no session may have failed, and no log may know a secret."""
    running: list[Lab] = []

    def start(**settings: Any) -> Lab:
        running.append(Lab(authority, **settings))
        return running[-1]

    caplog.set_level("DEBUG")
    yield start
    for lab in running:
        lab.close()
        assert lab.problems == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith("emulator")] == []
    logged = "\n".join(record.getMessage() for record in caplog.records)
    for secret in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), ".eyJ", xoauth2_blob()[:60]):
        assert secret not in logged


@pytest.fixture
def lab(start_lab: StartLab) -> Lab:
    return start_lab(pace=False)
