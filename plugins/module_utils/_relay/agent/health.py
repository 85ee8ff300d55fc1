# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong on a relay, one entry a cause, the gravest first.

Private to the collection. `grave` is false for what heals by itself. `text` is one line for people; cause and remedy are the error
table's where they come from there.
"""

from __future__ import annotations

from typing import Any

from . import reasons
from .monitor.monitor import cause_of, clock

# A message that waits for so long without a failed attempt is worth a word: the pace of 30 a minute makes queues.
_LONG = 3600.0
# Days before its end that a certificate is worth a word; the role renews the relay's own 30 days before.
EXPIRING = 21


def of(status: dict[str, Any]) -> list[dict[str, Any]]:
    """All problems of a status."""
    found = [*_services(status), *_token(status), *_queue(status), *_mailboxes(status), *_certificates(status)]
    return sorted(found, key=lambda problem: not problem["grave"])


def _problem(subject: str, cause: str, remedy: str, *, grave: bool = True, code: str = "", messages: int = 0) -> dict[str, Any]:
    return {"subject": subject, "cause": cause, "remedy": remedy, "code": code, "grave": grave, "messages": messages}


def _services(status: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    if status["queue"]["unreadable"]:
        found.append(_problem("queue", "Postfix's queue cannot be read", status["queue"]["unreadable"]))
    for service in status["services"]:
        if service["state"] not in ("active", "activating", "reloading"):
            found.append(
                _problem(
                    service["unit"],
                    f"the service is {service['state']}" + (f" ({service['result']})" if service["result"] not in ("", "success") else ""),
                    f"Ask: systemctl status {service['unit']}.",
                )
            )
    return found


def _token(status: dict[str, Any]) -> list[dict[str, Any]]:
    token = status["token"]
    if not token or not (token["failure"] or not token["expires"] or token["expires"] < status["at"]):
        return []
    if not token["failure"]:
        cause = "there is no valid access token"
        return [_problem("token", cause, "Ask: systemctl status mailops-relay-token. It says why none was given.")]
    left = (token["expires"] or 0) - status["at"]
    known = reasons.of(token["failure"])
    cause = token["failure"].rstrip(".") if known.id == "unknown" else known.cause
    remedy = "" if known.id == "unknown" else known.remedy
    if left > 0:
        remedy = f"{remedy} Mail goes on with the present token for {left / 60:.0f} minutes.".strip()
    return [_problem("token", cause, remedy, code=token["code"], grave=left <= 0)]


def _queue(status: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for row in status["queue"]["reasons"]:
        subject = row["mailbox"] or ", ".join(sender or "<>" for sender in row["senders"][:3])
        if row["id"] == "waiting" and not row["held"] and status["at"] - row["oldest"] < _LONG:
            continue
        if row["id"] == "waiting":
            cause, remedy = ("held by hand", "Let it go: postsuper -r ALL hold.") if row["held"] else ("waiting for its turn", "")
            found.append(_problem(subject, cause, remedy, grave=bool(row["held"]), messages=row["messages"]))
            continue
        grave = bool(row["held"]) or not row["wait_helps"] or status["at"] - row["oldest"] >= _LONG
        found.append(_problem(subject, row["cause"], row["remedy"], code=row["code"], messages=row["messages"], grave=grave))
    return found


def _mailboxes(status: dict[str, Any]) -> list[dict[str, Any]]:
    """Mailboxes and senders that are closed while nothing of theirs is in the queue, which would have told it."""
    told = {(row["mailbox"], row["id"]) for row in status["queue"]["reasons"]}
    found = []
    for box in status["mailboxes"]:
        if box["full_until"] and (box["address"], "relay-daily-quota-reached") not in told:
            cause = f"its {box['recipients_per_day']} recipients of 24 hours are sent"
            found.append(_problem(box["address"], cause, f"It goes on by itself at {clock(box['full_until'])}.", grave=False))
        for lock in box["held_back"]:
            if (box["address"], lock["reason"]) not in told:
                remedy = f"Tried again at {clock(lock['next_try'])}; now, once the cause is gone, by: mailops-relay release."
                found.append(_problem(lock["sender"] or box["address"], cause_of(lock["reason"]), remedy))
    return found


def _certificates(status: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for entry in status["certificates"]:
        days = (entry["expires"] - status["at"]) / 86400
        if days < EXPIRING:
            end = f"ends in {days:.0f} days" if days > 0 else "has ended"
            cause = f"the certificate for {entry['use']} {end}"
            remedy = "Run the role again: it makes the next key." if entry["use"].startswith("sign-in") else "Put a new one in its place."
            found.append(_problem(entry["path"], cause, remedy, grave=days < 7))
    return found
