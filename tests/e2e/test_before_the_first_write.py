"""Module tenant against the emulator: what a plan reports before its first write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import automation_access, entra_app, federated_credential
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed import record

from tests.emulator.conftest import MANAGE, TENANT, Start

from .emulated import Run
from .tenant_play import Play

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


# -- user mailboxes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
def test_full_access_on_a_user_mailbox_is_reported_as_exposed(play: Play, check_mode: bool) -> None:
    """Also where the mailbox is the sender's own: who reads its mail is not to be seen. A shared mailbox is nobody's."""
    senders = [ERP, {"name": "Robot", "kind": "erp", "address": "ops@contoso.com"}]
    inventory = {"entra_app_full_access": ["erp@contoso.com", "ops@contoso.com", "user003@contoso.com", "noreply@contoso.com"]}
    result = play(*senders, check_mode=check_mode, inventory=inventory)
    assert "failed" not in result, result
    risks = {change["object"].rpartition(" ")[2]: change["risk"] for change in result["changes"] if change["kind"] == "mailbox_permission"}
    assert risks == {
        "erp@contoso.com": "grants",
        "noreply@contoso.com": "grants",
        "ops@contoso.com": "exposes",
        "user003@contoso.com": "exposes",
    }
    exposed = [f"FullAccess of mailops-smtp-sender on {address}" for address in ("ops@contoso.com", "user003@contoso.com")]
    assert [entry["subject"] for entry in result["attention"]] == exposed
    for subject in exposed:
        assert len([note for note in result["notes"] if note.startswith(f"{subject}: This is a user mailbox")]) == 1
    if not check_mode:
        assert play(*senders, inventory=inventory)["attention"] == []


@pytest.mark.parametrize("sender", [
    {"address": "jane@contoso.com"},
    {"address": "alerts@contoso.com"},
    {"address": "noreply@contoso.com", "mailbox": "jane@contoso.com"},
])  # fmt: skip
def test_a_senders_user_mailbox_is_reported_whatever_address_names_it(start: Start, tmp_path: Path, sender: dict[str, str]) -> None:
    jane = {"address": "jane@contoso.com", "aliases": ["alerts@contoso.com"]}
    shared = {"address": "noreply@contoso.com", "kind": "SharedMailbox"}
    play = Play(start(tenant={"mailboxes": [jane, shared]}), tmp_path)
    result = play({"name": "Alerts", "kind": "erp", **sender}, check_mode=True)
    mailbox = sender.get("mailbox", sender["address"])
    exposed = [("permission", f"FullAccess of mailops-smtp-sender on {mailbox}")]
    assert [(entry["kind"], entry["subject"]) for entry in result["attention"]] == exposed, result


def test_rbac_for_applications_exposes_no_mailbox(play: Play) -> None:
    """What the warning recommends: the application sends as the mailbox, and reads none."""
    robot = {"name": "Robot", "kind": "erp", "address": "ops@contoso.com"}
    result = play(robot, check_mode=True, inventory={"entra_app_authorization": "rbac"})
    assert ("failed" in result, result["attention"]) == (False, []), result


# -- the record -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_record_that_entra_would_refuse_stops_the_plan(play: Play, monkeypatch: pytest.MonkeyPatch, check_mode: bool) -> None:
    monkeypatch.setattr(record, "_MAX_TAGS", 2)
    before = play.state()
    refused = play(ERP, check_mode=check_mode)
    assert "application mailops-record) would have 7 tags" in refused["msg"]
    assert (play.state(), play.journal()) == (before, [])


# -- permissions of the automation app ------------------------------------------------------------------------------

SCANNER = {"name": "Scanner", "kind": "scanner", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
ALL = [f"Microsoft Graph/{name}" for name in ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Policy.Read.All")]
ALL += ["Microsoft Graph/Domain.Read.All", MANAGE]
ADMINISTRATOR = ["Exchange Administrator"]


def as_manager(*roles: str, directory_roles: Sequence[str] = ADMINISTRATOR) -> dict[str, Any]:
    """A tenant whose automation app has these application permissions only."""
    principal = {"app_roles": list(roles), "directory_roles": list(directory_roles)}
    return {"applications": [{"display_name": "manager", "secrets": [{"value": "manager-secret"}], "service_principal": principal}]}


def without(*names: str) -> list[str]:
    return [role for role in ALL if role.partition("/")[2] not in names]


MISSING: dict[str, tuple[list[str], list[str]]] = {
    "consent": (without("AppRoleAssignment.ReadWrite.All"), ["AppRoleAssignment.ReadWrite.All"]),
    "application": (
        [*without("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"), "Microsoft Graph/Application.Read.All"],
        ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"],
    ),
    "no reading of applications": (without("Application.ReadWrite.All"), ["Application.ReadWrite.All"]),
    "policies": (without("Policy.Read.All"), ["Policy.Read.All"]),
    "exchange": (without("Exchange.ManageAsApp"), ["Exchange.ManageAsApp"]),
    "reads and writes": (
        without("Policy.Read.All", "Domain.Read.All", "AppRoleAssignment.ReadWrite.All"),
        ["AppRoleAssignment.ReadWrite.All", "Domain.Read.All", "Policy.Read.All"],
    ),
    "everything": ([], sorted(role.partition("/")[2] for role in ALL)),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", list(MISSING))
def test_all_missing_permissions_are_named_before_the_first_write(start: Start, tmp_path: Path, name: str, check_mode: bool) -> None:
    roles, expected = MISSING[name]
    play = Play(start(tenant=as_manager(*roles)), tmp_path)
    before = play.state()
    refused = play(ERP, SCANNER, check_mode=check_mode)
    assert refused["failed"], refused
    pattern = re.compile(r"lacks the permission (\S+) of (?:Microsoft Graph|Office 365 Exchange Online), which this plan requires to ")
    names = [name for problem in refused["failure"]["problems"] for name in pattern.findall(problem)]
    assert (sorted(names), len(refused["failure"]["problems"])) == (sorted(expected), len(expected)), refused["msg"]
    for permission in expected:
        assert permission in refused["failure"]["remedy"]
    assert refused["failure"]["remedy"].startswith("Let a Global Administrator or Privileged Role Administrator add the application ")
    assert "has no directory role for Exchange" not in refused["msg"]
    assert play.state() == before
    assert play.journal() == []


REMOVAL: dict[str, tuple[list[str], list[str]]] = {
    "consent": (without("AppRoleAssignment.ReadWrite.All"), ["AppRoleAssignment.ReadWrite.All"]),
    "application": (
        [*without("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"), "Microsoft Graph/Application.Read.All"],
        ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"],
    ),
    "everything": ([], ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Exchange.ManageAsApp"]),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", list(REMOVAL))
def test_a_removal_names_all_missing_permissions_before_the_first_write(start: Start, tmp_path: Path, name: str, check_mode: bool) -> None:
    """The sender app is somebody else's, so that its consents are revoked one by one."""
    roles, expected = REMOVAL[name]
    tenant = as_manager(*ALL)
    sender = "mailops-smtp-sender"
    tenant["applications"].append({"display_name": sender, "unique_name": sender, "service_principal": {}})
    play = Play(start(tenant=tenant), tmp_path)
    assert "failed" not in play(ERP, SCANNER)
    manager = next(app for app in play.api.admin.tenant(TENANT)["applications"] if app["display_name"] == "manager")
    principal = {**manager["service_principal"], "app_roles": roles}
    play.api.admin.change(TENANT, "applications", manager["app_id"], service_principal=principal)
    before, journal = play.state(), play.journal()
    refused = play(ERP, SCANNER, state="absent", check_mode=check_mode)
    assert refused["failed"], refused
    names = [re.findall(r"lacks the permission (\S+) of ", problem)[0] for problem in refused["failure"]["problems"]]
    assert sorted(names) == sorted(expected), refused["msg"]
    assert (play.state(), play.journal()) == (before, journal)


def test_what_a_plan_does_not_change_requires_no_permission_to_write(start: Start, tmp_path: Path) -> None:
    roles = ["Microsoft Graph/Policy.Read.All", "Microsoft Graph/Domain.Read.All", MANAGE]
    play = Play(start(tenant=as_manager(*roles)), tmp_path)
    done = play(SCANNER)
    assert "failed" not in done, "a connector requires no application"
    everything = Play(start(tenant=as_manager(*ALL)), tmp_path / "all")
    assert "failed" not in everything(ERP, SCANNER)
    api = everything.api
    automation = next(app for app in api.admin.tenant(TENANT)["applications"] if app["display_name"] == "manager")
    principal = {**automation["service_principal"], "app_roles": [*roles, "Microsoft Graph/Application.Read.All"]}
    api.admin.change(TENANT, "applications", automation["app_id"], service_principal=principal)
    again = everything(ERP, SCANNER)
    assert ("failed" in again, again["changed"]) == (False, False), again


def test_the_check_of_permissions_costs_no_request(start: Start, tmp_path: Path) -> None:
    refused = Play(start(tenant=as_manager(*without("Policy.Read.All"))), tmp_path)(ERP, SCANNER)
    assert refused["cost"]["requests"] == 2, "a token for each service"


def test_a_missing_directory_role_is_mentioned_where_it_may_be_missing_too(start: Start, tmp_path: Path) -> None:
    play = Play(start(tenant=as_manager(*without("Policy.Read.All"), directory_roles=[])), tmp_path)
    refused = play(ERP, check_mode=True)
    assert "unless it is in an Exchange role group, let them assign it Exchange Administrator" in refused["failure"]["remedy"]


SEND_AS_APP = [{"name": "SMTP.SendAsApp", "api": "exchange", "type": "application"}]
SEND = [{"name": "SMTP.Send", "api": "exchange", "type": "delegated"}]
FEDERATED = [{"name": "pipeline", "issuer": "https://token.example.com", "subject": "repo:contoso/mail"}]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("missing", "resource", "options"),
    [
        ("AppRoleAssignment.ReadWrite.All", entra_app.RESOURCE, {"permissions": SEND_AS_APP}),
        ("DelegatedPermissionGrant.ReadWrite.All", entra_app.RESOURCE, {"permissions": SEND}),
        ("Application.ReadWrite.All", federated_credential.RESOURCE, {"credentials": FEDERATED}),
        ("RoleManagement.ReadWrite.Directory", automation_access.RESOURCE, {"directory_roles": ["Global Reader"]}),
    ],
)
def test_a_single_module_writes_nothing_where_a_permission_is_missing(
    start: Start, tmp_path: Path, missing: str, resource: Any, options: dict[str, Any], check_mode: bool
) -> None:
    """With the permission to create the application and without that to consent, it would be half-built."""
    rest = [*without(missing), "Microsoft Graph/Directory.Read.All"]
    tenant = as_manager(*rest)
    tenant["applications"].append({"display_name": "erp", "unique_name": "erp", "service_principal": {}})
    api = start(tenant=tenant)
    before = api.admin.tenant(TENANT)
    refused = Run(api, tmp_path / "run")(resource, check_mode=check_mode, unique_name="erp", **options)
    assert f"lacks the permission {missing} of Microsoft Graph" in refused["msg"]
    assert "Let a Global Administrator or Privileged Role Administrator add" in refused["failure"]["remedy"]
    assert api.admin.tenant(TENANT) == before
    assert not list((tmp_path / "run").glob("journal/*"))
