# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federated credentials of an application: which other issuers' tokens stand for it.

Private to the collection. Source: Microsoft Graph v1.0, "federatedIdentityCredential resource type" (upsert by name).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from .._clients.graph import Call, key
from .._core.errors import InvalidInput
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import GUID, Tenant
from .._entra import federation
from .._entra.applications import lagging
from .._entra.federation import Credential
from .._http.transport import Request

APPLICATION = Spec(
    {"unique_name": {"type": "str"}, "app_id": {"type": "str"}},
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"),),
    writes=False,
)
CREDENTIAL = {
    "name": {"type": "str", "required": True},
    "issuer": {"type": "str"},
    "subject": {"type": "str"},
    "audience": {"type": "str"},
    "description": {"type": "str"},
    **{name: {"type": "dict", "options": platform.options} for name, platform in federation.PLATFORMS.items()},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec(
    {
        "credentials": {"type": "list", "elements": "dict", "options": CREDENTIAL, "required": True},
        "exclusive": {"type": "bool", "default": False},
    }
)
Shown = dict[str, str]


@dataclass
class Work:
    """What is to be done, by the credentials' names: first removed, then written (made or changed)."""

    remove: list[str] = field(default_factory=list)
    write: dict[str, Shown] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.remove or self.write)


class FederatedCredential:
    """module federated_credential"""

    name = "federated_credential"
    spec = TENANT | JOURNAL | APPLICATION | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        return application_problems(params) + federation.problems(credentials(params))

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        plan = Plan()
        have, there = read(tenant, params)
        if not there and any(item.is_present for item in credentials(params)):
            sentence = f"Entra has no application {named(params)}"
            if not check_mode:
                raise InvalidInput(f"{sentence}: register it first (module entra_app).")
            plan.warnings.append(f"{sentence} yet; the prediction assumes that an earlier task of the real run makes it.")
        wanted = expected(tenant, params, have)
        kept = {} if params["exclusive"] else {name: shown for name, shown in have.items() if name not in removed(params)}
        now = kept | wanted
        refuse(named(params), now, wanted)
        work = difference(have, now)
        plan.before = {name: shown for name, shown in have.items() if now.get(name) != shown}
        plan.after = {name: shown for name, shown in now.items() if have.get(name) != shown}
        plan.steps = [work] if work else []
        plan.outcome = {"credentials": dict(sorted(now.items()))}
        return plan

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        [work] = plan.steps
        attempted = f"change the federated credentials of {named(params)}"
        # Removed first: a name or an issuer with its subject may be another's afterwards. Each call may be repeated.
        removals = [Call("DELETE", _path(params, name), None, attempted) for name in work.remove]
        upsert = {"Prefer": "create-if-missing"}
        writes = [Call("PATCH", _path(params, name), _body(shown), attempted, upsert) for name, shown in work.write.items()]
        for calls in (removals, writes):
            if calls:
                tenant.graph.retry(functools.partial(tenant.graph.batch, calls), lagging, tenant.wait_timeout)
        return plan.outcome


class FederatedCredentialInfo(Reading):
    """module federated_credential_info"""

    name = "federated_credential_info"
    spec = TENANT | APPLICATION

    def check(self, params: dict[str, Any]) -> list[str]:
        return application_problems(params)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        have, there = read(tenant, params)
        return Plan(outcome={"credentials": dict(sorted(have.items())) if there else None})


RESOURCE = FederatedCredential()
INFO = FederatedCredentialInfo()


def application_problems(params: dict[str, Any]) -> list[str]:
    app_id = params["app_id"]
    return [f"app_id is {app_id!r}: give the application's client id, a GUID."] if app_id and not GUID.fullmatch(app_id) else []


def named(params: dict[str, Any]) -> str:
    return str(params["unique_name"] or params["app_id"])


def _application(params: dict[str, Any]) -> str:
    name = f"uniqueName='{key(params['unique_name'])}'" if params["unique_name"] else f"appId='{key(params['app_id'])}'"
    return f"/applications({name})"


def _path(params: dict[str, Any], name: str) -> str:
    return f"{_application(params)}/federatedIdentityCredentials(name='{key(name)}')"


def _body(shown: Shown) -> dict[str, Any]:
    body: dict[str, Any] = {name: shown[name] for name in ("issuer", "subject", "description")}
    return body | {"audiences": [shown["audience"]]}


def read(tenant: Tenant, params: dict[str, Any]) -> tuple[dict[str, Shown], bool]:
    """The credentials by name, and whether there is such an application."""
    attempted = f"read the federated credentials of {named(params)}"
    found = tenant.graph.batch([Call("GET", f"{_application(params)}/federatedIdentityCredentials", attempted=attempted)])[0]
    return {str(item["name"]): public(item) for item in (found or {}).get("value", [])}, found is not None


def public(item: dict[str, Any]) -> Shown:
    return {
        "issuer": str(item["issuer"]),
        "subject": str(item["subject"]),
        "audience": ", ".join(item["audiences"]),
        "description": str(item.get("description") or ""),
    }


def credentials(params: dict[str, Any]) -> list[Credential]:
    return [Credential.from_options(item) for item in params["credentials"]]


def removed(params: dict[str, Any]) -> set[str]:
    return {item.name for item in credentials(params) if not item.is_present}


def expected(tenant: Tenant, params: dict[str, Any], have: dict[str, Shown]) -> dict[str, Shown]:
    """The credentials that are asked for, as they will be; what is not said of one that is there stays."""
    present = [item for item in credentials(params) if item.is_present]
    own = own_issuer(tenant) if any("managed_identity" in item.platforms for item in present) else ""
    wanted = {}
    for item in present:
        issuer, subject = federation.token_identity(item, own)
        old = have.get(item.name, {})
        wanted[item.name] = {
            "issuer": issuer,
            "subject": subject,
            "audience": item.audience or tenant.cloud.federated_audience,
            "description": item.description if item.description is not None else old.get("description", ""),
        }
    return wanted


def own_issuer(tenant: Tenant) -> str:
    """What the tokens of the tenant's managed identities say in `iss`: its discovery document tells, in each cloud."""
    attempted = "read the tenant's own issuer"
    url = f"{tenant.cloud.authority}/{tenant.name}/v2.0/.well-known/openid-configuration"
    document = tenant.transport.send(Request("GET", url, attempted=attempted)).json()
    if not isinstance(document, dict) or not document.get("issuer"):
        raise InvalidInput(f"{url} does not tell the tenant's issuer: check m365_tenant and m365_cloud, or give issuer and subject.")
    return str(document["issuer"])


def refuse(application: str, now: dict[str, Shown], wanted: dict[str, Shown]) -> None:
    """Raise one InvalidInput with all that Entra would refuse: too many, or the same tokens twice."""
    sentences = []
    if len(now) > federation.MAX_CREDENTIALS:
        sentences.append(
            f"{application} would have {len(now)} federated credentials, {federation.MAX_CREDENTIALS} are the most: "
            "remove some (state absent, or exclusive)."
        )
    by_pair: dict[tuple[str, str], list[str]] = {}
    for name, shown in now.items():
        by_pair.setdefault((shown["issuer"], shown["subject"]), []).append(name)
    for names in by_pair.values():
        if len(names) > 1 and set(names) & set(wanted):
            sentences.append(f"credentials: {' and '.join(sorted(names))} would have the same issuer and subject: remove one of them.")
    if sentences:
        raise InvalidInput(*sentences)


def difference(have: dict[str, Shown], now: dict[str, Shown]) -> Work:
    """One that takes over issuer and subject of another is made anew, so that no order of the writes is refused."""
    work = Work(remove=[name for name in have if name not in now])
    work.write = {name: shown for name, shown in now.items() if have.get(name) != shown}
    taken = {(shown["issuer"], shown["subject"]): name for name, shown in have.items()}
    for name, shown in work.write.items():
        other = taken.get((shown["issuer"], shown["subject"]), name)
        if other != name and other in work.write:
            work.remove.append(other)
    return work
