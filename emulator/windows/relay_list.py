"""The bytes of RelayIpList (MD_IP_RELAY, an IPSECLIST), where only hosts are granted.

The layout is that of two arrays and a recipe that were published, each for entries of the mask 255.255.255.255. For another mask none is.
"""

from __future__ import annotations

import struct

HOST_MASK = "255.255.255.255"


class LayoutError(Exception):
    """Bytes, or a list, whose layout is not published."""


def encode(entries: list[str]) -> bytes:
    """The bytes of granted entries "address, mask"."""
    pairs = [[part.strip() for part in entry.split(",")] for entry in entries]
    if any(len(pair) != 2 or pair[1] != HOST_MASK for pair in pairs):
        raise LayoutError("an entry with another mask than 255.255.255.255")
    count = len(pairs)
    words = [0x80000018, 0x80000020, 0x8000003C, 0x80000044, 1, 76, 0, 0, 1, count, 2, 1 + count, 4, 0, 0x8000004C, 0, 0, 0, 0]
    return struct.pack("<19I", *words) + bytes([255] * 4) + b"".join(_address(pair[0]) for pair in pairs)


def decode(data: bytes) -> list[str]:
    """The granted entries of such bytes."""
    if len(data) < 80 or len(data) % 4:
        raise LayoutError(f"{len(data)} bytes")
    addresses = [".".join(str(byte) for byte in data[at : at + 4]) for at in range(80, len(data), 4)]
    entries = [f"{address}, {HOST_MASK}" for address in addresses]
    if encode(entries) != data:
        raise LayoutError("another layout than that of hosts")
    return entries


def _address(written: str) -> bytes:
    parts = written.split(".")
    if len(parts) != 4 or not all(part.isdigit() and int(part) < 256 for part in parts):
        raise LayoutError(f"the address {written}")
    return bytes(int(part) for part in parts)
