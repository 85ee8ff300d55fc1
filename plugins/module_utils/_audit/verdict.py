# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on one sender: what the evidence says about the end of Basic authentication, with the date as an input.

A value that could not be read is None. It is never treated as "no": without evidence the verdict is "unknown".
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .evidence import BasicUsage, Evidence
from .mail_flow import MailFlow
from .names import BREAKS, EXPIRES, OUTDATED, REFUSED, SAFE, UNKNOWN, UNLISTED, UNUSED, UNVERIFIED
from .timetable import BASIC_OFF, BASIC_REMOVAL, HVE_BILLING

SOON, KEY_SOON = 90, 30  # days
HVE_VALID = "BillingPolicyValid"  # Get-HVEAccountBillingPolicy
_SIGNS_IN = ("oauth", "delegated", "basic")
_REJECTED = "Use a connector, or set direct_send_rejected to false."
_VERIFY = "Verify the sender (playbook verify). It may send less often than that: remove it only if no program uses it."
_GUESSING = "If no program of yours has this address, somebody tries passwords"
_BILLING = "Connect a billing policy to High Volume Email (Microsoft 365 admin center, Billing, Pay-as-you-go services)."
_MIGRATE = "Move the sender to OAuth, a connector or a relay host"


@dataclass(frozen=True)
class Calendar:
    """The date of the audit, and what the inventory says about Basic authentication. `reenabled`: an administrator enabled it again.

    `security_defaults_due`: when Microsoft enables Security Defaults in the tenant, which refuse Basic authentication.
    """

    today: datetime.date
    basic_off: datetime.date
    reenabled: bool = False
    security_defaults_due: datetime.date | None = None


@dataclass(frozen=True)
class Verdict:
    """A verdict, with its severity, the date on which it matters, the evidence in a sentence, and what to do."""

    name: str
    severity: str
    reason: str
    remedy: str = ""
    date: datetime.date | None = None

    def as_result(self) -> dict[str, object]:
        date = self.date.isoformat() if self.date else None
        return {"verdict": self.name, "severity": self.severity, "date": date, "reason": self.reason, "remedy": self.remedy}


def verdict(evidence: Evidence, calendar: Calendar) -> Verdict:
    """The verdict on a sender, or on a mailbox for which SMTP AUTH is open."""
    usage = evidence.basic
    if usage and usage.last_succeeded:
        return _basic_seen(evidence, usage, calendar)
    if evidence.clients and evidence.clients.basic and not (usage and evidence.blocked):
        return _basic_seen(evidence, usage or BasicUsage(), calendar)
    stopped = _key(evidence, calendar.today) or (_unbilled(evidence, calendar.today) if evidence.method == "hve" else None)
    if stopped:
        return stopped
    if evidence.method == "basic":
        return _basic_planned(evidence, calendar)
    if usage and usage.failed:
        return _only_failures(evidence, usage)
    if evidence.smtp_auth is False and evidence.method in _SIGNS_IN:
        return Verdict(REFUSED, "high", "SMTP AUTH is disabled for the mailbox, which refuses OAuth, too.", "Run playbook site.")
    if not evidence.listed and evidence.flow and (evidence.connector or evidence.direct_send or evidence.relayed):
        return _unlisted(evidence, evidence.flow)
    if not evidence.basic_known and not evidence.blocked:
        reason = "Whether it uses Basic authentication could not be read."
        if evidence.smtp_app:
            reason = "It used SMTP in the last 180 days; whether with Basic authentication or OAuth could not be read."
        return Verdict(UNKNOWN, "medium", reason, "Make the sign-in log readable (see sources), or check the program's settings.")
    if evidence.clients and evidence.clients.old_tls:
        return _old_tls(evidence, evidence.clients.old_tls)
    return _without_basic(evidence) if evidence.listed else _unlisted_without_basic(evidence)


def _basic_seen(evidence: Evidence, usage: BasicUsage, calendar: Calendar) -> Verdict:
    """Programs have signed in with Basic authentication, whatever the inventory says."""
    seen = f"Basic authentication was used until {usage.last_succeeded} from {', '.join(usage.addresses) or 'an unknown address'}"
    if not usage.last_succeeded:
        seen = "Basic authentication was used in the 90 days of the report SMTP AUTH clients"
    if evidence.clients and evidence.clients.oauth:
        seen = f"{seen}, and OAuth too: two programs use the mailbox"
    if evidence.clients and evidence.clients.old_tls:
        seen = f"{seen}, with {' and '.join(evidence.clients.old_tls)}"
    if evidence.blocked:
        return Verdict(REFUSED, "high", f"{seen}; it is refused now: {evidence.blocked}.", f"{_MIGRATE}.")
    if evidence.method == "hve":
        stopped = _unbilled(evidence, calendar.today)
        return stopped or Verdict(
            SAFE, "low", f"{seen}; its method is hve, and the end of SMTP AUTH with Basic authentication does not concern it."
        )
    if not evidence.listed:
        seen, remedy = f"{seen}, by a sender that is not in the inventory", f"Add it to m365_senders. {_MIGRATE}."
    elif evidence.method == "basic":
        remedy = f"{_MIGRATE}."
    else:
        seen = f"{seen}, although its method is {evidence.method or 'not known'}"
        remedy = "Change the settings of the program at this address, or find the second program that uses the mailbox."
    return _breaks(seen, remedy, usage, calendar, two_programs=bool(evidence.clients and evidence.clients.oauth))


def _basic_planned(evidence: Evidence, calendar: Calendar) -> Verdict:
    """The inventory plans Basic authentication, and no successful sign-in was seen."""
    usage = evidence.basic
    if evidence.blocked:
        return Verdict(REFUSED, "high", f"Its method is basic, and Basic authentication is refused: {evidence.blocked}.", f"{_MIGRATE}.")
    if usage is None:
        return _breaks("Its method is basic", f"{_MIGRATE}.", BasicUsage(), calendar)
    if usage.failed:
        return _only_failures(evidence, usage)
    if evidence.verified:
        return _breaks(f"It was verified with Basic authentication on {evidence.verified}", f"{_MIGRATE}.", usage, calendar)
    return Verdict(UNVERIFIED, "low", "Its method is basic, and no sign-in was seen in the period.", _VERIFY)


def _breaks(seen: str, remedy: str, usage: BasicUsage, calendar: Calendar, *, two_programs: bool = False) -> Verdict:
    """Basic authentication is in use: when it ends, in Microsoft's words. `two_programs`: another program uses OAuth already."""
    removal = f"Microsoft announces the date of its removal in the {BASIC_REMOVAL.when}"
    off = f"at the {BASIC_OFF.when}" if calendar.basic_off == BASIC_OFF.first_day else f"on {calendar.basic_off}"
    days, due = (calendar.basic_off - calendar.today).days, calendar.security_defaults_due
    still_enabled = calendar.reenabled or bool(usage.last_succeeded and usage.last_succeeded > calendar.basic_off)
    if due and due >= calendar.today and (due <= calendar.basic_off or still_enabled):
        left = (due - calendar.today).days
        text = f"{seen}. Microsoft enables Security Defaults in this tenant on {due} (in {left} days), which refuse Basic authentication."
        return Verdict(BREAKS, "high" if left <= SOON or two_programs else "medium", text, remedy, due)
    if calendar.reenabled:
        return Verdict(BREAKS, "medium", f"{seen}. An administrator has enabled it again; {removal}.", remedy)
    if days > 0:
        text = f"{seen}. It is disabled by default {off} (in {days} days); an administrator can enable it again until its removal"
        return Verdict(BREAKS, "high" if days <= SOON or two_programs else "medium", f"{text}.", remedy, calendar.basic_off)
    if still_enabled:
        return Verdict(BREAKS, "medium", f"{seen}. It is still enabled in this tenant; {removal}.", remedy)
    text = f"{seen}. It is disabled by default since {calendar.basic_off}; an administrator can enable it again until its removal."
    return Verdict(BREAKS, "critical", text, remedy, calendar.basic_off)


def _key(evidence: Evidence, today: datetime.date) -> Verdict | None:
    """The verdict where the sender app's last key has ended or ends soon."""
    key = evidence.key if evidence.method == "oauth" else None
    if key is None or (key.end - today).days > KEY_SOON:
        return None
    if key.end < today:
        return Verdict(EXPIRES, "critical", f"The {key.kind} of the sender app ended on {key.end}.", "Register a new one.", key.end)
    days = (key.end - today).days
    return Verdict(EXPIRES, "high", f"The {key.kind} of the sender app ends on {key.end} (in {days} days).", "Register a new one.", key.end)


def _only_failures(evidence: Evidence, usage: BasicUsage) -> Verdict:
    source = ", ".join(usage.addresses) or "an unknown address"
    why = f": {evidence.blocked}" if evidence.blocked else ""
    reason = f"All {usage.failed} sign-ins with Basic authentication failed, the last on {usage.last_failed} from {source}{why}."
    if not evidence.listed:
        return Verdict(REFUSED, "low", reason, f"{_GUESSING}: set smtp_auth of the mailbox to disabled.")
    remedy = "Correct the settings of the program, or switch it off."
    return Verdict(REFUSED, "medium", reason, remedy if evidence.method == "basic" else f"{remedy} {_GUESSING}.")


def _unbilled(evidence: Evidence, today: datetime.date) -> Verdict | None:
    """The verdict on a sender with High Volume Email whose account has no valid billing policy, or where that could not be read."""
    if evidence.hve == HVE_VALID:
        return None
    if evidence.hve is None:
        return Verdict(UNKNOWN, "medium", "Whether its High Volume Email account has a billing policy could not be read.", "See sources.")
    if not evidence.hve:
        return Verdict(REFUSED, "high", "Its method is hve, and it has no High Volume Email account.", "Run playbook site.")
    reason = f"Its High Volume Email account has no valid billing policy ({evidence.hve})"
    starts = HVE_BILLING.first_day
    if starts and today < starts:
        return Verdict(BREAKS, "high", f"{reason}: its delivery is interrupted from {starts} on.", _BILLING, starts)
    return Verdict(REFUSED, "high", f"{reason}: its delivery is interrupted since {starts}.", _BILLING)


def _old_tls(evidence: Evidence, versions: Sequence[str]) -> Verdict:
    """A program that does not speak TLS 1.2, which only the endpoint for old clients accepts."""
    reason = f"It connected with {' and '.join(versions)}, which only smtp-legacy.office365.com accepts; its end has no date."
    remedy = "Send it through a relay host, which uses TLS 1.2 or later." + ("" if evidence.listed else " Add it to m365_senders.")
    return Verdict(OUTDATED, "medium", reason, remedy)


def _unlisted(evidence: Evidence, flow: MailFlow) -> Verdict:
    """An address outside of the inventory whose mail is in the message trace."""
    seen = f"{flow.messages} messages until {flow.last} from {', '.join(flow.sources)}"
    if evidence.connector is None and (evidence.direct_send or evidence.relayed):
        reason = f"It sends without sign-in ({seen}), and is not in the inventory. Whether through a connector could not be read."
        return Verdict(UNLISTED, "medium", reason, "Make the inbound connectors readable (see sources), or add it to m365_senders.")
    if evidence.connector:
        reason = (
            f"It sends through the inbound connector {evidence.connector} ({seen}). The end of Basic authentication does not concern it."
        )
        return Verdict(UNLISTED, "medium", reason, "Add it to m365_senders.")
    if not evidence.direct_send:
        path = "by a path that is not known" if evidence.relayed else "with OAuth, or by a path that is not known"
        if evidence.relayed and evidence.certificate_connectors:
            path = f"without sign-in, probably through a connector matched by certificate ({', '.join(evidence.certificate_connectors)})"
        return Verdict(UNLISTED, "medium", f"It sends {path} ({seen}), and is not in the inventory.", "Add it to m365_senders.")
    by_certificate = "".join(f", the inbound connector {name}" for name in evidence.certificate_connectors)
    reason = f"It sends without sign-in ({seen}): Direct Send{by_certificate}, or somebody else in its name"
    if evidence.direct_send_rejected:
        return Verdict(REFUSED, "high", f"{reason}. The organization rejects Direct Send.", _REJECTED)
    remedy = "Add it to m365_senders with public_addresses, or reject Direct Send if no program of yours sends so."
    return Verdict(UNLISTED, "medium", f"{reason}. It ends when Direct Send is rejected.", remedy)


def _unlisted_without_basic(evidence: Evidence) -> Verdict:
    """A mailbox outside of the inventory whose SMTP AUTH is enabled, or that sends."""
    if evidence.flow and evidence.flow.sources:
        return _unlisted(evidence, evidence.flow)
    if evidence.clients and evidence.clients.oauth:
        sent = f"It sent {_messages(evidence.clients.messages)} with OAuth in the 90 days of the report SMTP AUTH clients"
        return Verdict(UNLISTED, "medium", f"{sent}, and is not in the inventory.", "Add it to m365_senders.")
    reason = f"SMTP AUTH is enabled for the mailbox{_but(evidence)}, and no sign-in with Basic authentication was seen."
    if not evidence.basic_known:
        reason = f"SMTP AUTH is enabled for the mailbox{_but(evidence)}."
    return Verdict(UNUSED, "low", reason, "Set smtp_auth of the mailbox to inherit if no program uses it with OAuth.")


def _without_basic(evidence: Evidence) -> Verdict:
    """A sender of the inventory for which Basic authentication is refused or was not seen."""
    if evidence.method is None:
        return Verdict(UNKNOWN, "medium", "Its method could not be planned (see sources).", "Run playbook site with --check.")
    why = f"refused ({evidence.blocked})" if evidence.blocked else "not used in the period"
    if evidence.method == "direct_send" and evidence.direct_send_rejected is not False:
        if evidence.direct_send_rejected is None:
            return Verdict(UNKNOWN, "medium", "Whether Direct Send is rejected could not be read.", "See sources.")
        return Verdict(REFUSED, "high", "Its method is direct_send, and the organization rejects Direct Send.", _REJECTED)
    reason = f"Its method is {evidence.method}, and Basic authentication is {why}."
    if evidence.method != "oauth":
        return _seen_sending(evidence, Verdict(SAFE, "info", reason))
    if evidence.key is None:
        return Verdict(UNKNOWN, "medium", f"{reason} Whether it can sign in is not known: {evidence.no_key}.", "See sources.")
    if evidence.key.kind == "secret":
        reason = f"{reason} The sender app has a client secret until {evidence.key.end}."
        return _seen_sending(evidence, Verdict(SAFE, "low", reason, "Use a certificate."))
    return _seen_sending(evidence, Verdict(SAFE, "info", f"{reason} The certificate of the sender app ends on {evidence.key.end}."))


def _seen_sending(evidence: Evidence, safe: Verdict) -> Verdict:
    """The verdict on a sender that nothing stops: safe only if nothing says that it does not send."""
    if evidence.is_silent:
        reason = f"{safe.reason} No message of it was seen in the message trace of {evidence.trace_days} days, and it was not verified."
        return Verdict(UNVERIFIED, "low", reason, f"{_VERIFY} {safe.remedy}".rstrip())
    return replace(safe, reason=f"{safe.reason} It was verified on {evidence.verified}.") if evidence.verified else safe


def _messages(number: int | None) -> str:
    return "messages" if number is None else f"{number} messages"


def _but(evidence: Evidence) -> str:
    return f" ({evidence.blocked})" if evidence.blocked else ""
