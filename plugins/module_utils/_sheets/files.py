# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a tenant's settings sheets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._planning.device_settings import settings_page
from . import html_page, markdown
from .document import Document
from .fleet import fleet, index
from .sheet import sheet

FORMATS = {"md": markdown.render, "html": html_page.render}
# The pages of these senders and those that are no sender's have the marker: a later run removes what it wrote and no longer needs.
MARKERS = {"md": "<!-- mailops.m365 settings sheet -->\n", "html": "<!-- mailops.m365 settings sheet -->\n"}
_INDEX, _FLEET = "index", "printer-fleet"
_LONGEST = 60


def files(tenant: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Path below the directory -> content: TENANT.md with all senders, and in the folder TENANT a page per sender, the page of the printer
    fleet and the index, as Markdown and HTML. `entries`: items of the result `plan` of modules sender_plan and tenant.
    """
    if not entries:
        return {}
    stems = file_names([entry["name"] for entry in entries])
    pages = {f"{tenant}.md": settings_page(tenant, entries)}
    for suffix, render in FORMATS.items():
        for stem, document in _documents(tenant, entries, stems, suffix):
            pages[f"{tenant}/{stem}.{suffix}"] = render(document).rstrip("\n") + "\n" + MARKERS[suffix]
    return pages


def _documents(tenant: str, entries: Sequence[Mapping[str, Any]], stems: Mapping[str, str], suffix: str) -> Iterator[tuple[str, Document]]:
    sheets = {name: f"{stem}.{suffix}" for name, stem in stems.items()}
    printers = [entry for entry in entries if "paths" in entry]
    for entry in entries:
        yield stems[entry["name"]], sheet(tenant, entry)
    if printers:
        yield _FLEET, fleet(tenant, printers, sheets)
    yield _INDEX, index(tenant, entries, sheets, f"{_FLEET}.{suffix}" if printers else "")


def file_names(names: Sequence[str]) -> dict[str, str]:
    """Name of a sender -> the name of its file without suffix. Names that become the same have a part of their hash; the order of the
    senders does not count."""
    plain = {name: re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST].strip("-") for name in names}
    taken = [*plain.values(), _INDEX, _FLEET]
    return {name: stem if stem and taken.count(stem) == 1 else f"{stem or 'sender'}-{_hash(name)}" for name, stem in plain.items()}


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
