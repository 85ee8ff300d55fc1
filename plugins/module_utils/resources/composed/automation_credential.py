# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential of the automation app, which this run signs in with: renewed where its file is managed, else a warning before it expires.

Source: Microsoft Graph v1.0, "Get application" (keyCredentials, passwordCredentials).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from ..._clients import permissions
from ..._clients.graph import Call
from ..._clients.odata import key
from ..._clients.permissions import RequiredPermission
from ..._composition.step import PLANNED, PlannedStep, Step
from ..._core.errors import GraphError
from ..._core.json_types import JsonObject
from ..._core.params import NoParams
from ..._core.spec import JOURNAL, TENANT, Spec
from ..._engine.resource import Plan
from ..._engine.tenant import Tenant
from ..._entra import certificates
from ..._entra.application_credentials import StoredCredential, credentials_of, expiring, expiry_attention, moment
from ..._entra.application_writer import key_credentials_after
from ..._entra.applications import is_replication_delay
from ..._entra.graph_objects import ApplicationObject
from ..._entra.key_store import KeyStore, path_of
from ..._entra.renewal import Renewal
from ..._identity.credentials import ClientCertificate

_RENEW = "Create a new one, register it on the automation app, and set m365_certificate_path or m365_client_secret."
_SUBJECT = "Automation app"


def call_of(client_id: str) -> Call:
    """The request for the automation app's credentials. It is part of a batch that is sent anyway."""
    path = f"/applications(appId='{key(client_id)}')?$select=id,appId,displayName,uniqueName,keyCredentials,passwordCredentials"
    return Call("GET", path, attempted="read the credentials of the automation app")


@dataclass(frozen=True)
class AutomationCredential:
    """`application`: as Graph returns it, None where it was not read; `own`: the certificate of this sign-in.

    `renewal`: of a certificate in m365_key_directory.
    """

    application: ApplicationObject | None
    own: ClientCertificate | None
    renewal: Renewal | None
    now: datetime.datetime

    @classmethod
    def of(cls, tenant: Tenant, key_directory: str | None, *, prefetched: bool) -> AutomationCredential:
        """`prefetched`: whether `call_of` was part of another batch. An application that may not be read is none."""
        application: ApplicationObject | None = None
        if prefetched:
            try:
                application = tenant.graph.read(call_of(tenant.client_id))
            except GraphError:
                application = None  # a missing permission; the sign-in works, and the certificate's own date is known
        own = tenant.credential if isinstance(tenant.credential, ClientCertificate) else None
        renewal = renewal_of(tenant, key_directory)
        if application and renewal and not _owns(application, renewal):
            renewal = None
        return cls(application, own, renewal, moment(tenant.clock.now()))

    @property
    def credentials(self) -> list[StoredCredential]:
        """The application's credentials; where they were not read, the certificate of this sign-in alone."""
        if self.application:
            return credentials_of(self.application)
        return [StoredCredential("certificate", "", self.own.subject, self.own.expires, self.own.thumbprint)] if self.own else []

    def attention(self) -> list[JsonObject]:
        """Credentials that expire, as entries that need attention."""
        concerned = [one for one in expiring(self.credentials, self.now) if not (self.renewal and self.renewal.replaces(one))]
        return list(expiry_attention(_SUBJECT, concerned, self.now, _RENEW)) + (self.renewal.attention() if self.renewal else [])


# -- renewal ----------------------------------------------------------------------------------------------------------


def renewal_of(tenant: Tenant, key_directory: str | None) -> Renewal | None:
    """The renewal of the certificate of this sign-in, where its file is this tenant's in m365_key_directory; else None."""
    path = tenant.certificate_path
    if not path or not isinstance(tenant.credential, ClientCertificate):
        return None
    file = Path(path).expanduser().resolve()
    if file != path_of(key_directory, tenant.name, file.stem).resolve():
        return None
    return Renewal.of(_SUBJECT, KeyStore(file), moment(tenant.clock.now()))


def _owns(application: ApplicationObject, renewal: Renewal) -> bool:
    """Whether the key file has the application's name. Another application with the same certificate would lose its sign-in."""
    return application.get("uniqueName") == renewal.store.path.stem


@dataclass(frozen=True)
class RenewalChanges:
    """The application, and the keyIds of certificates that have ended."""

    application: ApplicationObject
    renewal: Renewal
    removed: frozenset[str]

    def __bool__(self) -> bool:
        return self.renewal.switches or bool(self.removed)


@dataclass
class AutomationCertificate:
    """Renews the certificate that the run signs in with: a resource without a module, which is a step of the tenant's plan."""

    application: ApplicationObject
    renewal: Renewal
    name = "automation_certificate"
    spec = TENANT | JOURNAL | Spec({})
    params_type = NoParams

    def validate(self, params: NoParams) -> list[str]:
        return []

    def plan(self, tenant: Tenant, params: NoParams, check_mode: bool) -> Plan[RenewalChanges]:
        renewal, stored = self.renewal, [one for one in credentials_of(self.application) if one.thumbprint]
        present = {one.thumbprint for one in stored}
        removed = frozenset(one.key_id for one in stored if one.thumbprint in renewal.ended)
        added = {leaf.thumbprint for leaf in renewal.listed if renewal.switches} | ({renewal.new_label} if renewal.creates else set())
        before = {"certificates": sorted(present), "certificate_in_use": renewal.in_use}
        after = {"certificates": sorted(present - renewal.ended | added), "certificate_in_use": renewal.in_use_after}
        changes = RenewalChanges(self.application, renewal, removed)
        return Plan(before, after, changes or None)

    def required_permissions(self, changes: RenewalChanges, /) -> list[RequiredPermission]:
        return [permissions.APPLICATIONS_WRITE]

    def apply(self, tenant: Tenant, params: NoParams, plan: Plan[RenewalChanges]) -> dict[str, object]:
        changes, renewal = plan.pending, self.renewal
        if renewal.creates:
            renewal.create()
        following = renewal.store.next()
        leaves = [certificates.read(following.certificate, retired=True)] if following else []
        path = f"/applications/{changes.application['id']}"
        body = {"keyCredentials": key_credentials_after(tenant.graph, path, _SUBJECT, leaves, changes.removed)}
        call = Call("PATCH", path, body, "renew the certificate of the automation app")
        tenant.graph.write(call, retry_on=is_replication_delay, limit=tenant.wait_timeout)
        refused = renewal.switch(tenant, tenant.client_id) if renewal.switches else ""
        plan.warnings += [refused] if refused else []
        renewal.retire()
        return plan.outcome


def step_of(tenant: Tenant, automation: AutomationCredential) -> PlannedStep | None:
    """The step that renews the certificate; None where nothing is due, which costs no request."""
    renewal = automation.renewal
    if renewal is None or not (renewal.switches or renewal.ended):
        return None
    application = automation.application or tenant.graph.read(call_of(tenant.client_id))
    if not application or not _owns(application, renewal):
        return None
    resource = AutomationCertificate(application, renewal)
    plan = resource.plan(tenant, NoParams(), check_mode=False)
    name = str(application.get("displayName") or tenant.client_id)
    step = Step("automation_access", resource, {}, subject=name)
    return PlannedStep(step, plan, NoParams(), False, PLANNED) if plan.changed else None
