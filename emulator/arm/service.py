"""Azure Resource Manager: what sending through Azure Communication Services needs.

Sources: "Azure Communication Services Management API" 2025-09-01 (azure-rest-api-specs: SmtpUsernames, CommunicationServices,
Domains, SenderUsernames), "Role Assignments" 2022-04-01; "Common error codes" for the bodies of refusals.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from emulator.arm.answers import ArmError, domain_document, role_document, service_document, username_document
from emulator.http import MalformedJsonError, Request, Response
from emulator.platform import Platform
from emulator.state import Tenant
from emulator.state.azure import ASSIGNING, SENDING, AzureRole, CommunicationService, SmtpUsername
from emulator.tokens import Claims, TokenError
from emulator.validation import is_guid

GROUP = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Communication"
SERVICE = re.compile(rf"({GROUP}/communicationServices/[^/]+)(/smtpUsernames(?:/([^/]+))?)?", re.I)
DOMAIN = re.compile(rf"({GROUP}/emailServices/[^/]+/domains/[^/]+)(/senderUsernames)?", re.I)
ASSIGNMENT = re.compile(r"(/subscriptions/.+?)/providers/Microsoft\.Authorization/roleAssignments(?:/([^/]+))?", re.I)
NAME = re.compile(r"[a-zA-Z0-9-]{1,253}")
PROPERTIES = {"username", "entraApplicationId", "tenantId"}


def handles(path: str) -> bool:
    return path.lower().startswith("/subscriptions/")


def handle(platform: Platform, request: Request) -> Response:
    tenant: Tenant | None = None
    try:
        tenant, claims = _caller(platform, request)
        platform.counters.count(tenant.id, "arm")
        if "api-version" not in parse_qs(request.query):
            raise ArmError(
                400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."
            )
        return Call(platform, tenant, claims, request).answer()
    except ArmError as error:
        if tenant is None:
            platform.counters.count(None, "arm")
        return error.response()


def _caller(platform: Platform, request: Request) -> tuple[Tenant, Claims]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise TokenError("malformed")
        claims = platform.state.tokens.verify(token, "management")
    except TokenError:
        raise ArmError(401, "InvalidAuthenticationToken", "The access token is invalid.") from None
    return platform.state.tenants[claims["tid"]], claims


class Call:
    """One request of a caller that is known."""

    def __init__(self, platform: Platform, tenant: Tenant, claims: Claims, request: Request) -> None:
        self.platform, self.tenant, self.claims, self.request = platform, tenant, claims, request
        self.azure = tenant.azure

    def answer(self) -> Response:
        path = self.request.path.rstrip("/")
        if match := ASSIGNMENT.fullmatch(path):
            return self._assignments(match[1], match[2])
        if match := SERVICE.fullmatch(path):
            return self._service(match[1], bool(match[2]), match[3])
        if match := DOMAIN.fullmatch(path):
            return self._domain(match[1], bool(match[2]))
        raise ArmError(404, "InvalidResourceType", f"The resource type could not be found for the path '{path}'.")

    def _allow(self, scope: str, action: str, roles: set[str] | None = None) -> None:
        """Refuse a caller without one of the roles; None: any role reads."""
        held = self.azure.held(self.claims["oid"], scope, self.platform.now)
        if held & roles if roles is not None else held:
            return
        text = (
            f"The client '{self.claims['appid']}' with object id '{self.claims['oid']}' does not have authorization to perform action "
            f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
        )
        raise ArmError(403, "AuthorizationFailed", text)

    def _method(self, *known: str) -> str:
        if self.request.method not in known:
            raise ArmError(405, "MethodNotAllowed", f"The method '{self.request.method}' is not allowed here.")
        return self.request.method

    def _service(self, resource_id: str, usernames: bool, name: str | None) -> Response:
        write = self.request.method != "GET"
        action = f"Microsoft.Communication/communicationServices{'/smtpUsernames' if usernames else ''}/{'write' if write else 'read'}"
        self._allow(resource_id, action, SENDING if write else None)
        service = self.azure.service(resource_id)
        if service is None:
            raise ArmError(404, "ResourceNotFound", f"The Resource '{resource_id.partition('/providers/')[2]}' was not found.")
        if not usernames:
            self._method("GET")
            return Response(200, service_document(service))
        return self._usernames(service) if name is None else self._username(service, name)

    def _usernames(self, service: CommunicationService) -> Response:
        self._method("GET")
        return Response(200, {"value": [username_document(service, one) for one in service.smtp_usernames.values()]})

    def _username(self, service: CommunicationService, name: str) -> Response:
        method = self._method("GET", "PUT", "DELETE")
        match = service.smtp_usernames.get(name.lower())
        if method == "PUT":
            service.smtp_usernames[name.lower()] = new = self._requested_username(name)
            return Response(200 if match else 201, username_document(service, new))
        if method == "DELETE":
            service.smtp_usernames.pop(name.lower(), None)
            return Response(200 if match else 204)
        if match is None:
            raise ArmError(404, "ResourceNotFound", f"The SMTP username resource '{name}' was not found.")
        return Response(200, username_document(service, match))

    def _properties(self) -> dict[str, Any]:
        try:
            properties = self.request.json_object().get("properties")
        except MalformedJsonError as error:
            raise ArmError(400, "InvalidRequestContent", f"The request content was invalid: {error}.") from None
        if not isinstance(properties, dict):
            raise ArmError(400, "InvalidRequestContent", "The request content has no properties.")
        return properties

    def _requested_username(self, name: str) -> SmtpUsername:
        """A username belongs to one resource: the service finds the application by it."""
        values = self._properties()
        bad = values.keys() ^ PROPERTIES or {key for key in ("entraApplicationId", "tenantId") if not is_guid(str(values[key]))}
        if bad or not NAME.fullmatch(name) or not values["username"]:
            raise ArmError(400, "BadRequest", f"The SMTP username resource is invalid: {', '.join(sorted(bad)) or 'name'}.")
        username = str(values["username"])
        every = [one for tenant in self.platform.state.tenants.values() for service in tenant.azure.services
                 for one in service.smtp_usernames.values()]  # fmt: skip
        if any(one.username.lower() == username.lower() and one.name.lower() != name.lower() for one in every):
            raise ArmError(409, "Conflict", f"The SMTP username '{username}' is already in use.")
        return SmtpUsername(name, username, str(values["entraApplicationId"]).lower(), str(values["tenantId"]).lower())

    def _domain(self, resource_id: str, senders: bool) -> Response:
        self._method("GET")
        self._allow(resource_id, "Microsoft.Communication/emailServices/domains/read")
        domain = self.azure.domain(resource_id)
        if domain is None:
            raise ArmError(404, "ResourceNotFound", f"The Resource '{resource_id.partition('/providers/')[2]}' was not found.")
        if not senders:
            return Response(200, domain_document(domain))
        listed = [
            {"id": f"{domain.id}/senderUsernames/{one}", "name": one, "properties": {"username": one, "displayName": one}}
            for one in domain.senders
        ]
        return Response(200, {"value": listed})

    def _assignments(self, scope: str, name: str | None) -> Response:
        method = self._method("GET", "PUT", "DELETE")
        action = f"Microsoft.Authorization/roleAssignments/{'read' if method == 'GET' else 'write' if method == 'PUT' else 'delete'}"
        self._allow(scope, action, None if method == "GET" else ASSIGNING)
        match = next((one for one in self.azure.roles if name and one.name.lower() == name.lower()), None)
        if method == "PUT" and name:
            return Response(201, role_document(self._assign(scope, name)))
        if name is None:
            requested = re.fullmatch(r"principalId eq '([^']*)'", parse_qs(self.request.query).get("$filter", [""])[0])
            place = f"{scope.lower()}/"
            listed = [one for one in self.azure.roles if place.startswith(f"{one.scope.lower()}/")]
            return Response(200, {"value": [role_document(one) for one in listed if not requested or one.principal_id == requested[1]]})
        if match is None:
            raise ArmError(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
        if method == "DELETE":
            self.azure.roles.remove(match)
        return Response(200, role_document(match))

    def _assign(self, scope: str, name: str) -> AzureRole:
        values = self._properties()
        role, principal = str(values.get("roleDefinitionId", "")).rpartition("/")[2].lower(), str(values.get("principalId", "")).lower()
        if principal not in self.tenant.enterprise_applications:
            text = f"Principal {principal} does not exist in the directory {self.tenant.id}."
            raise ArmError(400, "PrincipalNotFound", text)
        if any((one.scope.lower(), one.role, one.principal_id) == (scope.lower(), role, principal) for one in self.azure.roles):
            raise ArmError(409, "RoleAssignmentExists", "The role assignment already exists.")
        assignment = AzureRole(scope, role, principal, name, self.platform.after("azure_role"))
        self.azure.roles.append(assignment)
        return assignment
