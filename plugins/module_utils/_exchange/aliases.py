# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and aliases of new recipients. Both are unique in an organization, and have at most 64 characters.

Source: New-Mailbox, parameters Name and Alias.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from .._clients.exchange import Command
from .._core.json_types import JsonObject
from .._engine.tenant import Tenant
from . import lookup, opath

MAX_LENGTH = 64  # characters
_PER_FILTER = 10  # new recipients
_SELECT = ("Guid", "Alias", "Name", "PrimarySmtpAddress", "EmailAddresses", "RecipientTypeDetails")


@dataclass(frozen=True)
class Recipient:
    """An existing recipient: its primary address and RecipientTypeDetails."""

    primary: str
    kind: str

    @classmethod
    def parse(cls, item: JsonObject) -> Recipient:
        return cls(str(item.get("PrimarySmtpAddress")), str(item.get("RecipientTypeDetails")))


@dataclass
class NewNames:
    """By address: the name of each new recipient, and the existing recipient that has the address already."""

    names: dict[str, str] = field(default_factory=dict)
    holders: dict[str, Recipient] = field(default_factory=dict)
    unnamed: list[str] = field(default_factory=list)  # all names are in use

    def problems(self, option: str) -> list[str]:
        """A sentence for each address of an option that has no free name."""
        remedy = "are all in use: choose another local part; nothing was changed."
        return [f"{option}: {address}: the names {', '.join(candidates(address))} {remedy}" for address in self.unnamed]


def alias(address: str) -> str:
    """Name and alias: the local part, with a hyphen for each run of characters that an alias must not have."""
    local = re.sub(r"[^A-Za-z0-9._-]+|\.{2,}", "-", address.partition("@")[0])
    return re.sub(r"^\.|\.$", "-", local)


def candidates(address: str) -> tuple[str, ...]:
    """The names for a new recipient, in order of preference: the local part, with the domain, with a digest of the address."""
    local = alias(address)
    with_domain = f"{local}-{address.rpartition('@')[2].replace('.', '-')}"
    digest = hashlib.sha256(address.lower().encode()).hexdigest()[:10]
    with_digest = f"{local[: MAX_LENGTH - len(digest) - 1]}-{digest}"
    return tuple(name for name in (local, with_domain, with_digest) if len(name) <= MAX_LENGTH)


def new_names(tenant: Tenant, new: Sequence[str], leaving: Collection[str] = ()) -> NewNames:
    """A free name for each new recipient, by one filter for ten of them. `leaving`: Guids of recipients that are removed before."""
    commands = []
    for start in range(0, len(new), _PER_FILTER):
        tests = [test for address in new[start : start + _PER_FILTER] for test in _tests(address)]
        parameters = {"Filter": opath.any_of(tests), "ResultSize": "Unlimited"}
        commands.append(Command("Get-Recipient", parameters, _SELECT, "look for recipients of the same name"))
    rows = [row for outcome in tenant.exchange.batch(commands) for row in outcome.checked().values if str(row.get("Guid")) not in leaving]
    used = {str(row.get(name)).lower() for row in rows for name in ("Alias", "Name")}
    held = {address: Recipient.parse(row) for row in rows for address in lookup.smtp_addresses(row)}
    result = NewNames(holders={address: held[address.lower()] for address in new if address.lower() in held})
    for address in new:
        name = next((one for one in candidates(address) if one.lower() not in used), None)
        if name is None:
            result.unnamed.append(address)
        else:
            result.names[address] = name
            used.add(name.lower())
    return result


def _tests(address: str) -> list[str]:
    names = [opath.equals(property_, name) for name in candidates(address) for property_ in ("Alias", "Name")]
    return [opath.equals("EmailAddresses", f"smtp:{address}"), *names]
