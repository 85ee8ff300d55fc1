"""The state of the emulator: tenants with their directory, their Exchange organization and their messages.

Every service (token endpoint, Graph, Exchange admin API, SMTP submission, MX) reads and writes these objects, so that a
change through one service takes effect in the others. Microsoft's properties have snake_case names here; each service
translates them for its protocol.
"""

from __future__ import annotations

from emulator.state.directory import (
    Application,
    AppRoleAssignment,
    Certificate,
    DelegatedGrant,
    DeletedItem,
    EnterpriseApplication,
    FederatedCredential,
    Secret,
)
from emulator.state.dns import Dns, DnsKey, DnsRecord
from emulator.state.exchange import ExchangeServicePrincipal, InboundConnector, Mailbox, MailboxGrant
from emulator.state.hmailserver import HMailElement, HMailServer
from emulator.state.hve import BillingPolicy, HveAccount
from emulator.state.ids import derived_sid, new_guid
from emulator.state.iis_smtp import AddressList, QueuedMail, SmtpVirtualServer
from emulator.state.licences import Licence, external_recipients_a_day, has_premium
from emulator.state.mail import NEW_MX_SUFFIX, Message, mx_host
from emulator.state.mailgun import MailgunAccount, MailgunCredential, MailgunDomain, MailgunKey
from emulator.state.policies import AuthenticationPolicy, Group, Policies
from emulator.state.replicated import Replicated
from emulator.state.rolling import DAY, Rolling
from emulator.state.sendgrid import SendGridAccount, SendGridDomain, SendGridKey
from emulator.state.sign_in import DeviceCode, RefreshToken, User
from emulator.state.sign_in_log import SignIn
from emulator.state.smtp2go import Smtp2GoAccount, Smtp2GoDomain, Smtp2GoKey, Smtp2GoUser
from emulator.state.state import State
from emulator.state.tenant import Tenant
from emulator.state.windows import RegistryValue, WindowsEvent, WindowsHost, WindowsUser, WinRm
from emulator.state.windows_services import FirewallRule, WindowsCertificate, WindowsService

__all__ = [
    "DAY",
    "NEW_MX_SUFFIX",
    "AddressList",
    "AppRoleAssignment",
    "Application",
    "AuthenticationPolicy",
    "BillingPolicy",
    "Certificate",
    "DelegatedGrant",
    "DeletedItem",
    "DeviceCode",
    "Dns",
    "DnsKey",
    "DnsRecord",
    "EnterpriseApplication",
    "ExchangeServicePrincipal",
    "FederatedCredential",
    "FirewallRule",
    "Group",
    "HMailElement",
    "HMailServer",
    "HveAccount",
    "InboundConnector",
    "Licence",
    "Mailbox",
    "MailboxGrant",
    "MailgunAccount",
    "MailgunCredential",
    "MailgunDomain",
    "MailgunKey",
    "Message",
    "Policies",
    "QueuedMail",
    "RefreshToken",
    "RegistryValue",
    "Replicated",
    "Rolling",
    "Secret",
    "SendGridAccount",
    "SendGridDomain",
    "SendGridKey",
    "SignIn",
    "Smtp2GoAccount",
    "Smtp2GoDomain",
    "Smtp2GoKey",
    "Smtp2GoUser",
    "SmtpVirtualServer",
    "State",
    "Tenant",
    "User",
    "WinRm",
    "WindowsCertificate",
    "WindowsEvent",
    "WindowsHost",
    "WindowsService",
    "WindowsUser",
    "derived_sid",
    "external_recipients_a_day",
    "has_premium",
    "mx_host",
    "new_guid",
]
