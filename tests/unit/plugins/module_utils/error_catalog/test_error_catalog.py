# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of known errors against what the services say, word for word."""

# ruff: noqa: E501

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils import error_catalog
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import ENTRIES

REFERENCE = Path(__file__).parents[4] / "contract" / "smtp-replies.txt"
VISIT = "Visit https://aka.ms/smtp_auth_disabled for more information."
STOREDRV = "STOREDRV.Submission.Exception:"
AUTH = "535 5.7.139 Authentication unsuccessful,"

SMTP = [
    ("535 5.7.3 Authentication unsuccessful [AM0PR02CA0134.eurprd02.prod.outlook.com 2024-07-11T11:46:49.042Z 08DCA18218166FB4]", "authentication-refused"),
    (f"{AUTH} SmtpClientAuthentication is disabled for the Tenant. {VISIT} [AM0PR02CA0134]", "smtp-auth-off-tenant"),
    (f"{AUTH} SmtpClientAuthentication is disabled for the Mailbox. {VISIT}", "smtp-auth-off-mailbox"),
    (f"{AUTH} basic authentication is disabled.", "basic-disabled"),
    (f"{AUTH} user is locked by your organization's security defaults policy. Contact your administrator.", "security-defaults"),
    (f"{AUTH} the request did not meet the criteria to be authenticated successfully. Contact your administrator.", "policy-blocks-basic"),
    (f"{AUTH} the user credentials were incorrect.", "wrong-mailbox-password"),
    (f"{AUTH} for a reason that nobody has published yet.", "policy-refused"),
    ("550 5.7.30 Basic authentication is not supported for Client Submission.", "basic-retired"),
    ("451 5.7.3 STARTTLS is required to send mail [AM0PR02CA0134.eurprd02.prod.outlook.com]", "starttls-required"),
    ("530 5.7.0 Must issue a STARTTLS command first", "starttls-required"),
    ("504 5.7.4 Unrecognized authentication type", "wrong-mechanism"),
    ("421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. Visit https://aka.ms/smtp_auth_tls", "old-tls"),
    ("530 5.7.57 Client not authenticated to send mail. [AM0PR02CA0134.eurprd02.prod.outlook.com]", "not-authenticated"),
    ("530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", "not-authenticated"),
    (f"530 5.7.57 Client not authenticated to send mail. Error: {AUTH} SmtpClientAuthentication is disabled for the Mailbox. {VISIT} [MW4P223CA0015]",
     "smtp-auth-off-mailbox"),
    ("530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.3 Authentication unsuccessful [MW4P223CA0015]", "authentication-refused"),
    ("430 4.2.0 STOREDRV; mailbox logon failure; STOREDRV.Submission.Exception:ConnectionFailedTransientException.MapiExceptionLogonFailed; "
     "Failed to process message due to a transient exception with message [BeginDiagnosticData]Cannot open mailbox. ...", "no-right-on-mailbox"),
    (f"554 5.2.252 SendAsDenied; erp@contoso.com not allowed to send as boss@contoso.com; {STOREDRV}SendAsDeniedException.MapiExceptionSendAsDenied; "
     "Failed to process message due to a permanent exception with message [BeginDiagnosticData]Cannot submit message...", "send-as-denied"),
    (f"554 5.2.0 {STOREDRV}SendAsDeniedException...", "send-as-denied"),
    ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", "send-as-denied"),
    ("550 5.2.251 Sender throttled due to continuous mailbox full errors.", "sender-lockout"),
    ("550 5.2.252 Sender throttled due to continuous send as denied errors.", "send-as-lockout"),
    ("550 5.2.253 Sender throttled due to continuous invalid license errors.", "sender-lockout"),
    ("550 5.2.254 Sender throttled due to continuous too many recipients errors.", "sender-lockout"),
    ("550 5.2.255 Sender throttled due to continuous invalid recipients errors.", "sender-lockout"),
    ("550 5.1.8 Access denied, bad outbound sender", "account-blocked"),
    ("550 5.7.501 Access denied, spam abuse detected", "spam-block"),
    ("550 5.7.511 Access denied, banned sender", "spam-block"),
    ("550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant", "no-from"),
    ("550 5.1.20 Multiple From addresses are not allowed without Sender address", "two-froms"),
    ("550 5.6.11 Invalid characters", "bare-line-feed"),
    ("432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname=OS0PR01MB6099.jpnprd01.prod.outlook.com]", "too-many-connections"),
    ("432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=OS0PR01MB6099]",
     "too-many-connections"),
    ("432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", "recipient-busy"),
    (f"554 5.2.0 {STOREDRV}SubmissionQuotaExceededException", "recipient-quota"),
    ("550 5.2.2 Submission quota exceeded", "recipient-quota"),
    ("550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", "recipient-quota"),
    ("550 5.7.232 Your message can't be sent because your trial tenant exceeded its daily limit for sending email to external recipients",
     "tenant-external-quota"),
    ("550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to external recipients "
     "(tenant external recipient rate limit)", "tenant-external-quota"),
    ("550 5.7.236 Message rejected", "initial-domain-quota"),
    ("550 5.7.705 Access denied, tenant has exceeded threshold", "tenant-blocked"),
    ("550 5.7.708 Access denied, traffic not accepted from this IP", "low-reputation"),
    ("554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded", "mailbox-full"),
    ("552 5.3.4 Message size exceeds fixed maximum message size", "too-large"),
    ("452 4.5.3 Too many recipients", "too-many-recipients"),
    ("550 5.2.121 The recipient gets too much mail", "recipient-hourly"),
    ("550 5.7.64 TenantAttribution; Relay Access Denied SMTP", "relay-denied"),
    ("550 5.7.64 Relay Access Denied ATTR36. For more details please refer to: https://support.microsoft.com/kb/3169958", "relay-domain"),
    ("451 4.4.62 Mail sent to the wrong Office 365 region", "wrong-region"),
    ("550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources", "direct-send-rejected"),
    ("550 5.7.51 TenantInboundAttribution; Rejecting. Recipient has a partner connector with RestrictDomainsToIPAddresses or "
     "RestrictDomainsToCertificate set", "partner-connector"),
    ("550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's recipient domain. "
     "The connector had either the RestrictDomainsToIPAddresses or RestrictDomainsToCertificate set", "partner-connector"),
    ("550 5.7.711 Access denied, bad inbound connector. AS(2204)", "connector-blocked"),
    ("550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains", "unregistered-domains"),
    ("550 5.4.1 Recipient address rejected: Access denied", "no-such-recipient"),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient a@b.example not found by SMTP address lookup", "recipient-not-found"),
    ("554 5.4.14 Hop count exceeded - possible mail loop ATTR34", "mail-loop"),
    ("554 5.4.6 Hop count exceeded - possible mail loop", "mail-loop"),
    ("550 5.7.1 Unable to relay", "unable-to-relay"),
    ("550 5.7.367 Remote server returned not permitted to relay", "later-hop-refused"),
    ("550 5.7.606 Access denied, banned sending IP [192.0.2.2]", "address-blocked"),
    ("550 5.7.649 Access denied, banned sending IP [192.0.2.2]", "address-blocked"),
    ("451 4.7.500 Server busy. Please try again later from [192.0.2.2]. (AS761)", "address-throttled"),
    ("451 4.7.899 Access denied, please try again later", "address-throttled"),
    ("550 5.7.506 Access Denied, Bad HELO", "bad-helo"),
    ("550 5.7.509 Access denied, sending domain [x] does not pass DMARC verification and has a DMARC policy of reject.", "dmarc"),
    ("550 5.7.23 The message was rejected because of Sender Policy Framework violation", "spf"),
    ("450 4.7.26 Access denied", "ipv6-reputation"),
    ("550 5.7.25 Access denied", "ipv6-reputation"),
    ("550 5.7.133 Sender not authenticated for group", "authenticated-senders-only"),
    ("421 4.7.0 Temporary server error", "server-busy"),
]  # fmt: skip

HVE = [
    ("501 5.5.127 Invalid XOAUTH2 auth data - Token will expire soon", "hve-token-short"),
    ("535 5.7.142 Token will expire soon", "hve-token-short"),
    ("535 5.7.143 Expired token", "hve-token-expired"),
    ("501 5.5.122 Invalid XOAUTH2 argument", "hve-malformed-sign-in"),
    ("535 5.7.144 XOAUTH2 authentication failed. Invalid API permissions", "hve-no-permission"),
    ("550 5.7.240 The application is not allowed for use with this High Volume Email account", "hve-app-not-allowed"),
    ("550 5.2.240 The account is not a High Volume Email account", "hve-no-account"),
    ("550 5.7.62 sender", "hve-sender"),
    ("550 5.6.241 From", "hve-from"),
    ("550 5.5.105 External sending is not supported for High Volume Email accounts.", "hve-external"),
    ("550 5.7.1 The High Volume Email account has no valid billing policy (SubscriptionIsNotActive)", "hve-billing"),
    ("552 5.3.4 Message size exceeds fixed maximum message size", "hve-too-large"),
    ("452 4.5.3 Too many recipients", "hve-too-many-recipients"),
    ("535 5.7.3 Authentication unsuccessful [X]", "hve-refused"),
    ("535 5.7.139 Authentication unsuccessful, the organization configuration does not allow this authentication method", "hve-basic-blocked"),
    (f"{AUTH} user is locked by your organization's security defaults policy. Contact your administrator.", "security-defaults"),
]  # fmt: skip

ACS = [
    ("535 5.7.3 Authentication unsuccessful", "acs-refused"),
    ("550 5.7.60 Invalid email sender username: 'boss'. Please use a username from the list", "acs-sender"),
    ("550 5.7.60 The specified sender domain has not been linked.", "acs-domain"),
    ("450 4.5.127 Message rejected. Excessive message rate from sender.", "acs-rate"),
    ("552 5.3.4 Message size exceeds fixed maximum message size", "acs-too-large"),
    ("452 4.5.3 Too many recipients", "acs-too-many-recipients"),
]
ARM = [
    ("AuthorizationFailed", "arm-forbidden"),
    ("InvalidAuthenticationToken", "arm-token"),
    ("ResourceGroupNotFound", "arm-not-found"),
    ("Conflict", "arm-username-taken"),
    ("PrincipalNotFound", "arm-principal-missing"),
    ("TooManyRequests", "arm-busy"),
]

HOSTED = [
    ("401", "authorization required", "hosted-key"),
    ("403", "access forbidden", "hosted-forbidden"),
    ("400", "An authenticated domain already exists for this URL. Please use a unique subdomain.", "hosted-domain-exists"),
    ("400", "This domain name is already taken", "hosted-domain-taken"),
    ("429", "too many requests", "hosted-busy"),
    ("500", "internal error getting TXT", "hosted-failed"),
]

ENTRA = [
    (7000215, "invalid_client", "wrong-secret"),
    (7000222, "invalid_client", "expired-secret"),
    (700016, "unauthorized_client", "unknown-application"),
    (90002, "invalid_request", "unknown-tenant"),
    (900023, "invalid_request", "malformed-tenant"),
    (65001, "invalid_grant", "no-consent"),
    (700027, "invalid_client", "wrong-certificate"),
    (700024, "invalid_client", "clock-skew"),
    (7000218, "invalid_client", "no-credential"),
    (700213, "invalid_client", "no-federation"),
    (70025, "invalid_client", "no-federation-at-all"),
    (700211, "invalid_client", "no-federation-issuer"),
    (700212, "invalid_client", "no-federation-audience"),
    (7002138, "invalid_client", "no-federation-case"),
    (50013, "invalid_client", "federation-signature"),
    (50166, "invalid_request", "federation-unreachable"),
    (53003, "access_denied", "conditional-access"),
    (50126, "invalid_grant", "wrong-password"),
    (50053, "invalid_grant", "user-locked"),
    (50055, "invalid_grant", "password-expired"),
    (50079, "interaction_required", "mfa-needed"),
    (700082, "invalid_grant", "refresh-expired"),
    (50173, "invalid_grant", "refresh-revoked"),
    (70043, "invalid_grant", "refresh-frequency"),
    (70000, "invalid_grant", "refresh-invalid"),
    (50057, "invalid_grant", "user-disabled"),
    (50034, "invalid_grant", "unknown-user"),
    (650053, "invalid_client", "unknown-scope"),
    (65004, "authorization_declined", "sign-in-declined"),
    ("", "authorization_declined", "sign-in-declined"),
    (70020, "expired_token", "code-expired"),
    ("", "expired_token", "code-expired"),
    (70016, "authorization_pending", "code-pending"),
    ("", "authorization_pending", "code-pending"),
    (70018, "bad_verification_code", "code-unknown"),
    ("", "bad_verification_code", "code-unknown"),
    (50076, "interaction_required", "mfa-needed"),
    (500011, "invalid_resource", "no-exchange"),
    (7000112, "unauthorized_client", "application-disabled"),
    (9002313, "invalid_request", "malformed-sign-in"),
    (90033, "temporarily_unavailable", "entra-busy"),
    (50196, "temporarily_unavailable", "entra-busy"),
    (123456, "invalid_client", "invalid-client"),
]
GRAPH = [
    ("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "no-sign-in-logs"),
    ("Authorization_RequestDenied", "graph-forbidden"),
    ("AccessDenied", "graph-forbidden"),
    ("InvalidAuthenticationToken", "graph-token"),
    ("CredentialTypeNotAllowedAsPerAppPolicy", "no-secrets-allowed"),
    ("InvalidFederatedIdentityCredentialValue", "federated-credential-refused"),
    ("CredentialInvalidLifetimeAsPerAppPolicy", "credential-too-long"),
    ("Directory_QuotaExceeded", "directory-quota"),
    ("TooManyRequests", "graph-throttled"),
    ("Request_ResourceNotFound", "not-replicated"),
    ("Request_MultipleObjectsWithSameKeyValue", "already-exists"),
]
# Microsoft Graph says so with code Request_BadRequest: of a consent, a grant and a directory role.
ASSIGNED = [
    "Permission being assigned already exists on the object",
    "Permission entry already exists.",
    "A conflicting object with one or more of the specified property values is present in the directory.",
]
RESERVED = "Another object with the same value for property uniqueName already exists."
OWN_ROLE = "Removing self from Exchange Administrator built-in role is not allowed."
EXCHANGE = [
    ("Unauthorized", "", "exchange-no-app-role"),
    ("Forbidden", "", "exchange-no-role"),
    ("ManagementObjectNotFoundException", "Couldn't find 'x' as a recipient. Check the spelling and try again later.", "object-not-found"),
    ("ADObjectAlreadyExistsException", "An object with that name already exists.", "object-exists"),
    ("SomeOtherException", "The service principal with AppId 'x' already exists.", "object-exists"),
    ("ProxyAddressExistsException", "The proxy address is already being used by x.", "address-taken"),
    ("InvalidOperationInDehydratedContextException", "run Enable-OrganizationCustomization first", "dehydrated"),
    ("InvalidOperationException", "You must be assigned a delegating role assignment to the management role.", "delegating-role"),
    ("DataValidationException", "The certificate name 'relay_contoso' isn't valid. Use a domain.", "certificate-name"),
    (
        "ParameterTransformationException",
        'Cannot convert value "relay contoso" to type "Microsoft.Exchange.Data.TlsCertificate".',
        "certificate-name",
    ),
    ("AmbiguousParameterSetException", "Parameter set cannot be resolved using the specified named parameters.", "wrong-parameters"),
    ("ParameterTransformationException", "Specify one of the following enumerator names and try again: A, B", "wrong-value"),
    ("HTTP 429", "You have reached the maximum number of concurrent requests per tenant. Please wait and try again", "exchange-busy"),
    ("ServerBusyException", "The server is too busy to process the request.", "exchange-busy"),
    ("BadRequest", "Expired or Invalid pagination request. Default Expiry time is 00:30:00", "expired-page"),
    ("ConnectorDisabledByOffer", "", "connector-disabled"),
]
DNS = [
    ("NXRRSET", "dns-changed"),
    ("YXRRSET", "dns-changed"),
    ("YXDOMAIN", "dns-name-in-use"),
    ("REFUSED", "dns-refused"),
    ("NOTAUTH", "dns-not-authoritative"),
    ("NOTZONE", "dns-not-in-zone"),
    ("NOTIMP", "dns-no-updates"),
    ("SERVFAIL", "dns-server-failed"),
    ("BADKEY", "tsig-key"),
    ("BADSIG", "tsig-signature"),
    ("BADTIME", "tsig-time"),
]
RELAY = [
    ("scanner@contoso.com has reached its daily quota of 10000 recipients; delivery resumes at 14:05", "relay-daily-quota-reached"),
    ("boss@contoso.com is suspended by the relay: no SendAs right; tried again at 15:00", "relay-sender-suspended"),
    ("No mailbox of relay_mailboxes sends for this sender", "relay-no-mailbox"),
    (
        "554 5.7.1 <x@y.example>: Sender address rejected: this relay sends only as the senders of relay_mailboxes",
        "relay-sender-not-allowed",
    ),
    ("connect to 127.0.0.1[127.0.0.1]:2587: Connection refused", "relay-proxy-down"),
    ("535 5.7.8 Authentication failed.", "relay-no-token"),
    ("Remote server sent invalid input: Invalid authentication data: Failed to authenticate: 401", "relay-token-rejected"),
    ("DNS lookup for smtp.office365.com failed: Temporary failure in name resolution", "relay-name-not-found"),
    (
        "Disconnected by server: Connection closed: SSL certificate doesn't match expected host name x: Malformed input",
        "relay-upstream-certificate",
    ),
    ("TLS is required, but was not offered by host x[192.0.2.1]", "relay-upstream-no-tls"),
    ("Cannot start TLS: handshake failure", "relay-upstream-tls"),
    ("from=<a@contoso.com>, status=expired, returned to sender", "relay-expired"),
    (
        "connect(198.51.100.77, 587) failed: No route to host (after 15 secs, 3 reconnects, local=198.51.100.21:54136)",
        "relay-upstream-unreachable",
    ),
    ("lost connection with 127.0.0.1[127.0.0.1] while sending end of data -- message may be sent more than once", "relay-connection-lost"),
    ("SASL authentication failed; cannot authenticate to server 127.0.0.1[127.0.0.1]: no mechanism available", "relay-no-mechanism"),
    ("454 4.7.0 Account is temporarily unavailable.", "relay-proxy-refused"),
    ("452 4.3.1 Insufficient system storage", "relay-disk-full"),
    ("local data error while talking to 127.0.0.1[127.0.0.1]", "relay-table-error"),
]


# Texts of Python's socket and ssl modules, and of _clients/smtp.py.
NETWORK = [
    ("DNS", "the name mx.example does not resolve", "name-not-resolved"),
    ("connection", "Connection refused", "tcp-refused"),
    ("connection", "Connection reset by peer", "tcp-refused"),
    ("connection", "Network is unreachable", "tcp-no-route"),
    ("connection", "No route to host", "tcp-no-route"),
    ("connection", "Operation not permitted", "tcp-failed"),
    ("timeout", "no TCP connection in time", "tcp-timeout"),
    ("timeout", "no greeting in time", "greeting-timeout"),
    ("closed", "the connection was closed before the greeting", "closed-before-greeting"),
    ("not SMTP", "", "not-smtp"),
    ("no STARTTLS", "", "no-starttls"),
    ("certificate", "Hostname mismatch, certificate is not valid for 'smtp.office365.com'.", "certificate-name"),
    ("certificate", "certificate has expired", "certificate-date"),
    ("certificate", "self-signed certificate in certificate chain", "certificate-issuer"),
    ("certificate", "unable to get local issuer certificate", "certificate-issuer"),
    ("TLS", "TLS failed: WRONG_VERSION_NUMBER", "tls-failed"),
]


def _codes_of() -> list[tuple[str, error_catalog.ErrorEntry | None, str]]:
    return (
        [(reply, error_catalog.smtp(reply), row) for reply, row in SMTP]
        + [(reply, error_catalog.smtp(reply, "hve"), row) for reply, row in HVE]
        + [(reply, error_catalog.smtp(reply, "acs"), row) for reply, row in ACS]
        + [(row.sample, error_catalog.smtp(row.sample, "hosted_smtp"), row.id) for row in ENTRIES if row.service == "hosted_smtp"]
        + [(code, error_catalog.arm(code), row) for code, row in ARM]
        + [(f"hosted {status}", error_catalog.hosted(status, text), row) for status, text, row in HOSTED]
        + [(str(code), error_catalog.entra(code, error), row) for code, error, row in ENTRA]
        + [(code, error_catalog.graph(code, ""), row) for code, row in GRAPH]
        + [(message, error_catalog.graph("Request_BadRequest", message), "already-assigned") for message in ASSIGNED]
        + [(RESERVED, error_catalog.graph("Request_BadRequest", RESERVED), "unique-name-reserved")]
        + [(OWN_ROLE, error_catalog.graph("Request_BadRequest", OWN_ROLE), "own-directory-role")]
        + [(kind, error_catalog.exchange(kind, text), row) for kind, text, row in EXCHANGE]
        + [(code, error_catalog.dns(code), row) for code, row in DNS]
        + [(text, error_catalog.relay(text), row) for text, row in RELAY]
        + [(f"{code}: {text}", error_catalog.network(code, text), row) for code, text, row in NETWORK]
    )


@pytest.mark.parametrize(("message", "entry", "row"), [pytest.param(*case, id=case[0][:60]) for case in _codes_of()])
def test_service_text_has_its_catalog_entry(message: str, entry: error_catalog.ErrorEntry | None, row: str) -> None:
    assert entry is not None
    assert entry.id == row


def test_every_row_is_reached() -> None:
    reached = {entry for _message, entry, _row in _codes_of()}
    assert [row for row in ENTRIES if row not in reached] == []


@pytest.mark.parametrize("reply", ["550 5.7.999 Something new", "554 Transaction failed", "", "250 2.0.0 OK", "550 5.2.0 Something new"])
def test_an_unknown_reply_has_no_row(reply: str) -> None:
    assert error_catalog.smtp(reply) is None


def test_reply_of_another_service_matches_from_every_source() -> None:
    entry = error_catalog.smtp("550 5.7.240 The application is not allowed for use with this High Volume Email account")
    assert entry is not None
    assert entry.id == "hve-app-not-allowed"
    assert error_catalog.smtp("535 5.7.3 Authentication unsuccessful") != error_catalog.smtp("535 5.7.3 Authentication unsuccessful", "hve")


def test_only_an_object_that_exists_is_marked_so() -> None:
    assert {entry.id for entry in ENTRIES if entry.exists} == {"already-exists", "already-assigned", "object-exists"}
    assert (
        error_catalog.graph("Request_BadRequest", "Another object with the same value for property identifierUris already exists.") is None
    )


def test_an_unknown_code_has_no_row() -> None:
    assert error_catalog.entra("", "") is None
    assert error_catalog.entra(1, "invalid_request") is None
    assert error_catalog.graph("Request_BadRequest", "Invalid property 'x'.") is None
    assert error_catalog.exchange("", "") is None
    assert (
        error_catalog.exchange("DataValidationException", "RestrictDomainsToCertificate: TlsSenderCertificateName can't be empty.") is None
    )
    assert error_catalog.exchange("SomethingNewException", "Please correct the name and try again.") is None


@pytest.mark.parametrize("row", ENTRIES, ids=lambda row: f"{row.service}-{row.id}-{row.code}")
def test_a_row_is_well_formed(row: error_catalog.ErrorEntry) -> None:
    assert row.cause
    assert not row.cause.endswith(".")
    assert row.cause[0].islower() or row.cause.split()[0] in {
        "Basic", "Exchange", "Graph", "SMTP", "Entra", "Microsoft", "ATTR36", "High", "Azure", "TLS",
        "SendGrid", "SendGrid's", "SMTP2GO", "Mailgun",
    }  # fmt: skip
    assert row.remedy.endswith(".")
    assert row.remedy[0].isupper()
    assert row.source
    assert row.queue_policy in (("defer", "hold", "bounce") if row.service in error_catalog.MAIL_SERVICES else ("",))
    re.compile(row.text)
    re.compile(row.code)


def test_transient_entries_never_bounce_mail() -> None:
    assert [row.id for row in ENTRIES if row.transient and row.queue_policy == "bounce"] == []


def test_only_the_message_or_the_recipient_bounces_mail() -> None:
    assert {row.id for row in ENTRIES if row.queue_policy == "bounce"} == {
        "no-from", "two-froms", "bare-line-feed", "too-large", "no-such-recipient", "recipient-not-found", "dmarc", "spf", "authenticated-senders-only",
        "later-hop-refused", "hve-external", "hve-too-large", "acs-too-large",
    }  # fmt: skip


def test_a_lockout_and_a_quota_hold_the_queue() -> None:
    for entry in (error_catalog.smtp(reply) for reply, row in SMTP if "lockout" in row or "quota" in row):
        assert entry is not None
        assert entry.queue_policy == "hold"


def test_refused_sign_in_is_retried_only_during_propagation() -> None:
    waits = {row for reply, row in SMTP if (entry := error_catalog.smtp(reply)) and entry.transient and reply.startswith("5")}
    assert waits == {"authentication-refused", "recipient-quota", "tenant-external-quota", "relay-denied", "recipient-hourly"}


@pytest.mark.parametrize(
    ("reply", "cause", "code"),
    [
        ("535 5.7.3 Authentication unsuccessful", "535 5.7.3 Authentication unsuccessful", "5.7.3"),
        ("530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Off. [X]", "535 5.7.139 Off. [X]", "5.7.139"),
        (
            "530 5.7.57 Client not authenticated. Error: nothing known",
            "530 5.7.57 Client not authenticated. Error: nothing known",
            "5.7.57",
        ),
        ("554 no code", "554 no code", ""),
    ],
)
def test_an_embedded_reply_is_opened(reply: str, cause: str, code: str) -> None:
    assert error_catalog.smtp_cause(reply) == cause
    assert error_catalog.smtp_code(error_catalog.smtp_cause(reply)) == code


def test_the_references_replies_have_rows() -> None:
    replies = REFERENCE.read_text(encoding="utf-8").splitlines()
    assert len(replies) > 30
    assert [reply for reply in replies if not error_catalog.smtp(reply)] == []
