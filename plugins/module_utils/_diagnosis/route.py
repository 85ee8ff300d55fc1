# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routers on the way to a host, as tracepath finds them: UDP datagrams with a growing TTL, whose errors Linux returns (ip(7)).

Needs no privilege. Returns nothing on other systems, and where no router answers.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterator

from .observations import Hop

_RECEIVE_ERRORS, _ERROR_QUEUE = 11, 0x2000  # IP_RECVERR, MSG_ERRQUEUE (linux/in.h, linux/socket.h)
_MTU_DISCOVER, _PROBE = 10, 3  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: do not fragment, and ignore the MTU that is known
_FIRST_PORT = 33434  # traceroute(8)
_TIME_EXCEEDED, _UNREACHABLE, _FRAGMENTATION_NEEDED, _PORT_UNREACHABLE = 11, 3, 4, 3
_SILENT = 3  # routers in a row that do not answer
SIZE = 1472  # bytes of payload: 1500 with the headers


def trace(address: str, longest: int = 20, wait: float = 1.0) -> tuple[Hop, ...]:
    """The hops to an IPv4 address. It ends at the host, or after three hops without answer, which are left out."""
    hops: list[Hop] = []
    with contextlib.suppress(OSError):
        for hop in _hops(address, longest, wait):
            hops.append(hop)
            if len(hops) >= _SILENT and not any(one.address for one in hops[-_SILENT:]):
                break
    while hops and not hops[-1].address:
        hops.pop()
    return tuple(hops)


def _hops(address: str, longest: int, wait: float) -> Iterator[Hop]:
    size, distance = SIZE, 1
    while distance <= longest:
        answer = _ask(address, distance, size, wait) or _ask(address, distance, size, wait)  # routers limit their ICMP messages
        if answer is None:
            yield Hop(distance)
        else:
            kind, code, mtu, router, seconds = answer
            if (kind, code) == (_UNREACHABLE, _FRAGMENTATION_NEEDED) and 28 < mtu < size + 28:
                size = mtu - 28  # and the same distance again
                yield Hop(distance, router, round(seconds * 1000, 3), mtu)
                continue
            yield Hop(distance, router, round(seconds * 1000, 3))
            if kind == _UNREACHABLE or router == address:
                return
        distance += 1


def _ask(address: str, distance: int, size: int, wait: float) -> tuple[int, int, int, str, float] | None:
    """ICMP type and code, the MTU where it is reported, the router, and the time in seconds; None without an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, _RECEIVE_ERRORS, 1)
        sock.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, _PROBE)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, distance)
        sock.connect((address, _FIRST_PORT + distance))
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            sock.send(bytes(size))
        poll = select.poll()
        poll.register(sock, 0)  # errors only
        if not poll.poll(wait * 1000):
            return None
        _data, ancillary, _flags, _from = sock.recvmsg(2048, 512, _ERROR_QUEUE)
    return _error(ancillary, time.monotonic() - start)


def _error(ancillary: list[tuple[int, int, bytes]], seconds: float) -> tuple[int, int, int, str, float] | None:
    """struct sock_extended_err and the address of who sent it (linux/errqueue.h)."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _RECEIVE_ERRORS) and len(data) >= 24:
            _number, origin, icmp, code, _pad, info, _more = struct.unpack_from("=IBBBBII", data)
            if origin == 2:  # ICMP
                return icmp, code, info, socket.inet_ntoa(data[20:24]), seconds
    return None
