"""The limit of requests in a minute that a provider's API has for each account."""

from __future__ import annotations

import math

from emulator.platform import Platform
from emulator.state import Rolling

_MINUTE = 60.0


class RequestLimit:
    """The requests of accounts in the last minute. `account`: what tells accounts apart."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._requests: dict[str, Rolling] = {}
        platform.state.on_replace.append(self._requests.clear)

    def admits(self, account: str, limit: int) -> bool:
        """Whether a request is within the limit; only then it counts."""
        if not self.remaining(account, limit):
            return False
        self._of(account).add(self._platform.now)
        return True

    def remaining(self, account: str, limit: int) -> int:
        return max(0, limit - self._of(account).count(self._platform.now))

    def reset(self, account: str) -> int:
        """The Unix time at which the oldest request no longer counts."""
        now = self._platform.now
        return math.ceil(now + self._of(account).room_in(now))

    def _of(self, account: str) -> Rolling:
        return self._requests.setdefault(account, Rolling(_MINUTE))
