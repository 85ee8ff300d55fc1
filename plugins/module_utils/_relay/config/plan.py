# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's templates and tasks read: Postfix's configuration and the agent's, computed from a RelayConfig. It holds no secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..agent.config import AgentConfig
from .model import Certificate, Queue


@dataclass(frozen=True)
class Transport:
    """A service of master.cf with its `options`; `limits`: parameters of main.cf without the transport's name before them."""

    name: str
    mailbox: str
    options: Mapping[str, str]
    limits: Mapping[str, str]


@dataclass(frozen=True)
class Listener:
    """An smtpd of master.cf. `service` and `type`: the first two columns. `name`: the word in the log."""

    service: str
    name: str
    options: Mapping[str, str]
    type: str = "inet"


@dataclass(frozen=True)
class RestrictionClass:
    """A Postfix restriction class: which senders one device may use."""

    name: str
    device: str
    restrictions: Sequence[str]


@dataclass(frozen=True)
class Access:
    """Who may send. `unknown_client`: the restriction for clients that are in no network.

    `unbanned4` and `unbanned6`: networks that are never banned, of all devices, by IP version. `fail2ban`: whether passwords are tried
    anywhere and addresses are banned for it, on `ports`, by the log entries that `journal` matches.
    """

    classes: Sequence[RestrictionClass]
    listeners: Sequence[Listener]
    unbanned4: Sequence[str]
    unbanned6: Sequence[str]
    unknown_client: str
    sasl_users: bool
    rewriting: bool
    fail2ban: bool
    ports: str
    journal: str


@dataclass(frozen=True)
class ConnectionLimits:
    """Of the packet filter, on `ports`. `known4`, `known6`: networks whose clients are no unknown clients, of IPv4 and IPv6.

    `unknown_clients`: how many connections all unknown clients together may have to one port.
    """

    ports: Sequence[str]
    known4: Sequence[str]
    known6: Sequence[str]
    unknown_clients: int


@dataclass(frozen=True)
class RelayPlan:
    """`accepted_size`: of a message with the header fields that Postfix adds. `smtputf8`: whether the upstream's path carries it.

    `tables`: file in /etc/postfix/m365 -> lines. `password_files`: names of the files there that relay_passwords fills."""

    hostname: str
    transports: Sequence[Transport]
    default_transport: str
    tables: Mapping[str, Sequence[str]]
    password_files: Sequence[str]
    access: Access
    queue: Queue
    accepted_size: int
    recipients_per_message: int
    connections_per_client: int
    processes: int
    connection_limits: ConnectionLimits
    active_queue_limit: int
    smtputf8: bool
    certificates: Sequence[Certificate]
    server_certificate: str
    server_key: str
    metrics_directory: str
    backup_directory: str
    agent: AgentConfig
