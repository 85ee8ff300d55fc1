# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender domains at a hosted relay: the protocol that each provider's file implements, and what it returns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class DnsRecord:
    """A DNS record that authenticates a domain. `value`: "" before the provider has assigned it.

    `key`: the provider's name of the record. `purpose`: return_path, dkim or spf. `valid` and `reason`: the result of the provider's last
    validation. `required`: whether the provider verifies the domain only with it. `priority`: of an MX record.
    """

    key: str
    purpose: str
    name: str
    type: str
    value: str = ""
    valid: bool = False
    reason: str = ""
    required: bool = True
    priority: int = 0


@dataclass(frozen=True)
class SenderDomain:
    """The authentication of one domain at the provider. `id`: "" before it is created. `return_path`: the envelope sender's domain.

    `mark`: the name that has the label of the item which created it, where that is not the return path. `problem`: a sentence where the
    provider does not send for the domain, or not to everybody, whatever its records are.
    """

    id: str
    name: str
    return_path: str
    valid: bool
    records: tuple[DnsRecord, ...]
    mark: str = ""
    problem: str = ""

    @property
    def labelled_name(self) -> str:
        """The name with the label by which an item of `domains` selects this authentication for removal."""
        return self.mark or self.return_path


class DomainClient(Protocol):
    """The domains of one provider's account. Methods raise HostedRelayError where the provider refuses."""

    def read(self, names: Collection[str]) -> Sequence[SenderDomain]:
        """The authentications of these domains, the oldest first; a domain may have several."""

    def predicted(self, name: str, label: str) -> SenderDomain:
        """The domain as it will be created: names of the records, without values. `label`: of its labelled name."""

    def create(self, name: str, label: str) -> SenderDomain:
        """Create the authentication. A lost answer is not repeated: the next run reads what was created."""

    def verify(self, domain: SenderDomain) -> SenderDomain:
        """Have the provider validate the records now."""

    def remove(self, domain: SenderDomain) -> None:
        """Remove the authentication; one that does not exist is no error."""

    def missing_rights(self, *actions: str) -> list[str]:
        """The names of the permissions that the key lacks for these actions (create, verify, remove), where the API returns them."""
