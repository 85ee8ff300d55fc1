# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service principal of an application in Exchange, and its permissions on mailboxes (FullAccess, SendAs).

Sources: "Authenticate an IMAP, POP or SMTP connection using OAuth"; New-ServicePrincipal, Add-MailboxPermission,
Add-RecipientPermission.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .._clients.exchange import Outcome, is_missing
from .._core import mail_addresses
from .._core.json_types import JsonObject
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Assumption, Plan
from .._engine.tenant import Tenant
from .._entra.application_lookup import Application, find_application, refuse_missing
from .._exchange import addresses, lookup, service_principals
from .._exchange.lookup import MailboxIdentity
from .._exchange.mailbox_permissions import FULL_ACCESS, SEND_AS, Permission, permission_reads, rights_of
from .._exchange.principal_changes import PrincipalChanges, write
from .._exchange.service_principals import ServicePrincipal

USER_MAILBOX = "UserMailbox"  # RecipientTypeDetails
OPTIONS = Spec(
    {
        "unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "display_name": {"type": "str"},
        "full_access": {"type": "list", "elements": "str"},
        "send_as": {"type": "list", "elements": "str"},
        "revoked": {"type": "list", "elements": "str", "default": []},
        "kept_full_access": {"type": "list", "elements": "str", "default": []},
        "exclusive": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"),),
)


@dataclass(frozen=True)
class ServicePrincipalParams:
    """The options of the module exchange_service_principal."""

    expected_mailboxes: tuple[str, ...]
    unique_name: str | None
    app_id: str | None
    display_name: str | None
    full_access: tuple[str, ...] | None
    send_as: tuple[str, ...] | None
    revoked: tuple[str, ...]
    kept_full_access: tuple[str, ...]
    exclusive: bool
    state: str

    def permissions(self) -> list[Permission]:
        full_access = [Permission(FULL_ACCESS, address.lower()) for address in self.full_access or ()]
        return full_access + [Permission(SEND_AS, address.lower()) for address in self.send_as or ()]


@dataclass(frozen=True)
class CurrentPrincipal:
    """What Exchange has. `principal`: registered with the right object id; `wrong_object_ids`: registered with another one.

    `labels`: a listed address -> the address that stands for its mailbox; `guids`: of mailboxes, by that address, where they were read;
    `users`: those of these addresses that are user mailboxes.
    """

    application: Application | None
    principal: ServicePrincipal | None
    wrong_object_ids: tuple[str, ...]
    permissions: frozenset[Permission]
    labels: Mapping[str, str] = field(default_factory=dict)
    guids: Mapping[str, str] = field(default_factory=dict)
    users: frozenset[str] = frozenset()

    def labelled(self, permissions: Iterable[Permission]) -> list[Permission]:
        """The permissions, each mailbox once, by the address that stands for it."""
        return list(dict.fromkeys(Permission(right, self.labels.get(address, address)) for right, address in permissions))

    @property
    def display_name(self) -> str | None:
        return self.principal.display_name if self.principal else None


class ExchangeServicePrincipal:
    """Implements the module exchange_service_principal."""

    name = "exchange_service_principal"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS
    params_type = ServicePrincipalParams

    def validate(self, params: ServicePrincipalParams) -> list[str]:
        problems = mail_addresses.problems("full_access", params.full_access or ()) + mail_addresses.problems(
            "send_as", params.send_as or ()
        )
        return problems + line_problems("display_name", params.display_name)

    def plan(self, tenant: Tenant, params: ServicePrincipalParams, check_mode: bool) -> Plan[PrincipalChanges]:
        assumptions: list[Assumption] = []
        application = find_application(tenant, params.app_id, params.unique_name)
        if not application and params.state == "present":
            assumptions = refuse_missing({str(params.unique_name or params.app_id): None}, check_mode, "module entra_app")
        expected = addresses.expected(params.expected_mailboxes, check_mode)
        current = read(tenant, application, params, expected)
        if params.state == "present":
            current = identify(tenant, current, params, expected)
        changes = difference(current, params)
        after = {} if params.state == "absent" else predicted(current, changes)
        exposed = exposures(current, changes, params)
        outcome = {"service_principal": result(application, after)} | ({"attention": exposed} if exposed else {})
        warnings = [f"{entry['subject']}: {entry['problem']} {entry['remedy']}" for entry in exposed]
        return Plan(_current_result(current), after, changes if changes else None, outcome, warnings, assumptions)

    def cmdlets(self, changes: PrincipalChanges, /) -> Iterator[str]:
        return changes.cmdlets()

    def apply(self, tenant: Tenant, params: ServicePrincipalParams, plan: Plan[PrincipalChanges]) -> dict[str, object]:
        changes, outcome = plan.pending, plan.outcome
        if not changes.application and params.state == "present":
            changes = _with_application(tenant, changes, params)
            outcome = {**outcome, "service_principal": result(changes.application, plan.after)}
        write(tenant, changes)
        return outcome


def _with_application(tenant: Tenant, changes: PrincipalChanges, params: ServicePrincipalParams) -> PrincipalChanges:
    """The changes with the ids of an application that did not exist when they were planned."""
    application = find_application(tenant, params.app_id, params.unique_name)
    if not application:
        refuse_missing({str(params.unique_name or params.app_id): None}, False, "module entra_app")
    return replace(changes, application=application)


RESOURCE = ExchangeServicePrincipal()


def result(application: Application | None, principal: Mapping[str, object]) -> dict[str, object] | None:
    if not principal:
        return None
    ids = {"app_id": application.app_id, "object_id": application.object_id} if application else {"app_id": None, "object_id": None}
    return {**ids, **principal}


# -- reading ----------------------------------------------------------------------------------------------------------


def read(
    tenant: Tenant, application: Application | None, params: ServicePrincipalParams, expected: Collection[str] = ()
) -> CurrentPrincipal:
    """The service principals and permissions, in batches. InvalidInput names all mailboxes that do not exist."""
    needed = [address for _right, address in params.permissions()]
    listed = [address for address in dict.fromkeys([*needed, *map(str.lower, params.revoked)]) if address not in expected]
    owners = _every_mailbox(tenant, listed) if params.exclusive else {}
    guids = {address: mailbox.guid for address, mailbox in owners.items()}
    labels = lookup.labels(listed, guids)
    mailboxes = list(dict.fromkeys([*labels.values(), *(address for address in guids if address not in labels)]))
    commands = [service_principals.READ]
    for address in mailboxes:
        commands += permission_reads(address, guids.get(address, address))
    principals, *outcomes = tenant.exchange.batch(commands)
    own, wrong = _registrations(principals, application, params.app_id)
    permissions: set[Permission] = set()
    missing = []
    identities = {}
    for number, address in enumerate(mailboxes):
        mailbox, recipient = outcomes[2 * number : 2 * number + 2]
        if is_missing(mailbox.error):
            missing += [address] if address in needed else []
            continue
        permissions |= {Permission(right, address) for right in rights_of(own, mailbox.checked(), recipient.checked())}
        identities[address] = next((str(entry["Identity"]) for entry in mailbox.values if entry.get("Identity")), address)
    listed_by = {"full_access": params.full_access, "send_as": params.send_as}
    of_option = {option: {address.lower() for address in own or ()} for option, own in listed_by.items()}
    addresses.refuse_missing(tenant.exchange, {option: [a for a in missing if a in own] for option, own in of_option.items()})
    current = CurrentPrincipal(application, own, tuple(wrong), frozenset(permissions), labels, guids, _users(owners))
    return current if params.exclusive else _merged(current, identities)


def _every_mailbox(tenant: Tenant, listed: Collection[str]) -> dict[str, MailboxIdentity]:
    """All mailboxes: the listed ones by every listed address, the others by their primary address."""
    every = lookup.all_mailboxes(tenant.exchange)
    owners = lookup.by_address(every)
    of_listed = {address: owners[address] for address in listed if address in owners}
    named = {mailbox.guid for mailbox in of_listed.values()}
    return of_listed | {mailbox.primary: mailbox for mailbox in every if mailbox.guid not in named}


def _users(mailboxes: Mapping[str, MailboxIdentity]) -> frozenset[str]:
    """The addresses of user mailboxes."""
    return frozenset(address for address, mailbox in mailboxes.items() if mailbox.kind == USER_MAILBOX)


def _registrations(principals: Outcome, application: Application | None, app_id: str | None) -> tuple[ServicePrincipal | None, list[str]]:
    """The application's service principal, and the object ids of its wrong ones.

    A service principal in Exchange stays when its enterprise application is removed from Entra.
    """
    app_id = application.app_id if application else app_id
    own, wrong = None, []
    for principal in service_principals.read(principals):
        if app_id and principal.app_id.lower() == app_id.lower():
            if application and principal.object_id.lower() == application.object_id.lower():
                own = principal
            else:
                wrong.append(principal.object_id)
    return own, wrong


def _merged(current: CurrentPrincipal, identities: Mapping[str, str]) -> CurrentPrincipal:
    """Addresses of one mailbox as one, where all of them have the same permissions: their entries have one Identity."""
    rights = {address: frozenset(right for right, of in current.permissions if of == address) for address in current.labels}
    granted = {address: f"{identities[address]} {sorted(rights[address])}" for address in identities if rights[address]}
    labels = lookup.labels(list(current.labels), granted)
    permissions = frozenset(permission for permission in current.permissions if labels[permission.address] == permission.address)
    return replace(current, labels=labels, permissions=permissions)


def identify(tenant: Tenant, current: CurrentPrincipal, params: ServicePrincipalParams, expected: Collection[str]) -> CurrentPrincipal:
    """With the Guids of the mailboxes whose permissions change. Two addresses of one mailbox become one label."""
    pending = [permission for permission in current.labelled(params.permissions()) if permission not in current.permissions]
    unread = [address for _right, address in pending if address not in current.guids and address not in expected]
    if not unread:
        return current
    mailboxes = lookup.mailboxes_of(tenant.exchange, "full_access or send_as", unread)
    guids = {address: mailbox.guid for address, mailbox in mailboxes.items()}
    labels = lookup.labels(list(dict.fromkeys(unread)), guids)
    return replace(
        current,
        labels={a: labels.get(own, own) for a, own in current.labels.items()},
        guids={**current.guids, **guids},
        users=current.users | _users(mailboxes),
    )


# -- comparing --------------------------------------------------------------------------------------------------------


def difference(current: CurrentPrincipal, params: ServicePrincipalParams) -> PrincipalChanges:
    application = current.application
    if params.state == "absent":
        own = (current.principal.object_id,) if current.principal else ()
        return PrincipalChanges(application, None, remove=current.wrong_object_ids + own)
    desired = current.labelled(params.permissions())
    renamed = bool(current.principal and params.display_name and current.display_name != params.display_name)
    return PrincipalChanges(
        application,
        params.display_name or (application.display_name if application else params.unique_name),
        remove=current.wrong_object_ids,
        create=not current.principal,
        rename=renamed,
        grant=tuple(permission for permission in desired if permission not in current.permissions),
        revoke=tuple(sorted(current.permissions - set(desired))) if params.exclusive else _revocations(current, params, desired),
        guids=current.guids,
    )


def _revocations(current: CurrentPrincipal, params: ServicePrincipalParams, desired: Collection[Permission]) -> tuple[Permission, ...]:
    """The permissions on the revoked mailboxes; one that is desired by another address of its mailbox stays."""
    mailboxes = {current.labels.get(address.lower(), address.lower()) for address in params.revoked}
    kept = {*desired, *(Permission(FULL_ACCESS, current.labels.get(a.lower(), a.lower())) for a in params.kept_full_access)}
    return tuple(sorted(one for one in current.permissions if one.address in mailboxes and one not in kept))


def exposures(current: CurrentPrincipal, changes: PrincipalChanges, params: ServicePrincipalParams) -> list[JsonObject]:
    """The new FullAccess permissions on user mailboxes, also where the mailbox is a sender's own, as entries that need attention."""
    exposed = [address for right, address in changes.grant if right == FULL_ACCESS and address in current.users]
    problem = "This is a user mailbox: with FullAccess the application can read and delete all mail of its user."
    remedy = "Let the sender use a shared mailbox, or set entra_app_authorization: rbac, which allows sending only."
    subjects = [f"{FULL_ACCESS} of {params.unique_name or params.app_id} on {address}" for address in exposed]
    return [{"kind": "permission", "subject": subject, "problem": problem, "remedy": remedy} for subject in subjects]


def _principal_result(display_name: str | None, permissions: Iterable[Permission]) -> dict[str, object]:
    listed = sorted(permissions)
    by_right = {right: [one.address for one in listed if one.right == right] for right in (FULL_ACCESS, SEND_AS)}
    return {"display_name": display_name, "full_access": by_right[FULL_ACCESS], "send_as": by_right[SEND_AS]}


def _current_result(current: CurrentPrincipal) -> dict[str, object]:
    if current.principal:
        return _principal_result(current.display_name, current.permissions)
    return {"registered_with_object_id": list(current.wrong_object_ids)} if current.wrong_object_ids else {}


def predicted(current: CurrentPrincipal, changes: PrincipalChanges) -> dict[str, object]:
    """The result after the changes."""
    display_name = current.display_name if current.principal and not changes.rename else changes.display_name
    return _principal_result(display_name, (current.permissions | set(changes.grant)) - set(changes.revoke))
