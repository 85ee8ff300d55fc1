# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender domains with what DNS has of their records, as results and as notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from .._clients import dns
from .._core.json_types import JsonObject
from .._spf import Answer
from .domains import DnsRecord, SenderDomain


@dataclass(frozen=True)
class RecordReport:
    """A record, and what DNS has at its name. `problem`: why DNS could not be read."""

    record: DnsRecord
    current: tuple[str, ...] = ()
    problem: str = ""

    @property
    def published(self) -> bool:
        return bool(self.record.value) and any(_same(self.record, value) for value in self.current)

    def as_result(self) -> JsonObject:
        values = asdict(self.record) | {"name": self.record.name or None, "value": self.record.value or None}
        del values["key"]
        return values | {"current": list(self.current), "published": self.published}


@dataclass(frozen=True)
class DomainReport:
    """A domain with its records in DNS. `others`: the return paths of its other authentications, which are kept."""

    domain: SenderDomain
    records: tuple[RecordReport, ...]
    others: tuple[str, ...] = ()

    @property
    def published(self) -> bool:
        return all(record.published for record in self.records)

    def as_result(self) -> JsonObject:
        domain = self.domain
        own = {"name": domain.name, "id": domain.id or None, "return_path": domain.return_path, "valid": domain.valid}
        return own | {"records": [record.as_result() for record in self.records], "others": list(self.others)}


def report_of(domain: SenderDomain, current: Iterable[SenderDomain]) -> DomainReport:
    others = tuple(other.return_path for other in current if other.name == domain.name and other.id != domain.id)
    return DomainReport(domain, tuple(RecordReport(record) for record in domain.records), others)


def with_dns(reports: Sequence[DomainReport], resolver: dns.Resolver, receiving: Iterable[str]) -> list[DomainReport]:
    """The reports with what DNS has, asked in parallel. MX records of domains that Microsoft receives for are left out."""
    domains = set(receiving)
    kept = [
        [one for one in report.records if not (one.record.type == "MX" and one.record.name in domains)] for report in reports
    ]  # fmt: skip
    questions = dict.fromkeys((one.record.name, one.record.type) for records in kept for one in records if one.record.name)
    answers = dict(zip(questions, resolver.ask_all(questions), strict=True))
    result = []
    for report, records in zip(reports, kept, strict=True):
        result.append(replace(report, records=tuple(_compared(one, answers.get((one.record.name, one.record.type))) for one in records)))
    return result


def _compared(report: RecordReport, answer: Answer | None) -> RecordReport:
    return replace(report, current=answer.values, problem=answer.problem) if answer else report


def _same(record: DnsRecord, value: str) -> bool:
    """Names are compared without case and final dot, texts as they are: a DKIM key is base64."""
    if record.type == "TXT":
        return record.value == value
    return record.value.rstrip(".").casefold() == value.rstrip(".").casefold()


def notes(reports: Iterable[DomainReport]) -> list[str]:
    """One sentence for each record to publish or that could not be read, for the provider's reasons, and for other authentications."""
    return [f"{report.domain.name}: {text}" for report in reports for text in _report_notes(report)]


def _report_notes(report: DomainReport) -> Iterator[str]:
    if not report.domain.id:
        yield f"create it to see the values of its records: {', '.join(filter(None, (one.record.name for one in report.records)))}."
        return
    for one in report.records:
        record = one.record
        if one.problem:
            yield one.problem
        elif not one.published:
            place = f" in place of {' and '.join(one.current)}" if one.current else ""
            yield f"publish the {record.type} record {record.name} with the value {record.value}{place}."
        elif record.reason:
            yield f"the provider does not accept the {record.type} record {record.name} yet: {record.reason}"
    if report.others:
        yield f"the provider has other authentications of it ({', '.join(report.others)}), of which only one can be valid. They are kept."
