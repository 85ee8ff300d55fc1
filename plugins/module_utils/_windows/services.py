# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of Windows: values of Win32_Service, and changes of start modes and states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .host import WindowsHost

RUNNING = "Running"  # State
AUTOMATIC = "Auto"  # StartMode
_STARTUP_TYPES = {AUTOMATIC: "Automatic", "Manual": "Manual", "Disabled": "Disabled"}  # StartMode -> what Set-Service calls it


def configure(host: WindowsHost, modes: Mapping[str, str], *, stop: Sequence[str] = (), start: Sequence[str] = ()) -> None:
    """`modes`: service -> StartMode, in this order; then services are stopped, and last started."""
    types = [{"name": name, "mode": _STARTUP_TYPES[mode]} for name, mode in modes.items()]
    host.run("service", f"configure the service {list(modes)[-1]}", {"modes": types, "stop": list(stop), "start": list(start)})
