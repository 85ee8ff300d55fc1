# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method of one sender: the one that the inventory sets, else the first one that no rule refuses; with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .._products.catalog import PRODUCTS
from .context import SHARED, PlanningContext, RelayHost
from .methods import METHODS, PLANNED, Method
from .rules import Refusal, relay_host_of
from .senders import Sender


@dataclass(frozen=True)
class SendingPlan:
    """How a sender sends. `method` is "auto" where no method is possible; `problems` is empty where the sender can send."""

    sender: Sender
    method: str
    reason: str
    relay_host: RelayHost | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def entry(self) -> Method | None:
        """The method's entry in the table; None where no method is possible."""
        return METHODS.get(self.method)

    @property
    def uses_oauth(self) -> bool:
        """Whether the sender signs in to client submission with OAuth, itself or through its relay host."""
        return self.method == "oauth" or bool(self.relay_host and self.relay_host.delivery.signs_in)

    @property
    def through_exchange(self) -> bool:
        """Whether its recipients count against the limits of Exchange Online."""
        if self.relay_host and not self.relay_host.delivery.through_exchange:
            return False
        return bool(self.entry and self.entry.through_exchange)

    @property
    def mailbox_sign_in(self) -> bool:
        """Whether its mail counts against the limits of its mailbox."""
        return self.uses_oauth or bool(self.entry and self.entry.mailbox_sign_in)

    @property
    def from_own_source(self) -> bool:
        """Whether its mail reaches Microsoft 365 from the IP addresses or certificate of the sender or of its relay host."""
        if self.relay_host:
            return self.relay_host.upstream == "connector"
        return self.method in ("connector", "direct_send")


def plan_sender(sender: Sender, current: PlanningContext) -> SendingPlan:
    """The plan of one sender. `current`: with mailboxes as they are before they are renamed (was)."""
    context = current.renaming([sender]) if sender.was else current
    label = f"m365_senders: {sender.name}"
    problems = _general_problems(sender, context, label)
    if sender.method != "auto":
        refusals = METHODS[sender.method].refusals(sender, context)
        problems += [f"{label}: {sender.method} is impossible: {refusal}." for refusal in refusals]
        return _plan(sender, context, sender.method, "set in the inventory", problems)
    refused = {name: METHODS[name].refusals(sender, context, auto=True) for name in PLANNED}
    chosen = next((name for name in PLANNED if not refused[name]), None)
    if chosen is None:
        reasons = "; ".join(f"not {name}, because {refused[name][0].reason}" for name in PLANNED)
        return _plan(sender, context, "auto", "", [*problems, f"{label}: no method is possible: {reasons}. {_nearest(refused)}."])
    skipped = [f"not {name}, because {refused[name][0].reason}" for name in PLANNED[: PLANNED.index(chosen)]]
    return _plan(sender, context, chosen, "; ".join([METHODS[chosen].reason(sender, context), *skipped]), problems)


def _nearest(refused: dict[str, list[Refusal]]) -> str:
    """The remedies of the method with the fewest refusals."""
    nearest = min(PLANNED, key=lambda name: len(refused[name]))
    return f"The nearest is {nearest}: {', and '.join(dict.fromkeys(refusal.remedy for refusal in refused[nearest]))}"


def _general_problems(sender: Sender, context: PlanningContext, label: str) -> list[str]:
    """Problems that no method solves."""
    problems = []
    if context.domains and sender.domain not in context.domains:
        problems.append(
            f"{label}: {sender.domain} is no accepted domain of this tenant ({', '.join(sorted(context.domains))}): correct the address "
            "or add the domain."
        )
    if sender.relay_host and sender.relay_host not in context.relay_hosts:
        names = ", ".join(context.relay_hosts) or "there is none"
        problems.append(
            f"{label}: relay_host is {sender.relay_host!r}, which is no host of group relays of this tenant, nor in m365_relays ({names}): "
            "name one of them."
        )
    recipient = sender.verify_recipient
    if sender.internal and recipient and context.domains and recipient.rpartition("@")[2] not in context.domains:
        problems.append(f"{label}: its recipients are internal, but verify_recipient is {recipient}: give a recipient in the tenant.")
    return problems


def _plan(sender: Sender, context: PlanningContext, method: str, reason: str, problems: list[str]) -> SendingPlan:
    relay_host = relay_host_of(sender, context) if method == "relay_host" else None
    plan = SendingPlan(sender, method, reason, relay_host, tuple(problems), tuple(_warnings(method, sender, context)))
    return replace(plan, problems=(*problems, *_rename_problems(sender, context))) if plan.mailbox_sign_in else plan


def _rename_problems(sender: Sender, context: PlanningContext) -> Iterator[str]:
    """Why the mailbox of the sender's former address cannot get the new one."""
    former, own = context.mailbox(sender.was), context.mailbox(sender.address)
    if not former or former.address == sender.address:
        return
    label = f"m365_senders: {sender.name}: was is {sender.was}"
    if own and own.address != former.address:
        yield (
            f"{label}, but {sender.was} and {sender.address} are two mailboxes, so that {sender.was} cannot be renamed: remove was to use "
            f"{sender.address}, or remove one of the mailboxes first."
        )
    elif former.recipient_type != SHARED:
        yield (
            f"{label}, a {former.recipient_type}, and only shared mailboxes are renamed: change address and user name of the user in the "
            "Microsoft 365 admin center, then remove was."
        )


def _warnings(method: str, sender: Sender, context: PlanningContext) -> list[str]:
    warnings = []
    if method == "basic" and not context.basic_reenabled:
        days = (context.basic_auth_end_date - context.today).days
        warnings.append(
            f"{sender.name}: Basic authentication is off by default after {context.basic_auth_end_date.isoformat()}, in {days} days, and "
            "an administrator can turn it on again until the final date, which Microsoft will announce in the second half of 2027; move it "
            "to oauth, connector or relay_host."
        )
    if method == "direct_send" and not sender.public_addresses:
        warnings.append(
            f"{sender.name}: without public_addresses in the SPF record its mail may be taken for spam; set them, or use a relay host."
        )
    return warnings + (list(_product_warnings(sender, context)) if method == "oauth" else [])


def _product_warnings(sender: Sender, context: PlanningContext) -> Iterator[str]:
    """Why its product may be unable to sign in with OAuth as it is planned."""
    product = PRODUCTS.get(sender.product)
    if not product:
        return
    mailbox = context.mailbox(sender.mailbox)
    if product.oauth.smtp == "none":
        yield f"{sender.name}: {product.label} cannot sign in with OAuth by SMTP; set its relay_host, or another method."
    elif product.oauth.smtp in ("delegated", "add_on") and (not mailbox or mailbox.recipient_type == SHARED):
        state = "is a shared mailbox" if mailbox else "would be created as a shared mailbox"
        yield (
            f"{sender.name}: {product.label} signs in as a person, and {sender.mailbox} {state}, which has no sign-in of its own; use a "
            "licensed user's mailbox, or a relay host."
        )
