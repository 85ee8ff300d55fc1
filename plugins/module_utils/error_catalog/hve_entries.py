# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known replies of High Volume Email (smtp.hve.mx.microsoft)."""

from __future__ import annotations

from .entry import ErrorEntry

_HVE = "Manage High Volume Email for Microsoft 365"
_OAUTH = "OAuth authentication for high volume emails for Microsoft 365"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "hve-token-short", "hve", r"5\.5\.127|5\.7\.142", "the token expires too soon: High Volume Email requires at least ten more minutes",
        "Use a new token for each connection, or try again with the next one.", transient=True, queue_policy="defer", source=_OAUTH,
        sample="501 5.5.127 Invalid XOAUTH2 auth data - Token will expire soon"),
    ErrorEntry(
        "hve-token-expired", "hve", "5.7.143", "the token has expired", "Use a new token.", transient=True, queue_policy="defer", source=_OAUTH,
        sample="535 5.7.143 Authentication unsuccessful - Expired token"),
    ErrorEntry(
        "hve-malformed-sign-in", "hve", r"5\.5\.12[1-6]", "the XOAUTH2 response is malformed: user, the word Bearer or the token is missing",
        "Correct the client's XOAUTH2 response.", queue_policy="defer", source=_OAUTH,
        sample="501 5.5.122 Invalid XOAUTH2 argument"),
    ErrorEntry(
        "hve-no-permission", "hve", "5.7.144", "the sender app lacks the permission for High Volume Email",
        "Grant it the application permission Mail.Send of Office 365 Exchange Online, with admin consent (role entra_app); "
        "SMTP.SendAsApp does not apply here.", transient=True, queue_policy="defer", source=_OAUTH,
        variables=("entra_app_permissions",),
        sample="535 5.7.144 XOAUTH2 authentication failed. Invalid API permissions"),
    ErrorEntry(
        "hve-app-not-allowed", "hve", "5.7.240", "the sender app is not among the account's allowed apps",
        "Add it to the account's apps (role hve_account). The change takes effect after up to five minutes.", transient=True, queue_policy="defer",
        source="Add-HVEAppAccess",
        variables=("hve_account_accounts",),
        sample="550 5.7.240 The application is not allowed for use with this High Volume Email account"),
    ErrorEntry(
        "hve-no-account", "hve", "5.2.240", "the authenticated account is not a High Volume Email account",
        "Create a High Volume Email account (role hve_account), or send through smtp.office365.com (method oauth).", queue_policy="defer", source=_HVE,
        variables=("m365_senders", "hve_account_accounts"),
        sample="550 5.2.240 The account is not a High Volume Email account"),
    ErrorEntry(
        "hve-sender", "hve", "5.7.62", "the sender is not the High Volume Email account itself",
        "Send as the account's address; set reply_to (role hve_account) to receive replies elsewhere.", queue_policy="hold", source=_HVE,
        variables=("m365_senders", "hve_account_accounts"),
        sample="550 5.7.62 The sender <sender> is not the High Volume Email account <mailbox>"),
    ErrorEntry(
        "hve-from", "hve", "5.6.241", "the From header is not the High Volume Email account itself",
        "Set the From header to the account's address.", queue_policy="hold", source=_HVE,
        variables=("m365_senders",),
        sample="550 5.6.241 The From address <sender> is not the High Volume Email account <mailbox>"),
    ErrorEntry(
        "hve-external", "hve", "5.5.105", "High Volume Email delivers to internal recipients only",
        "Send to external recipients through client submission, a connector or Azure Communication Services Email.", queue_policy="bounce", source=_HVE,
        variables=("m365_senders",),
        sample="550 5.5.105 External sending is not supported for High Volume Email accounts."),
    ErrorEntry(
        "hve-billing", "hve", "", "the account has no valid billing policy",
        "Assign one (billing_policy of role hve_account). Create the policy in the Microsoft 365 admin center under Pay-as-you-go "
        "services, with an Azure subscription.", text=r"[Bb]illing policy", transient=True, queue_policy="hold", source="Get-HVEAccountBillingPolicy",
        variables=("hve_account_billing_policy",),
        sample="550 5.7.1 The High Volume Email account has no valid billing policy (SubscriptionIsNotActive)"),
    ErrorEntry(
        "hve-too-large", "hve", "5.3.4", "the message is larger than High Volume Email allows", "Send less than 10 MB.", queue_policy="bounce", source=_HVE,
        sample="552 5.3.4 Message size exceeds fixed maximum message size"),
    ErrorEntry(
        "hve-too-many-recipients", "hve", "4.5.3", "the message has more than 50 recipients", "Split the message.", queue_policy="defer", source=_HVE,
        sample="452 4.5.3 Too many recipients"),
    ErrorEntry(
        "hve-refused", "hve", "5.7.3",
        "authentication failed: the tenant has no such account, or the token or password is wrong",
        "Check the account (role hve_account) and, for a token, that its audience is outlook.office.com.", transient=True, queue_policy="defer",
        source=_OAUTH,
        variables=("hve_account_accounts",),
        sample="535 5.7.3 Authentication unsuccessful"),
    ErrorEntry(
        "hve-basic-blocked", "hve", "5.7.139", "the tenant's policies block Basic authentication",
        "Authenticate with a token, or assign the account an authentication policy with AllowBasicAuthSmtp.",
        text=r"organization configuration|basic authentication is disabled", queue_policy="defer", source=_HVE,
        variables=("authentication_policy_policies", "hve_account_accounts"),
        sample="535 5.7.139 Authentication unsuccessful, the organization configuration does not allow this authentication method"),
)
# fmt: on
