# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that a plan requires, compared with those of the automation app before the first write.

Permissions are in the tokens, which costs no request. Tokens do not show Exchange role groups: where they have no directory role that
allows every cmdlet, Exchange is asked for those that are allowed, in one request of a plan that writes to Exchange. What neither shows is
not reported: ownership of applications, custom directory roles.
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


@runtime_checkable
class WritesExchange(Protocol[C_contra]):
    """A resource that writes to Exchange."""

    def cmdlets(self, changes: C_contra, /) -> Iterable[str]:
        """The cmdlets that write the changes of a plan."""


def cmdlets_of(resource: object, plan: Plan[Any]) -> list[str]:
    """The cmdlets that write the changes of a plan; nothing where there are none."""
    return list(resource.cmdlets(plan.changes)) if plan.changed and isinstance(resource, WritesExchange) else []


def of_plan(resource: object, plan: Plan[Any]) -> list[RequiredPermission]:
    """What the changes of a plan require; nothing where there are none."""
    if not plan.changed or not isinstance(resource, RequiresPermissions):
        return []
    return list(resource.required_permissions(plan.changes))


def refuse_missing(
    tenant: Tenant,
    required: Sequence[RequiredPermission],
    others: Callable[[], Sequence[RequiredPermission]] = tuple,
    cmdlets: Sequence[str] = (),
) -> None:
    """InvalidInput with all permissions that the automation app lacks. `others`: what is required later, which is reported with them.

    `cmdlets`: those that the plan writes to Exchange with.
    """
    lacking = _missing(tenant, required)
    forbidden = _forbidden(tenant, cmdlets)
    if lacking:
        lacking = _missing(tenant, [*required, *others()]) or lacking
    if lacking or forbidden:
        remedies = [*_permission_remedies(tenant, lacking), _ASSIGN_ROLE if forbidden else _directory_role(tenant), "Nothing was changed."]
        sentences = [*_sentences(tenant, lacking), *_forbidden_sentences(tenant, forbidden)]
        raise InvalidInput(*sentences, remedy=" ".join(filter(None, remedies)))


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
    return [
        f"{_who(tenant)} lacks the permission {name} of {permissions.APIS[service]}, which this plan requires to {' and '.join(purposes)}."
        for (service, name), purposes in _names(tenant, lacking).items()
    ]


def _who(tenant: Tenant) -> str:
    return f"The automation app ({tenant.client_id})" if tenant.client_id else "The managed identity"


def _permission_remedies(tenant: Tenant, lacking: Sequence[RequiredPermission]) -> list[str]:
    """Who grants what, and where."""
    names = _names(tenant, lacking)
    parts = []
    for service in permissions.APIS:
        own = [name for of, name in names if of == service]
        token = tenant.tokens.permissions(tenant.cloud.scope(service)) if own else None
        if own:
            parts.append(permissions.grant_instruction(own, service, delegated=bool(token and token.delegated)))
    return parts


def _directory_role(tenant: Tenant) -> str:
    """A role that the token lacks, too; whether it is required is not to be seen before the plan."""
    token = tenant.tokens.permissions(tenant.cloud.scope("exchange"))
    if not token or token.directory_roles is None or token.directory_roles & permissions.EXCHANGE_ROLES:
        return ""
    return (
        "It has no directory role for Exchange, either: unless it is in an Exchange role group, let them assign it "
        "Exchange Administrator (Roles and administrators)."
    )


# -- Exchange ---------------------------------------------------------------------------------------------------------


_ASSIGN_ROLE = (
    "Let a Global Administrator or Privileged Role Administrator assign it Exchange Administrator (Entra admin center: Roles and "
    "administrators), or an Exchange administrator add it to a role group that has these cmdlets (Add-RoleGroupMember). A role that was "
    "assigned minutes ago may not be effective yet: run again later then."
)


def _forbidden(tenant: Tenant, cmdlets: Sequence[str]) -> list[str]:
    """The cmdlets that neither directory roles nor role groups allow. A token of an earlier task is renewed, and roles that this run has
    granted are waited for."""
    scope = tenant.cloud.scope("exchange")
    token = tenant.tokens.token(scope) if cmdlets else ""
    forbidden = _not_allowed(tenant, cmdlets)
    if forbidden and tenant.tokens.renewed(scope, token):
        forbidden = _not_allowed(tenant, cmdlets)
    while forbidden and tenant.tokens.await_grant("exchange"):
        forbidden = _not_allowed(tenant, cmdlets)
    return forbidden


def _not_allowed(tenant: Tenant, cmdlets: Sequence[str]) -> list[str]:
    """As Exchange says. It is not asked where the token contains a directory role that allows all, or where its claims cannot be read."""
    token = tenant.tokens.permissions(tenant.cloud.scope("exchange")) if cmdlets else None
    return [] if token is None or permissions.allows_exchange(token) else tenant.exchange.forbidden(cmdlets)


def _forbidden_sentences(tenant: Tenant, forbidden: Sequence[str]) -> list[str]:
    if not forbidden:
        return []
    roles = permissions.role_names(tenant.tokens.permissions(tenant.cloud.scope("exchange")))
    reason = "it has no directory role, and no Exchange role group allows them"
    if roles or roles is None:
        listed = f" ({', '.join(roles)})" if roles else ""
        reason = f"neither its directory roles{listed} nor its Exchange role groups allow them"
    return [f"{_who(tenant)} may not run the cmdlets {', '.join(forbidden)}, which this plan requires: {reason}."]
