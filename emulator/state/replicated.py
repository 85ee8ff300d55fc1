"""Switches that take effect later."""

from __future__ import annotations

from typing import Any

from emulator.state.keys import Replicating


class Replicated:
    """Switches that the mail services see later than the admin API does.

    `set_later` keeps the old value in `replicating`; `seen` is the value that SMTP and MX use.
    """

    replicating: Replicating

    def set_later(self, name: str, value: Any, effective_from: float) -> None:
        self.replicating[name] = (effective_from, getattr(self, name))
        setattr(self, name, value)

    def seen(self, name: str, now: float) -> Any:
        until, old = self.replicating.get(name, (0.0, None))
        return old if now < until else getattr(self, name)
