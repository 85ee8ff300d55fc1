"""What a tenant has bought, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from emulator.skus import MAILBOX_PLANS, PREMIUM_PLANS, SKUS

TRIAL_LIMIT = 5_000


@dataclass
class Licence:
    """A subscription (subscribedSku): so many units of a SKU."""

    sku: str  # skuPartNumber
    purchased: int
    consumed: int | None = None  # None: one for every user mailbox, where the SKU holds a mailbox
    status: str = "Enabled"  # capabilityStatus

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
