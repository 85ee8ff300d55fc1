# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP allow lists of an account at a hosted relay: the protocol, and which addresses a list has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .._core.networks import Network, parse


@dataclass(frozen=True)
class Entry:
    """An entry of an allow list. `id`: what it is removed by. `description`: "" where the provider has none."""

    network: Network
    id: str
    description: str = ""


@dataclass(frozen=True)
class AllowList:
    """A list as the provider has it. `enabled`: whether it is applied. A list without entries is not."""

    enabled: bool
    entries: tuple[Entry, ...]


class AllowListClient(Protocol):
    """One allow list of a provider's account. Methods raise HostedRelayError where the provider refuses.

    `governs_api`: whether the list also decides who may use the API. `has_switch`: whether it is enabled apart from its entries; a list
    without a switch is enabled as soon as it has an entry. `has_descriptions`: whether entries have one.
    """

    has_switch: bool
    has_descriptions: bool

    @property
    def governs_api(self) -> bool: ...

    def read(self) -> AllowList:
        """The list."""

    def add(self, entries: Sequence[tuple[Network, str]]) -> None:
        """Add networks with their descriptions."""

    def describe(self, entry: Entry, description: str) -> None:
        """Change the description of an entry."""

    def remove(self, entries: Sequence[Entry]) -> None:
        """Remove entries."""

    def enable(self, enabled: bool) -> None:
        """Switch the list on or off, where it has a switch."""

    def missing_rights(self, *actions: str) -> list[str]:
        """The names of the permissions that the key lacks for these actions (add, describe, remove, enable), where the API returns them."""


def covers(networks: Iterable[Network], address: str) -> bool:
    """Whether one of the networks has an address."""
    wanted = parse(address)
    return any(network.version == wanted.version and wanted.network_address in network for network in networks)
