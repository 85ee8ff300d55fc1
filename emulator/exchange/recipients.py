"""Get-Recipient: mailboxes, by identity or by a filter."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.exchange.command import Command, Document, Result, cmdlet
from emulator.exchange.errors import invalid, recipient_not_found
from emulator.exchange.mailboxes import find_mailbox
from emulator.exchange.shapes import directory_object
from emulator.state import Mailbox, Tenant
from emulator.state.recipient_filter import FilterError, parse


def _mailboxes(command: Command) -> Sequence[Mailbox]:
    tenant, identity, requested = command.tenant, command.text("Identity"), command.text("Filter")
    if identity is not None:
        return [find_mailbox(tenant, identity, recipient_not_found)]
    matches = list(tenant.mailboxes.values())
    if "RecipientTypeDetails" in command.parameters:
        kinds = command.multi_value("RecipientTypeDetails").apply([])
        matches = [mailbox for mailbox in matches if mailbox.kind in kinds]
    if not requested:
        return matches
    try:
        asked = parse(requested)
    except FilterError as error:
        raise invalid(f"Invalid filter syntax: {error}. For a description of the filter parameter syntax see the command help.") from None
    return [mailbox for mailbox in matches if asked.matches(mailbox)]


def _recipient(tenant: Tenant, mailbox: Mailbox) -> Document:
    return directory_object(tenant, mailbox.name, mailbox.guid, "user") | {
        "Alias": mailbox.name,
        "DisplayName": mailbox.display_name,
        "EmailAddresses": [f"SMTP:{mailbox.address}", *(f"smtp:{alias}" for alias in mailbox.aliases)],
        "ExternalDirectoryObjectId": mailbox.user_id,
        "PrimarySmtpAddress": mailbox.address,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": mailbox.kind,
    }


@cmdlet("Get-Recipient")
def get_recipient(command: Command) -> Result:
    tenant = command.tenant
    return command.listed(_mailboxes(command), lambda mailbox: _recipient(tenant, mailbox))
