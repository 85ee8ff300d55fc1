# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name that an SMTP client gives in EHLO: this host's domain name, or else an address literal.

Source: RFC 5321, sections 4.1.1.1, 4.1.2 and 4.1.3.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket

_NAME = re.compile(r"(?=.{4,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def ehlo_name(address: str) -> str:
    """A valid argument of EHLO. `address`: this host's IP address on the connection."""
    name = _host_name()
    return name if _NAME.fullmatch(name) else literal(address)


def literal(address: str) -> str:
    """The address literal of an IP address: `[192.0.2.1]` or `[IPv6:2001:db8::1]`."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return f"[IPv6:{parsed}]" if parsed.version == 6 else f"[{parsed}]"


@functools.lru_cache(maxsize=1)
def _host_name() -> str:
    """This host's name; the look-up can take seconds."""
    return socket.getfqdn().rstrip(".")
