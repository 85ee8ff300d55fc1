"""Tags of the playbooks: each configures, or verifies, its part of a tenant and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Start

from .tenant_play import Play
from .test_playbooks import REPO, Playground, Run, playground, shared_playground  # noqa: F401 (fixtures)

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
SCANNER = {"name": "Scanner", "kind": "scanner", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
COMPONENTS = ("identity", "smtp_auth", "connectors", "dns")
MODULES = {
    "identity": {"shared_mailbox", "entra_app", "exchange_service_principal"},
    "smtp_auth": {"smtp_auth"},
    "connectors": {"inbound_connector"},
    "dns": {"spf"},
}


def modules(result: dict[str, Any]) -> set[str]:
    assert "failed" not in result, result
    return {part["module"] for part in result["components"]}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


def test_a_component_is_planned_and_applied_alone(play: Play) -> None:
    for component in ("identity", "smtp_auth", "connectors", "dns"):
        planned = play(ERP, SCANNER, components=[component], check_mode=True)
        applied = play(ERP, SCANNER, components=[component])
        assert modules(applied) == MODULES[component]
        assert applied["changes"] == planned["changes"]
        assert not play(ERP, SCANNER, components=[component])["changed"]
    assert not play(ERP, SCANNER)["changed"]


def test_a_component_needs_what_another_one_creates(play: Play) -> None:
    before = play.state()
    refused = play(ERP, components=["smtp_auth"])
    assert refused["failed"]
    assert "m365_senders: ERP: mailbox: Exchange has no mailbox erp@contoso.com: create it" in refused["msg"]
    assert play.state() == before


def test_the_senders_are_validated_for_every_component(play: Play) -> None:
    private = SCANNER | {"name": "Private", "method": "connector", "public_addresses": ["10.0.0.7"]}
    refused = play(ERP, private, components=["dns"])
    assert refused["failed"]
    assert "10.0.0.7" in refused["msg"]


def test_orphans_of_other_components_stay(play: Play) -> None:
    play(ERP, SCANNER)
    removed = play(components=["connectors"], remove_orphans=True)
    assert {change["kind"] for change in removed["changes"]} == {"inbound_connector"}
    state = play.state()
    assert state["inbound_connectors"] == []
    [erp] = [one for one in state["mailboxes"] if one["address"] == "erp@contoso.com"]
    assert erp["grants"]
    assert erp["smtp_client_authentication_disabled"] is False
    closed = play(components=["smtp_auth"])
    assert {change["kind"] for change in closed["changes"]} == {"smtp_auth"}
    rest = play(remove_orphans=True)
    assert {"mailbox"} <= {change["kind"] for change in rest["changes"]}
    assert not play(remove_orphans=True)["changed"]


# -- playbooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("playbook", ["site", "verify", "offboard"])
def test_list_tags_names_every_tag(playbook: str) -> None:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(REPO / "inventories" / "relay")]
    command += [str(REPO / "playbooks" / f"{playbook}.yml"), "--list-tags"]
    done = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True)
    listed = {tag for tags in re.findall(r"TASK TAGS: \[(.*)\]", done.stdout) for tag in tags.split(", ")}
    expected = {*COMPONENTS, "relay", "verify", "always"}
    assert listed == (expected if playbook != "verify" else expected - {"dns"})


def written(playground: Playground, number: int) -> set[str]:  # noqa: F811
    """The cmdlets and services of the writes after that many, without those of the record of what is created."""
    lines = [line for line in playground.writes()[number:] if "mailops-record" not in str(line.get("path"))]
    return {line.get("cmdlet") or line["service"] for line in lines}


def test_tags_select_what_site_configures_and_verifies(playground: Playground) -> None:  # noqa: F811
    def site(*options: str) -> tuple[Run, set[str]]:
        before = len(playground.writes())
        run = playground.play("site.yml", "--limit", "fabrikam", *options)
        assert run.code == 0, run.output
        return run, written(playground, before)

    run, writes = site("--tags", "connectors", "--skip-tags", "verify")
    assert (writes, run.total("verified")) == ({"New-InboundConnector", "Set-OrganizationConfig"}, 0)
    run, writes = site("--skip-tags", "dns")
    assert writes == {"Set-TransportConfig"}
    assert run.total("verified") == 3
    run, writes = site("--tags", "verify")
    assert (writes, run.total("verified"), run.total("changed")) == (set(), 3, 0)
    run, writes = site("--tags", "relay")
    assert (writes, {task["module"] for task in run.report["tasks"]}, run.total("verified")) == (set(), {"sender_plan"}, 0)
    run, writes = site("--tags", "dns")
    assert [task["module"] for task in run.report["tasks"] if task["changed"]] == ["spf"]
    assert run.total("verified") == 0


def test_a_tag_verifies_the_senders_that_use_it(playground: Playground) -> None:  # noqa: F811
    run = playground.play("verify.yml", "--limit", "northwind,fabrikam", "--tags", "smtp_auth", "-e", "verify_required=false")
    assert run.code == 0, run.output
    assert {sender["method"] for task in run.report["tasks"] for sender in task["senders"]} == {"oauth", "basic"}
    assert playground.writes() == []
