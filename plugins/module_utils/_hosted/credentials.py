# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP credentials at a hosted relay: their names, and the protocol that each provider's file implements.

The name of a credential at the provider is mailops-<name>-<date>, with -<number> where there are several of a day: `mailops-` marks what
this collection manages, and the date is that of its creation, which only Mailgun stores.
"""

from __future__ import annotations

import datetime
import re
import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

_MARKED = re.compile(r"mailops-(?P<name>[a-z0-9-]+)-(?P<date>20\d{6})(?:-(?P<number>\d{1,2}))?")
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32  # Mailgun's maximum; letters and digits need no quoting in Postfix's tables and on devices


@dataclass(frozen=True)
class ListedCredential:
    """A credential that the provider has. `id`: what it is removed by. `problem`: why mail of it is not delivered, a sentence.

    `limit`: what it may send, such as `5 messages in 1 day`; "" where it has no limit of its own.
    """

    id: str
    label: str
    problem: str = ""
    limit: str = ""


@dataclass(frozen=True)
class Listing:
    """The credentials that were read. `unknown_domains`: those of the requested domains that the provider does not have."""

    credentials: tuple[ListedCredential, ...]
    unknown_domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class CreatedCredential:
    """A credential that was created, with what a client authenticates with."""

    id: str
    username: str
    password: str = field(repr=False)


class CredentialClient(Protocol):
    """The SMTP credentials of one provider's account. Methods raise HostedRelayError where the provider refuses.

    `generates_passwords`: the provider generates the password, and returns it once.
    """

    generates_passwords: bool

    def read(self, domains: Collection[str]) -> Listing:
        """The credentials of the account; those of these domains, where the provider has credentials of domains."""

    def identifier(self, label: str, domain: str) -> str:
        """The id that a credential will have; "" where the provider assigns it."""

    def create(self, label: str, domain: str, password: str) -> CreatedCredential:
        """Create a credential. A lost answer is not repeated. `password`: ignored where the provider generates it."""

    def remove(self, identifier: str) -> None:
        """Remove a credential; one that does not exist is no error."""

    def missing_rights(self, *actions: str) -> list[str]:
        """The names of the permissions that the key lacks for these actions (create, remove), where the API returns them."""


def name_of(label: str) -> str | None:
    """The name of the credential that a name at the provider belongs to; None where it has not our mark."""
    match = _MARKED.fullmatch(label)
    return match["name"] if match else None


def created_on(label: str) -> datetime.date | None:
    """The date in a name at the provider."""
    match = _MARKED.fullmatch(label)
    try:
        return datetime.datetime.strptime(match["date"], "%Y%m%d").date() if match else None
    except ValueError:
        return None


def new_label(name: str, today: datetime.date, taken: Collection[str]) -> str:
    """The name at the provider of a credential that is created today. `taken`: the names that exist."""
    first = f"mailops-{name}-{today:%Y%m%d}"
    return next(label for label in (first, *(f"{first}-{number}" for number in range(2, 100))) if label not in taken)


def new_password() -> str:
    """32 letters and digits: 190 bits."""
    return "".join(secrets.choice(_ALPHABET) for _position in range(_LENGTH))
