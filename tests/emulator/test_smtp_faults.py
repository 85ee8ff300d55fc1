"""Ordered faults: every reply by name, lines of one's own, and what networks do."""

from __future__ import annotations

import smtplib
import time
from pathlib import Path

import pytest

from emulator.faults import Fault
from emulator.smtp.faults import NAMES, STAGES
from tests.emulator.smtp_world import CONTOSO, FABRIKAM, MESSAGE, OPS, StartWorld, World, said, send, xoauth2_blob

pytest_plugins = ["tests.emulator.smtp_world"]


def reached(world: World, *, mx: bool = False) -> dict[str, str]:
    """What each stage answered, up to the first refusal."""
    found: dict[str, str] = {}
    with world.raw(mx=mx) as raw:
        found["connect"] = raw.line()
        if not found["connect"].startswith("220"):
            return found
        found["ehlo"] = raw.say("EHLO client.example.net")[-1]
        if not mx and found["ehlo"].startswith("250"):
            raw.start_tls(world.trust())
            raw.say("EHLO client.example.net")
            found["auth"] = raw.say(f"AUTH XOAUTH2 {xoauth2_blob()}")[-1]
        commands = {"mail": f"MAIL FROM:<{OPS}>", "rcpt": f"RCPT TO:<{OPS}>", "DATA": "DATA", "data": MESSAGE + b".\r\n"}
        for name, command in commands.items():
            if found[list(found)[-1]][:1] not in "23":
                break
            found[name] = raw.say(command)[-1]
    return {name: line.removesuffix("\r\n") for name, line in found.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_named_fault_is_played_once_where_it_belongs(start_world: StartWorld, name: str) -> None:
    world = start_world(pace=False)
    stage, text = NAMES[name]
    mx = stage != "auth"
    fault = world.faults.order(Fault("mx" if mx else "smtp", name))
    found = reached(world, mx=mx)
    assert list(found)[-1] == stage
    begin = text.partition("{")[0]
    assert found[stage].startswith(begin)
    assert "{" not in found[stage]
    assert fault.used == 1
    assert reached(world, mx=mx)["data"].startswith("250 ")


def test_names_fill_in_what_the_service_knows(world: World) -> None:
    world.state.network["127.0.0.1"] = "203.0.113.5"
    world.faults.order(Fault("mx", "server_busy"))
    assert reached(world, mx=True)["mail"] == "451 4.7.500 Server busy. Please try again later from [203.0.113.5]. (AS761)"
    world.faults.order(Fault("mx", "dmarc"))
    assert "sending domain [contoso.com] does not pass" in reached(world, mx=True)["data"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_line_of_ones_own_at_every_stage(world: World, stage: str) -> None:
    world.faults.order(Fault("smtp", match={"stage": stage}, status=451, body="4.3.0 as ordered"))
    found = reached(world)
    assert list(found)[-1] == stage
    assert found[stage].startswith("451 4.3.0 as ordered")
    assert reached(world)["data"].startswith("250 ")


def test_a_fault_at_sign_in_is_repeated_at_mail(world: World) -> None:
    world.faults.order(Fault("smtp", "conditional_access", {"mailbox": OPS}))
    with world.client() as client:
        assert said(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob()}")).startswith(
            "535 5.7.139 Authentication unsuccessful, the request did"
        )
        cause = said(client.mail(OPS))
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
def test_faults_are_bound_to_facts(world: World, match: dict[str, str], hit: bool) -> None:
    world.faults.order(Fault("smtp", match=match | {"stage": "rcpt"}, status=450, body="4.2.1 as ordered"))
    with world.signed_in() as client:
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
def test_a_fault_of_one_tenant_or_mailbox(world: World, service: str, stage: str, match: dict[str, str], hit: bool) -> None:
    world.faults.order(Fault(service, match=match | {"stage": stage}, status=451, body="4.3.0 as ordered"))
    assert reached(world, mx=service == "mx")[stage].startswith("451 4.3.0 as ordered") is hit


def test_a_fault_of_one_service_is_not_played_by_the_other(world: World) -> None:
    world.faults.order(Fault("mx", match={"stage": "data"}, status=451, body="4.3.0 as ordered"))
    assert reached(world)["data"].startswith("250 ")
    assert reached(world, mx=True)["data"].startswith("451 ")


def test_a_421_closes_the_connection(world: World) -> None:
    world.faults.order(Fault("smtp", match={"stage": "mail"}, status=421, body="4.3.2 Service not available"))
    with world.signed_in() as client:
        assert said(client.mail(OPS)).startswith("421 ")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


@pytest.mark.parametrize("stage", STAGES)
def test_dropped_connections(world: World, stage: str) -> None:
    world.faults.order(Fault("smtp", "drop", {"stage": stage}))
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)), world.signed_in() as client:
        send(client)
    assert world.state.messages == []
    with world.signed_in() as client:
        assert send(client).startswith("250 ")


def test_a_reply_that_gets_lost_leaves_the_message(world: World) -> None:
    world.faults.order(Fault("smtp", "lose_reply"))
    with world.signed_in() as client, pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(client)
    assert len(world.state.messages) == 1


def test_stalls_and_delayed_replies(world: World) -> None:
    world.faults.order(Fault("smtp", "stall", {"stage": "mail"}, options={"seconds": 0.4}))
    world.faults.order(Fault("smtp", match={"stage": "rcpt"}, status=451, body="4.3.0 late", options={"seconds": 0.4}))
    with world.signed_in() as client:
        start = time.monotonic()
        assert client.mail(OPS)[0] == 250
        assert time.monotonic() - start > 0.35
        assert said(client.rcpt("x@example.net")) == "451 4.3.0 late"
        assert time.monotonic() - start > 0.75


def test_latency(world: World) -> None:
    world.faults.set_latency({"mx": 0.1})
    start = time.monotonic()
    assert reached(world, mx=True)["data"].startswith("250 ")
    assert time.monotonic() - start > 0.45  # connect, ehlo, mail, rcpt, data


def test_a_name_that_is_none_says_so(world: World) -> None:
    world.faults.order(Fault("smtp", "no_such_fault", {"stage": "mail"}))
    assert reached(world)["mail"] == "451 4.3.0 The emulator knows no fault 'no_such_fault'"


def test_the_product_knows_every_reply() -> None:
    """Every reply that the service can give has its row in the collection's table of errors."""
    from ansible_collections.mailops.m365.plugins.module_utils import error_catalog

    assert Path(error_catalog.__file__).parent.name == "error_catalog"
    elsewhere = {"token_expires_soon", "relay_refused_later"}  # High Volume Email's, and a later hop's
    unknown = {name for name, (_, text) in NAMES.items() if name not in elsewhere and error_catalog.smtp(text) is None}
    assert unknown == set()
