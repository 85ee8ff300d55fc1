"""What the services say, word for word.

Greeting, EHLO and sign-in: "Authenticate an IMAP, POP or SMTP connection using OAuth" and published transcripts.
Refusals: "Email non-delivery reports and SMTP errors in Exchange Online" and published bounces. The texts of
ordinary commands are those of an Exchange transport server.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

SERVER = "AM0PR02CA0134"
SUBMISSION_NAME = f"{SERVER}.outlook.office365.com"
BACKEND_NAME = f"{SERVER}.eurprd02.prod.outlook.com"
ACS_NAME = "smtp.azurecomm.net"
HVE_NAME = f"{SERVER}.hve.mx.microsoft"
MX_NAME = "AM0PR02FT012.mail.protection.outlook.com"
SIZE_LIMIT = 157286400  # 150 MiB

# -- ordinary commands --------------------------------------------------------------------------------------------------
STARTTLS = "220 2.0.0 SMTP server ready"
BYE = "221 2.0.0 Service closing transmission channel"
NOOP = "250 2.0.0 OK"
RESET = "250 2.0.0 Resetting"
SENDER_OK = "250 2.1.0 Sender OK"
RECIPIENT_OK = "250 2.1.5 Recipient OK"
VRFY = "252 2.1.5 Cannot VRFY user"
HELP = "214-This server supports the following commands:\r\n214 HELO EHLO STARTTLS RCPT DATA RSET MAIL QUIT HELP AUTH BDAT"
GO_AHEAD = "354 Start mail input; end with <CRLF>.<CRLF>"
LINE_TOO_LONG = "500 5.5.2 Line too long"
UNKNOWN_COMMAND = "500 5.3.3 Unrecognized command"
TOO_MANY_UNKNOWN = "421 4.7.0 Too many errors on this connection, closing transmission channel"
INVALID_ARGUMENTS = "501 5.5.4 Invalid arguments"
INVALID_DOMAIN = "501 5.5.4 Invalid domain name"
UNKNOWN_PARAMETER = "501 5.5.4 Unrecognized parameter"
INVALID_SENDER = "501 5.1.7 Invalid address"
INVALID_RECIPIENT = "501 5.1.3 Invalid address"
NOT_ASCII = "553 5.6.7 Address is not ASCII and SMTPUTF8 was not asked for"  # RFC 6531
BAD_BASE64 = "501 5.5.2 Cannot decode response"  # RFC 4954
CANCELLED = "501 5.7.0 Authentication cancelled"  # RFC 4954
NOT_IMPLEMENTED = "502 5.3.3 Command not implemented"
BAD_SEQUENCE = "503 5.5.1 Bad sequence of commands"
HELLO_FIRST = "503 5.5.2 Send hello first"
MAIL_FIRST = "503 5.5.2 Need mail command"
RECIPIENT_FIRST = "503 5.5.2 Need rcpt command"
SECOND_MAIL = "503 5.5.2 Sender already specified"
SIGNED_IN = "503 5.5.2 Already authenticated"
TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"  # RFC 3207

# -- sign-in ------------------------------------------------------------------------------------------------------------
AUTHENTICATED = "235 2.7.0 Authentication successful"
AUTHENTICATION_REFUSED = "535 5.7.3 Authentication unsuccessful"
SWITCHED_OFF = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the {}. "
    "Visit https://aka.ms/smtp_auth_disabled for more information."
)
OFF_FOR_TENANT = SWITCHED_OFF.format("Tenant")
OFF_FOR_MAILBOX = SWITCHED_OFF.format("Mailbox")
BASIC_DISABLED = "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."
SECURITY_DEFAULTS = (
    "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator."
)
HVE_SECURITY_DEFAULTS = "535 5.7.139 Authentication unsuccessful, the organization configuration does not allow this authentication method"
CONDITIONAL_ACCESS = (
    "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. "
    "Contact your administrator."
)
WRONG_PASSWORD = "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."  # noqa: S105 (a reply)
BASIC_RETIRED = "550 5.7.30 Basic authentication is not supported for Client Submission."
UNKNOWN_MECHANISM = "504 5.7.4 Unrecognized authentication type"
OLD_TLS = (
    "421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. Visit https://aka.ms/smtp_auth_tls"
)
STARTTLS_REQUIRED = "451 5.7.3 STARTTLS is required to send mail"  # published transcripts of client submission
NOT_AUTHENTICATED = "530 5.7.57 Client not authenticated to send mail."

# -- sender and message -------------------------------------------------------------------------------------------------
NO_RIGHT_ON_MAILBOX = (
    "430 4.2.0 STOREDRV; mailbox logon failure; "
    "STOREDRV.Submission.Exception:ConnectionFailedTransientException.MapiExceptionLogonFailed; "
    "Failed to process message due to a transient exception with message [BeginDiagnosticData]Cannot open mailbox. "
    f"[EndDiagnosticData] [Hostname={BACKEND_NAME}]"
)
SEND_AS_DENIED = (
    "554 5.2.252 SendAsDenied; {mailbox} not allowed to send as {sender}; "
    "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; "
    "Failed to process message due to a permanent exception with message [BeginDiagnosticData]Cannot submit message. "
    f"[EndDiagnosticData] [Hostname={BACKEND_NAME}]"
)
BAD_FROM = "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant"
TWO_FROMS = "550 5.1.20 Multiple From addresses are not allowed without Sender address"
BARE_LINE_FEED = "550 5.6.11 Invalid characters"
LOCKED_OUT = {
    code: f"550 {code} Sender throttled due to continuous {errors} errors."
    for code, errors in {
        "5.2.251": "mailbox full",
        "5.2.252": "send as denied",
        "5.2.253": "invalid license",
        "5.2.254": "too many recipients",
        "5.2.255": "invalid recipients",
    }.items()
}

# -- High Volume Email: "OAuth authentication for high volume emails for Microsoft 365", and published tests of it --------
TOKEN_EXPIRES_SOON = "501 5.5.127 Invalid XOAUTH2 auth data - Token will expire soon"  # noqa: S105 (a reply)
TOKEN_EXPIRED = "535 5.7.143 Authentication unsuccessful - Expired token"  # noqa: S105 (a reply)
NO_API_PERMISSION = "535 5.7.144 XOAUTH2 authentication failed. Invalid API permissions"
APP_NOT_ALLOWED = "550 5.7.240 The application is not allowed for use with this High Volume Email account"
NOT_HVE = "550 5.2.240 The account is not a High Volume Email account"
HVE_SENDER = "550 5.7.62 The sender {sender} is not the High Volume Email account {mailbox}"
HVE_FROM = "550 5.6.241 The From address {sender} is not the High Volume Email account {mailbox}"
HVE_EXTERNAL = (
    "550 5.5.105 External sending is not supported for High Volume Email accounts. For high-volume email to external recipients, "
    "use Azure Communication Services Email"
)
HVE_BILLING = "550 5.7.1 The High Volume Email account has no valid billing policy ({status})"  # no text of this is published

# -- Azure Communication Services Email: the words of its REST API --------------------------------------------------------
ACS_SENDER = (
    "550 5.7.60 Invalid email sender username: '{sender}'. Please use a username from the list of valid usernames configured by your admin."
)
ACS_DOMAIN = "550 5.7.60 The specified sender domain has not been linked."
ACS_RATE = "450 4.5.127 Message rejected. Excessive message rate from sender."

# -- rate, size, quota --------------------------------------------------------------------------------------------------
TOO_MANY_CONNECTIONS = (
    "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. "
    f"[Hostname={BACKEND_NAME}]"
)
RECIPIENT_QUOTA = "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException"
TRIAL_EXTERNAL_QUOTA = (
    "550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit for sending email to "
    "external recipients (tenant external recipient rate limit)"
)
TENANT_EXTERNAL_QUOTA = (
    "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to "
    "external recipients (tenant external recipient rate limit)"
)
INITIAL_DOMAIN_QUOTA = "550 5.7.236 The initial domain has exceeded its daily limit of external recipients"
TOO_LARGE = "552 5.3.4 Message size exceeds fixed maximum message size"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"

# -- the MX endpoint ----------------------------------------------------------------------------------------------------
RELAY_DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied SMTP"
RELAY_DOMAIN = "550 5.7.64 Relay Access Denied ATTR36. For more details please refer to: https://support.microsoft.com/kb/3169958"
SPF_REJECTED = "550 5.7.23 The message was rejected because of Sender Policy Framework violation"
DIRECT_SEND_REJECTED = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources"
PARTNER_RESTRICTED = (
    "550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's recipient domain. "
    "The connector had either the RestrictDomainsToIPAddresses or RestrictDomainsToCertificate set"
)
NO_SUCH_RECIPIENT = "550 5.4.1 Recipient address rejected: Access denied"
BAD_HELO = "550 5.7.506 Access Denied, Bad HELO"


class Refused(Exception):  # noqa: N818 - the service's answer, not a fault of the program
    """The reply of a stage that is not passed; after a 421 the connection is closed."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


def banner(name: str, now: float) -> str:
    """The greeting: its day of the month has no leading zero."""
    moment = datetime.fromtimestamp(now, UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[moment.month - 1]
    date = f"{day}, {moment.day} {month} {moment:%Y %H:%M:%S} +0000"
    return f"220 {name} Microsoft ESMTP MAIL Service ready at {date}"


def stamped(text: str, now: float) -> str:
    """A refused sign-in ends with the server, the time and a request id."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{text} [{BACKEND_NAME} {moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z 08{secrets.token_hex(7).upper()}]"


def not_authenticated(sign_in_error: str, now: float) -> str:
    """What MAIL FROM gets without a sign-in: it repeats why the sign-in before was refused."""
    cause = f" Error: {sign_in_error}" if sign_in_error else ""
    return stamped(f"{NOT_AUTHENTICATED}{cause}", now)


def queued_by_submission(message_id: str) -> str:
    return f"250 2.0.0 OK {message_id} [Hostname={BACKEND_NAME}]"


def queued_by_acs(message_id: str) -> str:
    return f"250 2.0.0 OK {message_id} [Hostname={ACS_NAME}]"


def queued_by_hve(message_id: str) -> str:
    return f"250 2.0.0 OK {message_id} [Hostname={HVE_NAME}]"


def queued_by_mx(message_id: str, size: int) -> str:
    return f"250 2.6.0 {message_id} [InternalId={secrets.randbits(44)}, Hostname={BACKEND_NAME}] {size} bytes Queued mail for delivery"
