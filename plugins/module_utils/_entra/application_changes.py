# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference between the current and the desired consent, certificates and required permissions of an application.

Source: Microsoft Graph v1.0, "appRoleAssignment", "oAuth2PermissionGrant", "keyCredential", "requiredResourceAccess".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .application_state import PermissionId, granted_scopes, key_credentials, thumbprint
from .applications import CurrentApplication, Permission
from .certificates import PublicCertificate
from .graph_objects import AppRoleAssignment, RequiredResourceAccess


@dataclass(frozen=True)
class ConsentChanges:
    """The changes to admin consent. `scopes`: resource id -> the scopes of its grant."""

    assign: tuple[Permission, ...] = ()
    unassign: tuple[AppRoleAssignment, ...] = ()
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def revoking(self, current: CurrentApplication, revoked: Sequence[Permission]) -> ConsentChanges:
        """The changes with the end of consent to the permissions. Other scopes of a grant stay."""
        ids = {(permission.resource_id, permission.id) for permission in revoked if not permission.delegated}
        ended = [a for a in current.assignments if (a["resourceId"], a["appRoleId"]) in ids and a not in self.unassign]
        names = {(permission.resource_id, permission.name) for permission in revoked if permission.delegated}
        scopes = dict(self.scopes)
        for resource, present in granted_scopes(current).items():
            target = frozenset(name for name in scopes.get(resource, present) if (resource, name) not in names)
            if target != scopes.get(resource, present):
                scopes[resource] = target
        return replace(self, unassign=(*self.unassign, *ended), scopes=scopes)


def required_access(entries: set[PermissionId]) -> list[RequiredResourceAccess]:
    """The property requiredResourceAccess with these permissions."""
    return [
        {
            "resourceAppId": api,
            "resourceAccess": [{"id": p.id, "type": "Scope" if p.delegated else "Role"} for p in sorted(entries) if p.api == api],
        }
        for api in sorted({permission.api for permission in entries})
    ]


def certificate_changes(
    current: CurrentApplication,
    listed: Sequence[PublicCertificate] | None,
    retired: Collection[str],
    exclusive: bool,
    kept: Collection[str] = (),
) -> tuple[tuple[PublicCertificate, ...], frozenset[str]]:
    """The certificates to add, and the keyIds of those to remove.

    `listed`: the desired certificates, None to add none; `retired`: thumbprints; `exclusive`: remove what is not listed; `kept`:
    thumbprints of certificates that stay in any case.
    """
    credentials = key_credentials(current)
    removed = {thumbprint(credential) for credential in credentials if thumbprint(credential) in retired}
    present = {thumbprint(credential) for credential in credentials}
    if exclusive and listed is not None:
        removed |= present - {leaf.thumbprint for leaf in listed}
    remove = frozenset(credential["keyId"] for credential in credentials if thumbprint(credential) in removed - set(kept))
    return tuple(leaf for leaf in listed or () if leaf.thumbprint not in present), remove


def consent_changes(current: CurrentApplication, desired: Sequence[Permission], exclusive: bool, excluded: str) -> ConsentChanges:
    """The changes to admin consent. Consent to the permission `excluded` is kept as it is."""
    assigned = {(a["resourceId"], a["appRoleId"]) for a in current.assignments}
    roles = [p for p in desired if not p.delegated and p.id != excluded]
    kept = {(p.resource_id, p.id) for p in roles}
    removable = current.assignments if exclusive else ()
    granted = granted_scopes(current)
    scopes = {}
    for resource in sorted({p.resource_id for p in desired if p.delegated} | (set(granted) if exclusive else set())):
        listed = {p.name for p in desired if p.delegated and p.resource_id == resource}
        present = granted.get(resource, frozenset())
        target = listed if exclusive else listed | present
        if target != present:
            scopes[resource] = frozenset(target)
    return ConsentChanges(
        assign=tuple(p for p in roles if (p.resource_id, p.id) not in assigned),
        unassign=tuple(a for a in removable if (a["resourceId"], a["appRoleId"]) not in kept and a["appRoleId"] != excluded),
        scopes=scopes,
    )
