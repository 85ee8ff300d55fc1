# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS query to one server, with the standard library alone: hosts have no dnspython (RFC 1035, RFC 7766)."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

A, CNAME, MX, AAAA = 1, 5, 15, 28
NXDOMAIN, _TRUNCATED, _RECURSION = 3, 0x0200, 0x0100
_CODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_ATTEMPTS = 3
_MOST_POINTERS = 64


class QueryFailed(Exception):  # noqa: N818 - a state of the server
    """The server gave no answer; the text says how."""


@dataclass(frozen=True)
class Response:
    """`code`: the response code; `records`: type and data in text, in the answer's order. MX: preference, a space, host."""

    code: int
    records: tuple[tuple[int, str], ...]

    def data(self, kind: int) -> tuple[str, ...]:
        return tuple(text for one, text in self.records if one == kind)


def configured_servers(path: str = "/etc/resolv.conf") -> list[str]:
    """The DNS servers of this host; none where the file is missing."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    return [word[1].partition("%")[0] for word in words if len(word) > 1 and word[0] == "nameserver"]


def query(server: str, name: str, kind: int, timeout: float, port: int = 53) -> Response:
    """The server's response; QueryFailed after three attempts without one. A truncated response is asked again by TCP."""
    number = secrets.randbelow(65536)
    message = struct.pack("!6H", number, _RECURSION, 1, 0, 0, 0) + _encoded(name) + struct.pack("!2H", kind, 1)
    problem = "no answer"
    for _attempt in range(_ATTEMPTS):
        try:
            data = _by_udp(server, port, message, timeout / _ATTEMPTS)
            if struct.unpack_from("!H", data, 2)[0] & _TRUNCATED:
                data = _by_tcp(server, port, message, timeout)
            return _parsed(data)
        except TimeoutError:
            problem = "no answer"
        except (OSError, struct.error, IndexError, ValueError) as error:
            problem = (error.strerror if isinstance(error, OSError) else "") or "no valid answer"
    raise QueryFailed(problem.lower())


def _encoded(name: str) -> bytes:
    labels = [label.encode("idna") for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _by_udp(server: str, port: int, message: bytes, timeout: float) -> bytes:
    with socket.socket(_family(server), socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect((server, port))
        sock.send(message)
        while True:
            data = sock.recv(4096)
            if data[:2] == message[:2] and len(data) >= 12:  # a late answer to an earlier question has another number
                return data


def _by_tcp(server: str, port: int, message: bytes, timeout: float) -> bytes:
    with socket.create_connection((server, port), timeout) as sock:
        sock.sendall(struct.pack("!H", len(message)) + message)
        size = struct.unpack("!H", _exactly(sock, 2))[0]
        return _exactly(sock, size)


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ValueError("the server closed the connection")
        data += part
    return data


def _family(server: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(server).version == 6 else socket.AF_INET


def _parsed(data: bytes) -> Response:
    _number, flags, questions, answers = struct.unpack_from("!4H", data)
    position = 12
    for _question in range(questions):
        _name, position = _name_at(data, position)
        position += 4
    return Response(flags & 0x0F, tuple(_records(data, position, answers)))


def _records(data: bytes, position: int, count: int) -> Iterator[tuple[int, str]]:
    for _record in range(count):
        _name, position = _name_at(data, position)
        kind, _class, _ttl, length = struct.unpack_from("!2HIH", data, position)
        start, position = position + 10, position + 10 + length
        if kind in (A, AAAA):
            yield kind, str(ipaddress.ip_address(data[start:position]))
        elif kind == CNAME:
            yield kind, _name_at(data, start)[0]
        elif kind == MX:
            yield kind, f"{struct.unpack_from('!H', data, start)[0]} {_name_at(data, start + 2)[0]}"


def _name_at(data: bytes, position: int) -> tuple[str, int]:
    """A name in lower case, and where it ends; ValueError for pointers that go in a circle."""
    labels: list[str] = []
    end = 0
    for _label in range(_MOST_POINTERS):
        length = data[position]
        if length & 0xC0 == 0xC0:
            end = end or position + 2
            position = struct.unpack_from("!H", data, position)[0] & 0x3FFF
        elif length:
            labels.append(data[position + 1 : position + 1 + length].decode("ascii", "replace").lower())
            position += 1 + length
        else:
            return ".".join(labels), end or position + 1
    raise ValueError("the name does not end")


def code_name(code: int) -> str:
    return _CODES.get(code, f"response code {code}")


def hosts_by_preference(response: Response) -> Sequence[str]:
    """The MX hosts, the preferred one first; without the null MX of RFC 7505."""
    pairs = sorted((int(number), host) for number, _space, host in (text.partition(" ") for text in response.data(MX)))
    return [host for _number, host in pairs if host]
