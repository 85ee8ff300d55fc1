# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of its credentials an application signed in with, so that one that nothing uses can be removed.

Source: Microsoft Graph beta, "signIn resource type" (servicePrincipalCredentialKeyId), "List signIns" (kind servicePrincipal; the newest
first; Microsoft Entra ID P1, AuditLog.Read.All). Rows are not kept.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .._clients.graph import Call
from .._clients.odata import equals
from .._engine.tenant import Tenant

PAGE, MOST_PAGES = 1000, 3  # of the sign-ins of an application: a relay host makes about 600 in 30 days
_KIND = "servicePrincipal"


@dataclass(frozen=True)
class KeyUse:
    """The last use of each credential by its id. `complete`: all sign-ins of the period were read, so that others were not used."""

    used: dict[str, datetime.date] = field(default_factory=dict)
    complete: bool = True

    def is_used(self, key_id: str) -> bool | None:
        """Whether a credential was used in the period; None: not known."""
        return True if key_id in self.used else False if self.complete else None


def read(tenant: Tenant, app_ids: Iterable[str], since: datetime.date, wait: Callable[[], None]) -> dict[str, KeyUse]:
    """The use by client id: one request for 1,000 sign-ins of an application, after a call of `wait`."""
    return {app_id: _read(tenant, app_id, since, wait) for app_id in app_ids}


def _read(tenant: Tenant, app_id: str, since: datetime.date, wait: Callable[[], None]) -> KeyUse:
    conditions = (
        f"createdDateTime%20ge%20{since.isoformat()}T00:00:00Z",
        f"signInEventTypes/any(t:{equals('t', _KIND)})",
        equals("appId", app_id),
    )
    path = f"/auditLogs/signIns?$filter={'%20and%20'.join(conditions)}&$top={PAGE}"
    call = Call("GET", path, attempted="read the sign-ins of applications")
    used: dict[str, datetime.date] = {}
    wait()
    size = 0
    for page in itertools.islice(tenant.graph.pages(call, wait=wait, beta=True), MOST_PAGES):
        size = len(page)
        for row in page:
            key_id = str(row.get("servicePrincipalCredentialKeyId") or "")
            succeeded = (row.get("status") or {}).get("errorCode") == 0
            day = datetime.date.fromisoformat(str(row["createdDateTime"])[:10])
            if key_id and succeeded:
                used[key_id] = max(day, used.get(key_id, day))
    return KeyUse(used, complete=size < PAGE)
