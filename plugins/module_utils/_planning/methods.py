# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of sending methods, in the order in which method `auto` tries them.

The order: methods without password and without a device in between; then without mailbox; then those that cost money; Basic
authentication, which is off by default after December 2026, last. To add a method: an entry here, its variables in variables.py, its
device settings in device_settings.py and a class in _verification/methods.py, with which module smtp_probe verifies it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import rules
from .context import PlanningContext
from .rules import Refusal, Rule, relay_host_of
from .senders import Sender


@dataclass(frozen=True)
class Method:
    """A sending method.

    `rules` refuse a sender; `auto_rules` only where the method is chosen automatically. `reason` says in a clause why a sender uses the
    method. `roles` configure it. `through_exchange`: its recipients count against the limits of Exchange Online; with a relay host its
    upstream decides, too. `mailbox_sign_in`: the sender signs in to a mailbox, whose limits apply. `conditional_access`: the sign-in is
    subject to Conditional Access policies. `planned`: module sender_plan chooses it.
    """

    name: str
    label: str
    reason: Callable[[Sender, PlanningContext], str]
    rules: tuple[Rule, ...] = ()
    auto_rules: tuple[Rule, ...] = ()
    roles: tuple[str, ...] = ()
    through_exchange: bool = False
    mailbox_sign_in: bool = False
    conditional_access: bool = False
    planned: bool = True

    def refusals(self, sender: Sender, context: PlanningContext, *, auto: bool = False) -> list[Refusal]:
        """Every reason why the sender cannot use this method; empty where it can."""
        applied = self.rules + self.auto_rules if auto else self.rules
        return [refusal for rule in applied for refusal in rule(sender, context)]


def _oauth(sender: Sender, context: PlanningContext) -> str:
    return "it signs in with OAuth" + (" and keeps a copy in Sent Items" if sender.sent_items else "")


def _connector(sender: Sender, context: PlanningContext) -> str:
    source = f"TLS certificate {sender.certificate_name}" if sender.certificate_name else f"IP address {', '.join(sender.public_addresses)}"
    return f"a connector matches it by {source}"


def _relay_host(sender: Sender, context: PlanningContext) -> str:
    relay = relay_host_of(sender, context)
    return f"it sends through the relay host {relay.name if relay else sender.relay_host}"


def _hosted(sender: Sender, context: PlanningContext) -> str:
    return f"it sends through the hosted relay {context.hosted_relay.label if context.hosted_relay else ''}".rstrip()


def _text(text: str) -> Callable[[Sender, PlanningContext], str]:
    return lambda _sender, _context: text


_SENDER_APP = ("entra_app", "shared_mailbox", "smtp_auth")
METHODS = {
    method.name: method
    for method in (
        Method(
            name="oauth",
            label="OAuth",
            reason=_oauth,
            rules=(rules.oauth_support, rules.tls12, rules.mailbox_limits, rules.exchange_recipients),
            roles=_SENDER_APP,
            through_exchange=True,
            mailbox_sign_in=True,
            conditional_access=True,
        ),
        Method(
            name="connector",
            label="connector",
            reason=_connector,
            rules=(rules.connector_match, rules.sent_items, rules.exchange_recipients),
            roles=("inbound_connector", "spf"),
            through_exchange=True,
        ),
        Method(
            name="relay_host",
            label="relay host",
            reason=_relay_host,
            rules=(rules.relay_host, rules.sent_items, rules.exchange_recipients),
            roles=("inbound_connector", "spf", *_SENDER_APP),
            through_exchange=True,
        ),
        Method(
            name="hve",
            label="High Volume Email",
            reason=_text("all its recipients are internal, and High Volume Email has no limit on messages"),
            rules=(rules.hve, rules.tls12, rules.sent_items),
            auto_rules=(rules.hve_enabled,),
            roles=("hve_account", "entra_app"),
            conditional_access=True,
        ),
        Method(
            name="direct_send",
            label="Direct Send",
            reason=_text("all its recipients are internal, so that it needs neither sign-in nor connector"),
            rules=(rules.direct_send, rules.sent_items, rules.exchange_recipients),
            roles=("direct_send", "spf"),
        ),
        Method(
            name="acs",
            label="Azure Communication Services",
            reason=_text("it authenticates to Azure Communication Services with an SMTP username"),
            rules=(rules.acs, rules.keep_in_tenant, rules.tls12, rules.sent_items),
            roles=("acs_smtp_username",),
        ),
        Method(
            name="hosted",
            label="hosted relay",
            reason=_hosted,
            rules=(rules.hosted, rules.keep_in_tenant, rules.sent_items),
            roles=(),
        ),
        Method(
            name="basic",
            label="Basic authentication",
            reason=_text("it supports Basic authentication only"),
            rules=(rules.basic_auth, rules.tls12, rules.mailbox_limits, rules.exchange_recipients),
            roles=("smtp_auth", "authentication_policy"),
            through_exchange=True,
            mailbox_sign_in=True,
            conditional_access=True,
        ),
        Method(
            name="delegated",
            label="OAuth (delegated)",
            reason=_text("a user has signed in for it"),
            roles=("delegated_sign_in",),
            through_exchange=True,
            mailbox_sign_in=True,
            planned=False,
        ),
    )
}
PLANNED = tuple(name for name, method in METHODS.items() if method.planned)


def label(name: str) -> str:
    """A method's name for people."""
    return METHODS[name].label if name in METHODS else name
