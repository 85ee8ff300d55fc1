# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender domains with what DNS has of their records: results, notes, and the updates that publish the records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from .._clients.dns_update import RecordUpdate
from .._core.json_types import JsonObject
from .._spf import Answer, included_domains, is_spf
from .domains import DnsRecord, SenderDomain

# Asks for records by name and type: a resolver, or the DNS provider that publishes the records.
Ask = Callable[[Sequence[tuple[str, str]]], list[Answer]]


@dataclass(frozen=True)
class RecordReport:
    """A record, and what DNS has at its name; None before it was asked for."""

    record: DnsRecord
    answer: Answer | None = None

    @property
    def current(self) -> tuple[str, ...]:
        return self.answer.values if self.answer else ()

    @property
    def problem(self) -> str:
        """Why DNS could not be read."""
        return self.answer.problem if self.answer else ""

    @property
    def published(self) -> bool:
        return bool(self.record.value) and any(_same(self.record, value) for value in self.current)

    @property
    def merged(self) -> bool:
        """Whether the name has another SPF record, which its include has to be added to: a second one would invalidate both."""
        return self.record.purpose == "spf" and not self.published and any(is_spf(value) for value in self.current)

    @property
    def replaced(self) -> tuple[str, ...]:
        """The values that the record would stand in place of; texts and MX records are added to those of the name."""
        return self.current if self.record.purpose == "dkim" or self.record.type == "CNAME" else ()

    @property
    def publishable(self) -> bool:
        """Whether DNS lacks the record, and can have it without a change of a record that is there."""
        kept = self.published or self.merged or self.replaced or self.problem
        return bool(self.record.value and self.answer and not kept and not self.answer.alias)

    @property
    def publication(self) -> RecordUpdate:
        """The update that publishes a record that is publishable."""
        return RecordUpdate(self.answer or Answer(self.record.name, self.record.type), add=(_content(self.record),))

    @property
    def removal(self) -> RecordUpdate | None:
        """The update that removes the provider's value; None where DNS does not have exactly that."""
        value = self.record.value.rstrip(".").casefold()
        own = tuple(one for one in self.current if one == self.record.value or (self.record.type != "TXT" and one.casefold() == value))
        return RecordUpdate(self.answer, delete=own) if self.answer and own and not self.answer.alias else None

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

    @property
    def publishable(self) -> tuple[RecordReport, ...]:
        return tuple(one for one in self.records if one.publishable)

    @property
    def after_publication(self) -> DomainReport:
        """The report as it is after all publishable records were published."""
        added = [(one.record.name, one.record.type, one.record.value) for one in self.publishable]

        def published(one: RecordReport) -> RecordReport:
            if not one.answer:
                return one
            values = [value for name, kind, value in added if (name, kind) == (one.record.name, one.record.type)]
            record = replace(one.record, reason="") if one.publishable else one.record
            return RecordReport(record, replace(one.answer, values=tuple(sorted([*one.current, *values]))))

        return replace(self, records=tuple(published(one) for one in self.records))

    def as_result(self) -> JsonObject:
        domain = self.domain
        own: JsonObject = {"name": domain.name, "id": domain.id or None, "return_path": domain.return_path, "valid": domain.valid}
        own["problem"] = domain.problem or None
        return own | {"records": [record.as_result() for record in self.records], "others": list(self.others)}


def report_of(domain: SenderDomain, current: Iterable[SenderDomain]) -> DomainReport:
    others = tuple(other.return_path for other in current if other.name == domain.name and other.id != domain.id)
    return DomainReport(domain, tuple(RecordReport(record) for record in domain.records), others)


def with_dns(reports: Sequence[DomainReport], ask: Ask, receiving: Iterable[str]) -> list[DomainReport]:
    """The reports with what DNS has, asked for at once. MX records are left out where somebody else receives.

    These are domains that Microsoft receives for (`receiving`), and names with other MX records or an address (RFC 5321, section 5.1).
    """
    domains = set(receiving)
    kept = [
        [one for one in report.records if not (one.record.type == "MX" and one.record.name in domains)] for report in reports
    ]  # fmt: skip
    questions = dict.fromkeys(question for records in kept for one in records if one.record.name for question in _questions(one.record))
    answers = dict(zip(questions, ask([*questions]), strict=True))
    result = []
    for report, records in zip(reports, kept, strict=True):
        compared = [replace(one, answer=answers.get((one.record.name, one.record.type))) for one in records]
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


def notes(reports: Iterable[DomainReport], *, publishing: bool = False) -> list[str]:
    """One sentence for each record to publish or that could not be read, for the provider's reasons, and for other authentications.

    `publishing`: a DNS provider publishes what can be published, so that the other records are in the way.
    """
    return [f"{report.domain.name}: {text}" for report in reports for text in _report_notes(report, publishing)]


def _report_notes(report: DomainReport, publishing: bool) -> Iterator[str]:
    if report.domain.problem:
        yield report.domain.problem
    if not report.domain.id:
        names = ", ".join(filter(None, (one.record.name for one in report.records)))
        yield (
            f"the values of its records are known after it is created: {names}."
            if publishing
            else (f"create it to see the values of its records: {names}.")
        )
        return
    for one in report.records:
        record = one.record
        if one.problem:
            yield one.problem
        elif one.merged:
            terms = " ".join(f"include:{name}" for name in sorted(included_domains(record.value)))
            yield f"add {terms} to the SPF record of {record.name}, with spf_includes of role spf."
        elif not one.published and one.answer and one.answer.alias:
            content = f"the {record.type} record {_content(record)}"
            yield f"{record.name} is an alias (CNAME) of {one.answer.alias}, which is kept, and cannot have {content}."
        elif not one.published:
            place = f" in place of {' and '.join(one.replaced)}" if one.replaced else ""
            kept = ", which is kept because it is not of this authentication" if publishing and one.replaced else ""
            yield f"publish the {record.type} record {record.name} with the value {_content(record)}{place}{kept}."
        elif record.reason:
            yield f"the provider does not accept the {record.type} record {record.name} yet: {record.reason}"
    if report.others:
        yield f"the provider has other authentications of it ({', '.join(report.others)}), of which only one can be valid. They are kept."
