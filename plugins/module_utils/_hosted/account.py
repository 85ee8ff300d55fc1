# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account at a hosted relay: the options that every module of a hosted relay has, and its endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .._core.spec import Spec
from .providers import HOSTED_RELAYS, REGIONS, HostedRelay, region_problems

ACCOUNT = Spec(
    {
        "provider": {"type": "str", "choices": sorted(HOSTED_RELAYS), "variable": "m365_hosted_relay"},
        "region": {"type": "str", "choices": list(REGIONS), "variable": "m365_hosted_relay_region"},
        "api_key": {"type": "str", "no_log": True, "variable": "m365_hosted_relay_api_key"},
        "api_url": {"type": "str", "variable": "m365_hosted_relay_api_url"},
    },
    writes=False,
)
REGION = "{region}"  # in api_url


@dataclass(frozen=True)
class Account:
    """The values of ACCOUNT."""

    provider: str | None
    region: str | None
    api_key: str | None = field(repr=False)
    api_url: str | None


def account_problems(account: Account) -> list[str]:
    """One sentence for each option that is missing or wrong."""
    problems = []
    if not account.provider:
        problems.append(f"m365_hosted_relay is not set: set the provider, one of {', '.join(sorted(HOSTED_RELAYS))}.")
    problems += region_problems("m365_hosted_relay_region", account.provider, account.region)
    if not (account.api_key or "").strip():
        problems.append("m365_hosted_relay_api_key is not set: set it to an API key of the account, from a vault.")
    if account.api_url and not account.api_url.startswith("https://"):
        problems.append(f"m365_hosted_relay_api_url is {account.api_url!r}: give an https URL; the API key is sent there.")
    return problems


def relay_of(account: Account) -> HostedRelay:
    return HOSTED_RELAYS[account.provider or ""]


def region_of(account: Account) -> str:
    """The region, or the provider's default."""
    return account.region or next(iter(relay_of(account).regions))


def other_regions(account: Account) -> Iterator[str]:
    """The provider's other regions; none where `api_url` is an API of one region."""
    if not account.api_url or REGION in account.api_url:
        yield from relay_of(account).regions.keys() - {region_of(account)}


def smtp_endpoint(account: Account, host: str | None, port: int | None) -> tuple[str, int]:
    """Host and STARTTLS port of the account's SMTP endpoint; `host` and `port` take precedence."""
    return relay_of(account).smtp_endpoint(account.region, host, port)
