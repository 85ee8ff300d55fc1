"""Limits of the service and its refusals, as module tenant explains them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Start

from .tenant_play import Play

ERP = {"name": "ERP", "kind": "erp", "address": "noreply@contoso.com"}
GATE = {"name": "Gate", "kind": "scanner", "address": "noreply@contoso.com", "certificate_name": "gate.contoso.com"}
MISSING: dict[str, Any] = {
    "status": 400,
    "body": {"error": {"code": "BadRequest", "message": "|System.Management.Automation.CommandNotFoundException|It is not recognized."}},
}


def external(start: Start, directory: Path, limit: int | None = 2_000, **tenant: Any) -> Play:
    return Play(start(tenant={"external_limit": limit, **tenant}), directory)


def test_the_tenants_own_limit_of_external_recipients_is_planned_with(start: Start, tmp_path: Path) -> None:
    play = external(start, tmp_path)
    refused = play(ERP | {"recipients_per_day": 2_001}, check_mode=True)
    assert "more than the 2,000 of this tenant, of which 0 were used in the last 24 hours" in refused["failure"]["problems"][0]
    planned = play(ERP | {"recipients_per_day": 2_000}, check_mode=True)
    assert planned["external_recipients"] == {"planned": 2_000, "limit": 2_000, "used": 0}


def test_a_limit_that_is_not_enforced_refuses_nothing(start: Start, tmp_path: Path) -> None:
    play = external(start, tmp_path, external_limit_enforced=False)
    planned = play(ERP | {"recipients_per_day": 2_001}, check_mode=True)
    assert [note for note in planned["notes"] if "Exchange does not enforce this limit" in note], planned


@pytest.mark.parametrize(("fault", "order"), [("forbidden", {}), (None, MISSING)], ids=["forbidden", "missing"])
def test_without_the_cmdlet_the_limit_follows_from_the_licences(
    start: Start, tmp_path: Path, fault: str | None, order: dict[str, Any]
) -> None:
    play = external(start, tmp_path, licences=[{"sku": "SPE_E3", "purchased": 10}])
    play.api.admin.fault("exchange", fault, match={"cmdlet": "Get-LimitsEnforcementStatus"}, count=9, **order)
    planned = play(ERP | {"recipients_per_day": 9_000}, check_mode=True)
    assert planned["external_recipients"] == {"planned": 9_000, "limit": 12_005, "used": None}, planned


def test_a_refused_certificate_name_is_explained_and_the_next_run_applies_it(start: Start, tmp_path: Path) -> None:
    play = Play(start(), tmp_path)
    play.api.admin.fault("exchange", "certificate_name_refused", match={"cmdlet": "New-InboundConnector"})
    failed = play(GATE)
    assert failed["failure"]["cause"] == "Exchange does not accept the certificate name of the connector"
    assert failed["failure"]["transient"] is False
    assert "certificate_name of the sender" in failed["failure"]["remedy"]
    assert "Could not create the connector mailops Gate: Exchange does not accept" in failed["msg"]
    assert play.state()["inbound_connectors"] == []
    assert "failed" not in play(GATE)
    assert [one["TlsSenderCertificateName"] for one in play.state()["inbound_connectors"]] == ["gate.contoso.com"]
