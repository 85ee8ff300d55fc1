# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail exchangers (MX) of a domain, from the name servers of /etc/resolv.conf: Python's standard library looks up addresses only.

Source: RFC 1035, sections 4.1 (messages) and 3.3.9 (MX); RFC 7505 (a domain without mail).
"""

from __future__ import annotations

import re
import secrets
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")
_MX, _IN = 15, 1
_TIMEOUT = 5.0  # seconds a query
_ROUNDS = 2
_NAME_ERROR = 3


class MxLookupError(OSError):
    """No name server answered, or the domain has no mail exchanger; the text says which."""


def name_servers(path: Path = RESOLV_CONF) -> list[tuple[str, int]]:
    """Address and port of each name server; the local host's where none is named (resolv.conf(5))."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        text = ""
    return [(address, 53) for address in re.findall(r"^nameserver\s+(\S+)", text, re.MULTILINE)] or [("127.0.0.1", 53)]


def exchangers(domain: str, servers: Sequence[tuple[str, int]] | None = None) -> list[str]:
    """The domain's mail exchangers, the preferred first; the domain itself where it has none (RFC 5321, section 5.1).

    Raises MxLookupError.
    """
    for server in [*(servers or name_servers())] * _ROUNDS:
        answer = _query(domain, server)
        if answer is None:
            continue
        code, hosts = answer
        if code == _NAME_ERROR:
            raise MxLookupError(f"DNS lookup for {domain} failed: the name does not exist")
        if any(not host for _preference, host in hosts):
            raise MxLookupError(f"DNS lookup for {domain} failed: the domain accepts no mail (null MX)")
        return [host for _preference, host in sorted(hosts)] or [domain]
    raise MxLookupError(f"DNS lookup for {domain} failed: no name server answers")


def _query(domain: str, server: tuple[str, int]) -> tuple[int, list[tuple[int, str]]] | None:
    """Response code and (preference, host) of each record; None where this server has no answer."""
    number = secrets.randbelow(1 << 16)
    labels = b"".join(bytes([len(label)]) + label for label in domain.encode("idna").split(b".") if label)
    query = struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", _MX, _IN)
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            connection.settimeout(_TIMEOUT)
            connection.connect(server)
            connection.send(query)
            message = connection.recv(4096)
        received, flags = struct.unpack_from(">2H", message)
        code = flags & 0xF
        if received != number or code not in (0, _NAME_ERROR):
            return None
        return code, list(_records(message))
    except (OSError, struct.error, IndexError, ValueError):
        return None


def _records(message: bytes) -> Iterator[tuple[int, str]]:
    """The MX records of a response's answer section."""
    questions, answers = struct.unpack_from(">2H", message, 4)
    offset = 12
    for _question in range(questions):
        offset = _name(message, offset)[1] + 4
    for _answer in range(answers):
        offset = _name(message, offset)[1]
        kind, _class, _ttl, length = struct.unpack_from(">2HIH", message, offset)
        offset += 10
        if kind == _MX:
            yield struct.unpack_from(">H", message, offset)[0], _name(message, offset + 2)[0]
        offset += length


def _name(message: bytes, offset: int) -> tuple[str, int]:
    """A name, and where it ends. Raises ValueError for pointers that do not go back."""
    labels, end = [], 0
    while (length := message[offset]) != 0:
        if length >= 0xC0:
            target = ((length & 0x3F) << 8) | message[offset + 1]
            if target >= offset:
                raise ValueError("a compression pointer does not go back")
            end, offset = end or offset + 2, target
            continue
        labels.append(message[offset + 1 : offset + 1 + length].decode("ascii", "replace"))
        offset += 1 + length
    return ".".join(labels), end or offset + 1
