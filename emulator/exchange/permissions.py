"""Rights on mailboxes: Get-/Add-/Remove-MailboxPermission and -RecipientPermission.

What reads back is not what was written: a service principal shows as its SID, rights are joined by commas, and
NT AUTHORITY\\SELF always has an entry.
"""

from __future__ import annotations

from emulator.exchange import on_behalf
from emulator.exchange.command import Command, Document, Result, cmdlet
from emulator.exchange.errors import TASKS, ExchangeError, invalid, mailbox_not_found, recipient_not_found, transformation_error
from emulator.exchange.mailboxes import find_mailbox
from emulator.exchange.shapes import distinguished_name
from emulator.state import Mailbox, MailboxGrant, Tenant

SELF_NAME, SELF_SID = "NT AUTHORITY\\SELF", "S-1-5-10"
SEND_AS = "SendAs"
# Rights that are no mailbox permissions.
APART = {SEND_AS, on_behalf.RIGHT}
Entry = tuple[Mailbox, str, str]  # mailbox, SID, rights joined by commas


def _trustee(tenant: Tenant, name: str) -> str:
    sid = tenant.trustee_sid(name)
    if sid is None:
        text = f"User or group \"{name}\" wasn't found. Please make sure you've typed it correctly."
        raise ExchangeError(404, f"{TASKS}.ManagementObjectNotFoundException", text, "Ex6F9304")
    return sid


def _name(tenant: Tenant, sid: str) -> str:
    """A mailbox shows as its user principal name, everybody else as the SID."""
    if sid == SELF_SID:
        return SELF_NAME
    mailbox = tenant.mailbox(sid)
    return mailbox.address if mailbox else sid


def _entries(mailbox: Mailbox, *, send_as: bool) -> list[Entry]:
    own = SEND_AS if send_as else "FullAccess, ReadPermission"
    rights: dict[str, list[str]] = {SELF_SID: [own]}
    for grant in mailbox.grants:
        if grant.right == SEND_AS if send_as else grant.right not in APART:
            rights.setdefault(grant.sid, []).append(grant.right)
    return [(mailbox, sid, ", ".join(names)) for sid, names in rights.items()]


def _mailbox_entry(tenant: Tenant, entry: Entry) -> Document:
    mailbox, sid, rights = entry
    user = tenant.mailbox(sid)
    return {
        "Identity": mailbox.name,
        "User": _name(tenant, sid),
        "UserSid": sid,
        "AccessRights": [rights],
        "IsInherited": False,
        "Deny": False,
        "InheritanceType": "All",
        "PrimarySmtpAddress": user.address if user else "",
    }


@cmdlet("Get-MailboxPermission")
def get_mailbox_permission(command: Command) -> Result:
    tenant = command.tenant
    mailbox = find_mailbox(tenant, command.text("Identity") or "", mailbox_not_found)
    entries = _entries(mailbox, send_as=False)
    user = command.text("User")
    if user is not None:
        sid = SELF_SID if user.upper() == SELF_NAME else _trustee(tenant, user)
        entries = [entry for entry in entries if entry[1] == sid]
    return command.listed(entries, lambda entry: _mailbox_entry(tenant, entry))


def _rights(command: Command) -> list[str]:
    result = command.multi_value("AccessRights").apply([])
    if not result:
        raise invalid("The AccessRights parameter can't be empty.")
    return result


@cmdlet("Add-MailboxPermission")
def add_mailbox_permission(command: Command) -> Result:
    tenant = command.tenant
    mailbox = find_mailbox(tenant, command.text("Identity") or "", mailbox_not_found)
    if "Owner" in command.parameters or command.parameters.get("Deny"):
        raise invalid("This emulator grants rights to users only: no owners, no Deny entries.")
    sid = _trustee(tenant, command.text("User") or "")
    warnings = _add(command, mailbox, sid, _rights(command))
    entry = next(e for e in _entries(mailbox, send_as=False) if e[1] == sid)
    return Result([entry], lambda one: _mailbox_entry(tenant, one), warnings)


def _add(command: Command, mailbox: Mailbox, sid: str, rights: list[str]) -> list[str]:
    """Grant what is missing; a warning where nothing was."""
    held = {grant.right for grant in mailbox.grants if grant.sid == sid}
    missing = [right for right in dict.fromkeys(rights) if right not in held]
    effective_from = command.platform.after("mailbox_grant")
    mailbox.grants += [MailboxGrant(right, sid, effective_from) for right in missing]
    if missing:
        return []
    name = distinguished_name(command.tenant, mailbox.name)
    return [f'The appropriate access control entry is already present on the object "{name}" for account "{sid}".']


@cmdlet("Remove-MailboxPermission")
def remove_mailbox_permission(command: Command) -> Result:
    tenant = command.tenant
    mailbox = find_mailbox(tenant, command.text("Identity") or "", mailbox_not_found)
    if command.parameters.get("ResetDefault"):
        mailbox.grants = [grant for grant in mailbox.grants if grant.right in APART]
        return Result()
    if "User" not in command.parameters:
        return Result()
    sid = _trustee(tenant, command.text("User") or "")
    if _remove(mailbox, sid, set(_rights(command))):
        return Result()
    name = distinguished_name(tenant, mailbox.name)
    text = (
        f"Can't remove the access control entry on the object \"{name}\" for the user account because the ACE doesn't exist on the object."
    )
    return Result(warnings=[text])


def _remove(mailbox: Mailbox, sid: str, rights: set[str]) -> bool:
    left = [grant for grant in mailbox.grants if grant.sid != sid or grant.right not in rights]
    removed = len(left) < len(mailbox.grants)
    mailbox.grants = left
    return removed


def _recipient_entry(tenant: Tenant, entry: Entry, *, with_address: bool = False) -> Document:
    mailbox, sid, rights = entry
    result = {
        "Identity": mailbox.name,
        "Trustee": _name(tenant, sid),
        "AccessControlType": "Allow",
        "AccessRights": [rights],
        "IsInherited": False,
        "InheritanceType": "None",
        "TrusteeSidString": sid,
    }
    user = tenant.mailbox(sid)
    return result | ({"TrusteeWithPrimarySmtpAddress": user.address if user else ""} if with_address else {})


@cmdlet("Get-RecipientPermission")
def get_recipient_permission(command: Command) -> Result:
    tenant, identity, trustee = command.tenant, command.text("Identity"), command.text("Trustee")
    mailboxes = list(tenant.mailboxes.values()) if identity is None else [find_mailbox(tenant, identity, recipient_not_found)]
    entries = [entry for mailbox in mailboxes for entry in _entries(mailbox, send_as=True)]
    if trustee is not None:
        sid = SELF_SID if trustee.upper() == SELF_NAME else _trustee(tenant, trustee)
        entries = [entry for entry in entries if entry[1] == sid]
    with_address = bool(command.parameters.get("IncludeTrusteeWithPrimarySmtpAddress"))
    return command.listed(entries, lambda entry: _recipient_entry(tenant, entry, with_address=with_address))


def _send_as_only(command: Command) -> None:
    for right in _rights(command):
        if right.lower() != SEND_AS.lower():
            reason = (
                f"Unable to match the identifier name {right} to a valid enumerator name. Specify one of the following "
                f"enumerator names and try again: {SEND_AS}"
            )
            raise transformation_error("AccessRights", right, "RecipientAccessRight", reason)


@cmdlet("Add-RecipientPermission")
def add_recipient_permission(command: Command) -> Result:
    tenant = command.tenant
    mailbox = find_mailbox(tenant, command.text("Identity") or "", recipient_not_found)
    _send_as_only(command)
    sid = _trustee(tenant, command.text("Trustee") or "")
    warnings = _add(command, mailbox, sid, [SEND_AS])
    return Result([(mailbox, sid, SEND_AS)], lambda entry: _recipient_entry(tenant, entry), warnings)


@cmdlet("Remove-RecipientPermission")
def remove_recipient_permission(command: Command) -> Result:
    tenant = command.tenant
    mailbox = find_mailbox(tenant, command.text("Identity") or "", recipient_not_found)
    _send_as_only(command)
    sid = _trustee(tenant, command.text("Trustee") or "")
    if _remove(mailbox, sid, {SEND_AS}):
        return Result()
    name = distinguished_name(tenant, mailbox.name)
    text = f'Can\'t remove the access control entry on the object "{name}" for account "{sid}" because the ACE isn\'t present.'
    return Result(warnings=[text])
