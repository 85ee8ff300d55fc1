"""DNS as the world sees it: the zones of the tenants' domains, those of others, and the keys that may change them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class DnsRecord:
    """One record. Names are absolute, in lower case and without the final dot; `data` is written as in a zone file."""

    name: str
    kind: str  # TXT, MX, A, AAAA, CNAME, NS
    data: str
    ttl: int = 3600


@dataclass
class DnsKey:
    """A TSIG key (RFC 8945), which may change every zone."""

    name: str
    secret: str  # base64
    algorithm: str = "hmac-sha256"


Zones = dict[str, list[DnsRecord]]  # by origin


@dataclass
class Dns:
    """What is nobody's among the tenants: zones of third parties, and the keys."""

    zones: Zones = field(default_factory=dict)
    keys: list[DnsKey] = field(default_factory=list)
    serial: int = 1  # of every zone; an update raises it
