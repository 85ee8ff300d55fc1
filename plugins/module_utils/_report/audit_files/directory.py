# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of an audit: every file is written under a temporary name with mode 0600, and then renamed."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..._core.json_types import JsonObject
from . import metrics, page, tables
from .inventory_lines import locate
from .items import items
from .sarif import sarif

REPORT = "report.json"
FIRST = "report.html"  # the file that a reader opens first


def prepare(directory: Path) -> None:
    """Create the directory with mode 0700, if it does not exist, and check that a file can be written. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        pass


def write(directory: Path, document: JsonObject, inventories: Mapping[str, str]) -> None:
    """Write the files of an audit. `inventories`: the directory of the inventory, by tenant. Raises OSError."""
    prepare(directory)
    for name, text in _texts(document, inventories):
        _replace(directory / name, text)


def _texts(document: JsonObject, inventories: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    every, here = items(document), Path.cwd()
    yield REPORT, json.dumps(document, indent=2) + "\n"
    yield FIRST, page.render(document)
    yield "senders.csv", tables.senders(document)
    yield "findings.csv", tables.findings(document)
    yield "action-plan.csv", tables.action_plan(every)
    yield "findings.sarif", json.dumps(sarif(every, lambda one: locate(one, inventories, here)), indent=1) + "\n"
    yield "metrics.prom", metrics.metrics(document)


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
