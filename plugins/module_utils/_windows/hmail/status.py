# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of hMailServer: installation, service, queue, the last errors in the words of the error catalog, certificates."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ... import error_catalog
from ..host import WindowsHost
from ..services import AUTOMATIC
from . import product, queue, ranges, server
from .product import SERVICE, Product
from .queue import Failure, Queue
from .server import Server

MOST_MESSAGES, MOST_ERRORS = 50, 10
WARNING_DAYS = 21  # before a certificate expires
_DAY = 86400
_NO_ANSWER = "The upstream server did not answer, or its certificate is not valid."
_CHECK_UPSTREAM = "Check upstream.host, upstream.port and the firewall, and the server's certificate."

Attention = list[dict[str, str]]


def read(host: WindowsHost, admin_password: str) -> tuple[dict[str, object], Attention]:
    """The result, and what needs attention.

    Queue, errors and certificates are None where the service is stopped, or needs a password that is not given.
    """
    read_product = product.read(host)
    passwords = [one for one in (admin_password,) if one] if read_product.protected else [""]
    result, attention = _of_product(read_product), _attention_of_service(host, read_product)
    result |= {"open_relay": None, "queue": None, "errors": None, "certificates": None}
    if not (read_product.is_installed and read_product.runs and passwords):
        return result, attention
    password, current = server.password_of(host, passwords, option="hmailserver_admin_password", remedy="correct it.")
    details = queue.read(host, password)
    found_errors, certificates = errors(details.failures), _certificates(host, details)
    result |= {"open_relay": _is_open(current), "queue": _queue(details), "errors": found_errors, "certificates": certificates}
    return result, attention + _attention_of_mail(host, current, details, found_errors) + _attention_of_certificates(host, certificates)


def _of_product(read_product: Product) -> dict[str, object]:
    return {
        "installed": read_product.is_installed,
        "version": read_product.version or None,
        "managed": read_product.memory is not None,
        "service": {"state": read_product.state.lower(), "start_mode": read_product.start_mode.lower()} if read_product.state else None,
        "listening": sorted(port for port, name in read_product.holders.items() if name == SERVICE),
    }


def _is_open(current: Server) -> bool:
    return any(ranges.is_open(row) for row in current.ranges)


def _queue(details: Queue) -> dict[str, object]:
    messages = [
        {
            "id": one.id,
            "arrived": one.arrived,
            "sender": one.sender,
            "recipients": list(one.recipients),
            "tries": one.tries,
            "next_try": one.next_try,
        }
        for one in details.messages
    ]
    oldest = min((one.arrived for one in details.messages), default=None)
    return {"count": len(messages), "oldest": oldest, "processed": details.processed, "messages": messages[:MOST_MESSAGES]}


def errors(failures: Sequence[Failure]) -> list[dict[str, object]]:
    """The errors of the upstream server, the latest first; equal replies are one error. An empty reply: the server gave none."""
    replies = [one for one in failures if one.is_reply]
    retried = sum(one.text.startswith("4") for one in replies)
    silent = [one for one in failures if not one.is_reply][retried:]  # every 4xx is followed by a retry
    counted: dict[str, list[str]] = {}
    for one in [*replies, *silent]:
        counted.setdefault(one.text if one.is_reply else "", []).append(one.time)
    newest = sorted(counted.items(), key=lambda item: max(item[1]), reverse=True)[:MOST_ERRORS]
    return [{"reply": reply, "count": len(times), "last": max(times)} | _explained(reply) for reply, times in newest]


def _explained(reply: str) -> dict[str, str]:
    if not reply:
        return {"cause": _NO_ANSWER, "remedy": _CHECK_UPSTREAM}
    entry = error_catalog.smtp(reply)
    return {"cause": entry.cause if entry else "", "remedy": entry.remedy if entry else ""}


def _certificates(host: WindowsHost, details: Queue) -> list[dict[str, object]]:
    """The certificates of listeners, the first to expire first; no date where the file cannot be read."""
    rows: list[dict[str, object]] = [
        {"file": file, "not_after": end[:19] + "Z" if end else None, "days": _days(host, end)} for file, end in details.certificates.items()
    ]
    return sorted(rows, key=lambda one: str(one["not_after"] or ""))


def _days(host: WindowsHost, end: str) -> int | None:
    try:
        moment = datetime.datetime.fromisoformat(end[:19]).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
    return int((moment.timestamp() - host.clock.now()) // _DAY)


def _attention(host: WindowsHost, problem: str, remedy: str) -> dict[str, str]:
    return {"kind": "relay", "subject": host.name, "problem": problem, "remedy": remedy}


def _attention_of_service(host: WindowsHost, read_product: Product) -> Attention:
    """Only of a server that this collection has configured."""
    if read_product.memory is None or not read_product.is_installed:
        return []
    entries = []
    if not read_product.runs:
        entries.append(_attention(host, f"The service hMailServer is {read_product.state.lower()}.", "Start the service hMailServer."))
    if read_product.start_mode != AUTOMATIC:
        problem = f"The service hMailServer has the start mode {read_product.start_mode.lower()}: it is stopped after a restart."
        entries.append(_attention(host, problem, "Run module windows_hmailserver, which sets it to automatic."))
    return entries


def _attention_of_mail(host: WindowsHost, current: Server, details: Queue, found_errors: Sequence[dict[str, object]]) -> Attention:
    entries = []
    if _is_open(current):
        names = ", ".join(row.text("Name") for row in current.ranges if ranges.is_open(row))
        problem = f"Addresses that are not private may relay by hMailServer's IP ranges {names}."
        entries.append(_attention(host, problem, "Run module windows_hmailserver, with purge_ranges for ranges of others."))
    if details.messages and found_errors:
        last = found_errors[0]
        count = f"{len(details.messages)} message{'s' if len(details.messages) > 1 else ''}"
        answer = f"the upstream server answers: {last['reply']}" if last["reply"] else "the upstream server gave no reply"
        entries.append(_attention(host, f"The queue of hMailServer has {count}; {answer}", f"{last['cause']} {last['remedy']}".strip()))
    return entries


def _attention_of_certificates(host: WindowsHost, certificates: Sequence[dict[str, object]]) -> Attention:
    entries = []
    for one in certificates:
        days = one["days"]
        if not isinstance(days, int):
            problem = f"The certificate {one['file']} of hMailServer cannot be read."
            entries.append(_attention(host, problem, "Copy the PEM file there, and restart hMailServer."))
        elif days < WARNING_DAYS:
            state = f"expires in {days} days" if days >= 0 else "has expired"
            entries.append(
                _attention(host, f"The certificate {one['file']} of hMailServer {state}.", "Renew the file, and restart hMailServer.")
            )
    return entries
