"""What decides over sign-ins beside the mailboxes' switches: authentication policies, Conditional Access, the end of Basic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.state.replicated import Replicated

# What New-AuthenticationPolicy switches beside AllowBasicAuthSmtp.
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


@dataclass
class AuthenticationPolicy(Replicated):
    """What New-AuthenticationPolicy makes; `allowed` are its other AllowBasicAuth... switches that are on."""

    name: str
    guid: str
    allow_basic_auth_smtp: bool = False
    allowed: list[str] = field(default_factory=list)
    effective_from: float = 0.0  # when sign-ins start to go by it
    replicating: dict[str, tuple[float, Any]] = field(default_factory=dict)


@dataclass
class Group:
    """A group; its members are groups by id and users by id or address."""

    id: str
    display_name: str
    members: list[str] = field(default_factory=list)


@dataclass
class Policies(Replicated):
    """One tenant's. Basic authentication is retired from a date on, unless an administrator has turned it on again."""

    authentication: dict[str, AuthenticationPolicy] = field(default_factory=dict)  # by lower-case name
    default_authentication: str | None = None  # lower-case name of the organization's default
    conditional_access: dict[str, dict[str, Any]] = field(default_factory=dict)  # by id, by Microsoft's property names
    named_locations: dict[str, dict[str, Any]] = field(default_factory=dict)  # the same
    groups: dict[str, Group] = field(default_factory=dict)  # by id
    role_members: dict[str, list[str]] = field(default_factory=dict)  # role template id -> users and groups, as a group has them
    basic_retired_from: float = 0.0  # 0: never
    basic_reenabled: bool = False
    asked: float = field(default=0.0, compare=False)  # when Graph was last asked for Conditional Access
    replicating: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def memberships(self, names: set[str]) -> tuple[set[str], set[str]]:
        """The groups that a user, known by these names, is in, at any depth, and its role templates, through groups as well."""
        groups: set[str] = set()
        waiting = names
        while waiting:
            found = {g.id for g in self.groups.values() if waiting & set(g.members)} - groups
            groups |= found
            waiting = found
        holders = groups | names
        return groups, {role for role, members in self.role_members.items() if holders & set(members)}
