# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.mailops.m365.plugins.module_utils._core.markdown_text import visible
from ansible_collections.mailops.m365.plugins.module_utils._report.plan_document import HostPlan, PlanDocument
from ansible_collections.mailops.m365.plugins.module_utils._report.plan_junit import junit
from hypothesis import given, settings

from .test_plan_markdown import change, plans

PROBLEM = {"task": "Plan", "problems": ["the client secret is wrong."], "remedy": "Correct m365_client_secret."}


def parsed(plan: PlanDocument) -> ElementTree.Element:
    """The document as a parser reads the file."""
    return ElementTree.fromstring(junit(plan).encode())  # noqa: S314 - our own document


def test_a_change_is_a_failure_of_its_host() -> None:
    changes = [change("erp@contoso.com", "disabled", "enabled", kind="smtp_auth")]
    task = {"task": "Install", "module": "ansible.builtin.apt", "diff": None}
    root = parsed(
        PlanDocument("2026-11-29T10:00:00Z", "ok", [HostPlan("contoso", "changed", changes, [task]), HostPlan("fabrikam", "unchanged")])
    )
    assert root.attrib == {"name": "mailops plan", "tests": "3", "failures": "2", "errors": "0"}
    contoso, fabrikam = root
    assert contoso.attrib == {"name": "contoso", "tests": "2", "failures": "2", "errors": "0", "timestamp": "2026-11-29T10:00:00"}
    assert contoso[0].attrib == {"classname": "contoso", "name": "change smtp_auth erp@contoso.com"}
    assert contoso[0][0].attrib == {"type": "change", "message": '"disabled" -> "enabled"'}
    assert contoso[0][0].text == 'before: "disabled"\nafter: "enabled"\nreason: sender ERP\nrisk: opens'
    assert contoso[1][0].attrib == {"type": "task", "message": "ansible.builtin.apt would change something"}
    assert [(case.attrib["name"], len(case)) for case in fabrikam] == [("no changes", 0)]


def test_a_failed_host_is_an_error() -> None:
    root = parsed(PlanDocument("", "failed", [HostPlan("a", "failed", problems=[PROBLEM]), HostPlan("b", "not_run")]))
    assert (root.attrib["failures"], root.attrib["errors"]) == ("0", "2")
    assert root[0][0][0].attrib == {"type": "failed", "message": "the client secret is wrong."}
    assert root[0][0][0].text == "the client secret is wrong.\nCorrect m365_client_secret."
    assert root[1][0][0].attrib["message"] == "not run."


def test_a_run_that_has_not_ended_is_an_error() -> None:
    root = parsed(PlanDocument("", "running"))
    assert (root.attrib["tests"], root.attrib["errors"]) == ("1", "1")


@settings(max_examples=100, deadline=None)
@given(plans)
def test_the_document_is_valid_whatever_texts_are_in_it(plan: PlanDocument) -> None:
    root = parsed(plan)
    assert [suite.attrib["name"] for suite in root] == [visible(host.name) for host in plan.hosts]
    for suite, host in zip(root, plan.hosts, strict=True):
        assert int(suite.attrib["tests"]) == len(suite) == max(len(host.changes) + len(host.tasks) + len(host.problems), 1)
        names = [f"{one['action']} {one['kind']} {one['object']}" for one in host.changes]
        assert [case.attrib["name"] for case in suite][: len(names)] == [visible(name) for name in names]
