# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnose the network between the host that the module runs on and the mail servers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._core.errors import MailopsError
from .._core.json_types import JsonObject
from .._core.params import nested
from .._core.spec import Spec
from .._diagnosis import endpoints as lists
from .._diagnosis import table
from .._diagnosis.causes import Finding
from .._diagnosis.dns_query import configured_servers
from .._diagnosis.findings import Expectation, judge, public_addresses
from .._diagnosis.lookups import DnsServers
from .._diagnosis.observations import TLS_VERSIONS, Endpoint
from .._diagnosis.observe import Effort, Observer, Targets
from .._engine.local_host import LocalHost
from .._engine.resource import Plan, ReadOnlyResource
from .._hosted.providers import HOSTED_RELAYS
from .._http import clouds

_MOST_SAMPLES, _LONGEST = 1000, 86400
OPTIONS = Spec(
    {
        "domains": {"type": "list", "elements": "str", "required": True},
        "cloud": {"type": "raw", "variable": "m365_cloud", "default": "global"},
        "hosted_relays": {"type": "list", "elements": "str", "choices": list(HOSTED_RELAYS), "default": list(HOSTED_RELAYS)},
        "endpoints": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "host": {"type": "str", "required": True},
                "ports": {"type": "list", "elements": "int", "default": [25, 587]},
            },
        },
        "samples": {"type": "int", "default": 10},
        "duration": {"type": "int", "default": 60},
        "timeout": {"type": "int", "default": 10},
        "public_dns_servers": {"type": "list", "elements": "str", "default": ["1.1.1.1", "8.8.8.8"]},
        "certificate_issuers": {"type": "list", "elements": "str", "default": []},
        "device_tls": {"type": "str", "choices": list(TLS_VERSIONS)},
        "required": {"type": "bool", "default": False},
    },
    writes=False,
)


@dataclass(frozen=True)
class OtherEndpoint:
    host: str
    ports: tuple[int, ...]


@dataclass(frozen=True)
class Params:
    """`duration` and `timeout` in seconds."""

    domains: tuple[str, ...]
    cloud: Any
    hosted_relays: tuple[str, ...]
    samples: int
    duration: int
    timeout: int
    public_dns_servers: tuple[str, ...]
    certificate_issuers: tuple[str, ...]
    device_tls: str | None
    required: bool
    endpoints: tuple[OtherEndpoint, ...] = nested(OtherEndpoint)


class NetworkProblem(MailopsError):  # noqa: N818 - a statement about the network
    """Findings, where they fail the task; `outcome` holds all results."""

    def __init__(self, text: str, outcome: JsonObject) -> None:
        super().__init__(text)
        self.outcome = outcome


class MailPathProbe(ReadOnlyResource[Params]):
    """Module mail_path_probe."""

    name = "mail_path_probe"
    spec = OPTIONS
    params_type = Params

    def validate(self, params: Params, /) -> list[str]:
        return list(_problems(params))

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[None]:
        """Check mode observes, too: that changes nothing."""
        servers = DnsServers(configured_servers(), params.public_dns_servers, float(params.timeout))
        cloud = clouds.resolve(params.cloud)
        ca_file = cloud.ca_file if Path(cloud.ca_file).expanduser().is_file() else ""  # a file of the control node, which other hosts lack
        observer = Observer(Effort(params.samples, float(params.duration), float(params.timeout)), servers, host.clock, ca_file)
        observations = observer.observe(Targets(tuple(_endpoints(params, cloud)), params.domains, cloud.mx_port))
        findings = judge(observations, Expectation(params.certificate_issuers, params.device_tls or ""))
        rows = table.rows(observations)
        outcome: JsonObject = {
            "findings": [one.as_result() for one in findings],
            "sentences": [one.sentence for one in findings],
            "hops": rows,
            "table": table.lines(rows),
            "public_addresses": public_addresses(observations.observed),
            "attention": [_attention(one) for one in findings],
        }
        if findings and params.required:
            raise NetworkProblem(" ".join(one.sentence for one in findings), outcome)
        return Plan(outcome=outcome)


def _endpoints(params: Params, cloud: clouds.Cloud) -> Iterator[Endpoint]:
    yield from lists.of_cloud(cloud)
    yield from lists.of_hosted_relays(params.hosted_relays)
    for one in params.endpoints:
        yield from lists.of_user(one.host, one.ports)


def _attention(one: Finding) -> JsonObject:
    return {"kind": "other", "subject": "network", "problem": one.problem, "remedy": one.remedy}


def _problems(params: Params) -> Iterator[str]:
    for option, value, most in (
        ("samples", params.samples, _MOST_SAMPLES),
        ("duration", params.duration, _LONGEST),
        ("timeout", params.timeout, 300),
    ):
        least = 0 if option == "duration" else 1
        if not least <= value <= most:
            yield f"diagnose_{option} is {value}: give a number from {least} to {most}."
    for text in params.public_dns_servers:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            yield f"diagnose_public_dns_servers holds {text!r}: give the IP address of a DNS server, such as 1.1.1.1."
    for one in params.endpoints:
        yield from (
            f"diagnose_endpoints: {one.host}: port {port} does not exist: give a port from 1 to 65535."
            for port in one.ports
            if not 0 < port < 65536
        )
        if not lists.is_host(one.host):
            yield f"diagnose_endpoints holds the host {one.host!r}: give a DNS name or an IP address."
    for domain in params.domains:
        if not lists.is_host(domain):
            yield f"diagnose_domains holds {domain!r}: give a domain such as contoso.com."


RESOURCE = MailPathProbe()
