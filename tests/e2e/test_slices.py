"""Slices of a job, run by ansible-runner as AWX runs them: their reports and plans are merged into those of the whole inventory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from .site_runs import REPO, Site

TENANTS = ("contoso", "fabrikam", "northwind")
BINARIES = Path(sys.executable).parent
OF_TIME = ("seconds", "requests", "waited")  # of the run: tokens are requested once for each slice


def slice_of(site: Site, directory: Path, *tenants: str) -> Path:
    """Run a check of these tenants with ansible-runner; the directory of its artifacts."""
    inventory = directory / "inventory"
    (inventory / "host_vars").mkdir(parents=True)
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"tenants": {"hosts": dict.fromkeys(tenants)}}))
    (inventory / "group_vars").symlink_to(REPO / "inventories/demo/group_vars")
    for tenant in tenants:
        (inventory / "host_vars" / f"{tenant}.yml").write_text(yaml.safe_dump(site.variables(tenant)))
    (directory / "project").mkdir()
    (directory / "env").mkdir()
    files = {"MAILOPS_REPORT": "report-$JOB_ID.json", "MAILOPS_PLAN": "plan-$JOB_ID.json"}
    # AWX has the number of the job in JOB_ID; a path may name such a variable.
    variables = {name: f"{directory}/{file}" for name, file in files.items()} | {"JOB_ID": "7"} | {"MAILOPS_EXIT_ON_CHANGES": "1"}
    variables |= {"ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "MAILOPS_DEMO_DIRECTORY": str(site.sandbox.directory)}
    variables |= {"ANSIBLE_COLLECTIONS_PATH": str(REPO / ".ansible/collections")}
    (directory / "env/envvars").write_text(yaml.safe_dump(variables))
    (directory / "env/cmdline").write_text("--check --skip-tags verify")
    command = [BINARIES / "ansible-runner", "run", directory, "--playbook", "mailops.m365.site", "--ident", "slice"]
    environment = {"PATH": f"{BINARIES}:{os.environ['PATH']}", "HOME": str(directory)}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 3, done.stdout + done.stderr
    events = (document(file) for file in (directory / "artifacts/slice/job_events").glob("*.json"))
    [end] = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
    assert end["artifact_data"] == {"m365_plan_expected": f"{directory}/plan-7.json"}, "for the next node of a workflow of AWX"
    return directory / "artifacts" / "slice"


def merge(*arguments: str | Path) -> int:
    command = [sys.executable, "-m", "ansible_collections.mailops.m365.plugins.module_utils._report.mailops_merge", *arguments]
    environment = {"PYTHONPATH": str(REPO / ".ansible/collections"), "PATH": os.environ["PATH"]}
    return subprocess.run(command, env=environment, check=False, timeout=60).returncode


def document(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


def test_slices_merge_into_the_whole(site: Site, tmp_path: Path) -> None:
    slices = [tmp_path / "1", tmp_path / "2"]
    artifacts = [slice_of(site, slices[0], "contoso"), slice_of(site, slices[1], "fabrikam", "northwind")]
    assert [(directory / "rc").read_text() for directory in artifacts] == ["3", "3"]
    assert "tenants: 1 would change" in (artifacts[0] / "stdout").read_text()

    whole = tmp_path / "whole.json"
    run = site.play({name: site.variables(name) for name in TENANTS}, None, "--check", "--skip-tags", "verify", MAILOPS_PLAN=str(whole))
    assert run.code == 0, run.output

    merged = tmp_path / "plan.json"
    files = [directory / "plan-7.json" for directory in slices]
    assert merge(*files, "--output", merged, "--markdown", tmp_path / "plan.md", "--exit-on-changes") == 3
    one = document(merged)
    assert one | {"started": ""} == document(whole) | {"started": ""}
    assert (tmp_path / "plan.md").read_text().count("<details>") == len(TENANTS)

    merged = tmp_path / "report.json"
    assert merge(*(directory / "report-7.json" for directory in slices), "--output", merged) == 0
    one, expected = document(merged), run.report
    assert {name: value for name, value in one["totals"].items() if name not in OF_TIME} == {
        name: value for name, value in expected["totals"].items() if name not in OF_TIME
    }
    assert {host: row["changed"] for host, row in one["tenants"].items()} == {
        host: row["changed"] for host, row in expected["tenants"].items()
    }
    order = [(task["tenant"], task["task"]) for task in one["tasks"]]
    assert sorted(order) == sorted((task["tenant"], task["task"]) for task in expected["tasks"])

    assert (
        site.play({name: site.variables(name) for name in TENANTS}, None, "--skip-tags", "verify", "-e", f"m365_plan_expected={whole}").code
        == 0
    )
