# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as JUnit XML, which GitLab, Azure DevOps and Jenkins show beside test results.

A host is a test suite. Each change is a test case that fails, since the host differs from the inventory; a failed task is an error; a host
without changes is one test case that passes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from xml.etree import ElementTree

from .._composition.reviewed_plan import RUNNING
from .._core.json_types import JsonObject
from .._core.markdown_text import shortened, visible
from .plan_document import HostPlan, PlanDocument

_MESSAGE = 1000  # characters
_UNCHANGED = "no changes"


def junit(plan: PlanDocument) -> str:
    """The document, in UTF-8."""
    suites = [_suite(host, plan.started) for host in plan.hosts]
    if plan.status == RUNNING:
        suites.append(_suite(HostPlan("run", "failed", problems=[_problem("The run has not ended.")]), plan.started))
    root = ElementTree.Element("testsuites", {"name": "mailops plan", **_sums(suites)})
    root.extend(suites)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(host: HostPlan, started: str) -> ElementTree.Element:
    cases = [_change(host, change) for change in host.changes] + [_task(host, task) for task in host.tasks]
    cases += [_error(host, problem) for problem in host.problems]
    if not cases:
        cases = [_error(host, _problem(f"{host.state.replace('_', ' ')}.")) if host.failed else _case(host, _UNCHANGED)]
    numbers = {"failure": 0, "error": 0}
    for case in cases:
        for outcome in case:
            numbers[outcome.tag] += 1
    counts = {"tests": str(len(cases)), "failures": str(numbers["failure"]), "errors": str(numbers["error"])}
    suite = ElementTree.Element("testsuite", {"name": visible(host.name), **counts, "timestamp": started.removesuffix("Z")})
    suite.extend(cases)
    return suite


def _sums(suites: Iterable[ElementTree.Element]) -> dict[str, str]:
    every = list(suites)
    return {name: str(sum(int(suite.attrib[name]) for suite in every)) for name in ("tests", "failures", "errors")}


def _problem(text: str) -> JsonObject:
    return {"task": "plan", "problems": [text], "remedy": ""}


def _case(host: HostPlan, name: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", {"classname": visible(host.name), "name": visible(name)})


def _change(host: HostPlan, change: JsonObject) -> ElementTree.Element:
    case = _case(host, f"{change['action']} {change['kind']} {change['object']}")
    before, after = (json.dumps(change[side], ensure_ascii=False, default=str) for side in ("before", "after"))
    message = shortened(visible(f"{before} -> {after}"), _MESSAGE)
    failure = ElementTree.SubElement(case, "failure", {"type": str(change["action"]), "message": message})
    lines = [f"before: {before}", f"after: {after}", f"reason: {change['reason']}", f"risk: {change['risk'] or 'none'}"]
    failure.text = "\n".join(visible(line) for line in lines)
    return case


def _task(host: HostPlan, task: JsonObject) -> ElementTree.Element:
    case = _case(host, str(task["task"]))
    ElementTree.SubElement(case, "failure", {"type": "task", "message": visible(f"{task['module']} would change something")})
    return case


def _error(host: HostPlan, problem: JsonObject) -> ElementTree.Element:
    case = _case(host, str(problem["task"]))
    message = " ".join(str(text) for text in problem["problems"])
    error = ElementTree.SubElement(case, "error", {"type": host.state, "message": shortened(visible(message), _MESSAGE)})
    error.text = "\n".join(visible(str(text)) for text in [*problem["problems"], problem["remedy"]] if text)
    return case
