"""Ids that are the same in every tenant: resource applications, their roles and scopes, directory role templates.

Source: Microsoft Graph permissions reference; Microsoft Entra built-in roles; for Exchange Online's roles "Authenticate
an IMAP, POP or SMTP connection using OAuth" and "App-only authentication for unattended scripts in Exchange Online".
"""

from __future__ import annotations

import uuid
from typing import Any

from emulator.tokens import EXCHANGE_APP, GRAPH_APP

NAMESPACE = uuid.UUID("5f0c7b0e-6f0b-5d0f-9a5e-3f6f2f1c9d35")

EXCHANGE_NAME = "Office 365 Exchange Online"
GRAPH_NAME = "Microsoft Graph"
MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"  # owns the applications of Microsoft's services

EXCHANGE_ROLES = {
    "SMTP.SendAsApp": "7146a1f0-8703-45b3-9eae-527a64c00995",
    "Exchange.ManageAsApp": "dc50a0fb-09a3-484d-be87-e023b12c6440",
    "IMAP.AccessAsApp": "5e5addcd-3e8d-4e90-baf5-964efab2b20a",
    "POP.AccessAsApp": "cb842b43-da6e-4506-86fe-bb12199c656d",
    "full_access_as_app": "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "ReportingWebService.Read.All": "b4d5a5c7-c085-487f-b922-ef0d6ebde6b1",
}
EXCHANGE_SCOPES = {
    "SMTP.Send": "76faac2a-0f20-42f1-928a-50de5b9dbe52",
    "IMAP.AccessAsUser.All": "195adc35-e27b-454b-a7ed-1ecdffa1c09f",
    "POP.AccessAsUser.All": "fb698133-92fa-453e-a9ed-688e10f2e5ac",
    "Exchange.Manage": "ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c",
}
GRAPH_ROLES = {
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.Read.ConditionalAccess": "37730810-e9ba-4e46-b07e-8ca78d182097",
    "Policy.ReadWrite.ConditionalAccess": "01c0a623-fc9b-48e9-b794-0756f8e8f067",
    "Policy.ReadWrite.SecurityDefaults": "1c6e93a6-28e2-4cbb-9f64-1a46a821124d",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Domain.Read.All": "dbb9058a-0e50-45d7-ae91-66909b5d4664",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "Reports.Read.All": "230c1aed-a721-4c5d-9cb4-a90514e508ef",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
}
GRAPH_SCOPES = {
    "SMTP.Send": "258f6531-6087-4cc4-bb90-092c5fb3ed3f",
    "IMAP.AccessAsUser.All": "652390e4-393a-48de-9484-05f9b1212954",
    "POP.AccessAsUser.All": "d7b7f2d9-0f45-4ea1-9d42-e50810c06991",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "Application.Read.All": "c79f8feb-a9db-4090-85f9-90d820caa0eb",
    "Application.ReadWrite.All": "bdfbf15f-ee85-4955-8675-146e8e5296b5",
    "AppRoleAssignment.ReadWrite.All": "84bccea3-f856-4a8a-967b-dbe0a3d53a64",
    "DelegatedPermissionGrant.ReadWrite.All": "41ce6ca6-6826-4807-84f1-1c82854f7ee5",
    "Directory.Read.All": "06da0dbc-49e2-44d2-8312-53f166ab848a",
    "Domain.Read.All": "2f9ee017-59c1-4f1d-9472-bd5529a7b311",
    "Organization.Read.All": "4908d5b9-3fb2-4b1e-9336-1888b7937185",
    "Policy.Read.All": "572fea84-0151-49b2-9301-11cb16974376",
    "Policy.ReadWrite.ConditionalAccess": "ad902697-1014-4ef5-81ef-2b4301988e8c",
    "RoleManagement.ReadWrite.Directory": "d01b97e9-cbc0-49fe-810a-750afd5527a3",
    "User.Read.All": "a154be20-db9c-4678-8ab7-66f6cc099a59",
}
DIRECTORY_ROLES = {
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Exchange Recipient Administrator": "31392ffb-586c-42d1-9346-e59415a2cc4e",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
}


def derived_id(*parts: str) -> str:
    """The id of something that a state file names without one: the same in every run."""
    return str(uuid.uuid5(NAMESPACE, "/".join(parts).lower()))


def _app_roles(roles: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": f"Allows the application to use {value} without a signed-in user.",
            "displayName": value,
            "id": role_id,
            "isEnabled": True,
            "origin": "Application",
            "value": value,
        }
        for value, role_id in roles.items()
    ]


def _scopes(scopes: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "adminConsentDescription": f"Allows the app to use {value} on behalf of the signed-in user.",
            "adminConsentDisplayName": value,
            "id": scope_id,
            "isEnabled": True,
            "type": "User",
            "userConsentDescription": f"Allows the app to use {value} on your behalf.",
            "userConsentDisplayName": value,
            "value": value,
        }
        for value, scope_id in scopes.items()
    ]


# Shared by all tenants: never changed, only read.
APP_ROLES = {EXCHANGE_APP: _app_roles(EXCHANGE_ROLES), GRAPH_APP: _app_roles(GRAPH_ROLES)}
SCOPES = {EXCHANGE_APP: _scopes(EXCHANGE_SCOPES), GRAPH_APP: _scopes(GRAPH_SCOPES)}
RESOURCE_NAMES = {EXCHANGE_APP: EXCHANGE_NAME, GRAPH_APP: GRAPH_NAME}
