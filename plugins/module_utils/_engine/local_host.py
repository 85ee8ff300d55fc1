# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that a module runs on, for resources that are about it (a relay host) and sign in to no tenant.

Private to the collection.
"""

from __future__ import annotations

import platform

from .._http.transport import Clock, Cost, SystemClock


class Machine:
    """What the engine wants of a tenant, without one: a name, a clock, and what it cost."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.name = platform.node()
        self.clock = clock or SystemClock()
        self.cost = Cost()

    def wait(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.cost.count(waited=seconds)

    def check_credential(self) -> None:
        """Nobody signs in."""

    def close(self) -> None:
        """Nothing is open."""
