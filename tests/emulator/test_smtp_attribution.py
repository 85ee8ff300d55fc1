"""Whose mail it is at the MX endpoint and where it may go, without a socket."""

from __future__ import annotations

import time
from typing import Any

import pytest

from emulator.smtp.attribution import Acceptance, Peer, check_recipient
from emulator.smtp.texts import Refused
from emulator.state import InboundConnector, Mailbox, State
from tests.emulator.smtp_lab import CONTOSO, FABRIKAM, FAR, OPS, connector, make_state

RELAY, OTHER = "203.0.113.10", "198.51.100.7"
OUTSIDE = "someone@example.net"
TENANT_ATTRIBUTION = "550 5.7.64 TenantAttribution; Relay Access Denied SMTP"
ATTR36 = "550 5.7.64 Relay Access Denied ATTR36. For more details please refer to: https://support.microsoft.com/kb/3169958"
DIRECT_SEND = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources"
PARTNER = (
    "550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's recipient domain. "
    "The connector had either the RestrictDomainsToIPAddresses or RestrictDomainsToCertificate set"
)
NO_SUCH = "550 5.4.1 Recipient address rejected: Access denied"
TLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"
BY_CONNECTOR = f"{CONTOSO} connector relay"
DIRECT, INTERNET = f"{CONTOSO} direct-send None", f"{CONTOSO} internet None"


def judged(state: State, peer: Peer, sender: str, recipient: str) -> str:
    try:
        result: Acceptance = check_recipient(state, peer, sender, recipient)
    except Refused as refusal:
        return refusal.reply
    return f"{result.tenant_id} {result.via} {result.connector}"


def with_connectors(*connectors: InboundConnector, tenant: str = CONTOSO, **switches: Any) -> State:
    state = make_state()
    state.tenants[tenant].inbound_connectors = {one.name: one for one in connectors}
    for name, value in switches.items():
        setattr(state.tenants[tenant], name, value)
    return state


def by_address(address: str = RELAY, **more: Any) -> InboundConnector:
    return connector(SenderIPAddresses=[address], **more)


def by_name(name: str, **more: Any) -> InboundConnector:
    return connector(TlsSenderCertificateName=name, **more)


def names(*result: str) -> Peer:
    return Peer(OTHER, result, tls=True)


RELAYING: list[tuple[str, InboundConnector | None, Peer, str, str]] = [
    ("no connector", None, Peer(RELAY), OPS, TENANT_ATTRIBUTION),
    ("its address", by_address(), Peer(RELAY), OPS, BY_CONNECTOR),
    ("its network", by_address("203.0.113.0/24"), Peer(RELAY), OPS, BY_CONNECTOR),
    ("the initial domain", by_address(), Peer(RELAY), "x@contoso.onmicrosoft.com", BY_CONNECTOR),
    ("another address", by_address(), Peer(OTHER), OPS, TENANT_ATTRIBUTION),
    ("an IPv6 source", by_address(), Peer("2001:db8::1"), OPS, TENANT_ATTRIBUTION),
    ("a source that is no address", by_address(), Peer("somewhere"), OPS, TENANT_ATTRIBUTION),
    ("an address that is none", by_address("relay"), Peer(RELAY), OPS, TENANT_ATTRIBUTION),
    ("disabled", by_address(Enabled=False), Peer(RELAY), OPS, TENANT_ATTRIBUTION),
    ("not arrived yet", by_address(effective_from=time.time() + FAR), Peer(RELAY), OPS, TENANT_ATTRIBUTION),
    ("a Partner connector", by_address(ConnectorType="Partner"), Peer(RELAY), OPS, TENANT_ATTRIBUTION),
    ("a foreign sender by address", by_address(), Peer(RELAY), OUTSIDE, ATTR36),
    ("a bounce by address", by_address(), Peer(RELAY), "", ATTR36),
    ("a sub-domain that is not accepted", by_address(), Peer(RELAY), "x@sub.contoso.com", ATTR36),
    (
        "an accepted domain that is not associated",
        by_address(AssociatedAcceptedDomains=["contoso.onmicrosoft.com"]),
        Peer(RELAY),
        OPS,
        ATTR36,
    ),
    ("an associated domain", by_address(AssociatedAcceptedDomains=["Contoso.com"]), Peer(RELAY), OPS, BY_CONNECTOR),
    ("a sender domain of the connector", by_address(SenderDomains=["contoso.com"]), Peer(RELAY), OPS, BY_CONNECTOR),
    ("another sender domain", by_address(SenderDomains=["example.org"]), Peer(RELAY), OPS, TENANT_ATTRIBUTION),
    ("a bounce where sender domains are named", by_address(SenderDomains=["contoso.com"]), Peer(RELAY), "", TENANT_ATTRIBUTION),
    ("its certificate", by_name("relay.contoso.com"), names("relay.contoso.com"), OPS, BY_CONNECTOR),
    ("a foreign sender by certificate", by_name("relay.contoso.com"), names("relay.contoso.com"), OUTSIDE, BY_CONNECTOR),
    ("a bounce by certificate", by_name("relay.contoso.com"), names("relay.contoso.com"), "", BY_CONNECTOR),
    ("the wildcard", by_name("*.contoso.com"), names("relay7.contoso.com"), OUTSIDE, BY_CONNECTOR),
    ("a wildcard certificate", by_name("*.contoso.com"), names("*.contoso.com"), OUTSIDE, BY_CONNECTOR),
    ("the wildcard is not the domain", by_name("*.contoso.com"), names("contoso.com"), OPS, TENANT_ATTRIBUTION),
    ("no suffix of another name", by_name("*.contoso.com"), names("relay.notcontoso.com"), OPS, TENANT_ATTRIBUTION),
    ("capitals", by_name("Relay.Contoso.com"), names("relay.contoso.com"), OPS, BY_CONNECTOR),
    ("another name", by_name("relay.contoso.com"), names("relay2.contoso.com"), OPS, TENANT_ATTRIBUTION),
    ("one of several names", by_name("relay.contoso.com"), names("a.example", "relay.contoso.com"), OPS, BY_CONNECTOR),
    ("a host two levels down", by_name("*.contoso.com"), names("host.sub.contoso.com"), OUTSIDE, ATTR36),
    ("a host two levels down, own sender", by_name("*.contoso.com"), names("host.sub.contoso.com"), OPS, BY_CONNECTOR),
    ("a name outside the accepted domains", by_name("relay.provider.example"), names("relay.provider.example"), OUTSIDE, ATTR36),
    ("no certificate", by_name("relay.contoso.com"), Peer(OTHER, (), tls=True), OPS, TENANT_ATTRIBUTION),
    ("issuer and subject", by_name("<I>C=US, O=CA<S>CN=relay.contoso.com"), names("relay.contoso.com"), OPS, BY_CONNECTOR),
    ("Partner's switches mean nothing here", by_address(RequireTls=True), Peer(RELAY), OPS, BY_CONNECTOR),
]


@pytest.mark.parametrize(("one", "peer", "sender", "expected"), [c[1:] for c in RELAYING], ids=[c[0] for c in RELAYING])
def test_relaying(one: InboundConnector | None, peer: Peer, sender: str, expected: str) -> None:
    assert judged(with_connectors(*([one] if one else [])), peer, sender, OUTSIDE) == expected


def test_two_tenants_behind_one_address() -> None:
    """Attribution goes to the one whose domain sends; where none does, to whoever was there first."""
    state = with_connectors(by_address())
    state.tenants[FABRIKAM].inbound_connectors["relay"] = by_address()
    assert judged(state, Peer(RELAY), "it@fabrikam.com", OUTSIDE) == f"{FABRIKAM} connector relay"
    assert judged(state, Peer(RELAY), OPS, OUTSIDE) == BY_CONNECTOR
    assert judged(state, Peer(RELAY), OUTSIDE, OUTSIDE) == ATTR36


INSIDE: list[tuple[str, str, str, str]] = [
    ("from inside", OPS, OPS, DIRECT),
    ("to an alias", OPS, "O.P.S@Contoso.com", DIRECT),
    ("from outside", OUTSIDE, OPS, INTERNET),
    ("a bounce", "", OPS, INTERNET),
    ("to nobody", OUTSIDE, "nobody@contoso.com", NO_SUCH),
    ("to what is a name of a mailbox but no address", OUTSIDE, f"guid-{OPS}", NO_SUCH),
    ("to another tenant", OPS, "it@fabrikam.com", f"{FABRIKAM} internet None"),
    ("to a sub-domain", OPS, "ops@sub.contoso.com", TENANT_ATTRIBUTION),
]


@pytest.mark.parametrize(("sender", "recipient", "expected"), [c[1:] for c in INSIDE], ids=[c[0] for c in INSIDE])
def test_without_a_connector(sender: str, recipient: str, expected: str) -> None:
    assert judged(make_state(), Peer(OTHER), sender, recipient) == expected


def test_reject_direct_send() -> None:
    state = with_connectors(by_address(), reject_direct_send=True)
    assert judged(state, Peer(OTHER), OPS, OPS) == DIRECT_SEND
    assert judged(state, Peer(OTHER), OPS, "nobody@contoso.com") == DIRECT_SEND
    assert judged(state, Peer(OTHER), OUTSIDE, OPS) == INTERNET
    assert judged(state, Peer(OTHER), "", OPS) == INTERNET
    assert judged(state, Peer(RELAY), OPS, OPS) == BY_CONNECTOR
    assert judged(state, Peer(RELAY), OPS, "nobody@contoso.com") == NO_SUCH
    assert judged(state, Peer(OTHER), OPS, "it@fabrikam.com") == f"{FABRIKAM} internet None"  # not that tenant's domain


def test_reject_direct_send_has_a_replication_delay() -> None:
    state = make_state()
    tenant = state.tenants[CONTOSO]
    tenant.set_later("reject_direct_send", True, state.now() + 60)
    assert judged(state, Peer(OTHER), OPS, OPS) == DIRECT
    tenant.replicating.clear()
    assert judged(state, Peer(OTHER), OPS, OPS) == DIRECT_SEND


def partner(name: str = "partner", **properties: Any) -> InboundConnector:
    return connector(name, **{"ConnectorType": "Partner"} | properties)


def test_partner_connector_is_exempt_from_reject_direct_send() -> None:
    state = with_connectors(partner(SenderIPAddresses=[RELAY]), reject_direct_send=True)
    assert judged(state, Peer(RELAY), OPS, OPS) == DIRECT
    assert judged(state, Peer(OTHER), OPS, OPS) == DIRECT_SEND


PARTNERS: list[tuple[str, dict[str, Any], Peer, str, str]] = [
    ("restricted, right address", {"RestrictDomainsToIPAddresses": True, "SenderIPAddresses": [RELAY]}, Peer(RELAY), OUTSIDE, INTERNET),
    ("restricted, wrong address", {"RestrictDomainsToIPAddresses": True, "SenderIPAddresses": [RELAY]}, Peer(OTHER), OUTSIDE, PARTNER),
    ("unrestricted, wrong address", {"SenderIPAddresses": [RELAY]}, Peer(OTHER), OUTSIDE, INTERNET),
    (
        "restricted for another domain",
        {"RestrictDomainsToIPAddresses": True, "SenderIPAddresses": [RELAY], "SenderDomains": ["*.example.org"]},
        Peer(OTHER),
        OUTSIDE,
        INTERNET,
    ),
    ("right certificate", {"RestrictDomainsToCertificate": True, "TlsSenderCertificateName": "*.partner.example"},
     names("mx.partner.example"), OUTSIDE, INTERNET),
    ("wrong certificate", {"RestrictDomainsToCertificate": True, "TlsSenderCertificateName": "*.partner.example"},
     names("mx.example"), OUTSIDE, PARTNER),
    ("TLS wanted and there", {"RequireTls": True}, Peer(OTHER, (), tls=True), OUTSIDE, INTERNET),
    ("TLS wanted and not there", {"RequireTls": True}, Peer(OTHER), OUTSIDE, TLS_FIRST),
    ("disabled", {"Enabled": False, "RestrictDomainsToIPAddresses": True, "SenderIPAddresses": [RELAY]}, Peer(OTHER), OUTSIDE, INTERNET),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "peer", "sender", "expected"), [c[1:] for c in PARTNERS], ids=[c[0] for c in PARTNERS])
def test_partner_connectors(properties: dict[str, Any], peer: Peer, sender: str, expected: str) -> None:
    assert judged(with_connectors(partner(**properties)), peer, sender, OPS) == expected


def test_one_content_partner_connector_is_enough_and_on_premises_mail_is_not_asked() -> None:
    locked: dict[str, Any] = {"RestrictDomainsToIPAddresses": True, "SenderIPAddresses": ["192.0.2.1"]}
    assert judged(with_connectors(partner(**locked)), Peer(RELAY), OPS, OPS) == PARTNER
    assert judged(with_connectors(partner(**locked), partner("other", SenderIPAddresses=[RELAY])), Peer(RELAY), OPS, OPS) == DIRECT
    assert judged(with_connectors(partner(**locked), by_address()), Peer(RELAY), OPS, OPS) == BY_CONNECTOR


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("ops+scan@contoso.com", DIRECT),
        ("OPS+Scan.Floor-3+b@contoso.com", DIRECT),
        ("ops+@contoso.com", DIRECT),
        ("nobody+scan@contoso.com", NO_SUCH),
        ("+ops@contoso.com", NO_SUCH),
        ("ops+scan@fabrikam.com", f"{FABRIKAM} internet None"),
    ],
)
def test_plus_address_reaches_the_mailbox_before_the_plus_sign(recipient: str, expected: str) -> None:
    """On by default ("Plus addressing in Exchange Online")."""
    state = with_connectors()
    fabrikam = state.tenants[FABRIKAM]
    fabrikam.mailboxes["ops@fabrikam.com"] = Mailbox("ops@fabrikam.com", "5" * 8, "ops", "ops")
    assert judged(state, Peer(OTHER), OPS, recipient) == expected


def test_disabled_plus_addressing_delivers_to_whole_addresses_only() -> None:
    state = with_connectors(organization_config={"DisablePlusAddressInRecipients": True})
    assert judged(state, Peer(OTHER), OPS, "ops+scan@contoso.com") == NO_SUCH
    mailboxes = state.tenants[CONTOSO].mailboxes
    mailboxes["ops+scan@contoso.com"] = Mailbox("ops+scan@contoso.com", "5" * 8, "scan", "scan")
    assert judged(state, Peer(OTHER), OPS, "ops+scan@contoso.com") == DIRECT
