"""Changes through the admin API: parts of a tenant, read and replaced as state documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.dns import faults as dns_faults
from emulator.entra.errors import CATALOGUE
from emulator.exchange import faults as exchange_faults
from emulator.faults import Fault
from emulator.graph import faults as graph_faults
from emulator.graph.applications import remove_principal
from emulator.graph.validate import merge_value
from emulator.smtp import faults as smtp_faults
from emulator.state import (
    Application,
    BillingPolicy,
    DelegatedGrant,
    EnterpriseApplication,
    ExchangeServicePrincipal,
    HveAccount,
    InboundConnector,
    Mailbox,
    MailgunAccount,
    SendGridAccount,
    Smtp2GoAccount,
    State,
    Tenant,
    WindowsHost,
)
from emulator.state.keys import At
from emulator.statefile import directory
from emulator.statefile.codec import Document, Record, known, slots_of
from emulator.statefile.forms import Indexed
from emulator.statefile.reader import Location, Node, StateError
from emulator.windows import faults as windows_faults

# Keys of a tenant that are changed by PATCH /tenants/NAME; the others are collections, or fixed.
HEAD = {"dns", "policies", "licences", "sign_ins"} | {
    slot.name for slot in slots_of(Tenant) if not slot.key.late and slot.name not in ("id", "initial_domain")
}


def _at(tenant: Tenant) -> At:
    return At(Path(), {}, None, tenant)


def patch_tenant(tenant: Tenant, changes: Document) -> None:
    """Change keys of a tenant's document that belong to the tenant itself: all of them, or none where one is wrong."""
    slots, names = {slot.name: slot for slot in slots_of(Tenant)}, known(Tenant)
    for name in sorted(changes.keys() - HEAD):
        problem = "cannot be changed here" if name in names else f"is not known here; known: {', '.join(sorted(HEAD))}"
        raise StateError(f"{name}: {problem}")
    params = dict(changes)
    if "policies" in params:
        params["policies"] = merge_value(slots["policies"].write(tenant)["policies"], params["policies"])
    node = Node(params)
    values = {slots[name].field.name: slots[name].read(node, _at(tenant)) for name in changes}
    for name, value in values.items():
        setattr(tenant, name, value)


def patch_windows_host(host: WindowsHost, changes: Document) -> None:
    """Change keys of a Windows host: all of them, or none where one is wrong. Name, address and ports are fixed."""
    for name in sorted(changes.keys() & {"name", "address", "http_port", "https_port"}):
        raise StateError(f"{name}: cannot be changed here")
    changed = Record(WindowsHost).read(merge_value(Record(WindowsHost).write(host), changes), Location(), At(Path()))
    for slot in [slot for slot in slots_of(WindowsHost) if slot.name in changes]:
        setattr(host, slot.field.name, getattr(changed, slot.field.name))


@dataclass(frozen=True)
class Collection:
    """Parts of one kind: the field of the tenant that holds them, how a part is found by key, and the key of the state file for it."""

    of: type[Any]
    field: str
    find: Callable[[Tenant, str], Any]
    key: str

    def document(self, tenant: Tenant, key: str) -> Document | None:
        part = self.find(tenant, key)
        return None if part is None else self.write(tenant, part)

    def write(self, tenant: Tenant, part: Any) -> Document:
        return Record(self.of).write(part)

    def put(self, tenant: Tenant, key: str, document: Document) -> Document:
        """Create the part, or replace it; its new document."""
        part = Record(self.of).read({self.key: key} | document, Location(), _at(tenant))
        self.replace(tenant, self.find(tenant, key), part)
        return self.write(tenant, part)

    def replace(self, tenant: Tenant, old: Any, new: Any) -> None:
        slot = next(slot for slot in slots_of(Tenant) if slot.field.name == self.field)
        index, parts = Indexed(slot.form, slot.key).index, getattr(tenant, self.field)
        if old is not None and index(old) != index(new):
            del parts[index(old)]
        parts[index(new)] = new

    def delete(self, tenant: Tenant, key: str) -> None:
        part, parts = self.find(tenant, key), getattr(tenant, self.field)
        for name in [name for name, one in parts.items() if one is part]:
            del parts[name]


class Mailboxes(Collection):
    def replace(self, tenant: Tenant, old: Any, new: Any) -> None:
        if old and old.address != new.address:
            del tenant.mailboxes[old.address]
            tenant.reindex()
        tenant.add_mailbox(new)

    def delete(self, tenant: Tenant, key: str) -> None:
        super().delete(tenant, key)
        tenant.reindex()


class Principals(Collection):
    def write(self, tenant: Tenant, part: EnterpriseApplication) -> Document:
        return directory.principal_document(part, tenant)

    def put(self, tenant: Tenant, key: str, document: Document) -> Document:
        node, principal = directory.read_principal({"app_id": key} | document, Location(), _at(tenant))
        _replace_principal(tenant, node, principal)
        return self.write(tenant, principal)

    def delete(self, tenant: Tenant, key: str) -> None:
        principal = self.find(tenant, key)
        if principal:
            remove_principal(tenant, principal.id)


class Applications(Collection):
    """Applications, each with its service principal in the tenant."""

    def write(self, tenant: Tenant, part: Application) -> Document:
        return directory.application_document(part, tenant)

    def put(self, tenant: Tenant, key: str, document: Document) -> Document:
        old, node = find_application(tenant, key), Node(document)
        application: Application = directory.APPLICATION.take(node, _at(tenant))
        value, location = node.take("service_principal"), Location("service_principal")
        inner = directory.read_principal(value, location, _at(tenant), application) if value is not None else None
        node.done(lambda: [*known(Application), "service_principal"])
        if old:
            del tenant.applications[old.object_id]
        tenant.applications[application.object_id] = application
        if inner:
            _replace_principal(tenant, *inner)
        return self.write(tenant, application)

    def delete(self, tenant: Tenant, key: str) -> None:
        application = find_application(tenant, key)
        if application:
            del tenant.applications[application.object_id]
            principal = tenant.enterprise_application(application.app_id)
            if principal:
                remove_principal(tenant, principal.id)


def _replace_principal(tenant: Tenant, node: Node, principal: EnterpriseApplication) -> None:
    earlier = tenant.enterprise_application(principal.app_id)
    if earlier and earlier.id != principal.id:
        remove_principal(tenant, earlier.id)
    elif earlier:
        for assignment in directory.assignments_of(tenant, earlier.id):
            del tenant.app_role_assignments[assignment.id]
    tenant.enterprise_applications[principal.id] = principal
    directory.read_roles(node, _at(tenant), principal)


def find_application(tenant: Tenant, key: str) -> Application | None:
    for application in tenant.applications.values():
        if key.lower() in (application.object_id, application.app_id) or key == application.unique_name:
            return application
    return None


def _principal(tenant: Tenant, key: str) -> EnterpriseApplication | None:
    return tenant.enterprise_applications.get(key.lower()) or tenant.enterprise_application(key.lower())


def _exchange_principal(tenant: Tenant, key: str) -> ExchangeServicePrincipal | None:
    principals = tenant.exchange_service_principals.values()
    return next((one for one in principals if key.lower() in (one.object_id, one.app_id)), None)


def _billing_policy(tenant: Tenant, key: str) -> BillingPolicy | None:
    return next((one for one in tenant.billing_policies.values() if key in (one.id, one.name)), None)


COLLECTIONS = {
    one.field: one
    for one in (
        Mailboxes(Mailbox, "mailboxes", lambda tenant, key: tenant.mailbox(key), "address"),
        Collection(InboundConnector, "inbound_connectors", lambda tenant, key: tenant.inbound_connectors.get(key.lower()), "name"),
        Collection(HveAccount, "hve_accounts", lambda tenant, key: tenant.hve_accounts.get(key.lower()), "address"),
        Collection(BillingPolicy, "billing_policies", _billing_policy, "name"),
        Applications(Application, "applications", find_application, ""),
        Principals(EnterpriseApplication, "enterprise_applications", _principal, "app_id"),
        Collection(ExchangeServicePrincipal, "exchange_service_principals", _exchange_principal, "app_id"),
        Collection(DelegatedGrant, "delegated_grants", lambda tenant, key: tenant.delegated_grants.get(key), "id"),
    )
}


# The accounts of hosted relays, by the name of their field in the state.
_ACCOUNTS: dict[str, type[Any]] = {"sendgrid": SendGridAccount, "smtp2go": Smtp2GoAccount, "mailgun": MailgunAccount}


def _account_type(provider: str) -> type[Any]:
    if provider not in _ACCOUNTS:
        raise StateError(f"no hosted relay {provider!r}; known: {', '.join(_ACCOUNTS)}")
    return _ACCOUNTS[provider]


def accounts(state: State, provider: str) -> list[Document]:
    """The accounts of a hosted relay as state documents."""
    record = Record(_account_type(provider))
    return [record.write(one) for one in getattr(state, provider)]


def replace_accounts(state: State, provider: str, documents: Any) -> None:
    """Replace the accounts of a hosted relay; none where one is wrong."""
    record, location = Record(_account_type(provider)), Location("accounts")
    location.expect(documents, list)
    replaced = [record.read(one, location.item(number), At(Path())) for number, one in enumerate(documents)]
    setattr(state, provider, replaced)


def fault_exists(fault: Fault) -> bool:
    """Whether a service has a fault of this name."""
    if fault.service == "token":
        name = fault.name or ""
        return name in ("throttled", "unavailable") or (name.startswith("AADSTS") and name[6:].isdigit() and int(name[6:]) in CATALOGUE)
    mail = (*smtp_faults.NAMES, *smtp_faults.NETWORK)
    known_names = {
        "graph": graph_faults.NAMES,
        "exchange": exchange_faults.NAMES,
        "dns": dns_faults.NAMES,
        "sendgrid": set(),
        "smtp2go": set(),
        "mailgun": set(),
        "windows": windows_faults.NAMES,
    }.get(fault.service, mail)
    return fault.name in known_names
