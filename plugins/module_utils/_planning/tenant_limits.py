# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all senders of a tenant are together: limits of a mailbox and of the tenant that no sender passes alone.

Private to the collection. Sources: "Exchange Online limits"; "Introducing the Tenant External Recipient Rate Limit".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import limits
from .context import Facts
from .decision import Decision


def problems(decisions: list[Decision], facts: Facts) -> list[str]:
    """One sentence for each limit that the senders pass together."""
    return [*_mailboxes(decisions), *_tenant(decisions, facts), *_initial_domain(decisions)]


def _mailboxes(decisions: Iterable[Decision]) -> Iterator[str]:
    users: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.signs_in or decision.method == "basic":
            users.setdefault(decision.sender.mailbox, []).append(decision)
    for mailbox, together in users.items():
        if len(together) < 2:
            continue  # one sender's own numbers are its rules' business
        names = ", ".join(decision.sender.name for decision in together)
        rate = sum(decision.sender.messages_per_minute for decision in together)
        day = sum(decision.sender.recipients_per_day for decision in together)
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


def _external(decisions: Iterable[Decision]) -> list[Decision]:
    """Those whose recipients count: external, and through Exchange Online."""
    return [d for d in decisions if d.method in ("oauth", "basic", "relay") and not d.sender.internal]


def _tenant(decisions: Iterable[Decision], facts: Facts) -> Iterator[str]:
    if facts.licences is None:
        return
    wanted = sum(decision.sender.recipients_per_day for decision in _external(decisions))
    allowed = limits.external_recipients_a_day(facts.licences, trial=facts.trial)
    if wanted > allowed:
        basis = "a trial tenant" if facts.trial else f"a tenant with {facts.licences:,} mailbox licences"
        yield (
            f"m365_senders: together they send to {wanted:,} external recipients a day, more than the {allowed:,} of {basis} "
            "(tenant external recipient rate limit): move bulk mail to acs or hosted, or buy licences."
        )


def _initial_domain(decisions: Iterable[Decision]) -> Iterator[str]:
    senders = [d.sender for d in _external(decisions) if d.sender.domain.endswith(".onmicrosoft.com")]
    wanted = sum(sender.recipients_per_day for sender in senders)
    if wanted > limits.INITIAL_DOMAIN_EXTERNAL_A_DAY:
        yield (
            f"m365_senders: {', '.join(sender.name for sender in senders)} send to {wanted:,} external recipients a day from an "
            f"onmicrosoft.com domain, which may reach {limits.INITIAL_DOMAIN_EXTERNAL_A_DAY}: use a domain of your own."
        )
