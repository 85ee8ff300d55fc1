# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks: the problems of a relay, the most severe first, one a cause.

critical: no mail flows, or its state cannot be read. high: an administrator has to act. medium: has time. low: resolves by itself. info:
normal operation. Cause and remedy are the error catalog's where it has an entry.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.text_lines import listed
from . import reasons
from .formatting import local_time, offset_text, plural
from .monitor.daemons import DaemonFailure
from .services import TOKEN_SERVICE
from .space import QUEUE
from .status_document import (
    SEVERITIES,
    DirectorySpace,
    MailboxStatus,
    Problem,
    QueueReason,
    ServiceStatus,
    Status,
    Suspension,
    UpstreamCheck,
)
from .upstream_check import CLOCK_TOLERANCE

# Every check by its name, which the metrics and docs/what-can-go-wrong.md have.
CHECKS = (
    "queue_unreadable", "unit_not_running", "unit_hanging", "unit_disabled", "daemon_failing", "queue_stalled", "disk_full",
    "inodes_exhausted", "disk_low", "process_limit", "unknown_clients", "client_limit", "addresses_banned", "bans_lost", "jail_not_running",
    "upstream_unreachable", "dns_failing", "clock_off", "clock_not_synchronized", "token_missing", "token_renewal_failing",
    "delivery_failing", "held_by_administrator", "queue_long", "quota_reached", "sender_suspended", "certificate_expiring",
    "certificate_unusable",
)  # fmt: skip
_LISTED = 5  # banned addresses of a sentence
# Of the error catalog: the delivery monitor defers the mail itself.
_QUOTA_REACHED, _SUSPENDED = "relay-daily-quota-reached", "relay-sender-suspended"
# Seconds that a message may wait without a failed attempt: a pace of 30 messages a minute makes queues.
_LONG = 3600.0
# Seconds for which a reached limit is reported: Postfix logs a listener's once in 1000 s.
_LIMIT_SECONDS = 1200.0
# Seconds for which the result of a check of the upstream server counts: it runs every minute.
_CHECK_SECONDS = 600.0
# Seconds after which an upstream server that does not answer is critical.
_CRITICAL_SECONDS = 900.0
# Seconds. Entra refuses a client assertion beyond 5 minutes (AADSTS700024).
_CLOCK_URGENT_SECONDS = 300.0
# Days before its end that a certificate is reported; the role renews the relay's own 30 days before.
EXPIRING = 21
_RENEW_CERTIFICATE = "Install the certificate and its key, or run the role relay_host, which creates its own anew; then run postfix reload."


def problems(status: Status) -> tuple[Problem, ...]:
    """All failed checks of a status, the most severe first."""
    failed = [
        *_services(status),
        *_daemons(status),
        *_stalled(status),
        *_space(status),
        *_limits(status),
        *_bans(status),
        *_upstream(status),
        *_clock(status),
        *_token(status),
        *_queue(status),
        *_mailboxes(status),
        *_certificates(status),
    ]
    return tuple(sorted(failed, key=lambda problem: SEVERITIES.index(problem.severity)))


def _services(status: Status) -> Iterator[Problem]:
    if status.queue.error:
        yield Problem("queue_unreadable", "queue", "critical", "Postfix's queue cannot be read", status.queue.error)
    for service in status.services:
        if service.unit == TOKEN_SERVICE and service.state == "failed" and status.token and status.token.failure:
            continue  # the check of the token has the cause
        if service.state == "hanging":
            cause = f"the unit hangs since {local_time(service.last_signal or status.read_at)}: {service.effect}"
            remedy = f"systemd restarts it five minutes after that; otherwise run systemctl restart {service.unit}."
            yield Problem("unit_hanging", service.unit, service.severity, cause, remedy)
        elif not service.running:
            yield Problem(
                "unit_not_running",
                service.unit,
                service.severity,
                f"the unit is {_state_text(service)}: {service.effect}",
                _unit_remedy(service),
            )
        elif not service.enabled:
            cause = f"the unit is disabled and does not start after a reboot: {service.effect}"
            yield Problem("unit_disabled", service.unit, "medium", cause, f"Run systemctl enable {service.unit}, or the role relay_host.")


def _state_text(service: ServiceStatus) -> str:
    if service.state == "restarting":
        return f"in a restart loop ({plural(service.restarts, 'restart')})"
    return f"{service.state}{f' ({service.result})' if service.result not in ('', 'success') else ''}"


def _unit_remedy(service: ServiceStatus) -> str:
    if service.state == "masked":
        return f"Run systemctl unmask {service.unit}, then the role relay_host."
    if service.state == "missing":
        return "Run the role relay_host."
    return f"Run systemctl status {service.unit} to see why, then systemctl restart {service.unit}."


def _daemons(status: Status) -> Iterator[Problem]:
    """Programs of Postfix that fail for one reason are one problem. One with a label is that of one listener or transport."""
    by_text: dict[str, list[DaemonFailure]] = {}
    for failure in status.daemons:
        by_text.setdefault(failure.text, []).append(failure)
    for text, failures in by_text.items():
        names = sorted("/".join(filter(None, ("postfix", one.label, one.program))) for one in failures)
        severity = "high" if all(one.label for one in failures) else "critical"
        cause = f"this process of Postfix fails since {local_time(min(one.since for one in failures))}: {text}"
        remedy = f"Run the role relay_host, or correct the configuration and run postfix reload; journalctl -t {names[0]} has the log."
        yield Problem("daemon_failing", ", ".join(names), severity, cause, remedy)


def _stalled(status: Status) -> Iterator[Problem]:
    """Without space the processes wait, which is another problem."""
    if any(space.path == str(QUEUE) and _is_full(space) for space in status.space):
        return
    for stalled in status.stalled:
        place = f"in {QUEUE}/{stalled.directory}" if stalled.directory else "without a delivery attempt"
        cause = f"this process of Postfix hangs: {plural(stalled.messages, 'message')} {place} since {local_time(stalled.since)}"
        remedy = f"Run systemctl restart postfix; journalctl -t postfix/{stalled.program} has the log."
        yield Problem("queue_stalled", f"postfix/{stalled.program}", "critical", cause, remedy)


def _is_full(space: DirectorySpace) -> bool:
    return space.free_bytes < space.required_bytes or (space.free_files is not None and space.free_files < space.required_files)


def _space(status: Status) -> Iterator[Problem]:
    for space in status.space:
        remedy = f"Free space on the file system of {space.path}."
        if space.free_bytes < space.required_bytes:
            cause = f"{_megabytes(space.free_bytes)} are free, and {_megabytes(space.required_bytes)} are required: {space.effect}"
            yield Problem("disk_full", space.path, "critical", cause, remedy)
        elif space.free_files is not None and space.free_files < space.required_files:
            cause = f"{space.free_files} files (inodes) are free, and {space.required_files} are required: {space.effect}"
            yield Problem("inodes_exhausted", space.path, "critical", cause, remedy)
        elif space.free_bytes < 3 * space.required_bytes:
            cause = f"{_megabytes(space.free_bytes)} are free; with less than {_megabytes(space.required_bytes)} {space.effect}"
            yield Problem("disk_low", space.path, "medium", cause, remedy)


def _megabytes(count: int) -> str:
    return f"{count >> 20} MB"


def _limits(status: Status) -> Iterator[Problem]:
    for limit in status.limits:
        if status.read_at - limit.last >= _LIMIT_SECONDS:
            continue
        if limit.kind == "processes":
            cause = f"all connections that this service of master.cf serves at once were in use at {local_time(limit.last)}: others wait"
            remedy = "Run ss -Htn to see which clients hold connections; mend these, or raise relay_processes."
            yield Problem("process_limit", limit.name, "high", cause, remedy)
        elif limit.kind == "unknown clients":
            cause = (
                f"clients in no network of relay_devices used their share of the port's connections at {local_time(limit.last)}: others of "
                "them wait, devices in these networks do not"
            )
            remedy = "Add the networks of SASL users to relay_devices, or raise relay_processes; ss -Htn shows who holds connections."
            yield Problem("unknown_clients", f"port {limit.name}", "medium", cause, remedy)
        else:
            cause = f"the client has more connections than one may have (at {local_time(limit.last)}); further ones are refused"
            remedy = "Restart the device, or raise relay_connections_per_client where many devices share the address."
            yield Problem("client_limit", limit.name, "medium", cause, remedy)


def _bans(status: Status) -> Iterator[Problem]:
    refused = [address for address in status.banned if address not in status.lost_bans]
    if refused:
        remedy = (
            "A ban is for an hour and for all devices behind the address (NAT), of IPv6 for its /64. Correct the device's password, then "
            "run fail2ban-client set mailops-relay unbanip ADDRESS."
        )
        yield Problem("addresses_banned", "fail2ban", "low", f"banned after failed authentication: {listed(refused, _LISTED)}", remedy)
    if status.lost_bans:
        cause = f"nftables does not have these bans any more, so the addresses can guess passwords: {listed(status.lost_bans, _LISTED)}"
        remedy = "Run systemctl restart fail2ban, which bans them again; do so after each nft flush ruleset or reload of nftables."
        yield Problem("bans_lost", "fail2ban", "medium", cause, remedy)

    if status.jail_running is False:
        cause = "the jail mailops-relay does not run: addresses that guess passwords are not banned"
        remedy = "Run fail2ban-client reload and fail2ban-client status mailops-relay, or the role relay_host."
        yield Problem("jail_not_running", "fail2ban", "high", cause, remedy)


def _token(status: Status) -> Iterator[Problem]:
    token = status.token
    if not token or not (token.failure or not token.expires or token.expires < status.read_at):
        return
    if not token.failure:
        remedy = "Run systemctl status mailops-relay-token to see why none was issued."
        yield Problem("token_missing", "token", "critical", "there is no valid access token", remedy)
        return
    rest = (token.expires or 0) - status.read_at
    reason = reasons.explain(token.failure)
    cause = token.failure.rstrip(".") if reason.id == "unknown" else reason.cause
    remedy = "" if reason.id == "unknown" else reason.remedy
    if rest > 0:
        remedy = f"{remedy} Mail flows with the current token for {rest / 60:.0f} minutes.".strip()
    name, severity = ("token_renewal_failing", "medium") if rest > 0 else ("token_missing", "critical")
    yield Problem(name, "token", severity, cause, remedy, code=token.code)


def _failed_check(status: Status) -> UpstreamCheck | None:
    """The check of the upstream server, where it failed lately; a stopped timer is a problem of its own."""
    check = status.upstream_check
    return check if check and check.failure and status.read_at - check.checked < _CHECK_SECONDS else None


def _upstream(status: Status) -> Iterator[Problem]:
    """The server or DNS does not answer; queued messages that wait for the same are counted here."""
    check = _failed_check(status)
    if not check:
        return
    reason = reasons.explain(check.failure)
    severity = "critical" if status.read_at - (check.failing_since or check.checked) >= _CRITICAL_SECONDS else "high"
    cause = f"{reason.cause} since {local_time(check.failing_since or check.checked)} ({check.failure})"
    messages = sum(row.messages for row in status.queue.reasons if row.id == reason.id)
    name, subject = ("dns_failing", "DNS") if reason.id == "relay-name-not-found" else ("upstream_unreachable", check.server)
    yield Problem(name, subject, severity, cause, reason.remedy, reason.code, messages)


def _clock(status: Status) -> Iterator[Problem]:
    check, effect = status.upstream_check, "tokens and certificates are refused, and messages have a wrong date"
    remedy = "Run timedatectl; enable a time service (systemd-timesyncd or chrony), and allow NTP (port 123/udp)."
    if check and check.clock_offset is not None and abs(check.clock_offset) >= CLOCK_TOLERANCE:
        severity = "high" if abs(check.clock_offset) >= _CLOCK_URGENT_SECONDS else "medium"
        yield Problem("clock_off", "clock", severity, f"the clock is {offset_text(check.clock_offset, check.server)}: {effect}", remedy)
    elif check and check.contacted and not check.failure and check.clock_offset is None and status.clock_synchronized is False:
        cause = "the clock is not synchronized, and the upstream server's greeting has no time to compare it with"
        yield Problem("clock_not_synchronized", "clock", "low", cause, remedy)


def _queue(status: Status) -> Iterator[Problem]:
    check = _failed_check(status)
    reported = reasons.explain(check.failure).id if check else ""
    for row in status.queue.reasons:
        if row.id == reported:
            continue  # the check of the upstream server counts them
        long = status.read_at - row.oldest >= _LONG
        if row.id != "waiting":
            severity = "high" if row.held or not row.transient or long else "low"
            name, remedy = _refused(row, status.mailboxes)
            yield Problem(name, _subject(row), severity, row.cause, remedy, row.code, row.messages)
        elif row.held:
            remedy = "Release it with: postsuper -r ALL hold."
            yield Problem("held_by_administrator", _subject(row), "high", "put on hold by an administrator", remedy, messages=row.held)
        elif long:
            yield Problem("queue_long", _subject(row), "info", "waiting for delivery within the configured pace", "", messages=row.messages)


def _subject(row: QueueReason) -> str:
    return row.mailbox or ", ".join(sender or "<>" for sender in row.senders[:3])


def _refused(row: QueueReason, mailboxes: tuple[MailboxStatus, ...]) -> tuple[str, str]:
    """The check of queued messages with a failed attempt, and the remedy."""
    if row.id == _QUOTA_REACHED:
        return "quota_reached", row.remedy
    attempts = [one.next_attempt for mailbox in mailboxes for one in mailbox.suspensions if _is_of(row, mailbox, one)]
    if attempts or row.id == _SUSPENDED:
        return "sender_suspended", f"{row.remedy}{f' Next attempt at {local_time(min(attempts))}.' if attempts else ''}".strip()
    return "delivery_failing", row.remedy


def _is_of(row: QueueReason, mailbox: MailboxStatus, suspension: Suspension) -> bool:
    """Whether queued messages wait for the end of a suspension."""
    same = row.mailbox == mailbox.address and row.id == suspension.reason
    return same and (not suspension.sender or suspension.sender in row.senders)


def _mailboxes(status: Status) -> Iterator[Problem]:
    """Quotas and suspensions without queued messages: for the others the queue's reasons report them."""
    reported = {row.mailbox for row in status.queue.reasons if row.id == _QUOTA_REACHED}
    for mailbox in status.mailboxes:
        if mailbox.quota_resumes and mailbox.address not in reported:
            cause = f"its daily quota of {mailbox.recipients_per_day} recipients is reached"
            yield Problem(
                "quota_reached", mailbox.address, "low", cause, f"Delivery resumes by itself at {local_time(mailbox.quota_resumes)}."
            )
        for suspension in mailbox.suspensions:
            if not any(_is_of(row, mailbox, suspension) for row in status.queue.reasons):
                yield _suspended(mailbox, suspension)


def _suspended(mailbox: MailboxStatus, suspension: Suspension) -> Problem:
    next_attempt = local_time(suspension.next_attempt)
    remedy = f"Next attempt at {next_attempt}. Once the cause is removed, run mailops-relay release for an attempt now."
    return Problem("sender_suspended", suspension.sender or mailbox.address, "high", reasons.cause_of(suspension.reason), remedy)


def _certificates(status: Status) -> Iterator[Problem]:
    for certificate in status.certificates:
        own = certificate.use.startswith("sign-in")
        days = (certificate.expires - status.read_at) / 86400 if certificate.expires else None
        if certificate.failure:
            remedy = "Restore it from a backup (mailops-relay restore), or run the role relay_host." if own else _RENEW_CERTIFICATE
            cause = f"the certificate for {certificate.use} cannot be used: {certificate.failure}"
            yield Problem("certificate_unusable", certificate.path, "high", cause, remedy)
        elif days is not None and days < EXPIRING:
            cause = f"the certificate for {certificate.use} {f'expires in {days:.0f} days' if days > 0 else 'has expired'}"
            remedy = "Run the role relay_host again: it creates the next key." if own else "Install a new certificate at this path."
            yield Problem("certificate_expiring", certificate.path, "high" if days < 7 else "medium", cause, remedy)
