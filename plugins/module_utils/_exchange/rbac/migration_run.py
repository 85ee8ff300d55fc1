# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the steps that one run takes of a migration to or from RBAC for Applications."""

from __future__ import annotations

from collections.abc import Collection

from ..._clients.graph import Call
from ..._core.errors import InvalidInput
from ..._engine.tenant import Tenant
from ..._entra.applications import is_replication_delay
from .. import consistency, lookup
from ..mailbox_permissions import FULL_ACCESS, Permission, revoke
from . import consent, migration
from . import scopes as rbac
from .authorization import AuthorizationChanges
from .migration import Action, Phase, Step


class MigrationRun:
    """Carries out the steps of one run."""

    def __init__(self, tenant: Tenant, mailboxes: Collection[str], changes: AuthorizationChanges) -> None:
        self.tenant, self.mailboxes, self.changes = tenant, mailboxes, changes
        self.object_id = changes.entra.object_id or ""
        self.tags = list(changes.entra.tags)

    def run(self) -> None:
        actions = {
            Action.WRITE: self._write,
            Action.WITHDRAW: self._withdraw,
            Action.REVOKE: self._revoke,
            Action.CONSENT: self._consent,
            Action.REMOVE: self._remove,
            Action.WAIT: self._wait,
            Action.ENTER_PHASE: self._enter_phase,
        }
        for step in self.changes.steps:
            actions[step.action](step)

    def _write(self, _step: Step) -> None:
        rbac.write(self.tenant, self.changes.scopes, self.object_id, customize=self.changes.customize)
        rbac.verify_scope(self.tenant, self.object_id, self.changes.newly_covered, self.tenant.wait_timeout)

    def _wait(self, step: Step) -> None:
        self.tenant.transport.pause(step.seconds)

    def _enter_phase(self, step: Step) -> None:
        phase = Phase(step.phase, self.tenant.clock.now()) if step.phase else None
        self.tags = migration.with_phase(self.tags, phase)
        call = Call("PATCH", f"/servicePrincipals/{self.object_id}", {"tags": self.tags}, "note how far the application was moved")
        self.tenant.graph.write(call, retry_on=is_replication_delay, limit=self.tenant.wait_timeout)

    def _withdraw(self, _step: Step) -> None:
        rbac.verify_scope(self.tenant, self.object_id, self.mailboxes, 0.0)
        consent.withdraw(self.tenant, self.changes.entra.consents)

    def _revoke(self, _step: Step) -> None:
        guids = lookup.guids_of(self.tenant.exchange, "mailboxes", self.changes.full_access)
        listed = dict.fromkeys(lookup.labels(self.changes.full_access, guids).values())
        consistency.run_all(self.tenant, [revoke(self.object_id, Permission(FULL_ACCESS, address), guids) for address in listed])

    def _consent(self, _step: Step) -> None:
        if not self.changes.entra.app_role:
            raise InvalidInput("this tenant has no Exchange Online, or it does not offer SMTP.SendAsApp.")
        consent.give(self.tenant, self.object_id, self.changes.entra.app_role)

    def _remove(self, _step: Step) -> None:
        rbac.remove(self.tenant, self.changes.scopes)
