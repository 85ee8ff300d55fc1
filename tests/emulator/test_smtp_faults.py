"""Ordered faults: every reply by name, lines of one's own, and what networks do."""

from __future__ import annotations

import smtplib
import time
from pathlib import Path

import pytest

from emulator.faults import Fault
from emulator.smtp.faults import NAMES, STAGES
from tests.emulator.smtp_lab import CONTOSO, FABRIKAM, MESSAGE, OPS, Lab, StartLab, reply_text, send, xoauth2_blob

pytest_plugins = ["tests.emulator.smtp_lab"]


def reached(lab: Lab, *, mx: bool = False) -> dict[str, str]:
    """What each stage answered, up to the first refusal."""
    result: dict[str, str] = {}
    with lab.raw(mx=mx) as raw:
        result["connect"] = raw.line()
        if not result["connect"].startswith("220"):
            return result
        result["ehlo"] = raw.say("EHLO client.example.net")[-1]
        if not mx and result["ehlo"].startswith("250"):
            raw.start_tls(lab.trust())
            raw.say("EHLO client.example.net")
            result["auth"] = raw.say(f"AUTH XOAUTH2 {xoauth2_blob()}")[-1]
        commands = {"mail": f"MAIL FROM:<{OPS}>", "rcpt": f"RCPT TO:<{OPS}>", "DATA": "DATA", "data": MESSAGE + b".\r\n"}
        for name, command in commands.items():
            if result[list(result)[-1]][:1] not in "23":
                break
            result[name] = raw.say(command)[-1]
    return {name: line.removesuffix("\r\n") for name, line in result.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_named_fault_is_played_once_where_it_belongs(start_lab: StartLab, name: str) -> None:
    lab = start_lab(pace=False)
    stage, text = NAMES[name]
    mx = stage != "auth"
    fault = lab.faults.add(Fault("mx" if mx else "smtp", name))
    result = reached(lab, mx=mx)
    assert list(result)[-1] == stage
    begin = text.partition("{")[0]
    assert result[stage].startswith(begin)
    assert "{" not in result[stage]
    assert fault.used == 1
    assert reached(lab, mx=mx)["data"].startswith("250 ")


def test_named_faults_insert_the_facts_of_the_session(lab: Lab) -> None:
    lab.state.network["127.0.0.1"] = "203.0.113.5"
    lab.faults.add(Fault("mx", "server_busy"))
    assert reached(lab, mx=True)["mail"] == "451 4.7.500 Server busy. Please try again later from [203.0.113.5]. (AS761)"
    lab.faults.add(Fault("mx", "dmarc"))
    assert "sending domain [contoso.com] does not pass" in reached(lab, mx=True)["data"]


@pytest.mark.parametrize("stage", STAGES)
def test_custom_reply_at_every_stage(lab: Lab, stage: str) -> None:
    lab.faults.add(Fault("smtp", match={"stage": stage}, status=451, body="4.3.0 as ordered"))
    result = reached(lab)
    assert list(result)[-1] == stage
    assert result[stage].startswith("451 4.3.0 as ordered")
    assert reached(lab)["data"].startswith("250 ")


def test_a_fault_at_sign_in_is_repeated_at_mail(lab: Lab) -> None:
    lab.faults.add(Fault("smtp", "conditional_access", {"mailbox": OPS}))
    with lab.client() as client:
        assert reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob()}")).startswith(
            "535 5.7.139 Authentication unsuccessful, the request did"
        )
        cause = reply_text(client.mail(OPS))
        assert cause.startswith(
            "530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Authentication unsuccessful, the request"
        )


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"mailbox": OPS}, True),
        ({"mailbox": "sales@contoso.com"}, False),
        ({"tenant": CONTOSO, "sender": OPS, "domain": "contoso.com", "source": "127.0.0.1", "helo": "client.example.net"}, True),
        ({"recipient": "x@example.net"}, True),
        ({"recipient": "y@example.net"}, False),
        ({"app_id": "22222222-0000-4000-8000-000000000001"}, True),
    ],
)
def test_faults_are_bound_to_facts(lab: Lab, match: dict[str, str], hit: bool) -> None:
    lab.faults.add(Fault("smtp", match=match | {"stage": "rcpt"}, status=450, body="4.2.1 as ordered"))
    with lab.signed_in() as client:
        assert send(client).startswith("450 4.2.1 as ordered" if hit else "250 ")


@pytest.mark.parametrize(
    ("service", "stage", "match", "hit"),
    [
        ("smtp", "auth", {"tenant": CONTOSO, "mailbox": OPS}, True),
        ("smtp", "auth", {"tenant": FABRIKAM}, False),
        ("smtp", "data", {"tenant": CONTOSO, "mailbox": OPS}, True),
        ("mx", "mail", {"tenant": CONTOSO}, True),
        ("mx", "rcpt", {"tenant": CONTOSO, "mailbox": OPS}, True),
        ("mx", "rcpt", {"tenant": FABRIKAM}, False),
        ("mx", "data", {"mailbox": OPS, "sender": OPS}, True),
        ("mx", "data", {"mailbox": "sales@contoso.com"}, False),
    ],
)
def test_a_fault_of_one_tenant_or_mailbox(lab: Lab, service: str, stage: str, match: dict[str, str], hit: bool) -> None:
    lab.faults.add(Fault(service, match=match | {"stage": stage}, status=451, body="4.3.0 as ordered"))
    assert reached(lab, mx=service == "mx")[stage].startswith("451 4.3.0 as ordered") is hit


def test_a_fault_of_one_service_is_not_played_by_the_other(lab: Lab) -> None:
    lab.faults.add(Fault("mx", match={"stage": "data"}, status=451, body="4.3.0 as ordered"))
    assert reached(lab)["data"].startswith("250 ")
    assert reached(lab, mx=True)["data"].startswith("451 ")


def test_a_421_closes_the_connection(lab: Lab) -> None:
    lab.faults.add(Fault("smtp", match={"stage": "mail"}, status=421, body="4.3.2 Service not available"))
    with lab.signed_in() as client:
        assert reply_text(client.mail(OPS)).startswith("421 ")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


@pytest.mark.parametrize("stage", STAGES)
def test_dropped_connections(lab: Lab, stage: str) -> None:
    lab.faults.add(Fault("smtp", "drop", {"stage": stage}))
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)), lab.signed_in() as client:
        send(client)
    assert lab.state.messages == []
    with lab.signed_in() as client:
        assert send(client).startswith("250 ")


def test_lost_reply_keeps_the_message(lab: Lab) -> None:
    lab.faults.add(Fault("smtp", "lose_reply"))
    with lab.signed_in() as client, pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(client)
    assert len(lab.state.messages) == 1


def test_stalls_and_delayed_replies(lab: Lab) -> None:
    lab.faults.add(Fault("smtp", "stall", {"stage": "mail"}, options={"seconds": 0.4}))
    lab.faults.add(Fault("smtp", match={"stage": "rcpt"}, status=451, body="4.3.0 late", options={"seconds": 0.4}))
    with lab.signed_in() as client:
        start = time.monotonic()
        assert client.mail(OPS)[0] == 250
        assert time.monotonic() - start > 0.35
        assert reply_text(client.rcpt("x@example.net")) == "451 4.3.0 late"
        assert time.monotonic() - start > 0.75


def test_latency(lab: Lab) -> None:
    lab.faults.set_latency({"mx": 0.1})
    start = time.monotonic()
    assert reached(lab, mx=True)["data"].startswith("250 ")
    assert time.monotonic() - start > 0.45  # connect, ehlo, mail, rcpt, data


def test_unknown_fault_name_is_refused(lab: Lab) -> None:
    lab.faults.add(Fault("smtp", "no_such_fault", {"stage": "mail"}))
    assert reached(lab)["mail"] == "451 4.3.0 The emulator knows no fault 'no_such_fault'"


def test_error_catalog_has_every_reply() -> None:
    """Every reply that the service can give has its row in the collection's table of errors."""
    from ansible_collections.mailops.m365.plugins.module_utils import error_catalog

    assert Path(error_catalog.__file__).parent.name == "error_catalog"
    elsewhere = {"token_expires_soon", "relay_refused_later"}  # High Volume Email's, and a later hop's
    unknown = {name for name, (_, text) in NAMES.items() if name not in elsewhere and error_catalog.smtp(text) is None}
    assert unknown == set()
