# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one task of a run has read of a tenant and later tasks need not ask again.

Private to the collection. It lives where the run's tokens live and goes with them. Only what does not change while a run
goes on belongs here, or what the task that changes it puts here anew.
"""

from __future__ import annotations

import hashlib
from typing import Any

from .._identity.tokens import TokenCache


class RunFacts:
    """Facts by name, of one owner (a tenant as one application sees it)."""

    def __init__(self, cache: TokenCache, *owner: str) -> None:
        self._cache, self._owner = cache, owner

    def _key(self, name: str) -> str:
        return hashlib.sha256("\0".join(("fact", *self._owner, name)).encode()).hexdigest()

    def get(self, name: str) -> Any:
        """The fact, or None where nobody has read it in this run."""
        entry = self._cache.get(self._key(name))
        return entry["fact"] if entry else None

    def put(self, name: str, fact: Any) -> None:
        self._cache.put(self._key(name), {"fact": fact})

    def forget(self, name: str) -> None:
        self._cache.forget(self._key(name))
