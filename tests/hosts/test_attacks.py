"""Attacks on a relay host on Debian 12 and 13, each beside what it must not stop: the same by somebody who may."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import pytest

from .door import ADA, ERP, LEGACY, PASSWORD, PRINTER, SCANNER, USER, Door

pytestmark = pytest.mark.xdist_group("doors")
EHLO = "EHLO copier.local\r\n"
AWAY = "victim@elsewhere.example"
CHIEF = "ceo@contoso.com"


def login(user: str, password: str) -> str:
    response = base64.b64encode(f"\x00{user}\x00{password}".encode()).decode()
    return f"AUTH PLAIN {response}\r\n"


SIGNED_IN = {"port": 587, "tls": "TLSv1_2", "starttls": True}


def signed_in(user: str, password: str) -> list[str]:
    return [EHLO, "STARTTLS\r\n", EHLO, login(user, password)]


def commands(sender: str, recipients: Sequence[str]) -> list[str]:
    """A transaction up to its recipients, as typed between the angle brackets."""
    return [f"MAIL FROM:<{sender}>\r\n", *(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients)]


@pytest.fixture(autouse=True)
def nothing_else_came(door: Door) -> Iterator[None]:
    """Whatever a test tries: no message reaches anybody elsewhere, and none leaves in the name of whom no device sends as."""
    before = door.numbers()
    yield
    door.idle()
    for message in door.since(before):
        assert AWAY not in message["recipients"], message
        assert message["mail_from"] in (PRINTER, SCANNER, ERP), message
        assert CHIEF not in str(message["header_from"]), message


# -- open relay ------------------------------------------------------------------------------------------------------

# RFC 5321's and older ways to name somebody elsewhere through a domain that a server may take for its own.
ROUTES = {
    "plain": AWAY,
    "percent": "victim%elsewhere.example@contoso.com",
    "quoted": '"victim@elsewhere.example"@contoso.com',
    "quoted-local": '"victim@elsewhere.example"',
    "source-route": f"@contoso.com,@office12.contoso.com:{AWAY}",
    "uucp": "elsewhere.example!victim",
    "uucp-at-home": "elsewhere.example!victim@office12.contoso.com",
    "literal": "victim@[198.51.100.10]",
}


@pytest.mark.parametrize("port", [25, LEGACY])
def test_no_open_relay(door: Door, port: int) -> None:
    code = {25: "554 5.7.1", LEGACY: "530 5.7.0"}[port]
    for sender in ("", PRINTER, "anybody@elsewhere.example"):
        replies = door.talk("outsider", [EHLO, *commands(sender, list(ROUTES.values())), "DATA\r\n"], port=port)
        refusals = dict(zip([*ROUTES, "data"], replies[3:], strict=True))
        assert refusals.pop("data").startswith(("554 5.5.1", "503 5.5.1")), replies
        assert {way: reply for way, reply in refusals.items() if not reply.startswith(code)} == {}
    allowed = door.talk("printer", [EHLO, *commands(PRINTER, [ADA])], port=port)
    assert allowed[-1].startswith("250 2.1.5"), allowed


@pytest.mark.parametrize("port", [25, 587])
def test_postmaster_is_no_way_in(door: Door, port: int) -> None:
    """Postfix takes that recipient without looking at who speaks, and the relay tells its postmaster's mail to relay_notices_to."""
    tls = {"port": port, "tls": "TLSv1_2", "starttls": True}
    for sender in (PRINTER, ERP, ""):
        replies = door.talk("outsider", [EHLO, "STARTTLS\r\n", EHLO, *commands(sender, ["postmaster"]), "DATA\r\n"], **tls)
        assert replies[-1][:3] in ("530", "554"), replies
    for sender in (ERP, CHIEF, ""):
        replies = door.talk("printer", [EHLO, *commands(sender, ["postmaster"]), "DATA\r\n"])
        assert replies[-1].startswith("554 5.7.1"), replies
    assert door.talk("printer", [EHLO, *commands(PRINTER, ["postmaster"]), "DATA\r\n"])[-1].startswith("354")


@pytest.mark.parametrize("port", [587, 465])
def test_no_relay_without_a_password_where_passwords_are_taken(door: Door, port: int) -> None:
    for device in ("outsider", "printer"):
        tls = {"port": port, "tls": "TLSv1_2", "starttls": port == 587}
        begin = [EHLO, "STARTTLS\r\n", EHLO] if port == 587 else [EHLO]
        refused = door.talk(device, [*begin, *commands(PRINTER, ["@a,@b:" + AWAY, AWAY])], **tls)
        assert all(reply.startswith("530 5.7.0") for reply in refused[-2:]), refused
    taken = door.talk("outsider", [*begin, login(USER, PASSWORD), *commands(ERP, [ADA])], **tls)
    assert taken[-1].startswith("250 2.1.5"), taken


# -- spoofed senders -------------------------------------------------------------------------------------------------

SPOOFS = [
    "",
    CHIEF,
    "ceo@elsewhere.example",
    "printers",
    f'"{PRINTER}"@elsewhere.example',
    "printers%contoso.com@elsewhere.example",
    "printers@contoso.com.elsewhere.example",
    "printers+ceo@contoso.com",
    "root@office12.contoso.com",
]


def spoof(door: Door, device: str, senders: Sequence[str], begin: Sequence[str] = (EHLO,), **more: object) -> list[str]:
    """The reply to the recipient, for each of these senders."""
    session = [line for sender in senders for line in (*commands(sender, [ADA]), "RSET\r\n")]
    replies = door.talk(device, [*begin, *session], **more)
    assert len(replies) == 1 + len(begin) + len(session), replies
    return replies[len(begin) + 2 :: 3]


def test_a_device_sends_in_no_other_name(door: Door) -> None:
    """In the envelope, without a password."""
    senders = [*SPOOFS, ERP]
    told = dict(zip(senders, spoof(door, "printer", senders), strict=True))
    assert {sender: reply for sender, reply in told.items() if not reply.startswith("554 5.7.1")} == {}
    own = [PRINTER, PRINTER.upper(), f"@a.example:{PRINTER}"]  # a source route changes nothing (RFC 5321, C)
    assert [reply[:9] for reply in spoof(door, "printer", own)] == ["250 2.1.5"] * 3


def test_who_signs_in_sends_in_no_other_name(door: Door) -> None:
    """From a device's own address, too: signed in, it is the user that counts."""
    senders = [*SPOOFS, PRINTER]
    told = dict(zip(senders, spoof(door, "printer", senders, signed_in(USER, PASSWORD), **SIGNED_IN), strict=True))
    assert {sender: reply for sender, reply in told.items() if not reply.startswith("554 5.7.1")} == {}
    assert spoof(door, "printer", [ERP], signed_in(USER, PASSWORD), **SIGNED_IN)[0].startswith("250 2.1.5")
