# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals to systemd's watchdog that the delivery monitor works: without them systemd restarts it after WatchdogSec.

`mailops-relay status` reads the time of the last one from systemd (services.py). Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping

# Seconds between two signals: a small part of WatchdogSec.
INTERVAL = 10.0


class Watchdog:
    """`enabled`: whether systemd expects signals. `clock`: monotonic, in seconds."""

    def __init__(self, environment: Mapping[str, str] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        environment = os.environ if environment is None else environment
        self.address = environment.get("NOTIFY_SOCKET", "")
        self.enabled = bool(self.address and environment.get("WATCHDOG_USEC"))
        self.clock, self._signalled = clock, float("-inf")

    def signal(self) -> None:
        """Send a signal if the last one is INTERVAL ago. Never waits: a lost one is followed by another."""
        now = self.clock()
        if not self.enabled or now - self._signalled < INTERVAL:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address  # in the abstract namespace
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notification:
            notification.setblocking(False)
            try:
                notification.sendto(b"WATCHDOG=1", address)
            except OSError:
                return  # the next call tries again
        self._signalled = now
