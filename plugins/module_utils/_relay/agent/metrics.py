# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay metrics`: the relay's status as a Prometheus text file, for node_exporter's textfile collector.

Sources: Prometheus, "Exposition formats" (text format 0.0.4) and "Metric and label naming". Times are Unix times in seconds. The delivery
monitor's state holds the counters, so they continue over its restart.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..._core.errors import MailopsError
from . import status
from .console import print_error
from .files import write
from .health import CHECKS
from .status_document import SEVERITIES, MailboxStatus, QueueReason, Status

PREFIX = "mailops_relay_"
FILE = "mailops_relay.prom"


@dataclass
class Family:
    """A metric with its samples: labels and value."""

    name: str
    type: str
    help: str
    samples: list[tuple[dict[str, str], float]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """In the exposition format."""
        yield f"# HELP {PREFIX}{self.name} {self.help}\n# TYPE {PREFIX}{self.name} {self.type}\n"
        for labels, value in self.samples:
            inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{PREFIX}{self.name}{'{' + inner + '}' if inner else ''} {value:.15g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def main(directory: Path | None = None) -> int:
    """Exit status of `mailops-relay metrics [DIRECTORY]`: 2 where this is no relay host. Writes a file there, else to standard output."""
    try:
        text = render(status.collect())
    except MailopsError as error:
        print_error(error)
        return 2
    if directory is None:
        sys.stdout.write(text)
        return 0
    try:
        write(directory / FILE, text, 0o644)
    except OSError as error:
        print_error(f"<3>The metrics cannot be written to {directory}: {error}. Set relay_metrics_directory to an existing directory.")
        return 1
    return 0


def render(document: Status) -> str:
    """The whole file."""
    families = [*_queue(document), *_mailboxes(document), *_counters(document.counters), *_host(document)]
    return "".join(line for family in families for line in family.lines())


def _queue(document: Status) -> Iterator[Family]:
    """Reasons that differ only in their code are added up: a label holds no text of a server."""
    groups: dict[tuple[str, str], list[QueueReason]] = {}
    for row in document.queue.reasons:
        groups.setdefault((row.mailbox, row.id), []).append(row)
    labelled = [({"mailbox": mailbox, "reason": reason}, rows) for (mailbox, reason), rows in groups.items()]
    messages = [(labels, float(sum(row.messages for row in rows))) for labels, rows in labelled]
    held = [(labels, float(sum(row.held for row in rows))) for labels, rows in labelled]
    age = document.read_at - (document.queue.oldest or document.read_at)
    yield Family("queue_readable", "gauge", "Whether Postfix's queue could be read.", [({}, not document.queue.error)])
    yield Family("queue_messages", "gauge", "Messages in the queue, by reason.", messages)
    yield Family("queue_held_messages", "gauge", "Messages on hold, by reason.", held)
    yield Family("queue_bytes", "gauge", "Size of all messages in the queue.", [({}, document.queue.bytes)])
    if document.queue.empty_in is not None:
        text = "Seconds until the queue is empty at the pace."
        yield Family("queue_drain_seconds", "gauge", text, [({}, document.queue.empty_in)])
    yield Family("queue_oldest_message_age_seconds", "gauge", "Age of the oldest message in the queue.", [({}, max(0.0, age))])


def _mailboxes(document: Status) -> Iterator[Family]:
    def family(name: str, text: str, values: Mapping[str, float]) -> Family:
        return Family(name, "gauge", text, [({"mailbox": address}, value) for address, value in values.items()])

    mailboxes: dict[str, MailboxStatus] = {mailbox.address: mailbox for mailbox in document.mailboxes}
    sent = {address: mailbox.last_sent for address, mailbox in mailboxes.items() if mailbox.last_sent}
    yield family("mailbox_last_sent_timestamp_seconds", "When a mailbox last sent.", sent)
    used = {address: mailbox.recipients_24h for address, mailbox in mailboxes.items()}
    yield family("mailbox_quota_used_recipients", "Recipients of the last 24 hours.", used)
    limits = {address: mailbox.recipients_per_day for address, mailbox in mailboxes.items()}
    yield family("mailbox_quota_limit_recipients", "Daily quota of recipients; 0: none.", limits)
    reached = {address: bool(mailbox.quota_resumes) for address, mailbox in mailboxes.items()}
    yield family("mailbox_quota_reached", "Whether the daily quota is reached.", reached)
    suspended = {address: len(mailbox.suspensions) for address, mailbox in mailboxes.items()}
    yield family("mailbox_suspended_senders", "Suspended senders.", suspended)


def _counters(counters: Mapping[str, Mapping[str, float]]) -> Iterator[Family]:
    def counter(name: str, text: str, source: str, first: str, second: str = "") -> Family:
        pairs = [(key.rpartition("/"), value) for key, value in sorted(counters.get(source, {}).items())]
        samples = [({first: key[0], second: key[2]} if second else {first: key[0] or key[2]}, value) for key, value in pairs]
        return Family(name, "counter", text, samples)

    yield counter("sent_recipients_total", "Recipients that the upstream server accepted.", "sent", "mailbox")
    yield counter("deferred_recipients_total", "Attempts that were deferred, by reason.", "deferred", "mailbox", "reason")
    yield counter("bounced_recipients_total", "Recipients that were bounced, by reason.", "bounced", "mailbox", "reason")
    expired = counters.get("expired", {}).get("", 0)
    yield Family("expired_messages_total", "counter", "Messages whose queue lifetime ended.", [({}, expired)])
    accepted = [({"listener": key or "smtp"}, value) for key, value in sorted(counters.get("accepted", {}).items())]
    yield Family("accepted_messages_total", "counter", "Messages that devices submitted.", accepted)
    yield counter("rejected_commands_total", "Commands that a listener rejected.", "rejected", "listener", "stage")
    yield counter("delivery_seconds_total", "Duration of sent mail by stage.", "seconds", "mailbox", "stage")


def _host(document: Status) -> Iterator[Family]:
    token = document.token
    if token:
        yield Family("token_expiry_timestamp_seconds", "gauge", "When the access token expires; 0: none.", [({}, token.expires or 0)])
        yield Family("token_renewal_failing", "gauge", "Whether the last token request failed.", [({}, bool(token.failure))])
    expiry = [({"use": entry.use, "path": entry.path}, entry.expires) for entry in document.certificates if entry.expires]
    yield Family("certificate_expiry_timestamp_seconds", "gauge", "When a certificate expires.", expiry)
    up = [
        ({"unit": service.unit}, float(service.running and (service.oneshot or service.state != "activating")))
        for service in document.services
    ]
    yield Family("service_up", "gauge", "Whether a systemd unit runs; of a service that ends, whether it succeeded.", up)
    restarts = [({"unit": service.unit}, float(service.restarts)) for service in document.services]
    yield Family("service_restarts", "gauge", "Restarts of a unit by systemd since its last start by hand.", restarts)
    free = [({"path": one.path}, float(one.free_bytes)) for one in document.space]
    yield Family("free_bytes", "gauge", "Free bytes of a directory that the relay writes.", free)
    files = [({"path": one.path}, float(one.free_files)) for one in document.space if one.free_files is not None]
    yield Family("free_files", "gauge", "Free files (inodes) of a directory that the relay writes.", files)
    reached = [({"kind": one.kind, "name": one.name}, one.last) for one in document.limits]
    yield Family("connection_limit_reached_timestamp_seconds", "gauge", "When a limit of connections was last reached.", reached)
    yield Family("banned_addresses", "gauge", "Addresses that fail2ban bans after failed authentication.", [({}, len(document.banned))])
    yield from _upstream(document)
    counts = Counter(problem.severity for problem in document.problems)
    by_severity: list[tuple[dict[str, str], float]] = [({"severity": severity}, counts[severity]) for severity in SEVERITIES]
    yield Family("problems", "gauge", "Failed health checks, by severity.", by_severity)
    failed = {problem.check for problem in document.problems}
    yield Family("health_check_failed", "gauge", "Whether a health check fails.", [({"check": name}, name in failed) for name in CHECKS])
    last, text = document.last_event or 0.0, "The last journal event of the delivery monitor."
    yield Family("monitor_last_event_timestamp_seconds", "gauge", text, [({}, last)])


def _upstream(document: Status) -> Iterator[Family]:
    check = document.upstream_check
    if check:
        labels = {"server": check.server}
        yield Family("upstream_answers", "gauge", "Whether the upstream server answers.", [(labels, not check.failure)])
        yield Family("upstream_checked_timestamp_seconds", "gauge", "The last check of the upstream server.", [(labels, check.checked)])
        if check.clock_offset is not None:
            text = "Seconds that the relay's clock is ahead of the upstream server's."
            yield Family("clock_offset_seconds", "gauge", text, [(labels, check.clock_offset)])
    if document.clock_synchronized is not None:
        yield Family("clock_synchronized", "gauge", "Whether the clock is synchronized by NTP.", [({}, document.clock_synchronized)])
