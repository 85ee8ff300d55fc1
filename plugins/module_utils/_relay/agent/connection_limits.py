# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection limits of the packet filter: whether its table is loaded, and where unknown clients reached their share.

Source: libnftables-json(5). nft fails without the capability CAP_NET_ADMIN.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

from .services import CONNECTION_LIMITS
from .status_document import ReachedLimit, ServiceStatus

TABLE = "mailops_relay"
_TIMEOUT = 1200.0  # seconds: of the set `reached` (connection-limits.nft)
_LIST = ("/usr/sbin/nft", "--json", "list", "set", "inet", TABLE, "reached")
_MISSING = "No such file or directory"  # of the table


def read(
    services: tuple[ServiceStatus, ...], run: Callable[..., subprocess.CompletedProcess[str]], now: float
) -> tuple[tuple[ServiceStatus, ...], tuple[ReachedLimit, ...]]:
    """The services, and the ports where unknown clients reached their share. `run`: subprocess.run.

    The service of the connection limits is inactive where its table was removed, as by `nft flush ruleset`.
    """
    try:
        done = run([*_LIST], capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "LC_ALL": "C"})
    except (OSError, subprocess.TimeoutExpired):
        return services, ()
    if done.returncode and _MISSING in done.stderr:
        stopped = (replace(one, state="inactive") if one.unit == CONNECTION_LIMITS and one.running else one for one in services)
        return tuple(stopped), ()
    return services, tuple(_limits(done.stdout, now)) if not done.returncode else ()


def _limits(text: str, now: float) -> Iterator[ReachedLimit]:
    """An element ends in `expires` seconds, which is _TIMEOUT after the last connection that was dropped."""
    for entry in (json.loads(text) if text else {}).get("nftables", []):
        for element in entry.get("set", {}).get("elem", []):
            port, expires = element["elem"]["val"], float(element["elem"]["expires"])
            yield ReachedLimit("unknown clients", str(port), now - _TIMEOUT + expires)
