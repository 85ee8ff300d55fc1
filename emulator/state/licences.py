"""Subscriptions of a tenant and the limits that depend on them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from emulator.skus import CAPABILITY_STATUSES, MAILBOX_PLANS, PREMIUM_PLANS, SKUS
from emulator.state.keys import At, key

TRIAL_LIMIT = 5_000
# Of a tenant without `licences`: Microsoft 365 Business Standard, without Entra ID P1.
USUAL_SKU, USUAL_UNITS = "O365_BUSINESS_PREMIUM", 25


@dataclass
class Licence:
    """A subscription (subscribedSku)."""

    sku: str = field(metadata=key("skuPartNumber", choices=SKUS))
    purchased: int = field(metadata=key("units", least=0))
    consumed: int | None = field(default=None, metadata=key("assigned units; null: one per user mailbox, where the SKU holds a mailbox"))
    status: str = field(default="Enabled", metadata=key("capabilityStatus", choices=CAPABILITY_STATUSES))

    @property
    def plans(self) -> tuple[str, ...]:
        return SKUS[self.sku][1]

    @property
    def in_force(self) -> bool:
        return self.status in ("Enabled", "Warning")

    @property
    def holds_mailbox(self) -> bool:
        return any(plan in MAILBOX_PLANS for plan in self.plans)


def has_premium(licences: Iterable[Licence]) -> bool:
    """Microsoft Entra ID P1 or P2, which the sign-in logs ask for."""
    return any(licence.in_force and any(plan in PREMIUM_PLANS for plan in licence.plans) for licence in licences)


def external_recipients_a_day(licences: Iterable[Licence], *, trial: bool) -> int:
    """The tenant external recipient rate limit ("Introducing Exchange Online Tenant Outbound Email Limits")."""
    if trial:
        return TRIAL_LIMIT
    purchased = sum(licence.purchased for licence in licences if licence.in_force and licence.holds_mailbox)
    return round(500 * math.pow(purchased, 0.7) + 9500)


def usual_licences(at: At) -> list[Licence]:
    """The subscription of a tenant that names none: one unit for every user mailbox, 25 at least."""
    users = sum(mailbox.kind == "UserMailbox" for mailbox in at.tenant.mailboxes.values())
    return [Licence(USUAL_SKU, max(USUAL_UNITS, users))]
