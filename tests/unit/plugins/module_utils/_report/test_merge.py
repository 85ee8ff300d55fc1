# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._report.mailops_merge import main
from ansible_collections.mailops.m365.plugins.module_utils._report.merge import merged
from ansible_collections.mailops.m365.plugins.module_utils._report.results import Hosts
from ansible_collections.mailops.m365.plugins.module_utils._report.summary import Report

from .test_plan_document import change, planned

Document = dict[str, Any]
Captured = pytest.CaptureFixture[str]
WRONG = {
    "failed": True,
    "msg": "x",
    "failure": {"problems": ["m365_licences is -1."]},
    "cost": {"requests": 1, "retries": 0, "waited": 0.5},
}
RESULTS: dict[str, Document] = {
    "a": planned(change("x@a.example"), warnings=["UPS: no SPF."]),
    "b": WRONG,
    "c": planned(),
    "d": WRONG,
    "e": planned(change("y@e.example", "remove"), warnings=["UPS: no SPF."]),
}


def report(*hosts: str, seconds: float = 1.0) -> Report:
    """A check run of these hosts."""
    run = Report(started=f"2026-11-29T10:00:0{len(hosts)}Z", check_mode=True, seconds=seconds)
    for host in hosts:
        run.add(host, "Plan", "tenant", RESULTS[host], check_mode=True)
    run.hosts = Hosts(failed={host for host in hosts if RESULTS[host].get("failed")}, tenants=set(hosts))
    return run


def plain(document: Document) -> Document:
    """As it is read from a file."""
    loaded: Document = json.loads(json.dumps(document))
    return loaded


def test_the_plans_of_slices_are_the_plan_of_one_run() -> None:
    parts = {name: plain(report(*hosts).plan.as_json()) for name, hosts in (("1", "ac"), ("2", "bde"))}
    whole = plain(report(*"abcde").plan.as_json())
    assert plain(merged(parts)) == whole | {"started": "2026-11-29T10:00:02Z"}


def test_the_reports_of_slices_are_the_report_of_one_run() -> None:
    parts = {name: plain(report(*hosts, seconds=len(hosts)).as_json()) for name, hosts in (("1", "ac"), ("2", "bde"))}
    one, whole = plain(merged(parts)), plain(report(*"abcde", seconds=3.0).as_json())
    assert [entry["hosts"] for entry in one["attention"]] == [["b", "d"]]
    assert [entry["hosts"] for entry in one["warnings"]] == [["a", "e"]]
    tasks = one.pop("tasks")
    assert sorted(tasks, key=json.dumps) == sorted(whole.pop("tasks"), key=json.dumps)
    assert one == whole | {"started": "2026-11-29T10:00:02Z"}


def test_a_run_that_has_not_ended_is_running() -> None:
    parts = {"1": plain(report("a").plan.as_json()), "2": plain(Report(started="2026-11-29T09:00:00Z").plan.as_json())}
    assert (merged(parts)["status"], merged(parts)["started"]) == ("running", "2026-11-29T09:00:00Z")


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        ([report("a").plan.as_json(), report("a", "b").plan.as_json()], "a is in 0 and in 1: give each host's file once."),
        ([report("a").plan.as_json(), report("b").as_json()], "The files are plans and reports: give files of one format."),
        ([report("a").as_json(), report("b").as_json() | {"check_mode": False}], "The files are of check runs and of others"),
        ([report("a").plan.as_json(), {"format": "mailops.plan/2"}], "1 has the format 'mailops.plan/2': give files of mailops.plan/1"),
        ([[]], "0 has the format None"),
    ],
)
def test_what_is_no_part_of_one_run_is_refused(documents: list[Any], problem: str) -> None:
    with pytest.raises(InvalidInput) as error:
        merged({str(number): document for number, document in enumerate(documents)})
    [sentence] = error.value.problems
    assert sentence.startswith(problem)


def test_the_command_writes_every_form_of_the_plan(tmp_path: Path) -> None:
    for host in "ac":
        (tmp_path / f"{host}.json").write_text(json.dumps(report(host).plan.as_json()))
    files = [str(tmp_path / f"{host}.json") for host in "ac"]
    output, comment, suites = (tmp_path / name for name in ("plan.json", "plan.md", "plan.xml"))
    arguments = [*files, "--output", str(output), "--markdown", str(comment), "--junit", str(suites)]
    assert main(arguments) == 0
    assert main([*arguments, "--exit-on-changes"]) == 3
    assert main([files[1], "--output", str(output), "--exit-on-changes"]) == 0
    main(arguments)
    assert list(json.loads(output.read_text())["tenants"]) == ["a", "c"]
    assert output.stat().st_mode & 0o777 == 0o600
    assert comment.read_text().startswith("<!-- mailops.plan -->\n## Plan: 1 to add\n")
    assert 'tests="2"' in suites.read_text()


@pytest.mark.parametrize(
    ("files", "output", "sentence"),
    [
        (["no.json"], "x.json", "no.json cannot be read: No such file or directory."),
        (["text.json"], "x.json", "text.json is not JSON: "),
        (["report.json"], "no/x.json", "no/x.json cannot be written: No such file or directory."),
        (["report.json", "--markdown", "x.md"], "x.json", "--markdown, --junit and --exit-on-changes are for plans (MAILOPS_PLAN)"),
    ],
)
def test_the_command_reports_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, files: list[str], output: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.json").write_text("text")
    (tmp_path / "report.json").write_text(json.dumps(report("a").as_json()))
    assert main([*files, "--output", output]) == 2
    assert capsys.readouterr().err.startswith(f"mailops-merge: {sentence}")
    assert not (tmp_path / "x.md").exists()
