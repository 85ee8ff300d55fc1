# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known errors of the token endpoint."""

from __future__ import annotations

from .entry import ErrorEntry

_ENTRA = "Microsoft Entra authentication and authorization error codes"
_DEVICE = "OAuth 2.0 device authorization grant flow on the Microsoft identity platform"
_REFRESH = "Refresh tokens in the Microsoft identity platform"
_AGAIN = "Sign in again (a sender's user: role delegated_sign_in)."

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "wrong-secret", "entra", "7000215", "the client secret is wrong",
        "Set m365_client_secret to the secret's value, not its id. A new secret takes effect after up to two minutes.",
        source=_ENTRA,
        variables=("m365_client_secret",),
        sample="AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
               "the client secret ID, for a secret added to app '<app>'."),
    ErrorEntry(
        "expired-secret", "entra", "7000222", "the client secret has expired",
        "Create a new secret or, better, a certificate for this application, and set m365_client_secret "
        "or m365_certificate_path.", source=_ENTRA,
        variables=("m365_client_secret", "m365_certificate_path"),
        sample="AADSTS7000222: The provided client secret keys for app '<app>' are expired."),
    ErrorEntry(
        "unknown-application", "entra", "700016", "the application is not registered in this tenant",
        "Check m365_client_id and m365_tenant: the id must be the application's client id, and the application must be "
        "registered in, or consented to by, this tenant.", source=_ENTRA,
        variables=("m365_client_id", "m365_tenant"),
        sample="AADSTS700016: Application with identifier '<app>' was not found in the directory '<tenant>'."),
    ErrorEntry(
        "unknown-tenant", "entra", "90002", "there is no such tenant in this cloud",
        "Check m365_tenant (a tenant id or one of its domains) and m365_cloud.", source=_ENTRA,
        variables=("m365_tenant", "m365_cloud"),
        sample="AADSTS90002: Tenant '<tenant>' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."),
    ErrorEntry(
        "malformed-tenant", "entra", "900023", "the tenant's name is neither an id nor a domain",
        "Set m365_tenant to the tenant's id or to one of its domains.", source=_ENTRA,
        variables=("m365_tenant",),
        sample="AADSTS900023: Specified tenant identifier '<tenant>' is neither a valid DNS name, nor a valid external domain."),
    ErrorEntry(
        "no-consent", "entra", "65001", "admin consent for this application's permissions is missing",
        "Grant admin consent (module entra_app does).", source=_ENTRA,
        variables=("automation_access_permissions", "entra_app_permissions"),
        sample="AADSTS65001: The user or administrator has not consented to use the application with ID '<app>' named '<name>'."),
    ErrorEntry(
        "wrong-certificate", "entra", "700027", "the certificate is not registered on the application, or has expired there",
        "Upload this certificate to the application (module entra_app, certificates), or set m365_certificate_path to "
        "the registered one. A new certificate takes effect after up to five minutes.", source=_ENTRA,
        variables=("m365_certificate_path", "automation_access_certificates", "entra_app_certificates"),
        sample="AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application."),
    ErrorEntry(
        "clock-skew", "entra", "700024", "the clocks of this host and of Microsoft differ, or the presented token has expired",
        "Synchronize the clock of the host that runs Ansible (NTP). Where a pipeline issued the token, let the collection request it for each "
        "sign-in (GitHub Actions, Azure Pipelines), or start the job again.", source=_ENTRA,
        variables=("m365_federated_token_file", "m365_federated_token_variable"),
        sample="AADSTS700024: Client assertion is not within its valid time range."),
    ErrorEntry(
        "no-credential", "entra", "7000218", "the application is confidential and no credential was sent",
        "Set m365_client_secret or m365_certificate_path. An application to which users sign in must be a public client "
        "(module entra_app, public_client).", source=_ENTRA,
        variables=("m365_client_secret", "m365_certificate_path", "entra_app_public_client"),
        sample="AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
    ErrorEntry(
        "no-federation-at-all", "entra", "70025", "the application has no federated credential",
        "Create one (module federated_credential), or check m365_client_id.", source=_ENTRA,
        variables=("m365_client_id", "automation_access_federated_credentials", "entra_app_federated_credentials"),
        sample="AADSTS70025: The client '<app>'(<name>) has no configured federated identity credentials."),
    ErrorEntry(
        "no-federation-issuer", "entra", "700211", "no federated credential of the application has the presented token's issuer",
        "Compare the credential's issuer with the token's (iss) character by character, including a trailing slash.", source=_ENTRA,
        variables=("automation_access_federated_credentials", "entra_app_federated_credentials"),
        sample="AADSTS700211: No matching federated identity record found for presented assertion issuer '<issuer>'."),
    ErrorEntry(
        "no-federation-audience", "entra", "700212", "no federated credential of the application has the presented token's audience",
        "Request the token for the credential's audience (aud); each cloud has its own.", source=_ENTRA,
        variables=("automation_access_federated_credentials", "entra_app_federated_credentials"),
        sample="AADSTS700212: No matching federated identity record found for presented assertion audience '<audience>'."),
    ErrorEntry(
        "no-federation-case", "entra", "7002138", "the presented token's subject differs from the credential's in upper and lower case only",
        "Set the credential's subject exactly as in the token.", source="Published issues of Azure/login",
        variables=("automation_access_federated_credentials", "entra_app_federated_credentials"),
        sample="AADSTS7002138: No matching federated identity record found for presented assertion subject '<subject>'. The subject matches "
               "with case-insensitive comparison, but not with case-sensitive comparison."),
    ErrorEntry(
        "federation-signature", "entra", "50013", "the presented token is not signed by its issuer",
        "Check the source of the token.", source=_ENTRA,
        variables=("m365_federated_token_file", "m365_federated_token_variable"),
        sample="AADSTS50013: Assertion failed signature validation."),
    ErrorEntry(
        "federation-unreachable", "entra", "50166", "Microsoft cannot reach the issuer of the presented token",
        "The issuer's discovery document and keys must be on the public internet.", source=_ENTRA,
        variables=("automation_access_federated_credentials", "entra_app_federated_credentials"),
        sample="AADSTS50166: Request to External OIDC endpoint failed."),
    ErrorEntry(
        "no-federation", "entra", "700213", "no federated credential of the application matches the presented token",
        "Compare the credential's subject with the token's character by character.", source=_ENTRA,
        variables=("automation_access_federated_credentials", "entra_app_federated_credentials"),
        sample="AADSTS700213: No matching federated identity record found for presented assertion subject '<subject>'."),
    ErrorEntry(
        "conditional-access", "entra", "53003", "a Conditional Access policy blocks this sign-in",
        "Exclude the application or account from the policy, which module conditional_access_info names, or sign in from an allowed location.",
        source=_ENTRA,
        sample="AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
    ErrorEntry(
        "wrong-password", "entra", "50126", "the user name or password is wrong", "Correct it. Do not retry: Entra locks the account.",
        source=_ENTRA,
        sample="AADSTS50126: Error validating credentials due to invalid username or password."),
    ErrorEntry(
        "user-locked", "entra", "50053", "Entra locked the account after too many wrong passwords, or the sign-in came from an address with a bad reputation",
        "Stop what signs in with the wrong password, often a device; the account is unlocked by itself.", transient=True, source=_ENTRA,
        variables=("delegated_sign_in_users",),
        sample="AADSTS50053: The account is locked, you've tried to sign in too many times with an incorrect user ID or password."),
    ErrorEntry(
        "password-expired", "entra", "50055", "the user's password has expired", "Let the user set a new password, or sign in as another user.",
        source=_ENTRA,
        variables=("delegated_sign_in_users",),
        sample="AADSTS50055: The password is expired."),
    ErrorEntry(
        "mfa-needed", "entra", "50076", "multi-factor authentication is required",
        "Sign in again with the second factor, or use an application instead of a user.", source=_ENTRA,
        sample="AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use "
               "multi-factor authentication to access '<resource>'."),
    ErrorEntry(
        "mfa-needed", "entra", "50079", "the user has to set up multi-factor authentication first",
        "Set it up (https://aka.ms/mfasetup) and sign in again, or use an application instead of a user.", source=_ENTRA,
        sample="AADSTS50079: Due to a configuration change made by your administrator, or because you moved to a new location, you must "
               "enroll in multi-factor authentication to access '<resource>'."),
    ErrorEntry(
        "no-exchange", "entra", "500011", "this tenant does not have the service that the token was requested for",
        "Check m365_cloud; a tenant without Exchange Online needs a licence first.", source=_ENTRA,
        variables=("m365_cloud",),
        sample="AADSTS500011: The resource principal named <resource> was not found in the tenant named <tenant>."),
    ErrorEntry(
        "application-disabled", "entra", "7000112", "the application is disabled in this tenant",
        "Enable it in Entra (enterprise application, enabled for users to sign in).", source=_ENTRA,
        sample="AADSTS7000112: Application '<app>'(<name>) is disabled."),
    ErrorEntry(
        "malformed-sign-in", "entra", "9002313", "the request was malformed", "Check m365_client_id and the credential.", source=_ENTRA,
        variables=("m365_client_id", "m365_client_secret", "m365_certificate_path"),
        sample="AADSTS9002313: Invalid request. Request is malformed or invalid."),
    ErrorEntry(
        "entra-busy", "entra", "90033", "the service is busy", "Try again later.", transient=True, source=_ENTRA,
        sample="AADSTS90033: A transient error has occurred. Please try again."),
    ErrorEntry(
        "entra-busy", "entra", "50196", "the service detected a loop of sign-ins and blocks further ones", "Try again later.", transient=True, source=_ENTRA,
        sample="AADSTS50196: The server terminated an operation because it encountered a loop."),
    ErrorEntry(
        "refresh-expired", "entra", "700082", "the refresh token was not used for 90 days and has expired", _AGAIN, source=_REFRESH,
        variables=("delegated_sign_in_users",),
        sample="AADSTS700082: The refresh token has expired due to inactivity."),
    ErrorEntry(
        "refresh-revoked", "entra", "50173", "the refresh token was revoked, or the user's password was reset", _AGAIN, source=_REFRESH,
        variables=("delegated_sign_in_users",),
        sample="AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed."),
    ErrorEntry(
        "refresh-frequency", "entra", "70043", "the sign-in frequency of a Conditional Access policy has elapsed",
        "Sign in again, or exclude the user from the policy's sign-in frequency.", source=_ENTRA,
        variables=("delegated_sign_in_users",),
        sample="AADSTS70043: The refresh token has expired or is invalid due to sign-in frequency checks by conditional access."),
    ErrorEntry(
        "refresh-invalid", "entra", "70000", "the refresh token belongs to another application or is malformed", _AGAIN, source=_ENTRA,
        variables=("delegated_sign_in_users",),
        sample="AADSTS70000: Provided grant is invalid or malformed."),
    ErrorEntry(
        "user-disabled", "entra", "50057", "the user's account is disabled", "Enable the account, or sign in as another user.",
        source=_ENTRA,
        variables=("delegated_sign_in_users",),
        sample="AADSTS50057: The user account is disabled."),
    ErrorEntry(
        "unknown-user", "entra", "50034", "the tenant has no such user", "Correct the user, or create the account.", source=_ENTRA,
        variables=("delegated_sign_in_users",),
        sample="AADSTS50034: The user account <user> does not exist in the <tenant> directory."),
    ErrorEntry(
        "unknown-scope", "entra", "650053", "the application requested a permission that the service does not offer",
        "Check m365_cloud (exchange, smtp_audience).", source=_ENTRA,
        variables=("m365_cloud",),
        sample="AADSTS650053: The application '<app>' asked for scope '<scope>' that doesn't exist on the resource '<resource>'."),
    ErrorEntry(
        "sign-in-declined", "entra", "authorization_declined", "the user declined the sign-in", _AGAIN, source=_DEVICE,
        variables=("delegated_sign_in_users",),
        sample="authorization_declined"),
    ErrorEntry(
        "sign-in-declined", "entra", "65004", "the user declined the sign-in", _AGAIN, source=_DEVICE,
        variables=("delegated_sign_in_users",),
        sample="AADSTS65004: User declined to consent to access the app."),
    ErrorEntry(
        "code-expired", "entra", "expired_token", "the code was not entered in time and has expired", _AGAIN, source=_DEVICE,
        variables=("delegated_sign_in_users",),
        sample="expired_token"),
    ErrorEntry(
        "code-expired", "entra", "70020", "the code was not entered in time and has expired", _AGAIN, source=_DEVICE,
        variables=("delegated_sign_in_users",),
        sample="AADSTS70020: The provided value for the input parameter 'device_code' is not valid. This device code has expired."),
    ErrorEntry(
        "code-pending", "entra", "authorization_pending", "the code was not used in the time allowed",
        "Run the task again and enter the code; a user's sign-in waits for sign_in_timeout seconds.", source=_DEVICE,
        variables=("delegated_sign_in_timeout",),
        sample="authorization_pending"),
    ErrorEntry(
        "code-pending", "entra", "70016", "the code was not used in the time allowed",
        "Run the task again and enter the code; a user's sign-in waits for sign_in_timeout seconds.", source=_DEVICE,
        variables=("delegated_sign_in_timeout",),
        sample="AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    ErrorEntry(
        "code-unknown", "entra", "70018", "the code is wrong or has been used", _AGAIN, source=_DEVICE,
        variables=("delegated_sign_in_users",),
        sample="AADSTS70018: Invalid verification code due to User typing in wrong user code for device code flow."),
    ErrorEntry(
        "code-unknown", "entra", "bad_verification_code", "the code is wrong or has been used", _AGAIN, source=_DEVICE,
        variables=("delegated_sign_in_users",),
        sample="bad_verification_code"),
    ErrorEntry(
        "invalid-client", "entra", "invalid_client", "the application's credential was refused",
        "Check m365_client_id with m365_client_secret or m365_certificate_path.", source=_ENTRA,
        variables=("m365_client_id", "m365_client_secret", "m365_certificate_path"),
        sample="invalid_client"),
)
# fmt: on
