# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html: one file that requests nothing. Templates make what does not need JavaScript; the scripts make the rest from the data."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ...._audit.names import TO_CHECK, VERDICTS
from ...._core.json_types import JsonObject
from ..items import items
from . import data, fleet, timeline
from .plain_text import plain

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_TEMPLATES = ("page.html.j2", "overview.html.j2", "without_javascript.html.j2")
_SCRIPTS = ("table.js", "dialogs.js", "views.js", "main.js")
_WORST = 20  # tenants of the first screen
_MOST_STATIC = 1_000  # rows of a table that needs no JavaScript


def render(document: JsonObject) -> str:
    """The text of report.html."""
    style = _read("page.css")
    script = '"use strict";\n(() => {\n' + "".join(_read(name) for name in _SCRIPTS) + "})();\n"
    urgent = [one for one in items(document) if one.severity in ("critical", "high")]
    summary = fleet.summary(document)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            policy=_policy(style, script),
            style=style,
            script=script,
            data=data.embedded(document),
            comparison=document.get("comparison"),
            summary=summary,
            tenants=summary.tenants,
            verdicts=VERDICTS,
            to_check=TO_CHECK,
            worst=[row for row in summary.tenants if row.attention][:_WORST],
            timeline=timeline.timeline(document),
            urgent=urgent[:_MOST_STATIC],
            urgent_rest=max(len(urgent) - _MOST_STATIC, 0),
            started=_moment(document["started"]),
        )
    )


def _environment() -> Environment:
    # Ansible itself requires Jinja2; where a module runs, on another host, it may be missing.
    from jinja2 import DictLoader, Environment, StrictUndefined

    loader = DictLoader({name: _read(name) for name in _TEMPLATES})
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["plain"] = plain
    environment.filters["number"] = lambda value: f"{value:,}"
    return environment


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """A Content Security Policy that allows this style and this script, and no request."""
    hashes = {
        name: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for name, text in (("style", style), ("script", script))
    }
    rules = ("default-src 'none'", f"style-src {hashes['style']}", f"script-src {hashes['script']}", "img-src data:")
    return "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))


def _moment(started: str) -> str:
    return datetime.datetime.fromisoformat(started).strftime("%Y-%m-%d %H:%M UTC") if started else ""


def script_of(page: str) -> str:
    """The script of a page, as the browser runs it."""
    return page.rpartition("<script>")[2].partition("</script>")[0]


def data_of(page: str) -> JsonObject:
    """The data of a page."""
    text = page.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    return dict(json.loads(text))
