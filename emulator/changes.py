"""Changes by hand: parts of a tenant taken and given as state documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.dns import faults as dns_faults
from emulator.entra.errors import CATALOGUE
from emulator.exchange import faults as exchange_faults
from emulator.faults import Fault
from emulator.graph import faults as graph_faults
from emulator.graph.applications import remove_principal
from emulator.graph.validate import merge_value
from emulator.smtp import faults as smtp_faults
from emulator.state import Application, EnterpriseApplication, Tenant
from emulator.statefile import directory, hve, parts, rbac
from emulator.statefile.reader import Node, StateError
from emulator.statefile.tenant import application_document, head_document, read_tenant

Document = dict[str, Any]
COLLECTION_KEYS = {
    "applications",
    "enterprise_applications",
    "delegated_grants",
    "deleted_items",
    "exchange_service_principals",
    "mailboxes",
    "inbound_connectors",
    *rbac.KEYS,
    "azure",
    "billing_policies",
    "hve_accounts",
    "resources",
}


@dataclass(frozen=True)
class Collection:
    """How one kind of part is shown, put in place of an earlier one, and deleted; all by tenant and key."""

    document: Callable[[Tenant, str], Document | None]
    put: Callable[[Tenant, str, Document], Document]
    delete: Callable[[Tenant, str], None]


def patch_tenant(tenant: Tenant, changes: Document) -> None:
    """Change what stands directly in a tenant's document."""
    refused = changes.keys() & (COLLECTION_KEYS | {"id", "initial_domain"})
    if refused:
        raise StateError(f"{min(refused)}: cannot be changed here")
    head = head_document(tenant)
    if "policies" in changes:
        changes = changes | {"policies": merge_value(head["policies"], changes["policies"])}
    changed = read_tenant(Node(head | changes | {"resources": []}, ""), Path())
    for name in head:
        setattr(tenant, name, getattr(changed, name))


def _mailbox(tenant: Tenant, key: str) -> Document | None:
    found = tenant.mailbox(key)
    return parts.mailbox_document(found) if found else None


def _put_mailbox(tenant: Tenant, key: str, document: Document) -> Document:
    old = tenant.mailbox(key)
    mailbox = parts.read_mailbox(Node({"address": key} | document, ""), tenant)
    if old and old.address != mailbox.address:
        del tenant.mailboxes[old.address]
        tenant.reindex()
    tenant.add_mailbox(mailbox)
    return parts.mailbox_document(mailbox)


def _delete_mailbox(tenant: Tenant, key: str) -> None:
    found = tenant.mailbox(key)
    if found:
        del tenant.mailboxes[found.address]
        tenant.reindex()


def _connector(tenant: Tenant, key: str) -> Document | None:
    found = tenant.inbound_connectors.get(key.lower())
    return parts.inbound_connector_document(found) if found else None


def _put_connector(tenant: Tenant, key: str, document: Document) -> Document:
    connector = parts.read_inbound_connector(Node({"name": key} | document, ""), tenant)
    tenant.inbound_connectors.pop(key.lower(), None)
    tenant.inbound_connectors[connector.name.lower()] = connector
    return parts.inbound_connector_document(connector)


def _hve_account(tenant: Tenant, key: str) -> Document | None:
    found = tenant.hve_accounts.get(key.lower())
    return hve.hve_account_document(found) if found else None


def _put_hve_account(tenant: Tenant, key: str, document: Document) -> Document:
    account = hve.read_hve_account(Node({"address": key} | document, ""), tenant)
    tenant.hve_accounts.pop(key.lower(), None)
    tenant.hve_accounts[account.address] = account
    return hve.hve_account_document(account)


def _billing_policy(tenant: Tenant, key: str) -> Document | None:
    found = next((p for p in tenant.billing_policies.values() if key in (p.id, p.name)), None)
    return hve.billing_policy_document(found) if found else None


def _put_billing_policy(tenant: Tenant, key: str, document: Document) -> Document:
    policy = hve.read_billing_policy(Node({"name": key} | document, ""), tenant)
    tenant.billing_policies[policy.id] = policy
    return hve.billing_policy_document(policy)


def _delete_billing_policy(tenant: Tenant, key: str) -> None:
    found = _billing_policy(tenant, key)
    if found:
        del tenant.billing_policies[found["id"]]


def _exchange_principal(tenant: Tenant, key: str) -> Document | None:
    for principal in tenant.exchange_service_principals.values():
        if key.lower() in (principal.object_id, principal.app_id):
            return parts.exchange_service_principal_document(principal)
    return None


def _put_exchange_principal(tenant: Tenant, key: str, document: Document) -> Document:
    principal = parts.read_exchange_service_principal(Node({"app_id": key} | document, ""), tenant)
    _delete_exchange_principal(tenant, key)
    tenant.exchange_service_principals[principal.object_id] = principal
    return parts.exchange_service_principal_document(principal)


def _delete_exchange_principal(tenant: Tenant, key: str) -> None:
    old = _exchange_principal(tenant, key)
    if old:
        del tenant.exchange_service_principals[old["object_id"]]


def find_application(tenant: Tenant, key: str) -> Application | None:
    for application in tenant.applications.values():
        if key.lower() in (application.object_id, application.app_id) or key == application.unique_name:
            return application
    return None


def _application(tenant: Tenant, key: str) -> Document | None:
    found = find_application(tenant, key)
    return application_document(tenant, found) if found else None


def _put_application(tenant: Tenant, key: str, document: Document) -> Document:
    old = find_application(tenant, key)
    node = Node(document, "")
    application = parts.read_application(node, tenant.id, Path())
    inner = node.node("service_principal")
    principal = directory.read_enterprise_application(inner, tenant, application) if inner else None
    node.done()
    if old:
        del tenant.applications[old.object_id]
    tenant.applications[application.object_id] = application
    if inner and principal:
        _replace_principal(tenant, inner, principal)
    return application_document(tenant, application)


def _replace_principal(tenant: Tenant, node: Node, principal: EnterpriseApplication) -> None:
    earlier = tenant.enterprise_application(principal.app_id)
    if earlier and earlier.id != principal.id:
        remove_principal(tenant, earlier.id)
    elif earlier:
        for assignment in directory.assignments_of(tenant, earlier.id):
            del tenant.app_role_assignments[assignment.id]
    tenant.enterprise_applications[principal.id] = principal
    directory.read_assignments(node, tenant, principal)
    node.done()


def _delete_application(tenant: Tenant, key: str) -> None:
    found = find_application(tenant, key)
    if found:
        del tenant.applications[found.object_id]
        principal = tenant.enterprise_application(found.app_id)
        if principal:
            remove_principal(tenant, principal.id)


def _enterprise(tenant: Tenant, key: str) -> Document | None:
    found = tenant.enterprise_applications.get(key.lower()) or tenant.enterprise_application(key.lower())
    return {"app_id": found.app_id} | directory.enterprise_application_document(found, tenant) if found else None


def _put_enterprise(tenant: Tenant, key: str, document: Document) -> Document:
    node = Node({"app_id": key} | document, "")
    principal = directory.read_enterprise_application(node, tenant, None)
    _replace_principal(tenant, node, principal)
    return {"app_id": principal.app_id} | directory.enterprise_application_document(principal, tenant)


def _delete_enterprise(tenant: Tenant, key: str) -> None:
    found = _enterprise(tenant, key)
    if found:
        remove_principal(tenant, found["id"])


def _grant(tenant: Tenant, key: str) -> Document | None:
    found = tenant.delegated_grants.get(key)
    return directory.delegated_grant_document(found) if found else None


def _put_grant(tenant: Tenant, key: str, document: Document) -> Document:
    grant = directory.read_delegated_grant(Node({"id": key} | document, ""), tenant)
    tenant.delegated_grants[grant.id] = grant
    return directory.delegated_grant_document(grant)


COLLECTIONS = {
    "mailboxes": Collection(_mailbox, _put_mailbox, _delete_mailbox),
    "inbound_connectors": Collection(_connector, _put_connector, lambda tenant, key: _drop(tenant.inbound_connectors, key.lower())),
    "hve_accounts": Collection(_hve_account, _put_hve_account, lambda tenant, key: _drop(tenant.hve_accounts, key.lower())),
    "billing_policies": Collection(_billing_policy, _put_billing_policy, _delete_billing_policy),
    "applications": Collection(_application, _put_application, _delete_application),
    "enterprise_applications": Collection(_enterprise, _put_enterprise, _delete_enterprise),
    "exchange_service_principals": Collection(_exchange_principal, _put_exchange_principal, _delete_exchange_principal),
    "delegated_grants": Collection(_grant, _put_grant, lambda tenant, key: _drop(tenant.delegated_grants, key)),
}


def _drop(found: dict[str, Any], key: str) -> None:
    found.pop(key, None)


def fault_is_known(fault: Fault) -> bool:
    """Whether a service has a fault of this name."""
    if fault.service == "token":
        name = fault.name or ""
        return name in ("throttled", "unavailable") or (name.startswith("AADSTS") and name[6:].isdigit() and int(name[6:]) in CATALOGUE)
    mail = (*smtp_faults.NAMES, *smtp_faults.NETWORK)
    known = {"graph": graph_faults.NAMES, "exchange": exchange_faults.NAMES, "dns": dns_faults.NAMES}.get(fault.service, mail)
    return fault.name in known
