# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of a mailbox and of the tenant that only several senders together exceed, and names that only one of them can have.

Sources: "Exchange Online limits"; "Introducing the Tenant External Recipient Rate Limit".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from . import connectors, hosted_relay, limits, role_variables
from .context import PlanningContext
from .senders import Sender
from .sending_plan import SendingPlan


def problems(plans: Sequence[SendingPlan], context: PlanningContext) -> list[str]:
    """One sentence for each limit that the senders exceed together, and for each name that they cannot share."""
    names = [*connectors.name_problems(plans), *role_variables.name_problems(plans), *hosted_relay.name_problems(plans, context)]
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


def depend_on_volume(senders: Iterable[Sender]) -> bool:
    """Whether senders may send to so many external recipients that the tenant's limit matters."""
    return sum(sender.recipients_per_day for sender in senders if not sender.internal) > limits.FEW_EXTERNAL_A_DAY


def external_recipients(plans: Iterable[SendingPlan], context: PlanningContext) -> dict[str, int | None]:
    """External recipients a day: those of the senders, the tenant's limit, and how many of them are used; None where it is unknown."""
    planned, current = sum(plan.sender.recipients_per_day for plan in _external(plans)), context.external_limit
    return {"planned": planned, "limit": _limit(context), "used": current.used if current else None}


def _limit(context: PlanningContext) -> int | None:
    """The tenant's limit as Exchange gives it, else by its licences; None where they could not be read either."""
    if context.external_limit:
        return context.external_limit.limit
    return None if context.licences is None else limits.external_recipients_a_day(context.licences, trial=context.trial)


def _excess(plans: Iterable[SendingPlan], context: PlanningContext) -> str:
    """A clause: how much more external recipients the senders have than the tenant may reach; empty where they have not."""
    recipients, allowed = sum(plan.sender.recipients_per_day for plan in _external(plans)), _limit(context)
    if allowed is None or recipients <= allowed:
        return ""
    if context.external_limit:
        basis = f"this tenant, of which {context.external_limit.used:,} were used in the last 24 hours"
    else:
        basis = "a trial tenant" if context.trial else f"a tenant with {context.licences:,} mailbox licences"
    return f"together they send to {recipients:,} external recipients a day, more than the {allowed:,} of {basis}"


def _tenant(plans: Sequence[SendingPlan], context: PlanningContext) -> Iterator[str]:
    excess = _excess(plans, context)
    if excess and (context.external_limit is None or context.external_limit.enforced):
        yield f"m365_senders: {excess} (tenant external recipient rate limit): move bulk mail to acs or hosted, or buy licences."


def warnings(plans: Sequence[SendingPlan], context: PlanningContext) -> list[str]:
    """One sentence for a limit that is not enforced yet, and for one that the tenant's mail almost reaches already."""
    current, excess = context.external_limit, _excess(plans, context)
    if current and excess and not current.enforced:
        return [f"m365_senders: {excess}. Exchange does not enforce this limit (tenant external recipient rate limit) yet."]
    if current and current.enforced and current.percent >= limits.EXTERNAL_WARNING_PERCENT:
        return [
            f"The tenant has used {current.percent} % of its tenant external recipient rate limit in the last 24 hours "
            f"({current.used:,} of {current.limit:,}). Beyond it mail is refused: move bulk mail to acs or hosted, or buy licences."
        ]
    return []


def _initial_domain(plans: Iterable[SendingPlan]) -> Iterator[str]:
    senders = [plan.sender for plan in _external(plans) if plan.sender.domain.endswith(".onmicrosoft.com")]
    recipients = sum(sender.recipients_per_day for sender in senders)
    if recipients > limits.INITIAL_DOMAIN_EXTERNAL_A_DAY:
        yield (
            f"m365_senders: {', '.join(sender.name for sender in senders)} send to {recipients:,} external recipients a day from an "
            f"onmicrosoft.com domain, which may reach {limits.INITIAL_DOMAIN_EXTERNAL_A_DAY}: use a domain of your own."
        )
