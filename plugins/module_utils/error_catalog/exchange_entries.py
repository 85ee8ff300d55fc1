# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known errors of the Exchange admin API."""

from __future__ import annotations

from .entry import ErrorEntry

_EXO = "Exchange Online PowerShell module (its REST answers)"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "exchange-no-app-role", "exchange", "Unauthorized", "Exchange refused the token: the automation app lacks Exchange.ManageAsApp",
        "Let a Global Administrator or Privileged Role Administrator add the application permission Exchange.ManageAsApp of Office 365 "
        "Exchange Online and grant admin consent (Entra admin center: App registrations, API permissions).",
        source="App-only authentication for unattended scripts in Exchange Online PowerShell",
        variables=("automation_access_permissions",),
        sample="HTTP 401 Unauthorized from /adminapi/beta/<tenant>/InvokeCommand"),
    ErrorEntry(
        "exchange-no-role", "exchange", "Forbidden",
        "the automation app has no Exchange role for this command: it needs the Entra role Exchange Administrator "
        "or an Exchange role group",
        "Let a Privileged Role Administrator assign the role to the enterprise application (Entra admin center: Roles and administrators). "
        "If it has the role, the role group Organization Management may have lost management roles.",
        source="App-only authentication for unattended scripts in Exchange Online PowerShell",
        variables=("automation_access_directory_roles", "automation_access_role_groups"),
        sample="HTTP 403 Forbidden from /adminapi/beta/<tenant>/InvokeCommand"),
    ErrorEntry(
        "object-not-found", "exchange", "ManagementObjectNotFoundException", "there is no such object in Exchange",
        "Check its name. A new object may not be replicated yet.", source=_EXO,
        sample="Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because"
               " object '<name>' couldn't be found on '<server>'."),
    ErrorEntry(
        "object-exists", "exchange", "ADObjectAlreadyExistsException", "an object with this name or address exists already",
        "Choose another name, or run the task again: the module finds the object.", exists=True, source=_EXO,
        sample="|Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException|An object with that name already exists."),
    ErrorEntry(
        "address-taken", "exchange", "ProxyAddressExistsException", "another recipient has this address",
        "Choose another address, or remove it from the other recipient.", source=_EXO,
        sample='|Microsoft.Exchange.Data.Directory.ProxyAddressExistsException|The proxy address "SMTP:<address>" is already being used by "<name>".'),
    ErrorEntry(
        "object-exists", "exchange", "", "an object with this name or address exists already",
        "Choose another name, or run the task again: the module finds the object.", text=r"already exist", exists=True, source=_EXO,
        sample="|Microsoft.Exchange.Configuration.Tasks.RecipientTaskException|The service principal with AppId '<app>' already exists."),
    ErrorEntry(
        "dehydrated", "exchange", "InvalidOperationInDehydratedContextException",
        "the organization still has Microsoft's default configuration, which cannot be changed",
        "Run the task again after an hour: the module has run Enable-OrganizationCustomization where the command requires it, which takes "
        "effect later.", transient=True, source=_EXO,
        sample="|Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException|The command you tried to run isn't "
               "currently allowed in your organization. To run this command, you first need to run the command: "
               "Enable-OrganizationCustomization."),
    ErrorEntry(
        "delegating-role", "exchange", "",
        "the customization of the organization was enabled minutes ago and is not effective for management roles yet",
        "Run the task again after an hour.", text=r"(?i)must be assigned a delegating role assignment", transient=True,
        source="Enable-OrganizationCustomization; observed",
        sample="|Microsoft.Exchange.Configuration.Tasks.InvalidOperationException|You must be assigned a delegating role assignment to the "
               "management role or its parent in the hierarchy without a scope restriction."),
    ErrorEntry(
        "certificate-name", "exchange", "", "Exchange does not accept the certificate name of the connector",
        "Give the name that the host's certificate has as its subject or in its subjectAltName, such as relay.contoso.com or *.contoso.com "
        "(certificate_name of the sender or relay host, or tls_sender_certificate_name of the connector): a wildcard is allowed as the "
        "first label only. Or give the whole certificate as <I>issuer<S>subject.",
        text=r"(?i)certificate ?name\b.{0,300}(isn't|is not) (a )?valid|\.TlsCertificate\b", source="New-InboundConnector",
        variables=("m365_senders", "inbound_connector_connectors", "relay_certificate_name"),
        sample="|Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException|Cannot process argument transformation on parameter "
               "'TlsSenderCertificateName'. Cannot convert value \"<name>\" to type \"Microsoft.Exchange.Data.TlsCertificate\"."),
    ErrorEntry(
        "wrong-parameters", "exchange", "AmbiguousParameterSetException", "Exchange does not accept these parameters together",
        "Report this as a bug of the collection: this tenant's Exchange does not support the command.", source=_EXO,
        sample="|Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException|Parameter set cannot be resolved using the "
               "specified named parameters."),
    ErrorEntry(
        "wrong-value", "exchange", "ParameterTransformationException", "Exchange does not accept this value",
        "Correct the value in the message.", source=_EXO,
        sample="|Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException|Cannot process argument transformation on "
               "parameter '<parameter>'. Cannot convert value \"<value>\" to type \"<type>\"."),
    ErrorEntry(
        "exchange-busy", "exchange", "", "Exchange is busy with other requests for this tenant", "Try again later.",
        text=r"(?i)maximum number of concurrent requests|throttl|server.{0,20}busy|temporarily unavailable|try again (later|in )",
        transient=True, source=_EXO,
        sample="You have reached the maximum number of concurrent requests per tenant. Please wait and try again"),
    ErrorEntry(
        "expired-page", "exchange", "", "the link to the list's next page has expired", "Run the task again.",
        text=r"Expired or Invalid pagination request", transient=True, source=_EXO,
        sample="Expired or Invalid pagination request. Default Expiry time is 00:30:00"),
    ErrorEntry(
        "connector-disabled", "exchange", "ConnectorDisabledByOffer",
        "Exchange created the connector disabled, because this subscription may not enable inbound connectors",
        "Ask Microsoft support to enable it (trial, developer and new tenants), or send with OAuth.",
        source="New-InboundConnector",
        variables=("m365_trial",),
        sample="Inbound connector for this service offering is created in a disabled state. Contact Support to enable it."),
)
# fmt: on
