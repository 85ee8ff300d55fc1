"""Role Based Access Control for Applications: management scopes, and the roles that applications are assigned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.state.ids import new_guid
from emulator.state.replicated import Replicated

SMTP_ROLE = "Application SMTP.SendAsApp"


@dataclass
class ManagementScope(Replicated):
    name: str
    recipient_filter: str
    guid: str = field(default_factory=new_guid)
    changed: float = 0.0
    replicating: dict[str, tuple[float, Any]] = field(default_factory=dict)


@dataclass
class ManagementRoleAssignment(Replicated):
    """A role of an application; SMTP honours it from `effective_from`, and, once removed, until `ends`."""

    name: str
    role: str
    assignee: str  # object id of the service principal in Exchange
    scope: str | None = None  # GUID of a management scope; None: the whole organization
    enabled: bool = True
    guid: str = field(default_factory=new_guid)
    changed: float = 0.0
    effective_from: float = 0.0
    ends: float | None = None
    replicating: dict[str, tuple[float, Any]] = field(default_factory=dict)


@dataclass
class Rbac:
    """What a tenant has of it."""

    scopes: dict[str, ManagementScope] = field(default_factory=dict)  # by lower-case name
    assignments: list[ManagementRoleAssignment] = field(default_factory=list)  # removed ones too, as long as SMTP honours them

    @property
    def live(self) -> list[ManagementRoleAssignment]:
        return [assignment for assignment in self.assignments if assignment.ends is None]

    def scope(self, guid: str | None) -> ManagementScope | None:
        return next((scope for scope in self.scopes.values() if scope.guid == guid), None)

    def in_force(self, assignee: str, now: float) -> list[ManagementRoleAssignment]:
        """The assignments of SMTP's role that SMTP goes by now."""
        return [
            a
            for a in self.assignments
            if a.role == SMTP_ROLE and a.assignee == assignee and a.effective_from <= now and (a.ends is None or now < a.ends)
        ]
