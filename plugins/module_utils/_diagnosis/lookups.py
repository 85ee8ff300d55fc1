# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolves names as this host does, by its own DNS servers and by public ones, and reads MX records."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import dns_query
from .endpoints import is_address
from .observations import Answer, Lookup

_AT_ONCE = 16


@dataclass(frozen=True)
class DnsServers:
    """The servers of this host, and public ones to compare with; `timeout` of a query in seconds."""

    configured: Sequence[str]
    public: Sequence[str]
    timeout: float

    def look_up(self, names: Iterable[str]) -> list[Lookup]:
        """The addresses of each name, by all servers; an IP address is no name."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._look_up, dict.fromkeys(name for name in names if not is_address(name))))

    def _look_up(self, name: str) -> Lookup:
        own = tuple(self._answer(server, name) for server in self.configured)
        others = tuple(self._answer(server, name) for server in self.public if server not in self.configured)
        return Lookup(name, system_addresses(name), own, others)

    def _answer(self, server: str, name: str) -> Answer:
        """The IPv4 addresses, and with none of them the IPv6 ones: a host without IPv6 gets no other."""
        try:
            response = dns_query.query(server, name, dns_query.A, self.timeout)
            if not response.code and not response.data(dns_query.A):
                response = dns_query.query(server, name, dns_query.AAAA, self.timeout)
        except dns_query.QueryFailed as error:
            return Answer(server, error=str(error))
        if response.code not in (0, dns_query.NXDOMAIN):
            return Answer(server, error=dns_query.code_name(response.code))
        addresses = response.data(dns_query.A) or response.data(dns_query.AAAA)
        return Answer(server, addresses, response.data(dns_query.CNAME), exists=not response.code)

    def mx_hosts(self, domain: str) -> tuple[list[str], str]:
        """The MX hosts of a domain, the preferred one first, or why there are none."""
        problem = "this host has no DNS server"
        for server in (*self.configured, *self.public):
            try:
                response = dns_query.query(server, domain, dns_query.MX, self.timeout)
            except dns_query.QueryFailed as error:
                problem = f"{server}: {error}"
                continue
            hosts = list(dns_query.hosts_by_preference(response))
            if hosts:
                return hosts, ""
            problem = f"{server}: {dns_query.code_name(response.code) if response.code else 'no MX record'}"
        return [], problem


def other_addresses(lookups: Iterable[Lookup]) -> dict[str, str]:
    """Name -> an address of it in public DNS, where programs of this host get none of those."""
    others: dict[str, str] = {}
    for lookup in lookups:
        public = [address for answer in lookup.public for address in answer.addresses]
        if public and lookup.system and not set(public) & set(lookup.system):
            others[lookup.name] = public[0]
    return others


def system_addresses(name: str) -> tuple[str, ...]:
    """What programs of this host get, in the order in which they try them; none where the name does not resolve."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))
