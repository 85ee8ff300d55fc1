# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS as a table: names with their records; `asked` are the questions, in order."""

from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils._spf import Answer, chunks

MICROSOFT = "v=spf1 ip4:40.92.0.0/15 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 -all"


class Table:
    def __init__(self, txt: dict[str, str | list[str]] | None = None, broken: tuple[str, ...] = (), **others: dict[str, list[str]]) -> None:
        self.records = {(name, "TXT"): [value] if isinstance(value, str) else value for name, value in (txt or {}).items()}
        self.records.setdefault(("spf.protection.outlook.com", "TXT"), [MICROSOFT])
        for kind, names in others.items():
            self.records |= {(name, kind): values for name, values in names.items()}
        self.broken = broken
        self.asked: list[tuple[str, str]] = []

    def ask(self, name: str, kind: str) -> Answer:
        self.asked.append((name, kind))
        if name in self.broken:
            return Answer(name, kind, problem=f"the {kind} records of {name} could not be read.")
        values = tuple(self.records.get((name, kind), ()))
        raw = tuple(tuple(chunks(value)) for value in values) if kind == "TXT" else ()
        return Answer(name, kind, values, ttl=300 if values else 0, raw=raw)
