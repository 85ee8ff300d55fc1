# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a sender sends: as it is told, else in the first way that nothing speaks against; and why, in words.

Private to the collection. The order: a way that needs no password and no device in between; then one without a mailbox;
then what costs money; sign-in by password, which Microsoft ends, last.
"""

from __future__ import annotations

from dataclasses import dataclass

from .context import Facts, Relay
from .rules import Refusal, refusals, relay_of
from .senders import METHODS, Sender


@dataclass(frozen=True)
class Decision:
    """A sender's way. `problems` is empty where it can send; `warnings` are for people."""

    sender: Sender
    method: str
    reason: str
    relay: Relay | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def signs_in(self) -> bool:
        """Whether it signs in to client submission with OAuth, itself or through its relay host."""
        return self.method == "oauth" or bool(self.method == "relay" and self.relay and self.relay.upstream == "oauth")


def decide(sender: Sender, facts: Facts) -> Decision:
    """The way of one sender."""
    label = f"m365_senders: {sender.name}"
    problems = _never(sender, facts, label)
    against = {method: refusals(method, sender, facts) for method in METHODS}
    if sender.method != "auto":
        problems += [f"{label}: {sender.method} is impossible: {refusal}." for refusal in against[sender.method]]
        return _decision(sender, facts, sender.method, "as the inventory says", problems)
    if not facts.hve:
        against["hve"].append(Refusal("High Volume Email is not set up", "set m365_hve once the tenant has a billing policy for it"))
    chosen = next((method for method in METHODS if not against[method]), None)
    if chosen is None:
        ways = "; ".join(f"not {method}, because {against[method][0].why}" for method in METHODS)
        return _decision(sender, facts, "auto", "", [*problems, f"{label}: there is no way for it to send: {ways}. {_way_out(against)}."])
    passed_over = [f"not {method}, because {against[method][0].why}" for method in METHODS[: METHODS.index(chosen)]]
    return _decision(sender, facts, chosen, "; ".join([_because(chosen, sender, facts), *passed_over]), problems)


def _way_out(against: dict[str, list[Refusal]]) -> str:
    """The way out of the method that the fewest rules speak against."""
    nearest = min(METHODS, key=lambda method: len(against[method]))
    return f"The nearest is {nearest}: {', and '.join(dict.fromkeys(refusal.way_out for refusal in against[nearest]))}"


def _never(sender: Sender, facts: Facts, label: str) -> list[str]:
    """What stands in the way of every method."""
    problems = []
    if facts.domains and sender.domain not in facts.domains:
        problems.append(
            f"{label}: {sender.domain} is no accepted domain of this tenant ({', '.join(sorted(facts.domains))}): correct the address "
            "or add the domain."
        )
    if sender.relay_host and sender.relay_host not in facts.relays:
        known = ", ".join(facts.relays) or "there is none"
        problems.append(
            f"{label}: relay_host is {sender.relay_host!r}, which is no host of group relays of this tenant, nor in m365_relays ({known}): "
            "name one of them."
        )
    recipient = sender.verify_recipient
    if sender.internal and recipient and facts.domains and recipient.rpartition("@")[2] not in facts.domains:
        problems.append(f"{label}: its recipients are internal, but verify_recipient is {recipient}: give a recipient in the tenant.")
    return problems


def _decision(sender: Sender, facts: Facts, method: str, reason: str, problems: list[str]) -> Decision:
    relay = relay_of(sender, facts) if method == "relay" else None
    return Decision(sender, method, reason, relay, tuple(problems), tuple(_warnings(method, sender, facts)))


def _because(method: str, sender: Sender, facts: Facts) -> str:
    relay = relay_of(sender, facts)
    if method == "relay" and relay:
        return f"the relay host {relay.name} sends for it"
    known_by = f"the TLS certificate {sender.certificate_name}" if sender.certificate_name else ", ".join(sender.public_addresses)
    return {
        "oauth": "it signs in with OAuth" + (" and keeps a copy in Sent Items" if sender.sent_items else ""),
        "relay": f"a connector knows it by {known_by}",
        "hve": "its recipients are internal, and High Volume Email has no limit on messages",
        "direct_send": "its recipients are internal, so that it needs neither sign-in nor connector",
        "acs": "Azure Communication Services takes its mail by user name and password",
        "hosted": f"the hosted relay {facts.hosted.provider if facts.hosted else ''} takes its mail",
        "basic": "it can do nothing but sign in by password",
    }[method]


def _warnings(method: str, sender: Sender, facts: Facts) -> list[str]:
    found = []
    if method == "basic" and not facts.basic_reenabled:
        left = (facts.basic_auth_end_date - facts.today).days
        found.append(
            f"{sender.name}: Basic authentication is off by default after {facts.basic_auth_end_date.isoformat()}, in {left} days; "
            "move it to oauth or relay."
        )
    if method == "direct_send" and not sender.public_addresses:
        found.append(
            f"{sender.name}: without public_addresses in the SPF record its mail may be taken for spam; give them, or use a relay host."
        )
    return found
