# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two SPF records of one domain are merged into one that passes no address that neither of them passes."""

from __future__ import annotations

import random

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._spf import check_host, desired_record

from .table import Table

DOMAIN = "merged.example"
ZONE: dict[str, str | list[str]] = {
    "wide.example": "v=spf1 ip4:198.51.100.0/24 ~all",
    "open.example": "v=spf1 +all",
    "closed.example": "v=spf1 -ip4:203.0.113.0/26 ip4:203.0.113.0/24 -all",
}
ADDRESS, EXCHANGER = {"host.example": ["203.0.113.9"]}, {"host.example": ["host.example"]}
MECHANISMS = [
    "ip4:203.0.113.9", "ip4:203.0.113.0/25", "ip4:203.0.113.0/24", "ip4:198.51.100.7", "ip4:198.51.100.0/28", "a:host.example",
    "mx:host.example", "include:wide.example", "include:closed.example", "ip6:2001:db8::/32",
]  # fmt: skip
ADDRESSES = [
    "203.0.113.9",
    "203.0.113.77",
    "203.0.113.200",
    "198.51.100.7",
    "198.51.100.99",
    "192.0.2.1",
    "2001:db8::1",
    "::ffff:203.0.113.9",
]


def random_record(rng: random.Random) -> str:
    terms = [rng.choice(["", "", "", "-", "~", "?"]) + one for one in rng.sample(MECHANISMS, rng.randint(0, 5))]
    end = rng.choice(
        ["-all", "~all", "?all", "+all", "all", "", "redirect=wide.example", "redirect=closed.example", "redirect=open.example"]
    )
    return " ".join(["v=spf1", *terms, *([end] if end else [])])


@pytest.mark.parametrize("seed", range(400))
def test_the_merged_record_passes_no_address_that_neither_record_passes(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    records = [random_record(rng), random_record(rng)]
    merged = desired_record(records)
    assert " +all" not in merged
    assert " all" not in merged
    table = Table(ZONE, A=ADDRESS, MX=EXCHANGER)
    for address in ADDRESSES:
        own = [check_host(address, DOMAIN, table, record=one).result for one in records]
        if check_host(address, DOMAIN, table, record=merged).result == "pass":
            assert "pass" in own, (records, merged, address)


@pytest.mark.parametrize(
    ("records", "merged"),
    [
        (["v=spf1 ip4:192.0.2.1 +all", "v=spf1 ip4:192.0.2.2 -all"], "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"),
        (["v=spf1 ip4:192.0.2.1 ~all", "v=spf1 ip4:192.0.2.2 -all"], "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"),
        (["v=spf1 ip4:192.0.2.1 ?all", "v=spf1 ip4:192.0.2.2 ~all"], "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ~all"),
        (["v=spf1 all", "v=spf1 +all"], "v=spf1 ~all"),
        (["v=spf1 ip4:192.0.2.1", "v=spf1 all"], "v=spf1 ip4:192.0.2.1 ~all"),
        (["v=spf1 redirect=a.example", "v=spf1 ip4:192.0.2.2 -all"], "v=spf1 ip4:192.0.2.2 include:a.example -all"),
        (["v=spf1 redirect=a.example", "v=spf1 redirect=b.example"], "v=spf1 include:a.example include:b.example ~all"),
    ],
)
def test_the_policy_of_a_merged_record(records: list[str], merged: str) -> None:
    assert desired_record(records) == merged


def test_the_policy_of_a_single_record_is_kept() -> None:
    assert desired_record(["v=spf1 ip4:192.0.2.1 +all"]) == "v=spf1 ip4:192.0.2.1 +all"
