# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known replies of the SMTP services: sign-in, senders, limits, connectors."""

from __future__ import annotations

from .entry import ErrorEntry

_SMTP_AUTH = "Enable or disable authenticated client SMTP submission (SMTP AUTH)"
_NDR = "Email non-delivery reports in Exchange Online"
_DEVICE = "How to set up a multifunction device or application to send email using Microsoft 365"
_OAUTH = "Authenticate an IMAP, POP or SMTP connection using OAuth"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    # ---- client submission: authentication ----------------------------------------------------------------------
    ErrorEntry(
        "smtp-auth-off-tenant", "smtp", "5.7.139", "SMTP AUTH is disabled for the organization, and the mailbox inherits the setting",
        "Enable SMTP AUTH for this mailbox (role smtp_auth).", text=r"disabled for the Tenant", queue_policy="defer", source=_SMTP_AUTH,
        variables=("m365_senders", "smtp_auth_mailboxes", "smtp_auth_organization"),
        sample="535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
               "https://aka.ms/smtp_auth_disabled for more information."),
    ErrorEntry(
        "smtp-auth-off-mailbox", "smtp", "5.7.139", "SMTP AUTH is disabled for this mailbox",
        "Enable SMTP AUTH for this mailbox (role smtp_auth).", text=r"disabled for the Mailbox", queue_policy="defer", source=_SMTP_AUTH,
        variables=("m365_senders", "smtp_auth_mailboxes"),
        sample="535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit "
               "https://aka.ms/smtp_auth_disabled for more information."),
    ErrorEntry(
        "security-defaults", "smtp", "5.7.139", "Entra Security Defaults block Basic authentication",
        "Send with OAuth or through a connector, or replace Security Defaults with Conditional Access policies.",
        text=r"security defaults policy", queue_policy="defer", source=_SMTP_AUTH,
        variables=("m365_senders",),
        sample="535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator."),
    ErrorEntry(
        "policy-blocks-basic", "smtp", "5.7.139", "a Conditional Access policy or per-user MFA blocks Basic authentication",
        "Send with OAuth, or exclude this account from the policy, which module conditional_access_info names.",
        text=r"did not meet the criteria", queue_policy="defer", source=_SMTP_AUTH,
        variables=("m365_senders",),
        sample="535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator."),
    ErrorEntry(
        "basic-disabled", "smtp", "5.7.139", "Basic authentication is disabled for this account",
        "Send with OAuth or through a relay host, or assign an authentication policy that allows Basic authentication (role authentication_policy).",
        text=r"basic authentication is disabled", queue_policy="defer", source=_SMTP_AUTH,
        variables=("m365_senders", "authentication_policy_policies", "authentication_policy_organization"),
        sample="535 5.7.139 Authentication unsuccessful, basic authentication is disabled."),
    ErrorEntry(
        "wrong-mailbox-password", "smtp", "5.7.139", "the mailbox's password is wrong", "Correct the password.",
        text=r"credentials were incorrect", queue_policy="defer", source=_SMTP_AUTH,
        variables=("verify_passwords",),
        sample="535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."),
    ErrorEntry(
        "policy-refused", "smtp", "5.7.139", "a policy of the tenant refuses the authentication", "Read the server's reply, and send with OAuth.",
        queue_policy="defer", source=_SMTP_AUTH,
        variables=("m365_senders",),
        sample="535 5.7.139 Authentication unsuccessful"),
    ErrorEntry(
        "basic-retired", "smtp", "5.7.30", "Basic authentication for SMTP is off in this tenant, as it is by default after December 2026",
        "Send with OAuth, through a connector or a relay host, or with High Volume Email. An administrator can turn it on again until the "
        "final date, which Microsoft will announce in the second half of 2027.", queue_policy="defer",
        source="Exchange Online to retire Basic auth for Client Submission (SMTP AUTH)",
        variables=("m365_senders", "m365_basic_reenabled", "m365_basic_auth_end_date"),
        sample="550 5.7.30 Basic authentication is not supported for Client Submission."),
    ErrorEntry(
        "starttls-required", "smtp", r"5\.7\.[03]", "the server requires STARTTLS before this command, and the client spoke without TLS",
        "Switch on STARTTLS (TLS 1.2 or newer) on the client: explicit TLS on port 587 or 25, not implicit TLS on port 465.",
        text=r"STARTTLS", queue_policy="defer", source=_SMTP_AUTH,
        sample="451 5.7.3 STARTTLS is required to send mail"),
    ErrorEntry(
        "authentication-refused", "smtp", "5.7.3",
        "authentication failed: the token or password is wrong, or Exchange has no service principal or mailbox permission for the sender app yet",
        "Check the service principal in Exchange (the enterprise application's object id), FullAccess on the mailbox and SMTP.SendAsApp, or "
        "with RBAC for Applications the role's scope; for a user, the licence and the consent to SMTP.Send. Permission propagation takes "
        "minutes to an hour, with RBAC for Applications up to two hours.", transient=True, queue_policy="defer", source=_OAUTH,
        variables=("m365_senders", "entra_app_full_access", "entra_app_permissions", "entra_app_authorization"),
        sample="535 5.7.3 Authentication unsuccessful"),
    ErrorEntry(
        "wrong-mechanism", "smtp", "5.7.4", "Microsoft does not support this authentication mechanism", "Use LOGIN or XOAUTH2.", queue_policy="defer",
        source=_SMTP_AUTH,
        sample="504 5.7.4 Unrecognized authentication type"),
    ErrorEntry(
        "old-tls", "smtp", "4.7.66", "the client speaks TLS older than 1.2", "Update the device, or send through a relay host.",
        queue_policy="defer", source="Opt in to the Exchange Online endpoint for legacy TLS clients using SMTP AUTH",
        variables=("m365_senders", "relay_legacy_address"),
        sample="421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2."),
    ErrorEntry(
        "no-right-on-mailbox", "smtp", "4.2.0", "the sender app is authenticated but has no permission on the mailbox",
        "Grant FullAccess on the mailbox to the service principal (role entra_app); with RBAC for Applications, withdraw consent to "
        "SMTP.SendAsApp, which overrides the scope.", text=r"mailbox logon failure|Cannot open mailbox",
        queue_policy="defer", source=_OAUTH,
        variables=("m365_senders", "entra_app_full_access", "entra_app_authorization"),
        sample="430 4.2.0 STOREDRV; mailbox logon failure; STOREDRV.Submission.Exception:ConnectionFailedTransientException.MapiExceptionLogonFailed"),
    ErrorEntry(
        "not-authenticated", "smtp", "5.7.57", "the client did not authenticate before MAIL FROM", "Authenticate with LOGIN or XOAUTH2.",
        queue_policy="defer", source=_NDR,
        sample="530 5.7.57 Client not authenticated to send mail."),
    # ---- client submission: sender ------------------------------------------------------------------------------
    ErrorEntry(
        "send-as-lockout", "smtp", "5.2.252", "Microsoft blocks the mailbox from sending after repeated attempts with a sender address it may not use",
        "Stop sending, correct the sender address or grant SendAs, and wait until the block expires.", text=r"throttled", queue_policy="hold",
        source=_NDR,
        variables=("m365_senders", "entra_app_send_as", "shared_mailbox_mailboxes"),
        sample="550 5.2.252 Sender throttled due to continuous send as denied errors."),
    ErrorEntry(
        "sender-lockout", "smtp", r"5\.2\.25[1-5]", "Microsoft blocks the mailbox from sending after the same error repeatedly",
        "Stop sending, correct the error in the reply, and wait until the block expires.", text=r"throttled", queue_policy="hold",
        source=_NDR,
        sample="550 5.2.251 Sender throttled due to continuous mailbox full errors."),
    ErrorEntry(
        "send-as-denied", "smtp", r"5\.2\.(252|0)", "the sender address is not the mailbox, and the sender app or user has no SendAs permission on it",
        "Send as the mailbox itself, or grant SendAs on the other address (to an application: role entra_app; to a user: role "
        "shared_mailbox).", text=r"SendAsDenied", queue_policy="hold", source=_NDR,
        variables=("m365_senders", "entra_app_send_as", "shared_mailbox_mailboxes"),
        sample="554 5.2.252 SendAsDenied; <mailbox> not allowed to send as <sender>; "
               "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied"),
    ErrorEntry(
        "send-as-denied", "smtp", "5.7.60", "the sender address is not the mailbox, and there is no SendAs permission on it",
        "Send as the mailbox itself, or grant SendAs on the other address (to an application: role entra_app; to a user: role "
        "shared_mailbox).", queue_policy="hold", source=_NDR,
        variables=("m365_senders", "entra_app_send_as", "shared_mailbox_mailboxes"),
        sample="550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    ErrorEntry(
        "account-blocked", "smtp", "5.1.8", "Microsoft blocked the account for sending spam",
        "Remove the cause, then unblock the account in Microsoft Defender (Restricted entities).", queue_policy="hold", source=_NDR,
        sample="550 5.1.8 Access denied, bad outbound sender"),
    ErrorEntry(
        "spam-block", "smtp", r"5\.7\.(50[123]|511)", "Microsoft blocked the sender or the address as abusive",
        "Unblock the account, or write to delist@microsoft.com for an address.", queue_policy="hold", source=_NDR,
        sample="550 5.7.501 Access denied, spam abuse detected"),
    ErrorEntry(
        "no-from", "smtp", "5.7.512", "the message has no valid From header", "Configure the device or the relay host to add one: From: <address>.",
        queue_policy="bounce", source=_NDR,
        sample="550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant"),
    ErrorEntry(
        "two-froms", "smtp", "5.1.20", "the message has more than one From address and no Sender", "Send with one From address.",
        queue_policy="bounce", source=_NDR,
        sample="550 5.1.20 Multiple From addresses are not allowed without Sender address"),
    ErrorEntry(
        "bare-line-feed", "smtp", "5.6.11", "the message has line feeds without carriage returns",
        "Correct the device, or send through a relay host.", queue_policy="bounce", source=_NDR,
        variables=("m365_senders",),
        sample="550 5.6.11 Invalid characters"),
    # ---- rate, size, quota --------------------------------------------------------------------------------------
    ErrorEntry(
        "recipient-busy", "smtp", "4.3.2", "the recipient's mailbox accepts no more messages at the moment", "Try again later.",
        text=r"recipient thread limit", transient=True, queue_policy="defer", source=_NDR,
        sample="432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded"),
    ErrorEntry(
        "too-many-connections", "smtp", "4.3.2", "more than three connections send as this mailbox at once",
        "Use fewer connections, or try again later.", text=r"thread limit|[Cc]oncurrent connections", transient=True, queue_policy="defer",
        source="Exchange Online limits",
        sample="432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information."),
    ErrorEntry(
        "recipient-quota", "smtp", r"5\.(2\.0|1\.90|2\.2)", "the mailbox has reached 10,000 recipients in 24 hours",
        "Wait 24 hours, distribute the senders over more mailboxes, or use High Volume Email.",
        text=r"SubmissionQuotaExceeded|[Ss]ubmission quota|daily limit", transient=True, queue_policy="hold", source="Exchange Online limits",
        variables=("m365_senders", "m365_hve", "relay_mailboxes"),
        sample="554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException"),
    ErrorEntry(
        "tenant-external-quota", "smtp", r"5\.7\.23[23]", "the tenant has reached its daily number of external recipients",
        "Wait 24 hours, or buy more licences.", transient=True, queue_policy="hold", source="Tenant external recipient rate limit",
        variables=("m365_licences",),
        sample="550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to external recipients "
               "(tenant external recipient rate limit)"),
    ErrorEntry(
        "initial-domain-quota", "smtp", "5.7.236", "an onmicrosoft.com sender passed 100 external recipients in a day",
        "Send from a domain of your own.", queue_policy="hold", source=_NDR,
        variables=("m365_senders",),
        sample="550 5.7.236 Message rejected"),
    ErrorEntry(
        "tenant-blocked", "smtp", "5.7.705", "Microsoft blocked the tenant's outbound mail", "Stop, and open a support case.", queue_policy="hold",
        source=_NDR,
        sample="550 5.7.705 Access denied, tenant has exceeded threshold"),
    ErrorEntry(
        "low-reputation", "smtp", "5.7.708", "Microsoft does not take mail from this address (typical of trial tenants)",
        "Open a support case.", queue_policy="hold", source=_NDR,
        sample="550 5.7.708 Access denied, traffic not accepted from this IP"),
    ErrorEntry(
        "mailbox-full", "smtp", "5.2.2", "the sending mailbox is full of its own sent items", "Empty it or set a retention policy on Sent Items.",
        text=r"mailbox full|QuotaExceeded", queue_policy="hold", source=_NDR,
        sample="554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded"),
    ErrorEntry(
        "too-large", "smtp", "5.3.4", "the message is larger than the service takes", "Send less than 150 MB (35 MB by default a mailbox).",
        queue_policy="bounce", source="Exchange Online limits",
        variables=("relay_message_size_limit",),
        sample="552 5.3.4 Message size exceeds fixed maximum message size"),
    ErrorEntry(
        "too-many-recipients", "smtp", "4.5.3", "too many recipients in one transaction", "Split the message.", queue_policy="defer", source=_NDR,
        variables=("relay_recipients_per_message",),
        sample="452 4.5.3 Too many recipients"),
    ErrorEntry(
        "recipient-hourly", "smtp", r"5\.2\.12[12]", "the recipient gets more mail an hour than it may", "Slow down.", transient=True, queue_policy="defer",
        source="Exchange Online limits",
        sample="450 5.2.121 The recipient's mailbox is receiving mail at a rate that prevents more from being delivered"),
    # ---- the MX endpoint: connectors and Direct Send -------------------------------------------------------------
    ErrorEntry(
        "relay-domain", "smtp", "5.7.64",
        "a connector matches, but neither the sender's domain nor the certificate's domain is an accepted domain of the tenant",
        "Use a sender in an accepted domain.", text=r"ATTR36", queue_policy="defer", source=_DEVICE,
        variables=("m365_senders",),
        sample="550 5.7.64 Relay Access Denied ATTR36. For more details please refer to: https://support.microsoft.com/kb/3169958"),
    ErrorEntry(
        "relay-denied", "smtp", "5.7.64", "no inbound connector matches this IP address or certificate",
        "Check the public IP address or the certificate's name in the connector (role inbound_connector), and that the client sends the "
        "intermediate certificates. A new connector takes effect after some minutes.", transient=True, queue_policy="defer", source=_DEVICE,
        variables=("m365_senders", "inbound_connector_connectors", "relay_public_addresses", "relay_certificate_name"),
        sample="550 5.7.64 TenantAttribution; Relay Access Denied SMTP"),
    ErrorEntry(
        "direct-send-rejected", "smtp", "5.7.68", "the organization rejects Direct Send from sources without a connector",
        "Create a connector for this sender (role inbound_connector), or send with SMTP AUTH.", queue_policy="defer",
        source="Introducing more control over Direct Send in Exchange Online",
        variables=("m365_senders", "inbound_connector_connectors", "direct_send_rejected"),
        sample="550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources"),
    ErrorEntry(
        "partner-connector", "smtp", "5.7.51", "a Partner connector of the tenant accepts mail from other IP addresses or certificates only",
        "Add this IP address or certificate to that connector.", queue_policy="defer", source=_NDR,
        variables=("inbound_connector_connectors",),
        sample="550 5.7.51 TenantInboundAttribution; Rejecting. Recipient has a partner connector with RestrictDomainsToIPAddresses or "
               "RestrictDomainsToCertificate set"),
    ErrorEntry(
        "connector-blocked", "smtp", "5.7.711", "Microsoft disabled the connector as compromised", "Review its security with Microsoft.",
        queue_policy="hold", source=_NDR,
        sample="550 5.7.711 Access denied, bad inbound connector. AS(2204)"),
    ErrorEntry(
        "unregistered-domains", "smtp", "5.7.750", "the connector sent too many messages from domains that are not accepted domains of the tenant",
        "Add the domains to the tenant, or use a connector matched by certificate.", queue_policy="hold", source=_NDR,
        variables=("m365_senders", "inbound_connector_connectors"),
        sample="550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains"),
    ErrorEntry(
        "wrong-region", "smtp", "4.4.62", "this MX host belongs to another region than the tenant",
        "Use the tenant's own MX host.", queue_policy="defer", source=_NDR,
        variables=("relay_connector_host",),
        sample="450 4.4.62 Mail sent to the wrong Office 365 region"),
    ErrorEntry(
        "no-such-recipient", "smtp", "5.4.1", "the tenant has no such recipient", "Correct the recipient's address.", queue_policy="bounce",
        source="Use Directory-Based Edge Blocking to reject messages sent to invalid recipients",
        sample="550 5.4.1 Recipient address rejected: Access denied"),
    ErrorEntry(
        "recipient-not-found", "smtp", "5.1.10", "the recipient's organization has no such recipient", "Correct the recipient's address.",
        queue_policy="bounce", source=_NDR,
        sample="550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient <recipient> not found by SMTP address lookup"),
    ErrorEntry(
        "mail-loop", "smtp", r"5\.4\.(6|14)", "the message went round in a circle between mail servers",
        "Correct what sends it back: the MX record of the domain, the type of the accepted domain, or a connector.", queue_policy="defer",
        source=_NDR,
        variables=("inbound_connector_connectors",),
        sample="554 5.4.14 Hop count exceeded - possible mail loop ATTR34"),
    ErrorEntry(
        "later-hop-refused", "smtp", "5.7.367", "a later mail server refused to relay the message",
        "Ask the recipient's administrator; Microsoft 365 accepted the message.", queue_policy="bounce", source=_NDR,
        sample="550 5.7.367 Remote server returned not permitted to relay"),
    ErrorEntry(
        "unable-to-relay", "smtp", "5.7.1", "an external recipient needs a connector", "Create a connector (role inbound_connector) or send with SMTP AUTH.",
        text=r"[Uu]nable to relay", queue_policy="defer", source=_NDR,
        variables=("m365_senders", "inbound_connector_connectors"),
        sample="550 5.7.1 Unable to relay"),
    ErrorEntry(
        "address-blocked", "smtp", r"5\.7\.6([0-3]\d|4[0-9])", "this IP address is on Microsoft's block list",
        "Request its removal at sender.office.com.", queue_policy="hold", source=_NDR,
        sample="550 5.7.606 Access denied, banned sending IP [192.0.2.2]"),
    ErrorEntry(
        "address-throttled", "smtp", r"4\.7\.(5\d\d|6\d\d|8[5-9]\d)", "Microsoft throttles this IP address", "Try again later, or create a connector.",
        transient=True, queue_policy="defer", source=_NDR,
        variables=("m365_senders", "inbound_connector_connectors"),
        sample="451 4.7.500 Server busy. Please try again later from [192.0.2.2]. (AS761)"),
    ErrorEntry(
        "bad-helo", "smtp", "5.7.506", "the client greeted with the server's own name", "Correct the host name that the client sends in EHLO.",
        queue_policy="defer", source=_NDR,
        variables=("relay_hostname",),
        sample="550 5.7.506 Access Denied, Bad HELO"),
    ErrorEntry(
        "dmarc", "smtp", "5.7.509", "the sender's domain has a DMARC policy of reject and the message does not pass it",
        "Align SPF or DKIM of the sender's domain.", queue_policy="bounce", source=_NDR,
        variables=("spf_domains",),
        sample="550 5.7.509 Access denied, sending domain [<domain>] does not pass DMARC verification and has a DMARC policy of reject."),
    ErrorEntry(
        "spf", "smtp", "5.7.23", "the SPF record of the sender's domain excludes this IP address", "Add the IP address to the SPF record.",
        queue_policy="bounce", source=_NDR,
        variables=("spf_domains", "spf_ip4", "spf_ip6"),
        sample="550 5.7.23 The message was rejected because of Sender Policy Framework violation"),
    ErrorEntry(
        "ipv6-reputation", "smtp", r"(4\.7\.26|5\.7\.25)", "mail over IPv6 needs SPF or DKIM and reverse DNS", "Send over IPv4.",
        queue_policy="defer", source=_NDR,
        sample="450 4.7.26 Access denied, a message sent over IPv6 must pass either SPF or DKIM validation"),
    ErrorEntry(
        "authenticated-senders-only", "smtp", r"5\.7\.(12|133|134|136)", "this recipient accepts mail from authenticated senders only",
        "Let the group or mailbox accept mail of senders outside of the organization, or send with OAuth or SMTP AUTH.", queue_policy="bounce",
        source=_NDR,
        variables=("m365_senders",),
        sample="550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because "
               "the sender was not authenticated when sending to this group"),
    ErrorEntry(
        "server-busy", "smtp", r"4\.\d+\.\d+", "the service is busy or has a transient fault", "Try again later.", transient=True, queue_policy="defer",
        source=_NDR,
        sample="421 4.7.0 Service not available, try again later"),
)
# fmt: on
