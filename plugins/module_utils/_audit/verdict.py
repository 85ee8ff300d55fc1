# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on one sender: what the evidence says about the end of Basic authentication, with the date as an input.

A value that could not be read is None. It is never treated as "no": without evidence the verdict is "unknown".
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass

from .mail_flow import MailFlow
from .timetable import BASIC_OFF, BASIC_REMOVAL

BREAKS, REFUSED, EXPIRES, UNKNOWN, UNUSED, SAFE = "breaks", "refused", "expires", "unknown", "unused", "safe"
VERDICTS = (BREAKS, REFUSED, EXPIRES, UNKNOWN, UNUSED, SAFE)
SEVERITIES = ("critical", "high", "medium", "low", "info")
SOON, KEY_SOON = 90, 30  # days
_SIGNS_IN = ("oauth", "delegated", "basic")
_REJECTED = "Use a connector, or set direct_send_rejected to false."
_GUESSING = "If no program of yours has this address, somebody tries passwords"
_MIGRATE = "Move the sender to OAuth, a connector or a relay host"


@dataclass(frozen=True)
class BasicUsage:
    """Sign-ins with Basic authentication of one mailbox in the period. Zero sign-ins is an observation; a log that was not read is None."""

    succeeded: int = 0
    failed: int = 0
    last_succeeded: datetime.date | None = None
    last_failed: datetime.date | None = None
    addresses: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        values = asdict(self) | {"addresses": list(self.addresses)}
        return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in values.items()}


@dataclass(frozen=True)
class ClientUsage:
    """What the report "SMTP AUTH clients" (90 days) has of one sender; None: not in the file. `old_tls`: the versions of TLS before 1.2."""

    basic: bool | None = None
    oauth: bool | None = None
    messages: int | None = None
    old_tls: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        return asdict(self) | {"old_tls": list(self.old_tls)}


@dataclass(frozen=True)
class SenderKey:
    """The credential that an OAuth sender signs in with: the usable one that ends last. `kind`: certificate or secret."""

    kind: str
    end: datetime.date


@dataclass(frozen=True)
class Evidence:
    """What is known of one address; None: not readable.

    `listed`: the inventory has it as a sender. `method`: its planned method, None for an address that is not listed or whose plan failed.
    `smtp_auth`: whether SMTP AUTH is enabled for the mailbox, by its own or the organization's setting. `basic_allowed`: by its
    authentication policy. `direct_send_rejected`: by the organization. `clients`: of the export of the Exchange admin center. `smtp_app`:
    whether the usage report has SMTP for the user in 180 days, by Basic authentication or OAuth. `flow`: of the message trace; `connector`:
    the inbound connector that matches its IP address; `direct_send`: it sends without connector and cannot sign in. `key`: of the sender
    app; `no_key` says in a clause why it is None.
    """

    address: str
    listed: bool = False
    method: str | None = None
    smtp_auth: bool | None = None
    basic_allowed: bool | None = None
    security_defaults: bool | None = None
    direct_send_rejected: bool | None = None
    basic: BasicUsage | None = None
    clients: ClientUsage | None = None
    smtp_app: bool | None = None
    flow: MailFlow | None = None
    connector: str = ""
    direct_send: bool = False
    key: SenderKey | None = None
    no_key: str = "the keys of its sender app could not be read"

    @property
    def basic_known(self) -> bool:
        """Whether a source says that Basic authentication was or was not used: the log, the export, or the report where it has no SMTP."""
        return self.basic is not None or bool(self.clients and self.clients.basic is not None) or self.smtp_app is False

    @property
    def blocked(self) -> str:
        """Why Basic authentication is certainly refused, as a clause; "" where it is not."""
        if self.security_defaults:
            return "Security Defaults are enabled"
        if self.smtp_auth is False:
            return "SMTP AUTH is disabled for the mailbox"
        return "its authentication policy refuses Basic authentication" if self.basic_allowed is False else ""


@dataclass(frozen=True)
class Calendar:
    """The date of the audit, and what the inventory says about Basic authentication. `reenabled`: an administrator enabled it again."""

    today: datetime.date
    basic_off: datetime.date
    reenabled: bool = False


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
    key = _key(evidence, calendar.today)
    if key:
        return key
    if evidence.method == "basic":
        return _basic_planned(evidence, calendar)
    if usage and usage.failed:
        return _only_failures(evidence, usage)
    if evidence.smtp_auth is False and evidence.method in _SIGNS_IN:
        return Verdict(REFUSED, "high", "SMTP AUTH is disabled for the mailbox, which refuses OAuth, too.", "Run playbook site.")
    if not evidence.listed and evidence.flow and (evidence.connector or evidence.direct_send):
        return _without_sign_in(evidence, evidence.flow)
    if not evidence.basic_known and not evidence.blocked:
        reason = "Whether it uses Basic authentication could not be read."
        if evidence.smtp_app:
            reason = "It used SMTP in the last 180 days; whether with Basic authentication or OAuth could not be read."
        return Verdict(UNKNOWN, "medium", reason, "Make the sign-in log readable (see sources), or check the program's settings.")
    if not evidence.listed:
        reason = f"SMTP AUTH is enabled for the mailbox{_but(evidence)}, and no sign-in with Basic authentication was seen."
        if not evidence.basic_known:
            reason = f"SMTP AUTH is enabled for the mailbox{_but(evidence)}."
        return Verdict(UNUSED, "low", reason, "Set smtp_auth of the mailbox to inherit if no program uses it with OAuth.")
    return _without_basic(evidence)


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
        return Verdict(SAFE, "low", f"{seen}; its method is hve, and the end of SMTP AUTH with Basic authentication does not concern it.")
    if not evidence.listed:
        seen, remedy = f"{seen}, by a sender that is not in the inventory", f"Add it to m365_senders. {_MIGRATE}."
    elif evidence.method == "basic":
        remedy = f"{_MIGRATE}."
    else:
        seen = f"{seen}, although its method is {evidence.method or 'not known'}"
        remedy = "Change the settings of the program at this address, or find the second program that uses the mailbox."
    return _breaks(seen, remedy, usage, calendar)


def _basic_planned(evidence: Evidence, calendar: Calendar) -> Verdict:
    """The inventory plans Basic authentication, and no successful sign-in was seen."""
    usage = evidence.basic
    if evidence.blocked:
        return Verdict(REFUSED, "high", f"Its method is basic, and Basic authentication is refused: {evidence.blocked}.", f"{_MIGRATE}.")
    if usage is None:
        return _breaks("Its method is basic", f"{_MIGRATE}.", BasicUsage(), calendar)
    if usage.failed:
        return _only_failures(evidence, usage)
    return Verdict(UNUSED, "low", "Its method is basic, and no sign-in was seen in the period.", "Verify the sender, or remove it.")


def _breaks(seen: str, remedy: str, usage: BasicUsage, calendar: Calendar) -> Verdict:
    """Basic authentication is in use: when it ends, in Microsoft's words."""
    removal = f"Microsoft announces the date of its removal in the {BASIC_REMOVAL.when}"
    off = f"at the {BASIC_OFF.when}" if calendar.basic_off == BASIC_OFF.first_day else f"on {calendar.basic_off}"
    days = (calendar.basic_off - calendar.today).days
    if calendar.reenabled:
        return Verdict(BREAKS, "medium", f"{seen}. An administrator has enabled it again; {removal}.", remedy)
    if days > 0:
        text = f"{seen}. It is disabled by default {off} (in {days} days); an administrator can enable it again until its removal"
        return Verdict(BREAKS, "high" if days <= SOON else "medium", f"{text}.", remedy, calendar.basic_off)
    if usage.last_succeeded and usage.last_succeeded > calendar.basic_off:
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


def _without_sign_in(evidence: Evidence, flow: MailFlow) -> Verdict:
    """An address outside of the inventory whose mail comes through a connector, or by Direct Send."""
    seen = f"{flow.messages} messages until {flow.last} from {', '.join(flow.sources)}"
    if evidence.connector:
        reason = (
            f"It sends through the inbound connector {evidence.connector} ({seen}). The end of Basic authentication does not concern it."
        )
        return Verdict(SAFE, "low", reason, "Add it to m365_senders.")
    reason = f"It sends without sign-in and connector ({seen}): Direct Send, or somebody else in its name"
    if evidence.direct_send_rejected:
        return Verdict(REFUSED, "high", f"{reason}. The organization rejects Direct Send.", _REJECTED)
    remedy = "Add it to m365_senders with public_addresses, or reject Direct Send if no program of yours sends so."
    return Verdict(SAFE, "low", f"{reason}. It ends when Direct Send is rejected.", remedy)


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
        return Verdict(SAFE, "info", reason)
    if evidence.key is None:
        return Verdict(UNKNOWN, "medium", f"{reason} Whether it can sign in is not known: {evidence.no_key}.", "See sources.")
    if evidence.key.kind == "secret":
        return Verdict(SAFE, "low", f"{reason} The sender app has a client secret until {evidence.key.end}.", "Use a certificate.")
    return Verdict(SAFE, "info", f"{reason} The certificate of the sender app ends on {evidence.key.end}.")


def _but(evidence: Evidence) -> str:
    return f" ({evidence.blocked})" if evidence.blocked else ""
