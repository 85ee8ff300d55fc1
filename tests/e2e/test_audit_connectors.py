"""Inbound connectors in an audit: two that match the same hosts, and a certificate outside of the accepted domains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.emulator.conftest import Start

from .test_audit import SCANNER, STATE, reasons, run_audit


def connector(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "ConnectorType": "OnPremises", "SenderDomains": ["*"], **values}


CONNECTORS = [
    connector("Office", SenderIPAddresses=["198.51.100.0/28"]),
    connector("Plant", SenderIPAddresses=["198.51.100.7"]),
    connector("Partner", ConnectorType="Partner", SenderIPAddresses=["198.51.100.7"]),
    connector("Gateway", TlsSenderCertificateName="relay.adatum.example"),
    connector("Relay", TlsSenderCertificateName="relay.contoso.com"),
]


def test_overlapping_connectors_and_a_foreign_certificate_are_findings(start: Start, tmp_path: Path) -> None:
    costs = {}
    for name, connectors in {"without": [], "with": CONNECTORS}.items():
        for senders in ([], [SCANNER]):
            directory = tmp_path / f"{name}{len(senders)}"
            directory.mkdir()
            result = run_audit(start(tenant=STATE | {"inbound_connectors": connectors}), directory, *senders)
            assert set(reasons(result).values()) == {""}
            listed = [(one["id"], one["subject"]) for one in result["audit"]["findings"] if one["id"].startswith("connector_")]
            expected = [("connector_certificate", "Gateway"), ("connector_overlap", "Office, Plant")] if connectors else []
            assert [one for one in listed if one[0] != "connector_idle"] == expected
            costs[name, len(senders)] = result["cost"]["requests"]
    assert costs["without", 0] == costs["with", 0]
    assert costs["without", 1] == costs["with", 1]
