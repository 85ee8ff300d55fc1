# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fail2ban's bans: whether its jail runs, the addresses that it lists, and those of them that nftables does not refuse.

The packet filter loses the bans with its table, as by `nft flush ruleset` or a reload of nftables.service; fail2ban learns of it when a
listed address fails five times more. Sources: fail2ban-client(1), action.d/nftables.conf of fail2ban 1.0 and 1.1, libnftables-json(5).
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Union

from ..._core.json_types import JsonObject

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]  # noqa: UP007 - Python 3.9 on the relay

JAIL = "mailops-relay"
# Of action.d/nftables.conf, with the jail's name: the sets of IPv4 and IPv6 addresses.
_TABLE = ("/usr/sbin/nft", "--json", "list", "table", "inet", "f2b-table")
_SETS = (f"addr-set-{JAIL}", f"addr6-set-{JAIL}")
_MISSING = "No such file or directory"  # of the table
# Seconds after the start of fail2ban in which its jails start and restore their bans, and after a ban in which its action runs.
SECONDS = 60.0


@dataclass(frozen=True)
class Bans:
    """`addresses`: listed by fail2ban. `lost`: those of them that nftables does not refuse. `running`: the jail; None: not known."""

    addresses: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    running: bool | None = None


def read(run: Run, since: float | None, now: float, seconds: float = SECONDS) -> Bans:
    """`run`: subprocess.run. `since`: when fail2ban started, None where it does not run. `seconds`: that a start or an action may take."""
    starting = since is None or now - since < seconds
    listed = _run(run, "fail2ban-client", "status", JAIL)
    if listed.returncode:
        return Bans(running=None if starting else False)
    match = re.search(r"Banned IP list:(.*)", listed.stdout)
    addresses = tuple(match[1].split()) if match else ()
    return Bans(addresses, _lost(run, addresses, now - seconds) if addresses and not starting else (), True)


def _run(run: Run, *command: str) -> subprocess.CompletedProcess[str]:
    try:
        return run([*command], capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "LC_ALL": "C"})
    except (OSError, subprocess.TimeoutExpired):
        return subprocess.CompletedProcess(command, 1, "", "")


def _lost(run: Run, addresses: tuple[str, ...], before: float) -> tuple[str, ...]:
    """The addresses that nftables does not refuse; of these the ones that are still listed and were banned before this time."""
    table = _run(run, *_TABLE)
    if table.returncode and _MISSING not in table.stderr:
        return ()
    refused = [] if table.returncode else list(_refused(json.loads(table.stdout)["nftables"]))
    missing = {address for address in addresses if not _is_within(address, refused)}
    return tuple(address for address in _banned_before(run, before) if address in missing) if missing else ()


def _banned_before(run: Run, before: float) -> Iterator[str]:
    """fail2ban's lines are `192.0.2.7 \t2026-11-30 12:00:00 + 3600 = 2026-11-30 13:00:00`, in local time."""
    listed = _run(run, "fail2ban-client", "get", JAIL, "banip", "--with-time").stdout
    for address, written in re.findall(r"^(\S+) \t(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ", listed, re.MULTILINE):
        if time.mktime(time.strptime(written, "%Y-%m-%d %H:%M:%S")) <= before:
            yield address


def _refused(objects: list[JsonObject]) -> Iterator[Network]:
    """The elements of the sets that a rule refers to."""
    rules = json.dumps([entry["rule"]["expr"] for entry in objects if "rule" in entry])
    for entry in objects:
        found = entry.get("set", {})
        if found.get("name") in _SETS and f'"@{found["name"]}"' in rules:
            for element in found.get("elem", ()):
                yield from _networks(element)


def _networks(element: str | JsonObject) -> Iterator[Network]:
    if isinstance(element, str):
        yield ipaddress.ip_network(element)
    elif "elem" in element:  # with a counter or a comment
        yield from _networks(element["elem"]["val"])
    elif "range" in element:
        yield from ipaddress.summarize_address_range(*(ipaddress.ip_address(end) for end in element["range"]))
    else:
        yield ipaddress.ip_network(f"{element['prefix']['addr']}/{element['prefix']['len']}")


def _is_within(address: str, networks: list[Network]) -> bool:
    """fail2ban lists a network as well, where an administrator banned one."""
    own = ipaddress.ip_network(address, strict=False)
    return any(own.version == one.version and own.network_address in one and own.broadcast_address in one for one in networks)
