# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a message another sender, in envelope and header, and keep the original one in Reply-To unless the message has one.

Postfix's pipe(8) runs this for the devices that say `rewrite: true`; all other mail never comes here.
The message goes back to Postfix by SMTP, and only Postfix's own 250 ends it here: until then the first copy stays queued.

Private to the collection. Source: RFC 5322 (3.6.2), RFC 2047; Postfix's FILTER_README ("simple content filter") and pipe(8).
"""

from __future__ import annotations

import re
import smtplib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from email.utils import formataddr
from typing import BinaryIO

from ..console import say
from ..paths import REINJECT_PORT

TEMPORARY = 75  # sysexits(3): Postfix keeps the message and comes again
ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
# Whose word the sender is, besides From: with the sender changed they would contradict it.
DROPPED = frozenset({b"from", b"sender", b"resent-from", b"resent-sender", b"return-path"})
DISPLAY = 100  # characters


def fields(stream: BinaryIO) -> Iterator[bytes]:
    """The header's fields, folded lines joined to the field that they continue, with the line ends they have; stops after the header."""
    field = b""
    for line in stream:
        if not line.strip(b"\r\n"):
            break
        if line[:1] in b" \t" and field:
            field += line
            continue
        if field:
            yield field
        field = line
    if field:
        yield field


def name_of(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


def value_of(field: bytes) -> str:
    """Unfolded, without control characters; bytes that are no UTF-8 are read as Latin-1."""
    raw = field.partition(b":")[2]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())


def origin_of(text: str) -> tuple[str, str]:
    """Display name and address of a From; each "" where there is none, or none that can be used.

    Not email.utils.parseaddr, which answers differently in the versions of Python that relays have.
    """
    known = re.fullmatch(r"(?P<display>.*)<(?P<address>[^<>]*)>[^<>]*", text) or re.fullmatch(
        r"(?P<address>[^ ()]+) *[(](?P<display>[^()]*)[)]", text
    )
    display, address = (known["display"].strip(), known["address"].strip()) if known else (text, text)
    if len(display) > 1 and display[0] == display[-1] == '"':
        display = re.sub(r"\\(.)", r"\1", display[1:-1])
    # A name that is an address would be read as the sender.
    return "" if "@" in display else display[:DISPLAY], address if ADDRESS.fullmatch(address) else ""


def _mailbox(display: str, address: str) -> str:
    """`"Name" <address>`; a name that is encoded already (RFC 2047) stays as it is, for within quotes it would be plain text."""
    if re.fullmatch(r"=\?[!-~]+\?=(?: =\?[!-~]+\?=)*", display) and not re.search(r'[<>@,;:"()\[\]\\]', display):
        return f"{display} <{address}>"
    return formataddr((display, address), "utf-8")


def rewritten(header: Iterable[bytes], sender: str, hostname: str = "") -> list[bytes]:
    """The header's fields with From as the sender, and the original in Reply-To unless there is one.

    What Postfix completed with the relay's own hostname is nobody's address.
    """
    kept, origin, answers = [], "", False
    for field in header:
        name = name_of(field)
        if name == b"from" and not origin:
            origin = value_of(field)
        if name in DROPPED:
            continue
        answers = answers or (name == b"reply-to" and bool(value_of(field)))
        kept.append(field)
    display, address = origin_of(origin)
    kept.append(f"From: {_mailbox(display, sender)}\n".encode())
    unanswerable = address.lower() == sender.lower() or address.lower().endswith(f"@{hostname.lower()}")
    if not answers and address and not unanswerable:
        kept = [field for field in kept if name_of(field) != b"reply-to"]
        kept.append(f"Reply-To: {_mailbox(display, address)}\n".encode())
    return kept


def _on_the_wire(line: bytes) -> bytes:
    bare = line.rstrip(b"\n")
    bare = bare[:-1] if bare.endswith(b"\r") else bare
    return (b"." if bare.startswith(b".") else b"") + bare + b"\r\n"


def lines(header: Iterable[bytes], body: Iterable[bytes]) -> Iterator[bytes]:
    """What follows DATA, but for the final dot: CR LF at every line's end, leading dots doubled (RFC 5321, 4.5.2)."""
    for field in header:
        for line in field.rstrip(b"\n").split(b"\n"):
            yield _on_the_wire(line)
    yield b"\r\n"
    for line in body:
        yield _on_the_wire(line)


def hand_in(message: Iterable[bytes], sender: str, recipients: Sequence[str]) -> str:
    """Postfix's reply that it has the message. Raises smtplib.SMTPException or OSError."""
    smtp = smtplib.SMTP("127.0.0.1", REINJECT_PORT, timeout=300)
    try:
        smtp.ehlo_or_helo_if_needed()
        utf8 = ["SMTPUTF8"] if not "".join(recipients).isascii() else []
        _expect(250, smtp.mail(sender, ["BODY=8BITMIME", *utf8]))
        for recipient in recipients:  # quoted by pipe(8) where need be; smtplib's own quoting guesses
            _expect(250, smtp.docmd(f"RCPT TO:<{recipient}>"))
        _expect(354, smtp.docmd("DATA"))
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is gone")
        with smtp.sock.makefile("wb", buffering=1 << 18) as out:
            out.writelines(message)
            out.write(b".\r\n")
        code, said = smtp.getreply()
        _expect(250, (code, said))
        return f"{code} {said.decode('utf-8', 'replace')}"
    finally:
        # Whatever comes of the farewell: the message is accepted, or it is not.
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()


def _expect(code: int, reply: tuple[int, bytes]) -> None:
    if reply[0] != code:
        raise smtplib.SMTPResponseException(*reply)


def main(arguments: Sequence[str], stream: BinaryIO | None = None) -> int:
    """`mailops-relay rewrite SENDER HOSTNAME RECIPIENT...`, the message on standard input; what it prints, Postfix logs."""
    sender, hostname, *recipients = arguments
    source = stream or sys.stdin.buffer
    header = rewritten(list(fields(source)), sender, hostname)
    try:
        say(hand_in(lines(header, source), sender, recipients))
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        say(f"4.3.0 this relay did not take the message back: {error.smtp_code} {said}")
        return TEMPORARY
    except (smtplib.SMTPException, OSError) as error:
        say(f"4.3.0 this relay did not take the message back: {error}")
        return TEMPORARY
    return 0
