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
    ErrorEntry("smtp-auth-off-tenant", "smtp", "5.7.139", "SMTP AUTH is off for the organization and the mailbox inherits that",
        "Enable SMTP AUTH for this mailbox (role smtp_auth).", text=r"disabled for the Tenant", queue_policy="defer", source=_SMTP_AUTH),
    ErrorEntry("smtp-auth-off-mailbox", "smtp", "5.7.139", "SMTP AUTH is off for this mailbox",
        "Enable SMTP AUTH for this mailbox (role smtp_auth).", text=r"disabled for the Mailbox", queue_policy="defer", source=_SMTP_AUTH),
    ErrorEntry("security-defaults", "smtp", "5.7.139", "Entra Security Defaults block sign-in by password",
        "Send with OAuth or through a connector; or replace Security Defaults by Conditional Access.",
        text=r"security defaults policy", queue_policy="defer", source=_SMTP_AUTH),
    ErrorEntry("policy-blocks-basic", "smtp", "5.7.139", "a Conditional Access policy or per-user MFA blocks sign-in by password",
        "Send with OAuth, or exclude this account from the policy: module conditional_access_info names it.",
        text=r"did not meet the criteria", queue_policy="defer", source=_SMTP_AUTH),
    ErrorEntry("basic-disabled", "smtp", "5.7.139", "sign-in by password is closed for this account",
        "Send with OAuth or through a relay; or give the mailbox an authentication policy that lets passwords in (role authentication_policy).",
        text=r"basic authentication is disabled", queue_policy="defer", source=_SMTP_AUTH),
    ErrorEntry("wrong-mailbox-password", "smtp", "5.7.139", "the mailbox's password is wrong", "Correct the password.",
        text=r"credentials were incorrect", queue_policy="defer", source=_SMTP_AUTH),
    ErrorEntry("policy-refused", "smtp", "5.7.139", "a policy of the tenant refuses this sign-in", "Read the server's own words; try OAuth.",
        queue_policy="defer", source=_SMTP_AUTH),
    ErrorEntry("basic-retired", "smtp", "5.7.30", "Microsoft has retired sign-in by password for this tenant",
        "Send with OAuth, through a connector or relay, or by High Volume Email.", queue_policy="defer",
        source="Exchange Online to retire Basic auth for Client Submission (SMTP AUTH)"),
    ErrorEntry("authentication-refused", "smtp", "5.7.3",
        "the sign-in was refused: the token or password is wrong, or Exchange does not know the application or its right on the mailbox yet",
        "Check the service principal in Exchange (the enterprise application's object id), FullAccess on the mailbox and SMTP.SendAsApp, or "
        "by RBAC for Applications the role's scope; of a user, the licence and the consent to SMTP.Send; after a change it takes minutes "
        "to an hour, by RBAC up to two.", transient=True, queue_policy="defer", source=_OAUTH),
    ErrorEntry("wrong-mechanism", "smtp", "5.7.4", "Microsoft does not offer this way to sign in", "Use LOGIN or XOAUTH2.", queue_policy="defer",
        source=_SMTP_AUTH),
    ErrorEntry("old-tls", "smtp", "4.7.66", "the client speaks TLS older than 1.2", "Update the device, or let it send through a relay host.",
        queue_policy="defer", source="Opt in to the Exchange Online endpoint for legacy TLS clients using SMTP AUTH"),
    ErrorEntry("no-right-on-mailbox", "smtp", "4.2.0", "the application signed in but has no right on the mailbox",
        "Grant FullAccess on the mailbox to the service principal (role entra_app); by RBAC for Applications, withdraw consent to "
        "SMTP.SendAsApp, which defeats the scope.", text=r"mailbox logon failure|Cannot open mailbox",
        queue_policy="defer", source=_OAUTH),
    ErrorEntry("not-authenticated", "smtp", "5.7.57", "the client did not sign in before it sent", "Sign in first: LOGIN or XOAUTH2.",
        queue_policy="defer", source=_NDR),
    # ---- client submission: sender ------------------------------------------------------------------------------
    ErrorEntry("send-as-lockout", "smtp", "5.2.252", "Microsoft locked the mailbox out of sending, after it kept using a foreign sender",
        "Stop sending, correct the sender or grant SendAs, and wait until the lock ends by itself.", text=r"throttled", queue_policy="hold",
        source=_NDR),
    ErrorEntry("sender-lockout", "smtp", r"5\.2\.25[1-5]", "Microsoft locked the mailbox out of sending, after it kept repeating one error",
        "Stop sending, correct the error that the text names, and wait until the lock ends by itself.", text=r"throttled", queue_policy="hold",
        source=_NDR),
    ErrorEntry("send-as-denied", "smtp", r"5\.2\.(252|0)", "the sender's address is not the mailbox, and the application or user has no SendAs right on it",
        "Send as the mailbox itself, or grant SendAs on the other address (to an application: role entra_app; to a user: role "
        "shared_mailbox).", text=r"SendAsDenied", queue_policy="hold", source=_NDR),
    ErrorEntry("send-as-denied", "smtp", "5.7.60", "the sender's address is not the mailbox and there is no SendAs right on it",
        "Send as the mailbox itself, or grant SendAs on the other address (to an application: role entra_app; to a user: role "
        "shared_mailbox).", queue_policy="hold", source=_NDR),
    ErrorEntry("account-blocked", "smtp", "5.1.8", "Microsoft blocked the account for sending spam",
        "Unblock it in Microsoft Defender (Restricted entities) once the cause is removed.", queue_policy="hold", source=_NDR),
    ErrorEntry("spam-block", "smtp", r"5\.7\.(50[123]|511)", "Microsoft blocked the sender or the address as abusive",
        "Unblock the account, or write to delist@microsoft.com for an address.", queue_policy="hold", source=_NDR),
    ErrorEntry("no-from", "smtp", "5.7.512", "the message has no valid From header", "Let the device or the relay add one: From: <address>.",
        queue_policy="bounce", source=_NDR),
    ErrorEntry("two-froms", "smtp", "5.1.20", "the message has more than one From address and no Sender", "Send with one From address.",
        queue_policy="bounce", source=_NDR),
    ErrorEntry("bare-line-feed", "smtp", "5.6.11", "the message has line feeds without carriage returns",
        "Correct the device, or let it send through a relay host.", queue_policy="bounce", source=_NDR),
    # ---- rate, size, quota --------------------------------------------------------------------------------------
    ErrorEntry("recipient-busy", "smtp", "4.3.2", "the recipient's mailbox takes no more mail at this moment", "Wait.",
        text=r"recipient thread limit", transient=True, queue_policy="defer", source=_NDR),
    ErrorEntry("too-many-connections", "smtp", "4.3.2", "more than three connections send as this mailbox at once",
        "Use fewer connections; waiting helps.", text=r"thread limit|[Cc]oncurrent connections", transient=True, queue_policy="defer",
        source="Exchange Online limits"),
    ErrorEntry("recipient-quota", "smtp", r"5\.(2\.0|1\.90|2\.2)", "the mailbox has reached 10,000 recipients in 24 hours",
        "Wait a day, spread the senders over more mailboxes, or use High Volume Email.",
        text=r"SubmissionQuotaExceeded|[Ss]ubmission quota|daily limit", transient=True, queue_policy="hold", source="Exchange Online limits"),
    ErrorEntry("tenant-external-quota", "smtp", r"5\.7\.23[23]", "the tenant has reached its daily number of external recipients",
        "Wait a day, or buy more licences.", transient=True, queue_policy="hold", source="Tenant external recipient rate limit"),
    ErrorEntry("initial-domain-quota", "smtp", "5.7.236", "an onmicrosoft.com sender passed 100 external recipients in a day",
        "Send from a domain of your own.", queue_policy="hold", source=_NDR),
    ErrorEntry("tenant-blocked", "smtp", "5.7.705", "Microsoft blocked the tenant's outbound mail", "Stop, and open a support case.", queue_policy="hold",
        source=_NDR),
    ErrorEntry("low-reputation", "smtp", "5.7.708", "Microsoft does not take mail from this address (typical of trial tenants)",
        "Open a support case.", queue_policy="hold", source=_NDR),
    ErrorEntry("mailbox-full", "smtp", "5.2.2", "the sending mailbox is full of its own sent items", "Empty it or set a retention policy on Sent Items.",
        text=r"mailbox full|QuotaExceeded", queue_policy="hold", source=_NDR),
    ErrorEntry("too-large", "smtp", "5.3.4", "the message is larger than the service takes", "Send less than 150 MB (35 MB by default a mailbox).",
        queue_policy="bounce", source="Exchange Online limits"),
    ErrorEntry("too-many-recipients", "smtp", "4.5.3", "too many recipients in one transaction", "Split the message.", queue_policy="defer", source=_NDR),
    ErrorEntry("recipient-hourly", "smtp", r"5\.2\.12[12]", "the recipient gets more mail an hour than it may", "Slow down.", transient=True, queue_policy="defer",
        source="Exchange Online limits"),
    # ---- the MX endpoint: connectors and Direct Send -------------------------------------------------------------
    ErrorEntry("relay-domain", "smtp", "5.7.64", "a connector fits, but neither the sender's domain nor the certificate's is accepted by the tenant",
        "Use a sender in an accepted domain.", text=r"ATTR36", queue_policy="defer", source=_DEVICE),
    ErrorEntry("relay-denied", "smtp", "5.7.64", "no inbound connector fits this address or certificate",
        "Check the public address or the certificate's name in the connector (role inbound_connector), and that the intermediate "
        "certificates are sent; a new connector takes some minutes.", transient=True, queue_policy="defer", source=_DEVICE),
    ErrorEntry("direct-send-rejected", "smtp", "5.7.68", "the organization rejects Direct Send from sources without a connector",
        "Create a connector for this sender (role inbound_connector), or send with SMTP AUTH.", queue_policy="defer",
        source="Introducing more control over Direct Send in Exchange Online"),
    ErrorEntry("partner-connector", "smtp", "5.7.51", "a Partner connector of the tenant takes mail from other addresses or certificates only",
        "Add this address or certificate to that connector.", queue_policy="defer", source=_NDR),
    ErrorEntry("connector-blocked", "smtp", "5.7.711", "Microsoft disabled the connector as compromised", "Review its security with Microsoft.",
        queue_policy="hold", source=_NDR),
    ErrorEntry("unregistered-domains", "smtp", "5.7.750", "the connector sent much mail from domains that are not registered in the tenant",
        "Register the domains, or use a certificate connector.", queue_policy="hold", source=_NDR),
    ErrorEntry("wrong-region", "smtp", "4.4.62", "this MX host belongs to another region than the tenant",
        "Use the tenant's own MX host.", queue_policy="defer", source=_NDR),
    ErrorEntry("no-such-recipient", "smtp", "5.4.1", "the tenant has no such recipient", "Correct the recipient's address.", queue_policy="bounce",
        source="Use Directory-Based Edge Blocking to reject messages sent to invalid recipients"),
    ErrorEntry("later-hop-refused", "smtp", "5.7.367", "a later mail server refused to pass the message on",
        "Ask the recipient's side; Microsoft 365 itself accepted it.", queue_policy="bounce", source=_NDR),
    ErrorEntry("unable-to-relay", "smtp", "5.7.1", "an external recipient needs a connector", "Create one (role inbound_connector) or use SMTP AUTH.",
        text=r"[Uu]nable to relay", queue_policy="defer", source=_NDR),
    ErrorEntry("address-blocked", "smtp", r"5\.7\.6([0-3]\d|4[0-9])", "this address is on Microsoft's block list",
        "Delist it at sender.office.com.", queue_policy="hold", source=_NDR),
    ErrorEntry("address-throttled", "smtp", r"4\.7\.(5\d\d|6\d\d|8[5-9]\d)", "Microsoft slows this address down", "Wait; a connector lifts it.",
        transient=True, queue_policy="defer", source=_NDR),
    ErrorEntry("bad-helo", "smtp", "5.7.506", "the client greeted with the server's own name", "Correct the name the client gives in EHLO.",
        queue_policy="defer", source=_NDR),
    ErrorEntry("dmarc", "smtp", "5.7.509", "the sender's domain has a DMARC policy of reject and the message does not pass it",
        "Align SPF or DKIM of the sender's domain.", queue_policy="bounce", source=_NDR),
    ErrorEntry("spf", "smtp", "5.7.23", "the sender's domain publishes an SPF record that excludes this address", "Add the address to SPF.",
        queue_policy="bounce", source=_NDR),
    ErrorEntry("ipv6-reputation", "smtp", r"(4\.7\.26|5\.7\.25)", "mail over IPv6 needs SPF or DKIM and reverse DNS", "Send over IPv4.",
        queue_policy="defer", source=_NDR),
    ErrorEntry("authenticated-senders-only", "smtp", r"5\.7\.(12|133|134|136)", "this recipient takes mail from authenticated senders only",
        "Change the recipient's setting, or send with SMTP AUTH.", queue_policy="bounce", source=_NDR),
    ErrorEntry("server-busy", "smtp", r"4\.\d+\.\d+", "the service is busy or has a passing fault", "Try again later.", transient=True, queue_policy="defer",
        source=_NDR),
)
# fmt: on
