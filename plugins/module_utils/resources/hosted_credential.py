# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP credentials at a hosted relay: created once, stored on the controller, rotated with overlap, removed.

Sources: SendGrid, "API Keys"; SMTP2GO, "SMTP users"; Mailgun, "SMTP credentials"; RFC 4954.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._clients.smtp import Route
from .._core.errors import InvalidInput, SmtpError
from .._core.json_types import JsonObject
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.resource import Assumption, Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._hosted.account import ACCOUNT, region_of, relay_of, smtp_endpoint
from .._hosted.clients import credential_client, refuse_missing_rights
from .._hosted.credential_params import CREDENTIALS, SMTP, Endpoint, InfoParams, Params, credential_problems, name_problems
from .._hosted.credential_store import CredentialStore, Secret, StoredCredential, open_store
from .._hosted.credentials import ListedCredential, created_on, name_of
from .._hosted.rotation import Policy, Rotation, carry_out, planned
from .._hosted.smtp_check import REFUSED, SERVICE, authenticate, authenticate_new


@dataclass(frozen=True)
class Removal:
    """A credential to remove from the provider and from the store."""

    name: str
    listed: tuple[ListedCredential, ...]


@dataclass(frozen=True)
class CredentialChanges:
    """Credentials to create or rotate, and to remove."""

    rotations: tuple[Rotation, ...] = ()
    removals: tuple[Removal, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rotations or self.removals)

    @property
    def actions(self) -> list[str]:
        """The names of CredentialClient's methods that are called."""
        removes = ["remove"] if any(one.listed for one in self.removals) else []
        return sorted({action for rotation in self.rotations for action in rotation.actions} | {*removes})


class HostedCredential:
    """Implements the module hosted_credential."""

    name = "hosted_credential"
    spec = TENANT | ACCOUNT | SMTP | JOURNAL | CREDENTIALS
    params_type = Params
    signs_in = False

    def validate(self, params: Params) -> list[str]:
        return credential_problems(params)

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[CredentialChanges]:
        client, store, today = credential_client(tenant.transport, params), store_of(tenant, params), _today(tenant)
        listing = client.read(_domains(params, store, [item.domain_name for item in params.credentials]))
        assumptions = _unknown_domains(params, listing.unknown_domains, check_mode)
        listed = listing.credentials
        checked = _Checked(tenant, params)
        rotations = [
            planned(item.name, store, listed, Policy(params.days, params.overlap, item.domain_name, today), checked.is_refused)
            for item in params.present
        ]
        removals = tuple(_removals(params, store, listed))
        changes = CredentialChanges(tuple(rotation for rotation in rotations if rotation), removals)
        if changes:
            refuse_missing_rights(client.missing_rights(*changes.actions))
        before = {one.name: _state(one.stored) for one in changes.rotations if one.stored.current}
        before |= {one.name: _state(store.read(one.name) or StoredCredential()) for one in removals}
        after = {one.name: {"credential": one.current, "previous": one.previous} for one in changes.rotations}
        notes = [note for item in params.present for note in store.notes(item.name)] + checked.notes
        rows = [_row(rotation, params, store, checked.verified) for rotation in rotations]
        notes += _problem_notes(rows) + _unknown_notes(rotations)
        return Plan(before, after, changes or None, {"credentials": rows}, notes, assumptions)

    def apply(self, tenant: Tenant, params: Params, plan: Plan[CredentialChanges]) -> dict[str, object]:
        client, store, today, changes = credential_client(tenant.transport, params), store_of(tenant, params), _today(tenant), plan.pending

        def verify(secret: Secret) -> None:
            if params.verify:
                authenticate_new(_route(tenant, params), secret, tenant.transport)

        with store.lock():
            for rotation in changes.rotations:
                carry_out(rotation, client, store, today, verify)
            for removal in changes.removals:
                for one in removal.listed:
                    client.remove(one.id)
                store.remove(removal.name)
        changed = {rotation.name: store.read(rotation.name) or StoredCredential() for rotation in changes.rotations}
        rows = [row | _stored_row(changed[str(row["name"])]) if row["name"] in changed else row for row in plan.outcome["credentials"]]
        return {"credentials": rows}


class HostedCredentialInfo(ReadOnlyResource[InfoParams]):
    """Implements the module hosted_credential_info."""

    name = "hosted_credential_info"
    spec = TENANT | ACCOUNT | SMTP | Spec({"names": {"type": "list", "elements": "str"}}, writes=False)
    params_type = InfoParams
    signs_in = False

    def validate(self, params: InfoParams) -> list[str]:
        return params.problems() + name_problems("names", params.names or ())

    def plan(self, tenant: Tenant, params: InfoParams, check_mode: bool) -> Plan[None]:
        store, checked = store_of(tenant, params), _Checked(tenant, params)
        names = store.names() if params.names is None else [name for name in dict.fromkeys(params.names) if store.read(name)]
        listed = credential_client(tenant.transport, params).read(_domains(params, store, ())).credentials
        rows = []
        for name in names:
            stored = store.read(name) or StoredCredential()
            own = tuple(one for one in listed if name_of(one.label) == name)
            if stored.current and any(one.id == stored.current.id for one in own):
                checked.is_refused(stored.current)
            rows.append(_row(Rotation(name, stored, own), params, store, checked.verified))
        return Plan(outcome={"credentials": rows}, warnings=checked.notes + _problem_notes(rows))


RESOURCE = HostedCredential()
INFO = HostedCredentialInfo()


def store_of(tenant: Tenant, params: Endpoint) -> CredentialStore:
    """The store of the tenant's credentials at the provider."""
    return open_store(params.store, params.vault_password_file, tenant.name, params.provider or "")


# -- reading and comparing --------------------------------------------------------------------------------------------


def _today(tenant: Tenant) -> datetime.date:
    return datetime.datetime.fromtimestamp(tenant.clock.now(), datetime.UTC).date()


def _domains(params: Endpoint, store: CredentialStore, domains: Iterable[str]) -> list[str]:
    """The domains whose credentials are read: those of the options and of the store, where credentials belong to domains."""
    if not params.has_domains:
        return []
    stored = [store.read(name) or StoredCredential() for name in store.names()]
    of_store = [secret.domain for one in stored for secret in (one.current, one.next) if secret]
    of_store += [replaced.id.rpartition("@")[2] for one in stored for replaced in one.previous]
    return sorted({*filter(None, domains), *of_store})


def _unknown_domains(params: Params, unknown: Sequence[str], check_mode: bool) -> list[Assumption]:
    """What a check run assumes about domains that the provider does not have; InvalidInput in a real run."""
    needed = sorted({item.domain_name for item in params.present} & {*unknown})
    label = relay_of(params).label
    if needed and not check_mode:
        raise InvalidInput(
            f"credentials names {', '.join(needed)}, which {label} does not have in the region {region_of(params)}: create it with "
            "hosted_domain, or correct m365_hosted_relay_region. Nothing was changed."
        )
    return [Assumption(f"{label} has the domain {name} by then.") for name in needed]


def _route(tenant: Tenant, params: Endpoint) -> Route:
    host, port = smtp_endpoint(params, params.smtp_host, params.smtp_port)
    return Route(host, port, tenant.cloud.ca_file, service=SERVICE)


class _Checked:
    """What the SMTP endpoint says about stored credentials. `verified`: by name at the provider. `notes`: why one could not be verified."""

    def __init__(self, tenant: Tenant, params: Endpoint) -> None:
        self._route, self._is_off = _route(tenant, params), not params.verify
        self.verified: dict[str, bool] = {}
        self.notes: list[str] = []

    def is_refused(self, secret: Secret) -> bool:
        """Whether the endpoint refuses the credential. False where that is not known."""
        if self._is_off:
            return False
        try:
            authenticate(self._route, secret)
        except SmtpError as error:
            if error.code.startswith(REFUSED):
                self.verified[secret.label] = False
            else:
                self.notes.append(f"{secret.label} could not be verified: {error}")
        else:
            self.verified[secret.label] = True
        return self.verified.get(secret.label) is False


def _removals(params: Params, store: CredentialStore, listed: Sequence[ListedCredential]) -> Iterator[Removal]:
    """What is to be absent. With `exclusive`, also what the list does not have: what bears our mark, or is in the store."""
    present = {item.name for item in params.present}
    marked = {name for one in listed if (name := name_of(one.label))}
    names = {item.name for item in params.credentials if item.state == "absent"}
    names |= (marked | {*store.names()}) - present if params.exclusive else set()
    for name in sorted(names):
        own = tuple(one for one in listed if name_of(one.label) == name)
        if own or store.read(name):
            yield Removal(name, own)


# -- results ----------------------------------------------------------------------------------------------------------


def _state(stored: StoredCredential) -> JsonObject:
    return {"credential": stored.current.label if stored.current else None, "previous": [one.label for one in stored.previous]}


def _row(rotation: Rotation, params: Endpoint, store: CredentialStore, verified: Mapping[str, bool]) -> JsonObject:
    """A credential as it will be; its user name is known once it is created, where the provider does not assign it."""
    stored, current = rotation.stored, rotation.current
    listed = next((one for one in rotation.listed if one.label == current), None)
    created = created_on(current)
    return {
        "name": rotation.name,
        "credential": current or None,
        "username": stored.current.username if stored.current and not rotation.next else None,
        "created": str(created) if created else None,
        "exists": listed is not None or bool(rotation.next),
        "verified": verified.get(current) if not rotation.next else (True if params.verify else None),
        "previous": rotation.previous,
        "reason": rotation.reason or None,
        "problem": (listed.problem or None) if listed else None,
        "file": store.location(rotation.name),
    }


def _stored_row(stored: StoredCredential) -> JsonObject:
    return {"username": stored.current.username if stored.current else None, "previous": [one.label for one in stored.previous]}


def _unknown_notes(rotations: Iterable[Rotation]) -> list[str]:
    """One sentence for each credential with others of its name, which another controller may use."""
    kept = [(rotation.name, [one.label for one in rotation.unknown]) for rotation in rotations if rotation.stored.current]
    return [f"{name}: the provider has {', '.join(labels)}, not in the store: kept." for name, labels in kept if labels]


def _problem_notes(rows: Iterable[JsonObject]) -> list[str]:
    return [f"{row['name']}: {row['problem']}" for row in rows if row["problem"]]
