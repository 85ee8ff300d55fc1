# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is observed between this host and the mail servers. Plain data, which _diagnosis/findings.py judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

# The stages of a session, in their order. A session that ended at END had no error.
RESOLVE, CONNECT, GREETING, EHLO, STARTTLS, TLS, END = "resolve", "connect", "greeting", "ehlo", "starttls", "tls", "end"
STAGES = (RESOLVE, CONNECT, GREETING, EHLO, STARTTLS, TLS, END)
# How a stage ends other than with success. REPLY: the server refused with a reply; MISSING: it does not offer STARTTLS.
TIMEOUT, REFUSED, RESET, CLOSED, UNREACHABLE, REPLY, MISSING, PROTOCOL = (
    "timeout", "refused", "reset", "closed", "unreachable", "reply", "missing", "protocol",
)  # fmt: skip
# TLS versions by the name that users write, and what a server or this host makes of each.
TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
ACCEPTED, UNAVAILABLE, NOT_TESTED = "accepted", "unavailable", "not tested"
MICROSOFT = "Microsoft"


@dataclass(frozen=True)
class Endpoint:
    """A port of a server.

    `operator`: who runs it, MICROSOFT or a hosted relay; empty where it is anybody's. `tls`: starttls, implicit or https.
    """

    host: str
    port: int
    operator: str = ""
    tls: str = "starttls"

    @property
    def label(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What one DNS server answers for the addresses of a name. `error`: why there is no answer; `exists`: whether the name has records."""

    server: str
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    exists: bool = True
    error: str = ""


@dataclass(frozen=True)
class Lookup:
    """A name: `system` has the addresses that programs of this host get, with its hosts file; the answers are those of DNS servers."""

    name: str
    system: tuple[str, ...] = ()
    configured: tuple[Answer, ...] = ()
    public: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Certificate:
    """A server's certificate: organisation and common name of its issuer. `problem`: why this host does not trust it."""

    organisation: str = ""
    common_name: str = ""
    subject: str = ""
    problem: str = ""

    @property
    def issuer(self) -> str:
        """The organisation of the issuer, or the common name without one."""
        return self.organisation or self.common_name

    @property
    def full_issuer(self) -> str:
        """Both names, each once."""
        return ", ".join(dict.fromkeys(name for name in (self.organisation, self.common_name) if name))

    @property
    def trusted(self) -> bool:
        return not self.problem


@dataclass(frozen=True)
class Transport:
    """What the kernel knows of a connection: segments sent and sent again, the smallest round-trip time in ms, the path MTU in bytes."""

    sent: int = 0
    lost: int = 0
    rtt: float = 0.0
    path_mtu: int = 0


@dataclass(frozen=True)
class Sample:
    """One session up to EHLO after TLS. `stage`: where it ended; `error`: how, empty at END.

    `source`: this host's address as the server sees it.
    """

    stage: str
    error: str = ""
    detail: str = ""
    address: str = ""
    banner: str = ""
    keywords: tuple[str, ...] = ()
    tls_version: str = ""
    certificate: Certificate | None = None
    source: str = ""
    transport: Transport | None = None

    @property
    def complete(self) -> bool:
        return self.stage == END

    def reached(self, stage: str) -> bool:
        """Whether the session came to this stage, or failed in it."""
        return STAGES.index(self.stage) >= STAGES.index(stage)

    def with_certificate(self, certificate: Certificate | None) -> Sample:
        return replace(self, certificate=certificate)


@dataclass(frozen=True)
class Observed:
    """An endpoint: its sessions in their order, and what it accepts of each TLS version.

    `small_segment`: the largest segment in bytes with which a session ends well where full-size sessions time out; 0: none was tried or
    none ended well. `public_session`: a session with the address in public DNS, where this host gets other ones.
    """

    endpoint: Endpoint
    samples: tuple[Sample, ...] = ()
    tls: Mapping[str, str] = field(default_factory=dict)
    small_segment: int = 0
    public_session: Sample | None = None


@dataclass(frozen=True)
class Hop:
    """A router on the way. `address`: empty where it does not answer; `rtt` in ms; `mtu` in bytes, where it reports one."""

    distance: int
    address: str = ""
    rtt: float = 0.0
    mtu: int = 0


@dataclass(frozen=True)
class Observations:
    """All of a host. `mx_problems`: domain -> why its MX records could not be read. `routes`: host -> routers on the way."""

    lookups: tuple[Lookup, ...] = ()
    observed: tuple[Observed, ...] = ()
    mx_problems: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, tuple[Hop, ...]] = field(default_factory=dict)
