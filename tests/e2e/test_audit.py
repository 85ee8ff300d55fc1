"""Module audit_info against the emulator: the verdicts come from its own submissions, few requests, and no write."""

from __future__ import annotations

import contextlib
import json
import smtplib
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit import reading
from ansible_collections.mailops.m365.plugins.module_utils._audit.names import VERDICTS
from ansible_collections.mailops.m365.plugins.module_utils.resources import audit

from tests.contract import check_contract
from tests.emulator.conftest import STATE as BASE
from tests.emulator.conftest import TENANT, Api, Start

from .emulated import Run, follow_clock

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com", "method": "oauth"}
SCANNER = {"name": "Scanner", "kind": "scanner", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
LABELS = {"name": "Labels", "address": "labels@contoso.com", "method": "basic"}
MAILBOXES = [
    {"address": "noreply@contoso.com", "kind": "SharedMailbox"},
    {"address": "erp@contoso.com", "password": "a password", "smtp_client_authentication_disabled": False},
    {"address": "labels@contoso.com", "password": "a password", "smtp_client_authentication_disabled": False},
    {"address": "crm@contoso.com", "password": "a password", "smtp_client_authentication_disabled": False},
    {"address": "old@contoso.com", "smtp_client_authentication_disabled": False},
    {"address": "ada@contoso.com"},
]
STATE = {
    "mailboxes": MAILBOXES,
    "smtp_client_authentication_disabled": True,
    "licences": [{"sku": "SPE_E3", "purchased": 10}],
    "dns": {"contoso.com": ['@ 3600 TXT "v=spf1 include:spf.protection.outlook.com ~all"']},
}
DATE = {"date": "2026-11-28"}


def sign_in(api: Api, address: str, password: str = "a password") -> None:  # noqa: S107 (of a played mailbox)
    """Authenticate at client submission with Basic authentication."""
    cloud = api.emulator.cloud
    with smtplib.SMTP(cloud["smtp_host"], cloud["smtp_port"], timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
        client.ehlo()
        with contextlib.suppress(smtplib.SMTPAuthenticationError):
            client.login(address, password)


def run_audit(api: Api, tmp_path: Path, *senders: dict[str, Any], app: str = "manager", **options: Any) -> dict[str, Any]:
    own: dict[str, Any] = {"dns_servers": api.emulator.dns_servers, **DATE, **options}
    result = Run(api, tmp_path / "run", app)(audit.INFO, senders=list(senders), **own)
    assert "failed" not in result, result
    return result


def rows(result: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {row["address"]: (row["verdict"], row["severity"]) for row in result["audit"]["senders"]}


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["reason"] for one in result["audit"]["sources"]}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


def test_verdicts_come_from_the_submissions_and_nothing_is_written(start: Start, tmp_path: Path, record: Path) -> None:
    api = start(tenant=STATE, record=record)
    for address in ("crm@contoso.com", "crm@contoso.com", "labels@contoso.com", "erp@contoso.com"):
        sign_in(api, address)
    result = run_audit(api, tmp_path, ERP, SCANNER, LABELS)
    assert set(reasons(result).values()) == {""}, reasons(result)
    assert rows(result) == {
        "crm@contoso.com": ("breaks", "high"),
        "erp@contoso.com": ("breaks", "high"),
        "labels@contoso.com": ("breaks", "high"),
        "old@contoso.com": ("unused", "low"),
        "noreply@contoso.com": ("unverified", "low"),
    }
    crm = next(row for row in result["audit"]["senders"] if row["address"] == "crm@contoso.com")
    assert (crm["listed"], crm["date"], crm["basic"]["succeeded"]) == (False, "2026-12-31", 2)
    assert crm["basic"]["addresses"] == ["127.0.0.1"]
    assert "disabled by default at the end of December 2026 (in 33 days); an administrator can enable it again" in crm["reason"]
    old = next(row for row in result["audit"]["senders"] if row["address"] == "old@contoso.com")
    assert old["basic"]["succeeded"] == 0, "zero, and not null"
    assert result["audit"]["totals"] == dict.fromkeys(VERDICTS, 0) | {"breaks": 3, "unverified": 1, "unused": 1}
    requests = [json.loads(line) for line in record.read_text().splitlines()]
    assert [one for one in requests if one["write"]] == []
    assert result["cost"]["requests"] <= 14
    cost = result["audit"]["cost"]
    assert sum(cost["services"].values()) == cost["requests"] == result["cost"]["requests"]
    assert set(cost["services"]) == {"Microsoft Entra ID", "Microsoft Graph", "Exchange Online"}
    assert result["audit"]["configuration"]["protocols"]["ews"] == "default", "null is a setting, and was read"
    check_contract(record)


def test_a_tenant_without_senders_is_audited_with_one_exchange_batch(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    sign_in(api, "crm@contoso.com", "wrong")
    result = run_audit(api, tmp_path)
    assert rows(result)["crm@contoso.com"] == ("refused", "low")
    assert rows(result)["erp@contoso.com"] == ("unused", "low")
    assert result["cost"]["requests"] <= 12
    assert {one["id"] for one in result["audit"]["findings"] if one["subject"] == "organization"} == {"direct_send_open"}


def test_without_the_log_nothing_is_safe_that_could_use_basic(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE | {"licences": [], "concealed_names": True})
    result = run_audit(api, tmp_path, ERP, SCANNER, LABELS, licences=10)
    assert "Entra ID P1" in reasons(result)["sign_ins"]
    assert rows(result) == {
        "labels@contoso.com": ("breaks", "high"),
        "erp@contoso.com": ("unknown", "medium"),
        "crm@contoso.com": ("unknown", "medium"),
        "old@contoso.com": ("unknown", "medium"),
        "noreply@contoso.com": ("unverified", "low"),  # SMTP AUTH is disabled for the mailbox
    }
    assert {row["basic"] for row in result["audit"]["senders"]} == {None}
    subjects = ["Audit: sign-in log (Basic authentication)", "Audit: usage report of email apps"]
    assert [entry["subject"] for entry in result["attention"]] == subjects


def test_an_application_with_few_permissions_gets_what_it_may_read(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    result = run_audit(api, tmp_path, app="reader")
    unreadable = {name for name, reason in reasons(result).items() if reason}
    assert "sign_ins" in unreadable
    assert "AuditLog.Read.All" in reasons(result)["sign_ins"]
    assert not unreadable & {"smtp_auth", "connectors", "applications"}


def test_rows_of_both_kinds_are_counted_and_personal_data_is_dropped(start: Start, tmp_path: Path) -> None:
    now = datetime.now(UTC).timestamp()
    log = [
        {"user": "crm@contoso.com", "created": now - 3600, "event_type": "nonInteractiveUser", "ip_address": "192.0.2.1"},
        {"user": "crm@contoso.com", "created": now - 7200, "client_app": "SMTP", "ip_address": "192.0.2.2"},
        {"user": "ada@contoso.com", "created": now - 3600, "client_app": "Browser"},
        {"user": "crm@contoso.com", "created": now - 20 * 86400, "ip_address": "192.0.2.3"},
    ]
    api = start(tenant=STATE | {"sign_ins": log})
    result = run_audit(api, tmp_path, days=10)
    basic = {row["address"]: row["basic"] for row in result["audit"]["senders"]}
    assert "ada@contoso.com" not in basic
    assert (basic["crm@contoso.com"]["succeeded"], sorted(basic["crm@contoso.com"]["addresses"])) == (2, ["192.0.2.1", "192.0.2.2"])
    assert not {"userDisplayName", "correlationId", "userId"} & set(json.dumps(result).split('"'))


def test_a_long_log_is_read_page_by_page_within_the_limit_of_the_service(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC).timestamp()
    log = [{"user": "crm@contoso.com", "created": now - 9000 + number, "ip_address": "192.0.2.1"} for number in range(6_500)]
    api = start(tenant=STATE | {"sign_ins": log})
    clock = follow_clock(monkeypatch, api)
    result = run_audit(api, tmp_path)
    assert next(row for row in result["audit"]["senders"] if row["address"] == "crm@contoso.com")["basic"]["succeeded"] == 6_500
    assert (result["cost"]["requests"], result["cost"]["retries"]) == (12 + 6, 0)
    assert clock.waited <= reading.LOG_SECONDS, "at most once, before the sixth request of the log"


def test_security_defaults_and_a_missing_sender_app(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE | {"security_defaults": True})
    result = run_audit(api, tmp_path, ERP)
    assert rows(result)["erp@contoso.com"] == ("unknown", "medium"), "its sender app does not exist"
    assert "mailops-smtp-sender does not exist" in next(r["reason"] for r in result["audit"]["senders"] if r["name"] == "ERP")
    assert api.admin.tenant(TENANT)["security_defaults"] is True


def test_the_day_on_which_microsoft_enables_security_defaults(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE | {"security_defaults_due": "2026-12-10T08:00:00Z"})
    sign_in(api, "crm@contoso.com")
    result = run_audit(api, tmp_path)
    crm = next(row for row in result["audit"]["senders"] if row["address"] == "crm@contoso.com")
    assert (crm["verdict"], crm["date"]) == ("breaks", "2026-12-10")
    [finding] = [one for one in result["audit"]["findings"] if one["id"] == "security_defaults_due"]
    assert (finding["severity"], finding["date"]) == ("high", "2026-12-10")
    assert result["audit"]["configuration"]["security_defaults_due"] == "2026-12-10"


def test_the_keys_of_the_sender_app_are_read(start: Start, tmp_path: Path) -> None:
    ends = {"expiring": 10, "lasting": 300}
    now = datetime.now(UTC).timestamp()
    for name, days in ends.items():
        app = {
            "display_name": "Sender",
            "unique_name": "mailops-smtp-sender",
            "secrets": [{"value": "x", "display_name": "pipeline", "end": now + days * 86400}],
            "service_principal": {"app_roles": ["Office 365 Exchange Online/SMTP.SendAsApp"]},
        }
        api = start(tenant=STATE | {"applications": [*BASE["tenants"][0]["applications"], app]})
        (tmp_path / name).mkdir()
        result = run_audit(api, tmp_path / name, ERP, date=None, trace_days=0)
        verdict, finding = (("expires", "high"), "key_ends") if name == "expiring" else (("safe", "low"), "client_secret")
        assert rows(result)["erp@contoso.com"] == verdict
        assert [one["subject"] for one in result["audit"]["findings"] if one["id"] == finding] == ["Sender: client secret pipeline"]
        [listed] = result["audit"]["configuration"]["applications"]
        assert (listed["unique_name"], listed["smtp_send_as_app"], listed["foreign"]) == ("mailops-smtp-sender", True, False)
        assert [one["kind"] for one in listed["credentials"]] == ["client secret"]


def test_a_sender_that_was_verified_is_safe_with_the_date(start: Start, tmp_path: Path) -> None:
    report = {"format": "mailops.report/1", "started": "2026-11-20T08:00:00Z"}
    senders = [{"address": "noreply@contoso.com", "status": "verified"}]
    (tmp_path / "verify.json").write_text(json.dumps(report | {"tasks": [{"senders": senders}]}))
    api = start(tenant=STATE)
    result = run_audit(api, tmp_path, SCANNER, verify_report=str(tmp_path / "verify.json"))
    scanner = next(row for row in result["audit"]["senders"] if row["name"] == "Scanner")
    assert (scanner["verdict"], scanner["severity"], scanner["verified"]) == ("safe", "info", "2026-11-20")
    assert scanner["reason"].endswith("It was verified on 2026-11-20.")
    missing = run_audit(api, tmp_path, SCANNER, verify_report=str(tmp_path / "missing.json"))
    assert "missing.json, which could not be read" in reasons(missing)["verification"]
    assert rows(missing)["noreply@contoso.com"] == ("unverified", "low"), "the rest still comes"


def test_older_protocols_and_unbilled_accounts_are_findings(start: Start, tmp_path: Path) -> None:
    hve = {"address": "news@contoso.com", "display_name": "News"}
    older = {"transport_config": {"AllowLegacyTLSClients": True}, "organization_config": {"EwsEnabled": True}}
    result = run_audit(start(tenant=STATE | older | {"hve_accounts": [hve]}), tmp_path)
    by_id = {one["id"]: (one["severity"], one["subject"]) for one in result["audit"]["findings"]}
    assert by_id["legacy_tls_allowed"] == ("low", "organization")
    assert by_id["ews_enabled"] == ("low", "organization")
    assert by_id["hve_billing"] == ("high", "news@contoso.com")
    configuration = result["audit"]["configuration"]
    assert configuration["protocols"] == {"legacy_tls": True, "ews": "enabled", "ews_applications": []}
    assert configuration["hve_accounts"] == [{"address": "news@contoso.com", "billing_policy": "NoProperBillingPolicyStored"}]


def test_the_relay_host_of_a_sender_and_its_device_are_known(start: Start, tmp_path: Path) -> None:
    labels = {"name": "Labels", "address": "labels@contoso.com", "relay_host": "relay1"}
    relay = {"name": "relay1", "host": "relay1.contoso.com", "upstream": "oauth", "users": {"labels@contoso.com": "label-printer"}}
    result = run_audit(start(tenant=STATE), tmp_path, labels, relays=[relay])
    [row] = [row for row in result["audit"]["senders"] if row["name"] == "Labels"]
    assert row["relay_host"] == {"name": "relay1", "host": "relay1.contoso.com", "upstream": "oauth", "users": ["label-printer"]}


def test_wrong_options_are_refused_before_any_request(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    result = Run(api, tmp_path / "run")(audit.INFO, days=31, date="December", dns_servers=["nowhere"])
    assert [text.split()[0] for text in result["failure"]["problems"]] == ["m365_dns_servers", "audit_days", "audit_date"]
