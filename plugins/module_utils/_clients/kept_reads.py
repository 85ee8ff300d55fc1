# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers to a task's reads, kept for its planning: a plan of many resources reads nothing twice that the task has not changed.

They are returned in `planning` only. What is applied, waited for or verified is read anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

UNKNOWN = object()
# What else a cmdlet that writes changes, by nouns; a noun that is not here changes everything.
_CHANGES: dict[str, tuple[str, ...]] = {
    "Mailbox": ("Recipient", "CASMailbox", "User", "MailboxPermission", "RecipientPermission"),
    "MailUser": ("Recipient", "User", "HVEAccountSettings", "HVEAccountBillingPolicy"),
    "HVEAccountSettings": (),
    "HVEAccountBillingPolicy": (),
    "CASMailbox": (),
    "User": (),
    "MailboxPermission": (),
    "RecipientPermission": (),
    "ServicePrincipal": ("MailboxPermission", "RecipientPermission"),
    "InboundConnector": (),
    "AuthenticationPolicy": ("User", "OrganizationConfig"),
    "OrganizationConfig": (),
    "OrganizationCustomization": ("OrganizationConfig",),
    "TransportConfig": (),
    "ManagementScope": ("ManagementRoleAssignment",),
    "ManagementRoleAssignment": (),
}
_EXCHANGE = "exchange "
# Objects of Graph that change together, by the first part of the path; Microsoft's own applications, such as Exchange Online, do not.
_APPLICATIONS = ("applications", "servicePrincipals", "directory")
_MICROSOFTS_OWN = re.compile(r"/servicePrincipals\(appId='0000000\d-0000-[0-9a-f-]+'\)(\?|$)")


class KeptReads:
    """Answers by a key, each of a family of objects. UNKNOWN: there is none."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[str, Any]] = {}
        self._is_planning = False

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Keep and return answers."""
        before, self._is_planning = self._is_planning, True
        try:
            yield
        finally:
            self._is_planning = before

    def get(self, key: str) -> Any:
        return self._answers[key][1] if self._is_planning and key in self._answers else UNKNOWN

    def keep(self, key: str, family: str, answer: Any) -> None:
        if self._is_planning:
            self._answers[key] = (family, answer)

    def forget_exchange(self, cmdlet: str) -> None:
        """Forget what a cmdlet changes."""
        noun = cmdlet.partition("-")[2]
        families = {exchange_family(f"Get-{one}") for one in (noun, *_CHANGES[noun])} if noun in _CHANGES else None
        self._answers = {
            key: (family, answer)
            for key, (family, answer) in self._answers.items()
            if not family.startswith(_EXCHANGE) or (families is not None and family not in families)
        }

    def forget_graph(self, path: str) -> None:
        """Forget what a write at a path changes."""
        family = graph_family(path)
        self._answers = {key: (of, answer) for key, (of, answer) in self._answers.items() if of != family}


def exchange_family(cmdlet: str) -> str:
    return _EXCHANGE + cmdlet.partition("-")[2]


def graph_family(path: str) -> str:
    if _MICROSOFTS_OWN.match(path):
        return "Microsoft's own applications"
    first = re.split(r"[/(?]", path.removeprefix("/"))[0]
    return _APPLICATIONS[0] if first in _APPLICATIONS else first
