"""Microsoft Graph v1.0 types of Conditional Access and of what a user is a member of.

Source: the v1.0 CSDL in microsoftgraph/msgraph-metadata, 2026-08-20.
"""

from __future__ import annotations

from emulator.graph.types import ENUMS, TYPES

_CONDITIONAL_ACCESS = {
    "Policy": """
        conditions:conditionalAccessConditionSet createdDateTime:DateTimeOffset deletedDateTime:DateTimeOffset description:String
        displayName:String grantControls:conditionalAccessGrantControls id:String modifiedDateTime:DateTimeOffset
        sessionControls:conditionalAccessSessionControls state:conditionalAccessPolicyState templateId:String
    """,
    "ConditionSet": """
        applications:conditionalAccessApplications authenticationFlows:conditionalAccessAuthenticationFlows
        clientApplications:conditionalAccessClientApplications clientAppTypes:[conditionalAccessClientApp]
        devices:conditionalAccessDevices insiderRiskLevels:conditionalAccessInsiderRiskLevels locations:conditionalAccessLocations
        platforms:conditionalAccessPlatforms servicePrincipalRiskLevels:[riskLevel] signInRiskLevels:[riskLevel]
        userRiskLevels:[riskLevel] users:conditionalAccessUsers
    """,
    "Applications": """
        applicationFilter:conditionalAccessFilter excludeApplications:[String] includeApplications:[String]
        includeAuthenticationContextClassReferences:[String] includeUserActions:[String]
    """,
    "AuthenticationFlows": "transferMethods:conditionalAccessTransferMethods",
    "ClientApplications": """
        excludeServicePrincipals:[String] includeServicePrincipals:[String] servicePrincipalFilter:conditionalAccessFilter
    """,
    "Devices": "deviceFilter:conditionalAccessFilter",
    "Filter": "mode:filterMode rule:String",
    "GrantControls": """
        authenticationStrength:authenticationStrengthPolicy builtInControls:[conditionalAccessGrantControl]
        customAuthenticationFactors:[String] operator:String termsOfUse:[String]
    """,
    "GuestsOrExternalUsers": """
        externalTenants:conditionalAccessExternalTenants guestOrExternalUserTypes:conditionalAccessGuestOrExternalUserTypes
    """,
    "ExternalTenants": "membershipKind:String members:[String]",
    "Locations": "excludeLocations:[String] includeLocations:[String]",
    "Platforms": "excludePlatforms:[conditionalAccessDevicePlatform] includePlatforms:[conditionalAccessDevicePlatform]",
    "SessionControls": """
        applicationEnforcedRestrictions:sessionControl cloudAppSecurity:sessionControl disableResilienceDefaults:Boolean
        persistentBrowser:sessionControl secureSignInSession:sessionControl signInFrequency:sessionControl
    """,
    "Users": """
        excludeGroups:[String] excludeGuestsOrExternalUsers:conditionalAccessGuestsOrExternalUsers excludeRoles:[String]
        excludeUsers:[String] includeGroups:[String] includeGuestsOrExternalUsers:conditionalAccessGuestsOrExternalUsers
        includeRoles:[String] includeUsers:[String]
    """,
}
_OTHERS = {
    "authenticationStrengthPolicy": "id:String displayName:String allowedCombinations:[String] policyType:String",
    "sessionControl": """
        authenticationType:String cloudAppSecurityType:String frequencyInterval:String isEnabled:Boolean mode:String type:String value:Int32
    """,
    "ipNamedLocation": """
        createdDateTime:DateTimeOffset displayName:String id:String ipRanges:[ipRange] isTrusted:Boolean modifiedDateTime:DateTimeOffset
    """,
    "countryNamedLocation": """
        countriesAndRegions:[String] countryLookupMethod:String createdDateTime:DateTimeOffset displayName:String id:String
        includeUnknownCountriesAndRegions:Boolean modifiedDateTime:DateTimeOffset
    """,
    "namedLocation": "createdDateTime:DateTimeOffset displayName:String id:String modifiedDateTime:DateTimeOffset",
    "ipRange": "cidrAddress:String",
    "directoryObject": "deletedDateTime:DateTimeOffset id:String",
    "directoryRole": "deletedDateTime:DateTimeOffset description:String displayName:String id:String roleTemplateId:String",
}


def _properties(text: str) -> dict[str, str]:
    return dict(item.split(":") for item in text.split())


TYPES |= {f"conditionalAccess{name}": _properties(text) for name, text in _CONDITIONAL_ACCESS.items()}
TYPES |= {name: _properties(text) for name, text in _OTHERS.items()}
ENUMS |= {
    "conditionalAccessClientApp": {"all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"},
    "conditionalAccessDevicePlatform": {"android", "iOS", "windows", "windowsPhone", "macOS", "all", "linux"},
    "conditionalAccessGrantControl": {
        "block", "mfa", "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication", "passwordChange",
        "riskRemediation",
    },
    "conditionalAccessGuestOrExternalUserTypes": {
        "none", "internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember", "b2bDirectConnectUser", "otherExternalUser",
        "serviceProvider",
    },
    "conditionalAccessInsiderRiskLevels": {"minor", "moderate", "elevated"},
    "conditionalAccessPolicyState": {"enabled", "disabled", "enabledForReportingButNotEnforced"},
    "conditionalAccessTransferMethods": {"none", "deviceCodeFlow", "authenticationTransfer"},
    "filterMode": {"include", "exclude"},
    "riskLevel": {"low", "medium", "high", "hidden", "none"},
}  # fmt: skip
