# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay's state: what waits and why, when each mailbox last sent, its day, the token, certificates, services; and what is wrong.

Private to the collection. Reads only. The same result for people (shown.py), for machines (`--json`, module relay_status) and for
Prometheus (metrics.py). No secret is read for it.
"""

from __future__ import annotations

import calendar
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._core.errors import MailopsError
from . import health, reasons
from .files import read_object
from .monitor import store as desks
from .monitor.monitor import Keeper
from .monitor.store import Desk
from .postfix import queue
from .postfix.queue import Message
from .reasons import Reason

WATCH = "mailops-relay-monitor.service"
SERVICES = {
    "oauth": ("postfix.service", "mailops-relay-proxy.service", "mailops-relay-token.timer", WATCH),
    "": ("postfix.service", WATCH),
}
DEVICES = "mailops-relay-sasl.service"
# Reasons that only the bridge can tell more about.
OF_THE_BRIDGE = ("relay-proxy-refused",)


class NoRelay(MailopsError):  # noqa: N818 - reads as what it is
    """The role relay_host was never here."""


@dataclass
class Sources:
    """Where it all comes from; replaced in tests."""

    desk: Desk
    queue: Callable[[], list[Message]] = queue.read
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    now: Callable[[], float] = time.time

    def said(self, *command: str) -> str:
        """A command's output; empty where it fails."""
        try:
            done = self.run([*command], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""


def collect(sources: Sources | None = None) -> dict[str, Any]:
    """The whole state. Times are Unix times, None where something never was. Raises NoRelay."""
    sources = sources or Sources(Desk())
    try:
        keeper, _cursor = desks.keeper(sources.desk)
    except (OSError, ValueError, KeyError) as error:
        raise NoRelay(f"This host has no relay that can be read ({error}): run the role relay_host on it, and read as root.") from error
    now = sources.now()
    try:
        messages, unreadable = sources.queue(), ""
    except queue.QueueUnreadable as error:
        messages, unreadable = [], str(error)
    found: dict[str, Any] = {
        "hostname": keeper.settings.get("hostname", ""),
        "upstream": keeper.settings.get("upstream", ""),
        "at": now,
        "queue": waiting(messages, keeper) | {"unreadable": unreadable},
        "mailboxes": [_mailbox(keeper, address, now) for address in keeper.boxes],
        "token": _token(sources.desk) if keeper.settings.get("upstream") == "oauth" else None,
        "certificates": _certificates(sources),
        "services": _services(sources, str(keeper.settings.get("upstream"))),
        "counts": keeper.counts,
        "watched_at": keeper.at or None,
    }
    found["problems"] = health.of(found)
    return found


def waiting(messages: list[Message], keeper: Keeper) -> dict[str, Any]:
    """The queue by mailbox and reason, the most first."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for message in messages:
        mailbox = keeper.by_sender.get(message.sender, "")
        reason = _reason(message, mailbox, keeper)
        entry = groups.setdefault(
            (mailbox, reason.id, reason.code),
            {**reason.as_result(), "mailbox": mailbox, "messages": 0, "held": 0, "bytes": 0, "oldest": message.arrived, "senders": []},
        )
        entry["messages"] += 1
        entry["held"] += message.held
        entry["bytes"] += message.size
        entry["oldest"] = min(entry["oldest"], message.arrived)
        if message.sender not in entry["senders"]:
            entry["senders"].append(message.sender)
    rows = sorted(groups.values(), key=lambda entry: (-entry["messages"], entry["mailbox"], entry["id"]))
    return {
        "messages": len(messages),
        "held": sum(message.held for message in messages),
        "bytes": sum(message.size for message in messages),
        "oldest": min((message.arrived for message in messages), default=None),
        "reasons": rows,
    }


def _reason(message: Message, mailbox: str, keeper: Keeper) -> Reason:
    """The cause behind the reason: what the bridge met, the refusal that closed a sender."""
    found = reasons.of(message.reason)
    told = keeper.told.get(mailbox, {})
    if found.id in OF_THE_BRIDGE and told.get("bridge"):
        return reasons.of(str(told["bridge"]["text"]))
    lock = keeper.guard.of(mailbox, message.sender)
    if lock and (message.held or found.id == "relay-sender-suspended") and told.get("refused"):
        return reasons.of(str(told["refused"]["said"]))
    return found


def _mailbox(keeper: Keeper, address: str, now: float) -> dict[str, Any]:
    box, told = keeper.boxes[address], keeper.told.get(address, {})
    locks = [lock for lock in keeper.guard.locks.values() if lock.mailbox == address]
    used = keeper.ledger.used(address, now)
    return {
        "address": address,
        "transport": box.transport,
        "senders": list(box.senders),
        "last_sent": told.get("last_sent"),
        "refused": told.get("refused"),
        "used": used,
        "recipients_per_day": box.day.limit,
        "full_until": keeper.opens(address, now) if box.day.closed else None,
        "held_back": [
            {"sender": lock.sender, "reason": lock.reason, "since": lock.since, "next_try": lock.next_probe, "messages": len(lock.held)}
            for lock in locks
        ],
    }


def _token(desk: Desk) -> dict[str, Any]:
    """The access token's times and the last refusal; never the token."""
    found = read_object(desk.places.state)
    failure = str(found.get("failure") or "")
    known = reasons.of(failure) if failure else None
    return {
        "expires": found.get("expires"),
        "got": found.get("got"),
        "failure": failure,
        "code": known.code if known else "",
        "failing_since": found.get("failing_since"),
    }


def _certificates(sources: Sources) -> list[dict[str, Any]]:
    """The relay's own (to Entra), the listeners' (to devices) and, by connector, what is shown to Microsoft."""
    identity = sources.desk.configuration / "identity"
    files = [("sign-in", str(identity / "cert.pem")), ("sign-in, next", str(identity / "next.cert.pem"))]
    words = sources.said("/usr/sbin/postconf", "-xh", "smtpd_tls_chain_files", "smtpd_tls_cert_file").replace(",", " ").split()
    files += [("devices", word) for word in dict.fromkeys(words) if word.startswith("/")]
    for line in sources.said("/usr/sbin/postconf", "-P").splitlines():
        name, _equals, value = line.partition("=")
        if name.strip().endswith("/smtp_tls_chain_files"):
            files += [("connector", word) for word in value.replace(",", " ").split()]
    found = [{"use": use, "path": path, "expires": _expiry(sources, path)} for use, path in dict.fromkeys(files)]
    return [entry for entry in found if entry["expires"]]


def _expiry(sources: Sources, path: str) -> float | None:
    if not Path(path).exists():
        return None
    said = sources.said("openssl", "x509", "-in", path, "-noout", "-enddate").strip().removeprefix("notAfter=")
    try:
        return float(calendar.timegm(time.strptime(said, "%b %d %H:%M:%S %Y GMT")))
    except ValueError:
        return None


def _unit(sources: Sources, unit: str) -> dict[str, str]:
    said = sources.said("systemctl", "show", "--property=LoadState,ActiveState,SubState,Result,NRestarts", unit)
    return {name: value for name, _equals, value in (line.partition("=") for line in said.splitlines())}


def _services(sources: Sources, upstream: str) -> list[dict[str, Any]]:
    """Each unit's state, as systemctl show says it; a unit that is not installed is left out, unless it is needed."""
    needed = SERVICES.get(upstream, SERVICES[""])
    found = []
    for unit in (*needed, DEVICES):
        state = _unit(sources, unit)
        if state.get("SubState") == "exited":  # Debian 12: postfix.service only starts the instance
            state = _unit(sources, unit.replace(".", "@-."))
        if unit in needed or state.get("LoadState") == "loaded":
            found.append(
                {
                    "unit": unit,
                    "state": state.get("ActiveState", "unknown") if state.get("LoadState") == "loaded" else "missing",
                    "result": state.get("Result", ""),
                    "restarts": int(state.get("NRestarts") or 0),
                }
            )
    return found
