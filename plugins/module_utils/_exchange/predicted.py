# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of mailboxes as they will be after some are renamed or removed, so that later steps of a plan see what is there then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from .._clients.exchange import Command, ExchangeClient, Outcome
from .._core.json_types import JsonObject
from .renames import with_primary

_OF_ADDRESS = ("PrimarySmtpAddress", "WindowsEmailAddress")


class PredictedExchange(ExchangeClient):
    """A client whose reads answer as after the change of primary addresses, and without removed mailboxes.

    `primary`: the new addresses, by the Guid of the mailbox; `removed`: Guids. Once the changes are applied, the answers are the same
    without a prediction.
    """

    def __init__(self, client: ExchangeClient, primary: Mapping[str, str], removed: Collection[str] = ()) -> None:
        vars(self).update(vars(client))  # the connection, what is prefetched and the run cache are those of the client
        self._primary, self._removed = dict(primary), frozenset(removed)
        self._guids = {address.lower(): guid for guid, address in primary.items()}

    def run(self, command: Command) -> Outcome:
        return self._after(command, super().run(self._by_guid(command)))

    def batch(self, commands: Sequence[Command]) -> list[Outcome]:
        outcomes = super().batch([self._by_guid(command) for command in commands])
        return [self._after(command, outcome) for command, outcome in zip(commands, outcomes, strict=True)]

    def _by_guid(self, command: Command) -> Command:
        guid = self._guids.get(str(command.parameters.get("Identity", "")).lower())
        return replace(command, parameters={**command.parameters, "Identity": guid}) if guid and command.reads else command

    def _after(self, command: Command, outcome: Outcome) -> Outcome:
        if not command.reads:
            return outcome
        return replace(outcome, values=[self._with_primary(item) for item in outcome.values if item.get("Guid") not in self._removed])

    def _with_primary(self, item: JsonObject) -> JsonObject:
        address = self._primary.get(str(item.get("Guid")))
        if not address:
            return item
        changed: JsonObject = {name: address for name in _OF_ADDRESS if name in item}
        if item.get("EmailAddresses"):
            changed["EmailAddresses"] = with_primary(item["EmailAddresses"], address)
        return {**item, **changed}
