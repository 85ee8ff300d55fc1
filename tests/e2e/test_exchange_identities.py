"""Objects of Exchange are named by Guid: names, as some tenants' servers treat them, are found nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import (
    authentication_policy,
    automation_access,
    exchange_service_principal,
    hve_account,
    inbound_connector,
    rbac_for_applications,
    shared_mailbox,
    smtp_auth,
)

from emulator.exchange.binding import reference
from emulator.exchange.service import CMDLETS
from tests.emulator.conftest import Start, app_id

from .emulated import Run

SENDER = {"display_name": "sender", "unique_name": "sender", "service_principal": {}}
TENANT: dict[str, Any] = {
    "mailboxes": [
        {"address": "erp@contoso.com", "aliases": ["invoices@contoso.com"]},
        {"address": "shop@contoso.com", "kind": "SharedMailbox"},
    ],
    "hve_accounts": [{"address": "alarms@contoso.com", "password": "long enough, really"}],
    "billing_policies": [{"name": "Paid"}],
}
WITH_IDENTITY = sorted(name for name in CMDLETS if "Identity" in reference()[name.lower()]["parameters"])
PASSWORD = "long enough, really"


@pytest.fixture
def site(start: Start, state: dict[str, Any], tmp_path: Path) -> Run:
    applications = [*state["tenants"][0]["applications"], SENDER]
    registered = [{"app_id": app_id("sender"), "display_name": "sender"}]
    return Run(start(tenant={**TENANT, "applications": applications, "exchange_service_principals": registered}), tmp_path / "run")


def tasks() -> list[tuple[Any, dict[str, Any]]]:
    """Tasks that create, change and remove every kind of object."""
    listed = ["erp@contoso.com", "invoices@contoso.com"]
    account = {"address": "alarms@contoso.com", "password": PASSWORD}
    connector = {"name": "Plant", "sender_ip_addresses": ["203.0.113.10"]}
    return [
        (smtp_auth.RESOURCE, {"mailboxes": [{"address": listed[1]}], "exclusive": True}),
        (authentication_policy.RESOURCE, {"policies": [{"name": "Basic", "mailboxes": listed}]}),
        (authentication_policy.RESOURCE, {"policies": [{"name": "Basic", "allow_basic_smtp": True, "mailboxes": []}], "exclusive": True}),
        (authentication_policy.RESOURCE, {"policies": [{"name": "Basic", "state": "absent"}]}),
        (shared_mailbox.RESOURCE, {"mailboxes": [{"address": "new@contoso.com", "display_name": "New", "send_as": listed[:1]}]}),
        (shared_mailbox.RESOURCE, {"mailboxes": [{"address": "new@contoso.com", "display_name": "X", "send_as": []}], "exclusive": True}),
        (shared_mailbox.RESOURCE, {"mailboxes": [{"address": "new@contoso.com", "state": "absent"}]}),
        (exchange_service_principal.RESOURCE, {"unique_name": "sender", "display_name": "x", "full_access": listed, "send_as": listed}),
        (exchange_service_principal.RESOURCE, {"unique_name": "sender", "full_access": [], "send_as": [], "exclusive": True}),
        (rbac_for_applications.RESOURCE, {"unique_name": "sender", "mailboxes": ["erp@contoso.com"]}),
        (rbac_for_applications.RESOURCE, {"unique_name": "sender", "mailboxes": ["shop@contoso.com"]}),
        (rbac_for_applications.RESOURCE, {"unique_name": "sender", "state": "absent"}),
        (hve_account.RESOURCE, {"accounts": [account | {"reply_to": listed[0], "apps": ["sender"], "billing_policy": "Paid"}]}),
        (hve_account.RESOURCE, {"accounts": [account | {"display_name": "A", "reply_to": "", "apps": []}], "exclusive": True}),
        (hve_account.RESOURCE, {"accounts": [{"address": "new@contoso.com", "password": PASSWORD, "reply_to": listed[0]}]}),
        (hve_account.RESOURCE, {"accounts": [{"address": "alarms@contoso.com", "state": "absent"}]}),
        (inbound_connector.RESOURCE, {"connectors": [connector]}),
        (inbound_connector.RESOURCE, {"connectors": [connector | {"comment": "changed"}]}),
        (inbound_connector.RESOURCE, {"connectors": [{"name": "Plant", "state": "absent"}]}),
        (automation_access.RESOURCE, {"unique_name": "sender", "role_groups": ["Organization Management", "Recipient Management"]}),
        (automation_access.RESOURCE, {"unique_name": "sender", "role_groups": ["Recipient Management"], "exclusive": True}),
        (exchange_service_principal.RESOURCE, {"unique_name": "sender", "state": "absent"}),
    ]


def test_no_cmdlet_needs_a_name(site: Run) -> None:
    for cmdlet in WITH_IDENTITY:
        site.api.admin.fault("exchange", "name_not_found", match={"cmdlet": cmdlet}, count=1000)
    for resource, options in tasks():
        done = site.twice(resource, **options)
        assert done["changed"], (resource.name, options)
    assert len(WITH_IDENTITY) > 40
    used = {one["match"]["cmdlet"] for one in site.api.admin.faults() if one["used"]}
    site.api.admin.clear_faults()
    assert used >= {
        "Add-HVEAppAccess", "Add-MailboxPermission", "Add-RecipientPermission", "Add-RoleGroupMember", "Get-CASMailbox",
        "Get-HVEAccountBillingPolicy", "Get-HVEAccountSettings", "Get-Mailbox", "Get-MailboxPermission", "Get-RoleGroupMember",
        "Get-User", "Remove-AuthenticationPolicy", "Remove-HVEAppAccess", "Remove-InboundConnector", "Remove-MailUser",
        "Remove-Mailbox", "Remove-MailboxPermission", "Remove-ManagementRoleAssignment", "Remove-ManagementScope",
        "Remove-RecipientPermission", "Remove-RoleGroupMember", "Remove-ServicePrincipal", "Set-AuthenticationPolicy", "Set-CASMailbox",
        "Set-HVEAccountBillingPolicy", "Set-HVEAccountSettings", "Set-InboundConnector", "Set-MailUser", "Set-Mailbox",
        "Set-ManagementScope", "Set-ServicePrincipal", "Set-User", "Test-ServicePrincipalAuthorization",
    }  # fmt: skip


def test_scope_that_has_the_filter_is_used(site: Run) -> None:
    scope = {"Name": "By hand", "RecipientRestrictionFilter": "PrimarySmtpAddress -eq 'erp@contoso.com'"}
    site.api.rows("Enable-OrganizationCustomization")
    site.api.rows("New-ManagementScope", scope)
    refused = site.api.exchange("New-ManagementScope", scope | {"Name": "Again"})
    assert refused.headers["x-ExceptionType"] == "ADObjectAlreadyExistsException"
    done = site.twice(rbac_for_applications.RESOURCE, unique_name="sender", mailboxes=["invoices@contoso.com"])
    assert done["rbac"]["scopes"] == {"By hand": ["erp@contoso.com"]}
    site.twice(rbac_for_applications.RESOURCE, unique_name="sender", mailboxes=["shop@contoso.com", "erp@contoso.com"])
    [assignment] = site.api.rows("Get-ManagementRoleAssignment")
    assert (assignment["CustomResourceScope"], assignment["RoleAssigneeName"]) == ("sender", "sender")
    site.twice(rbac_for_applications.RESOURCE, unique_name="sender", mailboxes=["erp@contoso.com"])
    site.twice(rbac_for_applications.RESOURCE, unique_name="sender", state="absent")
    assert [one["Name"] for one in site.api.rows("Get-ManagementScope")] == ["By hand"]
    assert site.api.rows("Get-ManagementRoleAssignment") == []
