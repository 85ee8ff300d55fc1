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


def username_document(service: CommunicationService, found: SmtpUsername) -> dict[str, Any]:
    properties = {"username": found.username, "entraApplicationId": found.app_id, "tenantId": found.tenant_id}
    return {
        "id": f"{service.id}/SmtpUsernames/{found.name}",
        "name": found.name,
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


def role_document(found: AzureRole) -> dict[str, Any]:
    subscription = "/".join(found.scope.split("/")[:3])
    properties = {
        "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{found.role}",
        "principalId": found.principal_id,
        "principalType": "ServicePrincipal",
        "scope": found.scope,
    }
    kind = "Microsoft.Authorization/roleAssignments"
    return {"id": f"{found.scope}/providers/{kind}/{found.name}", "name": found.name, "type": kind, "properties": properties}
