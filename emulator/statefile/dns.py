"""Zones in the state file: a zone is a list of lines as in a zone file, such as `@ 3600 TXT "v=spf1 -all"`."""

from __future__ import annotations

import re
from typing import Any

import dns.exception
import dns.name
import dns.rdata

from emulator.state.dns import DnsRecord, Zones
from emulator.state.keys import At
from emulator.statefile.forms import Form
from emulator.statefile.reader import Location

KINDS = ("TXT", "MX", "A", "AAAA", "CNAME", "NS")
_LINE = re.compile(r"(\S+)\s+(?:(\d{1,9})\s+)?(?:IN\s+)?([A-Za-z]+)\s+(\S.*)")


class ZonesForm(Form):
    """Zones by origin."""

    kind = "a mapping to lists of lines of a zone file"

    def read(self, value: Any, location: Location, at: At) -> Zones:
        zones: Zones = {}
        for origin, lines in location.expect(value, dict).items():
            inner = location.key(origin)
            if not isinstance(lines, list):
                raise inner.error("must be a list of records")
            zones[origin.lower().rstrip(".")] = [_read_record(inner, origin, line) for line in lines]
        return zones

    def write(self, value: Zones) -> dict[str, list[str]]:
        return {origin: [f"{one.name}. {one.ttl} {one.kind} {one.data}" for one in records] for origin, records in value.items()}


def _read_record(location: Location, origin: str, line: Any) -> DnsRecord:
    match = _LINE.fullmatch(line.strip()) if isinstance(line, str) else None
    if match is None:
        raise location.error(f"{line!r} is no record: write name, seconds, type and data")
    name, seconds, kind, data = match.groups()
    if kind.upper() not in KINDS:
        raise location.error(f"{kind} is no supported type; known: {', '.join(KINDS)}")
    try:
        zone = dns.name.from_text(origin)
        full = zone if name == "@" else dns.name.from_text(name, zone)
        clean = dns.rdata.from_text("IN", kind.upper(), data, origin=zone, relativize=False).to_text()
    except dns.exception.DNSException as error:
        raise location.error(f"{line!r}: {error}") from None
    if not full.is_subdomain(zone):
        raise location.error(f"{name} is not in this zone")
    return DnsRecord(plain(full), kind.upper(), clean, int(seconds or 3600))


def plain(name: dns.name.Name) -> str:
    """The name in lower case, without the final dot."""
    return name.to_text().rstrip(".").lower()
