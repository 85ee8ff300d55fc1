# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federated identity credentials of an application: tokens of other issuers that it accepts instead of a secret or certificate.

Source: Microsoft Graph v1.0, "federatedIdentityCredential resource type" (upsert by name).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from .._clients import permissions
from .._clients.graph import Call
from .._clients.odata import key
from .._clients.permissions import RequiredPermission
from .._core.errors import InvalidInput
from .._core.params import nested
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource, UnmetAssumptions
from .._engine.tenant import Tenant
from .._entra import application_lookup, federation
from .._entra.application_credentials import moment
from .._entra.application_lookup import application_id
from .._entra.applications import is_replication_delay
from .._entra.federation import Credential, TokenIdentity
from .._entra.graph_objects import FederatedIdentityCredential
from .._entra.kept_credentials import has_usable
from .._http.transport import Request
from .._identity.credentials import GUID
from .._identity.federated import FederatedToken

APPLICATION = Spec(
    {"unique_name": {"type": "str"}, "app_id": {"type": "str"}},
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"),),
    writes=False,
)
OPTIONS = Spec(
    {
        "credentials": {"type": "list", "elements": "dict", "options": federation.OPTIONS, "required": True},
        "exclusive": {"type": "bool", "default": False},
    }
)


@dataclass(frozen=True)
class ApplicationParams:
    """The options that name the application."""

    unique_name: str | None
    app_id: str | None

    @property
    def application(self) -> str:
        return str(self.unique_name or self.app_id)

    @property
    def path(self) -> str:
        """The application's path in Graph."""
        name = f"uniqueName='{key(self.unique_name)}'" if self.unique_name else f"appId='{key(self.app_id or '')}'"
        return f"/applications({name})"

    def problems(self) -> list[str]:
        invalid = self.app_id and not GUID.fullmatch(self.app_id)
        return [f"app_id is {self.app_id!r}: give the application's client id, a GUID."] if invalid else []


@dataclass(frozen=True)
class FederatedCredentialParams(ApplicationParams):
    """The options of the module federated_credential."""

    exclusive: bool
    credentials: tuple[Credential, ...] = nested(Credential)


@dataclass(frozen=True)
class CredentialState:
    """One credential in Entra. `audience`: the audiences, separated by commas."""

    issuer: str
    subject: str
    audience: str
    description: str

    @property
    def identity(self) -> TokenIdentity:
        return TokenIdentity(self.issuer, self.subject)

    @property
    def accepted(self) -> tuple[str, str, str]:
        """What decides which tokens the credential accepts: issuer, subject and audience."""
        return self.issuer, self.subject, self.audience

    def body(self) -> dict[str, object]:
        return {"issuer": self.issuer, "subject": self.subject, "description": self.description, "audiences": [self.audience]}


States = Mapping[str, CredentialState]  # by name


@dataclass(frozen=True)
class CredentialChanges:
    """The names of the credentials to remove, which happens first, and the credentials to create or update."""

    remove: tuple[str, ...] = ()
    write: States = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.remove or self.write)


class FederatedCredential:
    """Implements the module federated_credential."""

    name = "federated_credential"
    spec = TENANT | JOURNAL | APPLICATION | OPTIONS
    params_type = FederatedCredentialParams

    def validate(self, params: FederatedCredentialParams) -> list[str]:
        return params.problems() + federation.problems(params.credentials)

    def plan(self, tenant: Tenant, params: FederatedCredentialParams, check_mode: bool) -> Plan[CredentialChanges]:
        assumptions = []
        read_states = read(tenant, params)
        if read_states is None and any(item.is_present for item in params.credentials):
            problem, remedy = f"Entra has no application {params.application}", "register it first (module entra_app)"
            needed = application_lookup.registration_of(params.application)
            assumptions.append(application_lookup.assumption("unique_name", problem, remedy, needed))
            if not check_mode:
                raise UnmetAssumptions(*assumptions)
        current = read_states or {}
        listed = desired_states(tenant, params, current)
        absent = {item.name for item in params.credentials if not item.is_present}
        kept = {} if params.exclusive else {name: state for name, state in current.items() if name not in absent}
        desired = kept | listed
        own = own_credential(tenant, params, current, desired)
        desired |= own
        warnings = [f"{params.application}: the federated credential {name} stays as it is: Ansible signs in with it." for name in own]
        if current and not desired and not has_usable(tenant, params.path, params.unique_name, moment(tenant.clock.now())):
            desired = dict(current)
            warnings += [
                f"{params.application}: the federated credentials {', '.join(sorted(current))} stay: without them the application has no "
                "usable credential. Add another one first."
            ]
        refuse_conflicts(params.application, desired, listed, own)
        return Plan(
            before={name: asdict(state) for name, state in current.items() if desired.get(name) != state},
            after={name: asdict(state) for name, state in desired.items() if current.get(name) != state},
            changes=changes_between(current, desired),
            outcome=_outcome(desired),
            warnings=warnings,
            assumptions=assumptions,
        )

    def required_permissions(self, changes: CredentialChanges, /) -> list[RequiredPermission]:
        return [permissions.APPLICATIONS_WRITE]

    def apply(self, tenant: Tenant, params: FederatedCredentialParams, plan: Plan[CredentialChanges]) -> dict[str, object]:
        attempted = f"change the federated credentials of {params.application}"
        # Removals first, because another credential may take over the name, or issuer and subject. Each call can be repeated.
        removals = [Call("DELETE", _path(params, name), None, attempted) for name in plan.pending.remove]
        upsert = {"Prefer": "create-if-missing"}
        writes = [Call("PATCH", _path(params, name), state.body(), attempted, upsert) for name, state in plan.pending.write.items()]
        for calls in (removals, writes):
            if calls:
                tenant.graph.retry(functools.partial(tenant.graph.batch, calls), is_replication_delay, tenant.wait_timeout)
        return plan.outcome


class FederatedCredentialInfo(ReadOnlyResource[ApplicationParams]):
    """Implements the module federated_credential_info."""

    name = "federated_credential_info"
    spec = TENANT | APPLICATION
    params_type = ApplicationParams

    def validate(self, params: ApplicationParams) -> list[str]:
        return params.problems()

    def plan(self, tenant: Tenant, params: ApplicationParams, check_mode: bool) -> Plan[None]:
        current = read(tenant, params)
        return Plan(outcome={"credentials": None} if current is None else _outcome(current))


RESOURCE = FederatedCredential()
INFO = FederatedCredentialInfo()


def _outcome(states: States) -> dict[str, object]:
    return {"credentials": {name: asdict(state) for name, state in sorted(states.items())}}


def _path(params: ApplicationParams, name: str) -> str:
    return f"{params.path}/federatedIdentityCredentials(name='{key(name)}')"


def read(tenant: Tenant, params: ApplicationParams) -> dict[str, CredentialState] | None:
    """The credentials by name; None where Entra has no such application."""
    attempted = f"read the federated credentials of {params.application}"
    [answer] = tenant.graph.batch([Call("GET", f"{params.path}/federatedIdentityCredentials", attempted=attempted)])
    return None if answer is None else {str(item["name"]): _state(item) for item in answer.get("value", [])}


def _state(item: FederatedIdentityCredential) -> CredentialState:
    audience, description = ", ".join(item["audiences"]), str(item.get("description") or "")
    return CredentialState(str(item["issuer"]), str(item["subject"]), audience, description)


def desired_states(tenant: Tenant, params: FederatedCredentialParams, current: States) -> dict[str, CredentialState]:
    """The desired state of the listed credentials; a description that is not set is kept."""
    present = [item for item in params.credentials if item.is_present]
    tenant_issuer = read_tenant_issuer(tenant) if any(item.managed_identity for item in present) else ""
    desired = {}
    for item in present:
        identity = item.identity(tenant_issuer)
        previous = current.get(item.name)
        description = item.description if item.description is not None else previous.description if previous else ""
        desired[item.name] = CredentialState(*identity, item.audience or tenant.cloud.federated_audience, description)
    return desired


def read_tenant_issuer(tenant: Tenant) -> str:
    """The claim iss of the tenant's managed identities, from the tenant's OpenID configuration."""
    attempted = "read the issuer of the tenant"
    url = f"{tenant.cloud.authority}/{tenant.name}/v2.0/.well-known/openid-configuration"
    document = tenant.transport.send(Request("GET", url, attempted=attempted)).json()
    if not isinstance(document, dict) or not document.get("issuer"):
        raise InvalidInput(f"{url} has no issuer: check m365_tenant and m365_cloud, or give issuer and subject.")
    return str(document["issuer"])


def own_credential(tenant: Tenant, params: ApplicationParams, current: States, desired: States) -> dict[str, CredentialState]:
    """The credential of this run's sign-in, where the changes would remove it or change what it accepts; else none.

    The token is read only where credentials of the automation app would be removed or changed.
    """
    changed = {name: state for name, state in current.items() if name not in desired or desired[name].accepted != state.accepted}
    if not changed or not isinstance(tenant.credential, FederatedToken):
        return {}
    app_id = application_id(tenant, params.app_id, params.unique_name)
    if not app_id or app_id.lower() != tenant.client_id.lower():
        return {}
    identity = tenant.credential.identity(tenant.tokens.sign_in("read the issuer and the subject of this sign-in"))
    return {name: state for name, state in changed.items() if state.identity == identity}


def refuse_conflicts(application: str, desired: States, listed: States, own: States) -> None:
    """Raise InvalidInput where Entra would refuse the result: too many credentials, or the same issuer and subject twice.

    `own`: the credential of this run's sign-in, where it stays although the options would remove or change it.
    """
    sentences = []
    if len(desired) > federation.MAX_CREDENTIALS:
        sentences.append(
            f"credentials: {application} would have {len(desired)} federated credentials; the limit is {federation.MAX_CREDENTIALS}: "
            "remove some (state absent, or exclusive)."
        )
    by_identity: dict[TokenIdentity, list[str]] = {}
    for name, state in desired.items():
        by_identity.setdefault(state.identity, []).append(name)
    for names in by_identity.values():
        if len(names) > 1 and set(names) & set(listed):
            remedy = "sign in otherwise to replace the one that Ansible signs in with" if set(names) & own.keys() else "remove one of them"
            sentences.append(f"credentials: {' and '.join(sorted(names))} would have the same issuer and subject: {remedy}.")
    if sentences:
        raise InvalidInput(*sentences)


def changes_between(current: States, desired: States) -> CredentialChanges:
    """A credential whose issuer and subject another one takes over is removed and created again: any order of writes is accepted."""
    remove = [name for name in current if name not in desired]
    write = {name: state for name, state in desired.items() if current.get(name) != state}
    owners = {state.identity: name for name, state in current.items()}
    for name, state in write.items():
        owner = owners.get(state.identity, name)
        if owner != name and owner in write:
            remove.append(owner)
    return CredentialChanges(tuple(remove), write)
