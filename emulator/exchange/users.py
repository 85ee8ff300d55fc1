"""Users: Get-User and Set-User, as far as authentication policies need them.

A user is named by its user principal name, its name or an id; the other addresses of its mailbox do not name it. Filter takes
comparisons with -eq and -ne joined by -and ("Filterable properties for the Filter parameter").
"""

from __future__ import annotations

import re
from collections.abc import Callable

from emulator.exchange.authentication_policies import find_policy
from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged
from emulator.exchange.errors import invalid, object_not_found
from emulator.exchange.shapes import directory_object, distinguished_name
from emulator.state import Mailbox, Tenant

SET = {"AuthenticationPolicy", "DisplayName", "StsRefreshTokensValidFrom"}
FILTERABLE = {
    name.lower(): name
    for name in ("AuthenticationPolicy", "DisplayName", "Name", "RecipientTypeDetails", "UserPrincipalName", "WindowsEmailAddress")
}
COMPARISON = re.compile(r"""\s*\(?\s*(\w+)\s+-(eq|ne)\s+('(?:[^']|'')*'|"[^"]*"|\$null)\s*\)?\s*""", re.IGNORECASE)


def _user(tenant: Tenant, mailbox: Mailbox) -> Document:
    policy = tenant.policies.authentication.get(mailbox.authentication_policy or "")
    return directory_object(tenant, mailbox.name, mailbox.guid, "user") | {
        "SamAccountName": mailbox.name,
        "Sid": mailbox.sid,
        "UserPrincipalName": mailbox.principal_name,
        "WindowsLiveID": mailbox.principal_name,
        "MicrosoftOnlineServicesID": mailbox.principal_name,
        "WindowsEmailAddress": mailbox.address,
        "DisplayName": mailbox.display_name,
        "ExternalDirectoryObjectId": mailbox.user_id,
        "AccountDisabled": mailbox.password is None,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": mailbox.kind,
        "AuthenticationPolicy": distinguished_name(tenant, policy.name) if policy else None,
        "StsRefreshTokensValidFrom": None,
    }


def _find(tenant: Tenant, name: str) -> Mailbox:
    result = tenant.mailbox(name)
    if result is None or (name.lower() in result.aliases and name.lower() != result.principal_name):
        raise object_not_found(name)
    return result


@cmdlet("Get-User")
def get_user(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    matches = list(tenant.mailboxes.values()) if requested is None else [_find(tenant, requested)]
    if "RecipientTypeDetails" in command.parameters:
        kinds = command.multi_value("RecipientTypeDetails").apply([])
        matches = [mailbox for mailbox in matches if mailbox.kind in kinds]
    beginning = (command.text("Anr") or "").lower()
    matches = [m for m in matches if m.address.startswith(beginning) or m.display_name.lower().startswith(beginning)]
    test = _filter(command.text("Filter") or "")
    return command.listed([m for m in matches if test(_user(tenant, m))], lambda mailbox: _user(tenant, mailbox))


def _filter(text: str) -> Callable[[Document], bool]:
    tests: list[tuple[str, bool, str | None]] = []
    for part in re.split(r"\s-and\s", text, flags=re.IGNORECASE) if text.strip() else ():
        match = COMPARISON.fullmatch(part)
        name = FILTERABLE.get(match[1].lower()) if match else None
        if match is None or name is None:
            raise invalid(f'Invalid filter syntax. For a description of the filter parameter syntax see the command help. "{text}"')
        value = None if match[3].lower() == "$null" else match[3][1:-1].replace("''", "'").lower()
        tests.append((name, match[2].lower() == "eq", value))

    def fits(document: Document) -> bool:
        listed = {name: None if document[name] is None else str(document[name]).lower() for name, _equal, _value in tests}
        return all((listed[name] == value) is equal for name, equal, value in tests)

    return fits


@cmdlet("Set-User")
def set_user(command: Command) -> Result:
    tenant, requested = command.tenant, command.writes()
    others = sorted(requested.keys() - SET)
    if others:
        raise invalid(f"Set-User is not played with {', '.join(others)}.")
    mailbox = _find(tenant, command.text("Identity") or "")
    changed = "StsRefreshTokensValidFrom" in requested
    if "AuthenticationPolicy" in requested:
        name = requested["AuthenticationPolicy"]
        key = find_policy(tenant, name).name.lower() if name else None
        if key != mailbox.authentication_policy:
            mailbox.set_later("authentication_policy", key, command.platform.after("authentication_policy"))
            changed = True
    title = requested.get("DisplayName") or mailbox.display_name
    changed = changed or title != mailbox.display_name
    mailbox.display_name = title
    tenant.reindex()
    return Result(warnings=[] if changed else [unchanged(mailbox.name)])
