"""Policies for sign-ins: authentication policies, Conditional Access, the end of Basic authentication."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.state.keys import At, Lower, Moment, Replicating, UnfitError, derived, key
from emulator.state.replicated import Replicated
from emulator.well_known import DIRECTORY_ROLES

# Switches of New-AuthenticationPolicy besides AllowBasicAuthSmtp.
SWITCHES = (
    "AllowBasicAuthActiveSync",
    "AllowBasicAuthAutodiscover",
    "AllowBasicAuthImap",
    "AllowBasicAuthMapi",
    "AllowBasicAuthOfflineAddressBook",
    "AllowBasicAuthOutlookService",
    "AllowBasicAuthPop",
    "AllowBasicAuthPowershell",
    "AllowBasicAuthReportingWebServices",
    "AllowBasicAuthRpc",
    "AllowBasicAuthWebServices",
)


def _default(name: str | None, at: At) -> str | None:
    if name is not None and name not in at["authentication"]:
        raise UnfitError(f"{name!r} is no authentication policy")
    return name


def _role_members(values: dict[str, list[str]], _: At) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for name, names in values.items():
        role = DIRECTORY_ROLES.get(name, name).lower()
        if role not in DIRECTORY_ROLES.values():
            raise UnfitError("must be the name of a directory role", name)
        members[role] = names
    return members


@dataclass
class AuthenticationPolicy(Replicated):
    """An authentication policy (New-AuthenticationPolicy)."""

    name: str = field(metadata=key("the name"))
    guid: str = field(metadata=key("the GUID", **derived("authentication policy", "name")))
    allow_basic_auth_smtp: bool = field(default=False, metadata=key("AllowBasicAuthSmtp"))
    allowed: list[str] = field(default_factory=list, metadata=key("the other AllowBasicAuth... switches that are on", choices=SWITCHES))
    effective_from: Moment = field(default=0.0, metadata=key("when it takes effect (replication)"))
    replicating: Replicating = field(default_factory=dict, metadata=key("old values that the mail services still use"))


@dataclass
class Group:
    """A group."""

    id: Lower = field(metadata=key("the object id", **derived("group", "display_name")))
    display_name: str = field(metadata=key("the name"))
    members: list[Lower] = field(default_factory=list, metadata=key("groups by id, and users by id or address"))


@dataclass
class Policies(Replicated):
    """Policies for sign-ins: authentication policies, Conditional Access, the end of Basic authentication."""

    authentication: dict[str, AuthenticationPolicy] = field(
        default_factory=dict, metadata=key("authentication policies", index="name", fold=True)
    )  # by lower-case name
    default_authentication: Lower | None = field(default=None, metadata=key("name of the default policy", convert=_default, after=True))
    conditional_access: dict[str, dict[str, Any]] = field(
        default_factory=dict, metadata=key("Conditional Access policies by the property names of Graph; `id` may be left out")
    )  # by id
    named_locations: dict[str, dict[str, Any]] = field(
        default_factory=dict, metadata=key("named locations by the property names of Graph; `id` may be left out")
    )  # by id
    groups: dict[str, Group] = field(default_factory=dict, metadata=key("groups", index="id"))  # by id
    role_members: dict[str, list[Lower]] = field(
        default_factory=dict, metadata=key("directory role -> users and groups", convert=_role_members)
    )  # by role template id
    basic_retired_from: Moment = field(default=0.0, metadata=key("when Basic authentication is off by default; 0: never"))
    basic_reenabled: bool = field(default=False, metadata=key("whether an administrator has enabled it again"))
    asked: float = field(default=0.0, compare=False)  # when Conditional Access was last read through Graph
    replicating: Replicating = field(default_factory=dict, metadata=key("old values that the mail services still use"))

    def memberships(self, names: set[str]) -> tuple[set[str], set[str]]:
        """The groups that a user, known by these names, is in, at any depth, and its role templates, through groups as well."""
        groups: set[str] = set()
        waiting = names
        while waiting:
            result = {g.id for g in self.groups.values() if waiting & set(g.members)} - groups
            groups |= result
            waiting = result
        holders = groups | names
        return groups, {role for role, members in self.role_members.items() if holders & set(members)}
