# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a way of sending: one refusal a rule, with the way out.

Private to the collection. Sources: "How to set up a multifunction device or application to send email using Microsoft
365" (the ways and their conditions); "Exchange Online limits"; for the rest, the words of each rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import limits
from .context import Facts, Relay
from .senders import Sender


@dataclass(frozen=True)
class Refusal:
    """Why a sender cannot send in a way (a clause), and what to do instead (a clause)."""

    why: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.why}; {self.way_out}"


Rule = Callable[[Sender, Facts], Iterator[Refusal]]


def relay_of(sender: Sender, facts: Facts) -> Relay | None:
    """The relay host that a sender uses: the one it names; else, where it can use nothing of its own, the only one."""
    if sender.relay_host:
        return facts.relays.get(sender.relay_host)
    own = sender.public_addresses or sender.certificate_name or sender.third_party_host
    return next(iter(facts.relays.values())) if len(facts.relays) == 1 and not own else None


def _mailbox(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    """What one mailbox takes, however the sender signs in to it."""
    rate, day = sender.messages_per_minute, sender.recipients_per_day
    if rate > limits.MESSAGES_A_MINUTE:
        yield Refusal(
            f"{rate:,} messages a minute are more than the {limits.MESSAGES_A_MINUTE} that one mailbox may send",
            f"spread it over {math.ceil(rate / limits.MESSAGES_A_MINUTE)} mailboxes, or use relay, hve (internal recipients) or hosted",
        )
    if day > limits.RECIPIENTS_A_DAY:
        yield Refusal(
            f"{day:,} recipients a day are more than the {limits.RECIPIENTS_A_DAY:,} of one mailbox",
            f"spread it over {math.ceil(day / limits.RECIPIENTS_A_DAY)} mailboxes, or use relay, hve (internal recipients), acs or hosted",
        )


def _recipients(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    yield from _at_most(sender, limits.RECIPIENTS_A_MESSAGE, "Exchange Online", "split the message, or send it to a distribution group")


def _at_most(sender: Sender, most: int, service: str, way_out: str = "split the message") -> Iterator[Refusal]:
    if sender.recipients_per_message > most:
        yield Refusal(f"{sender.recipients_per_message:,} recipients a message are more than the {most:,} of {service}", way_out)


def _tls(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if not sender.tls12:
        yield Refusal(
            "it does not speak TLS 1.2, and older is refused (421 4.7.66)", "let it send through a relay host of your own (relay)"
        )


def _sent_items(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if sender.sent_items:
        yield Refusal("this way keeps no copy in Sent Items", "use oauth, or give up sent_items")


def _oauth(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if not sender.oauth:
        yield Refusal("it cannot sign in with OAuth", "use relay, or a relay host that signs in for it")


def _basic(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if facts.security_defaults:
        yield Refusal(
            "Entra Security Defaults are on and refuse every SMTP sign-in by password",
            "use oauth or relay; replacing Security Defaults by Conditional Access is a security decision",
        )
    if facts.basic_ended:
        yield Refusal(
            f"Microsoft has switched SMTP sign-in by password off after {facts.basic_auth_end_date.isoformat()}",
            "use oauth, relay or hve, or set m365_basic_reenabled once your administrator has turned it on again",
        )
    found = facts.mailbox(sender.mailbox)
    if found and found.kind != "UserMailbox":
        yield Refusal(f"{sender.mailbox} is a {found.kind}, which has no sign-in of its own", "use oauth, or a licensed user's mailbox")
    elif facts.mailboxes is not None and not found:
        yield Refusal(f"there is no mailbox {sender.mailbox} to sign in to", "create a licensed mailbox with a password, or use oauth")


def _relay(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    relay = relay_of(sender, facts)
    if relay:
        if relay.upstream == "oauth":
            yield from _mailbox(sender, facts)
        if relay.leaves and sender.keep_in_tenant:
            yield Refusal(
                f"its mail must stay in the tenant (keep_in_tenant), and {relay.name} sends through {relay.upstream}",
                "use oauth, or a relay host with upstream connector or oauth",
            )
        return
    if not sender.public_addresses and not sender.certificate_name:
        yield Refusal(
            "it has neither a static public address nor a TLS certificate that a connector could know it by",
            "give public_addresses or certificate_name, or a relay host (m365_relays)",
        )
    elif sender.third_party_host and not sender.certificate_name:
        yield Refusal(
            "it runs at a third party, whose public addresses other customers share",
            "give a TLS certificate of your own domain (certificate_name), or use oauth or hosted",
        )
    domains = facts.domains
    if sender.certificate_name and domains and not _accepted(sender.certificate_name, domains) and sender.domain not in domains:
        yield Refusal(
            f"neither {sender.domain} nor the certificate's domain ({sender.certificate_name}) is an accepted domain",
            "use a sender or a certificate in an accepted domain",
        )


def _accepted(certificate: str, domains: frozenset[str]) -> bool:
    """A certificate's own name or its immediate parent has to be accepted."""
    name = certificate.removeprefix("*.")
    return name in domains or name.partition(".")[2] in domains


def _direct_send(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if not sender.internal:
        yield Refusal("Direct Send reaches internal recipients only", "use relay or oauth, or set recipients: internal if all of them are")
    if facts.direct_send_rejected:
        yield Refusal(
            "direct_send_rejected is to be true, which refuses it (550 5.7.68)",
            "use relay by its public address, or leave Direct Send open",
        )


def _hve(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if not sender.internal:
        yield Refusal("High Volume Email reaches internal recipients only", "use relay, acs or hosted for external recipients")
    yield from _at_most(sender, limits.HVE_RECIPIENTS_A_MESSAGE, "High Volume Email")


def _acs(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if not facts.acs:
        yield Refusal("no Azure Communication Services resource is named", "set the variables of the role acs_smtp_username")
    if sender.messages_per_minute > limits.ACS_MESSAGES_A_MINUTE:
        yield Refusal(
            f"{sender.messages_per_minute:,} messages a minute are more than the {limits.ACS_MESSAGES_A_MINUTE} "
            "of Azure Communication Services",
            "have Microsoft raise the limit, or use relay or hosted",
        )
    yield from _at_most(sender, limits.ACS_RECIPIENTS_A_MESSAGE, "Azure Communication Services")


def _hosted(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if not facts.hosted:
        yield Refusal("no hosted relay is named", "set m365_hosted_relay to smtp2go, sendgrid or mailgun")


def _outside_the_tenant(sender: Sender, facts: Facts) -> Iterator[Refusal]:
    if sender.keep_in_tenant:
        yield Refusal("its mail must stay in the tenant (keep_in_tenant)", "use oauth, relay or hve")


RULES: dict[str, tuple[Rule, ...]] = {
    "oauth": (_oauth, _tls, _mailbox, _recipients),
    "relay": (_relay, _sent_items, _recipients),
    "hve": (_hve, _tls, _sent_items),
    "direct_send": (_direct_send, _sent_items, _recipients),
    "acs": (_acs, _outside_the_tenant, _tls, _sent_items),
    "hosted": (_hosted, _outside_the_tenant, _sent_items),
    "basic": (_basic, _tls, _mailbox, _recipients),
}


def refusals(method: str, sender: Sender, facts: Facts) -> list[Refusal]:
    """Everything that speaks against a sender's using a method; nothing where it can."""
    return [refusal for rule in RULES[method] for refusal in rule(sender, facts)]
