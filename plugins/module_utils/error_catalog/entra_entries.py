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
    ErrorEntry("wrong-secret", "entra", "7000215", "the client secret is wrong",
        "Give the secret's value (not its id) in m365_client_secret; a secret made seconds ago needs up to two minutes.",
        source=_ENTRA),
    ErrorEntry("expired-secret", "entra", "7000222", "the client secret has expired",
        "Make a new secret or, better, a certificate for this application and give it in m365_client_secret "
        "or m365_certificate_path.", source=_ENTRA),
    ErrorEntry("unknown-application", "entra", "700016", "this tenant does not know the application",
        "Check m365_client_id and m365_tenant: the id must be the application's client id, and the application must be "
        "registered in, or consented to by, this tenant.", source=_ENTRA),
    ErrorEntry("unknown-tenant", "entra", "90002", "there is no such tenant in this cloud",
        "Check m365_tenant (a tenant id or one of its domains) and m365_cloud.", source=_ENTRA),
    ErrorEntry("malformed-tenant", "entra", "900023", "the tenant's name is neither an id nor a domain",
        "Set m365_tenant to the tenant's id or to one of its domains.", source=_ENTRA),
    ErrorEntry("no-consent", "entra", "65001", "nobody consented to this application's permissions",
        "Grant admin consent (module entra_app does).", source=_ENTRA),
    ErrorEntry("wrong-certificate", "entra", "700027", "the certificate is not registered on the application, or has expired there",
        "Upload this certificate to the application (module entra_app, certificates) or point m365_certificate_path at "
        "the one that is; one uploaded seconds ago needs up to five minutes.", source=_ENTRA),
    ErrorEntry("clock-skew", "entra", "700024", "this machine's clock disagrees with Microsoft's, or the presented token has expired",
        "Set the clock of the machine that runs Ansible (NTP); where a pipeline issued the token, sign in before it expires.",
        source=_ENTRA),
    ErrorEntry("no-credential", "entra", "7000218", "the application is confidential and no credential was sent",
        "Give m365_client_secret or m365_certificate_path; one that users sign in to must be a public client (module entra_app, "
        "public_client).", source=_ENTRA),
    ErrorEntry("no-federation-at-all", "entra", "70025", "the application has no federated credential",
        "Give it one (module federated_credential), or check m365_client_id.", source=_ENTRA),
    ErrorEntry("no-federation-issuer", "entra", "700211", "no federated credential of the application has the presented token's issuer",
        "Compare the credential's issuer with the token's (iss), letter by letter, a slash at the end included.", source=_ENTRA),
    ErrorEntry("no-federation-audience", "entra", "700212", "no federated credential of the application has the presented token's audience",
        "Let the token be made out for the credential's audience (aud); each cloud has its own.", source=_ENTRA),
    ErrorEntry("no-federation-case", "entra", "7002138", "the presented token's subject differs from the credential's in upper and lower case only",
        "Write the credential's subject exactly as the token has it.", source="Published issues of Azure/login"),
    ErrorEntry("federation-signature", "entra", "50013", "the presented token is not signed by its issuer",
        "Check where the token comes from.", source=_ENTRA),
    ErrorEntry("federation-unreachable", "entra", "50166", "Microsoft cannot reach the issuer of the presented token",
        "The issuer's discovery document and keys must be on the public internet.", source=_ENTRA),
    ErrorEntry("no-federation", "entra", "700213", "no federated credential of the application fits the presented token",
        "Compare the credential's subject with the token's, letter by letter.", source=_ENTRA),
    ErrorEntry("conditional-access", "entra", "53003", "a Conditional Access policy blocks this sign-in",
        "Exclude the application or the account from the policy, or sign in from where it allows; module conditional_access_info names it.", source=_ENTRA),
    ErrorEntry("wrong-password", "entra", "50126", "the user name or password is wrong", "Correct it; do not retry, the account locks.",
        source=_ENTRA),
    ErrorEntry("mfa-needed", "entra", "50076", "multi-factor authentication is needed",
        "Sign in again with the second factor, or let an application sign in instead of a user.", source=_ENTRA),
    ErrorEntry("mfa-needed", "entra", "50079", "the user has to set up multi-factor authentication first",
        "Let the user set it up (https://aka.ms/mfasetup) and sign in again, or let an application sign in instead.", source=_ENTRA),
    ErrorEntry("no-exchange", "entra", "500011", "this tenant does not have the service that the token was asked for",
        "Check m365_cloud; a tenant without Exchange Online needs a licence first.", source=_ENTRA),
    ErrorEntry("application-disabled", "entra", "7000112", "the application is disabled in this tenant",
        "Enable it in Entra (enterprise application, enabled for sign-in).", source=_ENTRA),
    ErrorEntry("malformed-sign-in", "entra", "9002313", "the request was malformed", "Check m365_client_id and the credential.", source=_ENTRA),
    ErrorEntry("entra-busy", "entra", "90033", "the service is busy", "Try again later.", transient=True, source=_ENTRA),
    ErrorEntry("entra-busy", "entra", "50196", "the service saw a loop of sign-ins and paused", "Try again later.", transient=True, source=_ENTRA),
    ErrorEntry("refresh-expired", "entra", "700082", "the refresh token was not used for 90 days and has expired", _AGAIN, source=_REFRESH),
    ErrorEntry("refresh-revoked", "entra", "50173", "the refresh token was revoked, or the user's password was reset", _AGAIN, source=_REFRESH),
    ErrorEntry("refresh-frequency", "entra", "70043", "a Conditional Access policy limits how long a sign-in lasts, and that time is over",
        "Sign in again, or exclude the user from the policy's sign-in frequency.", source=_ENTRA),
    ErrorEntry("refresh-invalid", "entra", "70000", "the refresh token is not one of this application, or is damaged", _AGAIN, source=_ENTRA),
    ErrorEntry("user-disabled", "entra", "50057", "the user's account is disabled", "Enable the account, or let another user sign in.",
        source=_ENTRA),
    ErrorEntry("unknown-user", "entra", "50034", "the tenant has no such user", "Correct the user, or create the account.", source=_ENTRA),
    ErrorEntry("unknown-scope", "entra", "650053", "the application asked for a permission that the service does not offer",
        "Check m365_cloud (exchange, smtp_audience).", source=_ENTRA),
    ErrorEntry("sign-in-declined", "entra", "authorization_declined", "the user declined the sign-in", _AGAIN, source=_DEVICE),
    ErrorEntry("sign-in-declined", "entra", "65004", "the user declined the sign-in", _AGAIN, source=_DEVICE),
    ErrorEntry("code-expired", "entra", "expired_token", "the code was not entered in time and has expired", _AGAIN, source=_DEVICE),
    ErrorEntry("code-expired", "entra", "70020", "the code was not entered in time and has expired", _AGAIN, source=_DEVICE),
    ErrorEntry("code-pending", "entra", "authorization_pending", "nobody has signed in with the code in the time allowed",
        "Run again and enter the code at once; a sender's sign-in waits for sign_in_timeout seconds.", source=_DEVICE),
    ErrorEntry("code-pending", "entra", "70016", "nobody has signed in with the code in the time allowed",
        "Run again and enter the code at once; a sender's sign-in waits for sign_in_timeout seconds.", source=_DEVICE),
    ErrorEntry("code-unknown", "entra", "70018", "the code is wrong or was used already", _AGAIN, source=_DEVICE),
    ErrorEntry("code-unknown", "entra", "bad_verification_code", "the code is wrong or was used already", _AGAIN, source=_DEVICE),
    ErrorEntry("invalid-client", "entra", "invalid_client", "the application's credential was refused",
        "Check m365_client_id with m365_client_secret or m365_certificate_path.", source=_ENTRA),
)
# fmt: on
