"""Offboarding: what was created in a tenant is removed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed import removal

from tests.emulator.conftest import TENANT, Start, app_id
from tests.emulator.test_acs import AZURE

from .emulated import follow_clock
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


ACS: Document = {
    "acs_smtp_username_subscription_id": AZURE["communication_services"][0]["subscription"],
    "acs_smtp_username_resource_group": "mail",
    "acs_smtp_username_communication_service": "contoso-mail",
    "acs_smtp_username_app": "shop",
}
ACS_SUBJECT = "SMTP usernames of Azure Communication Services"


def test_smtp_usernames_that_no_run_has_created_stay_and_are_listed(start: Start, state: Document, tmp_path: Path) -> None:
    """Their resource in Azure has no place for a mark: the record says which are of this collection."""
    shop = {"display_name": "shop", "unique_name": "shop", "service_principal": {}}
    own = {"name": "invoice-run", "username": "invoices@contoso.com", "app": app_id("shop")}
    azure = AZURE | {"communication_services": [AZURE["communication_services"][0] | {"smtp_usernames": [own]}]}
    play = Play(start(tenant={"azure": azure, "applications": [*state["tenants"][0]["applications"], shop]}), tmp_path)
    senders = [
        {"name": "Invoice Run", "method": "acs", "address": "invoices@contoso.com"},
        {"name": "Web-Shop!", "method": "acs", "address": "donotreply@contoso.com"},
    ]
    made = play(*senders, inventory=ACS)
    assert "failed" not in made, made
    removed = play(*senders, state="absent", inventory=ACS, remove_orphans=True)
    assert "failed" not in removed, removed
    [entry] = [entry for entry in removed["attention"] if entry["subject"] == ACS_SUBJECT]
    assert entry["problem"] == "Without a mark of m365_owner they stay: invoice-run"
    assert "acs_smtp_username_exclusive: true" in entry["remedy"]
    [service] = play.api.admin.tenant(TENANT)["azure"]["communication_services"]
    assert [one["name"] for one in service["smtp_usernames"]] == ["invoice-run"]


@pytest.mark.parametrize(
    ("inventory", "problem"),
    [
        ({"acs_smtp_username_usernames": [{"name": "a", "username": "a"}, {"name": "b", "state": "absent"}]}, " they stay: a"),
        ({"acs_smtp_username_usernames": []}, " they stay."),
    ],
)
def test_usernames_of_the_inventory_are_listed(play: Play, inventory: Document, problem: str) -> None:
    result = play(state="absent", inventory=ACS | inventory, check_mode=True)
    [entry] = [entry for entry in result["attention"] if entry["subject"] == ACS_SUBJECT]
    assert entry["problem"].endswith(problem)


def test_connectors_and_policies_of_the_inventory_are_listed(play: Play) -> None:
    inventory = {
        "inbound_connector_connectors": [{"name": "Plant", "sender_ip_addresses": ["203.0.113.9"]}, {"name": "Old", "state": "absent"}],
        "authentication_policy_policies": [{"name": "Corporate", "allow_basic_smtp": False}],
    }
    result = play(state="absent", inventory=inventory, check_mode=True)
    problems = {entry["subject"]: entry["problem"] for entry in result["attention"]}
    assert problems["Connectors of inbound_connector_connectors"] == "Without a mark of m365_owner they stay: Plant"
    assert problems["Policies of authentication_policy_policies"] == "Without a mark of m365_owner they stay: Corporate"


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


# -- read back --------------------------------------------------------------------------------------------------------


def accepted_without_effect(play: Play, cmdlet: str) -> None:
    """Let Exchange accept a cmdlet, which then changes nothing."""
    play.api.admin.fault("exchange", match={"cmdlet": cmdlet}, status=200, body={"value": []}, count=1)


@pytest.mark.parametrize(
    ("cmdlet", "left", "summary"),
    [
        ("Remove-InboundConnector", ["inbound connector mailops plant"], "inbound_connector"),
        ("Remove-AuthenticationPolicy", ["authentication policy mailops Allow Basic Auth SMTP"], "authentication_policy"),
        ("Set-OrganizationConfig", ["direct send organization"], "direct_send"),
        ("Remove-ServicePrincipal", ["exchange service principal mailops-smtp-sender"], "exchange_service_principal"),
    ],
)
def test_what_is_left_after_the_removal_fails_the_task(
    play: Play, monkeypatch: pytest.MonkeyPatch, cmdlet: str, left: list[str], summary: str
) -> None:
    play(*SENDERS, **OPTIONS)
    clock = follow_clock(monkeypatch, play.api)
    accepted_without_effect(play, cmdlet)
    result = absent(play)
    assert (result["failed"], result["changed"]) == (True, True), result
    assert sorted(text.lower() for text in result["failure"]["left"]) == sorted(text.lower() for text in left)
    assert result["msg"].startswith("The removal was applied, but the tenant still has: ")
    assert result["msg"].endswith("Run it again later.")
    assert clock.waited > 0, "replication delay is waited for"
    assert summary in {part["module"] for part in result["components"]}
    assert "inbound_connector:mailops plant" in {change["key"] for change in result["changes"]}
    assert {entry["phase"] for entry in play.journal()} == {"before", "done"}
    assert "failed" not in absent(play)
    assert keys(absent(play)) == set()


def at_the_read_back(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Any]) -> None:
    """Do something between the removal and the read that verifies it."""
    read = removal._await
    actions = [action]

    def after(*arguments: Any) -> None:
        if actions:
            actions.pop()()
        read(*arguments)

    monkeypatch.setattr(removal, "_await", after)


@pytest.mark.parametrize("cmdlet", ["Get-InboundConnector", "Get-AuthenticationPolicy"])
def test_an_object_that_is_listed_for_a_while_after_its_removal_is_waited_for(
    play: Play, monkeypatch: pytest.MonkeyPatch, cmdlet: str
) -> None:
    play(*SENDERS, **OPTIONS)
    before = {"value": play.api.rows(cmdlet)}
    clock = follow_clock(monkeypatch, play.api)
    order = {"match": {"cmdlet": cmdlet}, "status": 200, "body": before, "count": 1}
    at_the_read_back(monkeypatch, lambda: play.api.admin.fault("exchange", **order))
    result = absent(play)
    assert "failed" not in result, result
    assert clock.waited > 0
    assert keys(absent(play)) == set()


def test_an_application_that_is_left_is_named(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    play(ERP)
    follow_clock(monkeypatch, play.api)
    play.api.admin.fault("graph", match={"method": "DELETE", "path": "/applications/[0-9a-f-]+$"}, status=204, count=1)
    failed = play(state="absent")
    application, consent = failed["failure"]["left"]
    assert (application, consent.partition(":")[0]) == (
        "application mailops-smtp-sender",
        "consent mailops-smtp-sender Office 365 Exchange Online",
    )
    assert keys(play(state="absent")) >= {"application:mailops-smtp-sender"}


def test_a_result_that_cannot_be_read_fails_the_task(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The removal itself is told as applied."""
    play(*SENDERS, **OPTIONS)
    refused = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "|Microsoft.Exchange.Refused|No."}}}
    order = {"match": {"cmdlet": "Get-InboundConnector"}, "count": 9, **refused}
    at_the_read_back(monkeypatch, lambda: play.api.admin.fault("exchange", **order))
    failed = absent(play)
    assert (failed["failed"], failed["changed"]) == (True, True)
    assert failed["msg"].startswith("The removal was applied, but its result could not be read. ")
    assert "inbound_connector:mailops plant" in {change["key"] for change in failed["changes"]}
    play.api.admin.clear_faults()
    monkeypatch.undo()
    assert keys(absent(play)) == set()


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
    # The read back alone, before anything is removed.
    left = offboard(*selected, "--tags", "verify")
    assert (left.code != 0, len(playground.writes())) == (True, writes), left.output
    sentence = left.sentences()["fabrikam"]
    for connector in ("plant relay", "data centre relay"):
        assert f"inbound_connector:{connector}" in sentence
    assert (sentence.startswith("Left in the tenant: "), sentence.endswith(". Run playbook offboard again.")) == (True, True)
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
