"""Content of DNS: the state's zones, default MX records of the domains, and Microsoft's own zones.

Sources: "External Domain Name System records for Microsoft 365"; RFC 1034, section 4.3.2 (how an answer is found).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator.clouds import CLOUDS
from emulator.state import NEW_MX_SUFFIX, DnsRecord, State, Tenant, mx_host

_RANGES = (
    "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 "
    "ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 -all"
)
WELL_KNOWN = {name: [DnsRecord(name, "TXT", f'"{_RANGES}"')] for name in {cloud.spf_include for cloud in CLOUDS.values()}}


@dataclass
class Lookup:
    """The result of a query. `zone` is empty where no zone has the name."""

    zone: str = ""
    exists: bool = False
    records: list[DnsRecord] = field(default_factory=list)
    aliases: list[DnsRecord] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """The zones as they are asked: `host` is where every MX of the cloud listens."""

    state: State
    host: str = "127.0.0.1"
    mx_suffix: str = CLOUDS["global"].mx_suffix

    def find(self, name: str, kind: str) -> Lookup:
        """The records of a name, through CNAMEs."""
        aliases: list[DnsRecord] = []
        while True:
            zone, records = self.zone_of(name)
            here = [one for one in records if one.name == name]
            matches = [one for one in here if one.kind == kind]
            alias = next((one for one in here if one.kind == "CNAME"), None)
            if matches or alias is None or alias in aliases:
                exists = bool(here) or bool(zone and name == zone) or any(one.name.endswith(f".{name}") for one in records)
                return Lookup(zone, exists, matches, aliases)
            aliases.append(alias)
            name = alias.data.rstrip(".").lower()

    def zone_of(self, name: str) -> tuple[str, list[DnsRecord]]:
        """The zone that a name is in, and its records."""
        for origin in _suffixes(name):
            holder = holder_of(self.state, origin)
            if holder is not None:
                return origin, holder
            if self.state.tenant(origin):
                return origin, self.implied(origin)
            if origin == self.mx_suffix:
                hosts = [mx_host(domain, self.mx_suffix) for domain in _domains(self.state)]
                return origin, [DnsRecord(name, "A", self.host) for name in hosts]
            if origin == NEW_MX_SUFFIX:
                return origin, [DnsRecord(name, "A", self.host)]
            if origin in WELL_KNOWN:
                return origin, WELL_KNOWN[origin]
        return "", []

    def implied(self, domain: str) -> list[DnsRecord]:
        """Records of an accepted domain without a zone in the state."""
        return [DnsRecord(domain, "MX", f"0 {mx_host(domain, self.mx_suffix)}.")]


def holder_of(state: State, origin: str) -> list[DnsRecord] | None:
    """The records of a zone in the state: the list itself, to be changed."""
    for tenant in state.tenants.values():
        if origin in tenant.dns:
            return tenant.dns[origin]
    return state.dns.zones.get(origin)


def owner_of(state: State, origin: str) -> Tenant | None:
    return next((tenant for tenant in state.tenants.values() if origin in tenant.dns), None) or state.tenant(origin)


def _suffixes(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]


def _domains(state: State) -> Iterator[str]:
    for tenant in state.tenants.values():
        yield from tenant.accepted_domains
