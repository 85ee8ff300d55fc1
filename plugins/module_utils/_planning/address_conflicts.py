# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that one plan gives to a shared mailbox and to a High Volume Email account: Exchange accepts an address once.

Source: New-MailUser (ADObjectAlreadyExistsException).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .sending_plan import SendingPlan

_MAILBOXES, _ACCOUNTS = "shared_mailbox_mailboxes", "hve_account_accounts"


def problems(plans: Sequence[SendingPlan], variables: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each address, with the senders that use it. `variables`: of the roles."""
    accounts = _addresses(variables.get(_ACCOUNTS))
    for address in sorted(_addresses(variables.get(_MAILBOXES)) & accounts):
        names = [plan.sender.name for plan in plans if _uses(plan, address)]
        where = f"m365_senders: {', '.join(names)}" if names else f"{_MAILBOXES}, {_ACCOUNTS}"
        yield (
            f"{where}: {address} would be a shared mailbox and a High Volume Email account, and Exchange accepts an address once: use "
            "another address for one of them."
        )


def _addresses(items: Any) -> set[str]:
    """The addresses of the items to be present; the modules report malformed ones."""
    present = [one for one in items or () if isinstance(one, Mapping) and one.get("state") != "absent"] if isinstance(items, list) else []
    return {str(one.get("address")).lower() for one in present}


def _uses(plan: SendingPlan, address: str) -> bool:
    return (plan.method == "hve" or plan.uses_oauth) and address in (plan.sender.address, plan.sender.mailbox)
