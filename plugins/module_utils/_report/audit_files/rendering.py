# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an audit. The callback imports this at the end of a run that audited a tenant, and no other run pays for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..._core.json_types import JsonObject
from . import metrics, page, tables
from .directory import FIRST
from .inventory_lines import locate
from .items import items
from .sarif import sarif

REPORT = "report.json"


def files(document: JsonObject, inventories: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The name and text of each file. `inventories`: the directory of the inventory, by tenant."""
    every, here = items(document), Path.cwd()
    yield REPORT, json.dumps(document, indent=2) + "\n"
    yield FIRST, page.render(document)
    yield "senders.csv", tables.senders(document)
    yield "findings.csv", tables.findings(document)
    yield "action-plan.csv", tables.action_plan(every)
    yield "findings.sarif", json.dumps(sarif(every, lambda one: locate(one, inventories, here)), indent=1) + "\n"
    yield "metrics.prom", metrics.metrics(document)
