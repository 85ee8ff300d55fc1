# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel knows of a TCP connection: struct tcp_info of Linux (include/uapi/linux/tcp.h). Empty on other systems."""

from __future__ import annotations

import contextlib
import socket
import struct

from .observations import Transport

_TCP_INFO = 11
# Offsets in bytes. The structure only grows at its end; a kernel returns as much as it has.
_PATH_MTU, _RTT, _RETRANSMITTED = 8 + 13 * 4, 8 + 15 * 4, 8 + 23 * 4
_SEGMENTS_OUT, _MIN_RTT, _DUPLICATES = 136, 148, 216
_SIZE, _NOT_MEASURED = 256, 0xFFFFFFFF


def transport(sock: socket.socket) -> Transport | None:
    """The connection's figures; None where the system has none. A segment that was sent twice without need does not count as lost."""
    data = b""
    with contextlib.suppress(OSError):
        data = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _SIZE)
    if len(data) < _RETRANSMITTED + 4:
        return None
    again = _number(data, _RETRANSMITTED)
    lost = max(0, again - _number(data, _DUPLICATES))
    least = _number(data, _MIN_RTT)
    rtt = (_number(data, _RTT) if least in (0, _NOT_MEASURED) else least) / 1000
    return Transport(max(_number(data, _SEGMENTS_OUT), again), lost, round(rtt, 3), _number(data, _PATH_MTU))


def _number(data: bytes, offset: int) -> int:
    """A number of 32 bits; 0 where an older kernel does not have it."""
    return int(struct.unpack_from("=I", data, offset)[0]) if len(data) >= offset + 4 else 0
