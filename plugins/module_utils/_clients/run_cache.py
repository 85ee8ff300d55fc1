# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that one task of a run has read of a tenant and that later tasks need not read again.

They are stored with the run's tokens and deleted with them. Only values that do not change during a run belong here; a
task that changes one updates or forgets it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from .._identity.token_cache import TokenCache


class RunCache:
    """JSON values by name, of one owner (a tenant as one application sees it)."""

    def __init__(self, cache: TokenCache, *owner: str) -> None:
        self._cache, self._owner = cache, owner

    def _key(self, name: str) -> str:
        return hashlib.sha256("\0".join(("value", *self._owner, name)).encode()).hexdigest()

    def get(self, name: str) -> Any:
        """The value, or None where no task of this run has read it."""
        document = self._cache.get(self._key(name))
        return document["value"] if document else None

    def put(self, name: str, value: Any) -> None:
        self._cache.put(self._key(name), {"value": value})

    def forget(self, name: str) -> None:
        self._cache.forget(self._key(name))
