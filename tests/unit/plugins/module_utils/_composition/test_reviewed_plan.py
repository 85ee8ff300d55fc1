# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._composition import reviewed_plan
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput

Document = dict[str, Any]
CHANGE: Document = {
    "action": "change", "kind": "smtp_auth", "object": "erp@contoso.com", "key": "smtp_auth:erp@contoso.com", "before": "disabled",
    "after": "enabled", "reason": "sender ERP", "risk": "opens",
}  # fmt: skip


def written(path: Path, *changes: Document, state: str = "changed", **more: Any) -> str:
    """The path of a plan with these changes of contoso."""
    tenants = {"contoso": {"state": state, "changes": list(changes)}}
    file = path / "plan.json"
    file.write_text(json.dumps({"format": "mailops.plan/1", "status": "ok", "tenants": tenants} | more))
    return str(file)


def refused(path: str, *changes: Document, host: str = "contoso") -> list[str]:
    """The problems; empty where the plan is that of these changes."""
    try:
        reviewed_plan.refuse_another(path, host, changes)
    except InvalidInput as error:
        return error.problems
    return []


def test_the_same_changes_pass(tmp_path: Path) -> None:
    other = CHANGE | {"key": "smtp_auth:b@contoso.com", "object": "b@contoso.com"}
    path = written(tmp_path, CHANGE, other)
    assert refused(path, CHANGE, other) == refused(path, other, CHANGE) == []
    assert refused(path, CHANGE | {"reason": "senders ERP, Shop"}, other) == [], "the reason is for people"


def test_values_are_compared_as_json_has_them(tmp_path: Path) -> None:
    change = CHANGE | {"after": {"addresses": ("a", "b")}}
    assert refused(written(tmp_path, change), change) == []


@pytest.mark.parametrize(
    ("fresh", "sentence"),
    [
        ({"after": "inherit"}, 'smtp_auth erp@contoso.com (change): after is "inherit", and "enabled" in the reviewed plan.'),
        ({"before": "inherit"}, 'smtp_auth erp@contoso.com (change): before is "inherit", and "disabled" in the reviewed plan.'),
    ],
)
def test_another_value_is_a_difference(tmp_path: Path, fresh: Document, sentence: str) -> None:
    assert refused(written(tmp_path, CHANGE), CHANGE | fresh) == [sentence]


def test_changes_that_are_new_or_missing_are_differences(tmp_path: Path) -> None:
    other = {"key": "direct_send:organization", "kind": "direct_send", "object": "organization", "action": "add"}
    assert refused(written(tmp_path, CHANGE), CHANGE | other) == [
        "direct_send organization (add) is not in the reviewed plan.",
        "smtp_auth erp@contoso.com (change) is in the reviewed plan, and no longer needed.",
    ]
    assert refused(written(tmp_path, CHANGE), CHANGE | {"action": "restore"})[0].startswith("smtp_auth erp@contoso.com (restore) is not")


def test_many_differences_are_cut(tmp_path: Path) -> None:
    many = [CHANGE | {"key": f"smtp_auth:{n}", "object": str(n)} for n in range(30)]
    problems = refused(written(tmp_path), *many)
    assert (len(problems), problems[-1]) == (21, "And 10 more.")


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    [problem] = refused(written(tmp_path, CHANGE), CHANGE | {"after": "x" * 5000})
    assert len(problem) < 300


def test_the_date_of_a_new_certificate_is_no_difference(tmp_path: Path) -> None:
    def of_day(day: str) -> Document:
        name = f"mailops-smtp-sender new certificate until {day}"
        return CHANGE | {"kind": "certificate", "object": name, "key": f"certificate:{name}", "before": None, "after": "present"}

    assert refused(written(tmp_path, of_day("2027-11-28")), of_day("2027-11-29")) == []


def test_a_tenant_without_changes_passes_with_any_plan(tmp_path: Path) -> None:
    assert refused(written(tmp_path, CHANGE)) == refused(written(tmp_path), host="fabrikam") == []


def test_a_tenant_that_the_plan_does_not_have_is_refused(tmp_path: Path) -> None:
    [problem] = refused(written(tmp_path, CHANGE), CHANGE, host="fabrikam")
    assert "has no plan of fabrikam: limit this run to the tenants of the plan (--limit)" in problem
    [problem] = refused(written(tmp_path, state="failed"), CHANGE)
    assert "in which contoso has no plan, because its check run failed" in problem


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "which is not JSON"),
        ("[]", "which has no format; this version reads 'mailops.plan/1'"),
        ('{"format": "mailops.report/1"}', "which has the format 'mailops.report/1'; this version reads 'mailops.plan/1'"),
        ('{"format": "mailops.plan/1", "status": "running", "tenants": {}}', "which is the plan of a run that has not ended"),
        ('{"format": "mailops.plan/1", "tenants": {}}', "in which fields are missing or damaged"),
        ('{"format": "mailops.plan/1", "status": "ok", "tenants": []}', "in which fields are missing or damaged"),
        ('{"format": "mailops.plan/1", "status": "ok", "tenants": {"a": {"state": "changed", "changes": [{}]}}}', "missing or damaged"),
        ('{"format": "mailops.plan/1", "status": "ok", "tenants": {"a": {"state": "changed"}}}', "missing or damaged"),
    ],
)
def test_what_is_no_plan_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(content)
    [problem] = reviewed_plan.problems(str(file))
    assert problem.startswith(f"m365_plan_expected is {file}, ")
    assert sentence in problem
    assert problem.endswith("make a plan again (check run with MAILOPS_PLAN), have it reviewed, and give that file.")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    [problem] = reviewed_plan.problems(str(tmp_path / "no.json"))
    assert problem.endswith("which cannot be read (No such file or directory): give the path of the reviewed plan.")
    assert reviewed_plan.problems(written(tmp_path, CHANGE)) == []
