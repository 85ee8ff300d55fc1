# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay rewrite`: replaces a message's sender in envelope and header, and keeps the original in Reply-To unless there is one.

Postfix's pipe(8) runs it for devices with `rewrite: true`. The message is submitted to Postfix again by SMTP, and only Postfix's 250 is a
success: until then the first copy stays queued.

Source: RFC 5322 (3.6.2), RFC 2047; Postfix's FILTER_README ("simple content filter") and pipe(8).
"""

from __future__ import annotations

import os
import re
import smtplib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from email.utils import formataddr
from typing import BinaryIO

from ...._core.mail_addresses import ADDRESS
from ..console import print_line
from .internal_listener import InternalSMTP

TEMPORARY = 75  # sysexits(3): Postfix keeps the message and tries again
# Header fields that name the sender: they would contradict the new one.
DROPPED = frozenset({b"from", b"sender", b"resent-from", b"resent-sender", b"return-path"})
DISPLAY = 100  # characters


def fields(stream: BinaryIO) -> Iterator[bytes]:
    """The header's fields with their line ends, folded lines joined to their field; stops after the header."""
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
    """Unfolded, without control characters; bytes that are not UTF-8 are decoded as Latin-1."""
    raw = field.partition(b":")[2]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())


def origin_of(text: str) -> tuple[str, str]:
    """Display name and address of a From field; each "" where it is missing or invalid.

    Not email.utils.parseaddr, whose results differ between the versions of Python on relays.
    """
    match = re.fullmatch(r"(?P<display>.*)<(?P<address>[^<>]*)>[^<>]*", text) or re.fullmatch(
        r"(?P<address>[^ ()]+) *[(](?P<display>[^()]*)[)]", text
    )
    display, address = (match["display"].strip(), match["address"].strip()) if match else (text, text)
    if len(display) > 1 and display[0] == display[-1] == '"':
        display = re.sub(r"\\(.)", r"\1", display[1:-1])
    # A display name that is an address would be taken for the sender.
    return "" if "@" in display else display[:DISPLAY], address if ADDRESS.fullmatch(address) else ""


def _mailbox(display: str, address: str) -> str:
    """`"Name" <address>`; an encoded name (RFC 2047) is not quoted: within quotes it would be plain text."""
    if re.fullmatch(r"=\?[!-~]+\?=(?: =\?[!-~]+\?=)*", display) and not re.search(r'[<>@,;:"()\[\]\\]', display):
        return f"{display} <{address}>"
    return formataddr((display, address), "utf-8")


def rewritten(header: Iterable[bytes], sender: str, hostname: str = "") -> list[bytes]:
    """The header's fields with `sender` in From, and the original in Reply-To unless there is one.

    An address that Postfix completed with the relay's hostname is not a reply address.
    """
    result, origin, has_reply_to = [], "", False
    for field in header:
        name = name_of(field)
        if name == b"from" and not origin:
            origin = value_of(field)
        if name in DROPPED:
            continue
        has_reply_to = has_reply_to or (name == b"reply-to" and bool(value_of(field)))
        result.append(field)
    display, address = origin_of(origin)
    result.append(f"From: {_mailbox(display, sender)}\n".encode())
    not_a_reply_address = address.lower() == sender.lower() or address.lower().endswith(f"@{hostname.lower()}")
    if not has_reply_to and address and not not_a_reply_address:
        result = [field for field in result if name_of(field) != b"reply-to"]
        result.append(f"Reply-To: {_mailbox(display, address)}\n".encode())
    return result


def _smtp_line(line: bytes) -> bytes:
    bare = line.rstrip(b"\n")
    bare = bare[:-1] if bare.endswith(b"\r") else bare
    return (b"." if bare.startswith(b".") else b"") + bare + b"\r\n"


def lines(header: Iterable[bytes], body: Iterable[bytes]) -> Iterator[bytes]:
    """The data after DATA without the final dot: CR LF at every line's end, leading dots doubled (RFC 5321, 4.5.2)."""
    for field in header:
        for line in field.rstrip(b"\n").split(b"\n"):
            yield _smtp_line(line)
    yield b"\r\n"
    for line in body:
        yield _smtp_line(line)


def submit(message: Iterable[bytes], sender: str, recipients: Sequence[str]) -> str:
    """Postfix's final reply. Raises smtplib.SMTPException or OSError."""
    smtp = InternalSMTP(timeout=300)
    try:
        smtp.ehlo_or_helo_if_needed()
        utf8 = ["SMTPUTF8"] if not "".join(recipients).isascii() and smtp.has_extn("smtputf8") else []
        _expect(250, smtp.mail(sender, ["BODY=8BITMIME", *utf8]))
        for recipient in recipients:  # quoted by pipe(8) where needed, in the bytes that the device sent
            smtp.send(b"RCPT TO:<%s>\r\n" % os.fsencode(recipient))
            _expect(250, smtp.getreply())
        _expect(354, smtp.docmd("DATA"))
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection was lost")
        with smtp.sock.makefile("wb", buffering=1 << 18) as out:
            out.writelines(message)
            out.write(b".\r\n")
        code, text = smtp.getreply()
        _expect(250, (code, text))
        return f"{code} {text.decode('utf-8', 'replace')}"
    finally:
        # A failed QUIT does not change whether the message was accepted.
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()


def _expect(code: int, reply: tuple[int, bytes]) -> None:
    if reply[0] != code:
        raise smtplib.SMTPResponseException(*reply)


def main(sender: str, hostname: str, recipients: Sequence[str], stream: BinaryIO | None = None) -> int:
    """Exit status of `mailops-relay rewrite SENDER HOSTNAME RECIPIENT...`, the message on standard input; Postfix logs the output."""
    source = stream or sys.stdin.buffer
    header = rewritten(list(fields(source)), sender, hostname)
    try:
        print_line(submit(lines(header, source), sender, recipients))
    except smtplib.SMTPResponseException as error:
        reply = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        print_line(f"4.3.0 this relay did not accept the rewritten message: {error.smtp_code} {reply}")
        return TEMPORARY
    except (smtplib.SMTPException, OSError) as error:
        print_line(f"4.3.0 this relay did not accept the rewritten message: {error}")
        return TEMPORARY
    return 0
