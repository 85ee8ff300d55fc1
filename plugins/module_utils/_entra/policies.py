# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access policies, parsed from Microsoft Graph.

Graph returns null for a part that is not set. Source: Microsoft Graph v1.0, "conditionalAccessPolicy resource type".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

# Conditions that are only known at the moment of the sign-in.
_RISKS = {
    "signInRiskLevels": "the risk of the sign-in",
    "userRiskLevels": "the user's risk",
    "insiderRiskLevels": "the user's insider risk",
    "servicePrincipalRiskLevels": "the application's risk",
}


@dataclass(frozen=True)
class UserCondition:
    """The users that a policy includes or excludes; all values in lower case."""

    users: frozenset[str]
    groups: frozenset[str]
    roles: frozenset[str]
    guest_types: frozenset[str]
    guest_tenants_limited: bool  # the guests of some tenants only


@dataclass(frozen=True)
class WorkloadCondition:
    """The service principals of a policy for workload identities; all values in lower case."""

    include: frozenset[str]
    exclude: frozenset[str]
    has_filter: bool


@dataclass(frozen=True)
class ApplicationCondition:
    """The target resources of a policy; all values in lower case."""

    include: frozenset[str]
    exclude: frozenset[str]
    has_filter: bool


@dataclass(frozen=True)
class Policy:
    """One policy. `state` in Graph's spelling; `runtime_conditions` describes the conditions that only a sign-in decides."""

    id: str
    display_name: str | None
    state: str
    include_users: UserCondition
    exclude_users: UserCondition
    workloads: WorkloadCondition | None
    applications: ApplicationCondition
    client_types: frozenset[str]
    transfer_methods: tuple[str, ...]
    runtime_conditions: tuple[str, ...]
    operator: str  # AND | OR; empty where Graph has none
    controls: tuple[str, ...]
    sign_in_frequency: str  # such as "7 days"; empty where it is off

    @property
    def name(self) -> str:
        return self.display_name or self.id

    @property
    def is_off(self) -> bool:
        return self.state == "disabled"

    @classmethod
    def from_graph(cls, document: Json) -> Policy:
        conditions = _part(document, "conditions")
        users, grant = _part(conditions, "users"), _part(document, "grantControls")
        transfer = str(_part(conditions, "authenticationFlows").get("transferMethods") or "none")
        return cls(
            id=str(document.get("id") or ""),
            display_name=document.get("displayName"),
            state=str(document.get("state")),
            include_users=_users(users, "include"),
            exclude_users=_users(users, "exclude"),
            workloads=_workloads(_part(conditions, "clientApplications")),
            applications=_applications(_part(conditions, "applications")),
            client_types=frozenset(conditions.get("clientAppTypes") or ()),
            transfer_methods=() if transfer == "none" else tuple(transfer.split(",")),
            runtime_conditions=tuple(_runtime_conditions(conditions)),
            operator=str(grant.get("operator") or ""),
            controls=tuple(_controls(grant)),
            sign_in_frequency=_sign_in_frequency(_part(_part(document, "sessionControls"), "signInFrequency")),
        )


def _part(document: Json, name: str) -> Json:
    part: Json = document.get(name) or {}
    return part


def _lower(values: Iterable[str] | None) -> frozenset[str]:
    return frozenset(value.lower() for value in values or ())


def _users(users: Json, verb: str) -> UserCondition:
    guests = _part(users, f"{verb}GuestsOrExternalUsers")
    return UserCondition(
        users=_lower(users.get(f"{verb}Users")),
        groups=_lower(users.get(f"{verb}Groups")),
        roles=_lower(users.get(f"{verb}Roles")),
        guest_types=_lower(str(guests.get("guestOrExternalUserTypes") or "").split(",")) - {"", "none"},
        guest_tenants_limited=str(_part(guests, "externalTenants").get("membershipKind") or "all") != "all",
    )


def _workloads(clients: Json) -> WorkloadCondition | None:
    if not clients:
        return None
    include, exclude = _lower(clients.get("includeServicePrincipals")), _lower(clients.get("excludeServicePrincipals"))
    return WorkloadCondition(include, exclude, bool(clients.get("servicePrincipalFilter")))


def _applications(applications: Json) -> ApplicationCondition:
    include, exclude = _lower(applications.get("includeApplications")), _lower(applications.get("excludeApplications"))
    return ApplicationCondition(include, exclude, bool(applications.get("applicationFilter")))


def _runtime_conditions(conditions: Json) -> Iterable[str]:
    platforms, locations = _part(conditions, "platforms"), _part(conditions, "locations")
    if platforms and ("all" not in (platforms.get("includePlatforms") or ()) or platforms.get("excludePlatforms")):
        yield "the sender's platform"
    if locations and ("All" not in (locations.get("includeLocations") or ()) or locations.get("excludeLocations")):
        yield "where the sender signs in from"
    if _part(conditions, "devices").get("deviceFilter"):
        yield "a filter of devices"
    yield from (text for name, text in _RISKS.items() if conditions.get(name))


def _controls(grant: Json) -> Iterable[str]:
    yield from (str(control) for control in grant.get("builtInControls") or ())
    yield from (name for name in ("authenticationStrength", "termsOfUse", "customAuthenticationFactors") if grant.get(name))


def _sign_in_frequency(frequency: Json) -> str:
    if not frequency.get("isEnabled"):
        return ""
    return f"{frequency.get('value')} {frequency.get('type')}" if frequency.get("value") else "time"
