"""Attribution of mail at the MX to a tenant and a connector, and whether it may be relayed.

Sources: "Configure a connector to apply security restrictions", "New-InboundConnector", "How to set up a multifunction
device or application to send email" (relay and direct send), "Introducing more control over Direct Send in Exchange
Online", and "Office 365 SMTP relay: updated requirements" (the rule of November 2023: sender and source are both asked).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from emulator.smtp import texts
from emulator.smtp.texts import Refused
from emulator.smtp.verdict import delivered_to
from emulator.state import InboundConnector, State, Tenant

ON_PREMISES, PARTNER = "OnPremises", "Partner"


@dataclass(frozen=True)
class Peer:
    """The client: its public address and the names in its certificate, where its chain leads to a trusted root."""

    source: str
    names: tuple[str, ...] = ()
    tls: bool = False


@dataclass(frozen=True)
class Attribution:
    """The connector of a client's mail; `relays`: external recipients are accepted."""

    tenant: Tenant
    connector: InboundConnector
    relays: bool


@dataclass(frozen=True)
class Acceptance:
    """How a recipient's copy is received."""

    tenant_id: str
    via: str  # connector, direct-send, internet
    connector: str | None = None


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def attribute(state: State, peer: Peer, sender: str) -> Attribution | None:
    """The OnPremises connector of any tenant that fits; where several do, one that may relay is taken first."""
    matches = [
        Attribution(tenant, connector, _relays(tenant, connector, peer, sender))
        for tenant in state.tenants.values()
        for connector in _matching(state, tenant, peer, sender, ON_PREMISES)
    ]
    return next((one for one in matches if one.relays), matches[0] if matches else None)


def _matching(state: State, tenant: Tenant, peer: Peer, sender: str, kind: str) -> Iterator[InboundConnector]:
    """The tenant's connectors of a type that this client fits, by address or by certificate."""
    for connector in _in_force(state, tenant, kind):
        if takes_domain(connector, domain_of(sender)) and (fits_address(connector, peer) or fits_certificate(connector, peer)):
            yield connector


def _in_force(state: State, tenant: Tenant, kind: str) -> Iterator[InboundConnector]:
    now = state.now()
    for connector in tenant.inbound_connectors.values():
        properties = connector.properties
        if properties.get("Enabled") and properties.get("ConnectorType") == kind and connector.effective_from <= now:
            yield connector


def takes_domain(connector: InboundConnector, domain: str) -> bool:
    """SenderDomains, in the form `smtp:*.contoso.com;1`; the empty reverse-path fits `*` only."""
    for pattern in connector.properties.get("SenderDomains") or ["smtp:*;1"]:
        requested = str(pattern).partition(":")[2].partition(";")[0].lower()
        if requested in ("*", domain) or (requested.startswith("*.") and domain.endswith(requested[1:])):
            return True
    return False


def fits_address(connector: InboundConnector, peer: Peer) -> bool:
    """SenderIPAddresses: single IPv4 addresses or networks."""
    for item in connector.properties.get("SenderIPAddresses") or ():
        try:
            if ipaddress.ip_address(peer.source) in ipaddress.ip_network(str(item), strict=False):
                return True
        except ValueError:  # neither an address nor a network
            continue
    return False


def fits_certificate(connector: InboundConnector, peer: Peer) -> bool:
    """TlsSenderCertificateName: a name, or `*.` for everything below one; also in the form `<I>...<S>CN=name`."""
    requested = str(connector.properties.get("TlsSenderCertificateName") or "").lower()
    requested = requested.rpartition("cn=")[2] if "<s>" in requested else requested
    if not requested:
        return False
    return any(name == requested or (requested.startswith("*.") and name.endswith(requested[1:])) for name in peer.names)


def _relays(tenant: Tenant, connector: InboundConnector, peer: Peer, sender: str) -> bool:
    """Condition one of relaying: the domain of MAIL FROM or of the certificate is accepted by the tenant.

    A host's certificate counts for its immediate parent: host.sub.contoso.com for sub.contoso.com.
    """
    accepted = set(tenant.accepted_domains)
    narrowed = {str(domain).lower() for domain in connector.properties.get("AssociatedAcceptedDomains") or ()}
    if domain_of(sender) in (accepted & narrowed if narrowed else accepted):
        return True
    return any(name in accepted or name.partition(".")[2] in accepted for name in peer.names)


def check_recipient(state: State, peer: Peer, sender: str, recipient: str) -> Acceptance:
    """How mail from `sender` to `recipient` is received from this client."""
    attribution = attribute(state, peer, sender)
    tenant = state.tenant(domain_of(recipient))
    if tenant is not None:
        return _inside(state, tenant, attribution, peer, sender, recipient)
    if attribution is None:
        raise Refused(texts.RELAY_DENIED)
    if not attribution.relays:
        raise Refused(texts.RELAY_DOMAIN)
    return Acceptance(attribution.tenant.id, "connector", attribution.connector.name)


def _inside(state: State, tenant: Tenant, attribution: Attribution | None, peer: Peer, sender: str, recipient: str) -> Acceptance:
    own = attribution if attribution and attribution.tenant.id == tenant.id else None
    known = own is not None or any(_matching(state, tenant, peer, sender, PARTNER))
    if own is None:
        _check_partner(state, tenant, peer, sender)
    from_inside = domain_of(sender) in tenant.accepted_domains
    if not known and from_inside and tenant.seen("reject_direct_send", state.now()):
        raise Refused(texts.DIRECT_SEND_REJECTED)
    if delivered_to(tenant, recipient) is None:  # Directory-Based Edge Blocking
        raise Refused(texts.NO_SUCH_RECIPIENT)
    if own is not None:
        return Acceptance(tenant.id, "connector", own.connector.name)
    return Acceptance(tenant.id, "direct-send" if from_inside else "internet")


def _check_partner(state: State, tenant: Tenant, peer: Peer, sender: str) -> None:
    """Partner connectors of the recipient's tenant lock sender domains to their sources; one that is content is enough."""
    fitting = [connector for connector in _in_force(state, tenant, PARTNER) if takes_domain(connector, domain_of(sender))]
    refusals = [_partner_refusal(connector, peer) for connector in fitting]
    if refusals and all(refusals):
        raise Refused(refusals[0])


def _partner_refusal(connector: InboundConnector, peer: Peer) -> str:
    properties = connector.properties
    if properties.get("RestrictDomainsToIPAddresses") and not fits_address(connector, peer):
        return texts.PARTNER_RESTRICTED
    if properties.get("RestrictDomainsToCertificate") and not fits_certificate(connector, peer):
        return texts.PARTNER_RESTRICTED
    return texts.TLS_FIRST if properties.get("RequireTls") and not peer.tls else ""
