# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of SPF records. A record that differs from the desired one has a line of its own, so that it can be copied.

The problems of a record are listed under NEEDS ATTENTION.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._core.json_types import JsonObject
from .failures import sentence
from .table import HEADING, Column, Line, rows


@dataclass(frozen=True)
class SpfRow:
    """The SPF record of one domain, of module spf or spf_info."""

    tenant: str
    domain: str
    current: tuple[str, ...]
    desired: str
    dns_lookups: int
    valid: bool
    published: bool
    check_mode: bool
    problems: tuple[str, ...]  # without the domain, which every row and entry has

    @classmethod
    def of(cls, tenant: str, record: JsonObject, check_mode: bool) -> SpfRow:
        return cls(
            tenant=tenant,
            domain=record["domain"],
            current=tuple(record["current"]),
            desired=record["desired"],
            dns_lookups=record["dns_lookups"],
            valid=record["valid"],
            published=record["published"],
            check_mode=check_mode,
            problems=tuple(sentence(problem["message"].removeprefix(f"{record['domain']}: ")) for problem in record["problems"]),
        )

    @property
    def up_to_date(self) -> bool:
        return self.current == (self.desired,)

    @property
    def status(self) -> str:
        if self.up_to_date:
            return "up to date" if self.valid else "invalid (permerror)"
        if self.published:
            return "would be published" if self.check_mode else "published"
        return "update required" if self.valid else "invalid (permerror)"

    @property
    def colour(self) -> str:
        return "red" if not self.valid else "green" if self.up_to_date else "yellow"


def lines(records: Sequence[SpfRow]) -> Iterator[Line]:
    heading, *texts = rows(
        Column("TENANT", [row.tenant for row in records]),
        Column("DOMAIN", [row.domain for row in records]),
        Column("DNS LOOKUPS", [str(row.dns_lookups) if row.desired else "-" for row in records], right=True),
        Column("SPF", [row.status for row in records]),
    )
    yield heading, HEADING
    for row, text in zip(records, texts, strict=True):
        yield text, row.colour
        if not row.up_to_date and row.desired:
            titles = ("previous", "published") if row.published and not row.check_mode else ("current", "desired")
            yield f"    {titles[0]:10}  {'  and  '.join(row.current) or 'none'}", None
            yield f"    {titles[1]:10}  {row.desired}", row.colour
