"""Delivery of IIS SMTP: its queue, the smart host or the recipients' MX, retries, and messages that are given up.

Sources: IIS 6.0 metabase reference (SmartHost, SmartHostType, RemoteSmtpPort, RouteAction, SmtpRemoteProgressiveRetry,
SmtpRemoteNDRExpireMinutes). STARTTLS is required or not used, never tried; certificates are not verified.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable

from emulator.state import QueuedMail, SmtpVirtualServer
from emulator.windows import iis_smtp
from emulator.windows.machine import Machine

SSL, AUTH_NTLM, AUTH_CLEARTEXT = 4, 128, 256  # RouteAction
MICROSOFT = (".mail.protection.outlook.com", ".mx.microsoft")
SECONDS = 30.0  # of a connection
Address = tuple[str, int]


class UndeliveredError(Exception):
    """`permanent`: it is not tried again."""

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent


class Delivery:
    """The queue of a virtual server. `mx`: where the emulated MX listens; `running`: whether the service does."""

    def __init__(self, machine: Machine, mx: Address, running: Callable[[], bool]) -> None:
        self._machine, self._mx, self._running = machine, mx, running

    async def attempt(self, server: SmtpVirtualServer) -> None:
        """Try what is due, one message after another."""
        for mail in list(server.queue):
            if self._running() and mail in server.queue and mail.next_attempt <= self._machine.now:
                await self._attempt(server, mail)

    async def _attempt(self, server: SmtpVirtualServer, mail: QueuedMail) -> None:
        settings = {
            name: iis_smtp.value_of(self._machine.host, server, name)
            for name in (
                "SmartHost", "SmartHostType", "RemoteSmtpPort", "RouteAction", "RouteUserName", "RoutePassword", "AlwaysUseSsl",
                "FullyQualifiedDomainName", "SmtpRemoteProgressiveRetry", "SmtpRemoteNDRExpireMinutes",
            )
        }  # fmt: skip
        try:
            await asyncio.to_thread(self._send, settings, mail)
        except UndeliveredError as error:
            mail.last_error = str(error)
            mail.attempts += 1
            expired = self._machine.now - mail.arrived >= settings["SmtpRemoteNDRExpireMinutes"] * 60
            if error.permanent or expired:
                self._give_up(server, mail)
            else:
                mail.next_attempt = self._machine.now + 60 * _minutes(settings["SmtpRemoteProgressiveRetry"], mail.attempts)
        else:
            self._remove(server, mail)

    @staticmethod
    def _remove(server: SmtpVirtualServer, mail: QueuedMail) -> None:
        server.queue = [one for one in server.queue if one is not mail]

    def _give_up(self, server: SmtpVirtualServer, mail: QueuedMail) -> None:
        """A non-delivery report to the sender; what has no sender, or cannot be reported, goes to Badmail."""
        self._remove(server, mail)
        if not mail.sender:
            server.bad_mail.append(mail)
            return
        name = iis_smtp.value_of(self._machine.host, server, "FullyQualifiedDomainName")
        text = f"From: postmaster@{name}\r\nTo: {mail.sender}\r\nSubject: Delivery Status Notification (Failure)\r\n\r\n"
        text += (
            "This is an automatically generated Delivery Status Notification.\r\n\r\nDelivery to the following recipients failed.\r\n\r\n"
        )
        text += "".join(f"       {one}\r\n" for one in mail.recipients) + f"\r\n{mail.last_error}\r\n"
        server.queue.append(QueuedMail(f"{mail.id}-ndr", "", [mail.sender], text.encode(), self._machine.now))

    def _destination(self, settings: dict[str, object]) -> Address:
        """Where it connects to: names of Microsoft are the emulated MX, others as the host's `smtp_routes` say."""
        host = str(settings["SmartHost"]).strip("[]")
        if settings["SmartHostType"] != 2 or not host or host.lower().endswith(MICROSOFT):
            return self._mx
        route = self._machine.host.smtp_routes.get(f"{host}:{settings['RemoteSmtpPort']}")
        if route is None:
            raise UndeliveredError(f"4.4.1 The remote server {host} did not respond", permanent=False)
        address, _, port = route.rpartition(":")
        return address, int(port)

    def _send(self, settings: dict[str, object], mail: QueuedMail) -> None:
        """One connection, in a thread of its own."""
        action = settings["RouteAction"]
        route = action if isinstance(action, int) else 0
        if route & AUTH_NTLM:
            raise UndeliveredError("NTLM to a smart host is not emulated", permanent=False)
        host, port = self._destination(settings)
        source = (self._machine.host.outbound_address, 0) if self._machine.host.outbound_address else None
        try:
            with smtplib.SMTP(host, port, str(settings["FullyQualifiedDomainName"]), SECONDS, source_address=source) as client:
                if route & SSL or settings["AlwaysUseSsl"]:
                    client.starttls(context=_unverified())
                if route & AUTH_CLEARTEXT:
                    client.user, client.password = str(settings["RouteUserName"]), str(settings["RoutePassword"])
                    client.ehlo_or_helo_if_needed()
                    client.auth("LOGIN", client.auth_login)
                refused = client.sendmail(mail.sender, mail.recipients, mail.raw)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise UndeliveredError(f"{code} {text.decode('utf-8', 'replace')}", permanent=code >= 500) from None
        except smtplib.SMTPAuthenticationError as error:
            raise UndeliveredError(f"{error.smtp_code} {_text(error.smtp_error)}", permanent=False) from None
        except smtplib.SMTPResponseException as error:
            raise UndeliveredError(f"{error.smtp_code} {_text(error.smtp_error)}", permanent=error.smtp_code >= 500) from None
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError(f"4.4.1 {error}", permanent=False) from None
        if refused:
            mail.recipients = list(refused)
            code, text = next(iter(refused.values()))
            raise UndeliveredError(f"{code} {_text(text)}", permanent=code >= 500)


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _minutes(written: object, attempt: int) -> int:
    """The minutes before the next attempt: the last of the list repeats."""
    steps = [int(one) for one in str(written or "15,30,60,240").split(",")]
    return steps[min(attempt, len(steps)) - 1]
