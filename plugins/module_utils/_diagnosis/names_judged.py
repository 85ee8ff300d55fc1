# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers for a name show: an internal server that answers differently, the hosts file, servers that do not answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Sequence

from .causes import Finding, finding
from .observations import Answer, Lookup
from .thresholds import PRIVATE_NETWORKS

_PRIVATE = [ipaddress.ip_network(network) for network in PRIVATE_NETWORKS]


def is_private(address: str) -> bool:
    """Whether no server on the internet can have this address."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return any(parsed in network for network in _PRIVATE if network.version == parsed.version)


def judge(lookups: Sequence[Lookup], public: Collection[str], misled: Collection[str] = ()) -> Iterator[Finding]:
    """Servers of the same service differ in their addresses by place and time, which is no finding by itself.

    `public`: names of services on the internet; other names, such as that of a relay host, may have internal addresses only. `misled`:
    names whose address on this host leads to another server than their address in public DNS.
    """
    by_server: dict[str, list[str]] = {}
    local: dict[str, list[str]] = {}
    failed: dict[str, list[str]] = {}
    for lookup in lookups:
        is_misled = lookup.name in misled
        differing = [
            answer.server
            for answer in lookup.configured
            if (lookup.name in public and differs(answer, lookup.public)) or (is_misled and set(answer.addresses) & set(lookup.system))
        ]
        for server in differing:
            by_server.setdefault(server, []).append(lookup.name)
        if differing:
            continue
        if lookup.name in public and _from_hosts_file(lookup, is_misled):
            local.setdefault(", ".join(lookup.system), []).append(lookup.name)
        elif not lookup.system:
            failed.setdefault(_reason(lookup.configured), []).append(lookup.name)
    yield from (finding("internal_dns", tuple(names), detail=server) for server, names in by_server.items())
    yield from (finding("hosts_file", tuple(names), detail=addresses) for addresses, names in local.items())
    yield from (finding("dns_failed", tuple(names), detail=reason) for reason, names in failed.items())
    yield from _silent(lookups)


def differs(own: Answer, public: Iterable[Answer]) -> bool:
    """A name that exists in public only, in the internal server only, or there with a private address."""
    others = [answer for answer in public if not answer.error]
    if own.error or not others:
        return False
    addresses = {address for answer in others for address in answer.addresses}
    if bool(own.addresses) != bool(addresses):
        return True
    return any(is_private(address) for address in own.addresses if address not in addresses)


def _from_hosts_file(lookup: Lookup, is_misled: bool) -> bool:
    """An address that no DNS server of the host answers, and that is private or leads to another server."""
    answered = {address for answer in lookup.configured for address in answer.addresses}
    asked = [answer for answer in lookup.configured if not answer.error]
    if not asked or not lookup.system or answered & set(lookup.system):
        return False
    return is_misled or all(is_private(one) for one in lookup.system)


def _reason(answers: Sequence[Answer]) -> str:
    if not answers:
        return "none is configured"
    return "; ".join(f"{answer.server}: {answer.error or ('no address' if answer.exists else 'NXDOMAIN')}" for answer in answers)


def _silent(lookups: Sequence[Lookup]) -> Iterator[Finding]:
    """A server that answers no query, while another of this host does."""
    answers = [answer for lookup in lookups for answer in lookup.configured]
    answering = {answer.server for answer in answers if not answer.error}
    for server in dict.fromkeys(answer.server for answer in answers):
        if answering and server not in answering:
            error = next((answer.error for answer in answers if answer.server == server), "")
            yield finding("dns_server_down", (server,), detail=error)


def explained_names(findings: Iterable[Finding]) -> set[str]:
    """The names whose sessions say nothing more: they went to another server, or nowhere."""
    return {name for one in findings if one.cause in ("internal_dns", "hosts_file", "dns_failed") for name in one.subjects}
