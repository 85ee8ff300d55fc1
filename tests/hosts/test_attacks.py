"""Attacks on a relay host on Debian 12 and 13, each beside the same actions by an authorized device, which have to work."""

from __future__ import annotations

import base64
import email.utils
import json
import re
import sys
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from .device_relay import ADA, ERP, LEGACY, PASSWORD, PINNED, PINNED_PASSWORD, PRINTER, SCANNER, USER, DeviceRelay, wait_until

pytestmark = pytest.mark.xdist_group("devices")
EHLO = "EHLO copier.local\r\n"
EXTERNAL = "victim@elsewhere.example"
SPOOFED = "ceo@contoso.com"
ATTACK = f"{uuid.uuid4().hex[:8]}.attack"  # the domain of the Message-IDs


def login(user: str, password: str) -> str:
    response = base64.b64encode(f"\x00{user}\x00{password}".encode()).decode()
    return f"AUTH PLAIN {response}\r\n"


SIGNED_IN = {"port": 587, "tls": "TLSv1_2", "starttls": True}


def signed_in(user: str, password: str) -> list[str]:
    return [EHLO, "STARTTLS\r\n", EHLO, login(user, password)]


def commands(sender: str, recipients: Sequence[str]) -> list[str]:
    """A transaction up to its recipients; the addresses are what is between the angle brackets."""
    return [f"MAIL FROM:<{sender}>\r\n", *(f"RCPT TO:<{recipient}>\r\n" for recipient in recipients)]


def message(number: str, sender: str = PRINTER, *, fields: str = "", body: str = "body\r\n") -> str:
    header = fields or f"From: {sender}\r\n"
    return f"{header}To: {ADA}\r\nSubject: attack\r\nMessage-ID: <{number}>\r\n\r\n{body}"


def send(relay: DeviceRelay, device: str, sender: str, texts: Sequence[str], endings: Sequence[str] = (), **more: object) -> None:
    """Send messages in one session, each with its own ending; every one is accepted."""
    ends = endings or [".\r\n"] * len(texts)
    session = [line for text, end in zip(texts, ends, strict=True) for line in (*commands(sender, [ADA]), "DATA\r\n", text + end)]
    replies = relay.smtp_session(device, [EHLO, *session], **more)
    assert [reply[:3] for reply in replies[2:]] == ["250", "250", "354", "250"] * len(texts), replies


@pytest.fixture(autouse=True)
def no_other_message_arrives(relay: DeviceRelay) -> Iterator[None]:
    """After every test: no message reached an external recipient, and none was sent as an address that is not a device's."""
    before = relay.message_numbers()
    yield
    relay.wait_until_empty()
    for record in relay.messages_since(before):
        assert EXTERNAL not in record["recipients"], record
        assert record["mail_from"] in (PRINTER, SCANNER, ERP), record
        assert SPOOFED not in str(record["header_from"]), record


# -- open relay ------------------------------------------------------------------------------------------------------

# Addresses of RFC 5321 and older forms that name an external recipient through a domain that a server may treat as its own.
ROUTES = {
    "plain": EXTERNAL,
    "percent": "victim%elsewhere.example@contoso.com",
    "quoted": '"victim@elsewhere.example"@contoso.com',
    "quoted-local": '"victim@elsewhere.example"',
    "source-route": f"@contoso.com,@office12.contoso.com:{EXTERNAL}",
    "uucp": "elsewhere.example!victim",
    "uucp-at-home": "elsewhere.example!victim@office12.contoso.com",
    "literal": "victim@[198.51.100.10]",
}


REFUSED = "521 5.7.1 "


def test_unknown_client_is_refused_when_it_connects(relay: DeviceRelay) -> None:
    greeting, *rest = relay.smtp_session("outsider", [EHLO])
    assert greeting.startswith(REFUSED)
    assert "in no network of relay_devices" in greeting
    assert rest == ["closed"]
    assert relay.smtp_session("printer", [EHLO, *commands(PRINTER, [ADA])])[-1].startswith("250 2.1.5")


def test_no_open_relay(relay: DeviceRelay) -> None:
    """On the listener where unknown clients may connect without TLS."""
    port, code = LEGACY, "530 5.7.0"
    for sender in ("", PRINTER, "anybody@elsewhere.example"):
        replies = relay.smtp_session("outsider", [EHLO, *commands(sender, list(ROUTES.values())), "DATA\r\n"], port=port)
        refusals = dict(zip([*ROUTES, "data"], replies[3:], strict=True))
        assert refusals.pop("data").startswith(("554 5.5.1", "503 5.5.1")), replies
        assert {form: reply for form, reply in refusals.items() if not reply.startswith(code)} == {}
    allowed = relay.smtp_session("printer", [EHLO, *commands(PRINTER, [ADA])], port=port)
    assert allowed[-1].startswith("250 2.1.5"), allowed


def test_no_open_relay_over_ipv6(relay: DeviceRelay) -> None:
    server, number = relay.add_ipv6("printer", "outsider"), f"six-{relay.host.release}@{ATTACK}"
    for sender in ("", PRINTER):
        refused = relay.smtp_session("outsider", [EHLO, *commands(sender, [EXTERNAL, ADA])], server=server)
        assert refused[0].startswith(REFUSED), refused
    accepted = relay.smtp_session("printer", [EHLO, *commands(PRINTER, [ADA]), "DATA\r\n", message(number) + ".\r\n"], server=server)
    assert accepted[-1].startswith("250"), accepted
    relay.receive(number)
    spoofed = relay.smtp_session("printer", [EHLO, *commands(SPOOFED, [ADA])], server=server)
    assert spoofed[-1].startswith(f"554 5.7.1 <{SPOOFED}>: Sender address rejected: Printer may send only as"), spoofed


@pytest.mark.parametrize("port", [25, 587, LEGACY])
def test_postmaster_does_not_bypass_the_restrictions(relay: DeviceRelay, port: int) -> None:
    """Postfix accepts that recipient from any client, and the relay forwards the postmaster's mail to relay_postmaster."""
    tls = {"port": port, "tls": "TLSv1_2", "starttls": True}
    for sender in (PRINTER, ERP, ""):
        replies = relay.smtp_session("outsider", [EHLO, "STARTTLS\r\n", EHLO, *commands(sender, ["postmaster"]), "DATA\r\n"], **tls)
        assert replies[0].startswith(REFUSED) if port == 25 else replies[-1][:3] in ("530", "554"), replies
    for sender in (ERP, SPOOFED, ""):
        if port != 587:
            replies = relay.smtp_session("printer", [EHLO, *commands(sender, ["postmaster"]), "DATA\r\n"], port=port)
            assert replies[-1].startswith("554 5.7.1"), replies
            own = relay.smtp_session("printer", [EHLO, *commands(PRINTER, ["postmaster"]), "DATA\r\n"], port=port)
            assert own[-1].startswith("354"), own


@pytest.mark.parametrize("port", [587, 465])
def test_no_relay_without_authentication_on_submission_ports(relay: DeviceRelay, port: int) -> None:
    for device in ("outsider", "printer"):
        tls = {"port": port, "tls": "TLSv1_2", "starttls": port == 587}
        begin = [EHLO, "STARTTLS\r\n", EHLO] if port == 587 else [EHLO]
        refused = relay.smtp_session(device, [*begin, *commands(PRINTER, ["@a,@b:" + EXTERNAL, EXTERNAL])], **tls)
        assert all(reply.startswith("530 5.7.0") for reply in refused[-2:]), refused
    accepted = relay.smtp_session("outsider", [*begin, login(USER, PASSWORD), *commands(ERP, [ADA])], **tls)
    assert accepted[-1].startswith("250 2.1.5"), accepted


# -- spoofed senders -------------------------------------------------------------------------------------------------

SPOOFS = [
    "",
    SPOOFED,
    "ceo@elsewhere.example",
    "printers",
    f'"{PRINTER}"@elsewhere.example',
    "printers%contoso.com@elsewhere.example",
    "printers@contoso.com.elsewhere.example",
    "printers+ceo@contoso.com",
    "root@office12.contoso.com",
]


def spoofs(relay: DeviceRelay, own: str) -> list[str]:
    """Senders that are not the device's, and its own address in forms that use the relay's own names."""
    user, domain = own.split("@")
    disguises = (f"{user}%{domain}", f'"{own}"', f"{domain}!{user}", own)
    return [*SPOOFS, *(f"{disguise}@{host}" for host in (relay.name, "localhost") for disguise in disguises)]


def spoof(relay: DeviceRelay, device: str, senders: Sequence[str], begin: Sequence[str] = (EHLO,), **more: object) -> list[str]:
    """The reply to the recipient, for each of these senders."""
    session = [line for sender in senders for line in (*commands(sender, [ADA]), "RSET\r\n")]
    replies = relay.smtp_session(device, [*begin, *session], **more)
    assert len(replies) == 1 + len(begin) + len(session), replies
    return replies[len(begin) + 2 :: 3]


@pytest.mark.parametrize("port", [25, LEGACY])
def test_device_cannot_send_as_another_address(relay: DeviceRelay, port: int) -> None:
    """In the envelope, without authentication."""
    senders = [*spoofs(relay, PRINTER), ERP]
    replies = dict(zip(senders, spoof(relay, "printer", senders, port=port), strict=True))
    assert {sender: reply for sender, reply in replies.items() if not reply.startswith("554 5.7.1")} == {}
    own = [PRINTER, PRINTER.upper(), f"@a.example:{PRINTER}"]  # a source route changes nothing (RFC 5321, C)
    assert [reply[:9] for reply in spoof(relay, "printer", own, port=port)] == ["250 2.1.5"] * 3


@pytest.mark.parametrize("port", [587, LEGACY])
def test_sasl_user_cannot_send_as_another_address(relay: DeviceRelay, port: int) -> None:
    """From a device's own IP address, too: after authentication the user decides."""
    senders = [*spoofs(relay, ERP), PRINTER]
    session = {**SIGNED_IN, "port": port}
    replies = dict(zip(senders, spoof(relay, "printer", senders, signed_in(USER, PASSWORD), **session), strict=True))
    assert {sender: reply for sender, reply in replies.items() if not reply.startswith("554 5.7.1")} == {}
    assert spoof(relay, "printer", [ERP], signed_in(USER, PASSWORD), **session)[0].startswith("250 2.1.5")


FROMS = {
    "plain": f"From: {SPOOFED}\r\n",
    "named": f'From: "{PRINTER}" <{SPOOFED}>\r\n',
    "two-fields": f"From: {PRINTER}\r\nFrom: {SPOOFED}\r\n",
    "two-fields-reversed": f"From: {SPOOFED}\r\nFrom: {PRINTER}\r\n",
    "two-addresses": f"From: {PRINTER}, {SPOOFED}\r\n",
    "folded": f"From:\r\n <{SPOOFED}>\r\n",
    "blank": f"From : {SPOOFED}\r\n",
    "case": f"fROM: {SPOOFED}\r\n",
    "comment": f"From: ({PRINTER}) {SPOOFED}\r\n",
    "group": f"From: them: {PRINTER}, {SPOOFED};\r\n",
    "brackets": f"From: <{PRINTER}> <{SPOOFED}>\r\n",
    "null-byte": f"From: <{PRINTER}\x00> <{SPOOFED}>\r\n",
    "bare-cr": f"From: {PRINTER}\rFrom: {SPOOFED}\r\n",
    "sender": f"From: {PRINTER}\r\nSender: {SPOOFED}\r\nResent-From: {SPOOFED}\r\n",
    "long": f"From: {'x' * 3000} <{SPOOFED}>\r\n",
}


TWO_FIELDS = ("two-fields", "two-fields-reversed")


@pytest.mark.parametrize(("device", "sender"), [("printer", PRINTER), ("scanner", SCANNER)])
def test_header_from_is_always_the_mailbox(relay: DeviceRelay, device: str, sender: str) -> None:
    """`scanner` is rewritten; its Reply-To has the address that it named, which is not a sender."""
    numbers = {name: f"from-{name}-{device}-{relay.host.release}@{ATTACK}" for name in FROMS}
    texts = [message(numbers[name], fields=fields) for name, fields in FROMS.items()]
    send(relay, device, SPOOFED if device == "scanner" else PRINTER, texts)
    relay.wait_until_empty()
    for name, number in numbers.items():
        records = relay.arrived(number)
        if not records and name in TWO_FIELDS:
            continue  # the service accepts no message with two of them (550 5.1.20)
        arrived = relay.receive(number, 60)[1]
        froms = [str(value) for value in arrived.get_all("From") or []]
        assert records[0]["mail_from"] == sender, name
        assert [email.utils.parseaddr(value)[1] for value in froms] == [sender], (name, froms)
        assert SPOOFED not in str([froms, *(arrived.get_all(other) for other in ("Sender", "Resent-From", "Return-Path"))]), name
    number = f"from-own-{device}-{relay.host.release}@{ATTACK}"
    send(relay, device, sender, [message(number, fields=f'From: "Third floor" <{sender}>\r\n')])
    assert str(relay.receive(number, 60)[1]["From"]).replace('"', "") == f"Third floor <{sender}>"


# -- smuggling -------------------------------------------------------------------------------------------------------

# What some servers accept as the end of a message: the list of hannob/smtpsmug.
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


@pytest.mark.parametrize(("device", "sender", "port"), [("printer", PRINTER, 25), ("scanner", SCANNER, 25), ("printer", PRINTER, LEGACY)])
def test_no_message_is_smuggled(relay: DeviceRelay, device: str, sender: str, port: int) -> None:
    outer, inner = (
        [f"{kind}-{place}-{device}-{port}-{relay.host.release}@{ATTACK}" for place in range(len(ENDINGS))] for kind in ("outer", "inner")
    )
    hidden = [f"MAIL FROM:<{sender}>\r\nRCPT TO:<{EXTERNAL}>\r\nDATA\r\n{message(number)}\r\n.\r\n" for number in inner]
    texts = [message(number).removesuffix("\r\n") for number in outer]
    # If one of these ended a message, there would be more replies than messages.
    send(relay, device, sender, texts, [ending + text for ending, text in zip(ENDINGS, hidden, strict=True)], port=port)
    for place, number in enumerate(outer):
        raw = relay.lab.admin.raw_message(relay.receive(number)[0]["number"])
        # The next server sees one message, too: the relay sends no other line ends, and no dot alone on a line.
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw), ENDINGS[place]
        assert inner[place].encode() in raw, ENDINGS[place]
    relay.wait_until_empty()
    assert [number for number in inner if relay.arrived(number)] == []
    both = [f"{kind}-{device}-{port}-{relay.host.release}@{ATTACK}" for kind in ("first", "second")]
    send(relay, device, sender, [message(number) for number in both], port=port)
    for number in both:
        relay.receive(number)


@pytest.mark.parametrize("port", [25, LEGACY])
def test_commands_before_the_servers_reply_are_refused(relay: DeviceRelay, port: int) -> None:
    number = f"hasty-{port}-{relay.host.release}@{ATTACK}"
    transaction = "".join(commands(PRINTER, [ADA]))
    whole = f"DATA\r\n{message(number)}.\r\n"
    refused = relay.smtp_session("printer", [EHLO, transaction, "", "", whole], port=port)
    assert not any(reply.startswith("354") for reply in refused), refused
    early = relay.smtp_session("printer", [""] * 5, early=EHLO + transaction + whole, timeout=3, port=port)
    assert not any(reply.startswith("354") for reply in early), early
    relay.wait_until_empty()
    assert not relay.arrived(number)
    # A command that was sent in clear before TLS is not executed after it (CVE-2011-0411).
    starttls = {"tls": "TLSv1_2", "starttls": True, "timeout": 3, "port": port}
    injected = relay.smtp_session("printer", [EHLO, "STARTTLS\r\nVRFY ada\r\n", EHLO], **starttls)
    assert not any(reply.startswith(("252", "502 5.5.1 VRFY")) for reply in injected), injected
    patient = relay.smtp_session("printer", [EHLO, *commands(PRINTER, [ADA]), "DATA\r\n", message(number) + ".\r\n"], port=port)
    assert patient[-1].startswith("250"), patient
    relay.receive(number)


# -- passwords -------------------------------------------------------------------------------------------------------


def test_cleartext_authentication_is_refused(relay: DeviceRelay) -> None:
    for port in (25, 587, LEGACY):
        device = "printer" if port == 25 else "outsider"
        replies = relay.smtp_session(
            device, [EHLO, login(USER, PASSWORD), "STARTTLS\r\n", EHLO, login(USER, PASSWORD)], port=port, tls="TLSv1_2", starttls=True
        )
        clear, encrypted = replies[1:3], replies[4:6]
        if port == LEGACY and relay.allows_cleartext_auth:
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


def guess(relay: DeviceRelay, device: str, user: str, password: str = "", port: int = 587) -> str:
    return relay.smtp_session(device, signed_in(user, password or "wrong"), **{**SIGNED_IN, "port": port})[-1]


def banned(relay: DeviceRelay) -> list[str]:
    return re.findall(r"\d+\.\d+\.\d+\.\d+", relay.host.run("fail2ban-client get mailops-relay banip"))


def test_password_guessing_is_banned_and_devices_are_not(relay: DeviceRelay) -> None:
    assert guess(relay, "outsider", PINNED, PINNED_PASSWORD).startswith("535"), "the right password from the wrong address"
    # A user name that looks like a log line about another client.
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
                assert all(reply.startswith("535") for reply in pool.map(lambda name, device=device: guess(relay, device, name), names * 2))
            list(pool.map(lambda name: guess(relay, "outsider", name), names))
        wait_until(lambda: banned(relay), 20, "a ban")
        assert banned(relay) == [relay.lab.devices["outsider"].address]
        assert relay.lab.devices["outsider"].address in relay.host.run("nft list ruleset")
        connect = ["bash", "-c", f"timeout 60 bash -c '</dev/tcp/{relay.host.address}/587'"]
        assert relay.run_on("outsider", connect).returncode != 0
        assert relay.run_on("printer", connect).returncode == 0
        assert guess(relay, "erp", PINNED, PINNED_PASSWORD).startswith("235")
    finally:
        relay.host.run("fail2ban-client unban --all")
    assert relay.run_on("outsider", connect).returncode == 0


def test_password_guessing_on_the_legacy_listener_is_banned_from_all(relay: DeviceRelay) -> None:
    try:
        for _attempt in range(5):
            assert guess(relay, "outsider", USER, port=LEGACY).startswith("535")
        wait_until(lambda: banned(relay) == [relay.lab.devices["outsider"].address], 20, "a ban")
        for port in (465, 587, LEGACY):
            connect = ["bash", "-c", f"timeout 60 bash -c '</dev/tcp/{relay.host.address}/{port}'"]
            assert relay.run_on("outsider", connect).returncode != 0, port
            assert relay.run_on("printer", connect).returncode == 0, port
    finally:
        relay.host.run("fail2ban-client unban --all")


def test_ban_of_an_ipv6_address_is_of_its_network_without_its_devices(relay: DeviceRelay) -> None:
    server = relay.add_ipv6("printer", "outsider")
    relay.run_on("outsider", ["ip", "-6", "address", "replace", "2001:db8::999/64", "dev", "eth0", "nodad"])
    try:
        for _attempt in range(5):
            replies = relay.smtp_session("outsider", signed_in(USER, "wrong"), server=server, **SIGNED_IN)
            assert replies[-1].startswith("535"), replies
        wait_until(lambda: "2001:db8::" in relay.host.run("fail2ban-client get mailops-relay banip"), 20, "a ban")
        # fail2ban lists the ban before its action has run.
        wait_until(lambda: "2001:db8::/64" in relay.host.run("nft list table inet f2b-table"), 20, "a ban of the network in nftables")
        for address, device, reached in (("2001:db8::999", "outsider", False), ("2001:db8::101", "printer", True)):
            connect = f"import socket; socket.create_connection(({server!r}, 587), 5, ({address!r}, 0))"
            assert (relay.run_on(device, [sys.executable, "-c", connect]).returncode == 0) == reached, address
        problems = {
            problem["subject"]: problem for problem in json.loads(relay.host.call("mailops-relay status --json").stdout)["problems"]
        }
        assert "all devices behind the address (NAT)" in problems["fail2ban"]["remedy"]
        assert "/64" in problems["fail2ban"]["remedy"]
    finally:
        relay.host.run("fail2ban-client unban --all")


# -- on the relay itself ---------------------------------------------------------------------------------------------

SEARCH = "grep --recursive --files-with-matches --no-messages --devices=skip --fixed-strings --file=- /etc /run /var /usr/local /tmp /root"
COLLECT = r"""
grep -o "pass=[^[:space:]]*" /run/mailops-relay/passdb | cut -c6- | sort -u
grep -o "{PLAIN}[^:]*" /run/mailops-relay/passdb | cut -c8- | sort -u
sed -n "3p" /etc/mailops-relay/identity/key.pem
sed -n "3p" /etc/mailops-relay/server.key.pem
cut -d: -f2 /etc/mailops-relay/sasl.users | sed "s/{SHA512-CRYPT}//"
"""


def test_local_user_cannot_read_a_secret(relay: DeviceRelay) -> None:
    host = relay.host
    host.run("id nosy 2>/dev/null || useradd --create-home nosy")
    secrets = [*host.run(["bash", "-c", COLLECT]).split(), PASSWORD, PINNED_PASSWORD]
    assert len(secrets) >= 8, "token, the proxy's secret, two keys, two hashes, two passwords"
    assert all(len(secret) > 15 for secret in secrets)
    patterns = "\n".join(secrets) + "\n"
    readable = host.call(SEARCH, text=patterns).stdout.split()
    assert {"/run/mailops-relay/passdb", "/etc/mailops-relay/identity/key.pem", "/etc/mailops-relay/sasl.users"} <= set(readable)
    assert host.call(f"runuser -u nosy -- {SEARCH}", text=patterns).stdout == ""
    for socket in (
        "/var/spool/postfix/private/m365auth",
        "/run/mailops-relay-proxy/login/submission",
        "/run/mailops-relay-sasl/auth-master",
    ):
        assert host.call(f"runuser -u nosy -- test -w {socket}").returncode == 1, socket
    # While a token is renewed, a user authenticates and mail is sent, no process has a secret on its command line.
    look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"
    watching = f"while [ ! -e /run/watched ]; do {look}; touch /run/watching; sleep 0.02; done"
    with ThreadPoolExecutor(2) as pool:
        seen = pool.submit(host.run, watching)
        wait_until(lambda: not host.call("test -e /run/watching").returncode, 20, "the observer to run")
        host.run("rm /run/mailops-relay/token.json && systemctl start mailops-relay-token.service && test -e /run/mailops-relay/token.json")
        sent = relay.smtp_session(
            "outsider",
            [*signed_in(USER, PASSWORD), *commands(ERP, [ADA]), "DATA\r\n", message(f"nosy-{host.release}@{ATTACK}", ERP) + ".\r\n"],
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


def test_attacker_cannot_forge_log_lines(relay: DeviceRelay) -> None:
    """Line ends, terminal codes and log lines in every field that is logged."""
    escape = "\x1b[2J\x07\x08\x9b31m"
    hellos = [f"EHLO x{escape}\r\n", f"HELO {'h' * 400}\r\n", f"EHLO x {FORGED}\r\n"]
    senders = [f'"a{escape}"@evil.example', f'"> {FORGED}"@evil.example', f"{'l' * 900}@evil.example", f"x\r{FORGED}@evil.example"]
    lines = [*hellos, *(line for sender in senders for line in (*commands(sender, [ADA]), "RSET\r\n"))]
    for device in ("outsider", "printer"):
        assert not any(reply.startswith("354") for reply in relay.smtp_session(device, lines))
    relay.smtp_session("printer", [EHLO, f"MAIL FROM:<{PRINTER}>\n{FORGED}\r\n"], timeout=3)
    relay.smtp_session("outsider", [*signed_in(f"u{escape}\n{FORGED}", "wrong")], **SIGNED_IN)
    number = f"log-{relay.host.release}@{ATTACK}"
    fields = f"From: {escape}\r\n\t{FORGED}\r {FORGED} <{SPOOFED}>\r\nX: {'y' * 90_000}\r\n"
    for device, sender in (("printer", PRINTER), ("scanner", SCANNER)):
        send(relay, device, sender, [message(f"{device}-{number}", fields=fields)])
        relay.receive(f"{device}-{number}", 60)
    log = relay.log()
    assert any("evil.example" in line for line in log)
    # Postfix does not change UTF-8, including control codes U+0080 to U+009F: journalctl prints no line that has one.
    assert [line for line in log if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line)] == []
    assert [line for line in log if line.startswith("0123456789AB")] == []
