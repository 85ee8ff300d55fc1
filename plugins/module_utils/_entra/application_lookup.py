# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications by the names that an inventory gives them: unique name or client id, many at once.

Private to the collection. Source: Microsoft Graph v1.0, "Get application", "Get servicePrincipal".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._clients.graph import Call, key
from .._core.errors import InvalidInput
from .._engine.tenant import GUID, Tenant

_ATTEMPTED = "look for the applications"


@dataclass(frozen=True)
class Application:
    """An application of the tenant: client id, the ENTERPRISE application's object id, and the tenant that registered it."""

    app_id: str
    object_id: str
    display_name: str = ""
    home: str = ""


def registration(unique_name: str, attempted: str) -> Call:
    """Reads the client id of the application of this unique name; nothing where there is none."""
    return Call("GET", f"/applications(uniqueName='{key(unique_name)}')?$select=appId", attempted=attempted)


def principal(app_id: str, select: str, attempted: str) -> Call:
    """Reads these properties of the enterprise application of this client id; nothing where there is none."""
    return Call("GET", f"/servicePrincipals(appId='{key(app_id)}')?$select={select}", attempted=attempted)


def application_id(tenant: Tenant, app_id: str | None, unique_name: str | None) -> str | None:
    """The client id of an application that is named by it or by its unique name; None where there is none."""
    if app_id or not unique_name:
        return app_id
    known = recall(tenant, unique_name)
    if known:
        return known.app_id
    found = tenant.graph.read(registration(unique_name, f"look for the application {unique_name}"))
    return str(found["appId"]) if found else None


def remember(tenant: Tenant, name: str, application: Application) -> None:
    """Keep for the run's later tasks who the application of this unique name is."""
    tenant.facts.put(f"application {name}", vars(application))


def recall(tenant: Tenant, name: str) -> Application | None:
    """The application of this unique name, where a task of this run has just looked at it."""
    known = tenant.facts.get(f"application {name}")
    return Application(**known) if known else None


def forget(tenant: Tenant, name: str) -> None:
    tenant.facts.forget(f"application {name}")


def problems(option: str, names: Sequence[str]) -> list[str]:
    """One sentence a name that is empty or there twice."""
    found = [f"{option} holds an empty name: remove it." for name in names if not name.strip()]
    twice = sorted({name for name in names if name.strip() and names.count(name) > 1})
    return found + [f"{option} holds {name} twice: keep one." for name in twice]


def find(tenant: Tenant, names: Sequence[str]) -> dict[str, Application | None]:
    """The enterprise applications by the names given; None where there is none. Two requests at most for twenty of them."""
    listed = list(dict.fromkeys(names))
    unique = [name for name in listed if not GUID.fullmatch(name)]
    calls = [registration(name, _ATTEMPTED) for name in unique]
    registered = dict(zip(unique, tenant.graph.batch(calls), strict=True)) if calls else {}
    ids = {name: str(found["appId"]) for name, found in registered.items() if found}
    ids |= {name: name.lower() for name in listed if GUID.fullmatch(name)}
    known = [name for name in listed if name in ids]
    calls = [principal(ids[name], "id,appId,appOwnerOrganizationId", _ATTEMPTED) for name in known]
    principals = dict(zip(known, tenant.graph.batch(calls), strict=True)) if calls else {}
    return {
        name: Application(found["appId"], found["id"], home=str(found.get("appOwnerOrganizationId") or ""))
        if (found := principals.get(name))
        else None
        for name in listed
    }


def refuse_missing(found: dict[str, Application | None], check_mode: bool) -> list[str]:
    """Raise for applications that are not there; in check mode, where an earlier task may still make them, a note each."""
    missing = [name for name, application in found.items() if not application]
    sentences = [f"Entra has no enterprise application for {name}" for name in missing]
    if missing and not check_mode:
        raise InvalidInput(*(f"{sentence}: register it first (role entra_app)." for sentence in sentences))
    return [f"{sentence} yet; the prediction assumes that an earlier task of the real run makes it." for sentence in sentences]
