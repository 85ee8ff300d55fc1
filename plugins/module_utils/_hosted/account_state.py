# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of an account at a hosted relay: quota, suppressed addresses, and the permissions that its key lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

WARNING = 80  # percent of a quota
USER_REMEDY = "Correct the SMTP user at the provider."
DOMAIN_REMEDY = "Publish the DNS records of the domain, or correct it at the provider."
# What a key is used for: the modules that need the permissions.
PURPOSES = ("domains", "credentials", "allow_list", "quota", "suppressions")


@dataclass(frozen=True)
class Quota:
    """What the account may send in a period. `unit`: messages or recipients. `resets`: the date, where the provider returns it."""

    used: int
    limit: int
    unit: str
    resets: str = ""

    @property
    def percent(self) -> int:
        return 100 if self.used >= self.limit else self.used * 100 // self.limit

    @property
    def clause(self) -> str:
        """What is used of it."""
        return f"{self.used:,} of {self.limit:,} {self.unit} of the provider's quota are used"


def limit_clause(name: str, limit: str) -> str:
    """`name`: of a credential; `limit`: as the provider lists it."""
    return f"the SMTP user {name} may send {limit}"


@dataclass(frozen=True)
class Suppressed:
    """An address in one of the provider's lists: mail to it is accepted, and not delivered. `domain`: of Mailgun's list."""

    address: str
    list: str
    reason: str = ""
    domain: str = ""


def undelivered(label: str, one: Suppressed) -> tuple[str, str]:
    """Reason and remedy of a test message that an address which the provider suppresses would not get. `label`: the provider."""
    place = f"its list {one.list}" + (f" of {one.domain}" if one.domain else "")
    return (
        f"{label} accepts mail to {one.address} and does not deliver it, because the address is in {place}",
        "Remove the address from that list if its mailbox exists, or set another verify_recipient.",
    )


class AccountClient(Protocol):
    """One provider's account. Methods raise HostedRelayError where the provider refuses."""

    def missing_rights(self, *purposes: str) -> list[str] | None:
        """The names of the permissions that the key lacks for these purposes (of PURPOSES); None where the API does not return them."""

    def quota(self) -> Quota | None:
        """The quota of the current period; None where the account has none."""

    def problems(self, domains: Collection[str]) -> Sequence[str]:
        """One sentence for each reason why accepted mail is not delivered, whoever it is for."""

    def suppressed(self, address: str, domains: Collection[str]) -> Sequence[Suppressed]:
        """The lists that an address is in; those of these domains, where the provider has a list for each."""

    def unknown_domains(self, domains: Collection[str]) -> list[str]:
        """Those of the domains that the region does not have, where the provider has suppressions of domains."""


def quota_warnings(label: str, quota: Quota | None) -> Iterator[str]:
    """A sentence where the quota is exhausted, or will be soon. `label`: the provider."""
    if quota is None or quota.percent < WARNING:
        return
    counts = f"{quota.used:,} of {quota.limit:,} {quota.unit}"
    until = f" until {quota.resets}" if quota.resets else " until the next period"
    if quota.used >= quota.limit:
        yield f"{label}: the quota is exhausted ({counts}), so that mail is refused or not delivered{until}: choose a larger plan, or wait."
    else:
        yield f"{label}: {quota.percent} % of the quota is used ({counts}): choose a larger plan if it does not last{until}."
