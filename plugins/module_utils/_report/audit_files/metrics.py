# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit as metrics for the textfile collector of Prometheus' node_exporter.

Source: Prometheus documentation, "Exposition formats". A tenant that was not audited has no numbers of senders: absent is not zero.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from ..._audit.names import SEVERITIES
from ..._core.json_types import JsonObject

Sample: TypeAlias = "tuple[dict[str, str], int]"  # labels, value
_PREFIX = "mailops_audit"


def metrics(document: JsonObject) -> str:
    """The text of metrics.prom."""
    audited = {tenant: audit for tenant, audit in document["tenants"].items() if audit["audited"]}
    families: tuple[tuple[str, str, list[Sample]], ...] = (
        ("timestamp_seconds", "Start of the audit (Unix time).", [({}, _timestamp(document["started"]))]),
        (
            "tenant_audited",
            "Whether the tenant was audited (1 or 0).",
            [({"tenant": tenant}, int(audit["audited"])) for tenant, audit in document["tenants"].items()],
        ),
        (
            "source_readable",
            "Whether a source of the audit was readable (1 or 0).",
            [
                ({"tenant": tenant, "source": one["name"]}, int(one["readable"]))
                for tenant, audit in audited.items()
                for one in audit["sources"]
            ],
        ),
        (
            "senders",
            "Number of senders by verdict.",
            [
                ({"tenant": tenant, "verdict": name}, number)
                for tenant, audit in audited.items()
                for name, number in audit["totals"].items()
            ],
        ),
        ("findings", "Number of findings by severity.", list(_findings(audited))),
        (
            "days_until",
            "Days until the first possible day of an announcement; negative after it.",
            [({"event": one["id"]}, one["days"]) for one in document["timetable"] if one["days"] is not None and one["status"] != "void"],
        ),
    )
    return "".join(line for name, text, samples in families for line in _family(f"{_PREFIX}_{name}", text, samples))


def _timestamp(started: str) -> int:
    return int(datetime.datetime.fromisoformat(started).timestamp()) if started else 0


def _findings(audited: Mapping[str, JsonObject]) -> Iterator[Sample]:
    for tenant, audit in audited.items():
        counts = Counter(one["severity"] for one in audit["findings"])
        yield from (({"tenant": tenant, "severity": severity}, counts[severity]) for severity in SEVERITIES)


def _family(name: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        pairs = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items())
        yield f"{name}{{{pairs}}} {value}\n" if pairs else f"{name} {value}\n"


def _escaped(content: str) -> str:
    return content.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
