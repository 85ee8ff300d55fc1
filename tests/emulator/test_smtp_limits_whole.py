"""Microsoft's published limits as they are, with real sessions; the clock is advanced where waiting would be long."""

from __future__ import annotations

import contextlib
import select
import smtplib
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.conftest import TENANT, Api, Start

PASSWORD = "a password"
OPS, INITIAL = "ops@contoso.com", "ops@contoso.onmicrosoft.com"
QUOTA = "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException"
BUSY = "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information."
MESSAGE = b"From: ops@contoso.com\r\nSubject: test\r\n\r\nhello\r\n"
UNPACED = {"options": {"smtp": {"pace": False}}}


def lab(start: Start, settings: dict[str, Any] | None = None, **tenant: Any) -> Api:
    sender = {"password": PASSWORD, "smtp_client_authentication_disabled": False}
    boxes = [{"address": OPS, "aliases": [INITIAL]} | sender, {"address": "two@contoso.com"} | sender]
    return start(settings, {"mailboxes": boxes} | tenant)


@contextlib.contextmanager
def session(api: Api, user: str = OPS) -> Iterator[smtplib.SMTP]:
    cloud = api.emulator.cloud
    client = smtplib.SMTP(cloud["smtp_host"], cloud["smtp_port"], "client.example.net", timeout=60)
    try:
        client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
        client.ehlo()
        client.user, client.password = user, PASSWORD
        assert client.auth("LOGIN", client.auth_login)[0] == 235
        yield client
    finally:
        client.close()


def send(client: smtplib.SMTP, recipients: int = 1, sender: str = OPS, domain: str = "example.net") -> str:
    """One message, its recipients pipelined; the reply to its final dot."""
    client.mail(sender)
    client.send("".join(f"RCPT TO:<r{n}@{domain}>\r\n" for n in range(recipients)))
    assert {client.getreply()[0] for _ in range(recipients)} == {250}
    code, text = client.data(MESSAGE.replace(OPS.encode(), sender.encode()))
    return f"{code} {text.decode()}"


def test_the_thirty_first_message_of_a_minute_waits(start: Start) -> None:
    api = lab(start)
    api.admin.stop_clock()
    with session(api) as client:
        assert {send(client)[:3] for _ in range(30)} == {"250"}
        client.mail(OPS)
        client.rcpt("late@example.net")
        client.docmd("DATA")
        client.send(MESSAGE + b".\r\n")
        assert not select.select([client.sock], [], [], 0.2)[0]  # no reply: nothing is refused, the message waits
        assert api.admin.messages(recipient="late@example.net") == []
        with session(api, "two@contoso.com") as other:
            assert send(other, sender="two@contoso.com").startswith("250 ")  # another mailbox has minutes of its own
        api.admin.advance(10)
        assert client.getreply()[0] == 250
    assert len(api.admin.messages(recipient="late@example.net")) == 1


def test_the_ten_thousandth_recipient(start: Start) -> None:
    api = lab(start, UNPACED, licences=[{"sku": "SPE_E3", "purchased": 100}])
    with session(api) as client:
        assert {send(client, 500)[:3] for _ in range(19)} == {"250"}
        assert send(client, 499).startswith("250 ")
        assert send(client, 2) == QUOTA
        assert send(client, 1).startswith("250 ")  # the 10,000th
        assert send(client, 1) == QUOTA
        api.admin.advance(86_400)
        assert send(client, 500).startswith("250 ")


def test_the_fourth_connection(start: Start) -> None:
    api = lab(start)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(session(api)) for _ in range(4)]
        assert [send(client)[:3] for client in clients] == ["250", "250", "250", "432"]
        assert send(clients[3]).startswith(BUSY)


@pytest.mark.parametrize(
    ("tenant", "messages", "code"),
    [({"licences": []}, 19, "550 5.7.233 Your message"), ({"trial": True}, 10, "550 5.7.232 Your message")],
)
def test_external_recipients_of_a_tenant(start: Start, tenant: dict[str, Any], messages: int, code: str) -> None:
    """9,500 a day without a licence, 5,000 in a trial; of all mailboxes together, those inside not counted."""
    api = lab(start, UNPACED, **tenant)
    with session(api) as client:
        assert send(client, 400, domain="contoso.com").startswith("250 ")
        assert {send(client, 500)[:3] for _ in range(messages)} == {"250"}
        assert send(client).startswith(code)
        assert send(client, domain="contoso.com").startswith("250 ")
        api.admin.advance(86_401)
        assert send(client).startswith("250 ")


def test_exchange_gives_the_limit_and_what_is_used_of_it(start: Start) -> None:
    api = lab(start, UNPACED, external_limit=1_000)
    row = {"ObservedValue": 0, "Threshold": 1_000, "EnforcementEnabled": True, "Verdict": "Allow"}
    assert api.rows("Get-LimitsEnforcementStatus") == [row]
    assert api.exchange("Get-LimitsEnforcementStatus", {"ResultSize": "Unlimited"}).status_code == 400
    with session(api) as client:
        assert send(client, 400, domain="contoso.com").startswith("250 ")
        assert {send(client, 500)[:3] for _ in range(2)} == {"250"}
        assert api.rows("Get-LimitsEnforcementStatus") == [row | {"ObservedValue": 1_000, "Verdict": "Deny"}]
        assert send(client).startswith("550 5.7.233")
        api.admin.change(TENANT, external_limit_enforced=False)
        assert send(client).startswith("250 ")
        open_limit = {"ObservedValue": 1_001, "EnforcementEnabled": False}
        assert api.rows("Get-LimitsEnforcementStatus") == [row | open_limit]
        api.admin.change(TENANT, external_limit=None)
        assert api.rows("Get-LimitsEnforcementStatus")[0]["Threshold"] > 10_000


def test_more_licences_raise_the_limit_at_once(start: Start) -> None:
    api = lab(start, UNPACED, trial=True)
    with session(api) as client:
        assert {send(client, 500)[:3] for _ in range(10)} == {"250"}
        assert send(client).startswith("550 5.7.232")
        api.admin.change(TENANT, trial=False, licences=[{"sku": "EXCHANGESTANDARD", "purchased": 1}])
        assert send(client).startswith("250 ")


def test_the_initial_domain_is_for_tests(start: Start) -> None:
    api = lab(start, UNPACED)
    with session(api) as client:
        assert send(client, 100, sender=INITIAL).startswith("250 ")
        assert send(client, sender=INITIAL).startswith("550 5.7.236 ")
        assert send(client, domain="contoso.com", sender=INITIAL).startswith("250 ")
        assert send(client).startswith("250 ")  # from a domain of its own


def test_mail_through_a_connector_counts_too(start: Start) -> None:
    api = start(
        tenant={
            "inbound_connectors": [{"name": "r", "ConnectorType": "OnPremises", "SenderDomains": ["*"], "SenderIPAddresses": ["127.0.0.1"]}]
        }
    )
    cloud = api.emulator.cloud
    with smtplib.SMTP(cloud["mx_host"], cloud["mx_port"], "relay.contoso.com", timeout=60) as client:
        client.ehlo()
        assert send(client, 100, sender=INITIAL).startswith("250 ")
        assert send(client, sender=INITIAL).startswith("550 5.7.236 ")
        assert send(client).startswith("250 ")


@pytest.mark.parametrize(("limit", "most"), [(2, 2), (1000, 1000)])
def test_recipient_limits_of_a_mailbox(start: Start, limit: int, most: int) -> None:
    api = lab(start)
    api.rows("Set-Mailbox", {"Identity": OPS, "RecipientLimits": limit})
    assert api.rows("Get-Mailbox", {"Identity": OPS})[0]["RecipientLimits"] == str(limit)
    with session(api) as client:
        client.mail(OPS)
        client.send("".join(f"RCPT TO:<{n}@example.net>\r\n" for n in range(most + 1)))
        assert [client.getreply()[0] for _ in range(most + 1)] == [250] * most + [452]


@pytest.mark.parametrize("limit", [0, 1001, "Unlimited"])
def test_invalid_recipient_limits_are_refused(api: Api, limit: object) -> None:
    answer = api.exchange("Set-Mailbox", {"Identity": "noreply", "RecipientLimits": limit})
    assert answer.status_code == 400
    assert "It must be 1 to 1000" in answer.text
