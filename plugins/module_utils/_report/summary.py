# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, as tables for people and as JSON for pipelines.

Private to the collection; the summary callback collects, this file says it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .._planning import methods
from . import relay_hosts as relays

Line: TypeAlias = "tuple[str, str | None]"


@dataclass
class Report:
    """The results of a run's tasks, in their order. Only what the modules return, which holds no secret, is kept."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    width: int = 118

    def add(self, host: str, name: str, module: str, result: dict[str, Any], check_mode: bool) -> None:
        self.tasks.append(
            {
                "tenant": host,
                "task": name,
                "module": module,
                "check_mode": check_mode,
                "changed": bool(result.get("changed")),
                "failed": bool(result.get("failed")),
                "diff": result.get("diff") or None,
                "cost": result.get("cost") or {},
                "senders": result.get("senders") or [],
                "plan": result.get("plan") or [],
                "relay": result.get("relay") if module == "relay_status" else None,
                "records": (result.get("records") or []) if module in ("spf", "spf_info") else [],
                "failure": result.get("failure"),
                "msg": result.get("msg") if result.get("failed") else None,
            }
        )

    def as_json(self) -> dict[str, Any]:
        return {"tenants": dict(self._rows()), "tasks": self.tasks}

    def _rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for host in sorted({task["tenant"] for task in self.tasks if task["module"] != "relay_status"}):
            mine = [task for task in self.tasks if task["tenant"] == host]
            senders = [sender for task in mine for sender in task["senders"]]
            yield (
                host,
                {
                    "changed": sum(task["changed"] for task in mine),
                    "failed": sum(task["failed"] for task in mine),
                    "requests": sum(task["cost"].get("requests", 0) for task in mine),
                    "retries": sum(task["cost"].get("retries", 0) for task in mine),
                    "waited": round(sum(task["cost"].get("waited", 0.0) for task in mine), 1),
                    "verified": sum(sender["verified"] is True for sender in senders),
                    "senders": len(senders),
                },
            )

    # -- for people -----------------------------------------------------------------------------------------------

    def lines(self) -> list[Line]:
        """Text with the name of its colour (None: the terminal's own)."""
        lines: list[Line] = [("", None), *self._tenants()] if any(self._rows()) else []
        if any(task["plan"] and task["check_mode"] for task in self.tasks):
            lines += [("", None), *self._plans()]
        if any(task["senders"] for task in self.tasks):
            lines += [("", None), *self._senders()]
        if any(task["records"] for task in self.tasks):
            lines += [("", None), *self._spf()]
        if any(task["relay"] for task in self.tasks):
            lines += [("", None), *relays.lines({task["tenant"]: task["relay"] for task in self.tasks if task["relay"]}, self.width)]
        lines += self._failures()
        return lines

    def _tenants(self) -> Iterator[Line]:
        checking = all(task["check_mode"] for task in self.tasks)
        rows = list(self._rows())
        broad = max([len("TENANT"), *(len(host) for host, _row in rows)])
        head = "WOULD CHANGE" if checking else "CHANGED"
        yield f"{'TENANT':{broad}}  {head:>12}  {'REQUESTS':>8}  {'RETRIES':>7}  {'WAITED':>7}  SENDERS", "bright gray"
        for host, row in rows:
            text = f"{host:{broad}}  {row['changed']:>12}  {row['requests']:>8}  {row['retries']:>7}  {row['waited']:>5.1f} s  "
            text += _proof(row)
            bad = row["failed"] or (row["verified"] < row["senders"] and not checking)
            yield text, "red" if bad else "yellow" if row["changed"] else "green"

    def _plans(self) -> Iterator[Line]:
        """How every sender is to send, and why: what a check run is for."""
        tasks = sorted((task for task in self.tasks if task["check_mode"]), key=lambda task: task["tenant"])
        pairs = [(task["tenant"], entry) for task in tasks for entry in task["plan"]]
        columns = (
            ("TENANT", lambda host, entry: host),
            ("SENDER", lambda host, entry: entry["name"]),
            ("METHOD", lambda host, entry: methods.label(entry["method"])),
        )
        broad = [max(len(column), *(len(cell(host, entry)) for host, entry in pairs)) for column, cell in columns]
        yield "  ".join([*(f"{name:{size}}" for (name, _cell), size in zip(columns, broad, strict=True)), "REASON"]), "bright gray"
        indent = " " * (sum(broad) + 2 * len(broad))
        for host, entry in pairs:
            cells = "  ".join(f"{cell(host, entry):{size}}" for (_name, cell), size in zip(columns, broad, strict=True)) + "  "
            for text in textwrap.wrap(entry["reason"], max(self.width, len(indent) + 40), initial_indent=cells, subsequent_indent=indent):
                yield text, None

    def _senders(self) -> Iterator[Line]:
        tasks = sorted(self.tasks, key=lambda task: task["tenant"])
        pairs = [(task["tenant"], sender) for task in tasks for sender in task["senders"]]
        broad = [max(len(column), *(len(cell(host, sender)) for host, sender in pairs)) for column, cell in _COLUMNS]
        yield "  ".join(f"{name:{size}}" for (name, _cell), size in zip(_COLUMNS, broad, strict=True)).rstrip(), "bright gray"
        for host, sender in pairs:
            cells = [f"{cell(host, sender):{size}}" for (_name, cell), size in zip(_COLUMNS, broad, strict=True)]
            colour = {True: "green", False: "red", None: None}[sender["verified"]]
            yield "  ".join(cells).rstrip(), colour
            if sender["verified"] is False:
                for text in self._wrapped(_explained(sender)):
                    yield text, "red"

    def _spf(self) -> Iterator[Line]:
        """Every mail domain; where DNS holds another record than it should, both, each on one line so that it can be copied."""
        pairs = {(task["tenant"], record["domain"]): (record, task["check_mode"]) for task in self.tasks for record in task["records"]}
        broad = [max(len(title), *(len(pair[i]) for pair in pairs)) for i, title in enumerate(("TENANT", "DOMAIN"))]
        yield f"{'TENANT':{broad[0]}}  {'DOMAIN':{broad[1]}}  DNS LOOKUPS  SPF", "bright gray"
        for (host, domain), (record, checking) in sorted(pairs.items(), key=lambda pair: pair[0]):
            lookups = str(record["dns_lookups"]) if record["desired"] else "-"
            state = _spf_state(record, checking)
            same = record["current"] == [record["desired"]]
            colour = "red" if not record["valid"] else "green" if same else "yellow"
            yield f"{host:{broad[0]}}  {domain:{broad[1]}}  {lookups:>11}  {state}", colour
            if not same and record["desired"]:
                titles = ("previous", "published") if record["published"] and not checking else ("current", "desired")
                yield f"    {titles[0]:10}  {'  and  '.join(record['current']) or 'none'}", None
                yield f"    {titles[1]:10}  {record['desired']}", colour
            for problem in record["problems"]:
                for text in self._wrapped(problem["message"]):
                    yield text, colour

    def _failures(self) -> Iterator[Line]:
        failed = [task for task in self.tasks if task["failed"] and not task["senders"] and not task["relay"]]
        if failed:
            yield "", None
            yield "FAILED", "bright gray"
        for task in failed:
            for number, text in enumerate(textwrap.wrap(f"{task['tenant']}: {task['msg']}", self.width - 2)):
                yield ("" if number == 0 else "  ") + text, "red"

    def _wrapped(self, text: str) -> list[str]:
        return textwrap.wrap(text, self.width, initial_indent="    ", subsequent_indent="    ")


def _spf_state(record: dict[str, Any], checking: bool) -> str:
    if record["current"] == [record["desired"]]:
        return "up to date" if record["valid"] else "invalid (permerror)"
    if record["published"]:
        return "would be published" if checking else "published"
    return "update required" if record["valid"] else "invalid (permerror)"


def _proof(row: dict[str, Any]) -> str:
    if not row["senders"]:
        return "-"
    return f"{row['verified']} of {row['senders']} verified"


def _explained(sender: dict[str, Any]) -> str:
    code = f" ({sender['code']})" if sender["code"] else ""
    cause = sender["cause"][:1].upper() + sender["cause"][1:]
    waiting = " Waiting may help." if sender["transient"] else ""
    return f"{cause}{code}. {sender['remedy']}{waiting}"


def _result(sender: dict[str, Any]) -> str:
    if sender["verified"] is None:
        return "not tried" if sender["stage"] == "input" else "way open"
    if sender["verified"]:
        return f"verified in {sender['seconds']:.2f} s"
    if sender["stage"] == "queue":
        return "waits in the queue"
    return "not tried" if sender["stage"] == "input" else f"refused: {sender['stage']}"


_COLUMNS = (
    ("TENANT", lambda host, sender: host),
    ("SENDER", lambda host, sender: sender["name"]),
    ("METHOD", lambda host, sender: methods.label(sender["method"])),
    ("FROM", lambda host, sender: sender["address"]),
    ("STATUS", lambda host, sender: _result(sender)),
)
