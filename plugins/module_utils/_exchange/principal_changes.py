# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of an application's service principal in Exchange and of its permissions, and the commands that carry them out.

Sources: New-ServicePrincipal, Add-MailboxPermission, Add-RecipientPermission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .._clients.exchange import Command
from .._core.errors import ExchangeError
from .._engine.tenant import Tenant
from .._entra.application_lookup import Application
from . import consistency
from .mailbox_permissions import Permission, grant, revoke


@dataclass(frozen=True)
class PrincipalChanges:
    """The changes, in the order in which they are applied. `remove`: object ids; `display_name`: of the new or renamed principal."""

    application: Application | None
    display_name: str | None
    remove: tuple[str, ...] = ()
    create: bool = False
    rename: bool = False
    grant: tuple[Permission, ...] = ()
    revoke: tuple[Permission, ...] = ()
    guids: Mapping[str, str] = field(default_factory=dict)  # of mailboxes, by address

    def __bool__(self) -> bool:
        return bool(self.remove or self.create or self.rename or self.grant or self.revoke)

    def cmdlets(self) -> Iterator[str]:
        """The cmdlets of `write`."""
        yield from ["Remove-ServicePrincipal"] if self.remove else []
        yield from ["New-ServicePrincipal"] if self.create else []
        yield from ["Set-ServicePrincipal"] if self.rename else []
        yield from (grant("", one, self.guids).cmdlet for one in self.grant)
        yield from (revoke("", one, self.guids).cmdlet for one in self.revoke)


def write(tenant: Tenant, changes: PrincipalChanges) -> None:
    """Register the application, then change permissions, with retries during the replication delay between Exchange servers."""
    for object_id in changes.remove:
        remove = Command("Remove-ServicePrincipal", {"Identity": object_id, "Confirm": False}, attempted="remove the service principal")
        tenant.exchange.run(remove)
    application = changes.application
    if not application:
        return
    if changes.create:
        _register(tenant, application, changes.display_name)
    if changes.rename and changes.display_name:
        parameters = {"Identity": application.object_id, "DisplayName": changes.display_name}
        tenant.exchange.run(Command("Set-ServicePrincipal", parameters, attempted="rename the service principal"))
    consistency.run_all(tenant, [grant(application.object_id, one, changes.guids) for one in changes.grant])
    consistency.run_all(tenant, [revoke(application.object_id, one, changes.guids) for one in changes.revoke])


def _register(tenant: Tenant, application: Application, display_name: str | None) -> None:
    parameters = {
        "AppId": application.app_id,
        "ObjectId": application.object_id,
        "DisplayName": display_name or application.display_name,
    }
    try:
        tenant.exchange.run(Command("New-ServicePrincipal", parameters, attempted="register the application in Exchange"))
    except ExchangeError as error:
        if not error.exists:
            raise
