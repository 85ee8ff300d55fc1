# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CSV files, SARIF and the metrics of an audit."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import sarif as sarif_file
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import tables
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.inventory_lines import locate
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.items import Item, items
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.metrics import metrics
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.sarif import sarif
from jsonschema import Draft7Validator
from prometheus_client.parser import text_string_to_metric_families

from .documents import FINDING, OPEN, SAFE, SENDER, UNLISTED, audited, document

REPO = Path(__file__).resolve().parents[6]
SCHEMA = Draft7Validator(json.loads((REPO / "tests/contract/sarif-2.1.0.json").read_text("utf-8")))
FLEET = document(
    contoso=audited(SENDER, SAFE, UNLISTED, findings=(FINDING, OPEN), unreadable=("sign_ins",)),
    fabrikam=audited(SAFE),
    northwind="The secret is wrong.",
)


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def nowhere(_one: Item) -> None:
    return None


def test_senders_have_their_evidence_and_what_was_not_read_is_empty() -> None:
    erp, shop, crm, _other = rows(tables.senders(FLEET))
    assert (erp["tenant"], erp["address"], erp["verdict"], erp["date"]) == ("contoso", "erp@contoso.com", "breaks", "2026-12-31")
    assert (erp["basic_succeeded"], erp["basic_failed"], erp["basic_addresses"]) == ("812", "0", "203.0.113.9 203.0.113.10")
    assert (shop["basic_succeeded"], shop["basic_failed"], shop["date"]) == ("", "", "")
    assert (erp["trace_messages"], erp["trace_sources"], erp["report_oauth"], erp["connector"]) == ("812", "203.0.113.9", "no", "Plant")
    assert (crm["trace_messages"], crm["report_oauth"], crm["connector"]) == ("", "", "")
    assert (erp["in_inventory"], crm["in_inventory"], crm["method"]) == ("yes", "no", "")


def test_findings_are_one_row_each() -> None:
    assert [(row["tenant"], row["id"], row["severity"]) for row in rows(tables.findings(FLEET))] == [
        ("contoso", "spf", "medium"),
        ("contoso", "direct_send_open", "low"),
    ]


def test_the_plan_of_action_has_what_can_be_done_and_columns_to_fill_in() -> None:
    plan = rows(tables.action_plan(items(FLEET)))
    assert [(row["severity"], row["kind"], row["subject"]) for row in plan] == [
        ("high", "sender_breaks", "erp@contoso.com"),
        ("high", "tenant_not_audited", "northwind"),
        ("medium", "finding_spf", "contoso.com"),
        ("medium", "sender_unknown", "crm@contoso.com"),
        ("medium", "source_not_readable", "label of sign_ins"),
    ]
    assert {row[name] for row in plan for name in ("owner", "due", "decision")} == {""}


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "\uff1d1"])
def test_no_cell_is_a_formula(name: str) -> None:
    hostile = document(contoso=audited(SENDER | {"name": name}, findings=(FINDING | {"subject": name},)))
    cells = [rows(tables.senders(hostile))[0]["name"], rows(tables.findings(hostile))[0]["subject"]]
    cells += [row["subject"] for row in rows(tables.action_plan(items(hostile))) if row["kind"] == "finding_spf"]
    assert {text[0] for text in cells} == {"'"}
    assert not any("\n" in text or "\r" in text for text in cells)


def test_sarif_is_valid_and_leaves_out_what_is_safe() -> None:
    done: Any = sarif(items(FLEET), nowhere)
    SCHEMA.validate(done)
    run = done["runs"][0]
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("sender_breaks", "error"),
        ("tenant_not_audited", "error"),
        ("finding_spf", "warning"),
        ("sender_unknown", "warning"),
        ("source_not_readable", "warning"),
        ("finding_direct_send_open", "note"),
    ]
    assert {one["ruleId"] for one in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    prints = [one["partialFingerprints"]["mailopsAudit/v1"] for one in run["results"]]
    assert len(set(prints)) == len(prints)
    again: Any = sarif(items(document("2027-01-01T00:00:00Z", contoso=audited(SENDER | {"verdict": "refused"}))), nowhere)
    assert again["runs"][0]["results"][0]["partialFingerprints"]["mailopsAudit/v1"] == prints[0], "the same sender"


def test_sarif_of_a_large_fleet_keeps_the_most_severe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_file, "MOST", 2)
    done: Any = sarif(items(FLEET), nowhere)
    SCHEMA.validate(done)
    assert [one["level"] for one in done["runs"][0]["results"]] == ["error", "error"]
    [note] = done["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("4 entries")


def test_sarif_names_the_line_of_the_inventory(tmp_path: Path) -> None:
    folder = tmp_path / "inventories/a b/host_vars"
    (folder / "contoso").mkdir(parents=True)
    (folder / "contoso/main.yml").write_text("m365_tenant: contoso.com\n", "utf-8")
    senders = "m365_senders:\n  - name: ERP 2\n    address: my-erp@contoso.com\n  - name: ERP\n    address: ERP@contoso.com\n"
    (folder / "contoso/senders.yml").write_text(senders, "utf-8")
    directories = {"contoso": str(tmp_path / "inventories/a b"), "northwind": str(tmp_path / "inventories/a b")}
    locations = {one.rule: locate(one, directories, tmp_path) for one in items(FLEET)}
    assert locations["sender_breaks"] == ("inventories/a%20b/host_vars/contoso/senders.yml", 5), "not that of my-erp@contoso.com"
    assert locations["finding_spf"] == ("inventories/a%20b/host_vars/contoso/main.yml", 1)
    assert locations["tenant_not_audited"] is None
    elsewhere = locate(items(FLEET)[0], directories, tmp_path / "another")
    assert elsewhere == ((folder / "contoso/senders.yml").as_uri(), 5)
    SCHEMA.validate(sarif(items(FLEET), lambda one: locate(one, directories, tmp_path)))


def test_metrics_are_read_by_prometheus_and_a_missing_tenant_has_no_zero() -> None:
    families = {family.name: family for family in text_string_to_metric_families(metrics(FLEET))}
    samples = {(name, *sorted(one.labels.values())): one.value for name, family in families.items() for one in family.samples}
    assert samples["mailops_audit_senders", "breaks", "contoso"] == 1
    assert samples["mailops_audit_senders", "breaks", "fabrikam"] == 0
    assert ("mailops_audit_senders", "breaks", "northwind") not in samples
    assert (samples["mailops_audit_tenant_audited", "northwind"], samples["mailops_audit_tenant_audited", "contoso"]) == (0, 1)
    assert samples["mailops_audit_source_readable", "contoso", "sign_ins"] == 0
    assert samples["mailops_audit_findings", "contoso", "medium"] == 1
    assert samples["mailops_audit_days_until", "smtp_basic_off_existing"] == 33
    assert samples["mailops_audit_timestamp_seconds",] == 1795881600


def test_hostile_labels_of_metrics_are_escaped() -> None:
    text = metrics(document(**{'a"b\\c\nd': audited(SAFE)}))
    [tenant] = {one.labels["tenant"] for family in text_string_to_metric_families(text) for one in family.samples if "tenant" in one.labels}
    assert tenant == 'a"b\\c\nd'
