# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observes the endpoints from this host: sessions over a time, and what else the causes need. Judges nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from .._core import trust
from .._core.waiting import Clock
from . import endpoints as lists
from . import observations as seen
from .lookups import DnsServers, other_addresses
from .observations import TLS_VERSIONS, Endpoint, Hop, Observations, Observed, Sample
from .route import trace
from .session import Session
from .thresholds import SEGMENTS
from .tls_versions import test_version

_AT_ONCE = 64  # endpoints
_HOPELESS = 3  # sessions in a row from the first on that do not connect: the rest is not tried


@dataclass(frozen=True)
class Effort:
    """`samples` sessions with each endpoint over `duration` seconds; `timeout` of each stage in seconds."""

    samples: int
    duration: float
    timeout: float

    @property
    def interval(self) -> float:
        return self.duration / self.samples


@dataclass(frozen=True)
class Targets:
    """The endpoints, and the domains whose MX hosts are added; `mx_port` is 25, except in a test."""

    endpoints: tuple[Endpoint, ...]
    domains: tuple[str, ...] = ()
    mx_port: int = 25


class Observer:
    """Observes with threads, one an endpoint. `ca_file`: the CAs that certificates are checked against; "": those of the environment."""

    def __init__(self, effort: Effort, servers: DnsServers, clock: Clock, ca_file: str = "") -> None:
        self._effort, self._servers, self._clock = effort, servers, clock
        self._trusting = ssl.create_default_context()
        self._trusting.check_hostname = False
        self._trusting.verify_mode = ssl.CERT_NONE
        self._verifying = _verifying(trust.ca_bundle(ca_file))

    def observe(self, targets: Targets) -> Observations:
        hosts, problems = self._mx(targets.domains)
        endpoints = lists.unique([*targets.endpoints, *lists.of_mx(hosts, targets.mx_port)])
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            pending = pool.submit(self._servers.look_up, [endpoint.host for endpoint in endpoints])
            observed = list(pool.map(self._observe, endpoints))
            lookups = tuple(pending.result())
            others = other_addresses(lookups)
            compared = tuple(pool.map(lambda one: self._compare(one, others.get(one.endpoint.host, "")), observed))
        return Observations(lookups, compared, problems, self._routes(compared))

    def _mx(self, domains: Iterable[str]) -> tuple[list[str], dict[str, str]]:
        hosts: list[str] = []
        problems: dict[str, str] = {}
        for domain in domains:
            listed, problem = self._servers.mx_hosts(domain)
            hosts += listed
            if problem:
                problems[domain] = problem
        return hosts, problems

    def _observe(self, endpoint: Endpoint) -> Observed:
        samples = self._samples(endpoint)
        small = self._small_segment(endpoint, samples)
        tls: dict[str, str] = {}
        if not small and any(sample.reached(seen.TLS) for sample in samples):
            tls = {version: test_version(endpoint, version, self._effort.timeout) for version in TLS_VERSIONS}
        return Observed(endpoint, samples, tls, small)

    def _samples(self, endpoint: Endpoint) -> tuple[Sample, ...]:
        """The sessions at even distances. A session whose certificate is not trusted is repeated to read the certificate."""
        start = self._clock.now()
        samples: list[Sample] = []
        for number in range(self._effort.samples):
            self._clock.sleep(max(0.0, start + number * self._effort.interval - self._clock.now()))
            samples.append(self._sample(endpoint))
            if len(samples) == _HOPELESS and not any(one.reached(seen.GREETING) or one.reached(seen.TLS) for one in samples):
                break
        return tuple(samples)

    def _compare(self, one: Observed, address: str) -> Observed:
        """With a session with this address of public DNS, where there is one."""
        return replace(one, public_session=self._sample(one.endpoint, address)) if address and one.samples else one

    def _sample(self, endpoint: Endpoint, address: str = "") -> Sample:
        sample = Session(endpoint, self._verifying, self._effort.timeout, address=address).run()
        if sample.certificate is None or sample.certificate.trusted:
            return sample
        again = Session(endpoint, self._trusting, self._effort.timeout, address=address).run()
        certificate = replace(again.certificate or seen.Certificate(), problem=sample.certificate.problem)
        return again.with_certificate(certificate)

    def _small_segment(self, endpoint: Endpoint, samples: tuple[Sample, ...]) -> int:
        """See Observed.small_segment: by bisection, since each size that does not pass takes a timeout."""
        if not samples or not all(one.error == seen.TIMEOUT and one.stage not in (seen.RESOLVE, seen.CONNECT) for one in samples):
            return 0
        return largest(SEGMENTS, lambda size: Session(endpoint, self._trusting, self._effort.timeout, size).run().complete)

    def _routes(self, observed: Iterable[Observed]) -> Mapping[str, tuple[Hop, ...]]:
        """The routes to the hosts that a session had an IPv4 address of."""
        addresses = {one.endpoint.host: sample.address for one in observed for sample in one.samples if "." in sample.address}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            routes = dict(pool.map(lambda address: (address, trace(address)), dict.fromkeys(addresses.values())))
        return {host: routes[address] for host, address in addresses.items() if routes[address]}


def largest(sizes: tuple[int, ...], passes: Callable[[int], bool]) -> int:
    """The largest of the sizes, which are in order, that passes; 0 where the smallest does not."""
    if not passes(sizes[0]):
        return 0
    low, high = 0, len(sizes) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if passes(sizes[middle]) else (low, middle - 1)
    return sizes[low]


def _verifying(bundle: str) -> ssl.SSLContext:
    """A context that checks certificates against the CAs in a file or a directory; "": those of the system."""
    if not bundle:
        return ssl.create_default_context()
    is_directory = Path(bundle).is_dir()
    return ssl.create_default_context(cafile=None if is_directory else bundle, capath=bundle if is_directory else None)
