"""Errors of the token endpoint.

Source: "Microsoft Entra authentication and authorization error codes" and "OAuth 2.0 client credentials flow on the
Microsoft identity platform".
"""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.http import Response
from emulator.state import new_guid

_NO_MATCH = "No matching federated identity record found for presented assertion "
_COMPARE = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)

# code -> (HTTP status, error, text); {..} are filled in where it is raised.
CATALOGUE: dict[int, tuple[int, str, str]] = {
    7000215: (
        401,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the client secret ID, for a secret added to app '{app}'.",
    ),
    7000222: (
        401,
        "invalid_client",
        "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for "
        "your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
        "https://aka.ms/certCreds.",
    ),
    700016: (
        400,
        "unauthorized_client",
        "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    7000229: (
        401,
        "invalid_client",
        "The client application {app} is missing service principal in the tenant {tenant}. See instructions here: "
        "https://go.microsoft.com/fwlink/?linkid=2225119",
    ),
    7000112: (400, "unauthorized_client", "Application '{app}'({name}) is disabled."),
    90002: (
        400,
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    ),
    900023: (
        400,
        "invalid_request",
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    ),
    50059: (
        400,
        "invalid_request",
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
    ),
    700027: (
        401,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        "[Reason - {reason}, Thumbprint of key used by client: '{thumbprint}', Please visit the Azure Portal, Graph "
        "Explorer or directly use MS Graph to see configured keys for app Id '{app}'.]",
    ),
    700024: (
        401,
        "invalid_client",
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, "
        "expiry time of assertion {end}.",
    ),
    700021: (
        401,
        "invalid_client",
        "Client assertion application identifier doesn't match 'client_id' parameter.",
    ),
    700023: (401, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    50027: (401, "invalid_client", "JWT token is invalid or malformed."),
    70025: (401, "invalid_client", "The client '{app}'({name}) has no configured federated identity credentials."),
    700211: (401, "invalid_client", _NO_MATCH + "issuer '{issuer}'. " + _COMPARE),
    700212: (
        401,
        "invalid_client",
        _NO_MATCH + "audience '{audience}'. " + _COMPARE,
    ),
    700213: (401, "invalid_client", _NO_MATCH + "subject '{subject}'. " + _COMPARE),
    7002138: (
        401,
        "invalid_client",
        _NO_MATCH + "subject '{subject}'. The subject matches with case-insensitive comparison, but not with case-sensitive "
        "comparison. " + _COMPARE,
    ),
    50013: (401, "invalid_client", "Assertion failed signature validation. [Reason - The key was not found.]"),
    50166: (400, "invalid_request", "Request to External OIDC endpoint failed. The issuer {issuer} did not answer."),
    7000218: (
        401,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    500011: (
        400,
        "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant.",
    ),
    500014: (400, "invalid_resource", "The service principal for resource '{resource}' is disabled."),
    1002012: (
        400,
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    900144: (400, "invalid_request", "The request body must contain the following parameter: '{parameter}'."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type '{grant}'."),
    9002313: (400, "invalid_request", "Invalid request. Request is malformed or invalid."),
    53003: (
        400,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    65001: (
        400,
        "invalid_grant",
        "The user or administrator has not consented to use the application with ID '{app}' named '{name}'. Send an "
        "interactive authorization request for this user and resource.",
    ),
    65004: (400, "authorization_declined", "User declined to consent to access the app."),
    70000: (400, "invalid_grant", "Provided grant is invalid or malformed."),
    70016: (400, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    70018: (400, "bad_verification_code", "Invalid verification code due to User typing in wrong user code for device code flow."),
    70020: (400, "expired_token", "The provided value for the input parameter 'device_code' is not valid. This device code has expired."),
    700082: (
        400,
        "invalid_grant",
        "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for {inactive}.",
    ),
    50173: (
        400,
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
        "changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which "
        "tokens are not valid) for this user is '{valid_from}'.",
    ),
    50034: (
        400,
        "invalid_grant",
        "The user account {user} does not exist in the {tenant} directory. To sign into this application, the account "
        "must be added to the directory.",
    ),
    50057: (400, "invalid_grant", "The user account is disabled."),
    50076: (
        400,
        "invalid_grant",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use "
        "multi-factor authentication to access '{resource}'.",
    ),
    50126: (400, "invalid_grant", "Error validating credentials due to invalid username or password."),
    28000: (400, "invalid_request", "Provided value for the input parameter scope isn't valid because it contains more than one resource."),
    650053: (
        400,
        "invalid_client",
        "The application '{app}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app vendor.",
    ),
    650051: (400, "invalid_request", "Application '{app}' is requesting permissions that are either invalid."),
    90033: (503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    50196: (400, "temporarily_unavailable", "The server terminated an operation because it encountered a loop."),
}


# Suberrors of invalid_grant, which msal and others distinguish.
SUB_ERRORS = {65001: "consent_required", 50076: "basic_action", 700082: "bad_token", 50173: "bad_token", 70000: "bad_token"}


class EntraError(Exception):
    """A refusal by the token endpoint: an AADSTS code and what fills its text. `error` replaces the catalogue's."""

    def __init__(self, code: int, *, error: str = "", **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.error = error
        self.details = details

    @property
    def text(self) -> str:
        return f"AADSTS{self.code}: {CATALOGUE[self.code][2].format_map(_Blank(self.details))}"

    def response(self, now: float, correlation_id: str | None) -> Response:
        status, error, _ = CATALOGUE[self.code]
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = new_guid(), correlation_id or new_guid()
        body = {
            "error": self.error or error,
            "error_description": f"{self.text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        if self.code in SUB_ERRORS:
            body["suberror"] = SUB_ERRORS[self.code]
        return Response(status, body, {"cache-control": "no-store", "pragma": "no-cache"})


class _Blank(dict[str, str]):
    """An error that is a fault has no details."""

    def __missing__(self, key: str) -> str:
        return ""
