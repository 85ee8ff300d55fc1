# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of a mailbox and of the tenant that only several senders together exceed, and names that only one of them can have.

Sources: "Exchange Online limits"; "Introducing the Tenant External Recipient Rate Limit".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from . import connectors, limits, role_variables
from .context import PlanningContext
from .sending_plan import SendingPlan


def problems(plans: Sequence[SendingPlan], context: PlanningContext) -> list[str]:
    """One sentence for each limit that the senders exceed together, and for each name that they cannot share."""
    names = [*connectors.name_problems(plans), *role_variables.name_problems(plans)]
    return [*_mailboxes(plans), *_tenant(plans, context), *_initial_domain(plans), *names]


def _mailboxes(plans: Iterable[SendingPlan]) -> Iterator[str]:
    users: dict[str, list[SendingPlan]] = {}
    for plan in plans:
        if plan.mailbox_sign_in:
            users.setdefault(plan.sender.mailbox, []).append(plan)
    for mailbox, together in users.items():
        if len(together) < 2:
            continue  # the rules check one sender's own rates
        names = ", ".join(plan.sender.name for plan in together)
        rate = sum(plan.sender.messages_per_minute for plan in together)
        day = sum(plan.sender.recipients_per_day for plan in together)
        if rate > limits.MESSAGES_A_MINUTE:
            yield (
                f"m365_senders: {names} together send {rate:,} messages a minute as {mailbox}, which may send "
                f"{limits.MESSAGES_A_MINUTE}: give them different mailboxes."
            )
        if day > limits.RECIPIENTS_A_DAY:
            yield (
                f"m365_senders: {names} together send to {day:,} recipients a day as {mailbox}, which may send to "
                f"{limits.RECIPIENTS_A_DAY:,}: give them different mailboxes."
            )


def _external(plans: Iterable[SendingPlan]) -> list[SendingPlan]:
    """Senders whose external recipients count against the limits of Exchange Online."""
    return [plan for plan in plans if plan.through_exchange and not plan.sender.internal]


def _tenant(plans: Iterable[SendingPlan], context: PlanningContext) -> Iterator[str]:
    if context.licences is None:
        return
    recipients = sum(plan.sender.recipients_per_day for plan in _external(plans))
    allowed = limits.external_recipients_a_day(context.licences, trial=context.trial)
    if recipients > allowed:
        basis = "a trial tenant" if context.trial else f"a tenant with {context.licences:,} mailbox licences"
        yield (
            f"m365_senders: together they send to {recipients:,} external recipients a day, more than the {allowed:,} of {basis} "
            "(tenant external recipient rate limit): move bulk mail to acs or hosted, or buy licences."
        )


def _initial_domain(plans: Iterable[SendingPlan]) -> Iterator[str]:
    senders = [plan.sender for plan in _external(plans) if plan.sender.domain.endswith(".onmicrosoft.com")]
    recipients = sum(sender.recipients_per_day for sender in senders)
    if recipients > limits.INITIAL_DOMAIN_EXTERNAL_A_DAY:
        yield (
            f"m365_senders: {', '.join(sender.name for sender in senders)} send to {recipients:,} external recipients a day from an "
            f"onmicrosoft.com domain, which may reach {limits.INITIAL_DOMAIN_EXTERNAL_A_DAY}: use a domain of your own."
        )
