"""State documents of what a tenant has in Azure."""

from __future__ import annotations

from typing import Any

from emulator.state import Tenant
from emulator.state.azure import ROLES, Azure, AzureRole, CommunicationService, EmailDomain, SmtpUsername
from emulator.statefile.reader import Node
from emulator.well_known import derived_id

NAMES = {role: name for name, role in ROLES.items()}


def read_azure(node: Node | None, tenant: Tenant) -> Azure:
    azure = Azure()
    if node is None:
        return azure
    for item in node.nodes("email_domains"):
        place = (item.text("subscription").lower(), item.text("resource_group"))
        senders = item.texts("senders")
        flags = (item.flag("verified", True), item.flag("azure_managed", False))
        azure.domains.append(EmailDomain(*place, item.text("service"), item.text("name").lower(), *flags, senders))
        item.done()
    for item in node.nodes("communication_services"):
        service = CommunicationService(item.text("subscription").lower(), item.text("resource_group"), item.text("name"))
        for name in item.texts("linked_domains"):
            domain = next((one for one in azure.domains if name.lower() in (one.name, one.id.lower())), None)
            service.linked_domains.append(domain.id if domain else name)
        for inner in item.nodes("smtp_usernames"):
            found = SmtpUsername(inner.text("name"), inner.text("username"), inner.text("app"), inner.text("tenant", tenant.id))
            service.smtp_usernames[found.name.lower()] = found
            inner.done()
        item.done()
        azure.services.append(service)
    azure.roles = [_read_role(item, tenant) for item in node.nodes("role_assignments")]
    node.done()
    return azure


def _read_role(node: Node, tenant: Tenant) -> AzureRole:
    """`principal` may be a client id, the shorter way to name an application of the tenant."""
    role, scope, principal = node.text("role"), node.text("scope"), node.text("principal").lower()
    known = tenant.enterprise_application(principal)
    if role not in ROLES and role not in NAMES:
        raise node.error(f"must be one of {', '.join(ROLES)}, not {role!r}", "role")
    principal_id = known.id if known else principal
    name = node.text("name", derived_id("azure role", scope, role, principal_id))
    found = AzureRole(scope, ROLES.get(role, role), principal_id, name, node.moment("effective_from"))
    node.done()
    return found


def azure_document(azure: Azure) -> dict[str, Any]:
    services = [
        {
            "subscription": one.subscription,
            "resource_group": one.resource_group,
            "name": one.name,
            "linked_domains": one.linked_domains,
            "smtp_usernames": [
                {"name": u.name, "username": u.username, "app": u.app_id, "tenant": u.tenant_id} for u in one.smtp_usernames.values()
            ],
        }
        for one in azure.services
    ]
    roles = [
        {
            "role": NAMES.get(r.role, r.role),
            "scope": r.scope,
            "principal": r.principal_id,
            "name": r.name,
            "effective_from": r.effective_from,
        }
        for r in azure.roles
    ]
    return {"email_domains": [dict(vars(one)) for one in azure.domains], "communication_services": services, "role_assignments": roles}
