"""Delivery of IIS SMTP: its queue, the smart host or the recipients' MX, retries, and messages that are given up.

Sources: IIS 6.0 metabase reference (SmartHost, SmartHostType, RemoteSmtpPort, RouteAction, SmtpRemoteProgressiveRetry,
SmtpRemoteNDRExpireMinutes). STARTTLS is required or not used, never tried; certificates are not verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from emulator.state import QueuedMail, SmtpVirtualServer
from emulator.windows import iis_log, iis_smtp
from emulator.windows.machine import Machine
from emulator.windows.smtp_client import NONE, REQUIRED, Address, Transcript, UndeliveredError, Upstream, destination, send

SSL, AUTH_NTLM, AUTH_CLEARTEXT = 4, 128, 256  # RouteAction


class Delivery:
    """The queue of a virtual server. `mx`: where the emulated MX listens; `running`: whether the service does."""

    def __init__(self, machine: Machine, mx: Address, running: Callable[[], bool]) -> None:
        self._machine, self._mx, self._running = machine, mx, running

    async def attempt(self, server: SmtpVirtualServer) -> None:
        """Try what is due, one message after another."""
        for mail in list(server.queue):
            if self._running() and mail in server.queue and mail.next_attempt <= self._machine.now:
                await self._attempt(server, mail)

    def _drop(self, server: SmtpVirtualServer, mail: QueuedMail) -> None:
        """Mail to an alias domain stays on the host, in the folder Drop."""
        local = [one for one in mail.recipients if iis_smtp.is_alias(server, one.rpartition("@")[2].lower())]
        if local:
            server.drop.append(replace(mail, recipients=local))
            mail.recipients = [one for one in mail.recipients if one not in local]

    async def _attempt(self, server: SmtpVirtualServer, mail: QueuedMail) -> None:
        self._drop(server, mail)
        if not mail.recipients:
            self._remove(server, mail)
            return
        settings = {
            name: iis_smtp.value_of(self._machine.host, server, name)
            for name in (
                "SmartHost", "SmartHostType", "RemoteSmtpPort", "RouteAction", "RouteUserName", "RoutePassword", "AlwaysUseSsl",
                "FullyQualifiedDomainName", "SmtpRemoteProgressiveRetry", "SmtpRemoteNDRExpireMinutes",
            )
        }  # fmt: skip
        transcript = Transcript()
        try:
            await asyncio.to_thread(self._send, settings, mail, transcript)
        except UndeliveredError as error:
            mail.last_error = str(error)
            self._log(server, settings, mail.last_error)
            mail.attempts += 1
            expired = self._machine.now - mail.arrived >= settings["SmtpRemoteNDRExpireMinutes"] * 60
            if error.permanent or expired:
                self._give_up(server, mail)
            else:
                mail.next_attempt = self._machine.now + 60 * _minutes(settings["SmtpRemoteProgressiveRetry"], mail.attempts)
        else:
            self._log(server, settings, transcript.last_reply)
            self._remove(server, mail)

    def _log(self, server: SmtpVirtualServer, settings: dict[str, object], reply: str) -> None:
        """A reply of a server; a failed connection has none."""
        if reply[:3].isdigit():
            iis_log.response(self._machine, server, str(settings["SmartHost"]) or "-", reply)

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
        text += "".join(f"       {one}\r\n" for one in mail.recipients) + f"\r\n{mail.last_error}\r\n\r\n"
        text += mail.raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace") + "\r\n"
        server.queue.append(QueuedMail(f"{mail.id}-ndr", "", [mail.sender], text.encode(), self._machine.now))

    def _send(self, settings: dict[str, object], mail: QueuedMail, transcript: Transcript) -> None:
        """One connection, in a thread of its own. A wrong password is not final: the message stays in the queue."""
        action = settings["RouteAction"]
        route = action if isinstance(action, int) else 0
        if route & AUTH_NTLM:
            raise UndeliveredError("NTLM to a smart host is not emulated", permanent=False)
        host = str(settings["SmartHost"]).strip("[]") if settings["SmartHostType"] == 2 else ""
        user, password = (str(settings[name]) if route & AUTH_CLEARTEXT else "" for name in ("RouteUserName", "RoutePassword"))
        upstream = Upstream(
            destination(self._machine, self._mx, host, settings["RemoteSmtpPort"]) if host else self._mx,
            host or "mx",
            str(settings["FullyQualifiedDomainName"]),
            REQUIRED if route & SSL or settings["AlwaysUseSsl"] else NONE,
            user,
            password,
            source=self._machine.host.outbound_address,
        )
        try:
            send(upstream, mail, mail.recipients, transcript)
        except UndeliveredError as error:
            mail.recipients = error.recipients or mail.recipients
            if str(error).startswith("535"):
                raise UndeliveredError(str(error), permanent=False) from None
            raise


def _minutes(written: object, attempt: int) -> int:
    """The minutes before the next attempt: the last of the list repeats."""
    steps = [int(one) for one in str(written or "15,30,60,240").split(",")]
    return steps[min(attempt, len(steps)) - 1]
