# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs of new senders need to sign in with OAuth, in the summary of the run that grants them their access."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from .._core.json_types import JsonObject
from .._planning.device_settings import oauth_lines
from .table import HEADING, Line

MOST = 5
_POINTER = "{} more: -v lists them, tenant_settings_directory gets a page for each tenant, and the JSON report has them in `plan`."
_USER = "User name"


def lines(entries: Iterable[tuple[str, JsonObject]], line_width: int, full: bool) -> Iterator[Line]:
    """The settings of new senders with OAuth, once for all senders of an application; at most five unless `full`.

    `entries`: host, and an item of the result `plan`.
    """
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[JsonObject]] = {}
    for host, entry in entries:
        if entry.get("new") and entry["settings"].get("oauth"):
            shared = tuple((label, value) for label, value in oauth_lines(entry["settings"]) if label != _USER)
            groups.setdefault((host, shared), []).append(entry)
    if not groups:
        return
    yield "NEW SENDERS WITH OAUTH", HEADING
    count = len(groups) if full else MOST
    for (host, shared), members in list(groups.items())[:count]:
        rows = [*((_name(member), f"user name {member['settings']['user']}") for member in members), *shared]
        indent = max(len(label) for label, _value in shared) + 2
        yield host, None
        for label, value in rows:
            first = f"    {label:{indent}}" if len(label) < indent else f"    {label}  "
            wrapped = textwrap.wrap(value, max(line_width, 60), initial_indent=first, subsequent_indent=" " * (indent + 4))
            yield from ((line, None) for line in wrapped)
    if len(groups) > count:
        yield _POINTER.format(len(groups) - count), None


def _name(entry: JsonObject) -> str:
    return f"{' '.join(entry['name'].split())} ({entry['address']})"
