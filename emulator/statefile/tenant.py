"""The state document of one tenant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from emulator.state import Application, Mailbox, Tenant
from emulator.statefile import azure, directory, hve, licences, parts, rbac, sign_in
from emulator.statefile.dns import read_zones, zones_document
from emulator.statefile.policies import policies_document, read_policies
from emulator.statefile.reader import Node
from emulator.well_known import RESOURCE_NAMES, derived_id

_SWITCHES = {
    "security_defaults": False,
    "smtp_client_authentication_disabled": True,
    "reject_direct_send": False,
    "connectors_disabled_by_offer": False,
    "trial": False,
    "reject_spf_hard_fail": False,
}


def read_tenant(node: Node, base: Path) -> Tenant:
    initial_domain = node.text("initial_domain").lower()
    tenant = Tenant(
        id=node.text("id", derived_id("tenant", initial_domain)).lower(),
        display_name=node.text("display_name", initial_domain.split(".")[0].capitalize()),
        initial_domain=initial_domain,
        domains=[domain.lower() for domain in node.texts("domains")],
        transport_config=dict(node.take("transport_config", dict, {})),
        organization_config=dict(node.take("organization_config", dict, {})),
        created=node.moment("created"),
        replicating=parts.read_replicating(node),
        **{name: node.flag(name, default) for name, default in _SWITCHES.items()},
    )
    tenant.dns = read_zones(node.node("dns"))
    tenant.policies = read_policies(node.node("policies"), tenant.id)
    _read_directory(node, tenant, base)
    for item in node.nodes("exchange_service_principals"):
        principal = parts.read_exchange_service_principal(item, tenant)
        tenant.exchange_service_principals[principal.object_id] = principal
    _read_mailboxes(node, tenant)
    licences.read_licences(node, tenant)
    tenant.sign_ins.extend(licences.read_sign_in(item, tenant) for item in node.nodes("sign_ins"))
    tenant.azure = azure.read_azure(node.node("azure"), tenant)
    for item in node.nodes("billing_policies"):
        policy = hve.read_billing_policy(item, tenant)
        tenant.billing_policies[policy.id] = policy
    for item in node.nodes("hve_accounts"):
        account = hve.read_hve_account(item, tenant)
        tenant.hve_accounts[account.address] = account
    for item in node.nodes("inbound_connectors"):
        connector = parts.read_inbound_connector(item, tenant)
        tenant.inbound_connectors[connector.name.lower()] = connector
    for item in node.nodes("refresh_tokens"):
        found = sign_in.read_refresh_token(item)
        tenant.refresh_tokens[found.digest] = found
    tenant.rbac = rbac.read(node, tenant.id)
    tenant.role_groups = parts.read_role_groups(node, tenant)
    node.done()
    return tenant


def _read_directory(node: Node, tenant: Tenant, base: Path) -> None:
    resources = node.texts("resources") if node.has("resources") else list(RESOURCE_NAMES.values())
    directory.add_resources(tenant, resources)
    pending = []
    for item in node.nodes("applications"):
        application = parts.read_application(item, tenant.id, base)
        if application.object_id in tenant.applications:
            raise item.error(f"the object id {application.object_id} is there twice", "object_id")
        tenant.applications[application.object_id] = application
        inner = item.node("service_principal")
        item.done()
        if inner:
            pending.append((inner, directory.read_enterprise_application(inner, tenant, application)))
    for item in node.nodes("enterprise_applications"):
        pending.append((item, directory.read_enterprise_application(item, tenant, None)))
    for _, principal in pending:
        earlier = tenant.enterprise_application(principal.app_id)
        if earlier:
            del tenant.enterprise_applications[earlier.id]
        tenant.enterprise_applications[principal.id] = principal
    for inner, principal in pending:
        directory.read_assignments(inner, tenant, principal)
        inner.done()
    for item in node.nodes("delegated_grants"):
        grant = directory.read_delegated_grant(item, tenant)
        tenant.delegated_grants[grant.id] = grant
    for item in node.nodes("deleted_items"):
        deleted = directory.read_deleted_item(item, tenant, base)
        tenant.deleted_items[deleted.object_id] = deleted


def _read_mailboxes(node: Node, tenant: Tenant) -> None:
    waiting: list[tuple[Node, Mailbox]] = []
    for item in node.nodes("mailboxes"):
        for one in _generated(item):
            grants = list(one.nodes("grants"))
            mailbox = parts.read_mailbox(one, tenant)
            if mailbox.address in tenant.mailboxes:
                raise item.error(f"{mailbox.address} is there twice", "address")
            tenant.mailboxes[mailbox.address] = mailbox
            waiting += [(grant, mailbox) for grant in grants]
    for grant, mailbox in waiting:  # a trustee may be a mailbox that stands further down
        mailbox.grants.append(parts.read_grant(grant, tenant))


def _generated(node: Node) -> list[Node]:
    """`generate: 10000` with {n} in its texts stands for that many mailboxes, numbered from 1."""
    count = node.take("generate", int, None)
    if count is None:
        return [node]
    template, path = node.rest(), node.path
    address = template.get("address")
    if not isinstance(address, str) or not re.search(r"\{n(:[^}]*)?\}", address):
        raise node.error("must hold {n} where mailboxes are generated", "address")
    return [Node({k: _numbered(node, k, v, n) for k, v in template.items()}, path) for n in range(1, count + 1)]


def _numbered(node: Node, key: str, value: Any, number: int) -> Any:
    try:
        return value.format(n=number) if isinstance(value, str) else value
    except (KeyError, IndexError, ValueError):
        raise node.error("only {n} stands for something here", key) from None


def head_document(tenant: Tenant) -> dict[str, Any]:
    """What stands directly in a tenant's document."""
    return {
        "id": tenant.id,
        "display_name": tenant.display_name,
        "initial_domain": tenant.initial_domain,
        "domains": tenant.domains,
        **{name: getattr(tenant, name) for name in _SWITCHES},
        "dns": zones_document(tenant.dns),
        "transport_config": tenant.transport_config,
        "organization_config": tenant.organization_config,
        "policies": policies_document(tenant.policies),
        "created": tenant.created,
        "replicating": parts.replicating_document(tenant.replicating),
        "licences": [licences.licence_document(licence) for licence in tenant.licences],
        "sign_ins": [licences.sign_in_document(one) for one in tenant.sign_ins],
    }


def tenant_document(tenant: Tenant) -> dict[str, Any]:
    """Everything of a tenant, in the form that read_tenant reads back to an equal one."""
    own = {application.app_id for application in tenant.applications.values()}
    principals = tenant.enterprise_applications.values()
    return head_document(tenant) | {
        "resources": [],
        "applications": [application_document(tenant, application) for application in tenant.applications.values()],
        "enterprise_applications": [
            {"app_id": sp.app_id} | directory.enterprise_application_document(sp, tenant) for sp in principals if sp.app_id not in own
        ],
        "delegated_grants": [directory.delegated_grant_document(g) for g in tenant.delegated_grants.values()],
        "deleted_items": [directory.deleted_item_document(d, tenant) for d in tenant.deleted_items.values()],
        "refresh_tokens": [sign_in.refresh_token_document(found) for found in tenant.refresh_tokens.values()],
        "exchange_service_principals": [parts.exchange_service_principal_document(p) for p in tenant.exchange_service_principals.values()],
        "role_groups": tenant.role_groups,
        "mailboxes": [parts.mailbox_document(mailbox) for mailbox in tenant.mailboxes.values()],
        "azure": azure.azure_document(tenant.azure),
        "billing_policies": [hve.billing_policy_document(policy) for policy in tenant.billing_policies.values()],
        "hve_accounts": [hve.hve_account_document(account) for account in tenant.hve_accounts.values()],
        "inbound_connectors": [parts.inbound_connector_document(c) for c in tenant.inbound_connectors.values()],
        **rbac.document(tenant.rbac),
    }


def application_document(tenant: Tenant, application: Application) -> dict[str, Any]:
    """An application with its service principal in the tenant."""
    principal = tenant.enterprise_application(application.app_id)
    document = parts.application_document(application)
    if principal:
        document["service_principal"] = directory.enterprise_application_document(principal, tenant)
    return document
