"""Mailboxes: Get-/Set-CASMailbox, Get-Mailbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged, update
from emulator.exchange.errors import ExchangeError, invalid, object_not_found
from emulator.exchange.shapes import directory_object, template
from emulator.state import Mailbox, Tenant

ADMIN_GROUP = "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"


def find_mailbox(tenant: Tenant, name: str, error: Callable[[str], ExchangeError]) -> Mailbox:
    found = tenant.mailbox(name)
    if found is None:
        raise error(name)
    return found


def _cas_not_found(name: str) -> ExchangeError:
    return object_not_found(name, "Ex94914C")


def _common(tenant: Tenant, mailbox: Mailbox) -> Document:
    """What Get-CASMailbox and Get-Mailbox show alike."""
    addresses = [f"SMTP:{mailbox.address}", *(f"smtp:{alias}" for alias in mailbox.aliases)]
    return directory_object(tenant, mailbox.name, mailbox.guid, "user") | {
        "DisplayName": mailbox.display_name,
        "EmailAddresses": addresses,
        "ExternalDirectoryObjectId": mailbox.user_id,
        "LegacyExchangeDN": f"{ADMIN_GROUP}/cn=Recipients/cn={mailbox.guid.replace('-', '')}-{mailbox.name}",
        "PrimarySmtpAddress": mailbox.address,
        "SamAccountName": mailbox.name,
    }


def _cas_mailbox(tenant: Tenant, mailbox: Mailbox) -> Document:
    return (
        template("CASMailbox")
        | _common(tenant, mailbox)
        | {"ServerLegacyDN": f"{ADMIN_GROUP}/cn=Configuration/cn=Servers/cn=DB8PR01MB0001"}
        | mailbox.cas_properties
        | {"SmtpClientAuthenticationDisabled": mailbox.smtp_client_authentication_disabled}
    )


@cmdlet("Get-CASMailbox")
def get_cas_mailbox(command: Command) -> Result:
    tenant = command.tenant
    return command.listed(_found(command, _cas_not_found), lambda mailbox: _cas_mailbox(tenant, mailbox))


def _found(command: Command, error: Callable[[str], ExchangeError]) -> Sequence[Mailbox]:
    """The mailboxes that Identity, Anr or RecipientTypeDetails name."""
    if command.parameters.get("Filter"):
        raise invalid(
            f'Invalid filter syntax. For a description of the filter parameter syntax see the command help. "{command.text("Filter")}"'
        )
    wanted = command.text("Identity")
    if wanted is not None:
        return [find_mailbox(command.tenant, wanted, error)]
    found = list(command.tenant.mailboxes.values())
    if "RecipientTypeDetails" in command.parameters:
        kinds = command.multi_value("RecipientTypeDetails").apply([])
        found = [mailbox for mailbox in found if mailbox.kind in kinds]
    beginning = (command.text("Anr") or "").lower()
    if beginning:
        found = [m for m in found if m.address.startswith(beginning) or m.display_name.lower().startswith(beginning)]
    return found


@cmdlet("Set-CASMailbox")
def set_cas_mailbox(command: Command) -> Result:
    tenant, wanted = command.tenant, command.writes()
    mailbox = find_mailbox(tenant, command.text("Identity") or "", _cas_not_found)
    changed = False
    if "SmtpClientAuthenticationDisabled" in wanted:
        switch = wanted.pop("SmtpClientAuthenticationDisabled")
        if switch is not mailbox.smtp_client_authentication_disabled:
            mailbox.set_later("smtp_client_authentication_disabled", switch, command.platform.after("smtp_switch"))
            changed = True
    changed = update(mailbox.cas_properties, _cas_mailbox(tenant, mailbox), wanted) or changed
    return Result(warnings=[] if changed else [unchanged(mailbox.name)])


def _mailbox(tenant: Tenant, mailbox: Mailbox) -> Document:
    no_sign_in = mailbox.kind != "UserMailbox" and mailbox.password is None
    return (
        template("Mailbox")
        | _common(tenant, mailbox)
        | {
            "Alias": mailbox.name,
            "UserPrincipalName": mailbox.address,
            "WindowsEmailAddress": mailbox.address,
            "MicrosoftOnlineServicesID": mailbox.address,
            "WindowsLiveID": mailbox.address,
            "ExchangeGuid": mailbox.guid,
            "RecipientType": "UserMailbox",
            "RecipientTypeDetails": mailbox.kind,
            "IsShared": mailbox.kind == "SharedMailbox",
            "AccountDisabled": no_sign_in,
        }
    )


@cmdlet("Get-Mailbox")
def get_mailbox(command: Command) -> Result:
    tenant = command.tenant
    return command.listed(_found(command, object_not_found), lambda mailbox: _mailbox(tenant, mailbox))
