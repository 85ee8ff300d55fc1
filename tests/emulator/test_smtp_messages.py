"""Envelopes and messages: parameters, DATA, BDAT, pipelining, size, and what a message must have."""

from __future__ import annotations

import time

import pytest

from emulator.smtp.headers import check_message, mailbox_list, read_header
from emulator.smtp.texts import Refused
from emulator.state import MailboxGrant
from tests.emulator.smtp_lab import APP, CONTOSO, MESSAGE, OPS, Lab, Raw, StartLab, reply_text, send, xoauth2_blob

pytest_plugins = ["tests.emulator.smtp_lab"]

OK, RECIPIENT_OK = "250 2.1.0 Sender OK", "250 2.1.5 Recipient OK"
BAD_FROM = "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant"
TWO_FROMS = "550 5.1.20 Multiple From addresses are not allowed without Sender address"


def signed_in(lab: Lab) -> Raw:
    raw = lab.raw()
    raw.reply()
    raw.say("EHLO a")
    raw.start_tls(lab.trust())
    raw.say("EHLO a")
    assert raw.say(f"AUTH XOAUTH2 {xoauth2_blob()}") == ["235 2.7.0 Authentication successful\r\n"]
    return raw


def test_an_accepted_message(lab: Lab) -> None:
    lab.state.network["127.0.0.1"] = "203.0.113.5"
    lab.clock.offset = 1000.0
    with lab.signed_in() as client:
        reply = send(client, recipients=("x@example.net", "y@example.org"))
    assert reply == "250 2.0.0 OK <1@contoso.com> [Hostname=AM0PR02CA0134.eurprd02.prod.outlook.com]"
    (result,) = lab.state.messages
    assert (result.tenant_id, result.via, result.mail_from, result.raw) == (CONTOSO, "submission", OPS, MESSAGE)
    assert result.recipients == ["x@example.net", "y@example.org"]
    assert (result.authenticated_as, result.app_id, result.connector, result.source) == (OPS, APP, None, "203.0.113.5")
    assert abs(result.received - lab.state.now()) < 30


def test_a_message_by_login(lab: Lab) -> None:
    with lab.client() as client:
        client.user, client.password = OPS, "correct horse"
        client.auth("LOGIN", client.auth_login)
        assert send(client).startswith("250 2.0.0 OK ")
    assert (lab.state.messages[0].via, lab.state.messages[0].app_id) == ("submission-login", None)


MAIL = [
    (f"FROM:<{OPS}>", OK),
    (f"from: <{OPS}> SIZE=157286400", OK),
    (f"FROM:{OPS}", OK),
    (f"FROM:<@a.example,@b.example:{OPS}>", OK),
    ("FROM:<>", OK),
    (f"FROM:<{OPS}> BODY=8BITMIME RET=HDRS ENVID=QQ314159 AUTH=<>", OK),
    (f"FROM:<{OPS}> body=binarymime SMTPUTF8", OK),
    ("FROM:<jürgen@contoso.com> SMTPUTF8", OK),
    ('FROM:<"a b"@contoso.com>', OK),
    ("FROM:<jürgen@contoso.com>", "553 5.6.7 Address is not ASCII and SMTPUTF8 was not asked for"),
    (f"FROM:<{OPS}> SIZE=157286401", "552 5.3.4 Message size exceeds fixed maximum message size"),
    (f"FROM:<{OPS}> SIZE=many", "501 5.5.4 Invalid arguments"),
    (f"FROM:<{OPS}> SIZE=1 SIZE=2", "501 5.5.4 Invalid arguments"),
    (f"FROM:<{OPS}> BODY=9BIT", "501 5.5.4 Invalid arguments"),
    (f"FROM:<{OPS}> RET=SOME", "501 5.5.4 Invalid arguments"),
    (f"FROM:<{OPS}> SMTPUTF8=yes", "501 5.5.4 Invalid arguments"),
    (f"FROM:<{OPS}> XYZ=1", "501 5.5.4 Unrecognized parameter"),
    ("FROM:<ops>", "501 5.1.7 Invalid address"),
    ("FROM:<ops@>", "501 5.1.7 Invalid address"),
    ("FROM:<o ps@contoso.com>", "501 5.1.7 Invalid address"),
    (f"FROM:<{OPS}", "501 5.5.4 Invalid arguments"),
    (f"TO:<{OPS}>", "501 5.5.4 Invalid arguments"),
    ("", "501 5.5.4 Invalid arguments"),
    ("FROM", "501 5.5.4 Invalid arguments"),
]
RCPT = [
    ("TO:<x@example.net>", RECIPIENT_OK),
    ("TO:<x@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@example.net", RECIPIENT_OK),
    ("TO:<x@example.net> notify=never", RECIPIENT_OK),
    ("TO:<x@[192.0.2.1]>", RECIPIENT_OK),
    ("TO:<x@example.net> NOTIFY=", "501 5.5.4 Invalid arguments"),
    ("TO:<x@example.net> NOTIFY=SOMETIMES", "501 5.5.4 Invalid arguments"),
    ("TO:<x@example.net> NOTIFY=SUCCESS,", "501 5.5.4 Invalid arguments"),
    ("TO:<x@example.net> ORCPT=x@example.net", "501 5.5.4 Invalid arguments"),
    ("TO:<x@example.net> SIZE=1", "501 5.5.4 Unrecognized parameter"),
    ("TO:<>", "501 5.1.3 Invalid address"),
    ("TO:<postmaster>", "501 5.1.3 Invalid address"),
    ("TO:<ü@example.net>", "553 5.6.7 Address is not ASCII and SMTPUTF8 was not asked for"),
]


def test_mail_and_rcpt(lab: Lab) -> None:
    with signed_in(lab) as raw:
        for argument, expected in MAIL:
            assert (argument, raw.say(f"MAIL {argument}")) == (argument, [f"{expected}\r\n"])
            raw.say("RSET")
        raw.say(f"MAIL FROM:<{OPS}>")
        assert raw.say(f"MAIL FROM:<{OPS}>") == ["503 5.5.2 Sender already specified\r\n"]
        assert raw.say("DATA") == ["503 5.5.2 Need rcpt command\r\n"]
        for argument, expected in RCPT:
            assert (argument, raw.say(f"RCPT {argument}")) == (argument, [f"{expected}\r\n"])
        assert raw.say("DATA now") == ["501 5.5.4 Invalid arguments\r\n"]
        assert raw.say(b"RCPT TO:<\xff@example.net>\r\n") == ["501 5.1.3 Invalid address\r\n"]


def test_dots_and_long_lines_arrive_as_they_were(lab: Lab) -> None:
    body = b"." + b"\r\n..\r\n.a\r\n" + b"x" * 100_000 + b"\r\n" + b"\xc3\xbc\r\n"
    with lab.signed_in() as client:
        assert send(client, message=MESSAGE + body).startswith("250 ")
    assert lab.state.messages[0].raw == MESSAGE + body


def test_dots_within_a_line_that_arrives_in_pieces(lab: Lab) -> None:
    line = b"x" + b"." * 80_000
    with signed_in(lab) as raw:
        for command in (f"MAIL FROM:<{OPS}>", "RCPT TO:<x@example.net>", "DATA"):
            raw.say(command)
        raw.socket.sendall(MESSAGE + line)
        time.sleep(0.3)  # the server reads what is there, and only then comes the line's end
        assert raw.say(b"\r\nmore\r\n.\r\n")[0].startswith("250 ")
    assert lab.state.messages[0].raw == MESSAGE + line + b"\r\nmore\r\n"


def test_a_pipelined_transaction(lab: Lab) -> None:
    with signed_in(lab) as raw:
        raw.socket.sendall(f"MAIL FROM:<{OPS}>\r\nRCPT TO:<x@example.net>\r\nRCPT TO:<bad>\r\nDATA\r\n".encode())
        assert [raw.line()[:3] for _ in range(4)] == ["250", "250", "501", "354"]
        raw.socket.sendall(MESSAGE + b".\r\nNOOP\r\nQUIT\r\n")
        assert [raw.line()[:9] for _ in range(3)] == ["250 2.0.0", "250 2.0.0", "221 2.0.0"]
    assert lab.state.messages[0].recipients == ["x@example.net"]


def test_only_the_whole_sequence_ends_a_message(lab: Lab) -> None:
    """Ends that only careless servers see are what SMTP smuggling lives on."""
    with signed_in(lab) as raw:
        raw.say(f"MAIL FROM:<{OPS}>")
        raw.say("RCPT TO:<x@example.net>")
        raw.say("DATA")
        smuggled = MESSAGE + b"\n.\nMAIL FROM:<evil@contoso.com>\r\n" + b"a\r.\r\nb\n.\r\n"
        assert raw.say(smuggled + b".\r\n") == ["550 5.6.11 Invalid characters\r\n"]
        assert raw.say("NOOP") == ["250 2.0.0 OK\r\n"]
    assert lab.state.messages == []


def test_bdat(lab: Lab) -> None:
    with signed_in(lab) as raw:
        raw.say(f"MAIL FROM:<{OPS}>")
        raw.say("RCPT TO:<x@example.net>")
        first, second = MESSAGE[:20], MESSAGE[20:]
        assert raw.say(b"BDAT 20\r\n" + first) == ["250 2.6.0 CHUNK received OK, 20 octets\r\n"]
        assert raw.say("DATA") == ["503 5.5.1 Bad sequence of commands\r\n"]
        assert raw.say("RCPT TO:<y@example.net>") == ["503 5.5.1 Bad sequence of commands\r\n"]
        assert raw.say(f"BDAT {len(second)}\r\n".encode() + second)[0].startswith("250 2.6.0 ")
        assert raw.say("BDAT 0 LAST")[0].startswith("250 2.0.0 OK <1@contoso.com>")
        assert raw.say(b"BDAT 3 LAST\r\nabc") == ["503 5.5.2 Need mail command\r\n"]  # the octets are no command
        raw.say(f"MAIL FROM:<{OPS}>")
        assert raw.say(b"BDAT 3 LAST\r\nabc") == ["503 5.5.2 Need rcpt command\r\n"]
        for bad in ("BDAT", "BDAT x", "BDAT -1", "BDAT 1 FIRST", "BDAT 1 LAST LAST"):
            assert raw.say(bad) == ["501 5.5.4 Invalid arguments\r\n"]
    assert [m.raw for m in lab.state.messages] == [MESSAGE]


def test_binary_goes_with_bdat_only(lab: Lab) -> None:
    binary = MESSAGE + b"\x00\n\n\r.\r\n.\r\n"
    with signed_in(lab) as raw:
        raw.say(f"MAIL FROM:<{OPS}> BODY=BINARYMIME")
        raw.say("RCPT TO:<x@example.net>")
        assert raw.say("DATA") == ["503 5.5.1 Bad sequence of commands\r\n"]
        assert raw.say(f"BDAT {len(binary)} LAST\r\n".encode() + binary)[0].startswith("250 2.0.0 OK")
        raw.say(f"MAIL FROM:<{OPS}> BODY=8BITMIME")
        raw.say("RCPT TO:<x@example.net>")
        assert raw.say(f"BDAT {len(binary)} LAST\r\n".encode() + binary) == ["550 5.6.11 Invalid characters\r\n"]
    assert [m.raw for m in lab.state.messages] == [binary]


def test_a_message_over_the_size(start_lab: StartLab) -> None:
    lab = start_lab(pace=False, size_limit=2000)
    too_large = "552 5.3.4 Message size exceeds fixed maximum message size"
    with lab.signed_in() as client:
        assert client.esmtp_features["size"] == "2000"
        assert send(client, message=MESSAGE + b"x" * 2000 + b"\r\n") == too_large
        assert send(client, message=MESSAGE + b"y" * (2000 - len(MESSAGE) - 2) + b"\r\n").startswith("250 ")
        client.mail(OPS)
        client.rcpt("x@example.net")
        client.send(b"BDAT 1500\r\n" + b"z" * 1500)
        assert reply_text(client.getreply()).startswith("250 2.6.0 ")
        client.send(b"BDAT 501 LAST\r\n" + b"z" * 501)
        assert reply_text(client.getreply()) == too_large
    assert [len(m.raw) for m in lab.state.messages] == [2000]


HEADERS = [
    (b"From: ops@contoso.com", ""),
    (b"from : <OPS@contoso.com>", ""),
    (b"From: =?utf-8?q?B=C3=BCro?= <ops@contoso.com>", ""),
    (b'From: "scan@office" (room 1, (east)) <ops@contoso.com>', ""),
    (b"X: y\r\nFrom:\r\n Ops\r\n\t<ops@contoso.com>", ""),
    (b"From: ops@contoso.com, o.p.s@contoso.com\r\nSender: ops@contoso.com", ""),
    (b"Subject: no From", BAD_FROM),
    (b"\r\nFrom: in the body <ops@contoso.com>", BAD_FROM),
    (b"Not a header\r\nFrom: ops@contoso.com", BAD_FROM),
    (b"From:", BAD_FROM),
    (b"From: Printer", BAD_FROM),
    (b"From: Printer ops@contoso.com", BAD_FROM),
    (b"From: scan@office <ops@contoso.com>", BAD_FROM),
    (b"From: <ops>", BAD_FROM),
    (b"From: undisclosed-recipients:;", BAD_FROM),
    (b"From: <ops\xff@contoso.com>", BAD_FROM),
    (b"From: ops@contoso.com\r\nFrom: ops@contoso.com\r\nSender: ops@contoso.com", BAD_FROM),
    (b"From: ops@contoso.com\r\nFrom: o.p.s@contoso.com", TWO_FROMS),
    (b"From: ops@contoso.com, o.p.s@contoso.com", TWO_FROMS),
    (b"From: ops@contoso.com, o.p.s@contoso.com\r\nSender: nobody", TWO_FROMS),
]


def test_headers(lab: Lab) -> None:
    with lab.signed_in() as client:
        for header, expected in HEADERS:
            result = send(client, message=header + b"\r\n\r\nhello\r\n")
            assert result.startswith("250 2.0.0 OK <") if not expected else result == expected, header


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r\n", b"\n\r"])
def test_bare_line_ends(end: bytes) -> None:
    check_message(MESSAGE + b"a\r\nb\r\n")
    with pytest.raises(Refused, match=r"550 5\.6\.11 Invalid characters"):
        check_message(MESSAGE + b"a" + end + b"b\r\n")
    check_message(MESSAGE + b"a" + end + b"b\r\n", binary=True)


def test_sender_headers_are_checked_after_the_data(lab: Lab) -> None:
    denied = "554 5.2.252 SendAsDenied; ops@contoso.com not allowed to send as {}; STOREDRV.Submission.Exception:SendAsDenied"
    with lab.signed_in() as client:
        sales = b"From: sales@contoso.com\r\n\r\nhello\r\n"
        assert send(client, message=sales).startswith(denied.format("sales@contoso.com"))
        assert send(client, sender="sales@contoso.com").startswith(denied.format("sales@contoso.com"))
        assert send(client, sender="").startswith(denied.format("<>"))
        lab.contoso.mailboxes["sales@contoso.com"].grants.append(MailboxGrant("SendAs", "S-1-5-21-1-2-3-4"))
        assert send(client, "sales@contoso.com", message=sales).startswith("250 ")
        lab.ops.grants.clear()
        assert send(client).startswith("430 4.2.0 STOREDRV; mailbox logon failure; ")
        lab.ops.grants.append(MailboxGrant("FullAccess", "S-1-5-21-1-2-3-4"))
        assert send(client).startswith("250 ")


@pytest.mark.parametrize(
    "text",
    ["a " * 8000 + "<", '"' * 16000, "." * 16000 + "<", "a." * 8000, "(" * 16000, '"a" ' * 4000, "<" * 16000, "," * 16000,
     '"\\' * 8000 + '"', "a" * 16000 + "@", "a@" * 8000, "a@b," * 4000, "x" * 20000 + "@b.c"],
    ids=range(13),
)  # fmt: skip
def test_from_header_is_parsed_in_bounded_time(text: str) -> None:
    """With a pattern that backtracks this would not end."""
    mailbox_list(text)


def test_a_header_of_many_folds_is_read_quickly() -> None:
    assert read_header(b"From: ops@contoso.com\r\nX: y" + b"\r\n z" * 300_000).authors == ["ops@contoso.com"]
