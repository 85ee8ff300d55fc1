# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS queries: each is sent once, several in parallel, with a time limit. A failure is returned as an error message.

Sources: RFC 1034, 1035. dnspython is imported with the first query.
"""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .._core.bounds import DNS_LIFETIME, DNS_TIMEOUT
from .._core.errors import InvalidInput, MissingLibrary
from .._spf import Answer

PORT = 53
# A name of at least two labels, which may have underscores, for `fullmatch`.
NAME = re.compile(r"(?=.{4,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")
_AT_ONCE = 16


def server(text: str) -> tuple[str, int]:
    """A name server's address and port: `address`, `address:port` or `[address]:port`; ValueError where it is neither."""
    address, port = text.strip(), ""
    if address.startswith("["):
        address, _end, port = address[1:].partition("]")
        port = port.removeprefix(":")
    elif address.count(":") == 1:
        address, _colon, port = address.partition(":")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(text)
    return str(ipaddress.ip_address(address)), int(port or PORT)


def problems(option: str, servers: Iterable[str]) -> list[str]:
    """One sentence a name server that is none."""
    found = []
    for text in servers:
        try:
            server(text)
        except ValueError:
            found.append(
                f"{option} holds {text!r}: give a name server as address or address:port, such as 192.0.2.53 or [2001:db8::53]:53."
            )
    return found


class Resolver:
    """The name servers that are given, else those of this machine."""

    def __init__(self, servers: Sequence[str] = (), *, timeout: float = DNS_TIMEOUT, lifetime: float = DNS_LIFETIME) -> None:
        self._servers = [server(text) for text in servers]
        self._timeout, self._lifetime = timeout, lifetime
        self._answers: dict[tuple[str, str], Future[Answer]] = {}
        self._lock = threading.Lock()
        self._made: Any = None

    @property
    def queries(self) -> int:
        """How many questions were sent."""
        return len(self._answers)

    def ask(self, name: str, kind: str) -> Answer:
        """The answer to one question; asked by several threads at once, it goes out once."""
        key = (name.lower().rstrip("."), kind)
        with self._lock:
            known = self._answers.get(key)
            future = known or self._answers.setdefault(key, Future())
            resolver = self._resolver()
        if known is None:
            answer = Answer(*key, problem=f"the question for the {kind} records of {name} was given up.")
            try:
                answer = _ask(resolver, *key)
            finally:  # whoever waits for the same answer gets one, whatever happened
                future.set_result(answer)
        return future.result()

    def ask_all(self, questions: Iterable[tuple[str, str]]) -> list[Answer]:
        """The answers to many questions, in their order."""
        listed = list(questions)
        if len(listed) < 2:
            return [self.ask(*one) for one in listed]
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(listed))) as pool:
            return list(pool.map(lambda one: self.ask(*one), listed))

    def _resolver(self) -> Any:
        if self._made is None:
            self._made = _make(self._servers)
            self._made.timeout, self._made.lifetime, self._made.search = self._timeout, self._lifetime, []
        return self._made


def library() -> Any:
    """dnspython, with the parts that are used here."""
    try:
        import dns.nameserver
        import dns.query
        import dns.resolver
        import dns.tsigkeyring
        import dns.update
    except ImportError as error:
        raise MissingLibrary("dnspython") from error
    return dns


def _make(servers: Sequence[tuple[str, int]]) -> Any:
    dns = library()
    try:
        made = dns.resolver.Resolver(configure=not servers)
    except dns.resolver.NoResolverConfiguration as error:
        raise InvalidInput("m365_dns_servers is not set, and this machine names no DNS server: set m365_dns_servers.") from error
    if servers:
        made.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
    made.use_edns(0, 0, 1232)  # DNS flag day 2020; what is longer comes by TCP
    return made


def _ask(resolver: Any, name: str, kind: str) -> Answer:
    dns = library()
    try:
        found = resolver.resolve(dns.name.from_text(name), kind, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN as error:
        return Answer(name, kind, alias=_alias(error, name))
    except dns.resolver.LifetimeTimeout:
        return _failed(name, kind, f"no DNS server answered within {resolver.lifetime:.0f} seconds", resolver)
    except dns.resolver.NoNameservers as error:
        return _failed(name, kind, _refusals(dns, error), resolver)
    except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.BadEscape, dns.name.IDNAException):
        return Answer(name, kind, problem=f"{name} is no DNS name.")
    except (dns.exception.DNSException, OSError) as error:
        return _failed(name, kind, f"{type(error).__name__}: {error}", resolver)
    canonical = found.canonical_name.to_text(omit_final_dot=True).lower()
    alias = "" if canonical == name.lower() else canonical
    if found.rrset is None:
        return Answer(name, kind, alias=alias)
    items = sorted(found, key=lambda item: _text(item, kind))  # servers give them in any order
    raw = tuple(tuple(item.strings) for item in items) if kind == "TXT" else ()
    data = () if kind == "TXT" else tuple(item.to_text() for item in items)
    return Answer(name, kind, tuple(_text(item, kind) for item in items), ttl=found.rrset.ttl, raw=raw, alias=alias, data=data)


def _alias(error: Any, name: str) -> str:
    """The name that a name without records is an alias of; empty where it is none."""
    canonical: str = error.canonical_name.to_text(omit_final_dot=True).lower()
    return "" if canonical == name.lower() else canonical


def _text(item: Any, kind: str) -> str:
    if kind == "TXT":
        return plain(item.strings)
    return str(item.exchange if kind == "MX" else item).rstrip(".")


def plain(strings: Iterable[bytes]) -> str:
    """A TXT record's strings as one text: UTF-8, else a character an octet. What is not ASCII is in no valid SPF term."""
    data = b"".join(strings)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _refusals(dns: Any, error: Any) -> str:
    """What the servers said: SERVFAIL, REFUSED, ..."""
    reasons = {dns.rcode.to_text(entry[4].rcode()) for entry in error.kwargs.get("errors", []) if entry[4] is not None}
    return f"the DNS servers answered {', '.join(sorted(reasons))}" if reasons else "no DNS server gave an answer that could be used"


def _failed(name: str, kind: str, reasons: str, resolver: Any) -> Answer:
    servers = ", ".join(str(one) for one in resolver.nameservers)
    return Answer(name, kind, problem=f"the {kind} records of {name} could not be read: {reasons} ({servers}). Check m365_dns_servers.")
