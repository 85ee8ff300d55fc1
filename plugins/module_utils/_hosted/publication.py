# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of sender domains: the difference that they make, and the DNS records as updates of a zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .._clients.dns_update import RecordUpdate
from .._core.json_types import JsonObject
from .domains import DomainClient, SenderDomain
from .reports import DomainReport


@dataclass(frozen=True)
class DomainChanges:
    """Domains to create (with the label of their return path), to have verified, and to remove; records to publish and to remove.

    Records are listed with their domain. Those of a domain to create are known, and published, after it is created.
    """

    create: tuple[tuple[str, str], ...] = ()
    publish: tuple[tuple[str, tuple[RecordUpdate, ...]], ...] = ()
    verify: tuple[SenderDomain, ...] = ()
    unpublish: tuple[tuple[str, tuple[RecordUpdate, ...]], ...] = ()
    remove: tuple[SenderDomain, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.publish or self.verify or self.remove)

    def actions(self, *, publishing: bool) -> list[str]:
        """What the provider is asked for: the names of DomainClient's methods."""
        verify = self.verify or (publishing and self.create)
        return [name for name, listed in (("create", self.create), ("verify", verify), ("remove", self.remove)) if listed]


def publications(reports: Iterable[DomainReport]) -> Iterator[tuple[str, tuple[RecordUpdate, ...]]]:
    """The updates of each domain that the provider has, and of which DNS lacks records."""
    for report in reports:
        updates = tuple(one.publication for one in report.publishable)
        if report.domain.id and updates:
            yield report.domain.name, updates


def removals(reports: Iterable[DomainReport], current: Iterable[SenderDomain]) -> Iterator[tuple[str, tuple[RecordUpdate, ...]]]:
    """The updates that remove the records of domains to remove, without those that another authentication of the domain has, too."""
    removed = {report.domain.id for report in reports}
    shared = {(record.name, record.type, record.value) for one in current if one.id not in removed for record in one.records}
    for report in reports:
        records = (one for one in report.records if (one.record.name, one.record.type, one.record.value) not in shared)
        updates = tuple(update for one in records if (update := one.removal))
        if updates:
            yield report.domain.name, updates


def listed(updates: Iterable[RecordUpdate], update: RecordUpdate) -> str:
    """All values to add at the name and of the type of an update."""
    place = (update.read.name, update.read.kind)
    return ", ".join(value for one in updates if (one.read.name, one.read.kind) == place for value in one.add)


def revalidated(report: DomainReport, domain: SenderDomain | None) -> DomainReport:
    """The report with the result of the validation. The records are the same, and those that were left out stay so."""
    if domain is None:
        return report
    records = {(one.name, one.type, one.value): one for one in domain.records}
    kept = [replace(one, record=records.get((one.record.name, one.record.type, one.record.value), one.record)) for one in report.records]
    return replace(report, domain=domain, records=tuple(kept))


def difference(
    client: DomainClient, changes: DomainChanges, current: Mapping[str, SenderDomain], *, publishing: bool
) -> tuple[JsonObject, JsonObject]:
    """Before and after. The records of a domain to create have their values after it is created."""
    written = {domain.name: domain for domain in (*(current[name] for name, _updates in changes.publish), *changes.verify)}
    before = {domain.name: state(domain) for domain in (*written.values(), *changes.remove)}
    after = {}
    for name, label in changes.create:
        domain = client.predicted(name, label)
        after[name] = state(replace(domain, valid=publishing))
        if publishing:
            after[name]["dns"] = {f"{one.name or one.purpose} {one.type}": "known after creation" for one in domain.records}
    verified = {domain.name for domain in changes.verify}
    after |= {name: state(replace(domain, valid=domain.valid or name in verified)) for name, domain in written.items()}
    for name, updates in changes.publish:
        after[name]["dns"] = {f"{one.read.name} {one.read.kind}": listed(updates, one) for one in updates}
    for name, updates in changes.unpublish:
        before[name]["dns"] = {f"{one.read.name} {one.read.kind}": ", ".join(one.delete) for one in updates}
    return before, after


def state(domain: SenderDomain) -> JsonObject:
    return {"return_path": domain.return_path, "valid": domain.valid}
