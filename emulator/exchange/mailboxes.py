"""Mailboxes: Get-/Set-CASMailbox, Get-/New-/Set-/Remove-Mailbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from emulator.exchange import on_behalf
from emulator.exchange.binding import MultiValue
from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged, update
from emulator.exchange.errors import ExchangeError, already_exists, invalid, object_not_found
from emulator.exchange.shapes import directory_object, template
from emulator.state import HveAccount, Mailbox, Tenant, derived_sid, new_guid

ADMIN_GROUP = "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
ALIAS = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}(?<!\.)")
# Supported parameters of New-Mailbox and Set-Mailbox; others are refused, not ignored.
NEW = {"Name", "Shared", "Alias", "DisplayName", "PrimarySmtpAddress"}
SET = {
    "DisplayName",
    "EmailAddresses",
    "GrantSendOnBehalfTo",
    "MessageCopyForSentAsEnabled",
    "MessageCopyForSendOnBehalfEnabled",
    "RecipientLimits",
}


def find_mailbox(tenant: Tenant, name: str, error: Callable[[str], ExchangeError]) -> Mailbox:
    result = tenant.mailbox(name)
    if result is None:
        raise error(name)
    return result


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
    return command.listed(_mailboxes(command, _cas_not_found), lambda mailbox: _cas_mailbox(tenant, mailbox))


def _mailboxes(command: Command, error: Callable[[str], ExchangeError]) -> Sequence[Mailbox]:
    """The mailboxes that Identity, Anr or RecipientTypeDetails name."""
    if command.parameters.get("Filter"):
        raise invalid(
            f'Invalid filter syntax. For a description of the filter parameter syntax see the command help. "{command.text("Filter")}"'
        )
    requested = command.text("Identity")
    if requested is not None:
        return [find_mailbox(command.tenant, requested, error)]
    matches = list(command.tenant.mailboxes.values())
    if "RecipientTypeDetails" in command.parameters:
        kinds = command.multi_value("RecipientTypeDetails").apply([])
        matches = [mailbox for mailbox in matches if mailbox.kind in kinds]
    beginning = (command.text("Anr") or "").lower()
    if beginning:
        matches = [m for m in matches if m.address.startswith(beginning) or m.display_name.lower().startswith(beginning)]
    return matches


@cmdlet("Set-CASMailbox")
def set_cas_mailbox(command: Command) -> Result:
    tenant, requested = command.tenant, command.writes()
    mailbox = find_mailbox(tenant, command.text("Identity") or "", _cas_not_found)
    changed = False
    if "SmtpClientAuthenticationDisabled" in requested:
        switch = requested.pop("SmtpClientAuthenticationDisabled")
        if switch is not mailbox.smtp_client_authentication_disabled:
            mailbox.set_later("smtp_client_authentication_disabled", switch, command.platform.after("smtp_switch"))
            changed = True
    changed = update(mailbox.cas_properties, _cas_mailbox(tenant, mailbox), requested) or changed
    return Result(warnings=[] if changed else [unchanged(mailbox.name)])


def _mailbox(tenant: Tenant, mailbox: Mailbox) -> Document:
    no_sign_in = mailbox.kind != "UserMailbox" and mailbox.password is None
    return (
        template("Mailbox")
        | mailbox.properties
        | _common(tenant, mailbox)
        | {
            "Alias": mailbox.name,
            "UserPrincipalName": mailbox.principal_name,
            "WindowsEmailAddress": mailbox.address,
            "MicrosoftOnlineServicesID": mailbox.principal_name,
            "WindowsLiveID": mailbox.principal_name,
            "ExchangeGuid": mailbox.guid,
            "RecipientType": "UserMailbox",
            "RecipientTypeDetails": mailbox.kind,
            "IsShared": mailbox.kind == "SharedMailbox",
            "AccountDisabled": no_sign_in,
            "GrantSendOnBehalfTo": on_behalf.names(tenant, mailbox),
        }
    )


@cmdlet("Get-Mailbox")
def get_mailbox(command: Command) -> Result:
    tenant = command.tenant
    return command.listed(_mailboxes(command, object_not_found), lambda mailbox: _mailbox(tenant, mailbox))


@cmdlet("New-Mailbox")
def new_mailbox(command: Command) -> Result:
    """A shared mailbox; it is there at once and inherits the organization's SMTP AUTH."""
    tenant, name = command.tenant, command.text("Name") or ""
    _only(command, NEW)
    if not command.parameters.get("Shared"):
        raise invalid("Only shared mailboxes can be created here.")
    alias = command.text("Alias") or name
    if not 1 <= len(name.strip()) <= 64:
        raise invalid("The mailbox's name must have 1 to 64 characters.")
    if not ALIAS.fullmatch(alias):
        raise invalid(f"The alias '{alias}' isn't valid.")
    address = (command.text("PrimarySmtpAddress") or f"{alias}@{tenant.default_domain}").lower()
    refuse_taken(tenant, name, alias, address)
    mailbox = Mailbox(
        address=address,
        guid=new_guid(),
        name=name,
        display_name=command.text("DisplayName") or name,
        kind="SharedMailbox",
        sid=derived_sid(tenant.id, address),
    )
    tenant.add_mailbox(mailbox)
    return Result([mailbox], lambda one: _mailbox(tenant, one))


def proxy_addresses(tenant: Tenant, recipient: Mailbox | HveAccount, entries: MultiValue) -> tuple[str, list[str]]:
    """The primary and the other SMTP addresses that EmailAddresses gives a recipient ("Set-Mailbox", EmailAddresses).

    An entry is a type and an address: SMTP is the primary address, of which there is exactly one, and smtp another one.
    """
    current = [f"SMTP:{recipient.address}", *(f"smtp:{alias}" for alias in recipient.aliases)]
    listed = [str(entry) if ":" in str(entry) else f"smtp:{entry}" for entry in entries.apply(list(current))]
    smtp = [entry for entry in listed if entry.lower().startswith("smtp:")]
    primary = [entry[5:].lower() for entry in smtp if entry.startswith("SMTP:")]
    others = [entry[5:].lower() for entry in smtp if not entry.startswith("SMTP:")]
    if len(primary) != 1:
        number = "multiple primary SMTP addresses" if primary else "no primary SMTP address"
        raise invalid(f"The EmailAddresses property of '{recipient.name}' holds {number}; it must hold exactly one.")
    every = [*primary, *others]
    if len(set(every)) < len(every):
        raise invalid(f"The EmailAddresses property of '{recipient.name}' holds an address twice.")
    for address in every:
        if address not in (recipient.address, *recipient.aliases):
            refuse_address(tenant, address, recipient)
    return primary[0], others


def refuse_address(tenant: Tenant, address: str, owner: Mailbox | HveAccount | None = None) -> None:
    """The address must be in an accepted domain and unique among all recipients."""
    local, _, domain = address.rpartition("@")
    if not local or domain not in tenant.accepted_domains:
        raise invalid(f"The domain '{domain}' isn't an accepted domain of the organization '{tenant.initial_domain}'.")
    holder = next((one for one in _recipients(tenant) if one is not owner and address in (one.address, *one.aliases)), None)
    if holder:
        raise already_exists(f"The proxy address 'SMTP:{address}' is already being used by '{holder.name}'. Choose another proxy address.")


def _recipients(tenant: Tenant) -> list[Mailbox | HveAccount]:
    return [*tenant.mailboxes.values(), *tenant.hve_accounts.values()]


def refuse_taken(tenant: Tenant, name: str, alias: str, address: str) -> None:
    """The address must be in an accepted domain; address, name and alias must be unique among all recipients (name serves as both)."""
    refuse_address(tenant, address)
    recipients = _recipients(tenant)
    names = {one.name.lower() for one in recipients}
    if name.lower() in names:
        raise already_exists(f"The name '{name}' is already being used. Please try another name.")
    if alias.lower() in names:
        raise already_exists(f"The alias '{alias}' is already being used. Please try another alias.")


@cmdlet("Set-Mailbox")
def set_mailbox(command: Command) -> Result:
    tenant, requested = command.tenant, command.writes()
    _only(command, SET)
    mailbox = find_mailbox(tenant, command.text("Identity") or "", object_not_found)
    if "RecipientLimits" in requested:
        requested["RecipientLimits"] = _recipient_limits(requested["RecipientLimits"])
    title = requested.pop("DisplayName", mailbox.display_name)
    if not title:
        raise invalid("The display name can't be empty.")
    changed = title != mailbox.display_name
    delegates = requested.pop("GrantSendOnBehalfTo", None)
    if isinstance(delegates, MultiValue):
        changed = on_behalf.change(tenant, mailbox, delegates, command.platform.after("mailbox_grant")) or changed
    entries = requested.pop("EmailAddresses", None)
    if isinstance(entries, MultiValue):
        changed = _set_addresses(tenant, mailbox, entries) or changed
    mailbox.display_name = title
    changed = update(mailbox.properties, _mailbox(tenant, mailbox), requested) or changed
    tenant.add_mailbox(mailbox)
    return Result(warnings=[] if changed else [unchanged(mailbox.name)])


def _set_addresses(tenant: Tenant, mailbox: Mailbox, entries: MultiValue) -> bool:
    """The mailbox has these addresses; its user principal name stays."""
    primary, aliases = proxy_addresses(tenant, mailbox, entries)
    if (primary, aliases) == (mailbox.address, mailbox.aliases):
        return False
    del tenant.mailboxes[mailbox.address]
    if primary != mailbox.address:
        mailbox.upn = mailbox.principal_name
    mailbox.address, mailbox.aliases = primary, aliases
    tenant.mailboxes[primary] = mailbox
    tenant.reindex()
    return True


def _recipient_limits(value: object) -> str:
    """Recipients a message: 1 to 1000 ("Customizable Recipient Limits in Exchange Online"); it reads back as text."""
    if not isinstance(value, int) or not 1 <= value <= 1000:
        raise invalid(f"The value '{value}' isn't valid for RecipientLimits. It must be 1 to 1000.")
    return str(value)


@cmdlet("Remove-Mailbox")
def remove_mailbox(command: Command) -> Result:
    tenant = command.tenant
    mailbox = find_mailbox(tenant, command.text("Identity") or "", object_not_found)
    del tenant.mailboxes[mailbox.address]
    tenant.reindex()
    return Result()


def _only(command: Command, played: set[str]) -> None:
    others = sorted(command.writes().keys() - played)
    if others:
        raise invalid(f"{command.name} is not played with {', '.join(others)}.")
