"""Delivery of hMailServer: accounts, routes, the relayer or the recipients' MX; retries, reports, and the log about it.

Sources: hMailServer's source (SMTPDeliverer, ExternalDelivery, SMTPClientConnection) and the texts of DBScripts. A reply of 5xx is final,
also to the authentication at the relayer.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.state import HMailServer, QueuedMail
from emulator.windows.hmail_com import logs, setting
from emulator.windows.hmail_domains import account_of, is_local
from emulator.windows.hmail_session import message
from emulator.windows.machine import Machine
from emulator.windows.powershell.operators import wildcard
from emulator.windows.smtp_client import Address, Transcript, UndeliveredError, Upstream, destination, send

THREAD = 2044  # a column of the log


@dataclass(frozen=True)
class Target:
    """Where recipients are delivered to. `host` empty: their MX."""

    host: str
    port: int
    security: int
    user: str = ""
    password: str = ""


class HMailDelivery:
    """The queue. `mx`: where the emulated MX listens; `ca_file`: whose certificates the host trusts."""

    def __init__(self, machine: Machine, mx: Address, ca_file: str, running: Callable[[], bool]) -> None:
        self._machine, self._mx, self._ca_file, self._running = machine, mx, ca_file, running

    async def attempt(self, server: HMailServer) -> None:
        """Try what is due, one message after another."""
        for mail in list(server.queue):
            if self._running() and mail in server.queue and mail.next_attempt <= self._machine.now:
                await self._attempt(server, mail)

    async def _attempt(self, server: HMailServer, mail: QueuedMail) -> None:
        envelope = f"from {mail.sender or '<Empty>'} to {','.join(mail.recipients)}"
        self._log(server, f"SMTPDeliverer - Message {mail.id}: Delivering message {envelope}. File: {mail.id}.eml")
        failed: dict[str, str] = {}
        waiting: dict[str, str] = {}
        for target, batch in self._batches(server, mail).items():
            try:
                await self._deliver(server, mail, target, batch)
            except UndeliveredError as error:
                (failed if error.permanent else waiting).update(dict.fromkeys(error.recipients or batch, str(error)))
        mail.last_error = next(iter([*failed.values(), *waiting.values()]), "")
        mail.recipients = list(waiting)
        if waiting and mail.attempts >= int(setting(server, "SMTPNoOfTries")):
            self._log(server, f"SMTPDeliverer - Message {mail.id}: Message could not be delivered. Returning error log to sender.")
            failed |= waiting
            waiting = {}
        if waiting:
            minutes = int(setting(server, "SMTPMinutesBetweenTry"))
            text = f"Message could not be delivered. Scheduling it for later delivery in {minutes} minutes."
            self._log(server, f"SMTPDeliverer - Message {mail.id}: {text}")
            mail.attempts += 1
            mail.next_attempt = self._machine.now + 60 * minutes
        else:
            server.queue = [one for one in server.queue if one is not mail]
            self._log(server, f"SMTPDeliverer - Message {mail.id}: Message delivery thread completed.")
        if failed:
            self._report(server, mail, failed)

    def _batches(self, server: HMailServer, mail: QueuedMail) -> dict[Target | None, list[str]]:
        """The recipients by target; None: accounts of this server."""
        batches: dict[Target | None, list[str]] = {}
        for recipient in mail.recipients:
            target = None if is_local(server, recipient) else _target(server, recipient)
            batches.setdefault(target, []).append(recipient)
        return batches

    async def _deliver(self, server: HMailServer, mail: QueuedMail, target: Target | None, batch: list[str]) -> None:
        if target is None:
            if any(account_of(server, one) is None for one in batch):
                raise UndeliveredError("550 Unknown user", permanent=True)
            server.delivered.append(QueuedMail(mail.id, mail.sender, batch, mail.raw, mail.arrived))
            return
        if target.host:
            self._log(server, f"SMTPDeliverer - Message {mail.id}: Relaying to host {target.host}.")
        transcript = Transcript()
        try:
            await asyncio.to_thread(self._send, server, mail, target, batch, transcript)
        finally:
            self._log_session(server, f"{mail.id}{mail.attempts}", transcript)

    def _send(self, server: HMailServer, mail: QueuedMail, target: Target, batch: list[str], transcript: Transcript) -> None:
        verified = bool(setting(server, "VerifyRemoteSslCertificate"))
        upstream = Upstream(
            destination(self._machine, self._mx, target.host, target.port) if target.host else self._mx,
            target.host or "mx.mail.protection.outlook.com",
            str(setting(server, "HostName")) or self._machine.host.name,
            target.security,
            target.user,
            target.password,
            ca_file=self._ca_file if verified else "",
            source=self._machine.host.outbound_address,
        )
        send(upstream, mail, batch, transcript)

    def _log(self, server: HMailServer, text: str) -> None:
        if logs(server, "LogApplication"):
            server.log.append(f'"APPLICATION"\t{THREAD}\t"{self._time()}"\t"{text}"')

    def _log_session(self, server: HMailServer, number: str, transcript: Transcript) -> None:
        """A session of the client (SMTPC) with the other server."""
        if logs(server, "LogSMTP"):
            beginning = f'"SMTPC"\t{THREAD}\t{number}\t"{self._time()}"\t"{self._mx[0]}"\t'
            server.log += [f'{beginning}"{line}"' for line in transcript.lines]

    def _time(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S.000", self._machine.local_time())

    def _report(self, server: HMailServer, mail: QueuedMail, failed: dict[str, str]) -> None:
        """A report to the sender; a message without a sender is dropped."""
        if not mail.sender:
            return
        subject = email.message_from_bytes(mail.raw, policy=email.policy.default)["Subject"] or ""
        name = str(setting(server, "HostName")) or self._machine.host.name
        lines = [
            f"From: mailer-daemon@{name}", f"To: {mail.sender}", f"Subject: Message undeliverable: {subject}", "",
            "Your message did not reach some or all of the intended recipients.", "",
            "The following recipient(s) could not be reached:", "",
            *(line for recipient, error in failed.items() for line in (recipient, f"   Error Type: SMTP\r\n   {error}", "")),
            "hMailServer",
        ]  # fmt: skip
        raw = "".join(f"{line}\r\n" for line in lines).encode()
        server.queue.append(message(server, "", [mail.sender], raw, self._machine.now))


def _target(server: HMailServer, recipient: str) -> Target:
    """The route of the recipient's domain, else the relayer, else the MX."""
    domain = recipient.rpartition("@")[2]
    for row in server.routes:
        route = row.properties
        if wildcard(str(route.get("DomainName", ""))).fullmatch(domain):
            user, password = _credential(route, "RelayerRequiresAuth", "RelayerAuthUsername"), str(route.get("RelayerAuthPassword", ""))
            return Target(
                str(route.get("TargetSMTPHost", "")),
                int(route.get("TargetSMTPPort", 25)),
                int(route.get("ConnectionSecurity", 0)),
                user,
                password,
            )
    host = str(setting(server, "SMTPRelayer"))
    if not host:
        return Target("", 25, int(setting(server, "SMTPConnectionSecurity")))
    values = {name: setting(server, name) for name in ("SMTPRelayerRequiresAuthentication", "SMTPRelayerUsername")}
    user = _credential(values, "SMTPRelayerRequiresAuthentication", "SMTPRelayerUsername")
    port, security = int(setting(server, "SMTPRelayerPort")) or 25, int(setting(server, "SMTPRelayerConnectionSecurity"))
    return Target(host, port, security, user, server.relayer_password)


def _credential(values: dict[str, Any], required: str, user: str) -> str:
    return str(values.get(user, "")) if values.get(required) else ""
