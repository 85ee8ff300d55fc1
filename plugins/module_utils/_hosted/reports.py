# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender domains with what DNS has of their records, as results and as notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from .._clients import dns
from .._core.json_types import JsonObject
from .._spf import Answer, included_domains, is_spf
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

    @property
    def merged(self) -> bool:
        """Whether the name has another SPF record, which its include has to be added to: a second one would invalidate both."""
        return self.record.purpose == "spf" and not self.published and any(is_spf(value) for value in self.current)

    def as_result(self) -> JsonObject:
        values = asdict(self.record) | {"name": self.record.name or None, "value": self.record.value or None}
        for name in ("key", "priority"):
            del values[name]
        return values | {"current": list(self.current), "published": self.published}


@dataclass(frozen=True)
class DomainReport:
    """A domain with its records in DNS. `others`: the return paths of its other authentications, which are kept."""

    domain: SenderDomain
    records: tuple[RecordReport, ...]
    others: tuple[str, ...] = ()

    @property
    def published(self) -> bool:
        """Whether DNS has all records that the provider verifies the domain by."""
        return all(record.published for record in self.records if record.record.required)

    def as_result(self) -> JsonObject:
        domain = self.domain
        own: JsonObject = {"name": domain.name, "id": domain.id or None, "return_path": domain.return_path, "valid": domain.valid}
        own["problem"] = domain.problem or None
        return own | {"records": [record.as_result() for record in self.records], "others": list(self.others)}


def report_of(domain: SenderDomain, current: Iterable[SenderDomain]) -> DomainReport:
    others = tuple(other.return_path for other in current if other.name == domain.name and other.id != domain.id)
    return DomainReport(domain, tuple(RecordReport(record) for record in domain.records), others)


def with_dns(reports: Sequence[DomainReport], resolver: dns.Resolver, receiving: Iterable[str]) -> list[DomainReport]:
    """The reports with what DNS has, asked in parallel. MX records are left out where somebody else receives.

    These are domains that Microsoft receives for (`receiving`), and names with other MX records or an address (RFC 5321, section 5.1).
    """
    domains = set(receiving)
    kept = [
        [one for one in report.records if not (one.record.type == "MX" and one.record.name in domains)] for report in reports
    ]  # fmt: skip
    questions = dict.fromkeys(question for records in kept for one in records if one.record.name for question in _questions(one.record))
    answers = dict(zip(questions, resolver.ask_all(questions), strict=True))
    result = []
    for report, records in zip(reports, kept, strict=True):
        compared = [_compared(one, answers.get((one.record.name, one.record.type))) for one in records]
        exchanges = {one.record.value.casefold() for one in records if one.record.type == "MX"}
        result.append(replace(report, records=tuple(one for one in compared if not _received_elsewhere(one, exchanges, answers))))
    return result


def _questions(record: DnsRecord) -> Iterator[tuple[str, str]]:
    yield record.name, record.type
    if record.type == "MX":
        yield record.name, "A"


def _received_elsewhere(report: RecordReport, exchanges: Collection[str], answers: Mapping[tuple[str, str], Answer]) -> bool:
    """Whether the name of an MX record has MX records of others, or none and an address, or could not be read."""
    if report.record.type != "MX":
        return False
    address = answers[report.record.name, "A"]
    others = {value.casefold() for value in report.current} - set(exchanges)
    return bool(others or report.problem or (not report.current and (address.values or address.problem)))


def _compared(report: RecordReport, answer: Answer | None) -> RecordReport:
    return replace(report, current=answer.values, problem=answer.problem) if answer else report


def _same(record: DnsRecord, value: str) -> bool:
    """Names are compared without case and final dot, texts as they are: a DKIM key is base64. An SPF record has the record's includes."""
    if record.purpose == "spf" and included_domains(record.value):
        return is_spf(value) and included_domains(record.value) <= included_domains(value)
    if record.type == "TXT":
        return record.value == value
    return record.value.rstrip(".").casefold() == value.rstrip(".").casefold()


def _content(record: DnsRecord) -> str:
    """The value as in a zone file."""
    return f"{record.priority} {record.value}" if record.type == "MX" else record.value


def notes(reports: Iterable[DomainReport]) -> list[str]:
    """One sentence for each record to publish or that could not be read, for the provider's reasons, and for other authentications."""
    return [f"{report.domain.name}: {text}" for report in reports for text in _report_notes(report)]


def _report_notes(report: DomainReport) -> Iterator[str]:
    if report.domain.problem:
        yield report.domain.problem
    if not report.domain.id:
        yield f"create it to see the values of its records: {', '.join(filter(None, (one.record.name for one in report.records)))}."
        return
    for one in report.records:
        record = one.record
        if one.problem:
            yield one.problem
        elif one.merged:
            terms = " ".join(f"include:{name}" for name in sorted(included_domains(record.value)))
            yield f"add {terms} to the SPF record of {record.name}, with spf_includes of role spf."
        elif not one.published:
            replaced = one.current if record.purpose == "dkim" or record.type == "CNAME" else ()  # texts and MX records are added
            place = f" in place of {' and '.join(replaced)}" if replaced else ""
            yield f"publish the {record.type} record {record.name} with the value {_content(record)}{place}."
        elif record.reason:
            yield f"the provider does not accept the {record.type} record {record.name} yet: {record.reason}"
    if report.others:
        yield f"the provider has other authentications of it ({', '.join(report.others)}), of which only one can be valid. They are kept."
