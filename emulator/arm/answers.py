"""What Azure Resource Manager answers: resources and errors."""

from __future__ import annotations

from typing import Any

from emulator.http import Response
from emulator.state.azure import AzureRole, CommunicationService, EmailDomain, SmtpUsername


class ArmError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        return Response(self.status, {"error": {"code": self.code, "message": self.message}})


def service_document(service: CommunicationService) -> dict[str, Any]:
    properties = {
        "hostName": f"{service.name.lower()}.communication.azure.com",
        "dataLocation": "Europe",
        "linkedDomains": service.linked_domains,
        "provisioningState": "Succeeded",
    }
    kind = "Microsoft.Communication/CommunicationServices"
    return {"id": service.id, "name": service.name, "type": kind, "location": "Global", "properties": properties}


def username_document(service: CommunicationService, username: SmtpUsername) -> dict[str, Any]:
    properties = {"username": username.username, "entraApplicationId": username.app_id, "tenantId": username.tenant_id}
    return {
        "id": f"{service.id}/SmtpUsernames/{username.name}",
        "name": username.name,
        "type": "Microsoft.Communication/CommunicationServices/SmtpUsernames",
        "properties": properties,
    }


def domain_document(domain: EmailDomain) -> dict[str, Any]:
    status = {"status": "Verified" if domain.verified else "NotStarted"}
    properties = {
        "domainManagement": "AzureManaged" if domain.azure_managed else "CustomerManaged",
        "fromSenderDomain": domain.name,
        "mailFromSenderDomain": domain.name,
        "provisioningState": "Succeeded",
        "verificationStates": dict.fromkeys(("Domain", "SPF", "DKIM", "DKIM2"), status),
    }
    name = "AzureManagedDomain" if domain.azure_managed else domain.name
    return {"id": domain.id, "name": name, "type": "Microsoft.Communication/EmailServices/Domains", "properties": properties}


def role_document(role: AzureRole) -> dict[str, Any]:
    subscription = "/".join(role.scope.split("/")[:3])
    properties = {
        "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role.role}",
        "principalId": role.principal_id,
        "principalType": "ServicePrincipal",
        "scope": role.scope,
    }
    kind = "Microsoft.Authorization/roleAssignments"
    return {"id": f"{role.scope}/providers/{kind}/{role.name}", "name": role.name, "type": kind, "properties": properties}
