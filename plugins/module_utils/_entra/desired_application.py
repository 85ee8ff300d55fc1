# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of an application, and the properties that differ from the current ones.

Source: "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import certificates
from .application_changes import required_access
from .application_params import EntraAppParams
from .application_state import PermissionId, redirect_uris, required_permissions
from .applications import CurrentApplication, Permission, permissions, revoked
from .certificates import PublicCertificate
from .graph_objects import ApplicationObject
from .renewal import Renewal

LOOPBACK = "http://localhost"
SEND_AS_APP = "7146a1f0-8703-45b3-9eae-527a64c00995"  # SMTP.SendAsApp of Exchange Online, the same in every tenant


@dataclass(frozen=True)
class DesiredApplication:
    """The desired permissions, with their ids, and certificates.

    `certificates`: None where the option is not set; `retired`: thumbprints of the certificates to remove; `kept`: of those that are not
    removed in any case. `revoked`: permissions that end, of which none is desired.
    """

    permissions: tuple[Permission, ...]
    certificates: tuple[PublicCertificate, ...] | None
    retired: frozenset[str]
    kept: frozenset[str] = frozenset()
    renewal: Renewal | None = None
    revoked: tuple[Permission, ...] = ()


def desired_application(current: CurrentApplication, params: EntraAppParams) -> DesiredApplication:
    """The desired permissions and certificates; InvalidInput names every permission that its API does not offer."""
    listed = permissions(current, params.permissions or ())
    desired = tuple(permission for permission in listed if not (params.is_rbac and permission.id == SEND_AS_APP))
    return DesiredApplication(
        desired,
        None if params.certificates is None else tuple(map(certificates.read, params.certificates)),
        retired_thumbprints(params.retired_certificates or ()),
        revoked=tuple(permission for permission in revoked(current, params.revoked_permissions) if permission not in desired),
    )


def retired_thumbprints(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(certificates.read(text, "retired_certificates", retired=True).thumbprint for text in texts)


def application_patch(current: CurrentApplication, desired: DesiredApplication, params: EntraAppParams) -> ApplicationObject:
    """The properties of the application that differ, without its certificates."""
    patch: ApplicationObject = {}
    application: ApplicationObject = current.application or {}
    title = params.display_name or (None if current.application else params.unique_name)
    if title and application.get("displayName") != title:
        patch["displayName"] = title
    if application.get("uniqueName") != params.unique_name:
        patch["uniqueName"] = params.unique_name
    if not current.application:
        patch["signInAudience"] = "AzureADMyOrg"
    # A public client has no credential: users sign in to it by device code, or in a browser with a redirect to localhost.
    if params.public_client is not None and bool(application.get("isFallbackPublicClient")) != params.public_client:
        patch["isFallbackPublicClient"] = params.public_client
    uris = redirect_uris(application)
    if params.public_client and LOOPBACK not in uris:
        patch["publicClient"] = {"redirectUris": [*uris, LOOPBACK]}
    if params.permissions is not None or desired.revoked:
        required = required_permissions(current)
        kept = required - {PermissionId(p.api.lower(), p.id, p.delegated) for p in desired.revoked}
        is_complete = params.exclusive and params.permissions is not None
        target = {PermissionId(p.api.lower(), p.id, p.delegated) for p in desired.permissions} | (set() if is_complete else kept)
        if params.is_rbac:
            target = {permission for permission in target if permission.id != SEND_AS_APP}
        if target != required:
            patch["requiredResourceAccess"] = required_access(target)
    return patch
