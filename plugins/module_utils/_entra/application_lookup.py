# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications by unique name or client id, several at once.

Source: Microsoft Graph v1.0, "Get application", "Get servicePrincipal".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from .._clients.graph import Call
from .._clients.odata import key
from .._engine.resource import Assumption, UnmetAssumptions
from .._engine.tenant import Tenant
from .._identity.credentials import GUID

_ATTEMPTED = "look for the applications"
_MISSING: dict[str, str] = {}  # in the run cache: an application that does not exist


@dataclass(frozen=True)
class Application:
    """An application: client id, object id of its ENTERPRISE application, name, and id of the tenant that registered it."""

    app_id: str
    object_id: str
    display_name: str = ""
    home_tenant: str = ""


def registration(unique_name: str, attempted: str) -> Call:
    """The request for the client id of the application with this unique name."""
    return Call("GET", f"/applications(uniqueName='{key(unique_name)}')?$select=appId", attempted=attempted)


def principal(app_id: str, select: str, attempted: str) -> Call:
    """The request for these properties of the enterprise application with this client id."""
    return Call("GET", f"/servicePrincipals(appId='{key(app_id)}')?$select={select}", attempted=attempted)


def application_id(tenant: Tenant, app_id: str | None, unique_name: str | None) -> str | None:
    """The client id of an application given by client id or unique name; None where it does not exist."""
    if app_id or not unique_name:
        return app_id
    cached = cached_application(tenant, unique_name)
    if cached:
        return cached.app_id
    answer = tenant.graph.read(registration(unique_name, f"look for the application {unique_name}"))
    return str(answer["appId"]) if answer else None


def find_application(tenant: Tenant, app_id: str | None, unique_name: str | None) -> Application | None:
    """The enterprise application given by client id or unique name; None where it does not exist."""
    cached = cached_application(tenant, unique_name) if unique_name else None
    if cached:
        return cached
    if unique_name and tenant.run_cache.get(_key(unique_name)) == _MISSING:
        return None
    app_id = application_id(tenant, app_id, unique_name)
    if not app_id:
        return None
    answer = tenant.graph.read(principal(app_id, "id,appId,displayName", "look for the enterprise application"))
    return Application(app_id, answer["id"], answer["displayName"]) if answer else None


def cache_application(tenant: Tenant, unique_name: str, application: Application) -> None:
    """Store an application for later tasks of the run."""
    tenant.run_cache.put(_key(unique_name), asdict(application))


def cache_missing(tenant: Tenant, unique_name: str) -> None:
    """Store for later tasks of the run that there is no such application."""
    tenant.run_cache.put(_key(unique_name), _MISSING)


def _key(unique_name: str) -> str:
    return f"application {unique_name}"


def cached_application(tenant: Tenant, unique_name: str) -> Application | None:
    """The application that an earlier task of the run has stored."""
    cached = tenant.run_cache.get(_key(unique_name))
    return Application(**cached) if cached else None


def uncache_application(tenant: Tenant, unique_name: str) -> None:
    tenant.run_cache.forget(_key(unique_name))


def problems(option: str, names: Sequence[str]) -> list[str]:
    """One sentence for each name that is empty or repeated."""
    empty = [f"{option} holds an empty name: remove it." for name in names if not name.strip()]
    repeated = sorted({name for name in names if name.strip() and names.count(name) > 1})
    return empty + [f"{option} holds {name} twice: keep one." for name in repeated]


def find(tenant: Tenant, names: Sequence[str]) -> dict[str, Application | None]:
    """The enterprise applications by unique name or client id; None where one does not exist. At most two batches."""
    listed = list(dict.fromkeys(names))
    unique_names = [name for name in listed if not GUID.fullmatch(name)]
    calls = [registration(name, _ATTEMPTED) for name in unique_names]
    registered = dict(zip(unique_names, tenant.graph.batch(calls), strict=True)) if calls else {}
    ids = {name: str(answer["appId"]) for name, answer in registered.items() if answer}
    ids |= {name: name.lower() for name in listed if GUID.fullmatch(name)}
    existing = [name for name in listed if name in ids]
    calls = [principal(ids[name], "id,appId,appOwnerOrganizationId", _ATTEMPTED) for name in existing]
    principals = dict(zip(existing, tenant.graph.batch(calls), strict=True)) if calls else {}
    return {
        name: Application(answer["appId"], answer["id"], home_tenant=str(answer.get("appOwnerOrganizationId") or ""))
        if (answer := principals.get(name))
        else None
        for name in listed
    }


def registration_of(name: object) -> str:
    """What the registration of an application provides to later steps of a plan: its ids."""
    return f"application {name}"


def permissions_of(name: object) -> str:
    """What a change of an application or of its permissions provides to later steps of a plan."""
    return f"state of application {name}"


def refuse_missing(
    applications: Mapping[str, Application | None],
    check_mode: bool,
    remedy: str = "role entra_app",
    named_by: Mapping[str, str] | None = None,
) -> list[Assumption]:
    """Raise UnmetAssumptions for missing applications. In check mode, where an earlier task may create them, return them.

    `named_by`: by application, the option that names it, with its items; option unique_name where it is left out.
    """
    assumptions = [
        assumption(
            (named_by or {}).get(name, "unique_name"),
            f"Entra has no enterprise application for {name}",
            f"register it first ({remedy})",
            registration_of(name),
        )
        for name, application in applications.items()
        if not application
    ]
    if assumptions and not check_mode:
        raise UnmetAssumptions(*assumptions)
    return assumptions


def assumption(option: str, problem: str, remedy: str, needed: str) -> Assumption:
    """What a prediction assumes about an application. `problem` and `remedy` are clauses."""
    note = f"{problem} yet; the prediction assumes that an earlier task of the real run creates it."
    return Assumption(note, f"{option}: {problem}: {remedy}.", needed)
