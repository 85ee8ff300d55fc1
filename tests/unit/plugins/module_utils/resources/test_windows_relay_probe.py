"""Module windows_relay_probe: a test message is handed to the product and followed; the result names the hop where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._windows import host as windows_host
from ansible_collections.mailops.m365.plugins.module_utils.resources.windows_relay_probe import RESOURCE

from emulator.state import QueuedMail, SmtpVirtualServer
from emulator.state.windows_services import WindowsService
from emulator.windows import iis_log, iis_pickup
from emulator.windows.machine import Machine

from ....conftest import FakeClock
from .._windows.emulated import EmulatedHost
from .._windows.hmail.hmail_lab import ADMIN, HMailHost

MX = "contoso-com.mail.protection.outlook.com"
DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied"
LOGGED = {"LogType": 1, "LogPluginClsid": iis_log.W3C, "LogExtFileFlags": 32767, "SmartHost": MX, "SmartHostType": 2}
SENDER = {"name": "Printers", "address": "printers@contoso.com", "verify_recipient": "verify@example.net"}


class StepClock(FakeClock):
    """Runs `step` on each wait, and moves the host's clock."""

    def __init__(self, host: EmulatedHost, step: Callable[[], None]) -> None:
        super().__init__()
        self.host, self.step = host, step

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.host.now += seconds
        self.step()


class IisRelay(EmulatedHost):
    """IIS SMTP. `reply`: the upstream server's to each message; "": none; None: the service takes nothing from Pickup."""

    def __init__(self, reply: str | None = "250 2.6.0 {id} [InternalId=1] 900 bytes Queued mail for delivery", **properties: Any) -> None:
        services = [WindowsService(name, start_mode="Auto", state="Running") for name in ("IISADMIN", "SMTPSVC")]
        self.relay = SmtpVirtualServer(properties=LOGGED | properties)
        super().__init__(features=["Web-Metabase", "SMTP-Server", "Web-WMI"], services=services, smtp_servers=[self.relay])
        self.machine, self.reply = Machine(self.state, lambda: self.now), reply
        self.delivered: list[QueuedMail] = []
        self.keeps = False  # whether a refused message stays in the queue

    def step(self) -> None:
        if self.reply is None:
            return
        iis_pickup.collect(self.machine, self.relay)
        for mail in list(self.relay.queue):
            number = mail.raw.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
            if self.reply:
                iis_log.response(self.machine, self.relay, MX, self.reply.format(id=number))
            if self.reply.startswith("2"):
                self.delivered.append(mail)
            if self.reply and not self.keeps:
                self.relay.queue.remove(mail)


class HMailRelay(HMailHost):
    """hMailServer. `reply`: the upstream server's to the end of each message."""

    def __init__(self, directory: Path, reply: str = "250 2.6.0 Queued mail for delivery") -> None:
        super().__init__(directory)
        self.reply, self.keeps = reply, False
        self.tries = 0

    def step(self) -> None:
        for mail in list(self.server.queue):
            if mail.next_attempt > self.now:
                continue
            self.tries += 1
            self._line("APPLICATION", f"SMTPDeliverer - Message {mail.id}: Delivering message from {mail.sender} to x. File: {mail.id}.eml")
            session = ["RECEIVED: 220 mx", f"SENT: MAIL FROM:<{mail.sender}>", "RECEIVED: 250 2.1.0 Sender OK"]
            session += [f"SENT: RCPT TO:<{mail.recipients[0]}>", "RECEIVED: 250 2.1.5 Recipient OK", "SENT: DATA", "RECEIVED: 354 Go"]
            for text in [*session, "SENT: [nl].", f"RECEIVED: {self.reply}", "SENT: QUIT", "RECEIVED: 221 bye"]:
                self._line("SMTPC", text)
            if self.keeps:
                mail.next_attempt = self.now + 3600
            else:
                self.server.queue.remove(mail)
                self._line("APPLICATION", f"SMTPDeliverer - Message {mail.id}: Message delivery thread completed.")

    def _line(self, kind: str, text: str) -> None:
        columns = f'\t{self.tries}\t"2027-01-15 08:00:00.000"\t"52.101.0.1"\t' if kind == "SMTPC" else '\t"2027-01-15 08:00:00.000"\t'
        self.server.log.append(f'"{kind}"\t2044{columns}"{text}"')


Verify = Callable[..., dict[str, Any]]


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Runs the module on a host; the relay works while the module waits."""

    def run(host: IisRelay | HMailRelay, *senders: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        clock = StepClock(host, host.step)
        monkeypatch.setattr(windows_host, "SystemClock", lambda: clock)
        product = {"product": "iis_smtp"}
        if isinstance(host, HMailRelay):
            product = {"product": "hmailserver", "hmailserver_admin_password": ADMIN}
        return host.run(RESOURCE, {**product, "senders": list(senders or (SENDER,)), **options}, check_mode=check_mode)

    return run


@pytest.fixture
def hmail(tmp_path: Path) -> HMailRelay:
    host = HMailRelay(tmp_path)
    host.task()
    return host


def only(result: dict[str, Any]) -> dict[str, Any]:
    [row] = result["senders"]
    return dict(row)


class TestIis:
    def test_accepted_by_the_connector(self, verify: Verify) -> None:
        host = IisRelay()
        result = verify(host)
        row = only(result)
        assert (row["status"], row["accepted_by"], row["stage"]) == ("verified", "connector", "sent")
        assert (result["verified"], result["total"], result["changed"]) == (1, 1, False)
        [mail] = host.delivered
        assert (mail.sender, mail.recipients) == ("printers@contoso.com", ["verify@example.net"])
        assert row["message_id"].encode() in mail.raw
        assert [(hop["from"], hop["to"], hop["event"]) for hop in row["hops"]] == [
            ("windows_relay_probe", "IIS SMTP Server", "submitted"), ("IIS SMTP Server", "Microsoft 365", "accepted"),
        ]  # fmt: skip
        assert host.state.files == []

    def test_the_reply_of_another_message_verifies_nothing_at_a_connector(self, verify: Verify) -> None:
        """A device's message is accepted, and the test message waits."""
        host = IisRelay(reply="")

        def step() -> None:
            iis_pickup.collect(host.machine, host.relay)
            iis_log.response(host.machine, host.relay, MX, "250 2.6.0 <another@contoso.com> Queued mail for delivery")

        host.step = step  # type: ignore[method-assign]
        row = only(verify(host, required=False))
        assert (row["status"], row["stage"]) == ("failed", "queue")

    def test_refused_by_the_upstream(self, verify: Verify) -> None:
        result = verify(IisRelay(reply=DENIED))
        assert result["failed"]
        row = only(result)
        assert (row["status"], row["stage"], row["code"]) == ("failed", "upstream", "550 5.7.64")
        assert row["reason"].startswith(f"IIS SMTP Server returned the message: {MX} refused it: ")
        assert row["remedy"]
        assert "1 of 1 senders cannot send through win1: Printers: IIS SMTP Server returned" in result["msg"]

    def test_kept_in_the_queue(self, verify: Verify) -> None:
        """A reply that waiting does not resolve ends the wait; no reply is waited for until the timeout."""
        host = IisRelay(reply="535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.")
        host.keeps = True
        result = verify(host, required=False)
        row = only(result)
        assert (row["stage"], row["code"], result["cost"]["waited"]) == ("queue", "535 5.7.139", 2.0)
        assert row["reason"].startswith("IIS SMTP Server still has the message in its queue: ")
        host = IisRelay(reply="")
        result = verify(host, required=False, timeout=30)
        row = only(result)
        assert (row["stage"], row["reason"], result["cost"]["waited"]) == (
            "queue", "IIS SMTP Server still has the message in its queue: the upstream server gave no reply", 30.0
        )  # fmt: skip

    def test_in_bad_mail(self, verify: Verify) -> None:
        host = IisRelay(reply="")

        def step() -> None:
            iis_pickup.collect(host.machine, host.relay)
            host.relay.bad_mail, host.relay.queue = host.relay.queue or host.relay.bad_mail, []

        host.step = step  # type: ignore[method-assign]
        assert only(verify(host, required=False))["reason"].startswith("IIS SMTP Server returned the message: ")

    def test_not_taken_from_pickup(self, verify: Verify) -> None:
        row = only(verify(IisRelay(reply=None), required=False, timeout=4))
        assert (row["stage"], row["reason"]) == ("relay", "IIS SMTP Server has not taken the message from its folder Pickup")

    def test_the_service_is_stopped(self, verify: Verify) -> None:
        """Nothing is written: the message would be sent when the service is started."""
        host = IisRelay()
        host.state.services[1].state = "Stopped"
        row = only(verify(host, required=False))
        assert row["reason"] == "IIS SMTP Server on win1 takes no message: the service SMTPSVC does not run"
        assert host.state.files == []

    def test_without_a_log(self, verify: Verify) -> None:
        row = only(verify(IisRelay(LogType=0), timeout=4))
        assert (row["status"], row["stage"]) == ("not_verifiable", "upstream")

    def test_an_internal_recipient_shows_no_connector(self, verify: Verify) -> None:
        senders = [SENDER | {"verify_recipient": "ada@contoso.com"}, SENDER | {"verify_recipient": "ada@fabrikam.com"}]
        rows = verify(IisRelay(), *senders, internal_domains=["Fabrikam.com"])["senders"]
        assert [row["status"] for row in rows] == ["not_verifiable", "not_verifiable"]
        rows = verify(IisRelay(reply="250 2.0.0 Ok: queued as 4ABC"), *senders, upstream="smarthost")["senders"]
        assert [(row["status"], row["accepted_by"]) for row in rows] == [("verified", "relay_host")] * 2

    def test_no_message_in_check_mode_or_without_a_recipient(self, verify: Verify) -> None:
        host = IisRelay()
        assert only(verify(host, check_mode=True))["stage"] == "check_mode"
        assert only(verify(host, {"address": "a@contoso.com"}))["reason"] == "there is no recipient of a test message"
        assert host.outputs == []

    def test_problems_of_the_input(self, verify: Verify) -> None:
        result = verify(IisRelay(), SENDER | {"address": "printers"}, timeout=0)
        assert [one.partition(":")[0] for one in result["failure"]["problems"]] == ["timeout is 0", "senders"]


class TestHostedRelay:
    """The upstream is a hosted relay: its 250 is not a delivery."""

    SUPPRESSED: dict[str, Any] = {
        "provider": "Mailgun", "suppressed": [{"address": "Verify@example.net", "list": "bounces", "domain": "mg.contoso.com"}]
    }  # fmt: skip

    @pytest.mark.parametrize(("account", "reason"), [
        (
            SUPPRESSED,
            "Mailgun accepts mail to Verify@example.net and does not deliver it, because the address is in its list bounces of "
            "mg.contoso.com",
        ),
        (
            {"credentials": [{"name": "relay", "exists": True, "problem": "SMTP2GO delivers none, because the user is in the sandbox.",
                               "remedy": "Allow it to send."}]},
            "SMTP2GO delivers none, because the user is in the sandbox",
        ),
    ])  # fmt: skip
    def test_message_that_it_would_not_deliver_is_not_sent(self, verify: Verify, account: dict[str, Any], reason: str) -> None:
        host = IisRelay()
        row = only(verify(host, upstream="mailgun", hosted_account=account))
        assert (row["status"], row["stage"], row["reason"]) == ("not_verifiable", "source", reason)
        assert row["remedy"]
        assert host.outputs == []

    def test_other_recipients_are_tested_and_the_quota_is_reported(self, verify: Verify) -> None:
        host = IisRelay()
        quota = {"used": 8200, "limit": 10_000, "unit": "messages"}
        senders = [SENDER, SENDER | {"verify_recipient": "other@example.net"}]
        suppressed, other = verify(host, *senders, upstream="mailgun", hosted_account=self.SUPPRESSED | {"quota": quota})["senders"]
        assert (suppressed["status"], other["status"], other["accepted_by"]) == ("not_verifiable", "verified", "hosted_relay")
        assert other["reason"] == "8,200 of 10,000 messages of the provider's quota are used"
        assert [mail.recipients for mail in host.delivered] == [["other@example.net"]]

    def test_check_mode_and_other_upstreams_do_not_judge_the_account(self, verify: Verify) -> None:
        row = only(verify(IisRelay(), upstream="mailgun", hosted_account=self.SUPPRESSED, check_mode=True))
        assert (row["status"], row["stage"]) == ("not_verified", "check_mode")
        assert only(verify(IisRelay(), upstream="connector", hosted_account=self.SUPPRESSED))["status"] == "verified"


class TestHMailServer:
    def test_accepted(self, verify: Verify, hmail: HMailRelay) -> None:
        row = only(verify(hmail))
        assert (row["status"], row["accepted_by"], row["hops"][1]["detail"]) == (
            "verified", "connector", f"{MX}: 250 2.6.0 Queued mail for delivery"
        )  # fmt: skip

    def test_refused(self, verify: Verify, hmail: HMailRelay) -> None:
        hmail.reply = DENIED
        row = only(verify(hmail, required=False))
        assert (row["status"], row["stage"], row["code"]) == ("failed", "upstream", "550 5.7.64")
        assert row["reason"].startswith(f"hMailServer returned the message: {MX} refused it: ")

    def test_deferred_is_tried_again_and_removed_at_the_end(self, verify: Verify, hmail: HMailRelay) -> None:
        hmail.reply, hmail.keeps = "451 4.7.500 Server busy. Please try again later", True
        other = QueuedMail("99", "b@contoso.com", ["c@example.net"], b"", hmail.now, hmail.now + 9e9)
        hmail.server.queue.append(other)
        row = only(verify(hmail, required=False, timeout=60))
        assert (row["stage"], row["transient"]) == ("queue", True)
        assert hmail.tries > 1
        assert hmail.server.queue == [other]

    def test_not_running_and_a_wrong_password(self, verify: Verify, hmail: HMailRelay) -> None:
        result = verify(hmail, hmailserver_admin_password="another password")
        assert "hmailserver_admin_password is not the administrator password of hMailServer on win1" in result["msg"]
        assert "another password" not in str(result)
        service = next(one for one in hmail.state.services if one.name == "hMailServer")
        service.state = "Stopped"
        assert "the service hMailServer does not run" in only(verify(hmail, required=False))["reason"]


def test_hmailserver_is_not_installed(verify: Verify, tmp_path: Path) -> None:
    assert "hMailServer is not installed" in only(verify(HMailRelay(tmp_path), required=False))["reason"]
