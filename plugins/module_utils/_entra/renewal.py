# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The renewal of a managed certificate: the next one is registered and verified before it is used, the previous one stays until it ends.

A run that is interrupted at any point is continued by the next one: the next key is on disk before it is registered, registered before it
is verified, and verified before it is used.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.bounds import GRAPH_REPLICATION
from .._core.errors import SignInError
from .._core.json_types import JsonObject
from .._core.waiting import Retry
from .._engine.tenant import Tenant
from .._identity.credentials import ClientCertificate
from .._identity.token_cache import TokenCache
from .._identity.tokens import TokenSource
from . import certificates
from .application_credentials import WARNING_DAYS, StoredCredential
from .certificates import PublicCertificate
from .key_store import VALID_DAYS, KeyStore

NEW_CERTIFICATE = re.compile(r"new certificate until \d{4}-\d{2}-\d{2}")  # Renewal.new_label
# A new certificate or application is not known to every server of Entra at once.
_REPLICATING = ("AADSTS700027", "AADSTS700016", "AADSTS7000215")


@dataclass(frozen=True)
class Renewal:
    """What is on disk for an application. `previous`: without the certificate in use, which an interrupted switch leaves there."""

    application: str
    store: KeyStore
    current: ClientCertificate | None
    next: ClientCertificate | None
    previous: tuple[PublicCertificate, ...]
    now: datetime.datetime

    @classmethod
    def of(cls, application: str, store: KeyStore, now: datetime.datetime) -> Renewal:
        current = store.current()
        previous = [one for one in store.previous() if not current or one.thumbprint != current.thumbprint]
        return cls(application, store, current, store.next(), tuple(previous), now)

    @property
    def is_due(self) -> bool:
        """Whether the certificate in use ends within 30 days, or there is none."""
        return self.current is None or self.current.expires < self.now + datetime.timedelta(days=WARNING_DAYS)

    @property
    def creates(self) -> bool:
        return self.is_due and self.next is None

    @property
    def switches(self) -> bool:
        return self.creates or self.next is not None

    @property
    def listed(self) -> list[PublicCertificate]:
        """The existing certificates that the application needs."""
        own = [certificates.read(one.certificate, str(self.store.path), retired=True) for one in (self.current, self.next) if one]
        return [one for one in [*own, *self.previous] if one.expires > self.now]

    @property
    def ended(self) -> frozenset[str]:
        """Thumbprints of previous certificates that have ended."""
        return frozenset(one.thumbprint for one in self.previous if one.expires <= self.now)

    def with_managed(
        self, listed: Sequence[PublicCertificate], retired: frozenset[str]
    ) -> tuple[tuple[PublicCertificate, ...], frozenset[str]]:
        """Desired and retired certificates (thumbprints) with those of this renewal."""
        thumbprints = {leaf.thumbprint for leaf in listed}
        own = [leaf for leaf in self.listed if leaf.thumbprint not in thumbprints]
        return (*listed, *own), (retired | self.ended) - {leaf.thumbprint for leaf in own}

    @property
    def new_label(self) -> str:
        """What a certificate that does not exist yet is called in a plan."""
        return f"new certificate until {self.now + datetime.timedelta(days=VALID_DAYS):%Y-%m-%d}"

    @property
    def in_use(self) -> str | None:
        """The thumbprint of the certificate in use."""
        return self.current.thumbprint if self.current else None

    @property
    def in_use_after(self) -> str | None:
        """As `in_use`, after the switch."""
        return self.new_label if self.creates else self.next.thumbprint if self.next else self.in_use

    def replaces(self, credential: StoredCredential) -> bool:
        """Whether an expiring credential needs no attention, because this renewal replaces it."""
        return credential.thumbprint in {self.in_use, *(one.thumbprint for one in self.previous)}

    def attention(self) -> list[JsonObject]:
        """What copies of the key file have to be replaced, while the previous certificate is valid; and a file that others may read."""
        previous = [one.expires for one in self.previous if one.expires > self.now]
        if self.switches and self.current and self.current.expires > self.now:
            previous.append(self.current.expires)
        entries: list[JsonObject] = []
        if previous:
            entries.append(
                {
                    "kind": "key",
                    "subject": f"{self.application}: certificate",
                    "problem": f"Renewed: the previous certificate ends on {max(previous):%Y-%m-%d}.",
                    "remedy": f"Replace copies of {self.store.path} on other hosts until then.",
                }
            )
        if not self.store.is_private():
            remedy = f"Set its mode to 0600, and replace the key if somebody else may have read it (delete {self.store.path})."
            entries.append({"kind": "key", "subject": str(self.store.path), "problem": "Other users may read this key.", "remedy": remedy})
        return entries

    def create(self) -> PublicCertificate:
        """The certificate of a new key, which is on disk."""
        with self.store.lock():
            created = self.store.create_next(self.application, self.now)
        return certificates.read(created.certificate, str(self.store.next_path), retired=True)

    def switch(self, tenant: Tenant, app_id: str) -> str:
        """Put the next key into use, after Entra has issued a token for it. Why not, where it has not; else empty."""
        with self.store.lock():
            following = self.store.next()
            if following is None:
                return ""  # another run has switched meanwhile
            reason = refusal(tenant, app_id, following)
            if reason:
                kept = "the certificate in use stays" if self.current else "there is no certificate in use"
                return f"{self.application}: the next certificate is not used yet, {kept}. {reason} The next run tries again."
            self.store.activate_next()
        return ""

    def retire(self) -> None:
        """Remove certificates that have ended from the previous ones."""
        if self.ended:
            with self.store.lock():
                self.store.remove_previous(self.ended)


def refusal(tenant: Tenant, app_id: str, credential: ClientCertificate) -> str:
    """Why Entra issues no token for a credential, after m365_wait_timeout; empty where it does."""
    source = TokenSource(tenant.cloud, tenant.name, app_id, credential, TokenCache(), tenant.transport)
    retry = Retry(GRAPH_REPLICATION, tenant.transport, tenant.wait_timeout)
    while True:
        try:
            source.fresh(tenant.cloud.scope("exchange"))
        except SignInError as error:
            if error.code not in _REPLICATING or not retry.again():
                return str(error)
        else:
            return ""
