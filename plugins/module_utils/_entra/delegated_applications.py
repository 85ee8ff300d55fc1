# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications that may send with SMTP as a user who signed in (delegated permission SMTP.Send), such as those of printer makers.

Sources: Microsoft Graph v1.0, "List oauth2PermissionGrants", "oAuth2PermissionGrant resource type" (consentType, scope), "servicePrincipal
resource type" (appOwnerOrganizationId, verifiedPublisher).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .._clients.graph import Call
from .._engine.tenant import Tenant

SMTP_SEND = "SMTP.Send"
_ATTEMPTED = "read the delegated permissions"
READ = Call("GET", "/oauth2PermissionGrants?$top=999", attempted=_ATTEMPTED)
_SELECT = "$select=id,appId,displayName,appOwnerOrganizationId,verifiedPublisher"
# Names of makers of printers and scanners, whose devices sign in by the maker's own multi-tenant application.
_MAKERS = re.compile(
    r"\b(Brother|Canon|uniFLOW|Epson|Fujifilm|Hewlett|HP|Konica|Kyocera|Lexmark|OKI|Ricoh|Sharp|Toshiba|Xerox)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class DelegatedApplication:
    """An application with consent to SMTP.Send. `foreign`: of another organization. `users`: how many consented for themselves."""

    app_id: str
    display_name: str
    publisher: str = ""
    foreign: bool = False
    all_users: bool = False
    users: int = 0

    @property
    def printer_maker(self) -> bool:
        """Whether its name or publisher is that of a maker of printers."""
        return bool(_MAKERS.search(f"{self.display_name} {self.publisher}"))

    def as_result(self) -> dict[str, object]:
        return {
            "app_id": self.app_id,
            "display_name": self.display_name,
            "publisher": self.publisher,
            "foreign": self.foreign,
            "printer_maker": self.printer_maker,
            "consent": {"all_users": self.all_users, "users": self.users},
        }


def read(tenant: Tenant) -> list[DelegatedApplication]:
    """The applications with consent to SMTP.Send, by name: one request a page of grants, one for 20 applications."""
    listed = (tenant.graph.read(READ) or {}).get("value", [])
    grants = [one for one in listed if SMTP_SEND in str(one.get("scope")).split()]
    clients = list(dict.fromkeys(str(one["clientId"]) for one in grants))
    calls = [Call("GET", f"/servicePrincipals/{client}?{_SELECT}", attempted=_ATTEMPTED) for client in clients]
    principals = [one for one in tenant.graph.batch(calls) if one] if calls else []
    applications = [
        _application(one, [grant for grant in grants if grant["clientId"] == one["id"]], tenant.tenant_id) for one in principals
    ]
    return sorted(applications, key=lambda one: (one.display_name, one.app_id))


def _application(principal: dict[str, Any], grants: list[dict[str, Any]], tenant_id: str) -> DelegatedApplication:
    users = {grant["principalId"] for grant in grants if grant.get("principalId")}
    return DelegatedApplication(
        str(principal["appId"]),
        str(principal.get("displayName") or ""),
        str((principal.get("verifiedPublisher") or {}).get("displayName") or ""),
        foreign=str(principal.get("appOwnerOrganizationId") or "").lower() != tenant_id.lower(),
        all_users=any(grant.get("consentType") == "AllPrincipals" for grant in grants),
        users=len(users),
    )
