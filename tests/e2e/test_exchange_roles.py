"""What the automation app may do in Exchange: a plan that its directory roles and role groups do not allow has no write at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import exchange_service_principal, inbound_connector, smtp_auth

from tests.emulator.conftest import ALL_GRAPH_ROLES, MANAGE, TENANT, Start, app_id

from .emulated import Run
from .tenant_play import Document, Play

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
SCANNER = {"name": "Scanner", "kind": "scanner", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
FAX = {"name": "Fax", "address": "ops@contoso.com", "method": "basic"}
LAB = {"name": "Lab", "method": "direct_send", "address": "lab@contoso.com", "recipients": "internal"}
BULK = {"name": "Bulk", "method": "hve", "address": "bulk@contoso.com", "recipients": "internal"}
FULL, RECIPIENTS, VIEW = "Organization Management", "Recipient Management", "View-Only Organization Management"


def tenant(*directory_roles: str, group: str | None = None, permissions: list[str] = ALL_GRAPH_ROLES, **more: Any) -> Document:
    """A tenant whose automation app has these permissions and directory roles, and is in this role group."""
    principal = {"app_roles": [*permissions, MANAGE], "directory_roles": list(directory_roles)}
    applications = [{"display_name": "manager", "secrets": [{"value": "manager-secret"}], "service_principal": principal}]
    applications += [
        {
            "display_name": "admin",
            "secrets": [{"value": "admin-secret"}],
            "service_principal": {"app_roles": [*ALL_GRAPH_ROLES, MANAGE], "directory_roles": ["Exchange Administrator"]},
        }
    ]
    result: Document = {"applications": applications, **more}
    if group:
        result["exchange_service_principals"] = [{"app_id": app_id("manager"), "display_name": "manager"}]
        result["role_groups"] = {group: [app_id("manager")]}
    return result


def forbidden(result: Document) -> list[str]:
    """The cmdlets that a refusal names."""
    assert result.get("failed"), result
    assert not result["changed"]
    [problem] = result["failure"]["problems"]
    match = re.search(r"may not run the cmdlets (.+), which this plan requires: ", problem)
    assert match, problem
    return match[1].split(", ")


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("roles", "group", "held"), [
    (["Global Reader"], None, "neither its directory roles (Global Reader) nor its Exchange role groups allow them"),
    (["Global Reader", "Security Reader"], VIEW, "neither its directory roles (Global Reader, Security Reader) nor"),
    ([], VIEW, "it has no directory role, and no Exchange role group allows them"),
])  # fmt: skip
def test_a_plan_without_a_role_that_writes_is_refused_before_its_first_write(
    start: Start, tmp_path: Path, roles: list[str], group: str | None, held: str, check_mode: bool
) -> None:
    play = Play(start(tenant=tenant(*roles, group=group)), tmp_path)
    before = play.api.admin.tenant(TENANT)
    refused = play(ERP, SCANNER, check_mode=check_mode)
    assert forbidden(refused) == [
        "Add-MailboxPermission", "New-InboundConnector", "New-Mailbox", "New-ServicePrincipal", "Set-CASMailbox",
    ]  # fmt: skip
    assert held in refused["msg"]
    assert f"The automation app ({app_id('manager')}) may not run" in refused["msg"]
    assert refused["failure"]["remedy"].startswith("Let a Global Administrator or Privileged Role Administrator assign it Exchange Admin")
    assert "add it to a role group that has these cmdlets (Add-RoleGroupMember)" in refused["failure"]["remedy"]
    assert (play.api.admin.tenant(TENANT), play.journal()) == (before, [])


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("roles", "group"), [(["Global Reader"], FULL), ([], FULL), (["Global Administrator"], None)])
def test_a_role_group_or_directory_role_that_writes_is_sufficient(
    start: Start, tmp_path: Path, roles: list[str], group: str | None, check_mode: bool
) -> None:
    play = Play(start(tenant=tenant(*roles, group=group)), tmp_path)
    result = play(ERP, SCANNER, check_mode=check_mode)
    assert ("failed" in result, result["changed"]) == (False, True), result
    if not check_mode:
        assert not play(ERP, SCANNER)["changed"]


@pytest.mark.parametrize(("roles", "group"), [(["Exchange Recipient Administrator"], None), (["Global Reader"], RECIPIENTS)])
def test_a_role_for_recipients_allows_a_plan_of_recipients_only(start: Start, tmp_path: Path, roles: list[str], group: str | None) -> None:
    play = Play(start(tenant=tenant(*roles, group=group)), tmp_path)
    before = play.api.admin.tenant(TENANT)
    assert forbidden(play(ERP, SCANNER)) == ["New-InboundConnector", "New-ServicePrincipal"]
    assert play.api.admin.tenant(TENANT) == before
    result = Run(play.api, tmp_path / "run")(smtp_auth.RESOURCE, mailboxes=[{"address": "ops@contoso.com", "smtp_auth": "enabled"}])
    assert ("failed" in result, result["changed"]) == (False, True), result


@pytest.mark.parametrize("check_mode", [True, False])
def test_without_any_role_the_first_read_is_refused(start: Start, tmp_path: Path, check_mode: bool) -> None:
    play = Play(start(tenant=tenant()), tmp_path)
    before = play.api.admin.tenant(TENANT)
    refused = play(ERP, SCANNER, check_mode=check_mode)
    assert (refused["failed"], refused["changed"]) == (True, False)
    assert "it needs the Entra role Exchange Administrator or an Exchange role group" in refused["msg"]
    assert "Let a Privileged Role Administrator assign the role" in refused["failure"]["remedy"]
    assert (play.api.admin.tenant(TENANT), play.journal()) == (before, [])


def test_missing_permissions_and_cmdlets_are_one_refusal(start: Start, tmp_path: Path) -> None:
    roles = [role for role in ALL_GRAPH_ROLES if "Application.ReadWrite" not in role]
    play = Play(start(tenant=tenant("Global Reader", permissions=roles)), tmp_path)
    refused = play(ERP)
    permission, cmdlets = refused["failure"]["problems"]
    assert "lacks the permission Application.ReadWrite.All of Microsoft Graph" in permission
    assert "may not run the cmdlets Add-MailboxPermission, New-Mailbox" in cmdlets
    assert refused["failure"]["remedy"].count("Exchange Administrator") == 1


def test_a_run_without_changes_asks_for_no_cmdlets(start: Start, tmp_path: Path) -> None:
    """A role that reads is sufficient for it, at the cost of one that writes."""
    play = Play(start(tenant=tenant("Exchange Administrator")), tmp_path)
    assert "failed" not in play(ERP, SCANNER)
    unchanged = play(ERP, SCANNER)
    automation = next(app for app in play.api.admin.tenant(TENANT)["applications"] if app["display_name"] == "manager")
    change = {**automation["service_principal"], "directory_roles": ["Global Reader"]}
    play.api.admin.change(TENANT, "applications", automation["app_id"], service_principal=change)
    again = play(ERP, SCANNER)
    assert ("failed" in again, again["changed"]) == (False, False), again
    assert again["cost"]["requests"] == unchanged["cost"]["requests"]
    assert forbidden(play(ERP)) == ["Remove-InboundConnector"]


def test_the_cmdlets_cost_one_request_and_none_with_the_role_in_the_token(start: Start, tmp_path: Path) -> None:
    costs = []
    for number, (role, group) in enumerate([("Exchange Administrator", None), ("Global Reader", FULL)]):
        play = Play(start(tenant=tenant(role, group=group)), tmp_path / str(number))
        costs.append(play(SCANNER, check_mode=True)["cost"]["requests"])
    assert costs[1] == costs[0] + 1


HVE: Document = {"hve": True, "inventory": {"hve_account_password": "a-long-password"}}
RBAC: Document = {"inventory": {"entra_app_authorization": "rbac", "entra_app_settle_time": 0}}
# The senders before, and those of the run whose cmdlets are compared; its options.
RUNS: dict[str, tuple[list[Document], list[Document], Document]] = {
    "new senders": ([], [ERP, SCANNER, FAX, LAB, BULK], HVE),
    "no sender": ([ERP, SCANNER, FAX, LAB, BULK], [], HVE | {"remove_orphans": True}),
    "another address": ([ERP, SCANNER], [{**ERP, "address": "e@contoso.com", "was": "erp@contoso.com"}, SCANNER], {}),
    "another connector": ([SCANNER], [SCANNER | {"public_addresses": ["203.0.113.11"]}], {}),
    "RBAC for Applications": ([], [ERP], RBAC),
    "unused access": ([], [SCANNER], {"unused_access": "disable"}),
    "offboarding": ([ERP, SCANNER, FAX], [], {"state": "absent", "remove_orphans": True}),
}


@pytest.mark.parametrize("name", list(RUNS))
def test_the_cmdlets_of_a_plan_are_those_of_its_run(start: Start, tmp_path: Path, name: str) -> None:
    before, after, options = RUNS[name]
    record = tmp_path / "record.jsonl"
    api = start(tenant=tenant("Exchange Administrator", group=VIEW, security_defaults=False, reject_direct_send=True), record=record)
    play = Play(api, tmp_path)
    settings = {name: value for name, value in options.items() if name not in ("state", "unused_access", "remove_orphans")}
    made = play(*before, **settings)
    assert "failed" not in made, made
    automation = next(app for app in api.admin.tenant(TENANT)["applications"] if app["display_name"] == "manager")
    writer = automation["service_principal"]
    api.admin.change(TENANT, "applications", automation["app_id"], service_principal={**writer, "directory_roles": []})
    named = forbidden(play(*after, check_mode=True, **options))
    api.admin.change(TENANT, "applications", automation["app_id"], service_principal=writer)
    lines = len(record.read_text().splitlines())
    done = play(*after, **options)
    assert "failed" not in done, done
    entries = [json.loads(line) for line in record.read_text().splitlines()[lines:]]
    run = {entry["cmdlet"] for entry in entries if entry["service"] == "exchange" and entry["write"]}
    assert set(named) == run


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("resource", "options", "expected"),
    [
        (
            smtp_auth.RESOURCE,
            {"organization": "enabled", "mailboxes": [{"address": "ops@contoso.com"}]},
            ["Set-CASMailbox", "Set-TransportConfig"],
        ),
        (inbound_connector.RESOURCE, {"connectors": [{"name": "Plant", "sender_ip_addresses": ["203.0.113.9"]}]}, ["New-InboundConnector"]),
        (
            exchange_service_principal.RESOURCE,
            {"app_id": app_id("admin"), "full_access": ["ops@contoso.com"], "send_as": ["noreply@contoso.com"]},
            ["Add-MailboxPermission", "Add-RecipientPermission", "New-ServicePrincipal"],
        ),
    ],
)
def test_a_single_module_is_refused_before_its_first_write(
    start: Start, tmp_path: Path, resource: Any, options: Document, expected: list[str], check_mode: bool
) -> None:
    api = start(tenant=tenant("Global Reader"))
    before = api.admin.tenant(TENANT)
    assert forbidden(Run(api, tmp_path / "run")(resource, check_mode=check_mode, **options)) == expected
    assert api.admin.tenant(TENANT) == before
