"""State documents of the parts of a tenant, to and from the state's objects."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from emulator.connectors import DEFAULTS, read_back
from emulator.state import (
    Application,
    Certificate,
    ExchangeServicePrincipal,
    InboundConnector,
    Mailbox,
    MailboxGrant,
    Secret,
    Tenant,
    derived_sid,
)
from emulator.statefile.federation import federated_document, read_federated
from emulator.statefile.reader import Node
from emulator.statefile.sign_in import read_user, user_document
from emulator.well_known import derived_id

MAILBOX_KINDS = ("UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox")
GRANT_RIGHTS = (
    "FullAccess",
    "SendAs",
    "SendOnBehalf",
    "ReadPermission",
    "ChangePermission",
    "ChangeOwner",
    "DeleteItem",
    "ExternalAccount",
)


def read_secret(node: Node, owner: str) -> Secret:
    value = node.text("value")
    secret = Secret(
        value=value,
        key_id=node.text("key_id", derived_id(owner, "secret", value)),
        display_name=node.text("display_name", ""),
        end=node.moment("end"),
        start=node.moment("start"),
        effective_from=node.moment("effective_from"),
    )
    node.done()
    return secret


def secret_document(secret: Secret) -> dict[str, Any]:
    return {
        "value": secret.value,
        "key_id": secret.key_id,
        "display_name": secret.display_name,
        "end": secret.end,
        "start": secret.start,
        "effective_from": secret.effective_from,
    }


def read_certificate(node: Node, owner: str, base: Path) -> Certificate:
    der = base64.b64encode(_der(node, base)).decode()
    certificate = Certificate(
        der=der,
        key_id=node.text("key_id", derived_id(owner, "certificate", der)),
        display_name=node.text("display_name", ""),
        effective_from=node.moment("effective_from"),
    )
    node.done()
    return certificate


def _der(node: Node, base: Path) -> bytes:
    given = [key for key in ("pem", "path", "der") if node.has(key)]
    if len(given) != 1:
        raise node.error("needs exactly one of pem, path and der")
    kind, value = given[0], node.text(given[0])
    try:
        if kind == "der":
            return x509.load_der_x509_certificate(base64.b64decode(value, validate=True)).public_bytes(Encoding.DER)
        pem = (base / value).read_bytes() if kind == "path" else value.encode()
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except OSError as error:
        raise node.error(f"cannot be read: {error}", kind) from None
    except (ValueError, binascii.Error):
        raise node.error("is no X.509 certificate", kind) from None


def certificate_document(certificate: Certificate) -> dict[str, Any]:
    return {
        "der": certificate.der,
        "key_id": certificate.key_id,
        "display_name": certificate.display_name,
        "effective_from": certificate.effective_from,
    }


def read_application(node: Node, tenant: str, base: Path) -> Application:
    """An application; its `service_principal` is left in the node for the directory's reader."""
    name = node.text("display_name")
    app_id = node.text("app_id", derived_id(tenant, "app", name)).lower()
    return Application(
        app_id=app_id,
        object_id=node.text("object_id", derived_id(tenant, "application", app_id)).lower(),
        display_name=name,
        unique_name=node.text("unique_name", None),
        secrets=[read_secret(item, app_id) for item in node.nodes("secrets")],
        certificates=[read_certificate(item, app_id, base) for item in node.nodes("certificates")],
        federated=[read_federated(item, app_id) for item in node.nodes("federated")],
        properties=dict(node.take("properties", dict, {})),
        created=node.moment("created"),
        visible_from=node.moment("visible_from"),
        owners=node.texts("owners"),
    )


def application_document(application: Application) -> dict[str, Any]:
    return {
        "app_id": application.app_id,
        "object_id": application.object_id,
        "display_name": application.display_name,
        "unique_name": application.unique_name,
        "secrets": [secret_document(secret) for secret in application.secrets],
        "certificates": [certificate_document(certificate) for certificate in application.certificates],
        "federated": [federated_document(credential) for credential in application.federated],
        "properties": application.properties,
        "created": application.created,
        "visible_from": application.visible_from,
        "owners": application.owners,
    }


def read_mailbox(node: Node, tenant: Tenant) -> Mailbox:
    address = node.text("address").lower()
    local, _, domain = address.partition("@")
    if domain not in tenant.accepted_domains:
        raise node.error(f"{address!r} is in no accepted domain of {tenant.initial_domain}", "address")
    kind = node.text("kind", "UserMailbox")
    if kind not in MAILBOX_KINDS:
        raise node.error(f"must be one of {', '.join(MAILBOX_KINDS)}, not {kind!r}", "kind")
    mailbox = Mailbox(
        address=address,
        guid=node.text("guid", None) or derived_id(tenant.id, "mailbox", address),
        name=node.text("name", local),
        display_name=node.text("display_name", local),
        kind=kind,
        aliases=[alias.lower() for alias in node.texts("aliases")],
        user_id=node.text("user_id", None) or derived_id(tenant.id, "user", address),
        sid=node.text("sid", None) or derived_sid(tenant.id, address),
        password=node.text("password", None),
        user=read_user(node.node("user")),
        smtp_client_authentication_disabled=node.flag("smtp_client_authentication_disabled", None),
        authentication_policy=_authentication_policy(node, tenant),
        cas_properties=dict(node.take("cas_properties", dict, {})),
        properties=dict(node.take("properties", dict, {})),
        replicating=read_replicating(node),
    )
    mailbox.grants = [read_grant(item, tenant) for item in node.nodes("grants")]
    node.done()
    return mailbox


def _authentication_policy(node: Node, tenant: Tenant) -> str | None:
    name = node.text("authentication_policy", None)
    if name is not None and name.lower() not in tenant.policies.authentication:
        raise node.error(f"{name!r} is no authentication policy", "authentication_policy")
    return name.lower() if name else None


def mailbox_document(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "address": mailbox.address,
        "guid": mailbox.guid,
        "name": mailbox.name,
        "display_name": mailbox.display_name,
        "kind": mailbox.kind,
        "aliases": mailbox.aliases,
        "user_id": mailbox.user_id,
        "sid": mailbox.sid,
        "password": mailbox.password,
        "user": user_document(mailbox.user),
        "smtp_client_authentication_disabled": mailbox.smtp_client_authentication_disabled,
        "authentication_policy": mailbox.authentication_policy,
        "grants": [grant_document(grant) for grant in mailbox.grants],
        "cas_properties": mailbox.cas_properties,
        "properties": mailbox.properties,
        "replicating": replicating_document(mailbox.replicating),
    }


def read_grant(node: Node, tenant: Tenant) -> MailboxGrant:
    right = node.text("right")
    if right not in GRANT_RIGHTS:
        raise node.error(f"must be one of {', '.join(GRANT_RIGHTS)}, not {right!r}", "right")
    sid = node.text("sid", None)
    if sid is None:
        trustee = node.text("trustee")
        sid = tenant.trustee_sid(trustee)
        if sid is None:
            raise node.error(f"{trustee!r} is no mailbox and no Exchange service principal", "trustee")
    grant = MailboxGrant(right=right, sid=sid, effective_from=node.moment("effective_from"))
    node.done()
    return grant


def grant_document(grant: MailboxGrant) -> dict[str, Any]:
    return {"right": grant.right, "sid": grant.sid, "effective_from": grant.effective_from}


def read_exchange_service_principal(node: Node, tenant: Tenant) -> ExchangeServicePrincipal:
    app_id = node.text("app_id").lower()
    entra = tenant.enterprise_application(app_id)
    object_id = node.text("object_id", entra.id if entra else ...).lower()
    principal = ExchangeServicePrincipal(
        app_id=app_id,
        object_id=object_id,
        sid=node.text("sid", derived_sid(tenant.id, object_id)),
        display_name=node.text("display_name", ""),
        effective_from=node.moment("effective_from"),
        guid=node.text("guid", derived_id(tenant.id, "exchange", object_id)),
    )
    node.done()
    return principal


def exchange_service_principal_document(principal: ExchangeServicePrincipal) -> dict[str, Any]:
    return dict(vars(principal))


def read_role_groups(node: Node, tenant: Tenant) -> dict[str, dict[str, float]]:
    """The members of role groups: a list of their ids (object id or client id), or ids with since when they count."""
    found: dict[str, dict[str, float]] = {}
    for group, members in node.take("role_groups", dict, {}).items():
        found[group] = {}
        for member in members:
            principals = tenant.exchange_service_principals.values()
            principal = next((p for p in principals if member.lower() in (p.object_id, p.app_id)), None)
            if principal is None:
                raise node.error(f"{member!r} is no Exchange service principal", f"role_groups.{group}")
            found[group][principal.object_id] = float(members[member]) if isinstance(members, dict) else 0.0
    return found


def read_inbound_connector(node: Node, tenant: Tenant) -> InboundConnector:
    """A connector: `name`, and Microsoft's properties by their own names."""
    name = node.text("name")
    guid = node.text("guid", derived_id(tenant.id, "connector", name))
    effective_from = node.moment("effective_from")
    given = node.rest()
    for key, value in given.items():
        if key not in DEFAULTS:
            raise node.error("is no property of an inbound connector", key)
        if DEFAULTS[key] is not None and not isinstance(value, type(DEFAULTS[key])):
            raise node.error(f"must be like {DEFAULTS[key]!r}, not {value!r}", key)
    return InboundConnector(name, guid, read_back(given), effective_from)


def inbound_connector_document(connector: InboundConnector) -> dict[str, Any]:
    head = {"name": connector.name, "guid": connector.guid, "effective_from": connector.effective_from}
    return head | connector.properties


def read_replicating(node: Node) -> dict[str, tuple[float, Any]]:
    """Switches whose old value the mail services still see: {name: {until, value}}."""
    found: dict[str, tuple[float, Any]] = {}
    inner = node.node("replicating")
    if inner:
        for name in list(inner.rest().items()):
            item = Node(name[1], f"{inner.path}.{name[0]}")
            found[name[0]] = (item.moment("until"), item.raw("value"))
            item.done()
    return found


def replicating_document(replicating: dict[str, tuple[float, Any]]) -> dict[str, Any]:
    return {name: {"until": until, "value": value} for name, (until, value) in replicating.items()}
