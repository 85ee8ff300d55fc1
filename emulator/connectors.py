"""An inbound connector's properties in their read-back form (Microsoft: Get-InboundConnector)."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    "Enabled": True,
    "ConnectorType": "Partner",
    "ConnectorSource": "Default",
    "Comment": "",
    "SenderIPAddresses": [],
    "SenderDomains": [],
    "TrustedOrganizations": [],
    "ClientHostNames": [],
    "AssociatedAcceptedDomains": [],
    "RequireTls": False,
    "RestrictDomainsToIPAddresses": False,
    "RestrictDomainsToCertificate": False,
    "CloudServicesMailEnabled": False,
    "TreatMessagesAsInternal": False,
    "TlsSenderCertificateName": None,
    "EFTestMode": False,
    "ScanAndDropRecipients": [],
    "EFSkipLastIP": False,
    "EFSkipIPs": [],
    "EFSkipMailGateway": [],
    "EFUsers": [],
    "AdminDisplayName": "",
}


def sender_domain(pattern: str) -> str:
    """`*` reads back as `smtp:*;1`: scheme, pattern, priority."""
    scheme, _, rest = pattern.rpartition(":")
    domain, _, priority = rest.partition(";")
    return f"{scheme or 'smtp'}:{domain};{priority or 1}"


def read_back(values: dict[str, Any]) -> dict[str, Any]:
    """All properties, those that are set in their read-back form."""
    properties = {name: list(value) if isinstance(value, list) else value for name, value in DEFAULTS.items()} | values
    properties["SenderDomains"] = [sender_domain(pattern) for pattern in properties["SenderDomains"]]
    return properties
