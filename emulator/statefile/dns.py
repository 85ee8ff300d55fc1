"""State documents of DNS: a zone is a list of lines as in a zone file, such as `@ 3600 TXT "v=spf1 -all"`."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.tsig

from emulator.state import Dns, DnsKey, DnsRecord
from emulator.state.dns import Zones
from emulator.statefile.reader import Node

KINDS = ("TXT", "MX", "A", "AAAA", "CNAME", "NS")
_LINE = re.compile(r"(\S+)\s+(?:(\d{1,9})\s+)?(?:IN\s+)?([A-Za-z]+)\s+(\S.*)")


def read_zones(node: Node | None) -> Zones:
    """The zones of a mapping: origin -> lines."""
    if node is None:
        return {}
    zones: Zones = {}
    for origin, lines in node.rest().items():
        if not isinstance(lines, list):
            raise node.error("must be a list of records", origin)
        zones[origin.lower().rstrip(".")] = [_read_record(node, origin, line) for line in lines]
    return zones


def _read_record(node: Node, origin: str, line: Any) -> DnsRecord:
    found = _LINE.fullmatch(line.strip()) if isinstance(line, str) else None
    if found is None:
        raise node.error(f"{line!r} is no record: write name, seconds, type and data", origin)
    name, seconds, kind, data = found.groups()
    if kind.upper() not in KINDS:
        raise node.error(f"{kind} is no type that is played; known: {', '.join(KINDS)}", origin)
    try:
        zone = dns.name.from_text(origin)
        full = zone if name == "@" else dns.name.from_text(name, zone)
        clean = dns.rdata.from_text("IN", kind.upper(), data, origin=zone, relativize=False).to_text()
    except dns.exception.DNSException as error:
        raise node.error(f"{line!r}: {error}", origin) from None
    if not full.is_subdomain(zone):
        raise node.error(f"{name} is not in this zone", origin)
    return DnsRecord(plain(full), kind.upper(), clean, int(seconds or 3600))


def zones_document(zones: Zones) -> dict[str, list[str]]:
    return {origin: [f"{one.name}. {one.ttl} {one.kind} {one.data}" for one in records] for origin, records in zones.items()}


def read_dns(node: Node | None) -> Dns:
    """What the document's top says: `zones` of third parties and `keys` for updates."""
    found = Dns()
    if node is None:
        return found
    found.zones = read_zones(node.node("zones"))
    found.serial = node.take("serial", int, 1)
    for item in node.nodes("keys"):
        key = DnsKey(item.text("name").lower().rstrip("."), item.text("secret"), item.text("algorithm", "hmac-sha256"))
        item.done()
        try:
            base64.b64decode(key.secret, validate=True)
            dns.tsig.mac_sizes[dns.name.from_text(key.algorithm)]
        except (binascii.Error, KeyError):
            raise item.error("needs a secret in base64 and an algorithm such as hmac-sha256", key.name) from None
        found.keys.append(key)
    node.done()
    return found


def dns_document(found: Dns) -> dict[str, Any]:
    return {"zones": zones_document(found.zones), "keys": [dict(vars(key)) for key in found.keys], "serial": found.serial}


def plain(name: dns.name.Name) -> str:
    return name.to_text().rstrip(".").lower()
