"""Microsoft Graph v1.0 types: property name and type of what this emulator reads and writes.

Source: the v1.0 CSDL in microsoftgraph/msgraph-metadata, 2026-08-20. `[type]` is a collection.
"""

from __future__ import annotations


def _properties(text: str) -> dict[str, str]:
    return dict(item.split(":") for item in text.split())


TYPES: dict[str, dict[str, str]] = {
    "application": _properties(
        """
        addIns:[addIn] api:apiApplication appId:String applicationTemplateId:String appRoles:[appRole]
        authenticationBehaviors:authenticationBehaviors certification:certification createdByAppId:String
        createdDateTime:DateTimeOffset defaultRedirectUri:String deletedDateTime:DateTimeOffset description:String
        disabledByMicrosoftStatus:String displayName:String groupMembershipClaims:String id:String
        identifierUris:[String] info:informationalUrl isDeviceOnlyAuthSupported:Boolean isDisabled:Boolean
        isFallbackPublicClient:Boolean keyCredentials:[keyCredential] logo:Stream managerApplications:[Guid]
        nativeAuthenticationApisEnabled:nativeAuthenticationApisEnabled notes:String
        oauth2RequirePostResponse:Boolean optionalClaims:optionalClaims
        parentalControlSettings:parentalControlSettings passwordCredentials:[passwordCredential]
        publicClient:publicClientApplication publisherDomain:String
        requestSignatureVerification:requestSignatureVerification requiredResourceAccess:[requiredResourceAccess]
        samlMetadataUrl:String serviceManagementReference:String
        servicePrincipalLockConfiguration:servicePrincipalLockConfiguration signInAudience:String
        spa:spaApplication tags:[String] tokenEncryptionKeyId:Guid uniqueName:String
        verifiedPublisher:verifiedPublisher web:webApplication
        """
    ),
    "servicePrincipal": _properties(
        """
        accountEnabled:Boolean addIns:[addIn] alternativeNames:[String] appDescription:String appDisplayName:String
        appId:String applicationTemplateId:String appOwnerOrganizationId:Guid appRoleAssignmentRequired:Boolean
        appRoles:[appRole] createdByAppId:String customSecurityAttributes:customSecurityAttributeValue
        deletedDateTime:DateTimeOffset description:String disabledByMicrosoftStatus:String displayName:String
        homepage:String id:String info:informationalUrl isDisabled:Boolean keyCredentials:[keyCredential]
        loginUrl:String logoutUrl:String notes:String notificationEmailAddresses:[String]
        oauth2PermissionScopes:[permissionScope] passwordCredentials:[passwordCredential]
        preferredSingleSignOnMode:String preferredTokenSigningKeyThumbprint:String replyUrls:[String]
        resourceSpecificApplicationPermissions:[resourceSpecificPermission]
        samlSingleSignOnSettings:samlSingleSignOnSettings servicePrincipalNames:[String]
        servicePrincipalType:String signInAudience:String tags:[String] tokenEncryptionKeyId:Guid
        verifiedPublisher:verifiedPublisher
        """
    ),
    "appRoleAssignment": _properties(
        """
        appRoleId:Guid createdDateTime:DateTimeOffset deletedDateTime:DateTimeOffset id:String
        principalDisplayName:String principalId:Guid principalType:String resourceDisplayName:String
        resourceId:Guid
        """
    ),
    "oAuth2PermissionGrant": _properties(
        """
        clientId:String consentType:String id:String principalId:String resourceId:String scope:String
        """
    ),
    "organization": _properties(
        """
        assignedPlans:[assignedPlan] businessPhones:[String] city:String country:String countryLetterCode:String
        createdDateTime:DateTimeOffset defaultUsageLocation:String deletedDateTime:DateTimeOffset
        displayName:String id:String marketingNotificationEmails:[String]
        mobileDeviceManagementAuthority:mdmAuthority onPremisesLastSyncDateTime:DateTimeOffset
        onPremisesSyncEnabled:Boolean partnerTenantType:partnerTenantType postalCode:String
        preferredLanguage:String privacyProfile:privacyProfile provisionedPlans:[provisionedPlan]
        securityComplianceNotificationMails:[String] securityComplianceNotificationPhones:[String] state:String
        street:String technicalNotificationMails:[String] tenantType:String verifiedDomains:[verifiedDomain]
        """
    ),
    "domain": _properties(
        """
        authenticationType:String availabilityStatus:String id:String isAdminManaged:Boolean isDefault:Boolean
        isInitial:Boolean isRoot:Boolean isVerified:Boolean manufacturer:String model:String
        passwordNotificationWindowInDays:Int32 passwordValidityPeriodInDays:Int32 state:domainState
        supportedServices:[String]
        """
    ),
    "identitySecurityDefaultsEnforcementPolicy": _properties(
        """
        deletedDateTime:DateTimeOffset description:String displayName:String id:String isEnabled:Boolean
        """
    ),
    "unifiedRoleAssignment": _properties(
        """
        appScopeId:String condition:String directoryScopeId:String id:String principalId:String
        principalOrganizationId:String roleDefinitionId:String
        """
    ),
    "user": _properties(
        """
        aboutMe:String accountEnabled:Boolean ageGroup:String assignedLicenses:[assignedLicense]
        assignedPlans:[assignedPlan] authorizationInfo:authorizationInfo birthday:DateTimeOffset
        businessPhones:[String] city:String companyName:String consentProvidedForMinor:String country:String
        createdDateTime:DateTimeOffset creationType:String customSecurityAttributes:customSecurityAttributeValue
        deletedDateTime:DateTimeOffset department:String deviceEnrollmentLimit:Int32 displayName:String
        employeeHireDate:DateTimeOffset employeeId:String employeeLeaveDateTime:DateTimeOffset
        employeeOrgData:employeeOrgData employeeType:String externalUserState:String
        externalUserStateChangeDateTime:DateTimeOffset faxNumber:String givenName:String hireDate:DateTimeOffset
        id:String identities:[objectIdentity] identityParentId:String imAddresses:[String] interests:[String]
        isManagementRestricted:Boolean isResourceAccount:Boolean jobTitle:String
        lastPasswordChangeDateTime:DateTimeOffset legalAgeGroupClassification:String
        licenseAssignmentStates:[licenseAssignmentState] mail:String mailboxSettings:mailboxSettings
        mailNickname:String mobilePhone:String mySite:String officeLocation:String
        onPremisesDistinguishedName:String onPremisesDomainName:String
        onPremisesExtensionAttributes:onPremisesExtensionAttributes onPremisesImmutableId:String
        onPremisesLastSyncDateTime:DateTimeOffset onPremisesProvisioningErrors:[onPremisesProvisioningError]
        onPremisesSamAccountName:String onPremisesSecurityIdentifier:String onPremisesSyncEnabled:Boolean
        onPremisesUserPrincipalName:String otherMails:[String] passwordPolicies:String
        passwordProfile:passwordProfile pastProjects:[String] postalCode:String preferredDataLocation:String
        preferredLanguage:String preferredName:String print:userPrint provisionedPlans:[provisionedPlan]
        proxyAddresses:[String] responsibilities:[String] schools:[String] securityIdentifier:String
        serviceProvisioningErrors:[serviceProvisioningError] showInAddressList:Boolean
        signInActivity:signInActivity signInSessionsValidFromDateTime:DateTimeOffset skills:[String] state:String
        streetAddress:String surname:String usageLocation:String userPrincipalName:String userType:String
        """
    ),
    "federatedIdentityCredential": _properties(
        """
        audiences:[String] description:String id:String issuer:String name:String subject:String
        """
    ),
    "subscribedSku": _properties(
        """
        accountId:String accountName:String appliesTo:String capabilityStatus:String consumedUnits:Int32 id:String
        prepaidUnits:licenseUnitsDetail servicePlans:[servicePlanInfo] skuId:Guid skuPartNumber:String
        subscriptionIds:[String]
        """
    ),
    "signIn": _properties(
        """
        appDisplayName:String appId:String appliedConditionalAccessPolicies:[appliedConditionalAccessPolicy]
        authenticationAppDeviceDetails:authenticationAppDeviceDetails clientAppUsed:String
        conditionalAccessStatus:conditionalAccessStatus correlationId:String createdDateTime:DateTimeOffset
        deviceDetail:deviceDetail homeTenantId:String id:String ipAddress:String isInteractive:Boolean
        location:signInLocation resourceDisplayName:String resourceId:String resourceTenantId:String
        riskDetail:riskDetail riskEventTypes:[riskEventType] riskEventTypes_v2:[String]
        riskLevelAggregated:riskLevel riskLevelDuringSignIn:riskLevel riskState:riskState servicePrincipalId:String
        servicePrincipalName:String status:signInStatus userAgent:String userDisplayName:String userId:String
        userPrincipalName:String
        """
    ),
    "addIn": _properties(
        """
        id:Guid properties:[keyValue] type:String
        """
    ),
    "apiApplication": _properties(
        """
        acceptMappedClaims:Boolean knownClientApplications:[Guid] oauth2PermissionScopes:[permissionScope]
        preAuthorizedApplications:[preAuthorizedApplication] requestedAccessTokenVersion:Int32
        """
    ),
    "appRole": _properties(
        """
        allowedMemberTypes:[String] description:String displayName:String id:Guid isEnabled:Boolean origin:String
        value:String
        """
    ),
    "authenticationBehaviors": _properties(
        """
        blockAzureADGraphAccess:Boolean removeUnverifiedEmailClaim:Boolean requireClientServicePrincipal:Boolean
        """
    ),
    "certification": _properties(
        """
        certificationDetailsUrl:String certificationExpirationDateTime:DateTimeOffset
        isCertifiedByMicrosoft:Boolean isPublisherAttested:Boolean lastCertificationDateTime:DateTimeOffset
        """
    ),
    "informationalUrl": _properties(
        """
        logoUrl:String marketingUrl:String privacyStatementUrl:String supportUrl:String termsOfServiceUrl:String
        """
    ),
    "keyCredential": _properties(
        """
        customKeyIdentifier:Binary displayName:String endDateTime:DateTimeOffset key:Binary keyId:Guid
        startDateTime:DateTimeOffset type:String usage:String
        """
    ),
    "optionalClaims": _properties(
        """
        accessToken:[optionalClaim] idToken:[optionalClaim] saml2Token:[optionalClaim]
        """
    ),
    "parentalControlSettings": _properties(
        """
        countriesBlockedForMinors:[String] legalAgeGroupRule:String
        """
    ),
    "passwordCredential": _properties(
        """
        customKeyIdentifier:Binary displayName:String endDateTime:DateTimeOffset hint:String keyId:Guid
        secretText:String startDateTime:DateTimeOffset
        """
    ),
    "publicClientApplication": _properties(
        """
        redirectUris:[String]
        """
    ),
    "requestSignatureVerification": _properties(
        """
        allowedWeakAlgorithms:weakAlgorithms isSignedRequestRequired:Boolean
        """
    ),
    "requiredResourceAccess": _properties(
        """
        resourceAccess:[resourceAccess] resourceAppId:String
        """
    ),
    "servicePrincipalLockConfiguration": _properties(
        """
        allProperties:Boolean credentialsWithUsageSign:Boolean credentialsWithUsageVerify:Boolean isEnabled:Boolean
        tokenEncryptionKeyId:Boolean
        """
    ),
    "spaApplication": _properties(
        """
        redirectUris:[String]
        """
    ),
    "verifiedPublisher": _properties(
        """
        addedDateTime:DateTimeOffset displayName:String verifiedPublisherId:String
        """
    ),
    "webApplication": _properties(
        """
        homePageUrl:String implicitGrantSettings:implicitGrantSettings logoutUrl:String redirectUris:[String]
        redirectUriSettings:[redirectUriSettings]
        """
    ),
    "customSecurityAttributeValue": _properties(
        """

        """
    ),
    "permissionScope": _properties(
        """
        adminConsentDescription:String adminConsentDisplayName:String id:Guid isEnabled:Boolean origin:String
        type:String userConsentDescription:String userConsentDisplayName:String value:String
        """
    ),
    "resourceSpecificPermission": _properties(
        """
        description:String displayName:String id:Guid isEnabled:Boolean value:String
        """
    ),
    "samlSingleSignOnSettings": _properties(
        """
        relayState:String
        """
    ),
    "keyValue": _properties(
        """
        key:String value:String
        """
    ),
    "preAuthorizedApplication": _properties(
        """
        appId:String delegatedPermissionIds:[String]
        """
    ),
    "optionalClaim": _properties(
        """
        additionalProperties:[String] essential:Boolean name:String source:String
        """
    ),
    "resourceAccess": _properties(
        """
        id:Guid type:String
        """
    ),
    "implicitGrantSettings": _properties(
        """
        enableAccessTokenIssuance:Boolean enableIdTokenIssuance:Boolean
        """
    ),
    "redirectUriSettings": _properties(
        """
        index:Int32 uri:String
        """
    ),
}
# Version beta: "servicePrincipalSignInActivity resource type", "signIn resource type".
TYPES["servicePrincipalSignInActivity"] = _properties(
    """
    id:String appId:String lastSignInActivity:signInActivity delegatedClientSignInActivity:signInActivity
    delegatedResourceSignInActivity:signInActivity applicationAuthenticationClientSignInActivity:signInActivity
    applicationAuthenticationResourceSignInActivity:signInActivity
    """
)
TYPES["betaSecurityDefaults"] = TYPES["identitySecurityDefaultsEnforcementPolicy"] | {"securityDefaultsUpsell": "securityDefaultsUpsell"}
TYPES["betaSignIn"] = TYPES["signIn"] | {"signInEventTypes": "[String]", "servicePrincipalCredentialKeyId": "String"}

ENUMS: dict[str, set[str]] = {
    "nativeAuthenticationApisEnabled": {"none", "all", "unknownFutureValue"},
    "weakAlgorithms": {"rsaSha1", "unknownFutureValue"},
}
