"""Get-Recipient: mailboxes and High Volume Email accounts, by identity or by a filter."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.exchange.command import Command, Document, Result, cmdlet
from emulator.exchange.errors import invalid
from emulator.exchange.hve import find_account
from emulator.exchange.shapes import directory_object
from emulator.state import HveAccount, Mailbox, Tenant
from emulator.state.recipient_filter import FilterError, parse


def _recipients(command: Command) -> Sequence[Mailbox | HveAccount]:
    tenant, identity, requested = command.tenant, command.text("Identity"), command.text("Filter")
    if identity is not None:
        mailbox = tenant.mailbox(identity)
        return [mailbox or find_account(tenant, identity)]
    matches: list[Mailbox | HveAccount] = [*tenant.mailboxes.values(), *tenant.hve_accounts.values()]
    if "RecipientTypeDetails" in command.parameters:
        kinds = command.multi_value("RecipientTypeDetails").apply([])
        matches = [recipient for recipient in matches if recipient.kind in kinds]
    if not requested:
        return matches
    try:
        asked = parse(requested)
    except FilterError as error:
        raise invalid(f"Invalid filter syntax: {error}. For a description of the filter parameter syntax see the command help.") from None
    return [recipient for recipient in matches if asked.matches(recipient)]


def _recipient(tenant: Tenant, recipient: Mailbox | HveAccount) -> Document:
    return directory_object(tenant, recipient.name, recipient.guid, "user") | {
        "Alias": recipient.name,
        "DisplayName": recipient.display_name,
        "EmailAddresses": [f"SMTP:{recipient.address}", *(f"smtp:{alias}" for alias in recipient.aliases)],
        "ExternalDirectoryObjectId": recipient.user_id,
        "PrimarySmtpAddress": recipient.address,
        "RecipientType": recipient.recipient_type,
        "RecipientTypeDetails": recipient.kind,
    }


@cmdlet("Get-Recipient")
def get_recipient(command: Command) -> Result:
    tenant = command.tenant
    return command.listed(_recipients(command), lambda recipient: _recipient(tenant, recipient))
