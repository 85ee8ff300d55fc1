"""The plan of a check run for pipelines: plan.json, exit status 3, and a run that applies exactly the reviewed plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from .site_runs import REPO, Run, Site

NEW_SENDER = {"name": "New", "kind": "website", "address": "new@contoso.com"}


class Pipeline:
    """Check runs and runs of these tenants with one plan file."""

    def __init__(self, site: Site, *tenants: str) -> None:
        self.site, self.tenants = site, list(tenants)
        self.path = site.directory / f"{'-'.join(tenants)}.json"

    def variables(self, **changes: Any) -> dict[str, Any]:
        return {name: self.site.variables(name, **changes) for name in self.tenants}

    @property
    def environment(self) -> dict[str, str]:
        files = {"MAILOPS_PLAN": self.path, "MAILOPS_PLAN_MARKDOWN": self.markdown, "MAILOPS_PLAN_JUNIT": self.junit}
        return {name: str(path) for name, path in files.items()} | {"MAILOPS_EXIT_ON_CHANGES": "1"}

    @property
    def markdown(self) -> Path:
        return self.path.with_suffix(".md")

    @property
    def junit(self) -> Path:
        return self.path.with_suffix(".xml")

    def check(self, *options: str, **changes: Any) -> Run:
        return self.site.play(self.variables(**changes), None, "--check", *options, **self.environment)

    def apply(self, *options: str, **changes: Any) -> Run:
        """With the environment of the check run, as a pipeline may have it for all its jobs."""
        return self.site.play(self.variables(**changes), None, "-e", f"m365_plan_expected={self.path}", *options, **self.environment)

    @property
    def plan(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.path.read_text())
        return document


def test_a_reviewed_plan_is_applied_and_no_other(site: Site) -> None:
    pipeline = Pipeline(site, "contoso", "northwind")
    checked = pipeline.check()
    assert checked.code == 3, checked.output
    plan = pipeline.plan
    assert (plan["format"], plan["status"], plan["changes"]) == ("mailops.plan/1", "ok", True)
    assert pipeline.path.stat().st_mode & 0o777 == 0o600
    contoso = plan["tenants"]["contoso"]
    assert contoso["state"] == "changed"
    by_key = {change["key"]: change for change in contoso["changes"]}
    application = by_key["application:mailops-smtp-sender"]
    assert (application["action"], application["before"]) == ("add", None)
    assert "sender" in application["reason"]
    assert plan["totals"]["add"] == sum(c["action"] == "add" for host in plan["tenants"].values() for c in host["changes"]) > 0
    assert plan["totals"]["hosts"] == 2
    comment, suites = pipeline.markdown.read_text(), ElementTree.parse(pipeline.junit).getroot()  # noqa: S314 - our own document
    assert comment.startswith("<!-- mailops.plan -->\n## Plan: ")
    assert "| add | `application` | `mailops-smtp-sender` |" in comment
    assert int(suites.attrib["failures"]) == sum(plan["totals"][name] for name in ("add", "change", "remove", "restore", "tasks"))
    text = "".join(path.read_text() for path in (pipeline.path, pipeline.markdown, pipeline.junit))
    assert not [name for name, value in site.passwords.items() if value in text], "a secret is in the plan"
    assert "BEGIN" not in text

    refused = pipeline.apply("--limit", "contoso", m365_senders=[*site.variables("contoso")["m365_senders"], NEW_SENDER])
    assert refused.code == 2, refused.output
    [entry] = refused.report["attention"]
    assert "mailbox new@contoso.com (add) is not in the reviewed plan." in " ".join(entry["problems"]), entry
    assert f"This is not the plan in m365_plan_expected ({pipeline.path}): nothing was changed." in entry["remedy"]
    assert {task["changed"] for task in refused.report["tasks"]} == {False}

    still = pipeline.check()
    assert (still.code, pipeline.plan["tenants"]) == (3, plan["tenants"]), "the refused run changed nothing"

    applied = pipeline.apply()
    assert applied.code == 0, applied.output
    assert applied.report["totals"]["tenants"]["changed"] == 2
    done = [change for task in applied.report["tasks"] if task["tenant"] == "contoso" for change in task["changes"]]
    assert done == contoso["changes"]
    assert pipeline.plan["tenants"] == plan["tenants"], "a run that applies leaves the plan as it is"

    again = pipeline.apply()
    assert (again.code, again.report["totals"]["tenants"]["unchanged"]) == (0, 2), "nothing is left to do, and nothing to refuse"
    nothing = pipeline.check()
    assert nothing.code == 0, nothing.output
    assert (pipeline.plan["changes"], pipeline.plan["tenants"]["contoso"]["changes"]) == (False, [])


def test_a_tenant_that_the_plan_does_not_have_fails_before_its_first_write(site: Site) -> None:
    pipeline = Pipeline(site, "fabrikam")
    assert pipeline.check().code == 3
    plan = pipeline.plan
    pipeline.path.write_text(json.dumps(plan | {"tenants": {"other": plan["tenants"]["fabrikam"]}}))
    refused = pipeline.apply()
    assert refused.code == 2
    problems = " ".join(refused.attention["fabrikam"]["problems"])
    assert f"m365_plan_expected is {pipeline.path}, which has no plan of fabrikam" in problems
    pipeline.path.write_text(json.dumps(plan | {"format": "mailops.plan/2"}))
    before = site.requests()
    refused = pipeline.apply()
    assert refused.code == 2
    problems = " ".join(refused.attention["fabrikam"]["problems"])
    assert "has the format 'mailops.plan/2'; this version reads 'mailops.plan/1'" in problems
    assert site.requests() == before, "found before the first request"
    assert pipeline.check().code == 3, "nothing was changed"


def test_a_module_in_a_process_of_its_own_compares_with_the_plan(site: Site) -> None:
    pipeline = Pipeline(site, "fabrikam")
    assert pipeline.check("--tags", "connectors", "--skip-tags", "verify", m365_in_process=False).code == 3
    plan = pipeline.plan
    assert [change["kind"] for change in plan["tenants"]["fabrikam"]["changes"]] == [
        "inbound_connector",
        "inbound_connector",
        "direct_send",
    ]
    refused = pipeline.apply("--tags", "dns", "--skip-tags", "verify", m365_in_process=False)
    assert refused.code == 2, "the tags decide what is planned"
    problems = " ".join(refused.attention["fabrikam"]["problems"])
    assert "spf_record fabrikam.com (change) is not in the reviewed plan." in problems
    assert "inbound_connector Plant relay (add) is in the reviewed plan, and no longer needed." in problems


def test_offboarding_applies_a_reviewed_plan(site: Site) -> None:
    """The tenant is configured first; then a plan of its removal is reviewed, and the removal differs once from it."""
    pipeline = Pipeline(site, "contoso")
    assert pipeline.site.play(pipeline.variables(), None, "--skip-tags", "verify").code == 0
    offboard = [str(REPO / "playbooks/offboard.yml"), "-e", "offboard_tenants=contoso"]
    assert pipeline.check(*offboard).code == 3
    plan = pipeline.plan
    assert {change["action"] for change in plan["tenants"]["contoso"]["changes"]} <= {"change", "remove", "restore"}
    [first, *rest] = plan["tenants"]["contoso"]["changes"]
    pipeline.path.write_text(json.dumps(plan | {"tenants": {"contoso": plan["tenants"]["contoso"] | {"changes": rest}}}))
    refused = pipeline.apply(*offboard)
    assert refused.code == 2
    assert f"{first['kind']} {first['object']} ({first['action']}) is not in the reviewed plan." in " ".join(
        refused.attention["contoso"]["problems"]
    )
    pipeline.path.write_text(json.dumps(plan))
    done = pipeline.apply(*offboard)
    assert done.code == 0, done.output


def test_a_failed_tenant_has_ansibles_exit_status_and_no_plan(site: Site) -> None:
    pipeline = Pipeline(site, "fabrikam")
    wrong = pipeline.check(m365_client_id="00000000-0000-0000-0000-000000000000")
    assert wrong.code == 2, wrong.output
    host = pipeline.plan["tenants"]["fabrikam"]
    assert (pipeline.plan["status"], host["state"], host["changes"]) == ("failed", "failed", [])
    assert "AADSTS700016" in " ".join(host["problems"][0]["problems"])
    refused = pipeline.apply()
    assert refused.code == 2
    assert "in which fabrikam has no plan, because its check run failed" in " ".join(refused.attention["fabrikam"]["problems"])


def test_an_unreachable_host_has_ansibles_exit_status(site: Site) -> None:
    """4, although the other tenant has changes."""
    off = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    pipeline = Pipeline(site, "fabrikam")
    tenants = pipeline.variables() | {"unreachable": site.variables("contoso", **off)}
    run = site.play(tenants, None, "--check", "--tags", "dns", "--skip-tags", "verify", **pipeline.environment)
    assert run.code == 4, run.output
    assert (pipeline.plan["status"], pipeline.plan["changes"]) == ("failed", True)
    assert pipeline.plan["tenants"]["unreachable"]["state"] == "unreachable"


def test_a_plan_without_any_host_is_a_failure(site: Site) -> None:
    """A pipeline with a wrong inventory would read it as a plan without changes."""
    pipeline = Pipeline(site)
    pipeline.path = site.directory / "none.json"
    run = pipeline.check()
    assert run.code == 1, run.output
    assert "The plan has no host, since no play of this run has one. Check the inventory (-i) and --limit." in " ".join(run.output.split())
    assert pipeline.plan["totals"]["hosts"] == 0


def test_changes_of_any_module_end_with_exit_status_3(site: Site, tmp_path: Path) -> None:
    """Those of a single module with their diff, those of a module of somebody else by name: their values may be secrets."""
    tasks: list[dict[str, Any]] = [
        {"name": "Enable", "mailops.m365.smtp_auth": {"mailboxes": [{"address": "it@fabrikam.com", "smtp_auth": "enabled"}]}},
        {"name": "Write", "ansible.builtin.copy": {"content": "a secret", "dest": str(tmp_path / "file")}, "loop": [1, 2]},
        {"name": "Read", "mailops.m365.smtp_auth_info": {}},
    ]
    playbook = tmp_path / "tasks.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "tenants", "gather_facts": False, "tasks": tasks}]))
    pipeline = Pipeline(site, "fabrikam")
    run = pipeline.check(str(playbook))
    assert run.code == 3, run.output
    [single, other] = pipeline.plan["tenants"]["fabrikam"]["tasks"]
    assert (single["task"], single["module"]) == ("Enable", "smtp_auth")
    assert single["diff"]["after"] == {"mailboxes": {"it@fabrikam.com": "enabled"}}
    assert other == {"task": "Write", "module": "ansible.builtin.copy", "diff": None}
    assert "a secret" not in pipeline.path.read_text()
    assert pipeline.plan["totals"]["tasks"] == 2


def test_a_plan_that_cannot_be_written_ends_the_run_before_it_starts(site: Site, tmp_path: Path) -> None:
    pipeline = Pipeline(site, "fabrikam")
    before = site.requests()
    pipeline.path = tmp_path / "missing" / "plan.json"
    run = pipeline.check()
    assert run.code == 1
    assert f"The plan (MAILOPS_PLAN) could not be written to {pipeline.path}: No such file or directory." in run.output
    assert site.requests() == before


def test_a_plan_that_cannot_be_written_at_the_end_fails_the_run(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    pipeline = Pipeline(site, "fabrikam")
    pipeline.path = folder / "plan.json"
    remove = {"name": "Remove the folder", "ansible.builtin.file": {"path": str(folder), "state": "absent"}, "check_mode": False}
    tasks = [{"name": "Read", "mailops.m365.smtp_auth_info": {}}, remove]
    playbook = tmp_path / "remove.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "tenants", "gather_facts": False, "tasks": tasks}]))
    run = pipeline.check(str(playbook))
    assert run.code == 1, run.output
    assert "could not be written" in run.output
