# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known replies of the SMTP endpoints of hosted relays. Most have no enhanced status code, so that their text decides."""

from __future__ import annotations

from .entry import ErrorEntry

_SENDGRID = "SendGrid, Integrating with the SMTP API; published sessions"
_SMTP2GO = "SMTP2GO, Verified senders and SMTP users; published sessions"
_MAILGUN = "Mailgun, Sending via SMTP; published sessions"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    # ---- authentication -------------------------------------------------------------------------------------------
    ErrorEntry(
        "hosted-smtp-key", "hosted_smtp", "", "SendGrid does not accept the API key: it was revoked, is of another region, or lacks mail.send",
        "Replace the credential (module hosted_credential, renew: now), or correct m365_hosted_relay_region.",
        text=r"provided authorization grant is invalid", queue_policy="defer", source=_SENDGRID,
        variables=("m365_hosted_relay_region", "relay_smarthost"),
        sample="535 Authentication failed: The provided authorization grant is invalid, expired, or revoked"),
    ErrorEntry(
        "hosted-smtp-user", "hosted_smtp", "", "SendGrid's user name is not the word apikey", "Set the user name to apikey, without base64.",
        text=r"Authentication failed: Bad username", queue_policy="defer", source=_SENDGRID,
        variables=("relay_smarthost",),
        sample="535 Authentication failed: Bad username / password"),
    ErrorEntry(
        "hosted-smtp-address", "hosted_smtp", "", "the account's IP allow list does not have the address of this host",
        "Add the public address of this host to the allow list of the provider's account.",
        text=r"Authentication failed: Could not authenticate|that IP address on this account is not allowed to send", queue_policy="defer",
        source=f"{_SENDGRID}; {_SMTP2GO}",
        sample="451 Authentication failed: Could not authenticate"),
    ErrorEntry(
        "hosted-smtp-credits", "hosted_smtp", "", "the account at SendGrid has used the messages of its plan",
        "Wait for the next month, or buy a larger plan.", text=r"[Mm]aximum credits exceeded|exceeded your messaging limits",
        queue_policy="defer", source=_SENDGRID,
        sample="451 Authentication failed: Maximum credits exceeded"),
    ErrorEntry(
        "hosted-smtp-password", "hosted_smtp", "",
        "the server does not accept the user name or the password, or, at Mailgun, its region or allow list does not have them",
        "Replace the credential (module hosted_credential, renew: now), and check m365_hosted_relay_region and Mailgun's allow list.",
        text=r"^535 Incorrect authentication data|^535 Authentication failed$|not loving your login", queue_policy="defer",
        source=f"{_SMTP2GO}; {_MAILGUN}",
        variables=("m365_hosted_relay_region", "relay_smarthost"),
        sample="535 Incorrect authentication data"),
    ErrorEntry(
        "hosted-smtp-no-auth", "hosted_smtp", "", "the client did not authenticate", "Set user name and password of the hosted relay.",
        text=r"Unauthenticated senders not allowed|Relay access denied - please authenticate", queue_policy="defer",
        source=f"{_SENDGRID}; {_SMTP2GO}",
        variables=("relay_smarthost",),
        sample="550 Unauthenticated senders not allowed"),
    ErrorEntry(
        "hosted-smtp-relaying", "hosted_smtp", "5.7.1", "the client did not authenticate at Mailgun, or greeted with HELO",
        "Set user name and password of the credential, and greet with EHLO.", text=r"Relaying denied$", queue_policy="defer", source=_MAILGUN,
        variables=("relay_smarthost",),
        sample="550 5.7.1 Relaying denied"),
    # ---- senders --------------------------------------------------------------------------------------------------
    ErrorEntry(
        "hosted-smtp-sender", "hosted_smtp", "", "the provider has not verified the domain of the sender",
        "Authenticate the domain (module hosted_domain), and publish the DNS records that it shows.",
        text=r"From header sender domain not verified|does not match a verified Sender Identity", queue_policy="defer",
        source=f"{_SMTP2GO}; {_SENDGRID}",
        sample="550-From header sender domain not verified (<domain>) 550-On your Sending > Verified Senders page 550 verify the sender domain or "
               "email to be allowed to send."),
    ErrorEntry(
        "hosted-smtp-blank", "hosted_smtp", "", "SMTP2GO refuses messages without an envelope sender, such as delivery reports",
        "Enable blank senders in its settings, or let the sender use an address.", text=r"from a blank sender", queue_policy="defer",
        source=_SMTP2GO,
        sample="550 to send email from a blank sender, enable blank senders"),
    # ---- limits of a user or an account ---------------------------------------------------------------------------
    ErrorEntry(
        "hosted-smtp-user-limit", "hosted_smtp", "", "the SMTP user, or the account, has sent the messages that it may send in a period",
        "Wait for the next period, or raise the limit of the SMTP user or the plan at the provider.",
        text=r"([Ss]ending|[Rr]ate|[Hh]our(ly)?|[Dd]a(y|ily)|[Mm]onth(ly)?) ?([Ll]imit|[Qq]uota)", transient=True, queue_policy="defer",
        source="SMTP2GO, Know your sending limits (messages beyond the limit of an SMTP user are refused; the words are not published)",
        sample="550 the sending limit of this SMTP user is exceeded"),
    # ---- Mailgun's domains ----------------------------------------------------------------------------------------
    ErrorEntry(
        "hosted-smtp-limit", "hosted_smtp", "", "the Mailgun domain has reached a limit of its plan",
        "Wait until the time that the reply has, or buy a larger plan.",
        text=r"is not allowed to send: (recipient|request|bytes) limit exceeded", transient=True, queue_policy="defer", source=_MAILGUN,
        sample="421 Domain <domain> is not allowed to send: recipient limit exceeded, try again after <date>"),
    ErrorEntry(
        "hosted-smtp-free", "hosted_smtp", "", "the free plan of Mailgun sends to authorized recipients only",
        "Add the recipient to the authorized recipients, use a domain of your own, or buy a plan.",
        text=r"Free accounts are for test purposes only", queue_policy="defer", source=_MAILGUN,
        sample="421 Domain <domain> is not allowed to send: Free accounts are for test purposes only. Please upgrade or add the address to your "
               "authorized recipients."),
    ErrorEntry(
        "hosted-smtp-inactive", "hosted_smtp", "", "the Mailgun account was not activated", "Follow the link in Mailgun's activation message.",
        text=r"Please activate your Mailgun account", queue_policy="defer", source=_MAILGUN,
        sample="421 Domain <domain> is not allowed to send: Please activate your Mailgun account. Check your inbox or log in to your control panel "
               "to resend the activation email."),
    ErrorEntry(
        "hosted-smtp-disabled", "hosted_smtp", "", "Mailgun has disabled the domain", "Read the reason in the reply, and contact Mailgun's support.",
        text=r"Domain [^ ]+ is not allowed to send", queue_policy="defer", source=_MAILGUN,
        sample="421 Domain <domain> is not allowed to send: <reason>"),
)
# fmt: on
