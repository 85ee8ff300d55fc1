"""The tenant itself: organization, domains, Security Defaults, directory roles, deleted items, users."""

from __future__ import annotations

import re
import uuid
from typing import Any

from emulator.graph import applications, licences, principals
from emulator.graph.call import GUID, Call, route
from emulator.graph.credentials import iso
from emulator.graph.errors import bad_request, conflict, not_found
from emulator.graph.query import one, page
from emulator.graph.validate import check_body
from emulator.http import Response
from emulator.state import NEW_MX_SUFFIX, Application, DeletedItem, EnterpriseApplication, Mailbox, Tenant, mx_host
from emulator.well_known import DIRECTORY_ROLES

Document = dict[str, Any]

READ_ORGANIZATION = ("Organization.Read.All", "Directory.Read.All")
READ_DOMAINS = ("Domain.Read.All", "Directory.Read.All")
READ_POLICY = ("Policy.Read.All", "Policy.ReadWrite.SecurityDefaults")
READ_ASSIGNMENTS = ("RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.Read.All")
WRITE_ASSIGNMENTS = ("RoleManagement.ReadWrite.Directory",)
BY_NAME = re.compile(
    r"(?:(?:id|mail|userPrincipalName) eq '|proxyAddresses/any\((\w+):\1 eq '(?:smtp:)?)(?P<name>[^']+)'\)?", re.IGNORECASE
)
READ_USERS = ("User.Read.All", "Directory.Read.All")


@route("GET", "/organization", *READ_ORGANIZATION)
def list_organization(call: Call) -> Response:
    return page(call, "organization", [_organization(call.tenant)], "organization")


@route("GET", "/organization/{key}", *READ_ORGANIZATION)
def get_organization(call: Call, key: str) -> Response:
    if key.lower() != call.tenant.id:
        raise not_found(key)
    return one(call, "organization", _organization(call.tenant), "organization")


def _organization(tenant: Tenant) -> Document:
    return {
        "id": tenant.id,
        "deletedDateTime": None,
        "displayName": tenant.display_name,
        "tenantType": "AAD",
        "countryLetterCode": "DE",
        "createdDateTime": iso(tenant.created or 1735689600.0),
        "assignedPlans": licences.assigned_plans(tenant),
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": name == tenant.default_domain,
                "isInitial": name == tenant.initial_domain,
                "name": name,
                "type": "Managed",
            }
            for name in tenant.accepted_domains
        ],
    }


def _exchange_plan() -> Document:
    return {
        "assignedDateTime": "2025-01-01T00:00:00Z",
        "capabilityStatus": "Enabled",
        "service": "exchange",
        "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    }


@route("GET", "/domains", *READ_DOMAINS)
def list_domains(call: Call) -> Response:
    return page(call, "domain", [_domain(call.tenant, name) for name in call.tenant.accepted_domains], "domains")


@route("GET", "/domains/{key}", *READ_DOMAINS)
def get_domain(call: Call, key: str) -> Response:
    return one(call, "domain", _domain(call.tenant, _domain_name(call, key)), "domains")


def _domain_name(call: Call, key: str) -> str:
    if key.lower() not in call.tenant.accepted_domains:
        raise not_found(key)
    return key.lower()


def _domain(tenant: Tenant, name: str) -> Document:
    return {
        "id": name,
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": name == tenant.default_domain,
        "isInitial": name == tenant.initial_domain,
        "isRoot": True,
        "isVerified": True,
        "passwordNotificationWindowInDays": 14,
        "passwordValidityPeriodInDays": 2147483647,
        "state": None,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    }


def _mx_host(call: Call, domain: str) -> str:
    """The MX host; domains that were added since July 2026 have one under mx.microsoft, which the zone in the state names."""
    hosts = [record.data.split()[-1].rstrip(".") for record in call.tenant.dns.get(domain, ()) if record.kind == "MX"]
    return next((host for host in hosts if host.endswith(f".{NEW_MX_SUFFIX}")), mx_host(domain, call.platform.cloud.mx_suffix))


@route("GET", "/domains/{key}/serviceConfigurationRecords", *READ_DOMAINS)
def list_records(call: Call, key: str) -> Response:
    """serviceConfigurationRecords; the SPF text is a template, not the record in DNS."""
    name = _domain_name(call, key)
    records: list[Document] = [
        {"recordType": "Mx", "mailExchange": _mx_host(call, name), "preference": 0},
        {"recordType": "Txt", "text": f"v=spf1 include:{call.platform.cloud.spf_include} -all"},
        {"recordType": "CName", "canonicalName": "autodiscover.outlook.com", "label": f"autodiscover.{name}"},
    ]
    for number, record in enumerate(records):
        kind = record["recordType"]
        common = {
            "@odata.type": f"#microsoft.graph.domainDns{'Cname' if kind == 'CName' else kind}Record",
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}/{number}")),
            "isOptional": False,
            "label": name,
            "supportedService": "Email",
            "ttl": 3600,
        }
        records[number] = common | record
    fragment = f"domains('{name}')/serviceConfigurationRecords"
    return Response(200, {"@odata.context": call.context(fragment), "value": records})


@route("GET", "/policies/identitySecurityDefaultsEnforcementPolicy", *READ_POLICY)
def get_security_defaults(call: Call) -> Response:
    policy = {
        "id": "00000000-0000-0000-0000-000000000005",
        "deletedDateTime": None,
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "isEnabled": call.tenant.security_defaults,
    }
    fragment = "policies/identitySecurityDefaultsEnforcementPolicy"
    if call.version == "beta":
        due = call.tenant.security_defaults_due
        upsell = {"action": "autoEnable" if due else "none", "dueDateTime": iso(due) if due else None}
        return one(call, "betaSecurityDefaults", policy | {"securityDefaultsUpsell": upsell}, fragment)
    return one(call, "identitySecurityDefaultsEnforcementPolicy", policy, fragment)


@route("PATCH", "/policies/identitySecurityDefaultsEnforcementPolicy")
def patch_security_defaults(call: Call) -> Response:
    if not {"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"} <= call.roles:
        call.require("Policy.ReadWrite.SecurityDefaults")
    read_only = {"id", "displayName", "description", "deletedDateTime"}
    check_body(call.body, "identitySecurityDefaultsEnforcementPolicy", read_only)
    call.tenant.security_defaults = call.body.get("isEnabled", call.tenant.security_defaults)
    return Response(204)


def _role_assignments(call: Call) -> list[Document]:
    return [_role_assignment(principal, role_id) for principal in principals.visible(call) for role_id in principal.directory_roles]


def _role_assignment(principal: EnterpriseApplication, role_id: str) -> Document:
    return {
        "id": f"{role_id[:8]}{principal.id.replace('-', '')}-1",
        "principalId": principal.id,
        "directoryScopeId": "/",
        "roleDefinitionId": role_id,
    }


@route("GET", "/roleManagement/directory/roleAssignments", *READ_ASSIGNMENTS)
def list_role_assignments(call: Call) -> Response:
    text = call.options.get("$filter", "")
    if "principalId" not in text and "roleDefinitionId" not in text:
        raise bad_request("The query must have a $filter on principalId or roleDefinitionId.", "BadRequest")
    return page(call, "unifiedRoleAssignment", _role_assignments(call), "roleManagement/directory/roleAssignments")


@route("GET", "/roleManagement/directory/roleAssignments/{key}", *READ_ASSIGNMENTS)
def get_role_assignment(call: Call, key: str) -> Response:
    match = next((a for a in _role_assignments(call) if a["id"] == key), None)
    if match is None:
        raise not_found(key)
    return one(call, "unifiedRoleAssignment", match, "roleManagement/directory/roleAssignments")


@route("POST", "/roleManagement/directory/roleAssignments", *WRITE_ASSIGNMENTS)
def post_role_assignment(call: Call) -> Response:
    body = call.body
    check_body(body, "unifiedRoleAssignment", {"id"})
    if body.get("directoryScopeId") != "/":
        raise bad_request("The directoryScopeId or appScopeId must be given.")
    role_id = str(body.get("roleDefinitionId") or "").lower()
    if role_id not in DIRECTORY_ROLES.values():
        raise not_found(role_id)
    principal = call.tenant.enterprise_applications.get(str(body.get("principalId") or "").lower())
    if principal is None or principal.visible_from > call.now:
        raise not_found(str(body.get("principalId")))
    if role_id in principal.directory_roles:
        text = "A conflicting object with one or more of the specified property values is present in the directory."
        raise conflict(text) if call.version == "beta" else bad_request(text)
    delayed = call.now if call.platform.settings.lag_of("exchange_directory_role") else 0.0  # where Exchange counts from this moment
    principal.directory_roles[role_id] = call.platform.after("role_assignment") or delayed
    fragment = "roleManagement/directory/roleAssignments"
    return one(call, "unifiedRoleAssignment", _role_assignment(principal, role_id), fragment, 201)


@route("DELETE", "/roleManagement/directory/roleAssignments/{key}", *WRITE_ASSIGNMENTS)
def delete_role_assignment(call: Call, key: str) -> Response:
    match = next((a for a in _role_assignments(call) if a["id"] == key), None)
    if match is None:
        raise not_found(key)
    if match["principalId"] == call.claims.get("oid"):
        name = next(name for name, role_id in DIRECTORY_ROLES.items() if role_id == match["roleDefinitionId"])
        raise bad_request(f"Removing self from {name} built-in role is not allowed.")
    del call.tenant.enterprise_applications[match["principalId"]].directory_roles[match["roleDefinitionId"]]
    return Response(204)


@route("GET", "/directory/deletedItems/microsoft.graph.application", *applications.READ)
def list_deleted_applications(call: Call) -> Response:
    items = [d for d in call.tenant.deleted_items.values() if isinstance(d.item, Application)]
    return page(call, "application", [_deleted(call, item) for item in items], "applications")


@route("GET", "/directory/deletedItems/microsoft.graph.servicePrincipal", *applications.READ)
def list_deleted_principals(call: Call) -> Response:
    items = [d for d in call.tenant.deleted_items.values() if isinstance(d.item, EnterpriseApplication)]
    return page(call, "servicePrincipal", [_deleted(call, item) for item in items], "servicePrincipals")


@route("GET", "/directory/deletedItems/{key}", *applications.READ)
def get_deleted(call: Call, key: str) -> Response:
    result = _find_deleted(call, key)
    type_name = "application" if isinstance(result.item, Application) else "servicePrincipal"
    return one(call, type_name, _deleted(call, result), "directoryObjects")


@route("POST", "/directory/deletedItems/{key}/restore", *applications.WRITE)
def restore(call: Call, key: str) -> Response:
    """An application comes back without its service principal, which is restored by a request of its own."""
    deleted = _find_deleted(call, key)
    tenant = call.tenant
    if isinstance(deleted.item, Application):
        tenant.applications[deleted.item.object_id] = deleted.item
    elif tenant.enterprise_application(deleted.item.app_id):
        text = "The service principal cannot be created, updated, or restored because the service principal name"
        raise conflict(f"{text} {deleted.item.app_id} is already in use.")
    else:
        tenant.enterprise_applications[deleted.item.id] = deleted.item
    del tenant.deleted_items[key.lower()]
    deleted.deleted = 0.0
    return Response(200, {"@odata.context": call.context("directoryObjects/$entity")} | _deleted(call, deleted))


@route("DELETE", "/directory/deletedItems/{key}", *applications.WRITE)
def delete_finally(call: Call, key: str) -> Response:
    """The object is gone; the unique name of an application stays reserved."""
    deleted = _find_deleted(call, key)
    if isinstance(deleted.item, Application) and deleted.item.unique_name:
        call.tenant.purged_unique_names[deleted.item.unique_name] = deleted.deleted + applications.DELETED_FOR
    del call.tenant.deleted_items[key.lower()]
    return Response(204)


def _find_deleted(call: Call, key: str) -> DeletedItem:
    if not GUID.fullmatch(key):
        raise bad_request(f"Invalid object identifier '{key}'.")
    match = call.tenant.deleted_items.get(key.lower())
    if match is None:
        raise not_found(key)
    return match


def _deleted(call: Call, deleted: DeletedItem) -> Document:
    if isinstance(deleted.item, Application):
        kind, listed = "application", applications.document(deleted.item, call.tenant)
    else:
        kind, listed = "servicePrincipal", principals.document_of(call, deleted.item)
    when = iso(deleted.deleted) if deleted.deleted else None
    return {"@odata.type": f"#microsoft.graph.{kind}"} | listed | {"deletedDateTime": when}


@route("GET", "/users", *READ_USERS)
def list_users(call: Call) -> Response:
    return page(call, "user", _candidates(call), "users", show=_user)


def _candidates(call: Call) -> list[Mailbox]:
    """The mailboxes that $filter is to judge: one alone where it asks for one by its address or id."""
    asked = BY_NAME.fullmatch(call.options.get("$filter", "").strip())
    result = call.tenant.mailbox(asked["name"]) if asked else None
    if asked and result and asked["name"].lower() in (result.address, result.user_id, *result.aliases):
        return [result]
    return list(call.tenant.mailboxes.values())


@route("GET", "/users/{key}", *READ_USERS)
def get_user(call: Call, key: str) -> Response:
    requested = key.lower()
    result = call.tenant.mailbox(requested)
    if result is None or requested not in (result.address, result.user_id):
        raise not_found(key)
    return one(call, "user", _user(result), "users")


def _user(mailbox: Mailbox) -> Document:
    return {
        "id": mailbox.user_id,
        "deletedDateTime": None,
        "accountEnabled": mailbox.kind == "UserMailbox" or mailbox.password is not None,
        "assignedPlans": [_exchange_plan()],
        "businessPhones": [],
        "displayName": mailbox.display_name,
        "mail": mailbox.address,
        "mailNickname": mailbox.name,
        "proxyAddresses": [f"SMTP:{mailbox.address}", *(f"smtp:{alias}" for alias in mailbox.aliases)],
        "userPrincipalName": mailbox.address,
        "userType": "Member",
    }
