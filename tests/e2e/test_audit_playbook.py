"""Playbook audit as a user runs it: the JSON of a fleet, and a tenant that cannot be read."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import check_contract

from .test_playbooks import Playground

pytestmark = pytest.mark.one_python_is_enough
FILES = {"report.html", "report.json", "senders.csv", "findings.csv", "action-plan.csv", "findings.sarif", "metrics.prom"}
MOST = 12  # requests of a tenant of the demo


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    made = Playground(tmp_path_factory.mktemp("audit"))
    yield made
    made.sandbox.stop()


def refuse_secret(playground: Playground) -> None:
    """The automation app of contoso gets another secret than that of the inventory."""
    applications = playground.admin.tenant("contoso.com")["applications"]
    automation = next(app for app in applications if app["display_name"] == "Automation")
    playground.admin.change("contoso.com", "applications", automation["app_id"], secrets=[{"value": "another"}])


def test_a_fleet_is_audited_and_nothing_is_written(playground: Playground, tmp_path: Path) -> None:
    target = tmp_path / "audit"
    path = target / "report.json"
    refuse_secret(playground)
    run = playground.play("audit.yml", "-e", "audit_date=2026-11-28", variables={"MAILOPS_AUDIT": str(target)})
    assert run.code == 2, run.output
    assert "33 days until 2026-12-31 (end of December 2026)" in run.output
    assert "Not audited: contoso." in run.output
    document: dict[str, Any] = json.loads(path.read_text())
    assert document["format"] == "mailops.audit/1"
    assert document["totals"]["tenants"] == {"audited": 2, "not_audited": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {file.name for file in target.iterdir()} == FILES
    assert f"Report of the audit: {target}" in run.output
    tenants = document["tenants"]
    assert tenants["contoso"]["audited"] is False
    assert "client secret" in tenants["contoso"]["reason"]
    for name in ("fabrikam", "northwind"):
        assert {one["name"] for one in tenants[name]["sources"] if not one["readable"]} == {"sign_ins"}
        assert sum(tenants[name]["totals"].values()) == len(tenants[name]["senders"]) > 0
    assert playground.writes() == []
    assert max(row["requests"] for row in run.report["tenants"].values()) <= MOST
    check_contract(playground.record_file)


def test_findings_name_the_lines_of_the_inventory(playground: Playground, tmp_path: Path) -> None:
    assert playground.play("audit.yml", "--limit", "fabrikam", variables={"MAILOPS_AUDIT": str(tmp_path)}).code == 0
    results: list[dict[str, Any]] = json.loads((tmp_path / "findings.sarif").read_text())["runs"][0]["results"]
    locations = [one["locations"][0]["physicalLocation"] for one in results]
    assert {location["artifactLocation"]["uri"] for location in locations} == {"inventories/demo/host_vars/fabrikam.yml"}
    assert max(location["region"]["startLine"] for location in locations) > 1


def test_the_next_audit_is_compared_with_this_one(playground: Playground, tmp_path: Path) -> None:
    first, variables = tmp_path / "report.json", {"MAILOPS_AUDIT": str(tmp_path), "MAILOPS_AUDIT_EARLIER": str(tmp_path / "report.json")}
    assert playground.play("audit.yml", "--limit", "northwind", variables={"MAILOPS_AUDIT": str(tmp_path)}).code == 0
    earlier: dict[str, Any] = json.loads(first.read_text())
    playground.admin.put("northwind.example.com", "inbound_connectors", "Old scanner", Enabled=False)
    run = playground.play("audit.yml", "--limit", "northwind", variables=variables)
    assert run.code == 0, run.output
    comparison = json.loads(first.read_text())["comparison"]
    assert comparison["earlier"] == earlier["started"]
    assert [(one["change"], one["id"], one["subject"]) for one in comparison["changes"]] == [("new", "connector_disabled", "Old scanner")]
    assert f"Compared with the audit of {earlier['started']}" in run.output


def test_the_reports_of_two_slices_are_merged(playground: Playground, tmp_path: Path) -> None:
    first, both = tmp_path / "first", tmp_path / "both"
    assert playground.play("audit.yml", "--limit", "fabrikam", variables={"MAILOPS_AUDIT": str(first)}).code == 0
    variables = {"MAILOPS_AUDIT": str(both), "MAILOPS_AUDIT_MERGE": str(first / "report.json")}
    run = playground.play("audit.yml", "--limit", "northwind", variables=variables)
    assert run.code == 0, run.output
    assert "With the tenants of other reports: 2 audited, 0 not audited." in run.output
    document = json.loads((both / "report.json").read_text())
    assert list(document["tenants"]) == ["fabrikam", "northwind"]
    assert document["totals"]["tenants"] == {"audited": 2, "not_audited": 0}


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("MAILOPS_AUDIT", "The audit (MAILOPS_AUDIT) could not be written to"),
        ("MAILOPS_AUDIT_EARLIER", "file: it is not JSON. Name the report.json of an audit."),
        ("MAILOPS_AUDIT_MERGE", "file: it is not JSON. Name the report.json of an audit."),
    ],
)
def test_a_path_that_cannot_be_used_ends_the_run_before_its_first_request(
    playground: Playground, tmp_path: Path, variable: str, sentence: str
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    before = len(playground.record())
    run = playground.play("audit.yml", "--limit", "fabrikam", variables={variable: str(tmp_path / "file")})
    assert run.code == 1, run.output
    assert sentence in run.output
    assert len(playground.record()) == before


def test_another_playbook_writes_no_audit(playground: Playground, tmp_path: Path) -> None:
    path = tmp_path / "audit"
    run = playground.play("site.yml", "--check", "--limit", "fabrikam", variables={"MAILOPS_AUDIT": str(path)})
    assert run.code == 0, run.output
    assert not path.exists()
    assert "AUDIT" not in run.output
