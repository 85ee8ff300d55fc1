# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that a plan requires, compared with those in the tokens before the first write. It costs no request.

What a token does not show is not reported: Exchange role groups, ownership of applications, custom directory roles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from .._clients import permissions
from .._clients.permissions import RequiredPermission
from .._core.errors import InvalidInput
from .resource import Plan
from .tenant import Tenant

C_contra = TypeVar("C_contra", contravariant=True)


@runtime_checkable
class RequiresPermissions(Protocol[C_contra]):
    """A resource whose writes require permissions besides Exchange.ManageAsApp."""

    def required_permissions(self, changes: C_contra, /) -> Iterable[RequiredPermission]:
        """What the changes of a plan require."""


def of_plan(resource: object, plan: Plan[Any]) -> list[RequiredPermission]:
    """What the changes of a plan require; nothing where there are none."""
    if not plan.changed or not isinstance(resource, RequiresPermissions):
        return []
    return list(resource.required_permissions(plan.changes))


def refuse_missing(
    tenant: Tenant, required: Sequence[RequiredPermission], others: Callable[[], Sequence[RequiredPermission]] = tuple
) -> None:
    """InvalidInput with all permissions that the tokens lack. `others`: what is required later, which is reported with them."""
    lacking = _missing(tenant, required)
    if lacking:
        lacking = _missing(tenant, [*required, *others()]) or lacking
        raise InvalidInput(*_sentences(tenant, lacking), remedy=_remedy(tenant, lacking))


def _missing(tenant: Tenant, required: Sequence[RequiredPermission]) -> list[RequiredPermission]:
    """The missing permissions. A token of an earlier task is renewed, and roles that this run has granted are waited for."""
    result: list[RequiredPermission] = []
    for service in permissions.APIS:
        own = [one for one in required if one.service == service]
        if not own:
            continue
        scope = tenant.cloud.scope(service)
        token = tenant.tokens.token(scope)
        lacking = permissions.missing(tenant.tokens.permissions(scope), own)
        if lacking and tenant.tokens.renewed(scope, token):
            lacking = permissions.missing(tenant.tokens.permissions(scope), own)
        while lacking and tenant.tokens.await_grant(service):
            lacking = permissions.missing(tenant.tokens.permissions(scope), own)
        result += lacking
    return result


def _names(tenant: Tenant, lacking: Iterable[RequiredPermission]) -> dict[tuple[str, str], list[str]]:
    """Service and name of the permissions to grant, each with its purposes."""
    result: dict[tuple[str, str], list[str]] = {}
    for one in lacking:
        token = tenant.tokens.permissions(tenant.cloud.scope(one.service))
        name = one.name_for(token) if token else one.name
        result.setdefault((one.service, name), []).append(one.purpose)
    return result


def _sentences(tenant: Tenant, lacking: Iterable[RequiredPermission]) -> list[str]:
    who = f"The automation app ({tenant.client_id})" if tenant.client_id else "The managed identity"
    return [
        f"{who} lacks the permission {name} of {permissions.APIS[service]}, which this plan requires to {' and '.join(purposes)}."
        for (service, name), purposes in _names(tenant, lacking).items()
    ]


def _remedy(tenant: Tenant, lacking: Sequence[RequiredPermission]) -> str:
    """Who grants what, and where."""
    names = _names(tenant, lacking)
    parts = []
    for service in permissions.APIS:
        own = [name for of, name in names if of == service]
        token = tenant.tokens.permissions(tenant.cloud.scope(service)) if own else None
        if own:
            parts.append(permissions.grant_instruction(own, service, delegated=bool(token and token.delegated)))
    token = tenant.tokens.permissions(tenant.cloud.scope("exchange"))
    if token and token.directory_roles is not None and not token.directory_roles & permissions.EXCHANGE_ROLES:
        parts.append(
            "It has no directory role for Exchange, either: unless it is in an Exchange role group, let them assign it "
            "Exchange Administrator (Roles and administrators)."
        )
    return " ".join([*parts, "Nothing was changed."])
