"""The addresses that the emulator may listen on."""

from __future__ import annotations

import ipaddress
from pathlib import Path

# RFC 5737: addresses for documentation. On a network without a default route they may stand for Microsoft's (testbed/).
TEST_NETWORK = ipaddress.IPv4Network("198.51.100.0/24")
LOCAL = f"an IPv4 loopback address, or one of {TEST_NETWORK} where this network namespace has no default route"


def is_local(text: str) -> bool:
    """Whether other hosts cannot reach the address: loopback, or one of the test network without a default route."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return address.is_loopback or (address in TEST_NETWORK and not has_default_route())


def has_default_route() -> bool:
    """Whether this network namespace has a default route (proc(5), /proc/net/route); what cannot be read may have one."""
    try:
        routes = Path("/proc/self/net/route").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return True
    return any(route.split()[1] == "00000000" for route in routes)
