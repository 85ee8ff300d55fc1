# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of an SMTP credential: what the state at the provider and in the store requires, and the steps that carry it out.

The next credential is in the store before it is used, verified by SMTP AUTH before it replaces the current one, and the replaced one is
removed by a later run. A run that is interrupted at any point is continued by the next one.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from .._core.errors import InvalidInput, SmtpError
from .credential_store import CredentialStore, Replaced, Secret, StoredCredential
from .credentials import CredentialClient, ListedCredential, created_on, name_of, new_label, new_password

_REFUSED = "535"


@dataclass(frozen=True)
class Policy:
    """When a credential is replaced, and when the replaced one is removed.

    `days`: its age, None: never; 0: now. `overlap`: days between both. `domain`: of Mailgun, else "".
    """

    days: int | None
    overlap: int
    domain: str
    today: datetime.date


@dataclass(frozen=True)
class Rotation:
    """The steps for one credential, and the state that they start from.

    `reason`: why a new one is created; "" for none. `next`: the name at the provider of what becomes the current one; "" for nothing.
    `retire`: replaced ones that are removed. `unknown`: credentials of this name that are not in the store. `leftovers`: those that an
    interrupted run created and whose password it could not store.
    """

    name: str
    stored: StoredCredential
    listed: tuple[ListedCredential, ...]
    domain: str = ""
    reason: str = ""
    next: str = ""
    retire: tuple[Replaced, ...] = ()
    unknown: tuple[ListedCredential, ...] = ()
    leftovers: tuple[ListedCredential, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.next or self.retire)

    @property
    def current(self) -> str:
        """The name at the provider of the current credential after this rotation; "" where there is none."""
        return self.next or (self.stored.current.label if self.stored.current else "")

    @property
    def previous(self) -> list[str]:
        """The names at the provider of the replaced credentials after this rotation."""
        kept = [one.label for one in self.stored.previous if one not in self.retire]
        return kept + ([one.label for one in self.replaced] if self.next else [])

    @property
    def replaced(self) -> list[ListedCredential]:
        """What the next credential replaces: the current one, or, without one, those that are not in the store."""
        current = self.stored.current
        return [one for one in self.listed if one.id == current.id] if current else list(self.unknown)

    @property
    def actions(self) -> list[str]:
        """The names of CredentialClient's methods that it calls."""
        return (["create"] if self.next else []) + (["remove"] if self.retire or self.leftovers else [])


def planned(
    name: str, store: CredentialStore, listed: Sequence[ListedCredential], policy: Policy, is_refused: Callable[[Secret], bool]
) -> Rotation:
    """The rotation that a credential needs. `listed`: what the provider has. `is_refused`: whether SMTP refuses a stored one.

    InvalidInput where the provider has a credential of this name whose password is not in the store.
    """
    stored = store.read(name) or StoredCredential()
    own = tuple(one for one in listed if name_of(one.label) == name)
    identifiers = {one.id for one in own}
    retire = tuple(one for one in stored.previous if policy.today >= one.replaced + datetime.timedelta(days=policy.overlap))
    leftovers = tuple(one for one in own if stored.next and not stored.next.password and one.label == stored.next.label)
    unknown = tuple(one for one in own if one.label not in stored.labels)
    rotation = Rotation(name, stored, own, policy.domain, retire=retire, unknown=unknown, leftovers=leftovers)
    if stored.next:
        return replace(rotation, reason="an earlier run was interrupted", next=stored.next.label)
    if not stored.current and unknown and policy.days != 0:
        labels = ", ".join(sorted(one.label for one in unknown))
        raise InvalidInput(
            f"m365_hosted_credential_store has no password of credential {name}, and the provider has {labels}: copy "
            f"{store.location(name)} from the controller that created it, or set renew to now to replace it. Nothing was changed."
        )
    reason = _reason(stored.current, identifiers, policy, is_refused)
    if not reason:
        return rotation
    return replace(rotation, reason=reason, next=new_label(name, policy.today, stored.labels | {one.label for one in own}))


def _reason(current: Secret | None, identifiers: Collection[str], policy: Policy, is_refused: Callable[[Secret], bool]) -> str:
    """Why the current credential is replaced; "" where it is not."""
    if current is None:
        return "there is none"
    if current.id not in identifiers:
        return "the provider does not have it any more"
    if current.domain != policy.domain:
        return f"it belongs to {current.domain}"
    created = created_on(current.label)
    if policy.days is not None and (created is None or policy.today >= created + datetime.timedelta(days=policy.days)):
        return f"it was created on {created}"
    return "SMTP does not accept it" if is_refused(current) else ""


def carry_out(
    rotation: Rotation, client: CredentialClient, store: CredentialStore, today: datetime.date, verify: Callable[[Secret], None]
) -> None:
    """Carry the steps out. `verify` raises SmtpError where the server refuses a credential."""
    stored = rotation.stored
    if (store.read(rotation.name) or StoredCredential()) != stored:
        raise InvalidInput(f"Another run has changed the credential {rotation.name} meanwhile: run again. This run did not change it.")
    if rotation.next:
        stored = _replaced(rotation, _created(rotation, client, store, stored), client, store, today, verify)
    for one in rotation.retire:
        client.remove(one.id)
        stored = replace(stored, previous=tuple(kept for kept in stored.previous if kept != one))
        store.write(rotation.name, stored)


def _created(rotation: Rotation, client: CredentialClient, store: CredentialStore, stored: StoredCredential) -> StoredCredential:
    """The stored state with a next credential that the provider has."""
    for one in rotation.leftovers:
        client.remove(one.id)
    upcoming = stored.next
    if upcoming is None:
        password = "" if client.generates_passwords else new_password()
        identifier = client.identifier(rotation.next, rotation.domain)
        upcoming = Secret(rotation.next, identifier, identifier, password, rotation.domain)
        stored = replace(stored, next=upcoming)
        store.write(rotation.name, stored)
    if upcoming.password and any(one.id == upcoming.id for one in rotation.listed):
        return stored
    created = client.create(upcoming.label, upcoming.domain, upcoming.password)
    stored = replace(stored, next=replace(upcoming, id=created.id, username=created.username, password=created.password))
    try:
        store.write(rotation.name, stored)
    except InvalidInput:
        client.remove(created.id)  # nobody has its password
        raise
    return stored


def _replaced(
    rotation: Rotation,
    stored: StoredCredential,
    client: CredentialClient,
    store: CredentialStore,
    today: datetime.date,
    verify: Callable[[Secret], None],
) -> StoredCredential:
    """The stored state with the next credential as the current one, after it was verified. One that the server refuses is removed."""
    upcoming = stored.next
    if upcoming is None:
        return stored
    try:
        verify(upcoming)
    except SmtpError as error:
        if error.code.startswith(_REFUSED):
            client.remove(upcoming.id)
            store.write(rotation.name, replace(stored, next=None))
        raise
    replaced = tuple(Replaced(one.label, one.id, today) for one in rotation.replaced)
    stored = StoredCredential(upcoming, None, stored.previous + replaced)
    store.write(rotation.name, stored)
    return stored
