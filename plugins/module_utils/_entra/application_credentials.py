# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates and client secrets of an application: which are usable, which expire soon, which must stay.

Source: Microsoft Graph v1.0, "keyCredential" and "passwordCredential" (endDateTime).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from .._core.json_types import JsonObject
from .certificates import KeyCredential, PublicCertificate
from .graph_objects import ApplicationObject, PasswordCredential

WARNING_DAYS = 30
_UNTIL = " until "  # between subject and date in the display names that this collection gives


@dataclass(frozen=True)
class StoredCredential:
    """A credential of an application. `kind`: certificate or client secret; `expires`: in UTC; `thumbprint`: of a certificate."""

    kind: str
    key_id: str
    label: str
    expires: datetime.datetime | None
    thumbprint: str = ""

    def __str__(self) -> str:
        name = self.label or self.thumbprint or self.key_id
        return f"{self.kind} {name}" + (f" ({self.thumbprint})" if self.thumbprint and self.label else "")

    def is_usable(self, now: datetime.datetime) -> bool:
        return self.expires is None or self.expires > now


def moment(seconds: float) -> datetime.datetime:
    """A time of the tenant's clock."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def credentials_of(application: ApplicationObject | None) -> list[StoredCredential]:
    """The certificates and client secrets of an application as Graph returns it."""
    document: ApplicationObject = application or {}
    certificates = [_certificate(item) for item in document.get("keyCredentials") or []]
    return certificates + [_secret(item) for item in document.get("passwordCredentials") or []]


def credentials_after(
    application: ApplicationObject | None, added: Iterable[PublicCertificate], removed: Collection[str]
) -> list[StoredCredential]:
    """The certificates and client secrets after a change. `removed`: keyIds."""
    stays = [one for one in credentials_of(application) if one.key_id not in removed]
    return stays + [StoredCredential("certificate", "", leaf.subject, leaf.expires, leaf.thumbprint) for leaf in added]


def _certificate(item: KeyCredential) -> StoredCredential:
    label = str(item.get("displayName") or "").partition(_UNTIL)[0]
    thumbprint = str(item.get("customKeyIdentifier") or "").upper()
    return StoredCredential("certificate", str(item.get("keyId")), label, _date(item.get("endDateTime")), thumbprint)


def _secret(item: PasswordCredential) -> StoredCredential:
    label = str(item.get("displayName") or item.get("hint") or "")
    return StoredCredential("client secret", str(item.get("keyId")), label, _date(item.get("endDateTime")))


def _date(text: str | None) -> datetime.datetime | None:
    if not text:
        return None
    date = datetime.datetime.fromisoformat(text)
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


# -- the last one -----------------------------------------------------------------------------------------------------


def last_usable(
    current: Collection[StoredCredential],
    added: Collection[object],
    removed: Collection[str],
    now: datetime.datetime,
    has_federated: Callable[[], bool],
) -> list[StoredCredential]:
    """The usable credentials among `removed` (keyIds) without which the application has no usable one; an expired one does not count.

    `added`: valid certificates that are added; `has_federated`: whether the application has federated identity credentials, which is
    called only where that decides.
    """
    usable = [one for one in current if one.is_usable(now)]
    leaving = [one for one in usable if one.key_id in removed]
    if not leaving or added or len(leaving) < len(usable) or has_federated():
        return []
    return leaving


# -- expiry -----------------------------------------------------------------------------------------------------------


def expiring(credentials: Collection[StoredCredential], now: datetime.datetime) -> list[StoredCredential]:
    """Credentials that end within 30 days or have ended. One is replaced, and left out, where another of its name ends later."""
    limit = now + datetime.timedelta(days=WARNING_DAYS)
    lasting = {(one.kind, one.label) for one in credentials if one.label and (one.expires is None or one.expires >= limit)}
    return [one for one in credentials if one.expires and one.expires < limit and (one.kind, one.label) not in lasting]


def expiry_attention(
    application: str, credentials: Iterable[StoredCredential], now: datetime.datetime, remedy: str
) -> Iterator[JsonObject]:
    """Entries of NEEDS ATTENTION for credentials that `expiring` returns."""
    for one in credentials:
        if one.expires is None:
            continue
        yield {
            "kind": "key",
            "subject": f"{application}: {one}",
            "problem": expiry_problem(one.expires, now),
            "remedy": remedy if one.is_usable(now) else f"If something still uses it: {remedy[0].lower()}{remedy[1:]} Then remove it.",
        }


def expiry_problem(expires: datetime.datetime, now: datetime.datetime) -> str:
    """When a credential ends or ended."""
    if expires <= now:
        return f"Expired on {expires:%Y-%m-%d}."
    days = (expires - now).days
    return f"Expires on {expires:%Y-%m-%d}, in {days} day{'' if days == 1 else 's'}."


def sentences(attention: Iterable[JsonObject]) -> list[str]:
    """The entries as warnings of the task, one sentence each."""
    return [f"{entry['subject']}: {entry['problem']} {entry['remedy']}" for entry in attention]
