# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleted applications: the directory keeps one for 30 days, and reserves its unique name for as long.

Sources: Microsoft Graph v1.0, "List deletedItems (directory objects)", "Restore deleted item (directory object)": restoring an application
does not restore its service principal.
"""

from __future__ import annotations

from dataclasses import replace

from .._clients.graph import Call
from .._core.errors import GraphError, InvalidInput
from .._engine.tenant import Tenant
from .applications import SELECT, CurrentApplication, is_replication_delay
from .graph_objects import ApplicationObject

DENIED = ("Authorization_RequestDenied", "AccessDenied")
_ITEMS = "/directory/deletedItems"
READ = Call("GET", f"{_ITEMS}/microsoft.graph.application?$select={SELECT},deletedDateTime", attempted="look for a deleted application")
_READ_PRINCIPALS = Call(
    "GET", f"{_ITEMS}/microsoft.graph.servicePrincipal?$select=id,appId", attempted="look for a deleted enterprise application"
)


def find(tenant: Tenant, unique_name: str) -> ApplicationObject | None:
    """The deleted application with this unique name; None where there is none, or where they may not be read."""
    try:
        listed: list[ApplicationObject] = (tenant.graph.read(READ) or {}).get("value", [])
    except GraphError as error:
        if error.code in DENIED:
            return None
        raise
    matches = [item for item in listed if (item.get("uniqueName") or "").lower() == unique_name.lower()]
    return max(matches, key=lambda item: item.get("deletedDateTime") or "", default=None)


def is_reserved(error: GraphError) -> bool:
    """Whether the unique name of the application to create is taken, as a deleted application reserves it."""
    return bool(error.entry and error.entry.id == "unique-name-reserved")


def restoration_notes(unique_name: str, current: CurrentApplication) -> list[str]:
    """One sentence where the application is restored."""
    if not (current.deleted and current.application):
        return []
    return [
        f"The application {unique_name} was deleted on {current.deleted[:10]}, and its unique name is reserved: it is restored, with its "
        f"client id {current.application['appId']} and its credentials."
    ]


def with_deleted(tenant: Tenant, unique_name: str, current: CurrentApplication) -> CurrentApplication:
    """The application, or the deleted one that has its unique name. One request, only where no application has that name."""
    application = current.application
    if application and application.get("uniqueName"):
        return current
    deleted = find(tenant, unique_name)
    if not deleted:
        return current
    when = deleted.get("deletedDateTime") or "an unknown date"
    if application:
        raise InvalidInput(
            f"unique_name {unique_name!r} cannot be given to the application {application['appId']}: the application {deleted['appId']}, "
            f"deleted on {when[:10]}, reserves it for 30 days. Restore that one, or use another unique_name."
        )
    return replace(current, application=deleted, deleted=when)


def restore(tenant: Tenant, unique_name: str, application: ApplicationObject) -> None:
    """Restore the application, and its enterprise application where that one is deleted, too."""
    _restore(tenant, application["id"], f"restore the application {unique_name}")
    principals = tenant.graph.read(_READ_PRINCIPALS) or {}
    for principal in principals.get("value", []):
        if principal["appId"].lower() == application["appId"].lower():
            _restore(tenant, principal["id"], f"restore the enterprise application of {unique_name}")


def _restore(tenant: Tenant, object_id: str, attempted: str) -> None:
    """An item that is no longer among the deleted ones is restored already, or gone: the next read of the object shows which."""
    call = Call("POST", f"{_ITEMS}/{object_id}/restore", {}, attempted)
    try:
        tenant.graph.write(call)
    except GraphError as error:
        if not is_replication_delay(error):
            raise
