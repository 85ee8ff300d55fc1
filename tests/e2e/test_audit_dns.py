"""The DNS source of audit_info: records of the emulator's name server, and one that does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.emulator.conftest import Start

from .test_audit import STATE, reasons, run_audit

TARGETS = [f"selector{n}-contoso-com._domainkey.contoso.y-v1.dkim.mail.microsoft" for n in (1, 2)]
RECORDS = [
    '@ TXT "v=spf1 include:spf.protection.outlook.com -all"',
    "@ MX 0 contoso-com.mail.protection.outlook.com.",
    *(f"selector{n}._domainkey CNAME {target}." for n, target in enumerate(TARGETS, 1)),
    '_dmarc TXT "v=DMARC1; p=none"',
]
DKIM = [{"domain": "contoso.com"}]


def configuration(result: dict[str, Any]) -> dict[str, Any]:
    [state] = result["audit"]["configuration"]["dns"]
    return dict(state)


def test_the_records_are_compared_with_what_microsoft_wants(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE | {"dkim": DKIM, "dns": {"contoso.com": RECORDS}})
    result = run_audit(api, tmp_path)
    assert set(reasons(result).values()) == {""}
    state = configuration(result)
    assert state["mx"] == {"current": ["contoso-com.mail.protection.outlook.com"], "expected": "contoso-com.mail.protection.outlook.com"}
    assert [one["current"] for one in state["dkim"]["selectors"]] == TARGETS
    by_id = {one["id"]: one["severity"] for one in result["audit"]["findings"]}
    assert by_id == {"direct_send_open": "low", "dmarc_none": "low", "mta_sts_missing": "info"}


def test_missing_records_are_findings_with_the_targets_of_exchange(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE | {"dkim": DKIM})
    result = run_audit(api, tmp_path)
    by_id = {one["id"]: one for one in result["audit"]["findings"]}
    assert {"mx_missing", "dkim_cname", "dmarc_missing", "mta_sts_missing"} <= set(by_id)
    assert f"selector1._domainkey.contoso.com CNAME {TARGETS[0]}" in by_id["dkim_cname"]["remedy"]
    assert configuration(result)["dmarc"] == {"current": [], "domain": "", "policy": ""}


def test_a_name_server_that_does_not_answer_is_a_reason_and_no_finding(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE | {"dkim": DKIM})
    api.admin.fault("dns", "servfail", count=1000)
    result = run_audit(api, tmp_path)
    assert "the MX records of contoso.com could not be read: the DNS servers answered SERVFAIL" in reasons(result)["dns"]
    assert "the TXT records of contoso.com could not be read" in reasons(result)["spf"]
    assert {one["id"] for one in result["audit"]["findings"]} == {"direct_send_open"}
    assert configuration(result)["mx"]["current"] is None
    assert result["audit"]["configuration"]["spf"] == [{"domain": "contoso.com", "current": None, "problems": []}]
    subjects = {"Audit: SPF records", "Audit: DNS records (MX, DKIM, DMARC, MTA-STS, TLS-RPT)", "Audit: message trace"}
    assert {one["subject"] for one in result["attention"]} == subjects
