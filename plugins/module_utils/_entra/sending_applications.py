# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The applications that may send as mailboxes with SMTP (application permission SMTP.SendAsApp), and their credentials.

Source: Microsoft Graph v1.0, "List appRoleAssignments granted for a service principal", "Get servicePrincipal", "Get application".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._clients.graph import Call
from .._clients.odata import key
from .._engine.tenant import Tenant
from .application_credentials import StoredCredential, credentials_of
from .applications import EXCHANGE
from .desired_application import SEND_AS_APP
from .graph_objects import ApplicationObject

_ATTEMPTED = "read the applications that may send with SMTP"
_SELECT = "$select=appId,displayName,uniqueName,keyCredentials,passwordCredentials"


@dataclass(frozen=True)
class SendingApplication:
    """An application. `foreign`: another tenant registered it and has its credentials. `permitted`: it has SMTP.SendAsApp."""

    app_id: str
    display_name: str
    unique_name: str = ""
    foreign: bool = False
    permitted: bool = True
    credentials: tuple[StoredCredential, ...] = ()

    def as_result(self) -> dict[str, object]:
        return {
            "app_id": self.app_id,
            "display_name": self.display_name,
            "unique_name": self.unique_name,
            "foreign": self.foreign,
            "smtp_send_as_app": self.permitted,
            "credentials": self.credential_results,
        }

    @property
    def credential_results(self) -> list[dict[str, object]]:
        return [
            {"kind": one.kind, "key_id": one.key_id, "expires": one.expires.isoformat() if one.expires else ""} for one in self.credentials
        ]


def read(tenant: Tenant, unique_name: str, also: Sequence[Call] = ()) -> list[SendingApplication]:
    """The applications with SMTP.SendAsApp, and the one with this unique name, which may send by RBAC for Applications instead.

    One request for the assignments, one batch for the enterprise applications, one for the registrations (20 each). `also`: reads of a
    later step, which are part of the last batch.
    """
    assignments = tenant.graph.every(f"/servicePrincipals(appId='{key(EXCHANGE)}')/appRoleAssignedTo", _ATTEMPTED)
    ids = dict.fromkeys(str(one["principalId"]) for one in assignments if one["appRoleId"] == SEND_AS_APP)
    calls = [Call("GET", f"/servicePrincipals/{one}?$select=appId,displayName", attempted=_ATTEMPTED) for one in ids]
    principals = [one for one in tenant.graph.batch(calls) if one] if calls else []
    paths = [f"/applications(uniqueName='{key(unique_name)}')", *(f"/applications(appId='{key(one['appId'])}')" for one in principals)]
    answers = tenant.graph.batch([*(Call("GET", f"{path}?{_SELECT}", attempted=_ATTEMPTED) for path in paths), *also])
    own, *registered = answers[: len(paths)]
    for call, answer in zip(also, answers[len(paths) :], strict=True):
        tenant.graph.prefetch(call, answer)
    applications = [
        _application(document) if document else SendingApplication(one["appId"], str(one.get("displayName") or ""), foreign=True)
        for one, document in zip(principals, registered, strict=True)
    ]
    if own and own["appId"] not in {one.app_id for one in applications}:
        applications.append(_application(own, permitted=False))
    return sorted(applications, key=lambda one: (one.display_name, one.app_id))


def by_unique_name(applications: Iterable[SendingApplication], unique_name: str) -> SendingApplication | None:
    return next((one for one in applications if one.unique_name == unique_name), None)


def _application(document: ApplicationObject, *, permitted: bool = True) -> SendingApplication:
    names = (str(document.get("displayName") or ""), str(document.get("uniqueName") or ""))
    return SendingApplication(document["appId"], *names, permitted=permitted, credentials=tuple(credentials_of(document)))
