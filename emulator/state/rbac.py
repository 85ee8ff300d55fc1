"""Role Based Access Control for Applications: management scopes, and the roles that applications are assigned."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.ids import new_guid
from emulator.state.keys import At, Lower, Moment, Replicating, UnfitError, derived, key
from emulator.state.recipient_filter import FilterError, parse
from emulator.state.replicated import Replicated

SMTP_ROLE = "Application SMTP.SendAsApp"


def _filter(text: str, _: At) -> str:
    try:
        return str(parse(text))
    except FilterError as error:
        raise UnfitError(str(error)) from None


def _scope(name: str | None, at: At) -> str | None:
    """The GUID of a scope, given by name or GUID."""
    if not name:
        return None
    scopes: dict[str, ManagementScope] = at.owner["scopes"]
    scope = scopes.get(name.lower()) or next((one for one in scopes.values() if one.guid == name), None)
    if scope is None:
        raise UnfitError(f"{name!r} is no management scope")
    return scope.guid


@dataclass
class ManagementScope(Replicated):
    """A management scope."""

    name: str = field(metadata=key("the name"))
    recipient_filter: str = field(metadata=key("RecipientRestrictionFilter", convert=_filter))
    guid: str = field(default_factory=new_guid, metadata=key("the GUID", **derived("scope", "name")))
    changed: Moment = field(default=0.0, metadata=key("when it was last changed"))
    replicating: Replicating = field(default_factory=dict, metadata=key("old values that the mail services still use"))


@dataclass
class ManagementRoleAssignment(Replicated):
    """A role of an application. SMTP uses it from `effective_from` on, and, once removed, until `ends`."""

    name: str = field(metadata=key("the name"))
    role: str = field(metadata=key("the management role", derive=lambda at: SMTP_ROLE, default=SMTP_ROLE))
    assignee: Lower = field(metadata=key("object id of the service principal in Exchange"))
    scope: str | None = field(
        default=None, metadata=key("name or GUID of a management scope; null: the whole organization", convert=_scope)
    )  # its GUID
    enabled: bool = field(default=True, metadata=key("whether it is enabled"))
    guid: str = field(default_factory=new_guid, metadata=key("the GUID", **derived("assignment", "name")))
    changed: Moment = field(default=0.0, metadata=key("when it was last changed"))
    effective_from: Moment = field(default=0.0, metadata=key("when SMTP starts to use it (replication)"))
    ends: Moment | None = field(default=None, metadata=key("until when SMTP uses a removed assignment", omit=True))
    replicating: Replicating = field(default_factory=dict, metadata=key("old values that the mail services still use"))


@dataclass
class Rbac:
    """RBAC for Applications of a tenant."""

    scopes: dict[str, ManagementScope] = field(
        default_factory=dict, metadata=key("management scopes", name="management_scopes", index="name", fold=True)
    )  # by lower-case name
    assignments: list[ManagementRoleAssignment] = field(
        default_factory=list,
        metadata=key("role assignments; removed ones too, while SMTP uses them", name="management_role_assignments"),
    )

    @property
    def live(self) -> list[ManagementRoleAssignment]:
        return [assignment for assignment in self.assignments if assignment.ends is None]

    def scope(self, guid: str | None) -> ManagementScope | None:
        return next((scope for scope in self.scopes.values() if scope.guid == guid), None)

    def in_force(self, assignee: str, now: float) -> list[ManagementRoleAssignment]:
        """The assignments of SMTP's role that SMTP uses now."""
        return [
            a
            for a in self.assignments
            if a.role == SMTP_ROLE and a.assignee == assignee and a.effective_from <= now and (a.ends is None or now < a.ends)
        ]
