# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay host's configuration: the variables of role relay_host, parsed and validated (parse.py).

The classes are frozen. Secrets are left out of their representation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..._hosted.providers import HOSTED_RELAYS
from ..._http.clouds import Cloud

TlsLevel: TypeAlias = Literal["verify", "encrypt", "none"]

CONFIGURATION = "/etc/mailops-relay"
TABLES = "/etc/postfix/m365"
HEADER_ALLOWANCE = 65536  # bytes that Postfix adds to an accepted message, such as Received
DEFAULT_CONCURRENCY = 20  # Postfix's default_destination_concurrency_limit


@dataclass(frozen=True)
class UpstreamType:
    """What is the same for every relay with this relay_upstream.

    `recipients`: the maximum in one SMTP transaction. `services`: the services of the error catalog whose entries say how to treat a
    refusal. `of_microsoft`: whether its servers are Microsoft's, whose refusals the error catalog has all. `smtputf8`: whether the server
    is known to offer SMTPUTF8, and the path there carries it; the submission proxy does not.
    """

    host: str = ""
    port: int = 587
    username: str = ""
    recipients: int = 500
    services: tuple[str, ...] = ()
    smtputf8: bool = False

    @property
    def of_microsoft(self) -> bool:
        return bool(self.services) and self.services != HOSTED


HOSTED = ("hosted_smtp",)
# Source: "How to set up a multifunction device or application to send email using Microsoft 365".
UPSTREAM_TYPES = {
    "oauth": UpstreamType(services=("smtp", "hve", "acs")),
    "connector": UpstreamType(port=25, recipients=200, services=("smtp",), smtputf8=True),
    **{
        name: UpstreamType(relay.region().smtp_host, relay.port, relay.username, relay.recipients, HOSTED, relay.smtputf8)
        for name, relay in HOSTED_RELAYS.items()
    },
    "acs": UpstreamType("smtp.azurecomm.net", recipients=50, services=("acs", "smtp")),
    "smarthost": UpstreamType(),
}


@dataclass(frozen=True)
class Upstream:
    """The server that the relay passes mail on to.

    `next_hop`: Postfix's notation, such as [mail.example.net]:587. `tls`: how far its certificate is verified. `certificate_names`: the
    names that the certificate of an MX endpoint must have one of. `username` and `password`: empty where the server requires no
    authentication. `smtputf8`: whether the server offers SMTPUTF8, and the path there carries it. `client_certificate` and `client_key`:
    paths on the relay, for a connector matched by certificate.
    """

    name: str
    next_hop: str
    port: int = 587
    smtputf8: bool = False
    tls: TlsLevel = "verify"
    certificate_names: tuple[str, ...] = ()
    client_certificate: str = ""
    client_key: str = ""
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def type(self) -> UpstreamType:
        return UPSTREAM_TYPES[self.name]

    @property
    def oauth(self) -> bool:
        return self.name == "oauth"


@dataclass(frozen=True)
class Mailbox:
    """A mailbox that the relay sends from. Its limits are those of all relays together; 0: no limit."""

    address: str
    senders: tuple[str, ...]
    messages_per_minute: int = 30
    connections: int = 2
    recipients_per_day: int = 10000


@dataclass(frozen=True)
class Device:
    """A network client or SASL user. `networks` in CIDR notation; `username` in lower case, empty for a network client."""

    name: str
    senders: tuple[str, ...]
    networks: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    password_hash: str = field(default="", repr=False)
    rewrite: bool = False


@dataclass(frozen=True)
class LegacyListener:
    """The listener that accepts TLS 1.0 and 1.1. `cleartext_auth`: also passwords without TLS."""

    address: str
    port: int
    cleartext_auth: bool = False


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, files on the relay that the user provides. `variable`: the prefix of the variables that name them."""

    variable: str
    certificate: str
    key: str


@dataclass(frozen=True)
class Queue:
    """Postfix's durations, such as 2d. `postmaster`: the recipient of notices; empty: root on the relay."""

    lifetime: str
    delay_warning: str
    postmaster: str = ""


@dataclass(frozen=True)
class RelayConfig:
    """Everything that the relay's files are made of.

    `processes`: how many connections each listener serves at once, `connections_per_client`: those of one client.
    `active_queue_limit`: how many messages Postfix's queue manager has in memory at once.
    `mailboxes`: those of relay_mailboxes; where the upstream has no mailboxes, also one without limits for each other sender of a device.
    `certificates`: those that the user provides. `server_certificate` and `server_key`: what Postfix presents to devices.
    """

    hostname: str
    tenant: str
    client_id: str
    cloud: Cloud
    upstream: Upstream
    mailboxes: tuple[Mailbox, ...]
    devices: tuple[Device, ...]
    legacy: LegacyListener | None
    queue: Queue
    certificates: tuple[Certificate, ...]
    server_certificate: str
    server_key: str
    relay_count: int
    message_size_limit: int
    recipients_per_message: int
    connections_per_client: int
    processes: int
    active_queue_limit: int
    metrics_directory: str
    backup_directory: str
    fail2ban: bool

    @property
    def senders(self) -> tuple[str, ...]:
        """All addresses that the relay sends as, in lower case."""
        served = [sender for mailbox in self.mailboxes for sender in mailbox.senders]
        served += [sender for device in self.devices for sender in device.senders]
        return tuple(dict.fromkeys(sender.lower() for sender in served))

    @property
    def has_sasl_users(self) -> bool:
        return any(device.username for device in self.devices)

    @property
    def has_unknown_clients(self) -> bool:
        """Whether a SASL user may connect from any address: those with networks may only from these."""
        return any(device.username and not device.networks for device in self.devices)

    @property
    def networks(self) -> tuple[str, ...]:
        """Those of all devices, network clients and SASL users."""
        return tuple(sorted({network for device in self.devices for network in device.networks}))

    @property
    def has_rewriting(self) -> bool:
        return any(device.rewrite for device in self.devices)
