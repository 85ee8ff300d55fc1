# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's configuration: /etc/mailops-relay/relay.json, written by the role relay_host. It holds no secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..._core.errors import MailopsError
from ..._core.json_types import JsonObject


class ConfigError(MailopsError):
    """relay.json is missing, unreadable or incomplete."""


@dataclass(frozen=True)
class MailboxConfig:
    """A mailbox that the relay sends through.

    `recipients_per_day` is this relay's share of the mailbox's limit; 0: no limit. `seconds_per_message`: the pause between two messages.
    """

    address: str
    transport: str = ""
    senders: tuple[str, ...] = ()
    recipients_per_day: int = 10000
    seconds_per_message: int = 0


@dataclass(frozen=True)
class ServerConfig:
    """The upstream server. `mx`: `host` is a domain whose mail exchanger is meant. `implicit_tls`: without STARTTLS (RFC 8314)."""

    host: str = ""
    port: int = 25
    mx: bool = False
    implicit_tls: bool = False
    ipv4_only: bool = False

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class AgentConfig:
    """`upstream`: oauth, or what else relay_upstream names. `authority`, `tenant`, `client_id` and `scope`: the token request's.

    `sasl_users`, `fail2ban` and `metrics`: whether the relay has these components.
    """

    hostname: str = ""
    upstream: str = ""
    tenant: str = ""
    client_id: str = ""
    authority: str = ""
    scope: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    server: ServerConfig = ServerConfig()
    mailboxes: tuple[MailboxConfig, ...] = ()
    sasl_users: bool = False
    fail2ban: bool = False
    metrics: bool = False
    message_size_limit: int = 0
    connections_per_client: int = 0
    active_queue_limit: int = 0


def parse(document: JsonObject) -> AgentConfig:
    """Raises KeyError, TypeError or ValueError where a value is missing or of the wrong type."""
    return AgentConfig(
        hostname=str(document.get("hostname") or ""),
        upstream=str(document.get("upstream") or ""),
        tenant=str(document.get("tenant") or ""),
        client_id=str(document.get("client_id") or ""),
        authority=str(document.get("authority") or ""),
        scope=str(document.get("scope") or ""),
        smtp_host=str(document.get("smtp_host") or ""),
        smtp_port=int(document.get("smtp_port") or 587),
        server=_server(document.get("server") or {}),
        mailboxes=tuple(_mailbox(entry) for entry in document.get("mailboxes") or []),
        sasl_users=document.get("sasl_users") is True,
        fail2ban=document.get("fail2ban") is True,
        metrics=document.get("metrics") is True,
        message_size_limit=int(document.get("message_size_limit") or 0),
        connections_per_client=int(document.get("connections_per_client") or 0),
        active_queue_limit=int(document.get("active_queue_limit") or 0),
    )


def _server(entry: JsonObject) -> ServerConfig:
    flags = {name: entry.get(name) is True for name in ("mx", "implicit_tls", "ipv4_only")}
    return ServerConfig(str(entry.get("host") or ""), int(entry.get("port") or 25), **flags)


def _mailbox(entry: JsonObject) -> MailboxConfig:
    return MailboxConfig(
        address=str(entry["address"]),
        transport=str(entry.get("transport") or ""),
        senders=tuple(str(sender).lower() for sender in entry.get("senders") or []),
        recipients_per_day=int(entry.get("recipients_per_day", 10000)),
        seconds_per_message=int(entry.get("seconds_per_message") or 0),
    )


def load(path: Path) -> AgentConfig:
    """The configuration in a file. Raises ConfigError."""
    try:
        document = json.loads(path.read_text("utf-8"))
        if not isinstance(document, dict):
            raise ConfigError(f"{path} cannot be read: it holds no JSON object. Run the role relay_host.")
        return parse(document)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}). Run the role relay_host.") from error


def load_or_default(path: Path) -> AgentConfig:
    """The same; an empty configuration where the file cannot be read."""
    try:
        return load(path)
    except ConfigError:
        return AgentConfig()
