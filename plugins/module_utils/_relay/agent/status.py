# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects the relay's status: queue, mailboxes, token, certificates, services, and the health checks that fail.

It only reads, and reads no secret. The status is printed as text (status_text.py), as JSON (`--json`, module relay_status) and as
Prometheus metrics (metrics.py).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ..._core.errors import MailopsError
from . import bans, certificates, connection_limits, health, reasons, services, space, upstream_check
from .config import ConfigError
from .monitor.state import MonitorState
from .monitor.store import MonitorStore
from .monitor.watchdog import INTERVAL
from .oauth import token_status
from .paths import Paths
from .postfix import queue
from .postfix.queue import Message
from .queue_progress import PATIENCE, Progress
from .reasons import Reason
from .status_document import (
    MailboxStatus,
    QueueReason,
    QueueStatus,
    ReachedLimit,
    ServiceStatus,
    StalledQueue,
    Status,
    Suspension,
    TokenReport,
)

# Reasons whose cause only the submission proxy's log has.
SECONDS_PER_NOTICE = 10.0  # destination_rate_delay of the transport m365-notices
_PROXY_REASONS = ("relay-proxy-refused",)


class NoRelay(MailopsError):  # noqa: N818 - a statement about the host
    """The role relay_host did not run on this host."""


@dataclass
class Sources:
    """Where the status is read from; replaced in tests."""

    store: MonitorStore = field(default_factory=MonitorStore)
    queue: Callable[[], list[Message]] = queue.read
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    statvfs: Callable[[Path], os.statvfs_result] = os.statvfs
    spool: Path = space.QUEUE
    # Set by tests of relay hosts only: shorter.
    patience: float = field(default_factory=lambda: float(os.environ.get("MAILOPS_RELAY_PATIENCE") or PATIENCE))

    @property
    def paths(self) -> Paths:
        return self.store.paths

    def output(self, *command: str) -> str:
        """A command's output; empty where it fails."""
        try:
            result = self.run([*command], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return result.stdout if result.returncode == 0 else ""


def collect(sources: Sources | None = None) -> Status:
    """The whole status. Raises NoRelay."""
    sources = sources or Sources()
    try:
        state, _cursor = sources.store.load()
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise NoRelay(f"Could not read the relay's status: {error} Run this as root on a relay host.") from error
    now = sources.now()
    upstream = state.config.upstream
    # A working service sends a signal every INTERVAL, and some of them late.
    silence = max(3 * INTERVAL, services.SILENCE * sources.patience / PATIENCE)
    units = services.read(state.config, sources.output, now, sources.monotonic(), silence)
    limits = tuple(ReachedLimit(*key.partition("/")[::2], last=last) for key, last in state.limits.items())
    if state.config.sasl_users:
        units, reached = connection_limits.read(units, sources.run, now)
        limits += reached
    check = upstream_check.read(sources.paths)
    messages, queue_error = _messages(sources)
    banned = _bans(sources, units, now) if state.config.fail2ban else bans.Bans()
    status = Status(
        hostname=state.config.hostname,
        upstream=upstream,
        read_at=now,
        queue=_queue(messages, queue_error, state, now),
        mailboxes=tuple(_mailbox(state, address, now) for address in state.mailboxes),
        token=_token(sources.paths) if upstream == "oauth" else None,
        certificates=certificates.read(sources.paths.identity, upstream == "oauth", sources.output),
        services=units,
        counters=state.counters,
        last_event=state.last_event or None,
        space=tuple(space.read(sources.paths.state, state.config.message_size_limit, sources.statvfs)),
        limits=limits,
        banned=banned.addresses,
        lost_bans=banned.lost,
        jail_running=banned.running,
        daemons=state.daemons.failing(now),
        stalled=_stalled(sources, state, messages, units),
        upstream_check=upstream_check.with_sent_mail(check, state.last_sent, now) if check else None,
        clock_synchronized=_clock_synchronized(sources),
    )
    return replace(status, problems=health.problems(status))


# -- queue and mailboxes ----------------------------------------------------------------------------------------------


def _messages(sources: Sources) -> tuple[list[Message], str]:
    """The queue, and why it cannot be read ("" where it can)."""
    try:
        return sources.queue(), ""
    except queue.QueueError as failure:
        return [], str(failure)


def _queue(messages: list[Message], error: str, state: MonitorState, now: float) -> QueueStatus:
    groups: dict[tuple[str, str, str], tuple[Reason, list[Message]]] = {}
    for message in messages:
        mailbox = state.by_sender.get(message.sender, "")
        reason = reason_of(message, mailbox, state)
        groups.setdefault((mailbox, reason.id, reason.code), (reason, []))[1].append(message)
    rows = [_queue_reason(mailbox, reason, waiting) for (mailbox, _id, _code), (reason, waiting) in groups.items()]
    seconds = None if error else _sending_seconds(messages, state, now)
    blocked = any(row.id != "waiting" or row.held for row in rows)
    return QueueStatus(
        messages=len(messages),
        held=sum(message.held for message in messages),
        bytes=sum(message.size for message in messages),
        oldest=min((message.arrived for message in messages), default=None),
        reasons=tuple(sorted(rows, key=lambda row: (-row.messages, row.mailbox, row.id))),
        error=error,
        empty_in=None if blocked else seconds,
        sending_seconds=seconds,
    )


def _sending_seconds(messages: list[Message], state: MonitorState, now: float) -> float | None:
    """Seconds that the slowest mailbox needs; None where one has no configured pace and has sent nothing lately."""
    by_mailbox: dict[str, list[Message]] = {}
    for message in messages:
        by_mailbox.setdefault(state.by_sender.get(message.sender, ""), []).append(message)
    needed = [_mailbox_seconds(address, waiting, state, now) for address, waiting in by_mailbox.items()]
    known = [seconds for seconds in needed if seconds is not None]
    return max(known, default=0.0) if len(known) == len(needed) else None


def _mailbox_seconds(address: str, messages: list[Message], state: MonitorState, now: float) -> float | None:
    if not address and state.mailboxes:  # the relay's own notices
        return SECONDS_PER_NOTICE * len(messages)
    mailbox = state.mailboxes.get(address)
    if mailbox and mailbox.config.seconds_per_message:
        return float(len(messages) * mailbox.config.seconds_per_message)
    rate = state.recipients.rate(address, now)
    return sum(max(1, len(message.recipients)) for message in messages) / rate if rate else None


def _queue_reason(mailbox: str, reason: Reason, messages: list[Message]) -> QueueReason:
    return QueueReason(
        **asdict(reason),
        mailbox=mailbox,
        messages=len(messages),
        held=sum(message.held for message in messages),
        bytes=sum(message.size for message in messages),
        oldest=min(message.arrived for message in messages),
        senders=tuple(dict.fromkeys(message.sender for message in messages)),
    )


def reason_of(message: Message, mailbox: str, state: MonitorState) -> Reason:
    """The cause behind Postfix's text: the submission proxy's error, or the refusal that suspended the sender.

    A message on hold whose sender is not suspended waits for an administrator, whatever its last attempt said.
    """
    reason = reasons.explain(message.reason)
    activity = state.activity.get(mailbox)
    if activity and reason.id in _PROXY_REASONS and activity.proxy_error:
        return reasons.explain(activity.proxy_error)
    circuit = state.breaker.find(mailbox, message.sender)
    if circuit and (message.held or reason.id == "relay-sender-suspended"):
        refusal = activity.last_refusal if activity else None  # of the mailbox: another sender may have been refused, or have sent, since
        return reasons.explain(refusal.reply) if refusal and refusal.id == circuit.reason else reasons.of_entry(circuit.reason)
    return reasons.explain("") if message.held else reason


def _mailbox(state: MonitorState, address: str, now: float) -> MailboxStatus:
    mailbox, activity = state.mailboxes[address], state.activity.get(address)
    circuits = [circuit for circuit in state.breaker.circuits.values() if circuit.mailbox == address]
    return MailboxStatus(
        address=address,
        transport=mailbox.config.transport,
        senders=mailbox.config.senders,
        last_sent=activity.last_sent if activity else None,
        last_refusal=activity.last_refusal if activity else None,
        recipients_24h=state.recipients.total(address, now),
        recipients_per_day=mailbox.quota.limit,
        seconds_per_message=mailbox.config.seconds_per_message,
        quota_resumes=state.quota_resumes(address, now) if mailbox.quota.reached else None,
        suspensions=tuple(
            Suspension(circuit.sender, circuit.reason, circuit.since, circuit.next_probe, len(circuit.held)) for circuit in circuits
        ),
    )


# -- token, services ----------------------------------------------------------------------------------------------


def _token(paths: Paths) -> TokenReport:
    status = token_status.read(paths.token_status)
    code = reasons.explain(status.failure).code if status.failure else ""
    return TokenReport(status.expires, status.issued, status.failure, code, status.failing_since)


def _bans(sources: Sources, units: tuple[ServiceStatus, ...], now: float) -> bans.Bans:
    seconds = bans.SECONDS * sources.patience / PATIENCE
    return bans.read(sources.run, _active_since(units, services.FAIL2BAN), now, seconds)


def _active_since(units: tuple[ServiceStatus, ...], name: str) -> float | None:
    """Since when a unit runs (Unix time); None where it does not."""
    return next((unit.active_since for unit in units if unit.unit == name and unit.running), None)


def _stalled(sources: Sources, state: MonitorState, messages: list[Message], units: tuple[ServiceStatus, ...]) -> tuple[StalledQueue, ...]:
    monitor = _active_since(units, services.MONITOR)
    last_attempt = max(state.last_attempt, monitor) if monitor else None
    started = _active_since(units, services.POSTFIX)
    progress = Progress(sources.spool, state.config, started, last_attempt, sources.patience)
    return tuple(progress.stalled(messages, sources.now()))


def _clock_synchronized(sources: Sources) -> bool | None:
    """Whether the kernel's clock is synchronized, by any NTP client (timedatectl(1), adjtimex(2))."""
    return {"yes": True, "no": False}.get(sources.output("timedatectl", "show", "--property=NTPSynchronized", "--value").strip())
