# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft of host variables for the senders that an audit saw and the inventory does not have.

A draft states what is there: converging it changes nothing. Therefore only senders are drafted whose method can be planned as it is, the
current settings of their mailboxes are variables of the draft, and nothing is set to a closing value. Guesses are marked `# guess:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._core import mail_addresses, networks
from .._exchange.authentication_policies import User
from .._exchange.inbound_connectors import Connector
from . import mail_flow
from .commented_yaml import Item, Noted, comment, items
from .evidence import Evidence
from .mail_flow import MailFlow
from .sign_ins import MOST_ADDRESSES
from .verdict import Calendar

INTERNAL_AFTER = 30  # days without external recipients
MOST_PUBLIC_ADDRESSES = 3  # a device sends from few; more are those of a person or of a cloud service
USER_MAILBOX = "UserMailbox"
_KINDS = (
    ("scanner", r"scan|copier|kopierer|mfp|multifunction"),
    ("printer", r"print|drucker|label"),
    ("ups", r"\bups\b|\busv\b"),
    ("nas", r"\bnas\b|synology|qnap|backup"),
    ("monitoring", r"monitor|nagios|zabbix|prtg|icinga|alert|alarm"),
    ("erp", r"\berp\b|\bsap\b|navision|dynamics|invoice|rechnung"),
    ("website", r"shop|\bweb|wordpress|website|form"),
)
_DEFAULT_KIND = "application"


@dataclass(frozen=True)
class Facts:
    """What a draft needs beside the evidence. None: not readable.

    `users`: by primary address in lower case. `own_smtp_auth`: of each mailbox, enabled, disabled or inherit. `names`: of the senders in
    the inventory. `variables`: names that the inventory sets. `unreadable`: the labels of the sources that were not readable.
    `applications`: those with SMTP.SendAsApp that are not the sender app, each with its last sign-in.
    """

    tenant: str
    days: int
    calendar: Calendar
    users: Mapping[str, User] | None = None
    own_smtp_auth: Mapping[str, str] | None = None
    connectors: Sequence[Connector] | None = None
    names: Sequence[str] = ()
    variables: Sequence[str] = ()
    unreadable: Sequence[str] = ()
    trace_days: int = 0
    applications: Sequence[str] = ()


@dataclass(frozen=True)
class Draft:
    """The draft as YAML. `senders`: how many it has; `left_out`: how many addresses were seen and are comments only."""

    text: str
    senders: int
    left_out: int

    def as_result(self) -> dict[str, object]:
        return {"text": self.text, "senders": self.senders, "left_out": self.left_out}


@dataclass
class _Parts:
    senders: list[Item] = field(default_factory=list)
    mailboxes: list[Item] = field(default_factory=list)
    connectors: dict[str, Item] = field(default_factory=dict)
    oauth: list[Item] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def draft(evidence: Sequence[Evidence], facts: Facts) -> Draft:
    """The draft for the addresses in the evidence that are not listed in the inventory."""
    parts = _Parts()
    taken = {name.lower() for name in facts.names}
    for one in sorted(evidence, key=lambda one: one.address):
        if one.listed:
            continue
        if not _used_basic(one) and one.flow and (one.connector or one.direct_send or one.relayed):
            _add_from_own_source(parts, one, one.flow, facts, taken)
        elif _used_oauth(one) and not mail_addresses.problems("it", [one.address]):
            parts.oauth.append(_with_oauth(one, facts, taken))
        elif reason := _why_not(one, facts):
            parts.left_out.append(f"{one.address}: {reason}")
        else:
            parts.senders.append(_sender(one, facts, taken))
            own = (facts.own_smtp_auth or {}).get(one.address, "enabled")
            parts.mailboxes.append(Item({"address": one.address, "smtp_auth": own, "sign_in": "basic"}))
    return Draft("\n".join(_lines(parts, facts)) + "\n", len(parts.senders), len(parts.left_out) + len(parts.oauth))


def _used_basic(evidence: Evidence) -> bool:
    return bool(evidence.basic and evidence.basic.last_succeeded) or bool(evidence.clients and evidence.clients.basic)


def _used_oauth(evidence: Evidence) -> bool:
    """Whether it submits, and not with Basic authentication: the export says so, or mail from elsewhere where Basic is known not to be."""
    if _used_basic(evidence) or evidence.smtp_auth is False or (evidence.basic and evidence.basic.failed):
        return False
    exported = bool(evidence.clients and evidence.clients.oauth)
    return exported or bool(evidence.basic_known and evidence.smtp_auth and evidence.flow and evidence.flow.sources)


def _with_oauth(evidence: Evidence, facts: Facts, taken: set[str]) -> Item:
    """A sender with OAuth, with an application that this collection did not register."""
    flow, clients = evidence.flow, evidence.clients
    seen = f"{flow.messages} messages until {flow.last} from {', '.join(flow.sources)}" if flow and flow.sources else ""
    if not seen and clients:
        seen = f"{clients.messages or 'some'} messages in the 90 days of the report SMTP AUTH clients"
    volume = _volume(flow, facts) if flow and flow.messages else {}
    return Item(_named(evidence, facts, taken) | {"method": "oauth"} | volume, (f"OAuth: {seen}.",))


def _why_not(evidence: Evidence, facts: Facts) -> str:
    """Why an address is not drafted as a sender with Basic authentication, as a sentence; "" where it is."""
    if not _used_basic(evidence):
        return _nothing_seen(evidence)
    user, last = (facts.users or {}).get(evidence.address), evidence.basic.last_succeeded if evidence.basic else None
    if evidence.blocked:
        reason = f"it is refused now ({evidence.blocked}). List it with another method."
    elif facts.calendar.today > facts.calendar.basic_off and not (last and last > facts.calendar.basic_off):
        reason = f"it is disabled by default since {facts.calendar.basic_off}. List it with another method."
    elif facts.users is not None and user is None:
        reason = "no user of the organization has this address any more."
    elif user and user.recipient_type not in ("", USER_MAILBOX):
        reason = f"it is a {user.recipient_type}, which has no sign-in of its own. List it with method oauth."
    elif evidence.basic and len(evidence.basic.addresses) >= MOST_ADDRESSES and _kind(_title(evidence, facts), evidence) == _DEFAULT_KIND:
        reason = "it may be a person with a mail program, since it used many IP addresses."
    else:
        reason = " ".join(mail_addresses.problems("it", [evidence.address]))
    return f"{_seen(evidence)}; {reason}" if reason else ""


def _nothing_seen(evidence: Evidence) -> str:
    """The sentence for an address without a successful sign-in with Basic authentication."""
    if evidence.basic and evidence.basic.failed:
        return f"all {evidence.basic.failed} sign-ins with Basic authentication failed, the last on {evidence.basic.last_failed}."
    if evidence.smtp_app:
        return "it used SMTP in the last 180 days; whether with Basic authentication or OAuth is not readable."
    seen = "none seen" if evidence.basic_known else "not readable"
    return f"SMTP AUTH is enabled for the mailbox; sign-ins with Basic authentication: {seen}."


def _seen(evidence: Evidence) -> str:
    usage, clients = evidence.basic, evidence.clients
    if usage and usage.last_succeeded:
        sources = ", ".join(usage.addresses) or "an unknown address"
        return f"Basic authentication: {usage.succeeded} sign-ins until {usage.last_succeeded}, from {sources}"
    messages = "messages" if clients is None or clients.messages is None else f"{clients.messages} messages"
    return f"Basic authentication: {messages} in the 90 days of the report SMTP AUTH clients"


def _sender(evidence: Evidence, facts: Facts, taken: set[str]) -> Item:
    values = _named(evidence, facts, taken) | {"method": "basic"}
    addresses = evidence.basic.addresses if evidence.basic else ()
    public = [text for text in addresses if not networks.problem(text, 4, networks.CONNECTOR_PREFIX)]
    if public and len(addresses) <= MOST_PUBLIC_ADDRESSES:
        values["public_addresses"] = Noted(public, "guess: static")
    if evidence.flow and evidence.flow.messages:
        values |= _volume(evidence.flow, facts)
    return Item(values, (f"{_seen(evidence)}.",))


def _add_from_own_source(parts: _Parts, evidence: Evidence, flow: MailFlow, facts: Facts, taken: set[str]) -> None:
    """Add a sender whose mail comes through a connector, which stays as it is, or by Direct Send."""
    if evidence.connector is None:
        seen = f"{flow.messages} messages until {flow.last} from {', '.join(flow.sources)}"
        parts.left_out.append(f"{evidence.address}: {seen}, without sign-in; whether through a connector is not readable.")
        return
    if evidence.relayed:
        _add_relayed(parts, evidence, flow, facts, taken)
        return
    seen = f"{flow.messages} messages until {flow.last} from {', '.join(flow.sources)}"
    public = [text for text in flow.sources if not networks.problem(text, 4, networks.CONNECTOR_PREFIX)]
    connector = next((one for one in facts.connectors or () if one.name == evidence.connector), None)
    if connector is None and evidence.direct_send_rejected is not False:
        rejected = "is rejected by the organization" if evidence.direct_send_rejected else "may be rejected (not readable)"
        parts.left_out.append(f"{evidence.address}: {seen}, without sign-in and connector: that {rejected}.")
    elif not public or mail_addresses.problems("it", [evidence.address]):
        parts.left_out.append(f"{evidence.address}: {seen}; no sender can have this address or these sources.")
    elif connector is None:
        values = _named(evidence, facts, taken) | {"method": "direct_send", "recipients": "internal"}
        values["public_addresses"] = Noted(public, "guess: static")
        parts.senders.append(Item(values | _volume(flow, facts), (f"Direct Send, or somebody else in its name: {seen}.",)))
    else:
        own = mail_flow.matching(connector, public)
        values = _named(evidence, facts, taken) | {"method": "connector", "connector": connector.name, "public_addresses": own}
        parts.senders.append(Item(values | _volume(flow, facts), (f"Inbound connector {connector.name}: {seen}.",)))
        parts.connectors[connector.name] = Item({"name": connector.name, **connector.as_result()})


def _add_relayed(parts: _Parts, evidence: Evidence, flow: MailFlow, facts: Facts, taken: set[str]) -> None:
    """Add a sender to external recipients whose mail only a connector that is matched by certificate can have relayed."""
    seen = f"{flow.messages} messages until {flow.last} from {', '.join(flow.sources)}"
    names = evidence.certificate_connectors
    connector = next((one for one in facts.connectors or () if names == (one.name,)), None)
    if connector is None:
        which = f"one of the connectors {', '.join(names)}" if names else "a path that is not known"
        parts.left_out.append(f"{evidence.address}: {seen}, without sign-in, through {which}.")
    elif problem := " ".join(mail_addresses.problems("it", [evidence.address])):
        parts.left_out.append(f"{evidence.address}: {seen}; {problem}")
    else:
        guess = Noted(connector.name, "guess: the only one that is matched by a certificate")
        values = _named(evidence, facts, taken) | {"method": "connector", "connector": guess}
        values["certificate_name"] = connector.tls_sender_certificate_name
        parts.senders.append(Item(values | _volume(flow, facts), (f"Inbound connector {connector.name}: {seen}.",)))
        parts.connectors[connector.name] = Item({"name": connector.name, **connector.as_result()})


def _volume(flow: MailFlow, facts: Facts) -> dict[str, object]:
    """Recipients a day, and internal ones only where the period is long enough to say so."""
    values: dict[str, object] = {"recipients_per_day": Noted(flow.recipients_per_day, f"guess: of {facts.trace_days} days")}
    if not flow.external and facts.trace_days >= INTERNAL_AFTER:
        values["recipients"] = Noted("internal", f"guess: no external recipient in {facts.trace_days} days")
    return values


def _named(evidence: Evidence, facts: Facts, taken: set[str]) -> dict[str, object]:
    """Name, kind and address of a sender."""
    title = _title(evidence, facts)
    name = title if title.lower() not in taken else f"{title} ({evidence.address})"
    taken.add(name.lower())
    kind = _kind(title, evidence)
    why = "by its name" if kind != _DEFAULT_KIND else "its name says nothing"
    return {"name": name, "kind": Noted(kind, f"guess: {why}"), "address": evidence.address}


def _title(evidence: Evidence, facts: Facts) -> str:
    user = (facts.users or {}).get(evidence.address)
    return (user.display_name if user else "").strip() or evidence.address.partition("@")[0]


def _kind(title: str, evidence: Evidence) -> str:
    return next((kind for kind, words in _KINDS if re.search(words, f"{title} {evidence.address}", re.I)), _DEFAULT_KIND)


# -- the text ---------------------------------------------------------------------------------------------------------


def _lines(parts: _Parts, facts: Facts) -> Iterator[str]:
    yield "---"
    yield from comment(
        f"Draft of the senders of {facts.tenant} by playbook audit on {facts.calendar.today}, from {facts.days} days. It states what was "
        "seen: converging it changes nothing. Check what is marked guess, and complete it with recipients, recipients_per_day and "
        "verify_recipient."
    )
    if facts.unreadable:
        yield from comment(f"Not readable, so that senders may be missing: {', '.join(facts.unreadable)}.")
    if facts.names:
        yield from comment("The inventory has m365_senders already: add these to that list. A second list would replace it.")
    if facts.calendar.today > facts.calendar.basic_off and parts.senders and "m365_basic_reenabled" not in facts.variables:
        yield from ("", f"# Basic authentication was used after {facts.calendar.basic_off}.", "m365_basic_reenabled: true")
    yield ""
    yield from items("m365_senders", parts.senders)
    if (parts.mailboxes or parts.connectors) and not facts.names:
        yield from _current_settings(parts, facts)
    if parts.oauth:
        yield from _with_oauth_lines(parts, facts)
    if parts.left_out:
        yield from ("", "# Seen, and not drafted:")
        for text in parts.left_out:
            yield from comment(f"- {text}")
    connectors = [one for one in facts.connectors or () if one.enabled and one.name not in parts.connectors]
    if connectors:
        yield from ("", "# Inbound connectors whose senders are not known. They stay as they are:")
        for one in connectors:
            yield from comment(f"- {one.name}: {one.tls_sender_certificate_name or ', '.join(one.sender_ip_addresses) or 'no source'}")


def _with_oauth_lines(parts: _Parts, facts: Facts) -> Iterator[str]:
    """The senders with OAuth as comments: as items they would register another application than the one that their programs have."""
    yield ""
    yield from comment(
        "Senders with OAuth, and an application that this inventory does not have"
        + (f" ({'; '.join(facts.applications)})" if facts.applications else "")
        + ". They stay as they are. With them in m365_senders, playbook site registers the sender app, grants it these mailboxes, and "
        "changes nothing of the other application. Then give the sender app to their programs."
    )
    yield from (f"# {line}" for line in list(items("m365_senders", parts.oauth))[1:])


def _current_settings(parts: _Parts, facts: Facts) -> Iterator[str]:
    """The variables that keep the settings of the drafted senders, where the inventory does not set them."""
    variables = {"smtp_auth_mailboxes": parts.mailboxes, "authentication_policy_policies": []} if parts.mailboxes else {}
    if parts.connectors:
        variables["inbound_connector_connectors"] = list(parts.connectors.values())
    if set(variables) & set(facts.variables):
        return
    yield ""
    yield from comment(
        f"The settings of these senders as they are. Remove {', '.join(variables)} when the senders shall decide them: playbook site with "
        "--check shows what changes then."
    )
    for name, listed in variables.items():
        yield from items(name, listed)
