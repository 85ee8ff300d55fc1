# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local host: what resources of a relay host run against. They sign in to no tenant."""

from __future__ import annotations

import platform

from .._core.waiting import Clock, Cost, SystemClock


class LocalHost:
    """The host that the module runs on: its name, a clock, and the task's cost."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.name = platform.node()
        self.clock = clock or SystemClock()
        self.cost = Cost()

    def wait(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.cost.count(waited=seconds)

    def check_credential(self) -> None:
        """There is none."""

    def close(self) -> None:
        """Nothing is open."""
