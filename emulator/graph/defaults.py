"""The properties that a new application and a new service principal have; never changed, only merged with.

Source: the responses in "Create application" and "Create servicePrincipal".
"""

from __future__ import annotations

from typing import Any

APPLICATION: dict[str, Any] = {
    "deletedDateTime": None,
    "applicationTemplateId": None,
    "disabledByMicrosoftStatus": None,
    "description": None,
    "groupMembershipClaims": None,
    "identifierUris": [],
    "isDeviceOnlyAuthSupported": None,
    "isDisabled": None,
    "isFallbackPublicClient": None,
    "nativeAuthenticationApisEnabled": None,
    "notes": None,
    "serviceManagementReference": None,
    "signInAudience": "AzureADMyOrg",  # of a state file's application that does not say
    "tags": [],
    "tokenEncryptionKeyId": None,
    "samlMetadataUrl": None,
    "defaultRedirectUri": None,
    "certification": None,
    "optionalClaims": None,
    "requestSignatureVerification": None,
    "addIns": [],
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": None,
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
    },
    "appRoles": [],
    "info": dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")),
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "publicClient": {"redirectUris": []},
    "requiredResourceAccess": [],
    "servicePrincipalLockConfiguration": None,
    "spa": {"redirectUris": []},
    "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
    "web": {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [],
        "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        "redirectUriSettings": [],
    },
}

SERVICE_PRINCIPAL: dict[str, Any] = {
    "deletedDateTime": None,
    "accountEnabled": True,
    "alternativeNames": [],
    "appDescription": None,
    "applicationTemplateId": None,
    "appRoleAssignmentRequired": False,
    "description": None,
    "disabledByMicrosoftStatus": None,
    "homepage": None,
    "loginUrl": None,
    "logoutUrl": None,
    "notes": None,
    "notificationEmailAddresses": [],
    "preferredSingleSignOnMode": None,
    "preferredTokenSigningKeyThumbprint": None,
    "replyUrls": [],
    "servicePrincipalType": "Application",
    "tags": [],
    "tokenEncryptionKeyId": None,
    "samlSingleSignOnSettings": None,
    "addIns": [],
    "info": dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")),
    "keyCredentials": [],
    "passwordCredentials": [],
    "resourceSpecificApplicationPermissions": [],
    "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
}
