# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the sending methods: each yields a refusal where a sender cannot use a method.

Sources: "How to set up a multifunction device or application to send email using Microsoft 365" (methods and their conditions);
"Exchange Online limits".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .._exchange.certificate_names import in_accepted_domain
from .._hosted.providers import HOSTED_RELAYS
from . import limits
from .context import PlanningContext, RelayHost
from .senders import Sender


@dataclass(frozen=True)
class Refusal:
    """Why a sender cannot use a method, and the remedy; both are clauses."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


Rule = Callable[[Sender, PlanningContext], Iterator[Refusal]]


def relay_host_of(sender: Sender, context: PlanningContext) -> RelayHost | None:
    """The relay host of a sender: the one that it names; else the tenant's only one, where a connector cannot match the sender."""
    if sender.relay_host:
        return context.relay_hosts.get(sender.relay_host)
    own_source = sender.public_addresses or sender.certificate_name or sender.third_party_host
    return next(iter(context.relay_hosts.values())) if len(context.relay_hosts) == 1 and not own_source else None


def mailbox_limits(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    """Limits of one mailbox, for every method that signs in to it."""
    rate, day = sender.messages_per_minute, sender.recipients_per_day
    if rate > limits.MESSAGES_A_MINUTE:
        yield Refusal(
            f"{rate:,} messages a minute are more than the {limits.MESSAGES_A_MINUTE} that one mailbox may send",
            f"spread it over {math.ceil(rate / limits.MESSAGES_A_MINUTE)} mailboxes, or use connector, hve (internal recipients) or hosted",
        )
    if day > limits.RECIPIENTS_A_DAY:
        yield Refusal(
            f"{day:,} recipients a day are more than the {limits.RECIPIENTS_A_DAY:,} of one mailbox",
            f"spread it over {math.ceil(day / limits.RECIPIENTS_A_DAY)} mailboxes, or use connector, hve (internal recipients), acs or "
            "hosted",
        )


def exchange_recipients(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    yield from _recipients(sender, limits.RECIPIENTS_A_MESSAGE, "Exchange Online", "split the message, or send it to a distribution group")


def _recipients(sender: Sender, most: int, service: str, remedy: str = "split the message") -> Iterator[Refusal]:
    if sender.recipients_per_message > most:
        yield Refusal(f"{sender.recipients_per_message:,} recipients a message are more than the {most:,} of {service}", remedy)


def tls12(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if not sender.tls12:
        yield Refusal("it does not support TLS 1.2, and older versions are refused (421 4.7.66)", "send through a relay host (relay_host)")


def sent_items(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if sender.sent_items:
        yield Refusal("this method keeps no copy in Sent Items", "use oauth, or remove sent_items")


def oauth_support(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if not sender.oauth:
        yield Refusal("it cannot sign in with OAuth", "use connector, or a relay host that signs in for it")


def basic_auth(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if context.security_defaults:
        yield Refusal(
            "Entra Security Defaults are enabled and block Basic authentication for SMTP",
            "use oauth, connector or relay_host; replacing Security Defaults by Conditional Access is a security decision",
        )
    if context.basic_auth_ended:
        yield Refusal(
            f"Basic authentication for SMTP is off by default after {context.basic_auth_end_date.isoformat()}",
            "use oauth, connector, relay_host or hve, or set m365_basic_reenabled once your administrator has turned it on again",
        )
    mailbox = context.mailbox(sender.mailbox)
    if mailbox and mailbox.recipient_type != "UserMailbox":
        yield Refusal(
            f"{sender.mailbox} is a {mailbox.recipient_type}, which has no sign-in of its own", "use oauth, or a licensed user's mailbox"
        )
    elif context.mailboxes is not None and not mailbox:
        yield Refusal(f"mailbox {sender.mailbox} does not exist", "create a licensed mailbox with a password, or use oauth")


def connector_match(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    """The connector matches the sender itself, by IP address or certificate."""
    relay_host = relay_host_of(sender, context)
    if sender.relay_host or relay_host:
        name = sender.relay_host or (relay_host.name if relay_host else "")
        yield Refusal(f"it sends through the relay host {name}", "use relay_host, or remove the sender's relay_host")
        return
    if not sender.public_addresses and not sender.certificate_name:
        yield Refusal(
            "it has neither a static public IP address nor a TLS certificate that a connector could match",
            "set public_addresses or certificate_name, or use a relay host (m365_relays)",
        )
    elif sender.third_party_host and not sender.certificate_name:
        yield Refusal(
            "it runs at a third party, whose public addresses other customers share",
            "use a TLS certificate of your own domain (certificate_name), or oauth or hosted",
        )
    domains = context.domains
    if sender.certificate_name and domains and not in_accepted_domain(sender.certificate_name, domains) and sender.domain not in domains:
        yield Refusal(
            f"neither {sender.domain} nor the certificate's domain ({sender.certificate_name}) is an accepted domain",
            "use a sender or a certificate in an accepted domain",
        )


def relay_host(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    """A relay host that is named and does not exist is a problem of its own, whatever the method."""
    relay = relay_host_of(sender, context)
    if not relay and not sender.relay_host:
        yield Refusal("it uses no relay host", "set the sender's relay_host")
    if not relay:
        return
    if relay.delivery.signs_in:
        yield from mailbox_limits(sender, context)
    elif relay.windows and sender.mailbox != sender.address:
        yield Refusal(
            f"it sends from the mailbox {sender.mailbox} (mailbox), and {relay.name} on Windows has one upstream for all senders",
            "remove mailbox, or use a relay host on Linux with upstream oauth",
        )
    if sender.keep_in_tenant and not relay.delivery.through_exchange:
        yield Refusal(
            f"its mail must stay in the tenant (keep_in_tenant), and {relay.name} sends through {relay.upstream}",
            "use oauth, or a relay host with upstream connector or oauth",
        )


def direct_send(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if not sender.internal:
        yield Refusal(
            "Direct Send reaches internal recipients only",
            "use connector, relay_host or oauth, or set recipients: internal if all of them are",
        )
    if context.direct_send_rejected:
        yield Refusal(
            "direct_send_rejected is true, which refuses it (550 5.7.68)",
            "use a connector by its public address, or do not reject Direct Send",
        )


def hve(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if not sender.internal:
        yield Refusal(
            "High Volume Email reaches internal recipients only", "use connector, relay_host, acs or hosted for external recipients"
        )
    yield from _recipients(sender, limits.HVE_RECIPIENTS_A_MESSAGE, "High Volume Email")


def hve_enabled(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    """For method auto: High Volume Email is billed, so that it is never chosen unless the inventory enables it."""
    if not context.hve:
        yield Refusal("High Volume Email is not set up", "set m365_hve once the tenant has a billing policy for it")


def acs(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if not context.acs:
        yield Refusal("no Azure Communication Services resource is configured", "set the variables of the role acs_smtp_username")
    if sender.messages_per_minute > limits.ACS_MESSAGES_A_MINUTE:
        yield Refusal(
            f"{sender.messages_per_minute:,} messages a minute are more than the {limits.ACS_MESSAGES_A_MINUTE} "
            "of Azure Communication Services",
            "have Microsoft raise the limit, or use connector or hosted",
        )
    yield from _recipients(sender, limits.ACS_RECIPIENTS_A_MESSAGE, "Azure Communication Services")


def hosted(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if not context.hosted_relay:
        yield Refusal("no hosted relay is configured", f"set m365_hosted_relay to one of {', '.join(HOSTED_RELAYS)}")


def keep_in_tenant(sender: Sender, context: PlanningContext) -> Iterator[Refusal]:
    if sender.keep_in_tenant:
        yield Refusal("its mail must stay in the tenant (keep_in_tenant)", "use oauth, connector, relay_host or hve")
