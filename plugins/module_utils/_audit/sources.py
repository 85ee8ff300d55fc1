# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources of an audit: what each returned, or why it was not readable. One that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from .._core.errors import MailopsError, SignInError
from .names import not_readable

T = TypeVar("T")
LABELS = {
    "inventory": "planned methods of the senders",
    "smtp_auth": "SMTP AUTH of organization and mailboxes",
    "sign_ins": "sign-in log (Basic authentication)",
    "authentication_policies": "authentication policies",
    "security_defaults": "Security Defaults",
    "direct_send": "Direct Send",
    "connectors": "inbound connectors",
    "applications": "applications that may send with SMTP",
    "spf": "SPF records",
    "mx_hosts": "MX hosts that Microsoft 365 assigned",
    "dkim": "DKIM signing",
    "smtp_clients": "report SMTP AUTH clients (CSV)",
    "application_sign_ins": "sign-ins of applications",
    "delegated_applications": "applications that send as a user who signed in (SMTP.Send)",
    "spoofs": "spoof intelligence",
    "message_trace": "message trace",
    "usage_report": "usage report of email apps",
    "application_keys": "keys that applications signed in with",
    "protocols": "older protocols that are allowed (TLS 1.0 and 1.1, EWS)",
    "hve_accounts": "High Volume Email accounts",
    "verification": "verification of senders (report of playbook verify)",
    "dns": "DNS records (MX, DKIM, DMARC, MTA-STS, TLS-RPT)",
}


@dataclass
class Sources:
    """The reasons of the sources that were not readable, by name; "" for a readable one."""

    reasons: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, action: Callable[[], T]) -> T | None:
        """The result of `action`; None, with its reason kept, where the service refuses. A refused sign-in ends the task."""
        try:
            value = action()
        except SignInError:
            raise
        except MailopsError as error:
            self.reasons[name] = str(error)
            return None
        self.reasons[name] = ""
        return value

    def read_part(self, name: str, action: Callable[[], T]) -> T | None:
        """A further part of a source that was readable; None, with the reason noted, where the service refuses it."""
        try:
            return action()
        except SignInError:
            raise
        except MailopsError as error:
            self.note(name, [str(error)])
            return None

    def note(self, name: str, problems: Iterable[str]) -> None:
        """Parts of a source that were not readable, one sentence each: the rest of its values counts."""
        self.reasons[name] = " ".join(text for text in (self.reasons.get(name, ""), *dict.fromkeys(problems)) if text)

    def as_result(self) -> list[dict[str, object]]:
        return [
            {"name": name, "label": LABELS[name], "readable": not reason, "reason": reason} for name, reason in sorted(self.reasons.items())
        ]

    def attention(self) -> list[dict[str, str]]:
        """The sources that were not readable, for the summary."""
        return [
            {"kind": "other", "subject": f"Audit: {LABELS[name]}", "problem": not_readable(reason), "remedy": ""}
            for name, reason in sorted(self.reasons.items())
            if reason
        ]
