# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a sender beside its verdict, as labels and texts. None is "not read", and zero is 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from ...._core.json_types import JsonObject

Text: TypeAlias = Callable[[JsonObject], str]
NOT_READ, NO_MAILBOX = "not read", "no mailbox"


def evidence(row: JsonObject, shown: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Label and text of each value of a sender that is not in `shown`; a key that is not known here has its own name and value."""
    for name, value in row.items():
        if name in shown:
            continue
        label, text = _KNOWN.get(name, (name, lambda _row, value=value: as_text(value)))
        if content := text(row):
            yield label, content


def as_text(value: object) -> str:
    """Any value as one line."""
    if value is None:
        return NOT_READ
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        parts = ((name, "" if part in (None, []) else as_text(part)) for name, part in value.items())
        return ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in parts if text)
    if isinstance(value, list):
        return ", ".join(as_text(part) for part in value) or "none"
    return str(value)


def _setting(name: str, true: str, false: str) -> Text:
    """The text of a setting of the mailbox, which an address without a mailbox does not have."""

    def text(row: JsonObject) -> str:
        if row[name] is None:
            return NO_MAILBOX if row.get("mailbox") is False else NOT_READ
        return true if row[name] else false

    return text


def _read(name: str, text: Text) -> Text:
    """The text of evidence that may not have been read; that of another version of the report as it is."""

    def read(row: JsonObject) -> str:
        try:
            return text(row[name]) if row[name] is not None else NOT_READ
        except (KeyError, TypeError, ValueError):
            return as_text(row[name])

    return read


def _basic(usage: JsonObject) -> str:
    """The sign-ins with Basic authentication."""
    parts = [f"{usage['succeeded']:,} succeeded" + (f" (last {usage['last_succeeded']})" if usage["last_succeeded"] else "")]
    parts.append(f"{usage['failed']:,} failed" + (f" (last {usage['last_failed']})" if usage["last_failed"] else ""))
    return ", ".join(parts) + (f", from {', '.join(usage['addresses'])}" if usage["addresses"] else "")


def _mail(flow: JsonObject) -> str:
    """The messages of the message trace."""
    if not flow["messages"]:
        return "no message"
    external = flow["external_recipients"]
    text = f"{flow['messages']:,} messages to {flow['recipients']:,} recipients ({external:,} external), last {flow['last']}"
    text += f", {flow['recipients_per_day']:,} recipients on a busy day" if flow.get("recipients_per_day") else ""
    return text + (f", from {', '.join(flow['sources'])}" if flow["sources"] else "")


def _clients(clients: JsonObject) -> str:
    """What the report SMTP AUTH clients has; None is a column that it does not have."""
    used = [label for name, label in (("basic", "Basic authentication"), ("oauth", "OAuth")) if clients[name]]
    known = clients["basic"] is not None or clients["oauth"] is not None
    parts = [" and ".join(used) or "no sign-in"] if known else []
    parts += [f"{clients['messages']:,} messages"] if clients["messages"] is not None else []
    return ", ".join(parts + clients["old_tls"]) or "listed"


def _relay_host(relay: JsonObject) -> str:
    return f"{relay['name']} ({relay['host']}), upstream {relay['upstream']}"


_KNOWN: dict[str, tuple[str, Text]] = {
    "listed": ("In the inventory", lambda row: as_text(row["listed"])),
    "mailbox": ("Mailbox", lambda row: as_text(row["mailbox"])),
    "smtp_auth": ("SMTP AUTH", _setting("smtp_auth", "enabled", "disabled")),
    "basic_allowed": ("Basic authentication by policy", _setting("basic_allowed", "allowed", "refused")),
    "basic": ("Sign-ins with Basic authentication", _read("basic", _basic)),
    "smtp_app": ("SMTP in the usage report", lambda row: as_text(row["smtp_app"])),
    "mail": ("Message trace", _read("mail", _mail)),
    "clients": ("Report SMTP AUTH clients", _read("clients", _clients)),
    "connector": ("Inbound connector", lambda row: as_text(row["connector"])),
    # None says that there is none, and not that it was not read.
    "relay_host": ("Relay host", lambda row: _relay_host(row["relay_host"]) if row["relay_host"] else ""),
    "verified": ("Verified", lambda row: row["verified"] or ""),
}
