# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing of DNS records, one class for each DNS provider: RFC 2136 updates, signed with TSIG (RFC 8945).

All other records of the name are kept. An update has the records that were read as its prerequisite, and fails if they
have changed in the meantime.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .. import error_catalog
from .._core.bounds import DNS_UPDATE_TIMEOUT
from .._core.errors import DnsError, Unreachable
from .._core.spec import Spec
from .._spf import Answer, chunks
from . import dns as queries
from .dns import NAME, PORT, Resolver, library, server

ALGORITHMS = ("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1")
# The DNS provider that publishes records: options of module spf, suboptions of `dns` of module hosted_domain.
PUBLISHING = Spec(
    {
        "provider": {"type": "str", "choices": ["none", "rfc2136"], "default": "none"},
        "server": {"type": "str"},
        "zone": {"type": "str"},
        "tsig_name": {"type": "str"},
        "tsig_secret": {"type": "str", "no_log": True},
        "tsig_algorithm": {"type": "str", "choices": list(ALGORITHMS), "default": ALGORITHMS[0]},
        "ttl": {"type": "int", "default": 3600},
    }
)


@dataclass(frozen=True)
class Publishing:
    """The values of PUBLISHING."""

    provider: str
    server: str | None
    zone: str | None
    tsig_name: str | None
    tsig_secret: str | None = field(repr=False)
    tsig_algorithm: str
    ttl: int


@dataclass(frozen=True)
class RecordUpdate:
    """The values to add and to delete at one name and of one type. `read`: the records there, which must not have changed.

    Values are those of an Answer: texts of TXT records, else names; of MX records to add, preference and name.
    """

    read: Answer
    add: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


class Provider(Protocol):
    """A way of writing DNS."""

    def read(self, questions: Sequence[tuple[str, str]]) -> list[Answer]:
        """The records as the zone holds them, each asked for by name and type, without a cache in between."""

    def update(self, updates: Sequence[RecordUpdate], ttl: int, attempted: str) -> None:
        """Write all updates of a zone, or none of them. `ttl` counts where there was no record of the type."""


def provider_of(params: Publishing) -> Provider | None:
    """The DNS provider; None where records are not published."""
    if params.provider == "none":
        return None
    key = (params.tsig_name, params.tsig_secret or "", params.tsig_algorithm) if params.tsig_name else None
    return Rfc2136(params.server or "", params.zone or "", key)


def publishing_problems(params: Publishing, prefix: str = "") -> list[str]:
    """One sentence for each wrong option. `prefix`: before the option's name, where it is a suboption."""
    if params.provider == "none":
        return []
    problems = []
    if not params.server:
        problems.append(f"{prefix}provider is rfc2136, and {prefix}server is not set: give the address of the zone's primary server.")
    else:
        problems += queries.problems(f"{prefix}server", [params.server])
    if bool(params.tsig_name) != bool(params.tsig_secret):
        problems.append(
            f"{prefix}tsig_name and {prefix}tsig_secret go together: set both, or neither where the server takes unsigned updates."
        )
    if params.tsig_secret:
        problems += key_problems(f"{prefix}tsig_secret", params.tsig_secret)
    if params.zone and not NAME.fullmatch(params.zone.rstrip(".")):
        problems.append(f"{prefix}zone is {params.zone!r}, which is not a domain name.")
    if not 0 < params.ttl <= 0x7FFFFFFF:
        problems.append(f"{prefix}ttl is {params.ttl}: give seconds, 3600 for example.")
    return problems


def key_problems(option: str, secret: str) -> list[str]:
    """A sentence where a TSIG secret is no base64; never with the secret in it."""
    try:
        good = bool(base64.b64decode(secret, validate=True))
    except binascii.Error:
        good = False
    return [] if good else [f"{option} is no base64 text: give the key's secret as the DNS server's configuration has it."]


class Rfc2136:
    """A zone's primary server that takes updates."""

    def __init__(self, address: str, zone: str = "", key: tuple[str, str, str] | None = None) -> None:
        """`key` is name, secret (base64) and algorithm; without one the update is not signed."""
        self._host, self._port = server(address)
        self._zone, self._key = zone, key
        self._resolver = Resolver([address])

    def read(self, questions: Sequence[tuple[str, str]]) -> list[Answer]:
        return self._resolver.ask_all(questions)

    def update(self, updates: Sequence[RecordUpdate], ttl: int, attempted: str) -> None:
        dns = library()
        zones: dict[str, list[RecordUpdate]] = {}
        for one in updates:
            zones.setdefault(self._zone or self._zone_of(dns, one.read.name, attempted), []).append(one)
        for zone, listed in zones.items():
            self._send(dns, self._message(dns, zone, listed, ttl), attempted)

    def _send(self, dns: Any, update: Any, attempted: str) -> None:
        try:
            answer = dns.query.tcp(update, self._host, timeout=DNS_UPDATE_TIMEOUT, port=self._port)
        except dns.exception.Timeout as error:
            cause = f"{self._where} did not answer an update within {DNS_UPDATE_TIMEOUT:.0f} seconds."
            raise Unreachable(attempted, cause) from error
        except dns.tsig.PeerError as error:
            code = {"PeerBadKey": "BADKEY", "PeerBadSignature": "BADSIG", "PeerBadTime": "BADTIME"}.get(type(error).__name__, "NOTAUTH")
            raise _refused(attempted, code) from error
        except (OSError, EOFError) as error:
            raise Unreachable(attempted, f"{self._where} cannot be reached by TCP: {error}. Check spf_server.") from error
        except dns.exception.DNSException as error:
            raise Unreachable(attempted, f"the answer of {self._where} cannot be trusted: {type(error).__name__}.") from error
        code = dns.rcode.to_text(answer.rcode())
        if code != "NOERROR":
            raise _refused(attempted, code)

    @property
    def _where(self) -> str:
        return self._host if self._port == PORT else f"{self._host}:{self._port}"

    def _message(self, dns: Any, zone: str, updates: Iterable[RecordUpdate], ttl: int) -> Any:
        message = dns.update.UpdateMessage(zone)
        if self._key:
            name, secret, algorithm = self._key
            message.use_tsig(dns.tsig.Key(name, secret, algorithm))
        for one in updates:
            _add(dns, message, one, ttl)
        return message

    def _zone_of(self, dns: Any, domain: str, attempted: str) -> str:
        """The zone that a domain is in, as its own server says."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(self._host, self._port)]
        try:
            return str(dns.resolver.zone_for_name(domain, resolver=resolver, lifetime=DNS_UPDATE_TIMEOUT))
        except (dns.exception.DNSException, OSError) as error:
            cause = f"{self._where} does not say which zone {domain} is in ({type(error).__name__}). Set spf_zone."
            raise Unreachable(attempted, cause) from error


def _add(dns: Any, message: Any, update: RecordUpdate, ttl: int) -> None:
    """The prerequisite of an update, and its changes. A name with a CNAME record has no other (RFC 1034, section 3.6.2)."""
    read, name = update.read, dns.name.from_text(update.read.name)
    present = [_txt(dns, strings) for strings in read.raw] or [dns.rdata.from_text("IN", read.kind, data) for data in read.data]
    if present:
        message.present(name, *present)
    elif read.kind == "CNAME":
        message.absent(name)
    else:
        message.absent(name, read.kind)
    for rdata, value in zip(present, read.values, strict=True):
        if value in update.delete:
            message.delete(name, rdata)
    for value in update.add:
        message.add(name, read.ttl if present else ttl, _rdata(dns, read.kind, value))


def _rdata(dns: Any, kind: str, value: str) -> Any:
    return _txt(dns, chunks(value)) if kind == "TXT" else dns.rdata.from_text("IN", kind, f"{value.rstrip('.')}.")


def _txt(dns: Any, strings: Sequence[bytes]) -> Any:
    quoted = " ".join('"' + "".join(f"\\{octet:03d}" for octet in part) + '"' for part in strings)
    return dns.rdata.from_text("IN", "TXT", quoted)


def _refused(attempted: str, code: str) -> DnsError:
    return DnsError(attempted, code, code=code, entry=error_catalog.dns(code))
