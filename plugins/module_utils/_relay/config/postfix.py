# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's configuration and the agent's, computed from a RelayConfig."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..agent.config import AgentConfig, MailboxConfig, ServerConfig
from . import devices, dsn_filter, header_from, upstreams
from .connection_limits import connection_limits
from .model import HEADER_ALLOWANCE, TABLES, Mailbox, RelayConfig
from .plan import RelayPlan, Transport

NO_MAILBOX = "retry:4.3.5 No mailbox of relay_mailboxes sends for this sender"
NO_SENDER = "discard:bounces have no mailbox to be sent from; relay_postmaster receives a notice"
NOTICES = "m365-notices"


def plan(config: RelayConfig) -> RelayPlan:
    upstream, transports = config.upstream, _transports(config)
    return RelayPlan(
        hostname=config.hostname,
        transports=transports,
        default_transport=NO_MAILBOX if upstream.oauth else f"m365:{upstream.next_hop}",
        tables={
            "transports": _routes(config),
            "dsn_filter": dsn_filter.lines(upstream.name),
            **header_from.tables(config),
            **devices.tables(config),
            "notices": [f"@{config.hostname} {_notices_sender(config)}"] if config.queue.postmaster else [],
        },
        password_files=list(passwords(config)),
        access=devices.access(config),
        queue=config.queue,
        accepted_size=config.message_size_limit + HEADER_ALLOWANCE,
        recipients_per_message=config.recipients_per_message,
        connections_per_client=config.connections_per_client,
        processes=config.processes,
        connection_limits=connection_limits(config),
        smtputf8=upstream.smtputf8,
        active_queue_limit=config.active_queue_limit,
        certificates=config.certificates,
        server_certificate=config.server_certificate,
        server_key=config.server_key,
        metrics_directory=config.metrics_directory,
        backup_directory=config.backup_directory,
        agent=_agent(config),
    )


def passwords(config: RelayConfig) -> dict[str, list[str]]:
    """File in /etc/postfix/m365 -> lines, readable by root only.

    The submission proxy's password is created on the relay: with OAuth a line ends in a colon, and the role's template completes it.
    """
    upstream = config.upstream
    if upstream.oauth:
        return {f"{transport.name}.passwd": [f"{upstream.next_hop} {transport.mailbox}:"] for transport in _transports(config)}
    if not upstream.username:
        return {}
    return {f"{one.name}.passwd": [f"{upstream.next_hop} {upstream.username}:{upstream.password}"] for one in _transports(config)}


def _transport_names(config: RelayConfig) -> Mapping[str, Mailbox]:
    return {f"m365-{number}": mailbox for number, mailbox in enumerate(config.mailboxes, 1)}


def _transports(config: RelayConfig) -> list[Transport]:
    result = [_mailbox_transport(config, name, mailbox) for name, mailbox in _transport_names(config).items()]
    result += [] if config.upstream.oauth else [_transport(config, "m365")]
    return result + ([_notices_transport(config)] if config.queue.postmaster else [])


def _transport(config: RelayConfig, name: str, mailbox: str = "") -> Transport:
    options = upstreams.options(config.upstream, f"{TABLES}/{name}.passwd") | header_from.option(name)
    limits = {
        "destination_recipient_limit": str(config.upstream.type.recipients),
        # One refused connection must not suspend a destination with a rate limit: postconf(5), concurrency_failed_cohort_limit.
        "destination_concurrency_failed_cohort_limit": "10",
    }
    return Transport(name, mailbox, options, limits)


def _mailbox_transport(config: RelayConfig, name: str, mailbox: Mailbox) -> Transport:
    """The transport of one mailbox, with this relay's share of the mailbox's rate and connections."""
    base = _transport(config, name, mailbox.address)
    limits = {"destination_concurrency_limit": str(max(1, mailbox.connections // config.relay_count))}
    if mailbox.messages_per_minute:
        limits["destination_rate_delay"] = f"{_seconds_per_message(config, mailbox)}s"
    return Transport(name, base.mailbox, base.options, {**base.limits, **limits})


def _seconds_per_message(config: RelayConfig, mailbox: Mailbox) -> int:
    """This relay's pause between two messages of a mailbox; 0: none."""
    return math.ceil(60 * config.relay_count / mailbox.messages_per_minute) if mailbox.messages_per_minute else 0


def _notices_transport(config: RelayConfig) -> Transport:
    """The transport of the relay's own notices, which are sent from a mailbox: slowly, since the mailbox has its own transport as well."""
    base = _transport(config, NOTICES, config.mailboxes[0].address if config.mailboxes else "")
    options = {name: value for name, value in base.options.items() if name != "smtp_header_checks"}
    # The connection ends with the message: an idle one would count against the mailbox's three.
    options |= {"smtp_connection_cache_destinations": "", "smtp_connection_cache_on_demand": "no"}
    options["smtp_generic_maps"] = f"texthash:{TABLES}/notices"
    limits = {**base.limits, "destination_concurrency_limit": "1", "destination_rate_delay": "10s"}
    return Transport(NOTICES, base.mailbox, options, limits)


def _notices_sender(config: RelayConfig) -> str:
    """The sender of the relay's notices: the first mailbox, else the first sender of a device, else the postmaster."""
    senders = [mailbox.address for mailbox in config.mailboxes] + [sender for device in config.devices for sender in device.senders]
    return next(iter(senders), config.queue.postmaster)


def _routes(config: RelayConfig) -> list[str]:
    """Sender -> transport and next hop. Bounces have no sender, and so no mailbox."""
    hop = config.upstream.next_hop
    routes = [f"{sender.lower()} {name}:{hop}" for name, mailbox in _transport_names(config).items() for sender in mailbox.senders]
    notices = [f"@{config.hostname} {NOTICES}:{hop}"] if config.queue.postmaster else []
    return [*routes, *notices, f"<> {NO_SENDER}"]


def _agent(config: RelayConfig) -> AgentConfig:
    """The content of /etc/mailops-relay/relay.json, with this relay's share of the mailboxes' recipients a day."""
    return AgentConfig(
        hostname=config.hostname,
        upstream=config.upstream.name,
        tenant=config.tenant,
        client_id=config.client_id,
        authority=config.cloud.authority,
        scope=config.cloud.scope("exchange"),
        smtp_host=config.cloud.smtp_host,
        smtp_port=config.cloud.smtp_port,
        server=_server(config),
        mailboxes=tuple(
            MailboxConfig(
                address=mailbox.address,
                transport=name,
                senders=tuple(sender.lower() for sender in mailbox.senders),
                recipients_per_day=mailbox.recipients_per_day // config.relay_count,
                seconds_per_message=_seconds_per_message(config, mailbox),
            )
            for name, mailbox in _transport_names(config).items()
        ),
        sasl_users=config.has_sasl_users,
        fail2ban=config.fail2ban and config.has_sasl_users,
        metrics=bool(config.metrics_directory),
        message_size_limit=config.message_size_limit,
        connections_per_client=config.connections_per_client,
        active_queue_limit=config.active_queue_limit,
    )


def _server(config: RelayConfig) -> ServerConfig:
    """The server that is reached last: behind the submission proxy Microsoft's. A next hop in brackets is a host, else a domain."""
    upstream = config.upstream
    if upstream.oauth:
        return ServerConfig(config.cloud.smtp_host, config.cloud.smtp_port)
    host, _colon, port = upstream.next_hop.rpartition(":")
    return ServerConfig(
        host.strip("[]"),
        int(port),
        mx=not host.startswith("["),
        implicit_tls="smtp_tls_wrappermode" in upstreams.options(upstream, ""),
        ipv4_only=upstream.name == "connector",
    )
