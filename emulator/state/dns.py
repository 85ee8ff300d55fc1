"""DNS: zones of third parties and TSIG keys. The zones of a tenant's domains are the tenant's."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Annotated

import dns.name
import dns.tsig

from emulator.state.keys import At, Lower, UnfitError, key


def _base64(text: str, _: At) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise UnfitError("must be a secret in base64") from None
    return text


def _algorithm(name: str, _: At) -> str:
    if dns.name.from_text(name) not in dns.tsig.mac_sizes:
        raise UnfitError(f"{name!r} is no algorithm of TSIG, such as hmac-sha256")
    return name


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

    name: Lower = field(metadata=key("the key's name", convert=lambda name, at: name.rstrip(".")))
    secret: str = field(metadata=key("the secret in base64", convert=_base64))
    algorithm: str = field(default="hmac-sha256", metadata=key("the algorithm", convert=_algorithm))


Zones = Annotated[dict[str, list[DnsRecord]], "zones"]  # by origin


@dataclass
class Dns:
    """DNS that belongs to no tenant."""

    zones: Zones = field(default_factory=dict, metadata=key("zones of third parties"))
    keys: list[DnsKey] = field(default_factory=list, metadata=key("TSIG keys, which may update every zone"))
    serial: int = field(default=1, metadata=key("the serial number of every zone; an update increments it"))
