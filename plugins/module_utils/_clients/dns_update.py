# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing of SPF records, one class for each DNS provider: RFC 2136 updates, signed with TSIG (RFC 8945).

All other records of the name are kept. The update has the records that were read as its prerequisite, and fails if they
have changed in the meantime.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Protocol

from .. import error_catalog
from .._core.bounds import DNS_UPDATE_TIMEOUT
from .._core.errors import DnsError, Unreachable
from .._spf import Answer, chunks, is_spf
from .dns import PORT, Resolver, library, server

ALGORITHMS = ("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1")


class Provider(Protocol):
    """A way of writing DNS."""

    def read(self, domains: Sequence[str]) -> list[Answer]:
        """The TXT records as the zone holds them, without a cache in between."""

    def replace(self, have: Answer, text: str, ttl: int) -> None:
        """Put one SPF record in place of those that were read; `ttl` counts where there was no TXT record."""


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

    def read(self, domains: Sequence[str]) -> list[Answer]:
        return self._resolver.ask_all([(domain, "TXT") for domain in domains])

    def replace(self, have: Answer, text: str, ttl: int) -> None:
        dns = library()
        attempted = f"publish the SPF record of {have.name}"
        update = self._message(dns, have, text, ttl, attempted)
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

    def _message(self, dns: Any, have: Answer, text: str, ttl: int, attempted: str) -> Any:
        update = dns.update.UpdateMessage(self._zone or self._zone_of(dns, have.name, attempted))
        if self._key:
            name, secret, algorithm = self._key
            update.use_tsig(dns.tsig.Key(name, secret, algorithm))
        name = dns.name.from_text(have.name)
        present = [_txt(dns, strings) for strings in have.raw]
        if present:
            update.present(name, *present)
        else:
            update.absent(name, "TXT")
        for rdata, value in zip(present, have.values, strict=True):
            if is_spf(value):
                update.delete(name, rdata)
        update.add(name, have.ttl if present else ttl, _txt(dns, chunks(text)))
        return update

    def _zone_of(self, dns: Any, domain: str, attempted: str) -> str:
        """The zone that a domain is in, as its own server says."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(self._host, self._port)]
        try:
            return str(dns.resolver.zone_for_name(domain, resolver=resolver, lifetime=DNS_UPDATE_TIMEOUT))
        except (dns.exception.DNSException, OSError) as error:
            cause = f"{self._where} does not say which zone {domain} is in ({type(error).__name__}). Set spf_zone."
            raise Unreachable(attempted, cause) from error


def _txt(dns: Any, strings: Sequence[bytes]) -> Any:
    quoted = " ".join('"' + "".join(f"\\{octet:03d}" for octet in part) + '"' for part in strings)
    return dns.rdata.from_text("IN", "TXT", quoted)


def _refused(attempted: str, code: str) -> DnsError:
    return DnsError(attempted, code, code=code, entry=error_catalog.dns(code))
