# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test suite of RFC 7208 (openspf.org, release 2014.04), of pyspf 1042e9e, without trailing blanks; the licence is beside it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._spf import Answer
from ansible_collections.mailops.m365.plugins.module_utils._spf.check import check_host

SUITE = Path(__file__).parent / "rfc7208" / "rfc7208-tests.yml.txt"
CASES = 203
ALIASES = 8  # CNAME records that are followed


class Case(NamedTuple):
    """A test of the suite: its name, its data, and the records of its zones by name in lower case, as the suite writes them."""

    name: str
    data: dict[str, Any]
    zones: dict[str, list[Any]]


@functools.cache
def cases() -> list[Case]:
    documents = yaml.safe_load_all(SUITE.read_text(encoding="utf-8"))
    return [
        Case(name, data, {zone.lower(): records for zone, records in one["zonedata"].items()})
        for one in documents
        for name, data in one["tests"].items()
    ]


class Zones:
    """DNS with the zones of a case. Records of type SPF stand for TXT records where a name has none."""

    def __init__(self, zones: dict[str, list[Any]]) -> None:
        self.zones = zones

    def ask(self, name: str, kind: str, aliases: int = 0) -> Answer:
        labels = name.rstrip(".").lower().split(".")
        if any(not 0 < len(label.encode()) < 64 for label in labels):
            return Answer(name, kind)
        records = self.zones.get(".".join(labels), [])
        types = {key for record in records if isinstance(record, dict) for key in record}
        values: list[str] = []
        for record in records:
            if record == "TIMEOUT":
                return Answer(name, kind, tuple(values)) if values else Answer(name, kind, problem=f"{name} timed out.")
            for key, value in record.items():
                of_kind = key == kind or (kind == "TXT" and key == "SPF" and "TXT" not in types)
                if of_kind and value == "TIMEOUT":
                    return Answer(name, kind, problem=f"{name} timed out.")
                if key == "CNAME" and kind != "CNAME":
                    return self.ask(value, kind, aliases + 1) if aliases < ALIASES else Answer(name, kind, problem=f"{name} is a loop.")
                if of_kind and value != "NONE":
                    values.append(str(value[1]) if kind == "MX" else "".join(value) if isinstance(value, list) else str(value))
        return Answer(name, kind, tuple(values))


@pytest.mark.parametrize("case", cases(), ids=[case.name for case in cases()])
def test_case(case: Case) -> None:
    data = case.data
    sender, helo = str(data.get("mailfrom") or ""), str(data["helo"])
    domain = (sender or helo).rpartition("@")[2]
    result = check_host(data["host"], domain, Zones(case.zones), sender=sender or f"postmaster@{helo}", helo=helo)
    accepted = data["result"] if isinstance(data["result"], list) else [data["result"]]
    assert result.result in accepted, (data.get("spec"), data.get("description"), result)


def test_the_whole_suite_is_read() -> None:
    assert len(cases()) == CASES
    assert {case.data["result"] for case in cases() if isinstance(case.data["result"], str)} >= {"pass", "fail", "permerror", "temperror"}
