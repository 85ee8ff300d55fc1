# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints that mail needs: those of the cloud and of the hosted relays, the MX hosts of the tenant's domains, and the user's own.

Sources: Microsoft, "Microsoft 365 URLs and IP address ranges", "How to set up a multifunction device or application to send email" (587
and 25 of client submission, and that 465 is not offered); the table of _hosted/providers.py.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from .._hosted.providers import HOSTED_RELAYS
from .._http.clouds import Cloud
from .observations import MICROSOFT, Endpoint

STANDARD_PORTS = (25, 465, 587)  # of a hosted relay, those of these that it has
_NAME = re.compile(
    r"(?=.{1,253}\.?$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?"
)
_MICROSOFT_MX = (
    ".mail.protection.outlook.com", ".mx.microsoft", ".mail.protection.office365.us", ".mail.protection.partner.outlook.cn",
)  # fmt: skip


def of_cloud(cloud: Cloud) -> Iterator[Endpoint]:
    """Client submission on both ports, High Volume Email, Azure Communication Services Email, and HTTPS, which tokens come by."""
    yield Endpoint(cloud.smtp_host, cloud.smtp_port, MICROSOFT)
    if cloud.smtp_port == 587:
        yield Endpoint(cloud.smtp_host, 25, MICROSOFT)
    for host, port in ((cloud.hve_host, cloud.hve_port), (cloud.acs_host, cloud.acs_port)):
        if host:
            yield Endpoint(host, port, MICROSOFT)
    for url in dict.fromkeys((cloud.authority, cloud.exchange)):
        parts = urlsplit(url)
        yield Endpoint(str(parts.hostname), parts.port or 443, MICROSOFT, "https")


def of_hosted_relays(names: Iterable[str]) -> Iterator[Endpoint]:
    """The standard ports of each provider's first region."""
    for name in names:
        relay = HOSTED_RELAYS[name]
        for port in STANDARD_PORTS:
            if port in relay.starttls_ports or port in relay.tls_ports:
                tls = "implicit" if port in relay.tls_ports else "starttls"
                yield Endpoint(relay.region().smtp_host, port, relay.label, tls)


def of_mx(hosts: Sequence[str], port: int = 25) -> Iterator[Endpoint]:
    """The MX hosts of a domain; those at Microsoft are known by their names."""
    for host in hosts:
        yield Endpoint(host, port, MICROSOFT if host.endswith(_MICROSOFT_MX) else "")


def of_user(host: str, ports: Iterable[int]) -> Iterator[Endpoint]:
    """Any other host, such as a relay host: 465 has implicit TLS (RFC 8314), 443 HTTPS."""
    for port in ports:
        yield Endpoint(host, port, "", {465: "implicit", 443: "https"}.get(port, "starttls"))


def unique(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Each port of a host once; the first one counts."""
    by_label: dict[str, Endpoint] = {}
    for endpoint in endpoints:
        by_label.setdefault(endpoint.label, endpoint)
    return tuple(by_label.values())


def is_host(text: str) -> bool:
    """Whether the text is a DNS name or an IP address."""
    return is_address(text) or bool(_NAME.fullmatch(text))


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
