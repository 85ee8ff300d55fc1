# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When applications last signed in with a credential of their own. The activity says that a token was issued, not that SMTP was used.

Source: Microsoft Graph beta, "servicePrincipalSignInActivity resource type" (Microsoft Entra ID P1, AuditLog.Read.All).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

from .._clients.graph import Call
from .._clients.odata import equals
from .._engine.tenant import Tenant

PATH = "/reports/servicePrincipalSignInActivities"
_OWN = "applicationAuthenticationClientSignInActivity"
_ATTEMPTED = "read when applications signed in"


def read(tenant: Tenant, app_ids: Iterable[str], wait: Callable[[], None]) -> dict[str, datetime.date | None]:
    """The date of the last sign-in by application; None: none is known. One request an application, after a call of `wait`."""
    dates: dict[str, datetime.date | None] = {}
    for app_id in app_ids:
        wait()
        call = Call("GET", f"{PATH}?$filter={equals('appId', app_id)}", attempted=_ATTEMPTED)
        rows = [row for page in tenant.graph.pages(call, wait=wait, beta=True) for row in page]
        texts = [str(text) for row in rows if (text := (row.get(_OWN) or {}).get("lastSignInDateTime"))]
        dates[app_id] = max((datetime.date.fromisoformat(text[:10]) for text in texts), default=None)
    return dates
