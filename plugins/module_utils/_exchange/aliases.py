# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and aliases of new recipients, and which of them other recipients have already. Source: New-Mailbox, parameter Alias."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._clients.exchange import Command
from .._engine.tenant import Tenant

_PER_FILTER = 10  # mailboxes


def alias(address: str) -> str:
    """Name and alias: the local part, with a hyphen for each run of characters that an alias must not have."""
    local = re.sub(r"[^A-Za-z0-9._-]+|\.{2,}", "-", address.partition("@")[0])
    return re.sub(r"^\.|\.$", "-", local)


def taken_names(tenant: Tenant, new: Sequence[str], leaving: set[str]) -> list[str]:
    """The names and addresses of new mailboxes that other recipients, such as groups, have already: one filter for ten of them."""
    commands = []
    for start in range(0, len(new), _PER_FILTER):
        tests = [
            f"Alias -eq '{alias(a)}' -or Name -eq '{alias(a)}' -or EmailAddresses -eq 'smtp:{a}'" for a in new[start : start + _PER_FILTER]
        ]
        select = ("Guid", "Alias", "Name", "PrimarySmtpAddress", "EmailAddresses", "RecipientTypeDetails")
        parameters = {"Filter": " -or ".join(tests), "ResultSize": "Unlimited"}
        commands.append(Command("Get-Recipient", parameters, select, "look for recipients of the same name"))
    rows = [row for outcome in tenant.exchange.batch(commands) for row in outcome.checked().values if str(row.get("Guid")) not in leaving]
    sentences = []
    for address in new:
        for row in rows:
            who = f"{row.get('PrimarySmtpAddress')} ({row.get('RecipientTypeDetails')})"
            held = {str(entry).lower() for entry in row.get("EmailAddresses") or []}
            if f"smtp:{address}" in held:
                sentences.append(f"{address} is an address of {who}: choose another one, or remove it there; nothing was changed.")
            elif alias(address).lower() in (str(row.get("Alias")).lower(), str(row.get("Name")).lower()):
                sentences.append(
                    f"{address} would get the alias {alias(address)}, which {who} has: choose another local part; nothing was changed."
                )
    return sentences
