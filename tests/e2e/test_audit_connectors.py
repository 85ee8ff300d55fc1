"""Inbound connectors in an audit: two for the same hosts, a certificate outside of the accepted domains, addresses outside of SPF."""

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
FINDINGS = [
    ("connector_certificate", "Gateway"),
    ("connector_overlap", "Office, Plant"),
    ("connector_spf", "Office"),
    ("connector_spf", "Plant"),
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
            expected = FINDINGS if connectors else []
            assert [one for one in listed if one[0] != "connector_idle"] == expected
            costs[name, len(senders)] = result["cost"]["requests"]
    assert costs["without", 0] == costs["with", 0]
    assert costs["without", 1] == costs["with", 1]


def test_addresses_of_a_connector_are_compared_with_the_published_records(start: Start, tmp_path: Path) -> None:
    """The plant's address is in the record; that of the office is not."""
    records = {"contoso.com": ['@ 3600 TXT "v=spf1 ip4:198.51.100.7 include:spf.protection.outlook.com ~all"']}
    result = run_audit(start(tenant=STATE | {"inbound_connectors": CONNECTORS, "dns": records}), tmp_path)
    [office] = [one for one in result["audit"]["findings"] if one["id"] == "connector_spf"]
    assert (office["subject"], "198.51.100.0/28" in office["problem"]) == ("Office", True)


def test_an_unreadable_record_is_no_finding_about_a_connector(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE | {"inbound_connectors": CONNECTORS})
    api.admin.fault("dns", "servfail", count=1000)
    result = run_audit(api, tmp_path)
    assert reasons(result)["spf"]
    assert not [one for one in result["audit"]["findings"] if one["id"] == "connector_spf"]
