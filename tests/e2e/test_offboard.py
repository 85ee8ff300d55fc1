"""Offboarding: what was created in a tenant is removed, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.emulator.conftest import TENANT, Start

from .tenant_play import Document, Play
from .test_playbooks import REPO, Playground, Run, playground, shared_playground  # noqa: F401 (fixtures)

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
SHOP = {"name": "Shop", "kind": "website", "address": "noreply@contoso.com"}
FAX = {"name": "Fax", "address": "ops@contoso.com", "method": "basic"}
PLANT = {"name": "Plant", "method": "connector", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
UPS = {"name": "UPS", "method": "direct_send", "address": "ups@contoso.com", "recipients": "internal"}
BULK = {"name": "Bulk", "method": "hve", "address": "bulk@contoso.com", "recipients": "internal"}
SENDERS = (ERP, SHOP, FAX, PLANT, UPS, BULK)
OPTIONS: Document = {"hve": True, "inventory": {"hve_account_password": "a-long-password"}}
REMOVED = {
    "application:mailops-smtp-sender",
    "authentication_policy:mailops allow basic auth smtp",
    "inbound_connector:mailops plant",
}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(tenant={"security_defaults": False, "reject_direct_send": True}), tmp_path)


def absent(play: Play, **options: Any) -> Document:
    return play(*SENDERS, state="absent", **(OPTIONS | options))


# Deleted applications, changes that have taken effect, and Enable-OrganizationCustomization, which cannot be undone.
NOT_COMPARED = ("deleted_items", "replicating", "dehydrated", "delegating_from")


def everything(play: Play) -> Document:
    """The whole tenant, without what a removal does not change."""

    def lasting(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: lasting(one) for name, one in value.items() if name not in NOT_COMPARED}
        return [lasting(one) for one in value] if isinstance(value, list) else value

    tenant: Document = lasting(play.api.admin.tenant(TENANT))
    return tenant


def keys(result: Document) -> set[str]:
    assert "failed" not in result, result
    return {change["key"] for change in result["changes"]}


def kept(result: Document) -> list[str]:
    return sorted(entry["subject"] for entry in result["attention"] if entry["kind"] == "orphan")


def test_a_tenant_is_as_it_was_before_the_first_run(play: Play) -> None:
    before = everything(play)
    assert "failed" not in play(*SENDERS, **OPTIONS)
    assert everything(play) != before
    planned = absent(play, check_mode=True, remove_orphans=True)
    applied = absent(play, remove_orphans=True)
    assert keys(applied) >= REMOVED | {"mailbox:erp@contoso.com", "hve_account:bulk@contoso.com"}
    assert applied["changes"] == planned["changes"]
    assert everything(play) == before
    again = absent(play, remove_orphans=True)
    assert (again["changed"], again["changes"], kept(again)) == (False, [], [])
    assert "failed" not in play(*SENDERS, **OPTIONS)
    assert not play(*SENDERS, **OPTIONS)["changed"]


def test_what_holds_data_stays_unless_it_is_requested(play: Play) -> None:
    play(*SENDERS, **OPTIONS)
    first = absent(play)
    assert keys(first) >= REMOVED
    assert kept(first) == ["bulk@contoso.com", "erp@contoso.com"]
    state = play.state()
    assert {"erp@contoso.com"} <= {one["address"] for one in state["mailboxes"]}
    assert "mailops-smtp-sender" not in {one["unique_name"] for one in state["applications"]}
    assert not [one for one in state["mailboxes"] if one["grants"]]
    again = absent(play)
    assert (again["changed"], kept(again)) == (False, ["bulk@contoso.com", "erp@contoso.com"])
    assert keys(absent(play, remove_orphans=True)) == {"mailbox:erp@contoso.com", "hve_account:bulk@contoso.com"}


def test_what_others_created_stays(play: Play) -> None:
    branch = (SHOP | {"name": "Branch shop"}, PLANT | {"name": "Gate", "public_addresses": ["198.51.100.7"]})
    assert "failed" not in play(*branch, owner="branch")
    play(PLANT | {"name": "by hand", "public_addresses": ["198.51.100.99"]})
    play.api.admin.change(TENANT, "inbound_connectors", "mailops by hand", Comment="Made by hand")
    before = everything(play)
    play(ERP, SHOP, PLANT)
    removed = absent(play, remove_orphans=True)
    assert keys(removed) >= {"inbound_connector:mailops plant", "mailbox:erp@contoso.com"}
    assert "application:mailops-smtp-sender" not in keys(removed)
    assert everything(play) == before
    assert not play(*branch, owner="branch")["changed"]
    last = absent(play, owner="branch", remove_orphans=True)
    assert keys(last) >= {"inbound_connector:branch gate", "application:mailops-smtp-sender"}
    assert [one["name"] for one in everything(play)["inbound_connectors"]] == ["mailops by hand"]


def test_an_application_is_handed_over_to_the_owner_that_still_uses_it(play: Play) -> None:
    play(ERP)
    play(SHOP, owner="branch")
    first = absent(play, remove_orphans=True)
    assert "application:mailops-smtp-sender" not in keys(first)
    assert not play(SHOP, owner="branch")["changed"]
    last = absent(play, owner="branch")
    assert {"application:mailops-smtp-sender"} <= keys(last)


def test_a_failure_says_what_was_removed_and_what_was_not(play: Play) -> None:
    play(*SENDERS, **OPTIONS)
    fault = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "|Microsoft.Exchange.Refused|No."}}}
    play.api.admin.fault("exchange", match={"cmdlet": "Remove-AuthenticationPolicy"}, **fault)
    failed = absent(play)
    assert (failed["failed"], failed["changed"]) == (True, True)
    assert failed["failure"]["applied"] == ["inbound_connector", "exchange_service_principal", "smtp_auth"]
    assert failed["failure"]["not_applied"] == ["direct_send", "exchange_service_principal", "entra_app"]
    assert "Not applied: direct_send, exchange_service_principal, entra_app" in failed["msg"]
    play.api.admin.clear_faults()
    assert "inbound_connector:mailops plant" not in keys(absent(play))
    assert keys(absent(play)) == set()


def test_only_the_selected_components_are_removed(play: Play) -> None:
    play(*SENDERS, **OPTIONS)
    assert keys(absent(play, components=["connectors"])) == {"inbound_connector:mailops plant", "direct_send:organization"}
    assert {change["kind"] for change in absent(play, components=["smtp_auth"])["changes"]} == {
        "smtp_auth",
        "authentication_policy",
        "policy_assignment",
    }
    assert absent(play, components=["dns"])["changes"] == []
    assert "application:mailops-smtp-sender" in keys(absent(play, components=["identity"]))
    assert keys(absent(play)) == set()


def test_what_stays_is_listed(play: Play) -> None:
    play(ERP, unused_access="disable")
    result = absent(play, unused_access="disable", remove_orphans=True)
    subjects = [entry["subject"] for entry in result["attention"]]
    assert subjects == ["Automation app", "mailops Block Basic Auth SMTP", "Organization settings"]
    assert play.state()["smtp_client_authentication_disabled"] is True


def test_rbac_for_applications_ends_with_its_application(play: Play) -> None:
    before = everything(play)
    scoped: Document = {"inventory": {"entra_app_authorization": "rbac", "entra_app_settle_time": 0}}
    made = play(ERP, **scoped)
    assert "failed" not in made, made
    assert everything(play)["management_role_assignments"] != before["management_role_assignments"]
    planned = play(state="absent", remove_orphans=True, check_mode=True)
    applied = play(state="absent", remove_orphans=True)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    assert everything(play) == before


# -- playbook ---------------------------------------------------------------------------------------------------------


def test_playbook_removes_the_selected_tenants_only(playground: Playground) -> None:  # noqa: F811
    def offboard(*options: str) -> Run:
        return playground.play("offboard.yml", *options)

    refused = offboard("-e", "offboard_tenants=contoso,fabrikan")
    assert refused.code != 0
    assert "offboard_tenants is contoso, fabrikan: name hosts of group tenants" in refused.output
    assert offboard().code != 0
    assert playground.record() == []
    tenants = ("contoso.com", "fabrikam.com", "northwind.example.com")
    before = {name: playground.admin.tenant(name)["inbound_connectors"] for name in tenants}
    assert playground.play("site.yml", "--limit", "fabrikam,northwind", "--skip-tags", "verify").code == 0
    northwind = playground.admin.tenant("northwind.example.com")
    selected = ("-e", "offboard_tenants=fabrikam")
    writes = len(playground.writes())
    planned = offboard(*selected, "--check")
    assert (planned.code, len(playground.writes())) == (0, writes), planned.output
    applied = offboard(*selected, "--tags", "connectors,verify")
    assert applied.code == 0, applied.output
    assert "Nothing of m365_owner is left in the tenant." in applied.output
    assert playground.admin.tenant("fabrikam.com")["inbound_connectors"] == before["fabrikam.com"]
    assert playground.admin.tenant("northwind.example.com") == northwind
    last = offboard(*selected)
    assert (last.code, last.total("changed")) == (0, 0), last.output
    remedies = {entry["subject"]: entry["remedy"] for entry in last.report["attention"]}
    assert sorted(remedies) == ["Automation app", "Organization settings", "SPF record of fabrikam.com"]
    assert "App registrations, 6a1d0b5e-2222-4c1e-9b3a-0a5f3d1c0002" in remedies["Automation app"]
    assert "ip4:203.0.113.10" in remedies["SPF record of fabrikam.com"]


def test_playbook_refuses_a_tenant_whose_relay_hosts_are_not_decided_on(playground: Playground, tmp_path: Path) -> None:  # noqa: F811
    demo = REPO / "inventories" / "demo"
    contoso = yaml.safe_load((demo / "host_vars" / "contoso.yml").read_text())
    relay = {"relay_tenant": "contoso", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
    (tmp_path / "hosts.yml").write_text(
        yaml.safe_dump({"tenants": {"hosts": {"contoso": contoso}}, "relays": {"hosts": {"relay1": relay}}})
    )
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "tenants.yml").write_text((demo / "group_vars" / "tenants.yml").read_text())
    options = ("-e", "offboard_tenants=contoso")
    refused = playground.play("offboard.yml", *options, inventory=tmp_path)
    assert "relay1: relay hosts that send through this tenant" in refused.sentences()["contoso"], refused.output
    other = playground.play("offboard.yml", *options, "-e", "offboard_relay_hosts=relay2", inventory=tmp_path)
    assert "offboard_relay_hosts is relay2: name relay hosts of these tenants, or keep" in other.output
    failed = playground.play("offboard.yml", *options, "-e", "offboard_relay_hosts=relay1", inventory=tmp_path)
    assert "relay1: relay hosts that send through this tenant" in failed.sentences()["contoso"]
    assert playground.record() == []
    kept = playground.play("offboard.yml", *options, "-e", "offboard_relay_hosts=keep", inventory=tmp_path)
    assert kept.code == 0, kept.output
