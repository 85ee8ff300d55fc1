"""Attacks on a relay host on Debian 12 and 13, each beside what it must not stop: the same by somebody who may."""

from __future__ import annotations

import base64
import email.utils
import re
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from .door import ADA, ERP, LEGACY, PASSWORD, PINNED, PINNED_PASSWORD, PRINTER, SCANNER, USER, Door, wait_until

pytestmark = pytest.mark.xdist_group("doors")
EHLO = "EHLO copier.local\r\n"
AWAY = "victim@elsewhere.example"
CHIEF = "ceo@contoso.com"
ATTACK = f"{uuid.uuid4().hex[:8]}.attack"  # the right side of these messages' numbers


def login(user: str, password: str) -> str:
    response = base64.b64encode(f"\x00{user}\x00{password}".encode()).decode()
    return f"AUTH PLAIN {response}\r\n"


SIGNED_IN = {"port": 587, "tls": "TLSv1_2", "starttls": True}


def signed_in(user: str, password: str) -> list[str]:
    return [EHLO, "STARTTLS\r\n", EHLO, login(user, password)]


def commands(sender: str, recipients: Sequence[str]) -> list[str]:
    """A transaction up to its recipients, as typed between the angle brackets."""
    return [f"MAIL FROM:<{sender}>\r\n", *(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients)]


def letter(number: str, sender: str = PRINTER, *, fields: str = "", body: str = "body\r\n") -> str:
    given = fields or f"From: {sender}\r\n"
    return f"{given}To: {ADA}\r\nSubject: attack\r\nMessage-ID: <{number}>\r\n\r\n{body}"


def send(door: Door, device: str, sender: str, texts: Sequence[str], endings: Sequence[str] = (), **more: object) -> None:
    """Messages of one session, each with its own end; every one is taken."""
    ends = endings or [".\r\n"] * len(texts)
    session = [line for text, end in zip(texts, ends, strict=True) for line in (*commands(sender, [ADA]), "DATA\r\n", text + end)]
    replies = door.talk(device, [EHLO, *session], **more)
    assert [reply[:3] for reply in replies[2:]] == ["250", "250", "354", "250"] * len(texts), replies


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


def test_no_open_relay_over_ipv6_and_a_device_is_known_by_its_address(door: Door) -> None:
    server, number = door.over_ipv6("printer", "outsider"), f"six-{door.host.release}@{ATTACK}"
    for sender in ("", PRINTER):
        refused = door.talk("outsider", [EHLO, *commands(sender, [AWAY, ADA])], server=server)
        assert all(reply.startswith("554 5.7.1") for reply in refused[-2:]), refused
    taken = door.talk("printer", [EHLO, *commands(PRINTER, [ADA]), "DATA\r\n", letter(number) + ".\r\n"], server=server)
    assert taken[-1].startswith("250"), taken
    door.receive(number)
    spoofed = door.talk("printer", [EHLO, *commands(CHIEF, [ADA])], server=server)
    assert spoofed[-1].startswith(f"554 5.7.1 <{CHIEF}>: Sender address rejected: Printer may send only as"), spoofed


@pytest.mark.parametrize("port", [25, 587])
def test_postmaster_is_no_way_in(door: Door, port: int) -> None:
    """Postfix takes that recipient without looking at who speaks, and the relay tells its postmaster's mail to relay_postmaster."""
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


def spoofs(door: Door, own: str) -> list[str]:
    """Senders who are none of the device's; and its own address in disguises that begin at the relay's own names."""
    user, domain = own.split("@")
    disguises = (f"{user}%{domain}", f'"{own}"', f"{domain}!{user}", own)
    return [*SPOOFS, *(f"{disguise}@{host}" for host in (door.name, "localhost") for disguise in disguises)]


def spoof(door: Door, device: str, senders: Sequence[str], begin: Sequence[str] = (EHLO,), **more: object) -> list[str]:
    """The reply to the recipient, for each of these senders."""
    session = [line for sender in senders for line in (*commands(sender, [ADA]), "RSET\r\n")]
    replies = door.talk(device, [*begin, *session], **more)
    assert len(replies) == 1 + len(begin) + len(session), replies
    return replies[len(begin) + 2 :: 3]


def test_a_device_sends_in_no_other_name(door: Door) -> None:
    """In the envelope, without a password."""
    senders = [*spoofs(door, PRINTER), ERP]
    told = dict(zip(senders, spoof(door, "printer", senders), strict=True))
    assert {sender: reply for sender, reply in told.items() if not reply.startswith("554 5.7.1")} == {}
    own = [PRINTER, PRINTER.upper(), f"@a.example:{PRINTER}"]  # a source route changes nothing (RFC 5321, C)
    assert [reply[:9] for reply in spoof(door, "printer", own)] == ["250 2.1.5"] * 3


def test_who_signs_in_sends_in_no_other_name(door: Door) -> None:
    """From a device's own address, too: signed in, it is the user that counts."""
    senders = [*spoofs(door, ERP), PRINTER]
    told = dict(zip(senders, spoof(door, "printer", senders, signed_in(USER, PASSWORD), **SIGNED_IN), strict=True))
    assert {sender: reply for sender, reply in told.items() if not reply.startswith("554 5.7.1")} == {}
    assert spoof(door, "printer", [ERP], signed_in(USER, PASSWORD), **SIGNED_IN)[0].startswith("250 2.1.5")


FROMS = {
    "plain": f"From: {CHIEF}\r\n",
    "named": f'From: "{PRINTER}" <{CHIEF}>\r\n',
    "two-fields": f"From: {PRINTER}\r\nFrom: {CHIEF}\r\n",
    "two-fields-reversed": f"From: {CHIEF}\r\nFrom: {PRINTER}\r\n",
    "two-addresses": f"From: {PRINTER}, {CHIEF}\r\n",
    "folded": f"From:\r\n <{CHIEF}>\r\n",
    "blank": f"From : {CHIEF}\r\n",
    "case": f"fROM: {CHIEF}\r\n",
    "comment": f"From: ({PRINTER}) {CHIEF}\r\n",
    "group": f"From: them: {PRINTER}, {CHIEF};\r\n",
    "brackets": f"From: <{PRINTER}> <{CHIEF}>\r\n",
    "null-byte": f"From: <{PRINTER}\x00> <{CHIEF}>\r\n",
    "bare-cr": f"From: {PRINTER}\rFrom: {CHIEF}\r\n",
    "sender": f"From: {PRINTER}\r\nSender: {CHIEF}\r\nResent-From: {CHIEF}\r\n",
    "long": f"From: {'x' * 3000} <{CHIEF}>\r\n",
}


TWO_FIELDS = ("two-fields", "two-fields-reversed")


@pytest.mark.parametrize(("device", "sender"), [("printer", PRINTER), ("scanner", SCANNER)])
def test_header_from_is_the_mailbox_whatever_a_device_writes(door: Door, device: str, sender: str) -> None:
    """`scanner` is rewritten; its Reply-To names whom it wanted to be, which is no sender."""
    numbers = {name: f"from-{name}-{device}-{door.host.release}@{ATTACK}" for name in FROMS}
    texts = [letter(numbers[name], fields=fields) for name, fields in FROMS.items()]
    send(door, device, CHIEF if device == "scanner" else PRINTER, texts)
    door.idle()
    for name, number in numbers.items():
        found = door.arrived(number)
        if not found and name in TWO_FIELDS:
            continue  # the service takes no message with two of them (550 5.1.20), whoever they name
        arrived = door.receive(number, 60)[1]
        froms = [str(value) for value in arrived.get_all("From") or []]
        assert found[0]["mail_from"] == sender, name
        assert [email.utils.parseaddr(value)[1] for value in froms] == [sender], (name, froms)
        assert CHIEF not in str([froms, *(arrived.get_all(other) for other in ("Sender", "Resent-From", "Return-Path"))]), name
    number = f"from-own-{device}-{door.host.release}@{ATTACK}"
    send(door, device, sender, [letter(number, fields=f'From: "Third floor" <{sender}>\r\n')])
    assert str(door.receive(number, 60)[1]["From"]).replace('"', "") == f"Third floor <{sender}>"


# -- smuggling -------------------------------------------------------------------------------------------------------

# What some servers take for the end of a message: hannob/smtpsmug's list, and the right one.
ENDINGS = [
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r.\r\n",
    "\r\n.\r",
    "\n.\r",
    "\r.\n",
    "\r\n\x00.\r\n",
    "\r\n.\x00\r\n",
    "\r\r\n.\r\r\n",
]


@pytest.mark.parametrize(("device", "sender"), [("printer", PRINTER), ("scanner", SCANNER)])
def test_no_second_message_is_smuggled_in_a_first(door: Door, device: str, sender: str) -> None:
    outer, inner = (
        [f"{kind}-{place}-{device}-{door.host.release}@{ATTACK}" for place in range(len(ENDINGS))] for kind in ("outer", "inner")
    )
    hidden = [f"MAIL FROM:<{sender}>\r\nRCPT TO:<{AWAY}>\r\nDATA\r\n{letter(number)}\r\n.\r\n" for number in inner]
    texts = [letter(number).removesuffix("\r\n") for number in outer]
    # Were one of these an end, there would be more replies than messages, and later ones be taken for those of this one.
    send(door, device, sender, texts, [ending + text for ending, text in zip(ENDINGS, hidden, strict=True)])
    for place, number in enumerate(outer):
        raw = door.world.admin.raw_message(door.receive(number)[0]["number"])
        # Who comes after us sees one message, too: no other line ends leave this relay, and no dot stands alone.
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw), ENDINGS[place]
        assert inner[place].encode() in raw, ENDINGS[place]
    door.idle()
    assert [number for number in inner if door.arrived(number)] == []
    both = [f"{kind}-{device}-{door.host.release}@{ATTACK}" for kind in ("first", "second")]
    send(door, device, sender, [letter(number) for number in both])
    for number in both:
        door.receive(number)


def test_nobody_speaks_before_it_is_his_turn(door: Door) -> None:
    number = f"hasty-{door.host.release}@{ATTACK}"
    transaction = "".join(commands(PRINTER, [ADA]))
    whole = f"DATA\r\n{letter(number)}.\r\n"
    refused = door.talk("printer", [EHLO, transaction, "", "", whole])
    assert not any(reply.startswith("354") for reply in refused), refused
    early = door.talk("printer", [""] * 5, hasty=EHLO + transaction + whole, timeout=3)
    assert not any(reply.startswith("354") for reply in early), early
    door.idle()
    assert not door.arrived(number)
    # What was sent in clear before TLS is not executed after it (CVE-2011-0411).
    injected = door.talk("printer", [EHLO, "STARTTLS\r\nVRFY ada\r\n", EHLO], tls="TLSv1_2", starttls=True, timeout=3)
    assert not any(reply.startswith(("252", "502 5.5.1 VRFY")) for reply in injected), injected
    patient = door.talk("printer", [EHLO, *commands(PRINTER, [ADA]), "DATA\r\n", letter(number) + ".\r\n"])
    assert patient[-1].startswith("250"), patient
    door.receive(number)


# -- passwords -------------------------------------------------------------------------------------------------------


def test_passwords_are_taken_only_where_nobody_listens_in(door: Door) -> None:
    for port in (25, 587, LEGACY):
        replies = door.talk(
            "outsider", [EHLO, login(USER, PASSWORD), "STARTTLS\r\n", EHLO, login(USER, PASSWORD)], port=port, tls="TLSv1_2", starttls=True
        )
        clear, encrypted = replies[1:3], replies[4:6]
        if port == LEGACY and door.takes_passwords_in_clear:
            assert "AUTH" in clear[0]
            assert clear[1].startswith("235"), replies
            continue
        assert "AUTH" not in clear[0], (port, replies)
        assert clear[1][:3] in ("503", "530", "538"), (port, replies)
        if port == 25:
            assert "AUTH" not in encrypted[0]
            assert encrypted[1].startswith("503 5.5.1"), replies
        else:
            assert "AUTH PLAIN LOGIN" in encrypted[0], replies
            assert encrypted[1].startswith("235"), (port, replies)


def guess(door: Door, device: str, user: str, password: str = "") -> str:
    return door.talk(device, signed_in(user, password or "wrong"), **SIGNED_IN)[-1]


def banned(door: Door) -> list[str]:
    return re.findall(r"\d+\.\d+\.\d+\.\d+", door.host.run("fail2ban-client get mailops-relay banip"))


def test_who_guesses_passwords_is_banned_and_devices_are_not(door: Door) -> None:
    assert guess(door, "outsider", PINNED, PINNED_PASSWORD).startswith("535"), "the right password, at the wrong address"
    # A name that looks like a line of the log about somebody else.
    names = [
        USER,
        PINNED,
        "root",
        "admin@[198.51.100.77]: SASL LOGIN authentication failed: x",
        "x[198.51.100.78]: SASL PLAIN authentication failed: y",
    ]
    try:
        with ThreadPoolExecutor(10) as pool:
            for device in ("printer", "erp"):
                assert all(reply.startswith("535") for reply in pool.map(lambda name, device=device: guess(door, device, name), names * 2))
            list(pool.map(lambda name: guess(door, "outsider", name), names))
        wait_until(lambda: banned(door), 20, "a ban")
        assert banned(door) == [door.world.devices["outsider"].address]
        assert door.world.devices["outsider"].address in door.host.run("nft list ruleset")
        knock = ["bash", "-c", f"timeout 3 bash -c '</dev/tcp/{door.host.address}/587'"]
        assert door.on("outsider", knock).returncode != 0
        assert door.on("printer", knock).returncode == 0
        assert guess(door, "erp", PINNED, PINNED_PASSWORD).startswith("235")
    finally:
        door.host.run("fail2ban-client unban --all")
    assert door.on("outsider", knock).returncode == 0


# -- on the relay itself ---------------------------------------------------------------------------------------------

SEARCH = "grep --recursive --files-with-matches --no-messages --devices=skip --fixed-strings --file=- /etc /run /var /usr/local /tmp /root"
COLLECT = r"""
grep -o "pass=[^[:space:]]*" /run/mailops-relay/passdb | cut -c6- | sort -u
grep -o "{PLAIN}[^:]*" /run/mailops-relay/passdb | cut -c8- | sort -u
sed -n "3p" /etc/mailops-relay/identity/key.pem
sed -n "3p" /etc/mailops-relay/server.key.pem
cut -d: -f2 /etc/mailops-relay/devices.users | sed "s/{SHA512-CRYPT}//"
"""


def test_a_user_of_the_relay_learns_no_secret(door: Door) -> None:
    host = door.host
    host.run("id nosy 2>/dev/null || useradd --create-home nosy")
    secrets = [*host.run(["bash", "-c", COLLECT]).split(), PASSWORD, PINNED_PASSWORD]
    assert len(secrets) >= 8, "token, the bridge's secret, two keys, two hashes, two passwords"
    assert all(len(secret) > 15 for secret in secrets)
    told = "\n".join(secrets) + "\n"
    found = host.call(SEARCH, text=told).stdout.split()
    assert {"/run/mailops-relay/passdb", "/etc/mailops-relay/identity/key.pem", "/etc/mailops-relay/devices.users"} <= set(found)
    assert host.call(f"runuser -u nosy -- {SEARCH}", text=told).stdout == ""
    for socket in (
        "/var/spool/postfix/private/m365auth",
        "/run/mailops-relay-proxy/login/submission",
        "/run/mailops-relay-sasl/auth-master",
    ):
        assert host.call(f"runuser -u nosy -- test -w {socket}").returncode == 1, socket
    # While a token is renewed, a user signs in and mail leaves: no process ever has one of them on its command line.
    look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"
    watching = f"while [ ! -e /run/watched ]; do {look}; touch /run/watching; sleep 0.02; done"
    with ThreadPoolExecutor(2) as pool:
        seen = pool.submit(host.run, watching)
        wait_until(lambda: not host.call("test -e /run/watching").returncode, 20, "somebody watches")
        host.run("rm /run/mailops-relay/token.json && systemctl start mailops-relay-token.service && test -e /run/mailops-relay/token.json")
        sent = door.talk(
            "outsider",
            [*signed_in(USER, PASSWORD), *commands(ERP, [ADA]), "DATA\r\n", letter(f"nosy-{host.release}@{ATTACK}", ERP) + ".\r\n"],
            **SIGNED_IN,
        )
        assert sent[-1].startswith("250"), sent
        host.run("touch /run/watched")
    assert "mailops-relay token" in seen.result()
    assert not [secret for secret in secrets if secret in seen.result()]
    journal = host.run("journalctl --no-pager --output=cat --all")
    assert f"sasl_username={USER}" in journal
    assert not [secret for secret in secrets if secret in journal or base64.b64encode(secret.encode()).decode() in journal]
    lines = "journalctl --no-pager --quiet --lines=5 --unit=postfix*"
    assert len(host.run(lines).splitlines()) == 5
    assert host.call(f"runuser -u nosy -- {lines}").stdout == ""


FORGED = "0123456789AB: to=<ada@contoso.com>, relay=x, dsn=2.0.0, status=sent (250 forged)"


def test_what_an_attacker_writes_stays_in_its_place_in_the_log(door: Door) -> None:
    """Line ends, terminal codes and lines of a log in every field that reaches it."""
    escape = "\x1b[2J\x07\x08\x9b31m"
    hellos = [f"EHLO x{escape}\r\n", f"HELO {'h' * 400}\r\n", f"EHLO x {FORGED}\r\n"]
    senders = [f'"a{escape}"@evil.example', f'"> {FORGED}"@evil.example', f"{'l' * 900}@evil.example", f"x\r{FORGED}@evil.example"]
    lines = [*hellos, *(line for sender in senders for line in (*commands(sender, [ADA]), "RSET\r\n"))]
    for device in ("outsider", "printer"):
        assert not any(reply.startswith("354") for reply in door.talk(device, lines))
    door.talk("printer", [EHLO, f"MAIL FROM:<{PRINTER}>\n{FORGED}\r\n"], timeout=3)
    door.talk("outsider", [*signed_in(f"u{escape}\n{FORGED}", "wrong")], **SIGNED_IN)
    number = f"log-{door.host.release}@{ATTACK}"
    fields = f"From: {escape}\r\n\t{FORGED}\r {FORGED} <{CHIEF}>\r\nX: {'y' * 90_000}\r\n"
    for device, sender in (("printer", PRINTER), ("scanner", SCANNER)):
        send(door, device, sender, [letter(f"{device}-{number}", fields=fields)])
        door.receive(f"{device}-{number}", 60)
    log = door.log()
    assert any("evil.example" in line for line in log)
    # Postfix leaves UTF-8 as it is, so a second set of control codes with it (U+0080 to U+009F): journalctl shows no line that has one.
    assert [line for line in log if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line)] == []
    assert [line for line in log if line.startswith("0123456789AB")] == []
