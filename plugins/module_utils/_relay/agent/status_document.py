# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's status as dataclasses; `Status.as_result` is the JSON of `mailops-relay status --json` and of module relay_status.

All times are Unix times, None for what never happened.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from .monitor.activity import Refusal
from .monitor.daemons import DaemonFailure

SEVERITIES = ("critical", "high", "medium", "low", "info")
URGENT = SEVERITIES[:2]  # an administrator has to act; the others resolve by themselves, or have time


@dataclass(frozen=True)
class QueueReason:
    """The queued messages of one mailbox that wait for one reason."""

    id: str
    code: str
    cause: str
    remedy: str
    transient: bool
    queue_policy: str
    reply: str
    mailbox: str
    messages: int
    held: int
    bytes: int
    oldest: float
    senders: tuple[str, ...]


@dataclass(frozen=True)
class QueueStatus:
    """`reasons`: the most frequent first. `error`: why the queue cannot be read, else "".

    `sending_seconds`: how long sending all messages takes at the pace, the configured one, else that of the last minutes; None where it is
    not known. `empty_in`: the same where nothing but the pace delays them, else None.
    """

    messages: int
    held: int
    bytes: int
    oldest: float | None
    reasons: tuple[QueueReason, ...]
    error: str = ""
    empty_in: float | None = None
    sending_seconds: float | None = None


@dataclass(frozen=True)
class Suspension:
    """A suspended sender; `sender` is "" for all of the mailbox's. `messages`: on hold."""

    sender: str
    reason: str
    since: float
    next_attempt: float
    messages: int


@dataclass(frozen=True)
class MailboxStatus:
    """`recipients_24h`: sent to in the last 24 hours. `quota_resumes`: when mail flows again, None while the quota is not reached."""

    address: str
    transport: str
    senders: tuple[str, ...]
    last_sent: float | None
    last_refusal: Refusal | None
    recipients_24h: int
    recipients_per_day: int
    seconds_per_message: int
    quota_resumes: float | None
    suspensions: tuple[Suspension, ...]


@dataclass(frozen=True)
class TokenReport:
    """The access token's times and the failure of the last request with its code."""

    expires: float | None
    issued: float | None
    failure: str
    code: str
    failing_since: float | None


@dataclass(frozen=True)
class CertificateStatus:
    """`use`: sign-in, sign-in (next), devices, connector. `expires`: None where the file has no certificate.

    `failure`: why the file, a certificate or a key, cannot be used, else "".
    """

    use: str
    path: str
    expires: float | None
    failure: str = ""


@dataclass(frozen=True)
class ServiceStatus:
    """A systemd unit. `state`: its ActiveState, or masked, missing, restarting (in a restart loop), hanging, unknown.

    `enabled`: whether it starts after a reboot. `oneshot`: a service that ends, so that it is usually inactive. `severity` and `effect`: of
    the problem where it does not run. `active_since`: Unix time, None where it is not active. `last_signal`: to systemd's watchdog, None
    where it has none.
    """

    unit: str
    state: str
    result: str
    restarts: int
    enabled: bool
    oneshot: bool
    severity: str
    effect: str
    active_since: float | None = None
    last_signal: float | None = None

    @property
    def running(self) -> bool:
        """Whether it runs; for a service that ends: whether it can run and did not fail."""
        return self.state in ("active", "activating", "reloading", *(("inactive", "deactivating") if self.oneshot else ()))


@dataclass(frozen=True)
class DirectorySpace:
    """Free and required bytes and files of a directory; `free_files` is None where the file system has no limit. `effect`: with less."""

    path: str
    free_bytes: int
    required_bytes: int
    free_files: int | None
    required_files: int
    effect: str


@dataclass(frozen=True)
class ReachedLimit:
    """A limit of connections. `last`: when it was reached.

    `kind`: processes (of the listener `name`), client, or unknown clients (their share of the connections to the port `name`).
    """

    kind: str
    name: str
    last: float


@dataclass(frozen=True)
class StalledQueue:
    """Messages that `program` of Postfix (pickup, qmgr) does not process. `directory`: of the queue, "" for all.

    `since`: when the oldest came there, or the last delivery attempt.
    """

    program: str
    directory: str
    since: float
    messages: int


@dataclass(frozen=True)
class UpstreamCheck:
    """The last check of the upstream server. `server`: host:port. `checked`: the run, `contacted`: the last connection (Unix times).

    `failure`: in the words of Postfix's log, "" where the server answers.
    `clock_offset`: seconds that the host is ahead of the server; None where its greeting has no time.
    `boot_time`: of the host, by its clock at the last answer; another one means that the clock was set since.
    """

    server: str
    checked: float
    contacted: float | None = None
    failure: str = ""
    failing_since: float | None = None
    clock_offset: float | None = None
    boot_time: float | None = None


@dataclass(frozen=True)
class Problem:
    """A failed health check. `check`: its name in health.CHECKS. `messages`: how many are affected."""

    check: str
    subject: str
    severity: str
    cause: str
    remedy: str
    code: str = ""
    messages: int = 0

    @property
    def urgent(self) -> bool:
        return self.severity in URGENT


@dataclass(frozen=True)
class Status:
    """`read_at`: when it was read. `counters`: the delivery monitor's. `last_event`: of the journal, as the monitor read it.

    `daemons`: programs of Postfix that fail. `stalled`: those that hang.
    `banned`: addresses that fail2ban bans after failed authentication. `lost_bans`: those of them that nftables does not refuse.
    `jail_running`: of fail2ban, None where that is not known.
    `upstream_check`: None before the first one.
    `clock_synchronized`: by NTP; None where that is not known.
    """

    hostname: str
    upstream: str
    read_at: float
    queue: QueueStatus
    mailboxes: tuple[MailboxStatus, ...]
    token: TokenReport | None
    certificates: tuple[CertificateStatus, ...]
    services: tuple[ServiceStatus, ...]
    counters: dict[str, dict[str, float]]
    last_event: float | None
    space: tuple[DirectorySpace, ...] = ()
    limits: tuple[ReachedLimit, ...] = ()
    daemons: tuple[DaemonFailure, ...] = ()
    stalled: tuple[StalledQueue, ...] = ()
    banned: tuple[str, ...] = ()
    lost_bans: tuple[str, ...] = ()
    jail_running: bool | None = None
    upstream_check: UpstreamCheck | None = None
    clock_synchronized: bool | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def urgent(self) -> tuple[Problem, ...]:
        """The problems that an administrator has to solve."""
        return tuple(problem for problem in self.problems if problem.urgent)

    def as_result(self) -> dict[str, object]:
        """In JSON's types."""
        return dict(json.loads(json.dumps(asdict(self))))
