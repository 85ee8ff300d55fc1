"""Each source of an audit as a module: what it reads, and a source that is not readable is a result with its reason."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract import check_contract
from tests.emulator.conftest import STATE as BASE
from tests.emulator.conftest import TENANT, Api, Start, app_id
from tests.emulator.test_exchange_message_trace import message

from .emulated import Run, follow_clock
from .test_audit import STATE, sign_in
from .test_audit_applications import RICOH, SENDING
from .test_audit_applications import tenant as with_applications
from .test_audit_csv import send

RESOURCES = "ansible_collections.mailops.m365.plugins.module_utils.resources"
# The module and the return value that has what it read.
MODULES = {
    "application_sign_in": "applications",
    "delegated_application": "applications",
    "mail_dns": "domains",
    "message_trace": "senders",
    "sign_in_log": "sign_ins",
    "smtp_clients": "senders",
    "spoof_intelligence": "spoofs",
    "usage_report": "users",
}
SOURCES_OF_MESSAGES = [
    message("plant@contoso.com", "canary@customer.example", source="203.0.113.10"),
    message("ups@contoso.com", "ada@contoso.com", via="direct-send", source="198.51.100.7"),
]


def run(api: Api, tmp_path: Path, name: str, app: str = "manager", **options: Any) -> dict[str, Any]:
    spec = importlib.import_module(f"{RESOURCES}.{name}").INFO
    if "dns_servers" in spec.spec.options:
        options["dns_servers"] = api.emulator.dns_servers
    result = Run(api, tmp_path / "run", app)(spec, **options)
    assert "failed" not in result, result
    return result


def read(api: Api, tmp_path: Path, name: str, **options: Any) -> list[dict[str, Any]]:
    """What a module read of a source that is readable."""
    result = run(api, tmp_path, name, **options)
    assert (result["readable"], result["reason"], result["changed"]) == (True, "", False), result
    return list(result[MODULES[name]])


def test_the_sign_in_log(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    sign_in(api, "crm@contoso.com")
    sign_in(api, "crm@contoso.com", "wrong")
    [row] = read(api, tmp_path, "sign_in_log", days=2)
    assert (row["user"], row["succeeded"], row["failed"], row["addresses"]) == ("crm@contoso.com", 1, 1, ["127.0.0.1"])


def test_sign_ins_of_applications(start: Start, tmp_path: Path) -> None:
    mailer = SENDING | {"display_name": "mailer", "secrets": [{"value": "mailer-secret"}]}
    api = start(tenant=STATE | {"applications": [*BASE["tenants"][0]["applications"], mailer]})
    api.new_token("mailer", "https://outlook.office365.com/.default")
    [row] = read(api, tmp_path, "application_sign_in")
    assert (row["app_id"], bool(row["last_sign_in"])) == (app_id("mailer"), True)


def test_delegated_applications(start: Start, tmp_path: Path) -> None:
    rows = read(start(tenant=with_applications()), tmp_path, "delegated_application")
    assert [one["printer_maker"] for one in rows if one["app_id"] == RICOH] == [True]


def test_the_export(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    send(api, "crm@contoso.com")
    (tmp_path / f"{TENANT}.csv").write_bytes(api.admin.smtp_clients("contoso.com", "tabs"))
    assert read(api, tmp_path, "smtp_clients", csv_directory=str(tmp_path)) == [
        {"address": "crm@contoso.com", "basic": True, "oauth": False, "messages": 1, "old_tls": []}
    ]


def test_the_usage_report(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    send(api, "crm@contoso.com")
    users = {row["user"]: row["smtp"] for row in read(api, tmp_path, "usage_report")}
    assert (users["crm@contoso.com"], users["ada@contoso.com"]) == (True, False)


def test_the_message_trace(start: Start, tmp_path: Path) -> None:
    rows = read(start(tenant=STATE, messages=SOURCES_OF_MESSAGES), tmp_path, "message_trace")
    assert [(row["address"], row["sources"], row["external_recipients"]) for row in rows] == [
        ("plant@contoso.com", ["203.0.113.10"], 1),
        ("ups@contoso.com", ["198.51.100.7"], 0),
    ]
    assert "canary" not in json.dumps(rows)


def test_spoof_intelligence(start: Start, tmp_path: Path) -> None:
    [row] = read(start(tenant=STATE, messages=SOURCES_OF_MESSAGES), tmp_path, "spoof_intelligence")
    assert (row["address"], row["infrastructure"]) == ("ups@contoso.com", "198.51.100.0/24")


def test_dns_records(start: Start, tmp_path: Path) -> None:
    record = ['_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@contoso.com"']
    [row] = read(start(tenant=STATE | {"dns": {"contoso.com": record}}), tmp_path, "mail_dns")
    assert (row["domain"], row["tls_rpt"]["current"], row["mta_sts"]["current"]) == (
        "contoso.com",
        ["v=TLSRPTv1; rua=mailto:tls@contoso.com"],
        [],
    )


def refuse(api: Api) -> None:
    """Break every source: no licence, no permission (application reader), a throttled trace, concealed names, no DNS."""
    api.admin.fault("dns", "servfail", count=1000)
    for cmdlet in ("Get-MessageTraceV2", "Get-SpoofIntelligenceInsight"):
        api.admin.fault("exchange", "throttled", match={"cmdlet": cmdlet}, count=1000)


REASONS = {
    "application_sign_in": "Entra ID P1",
    "delegated_application": "lacks a Graph permission",
    "mail_dns": "the DNS servers answered SERVFAIL",
    "message_trace": "Could not read the message trace",
    "sign_in_log": "Entra ID P1",
    "smtp_clients": "could not be read (No such file or directory)",
    "spoof_intelligence": "Could not read the spoof intelligence insight",
    "usage_report": "the names in the usage report are concealed",
}


@pytest.mark.parametrize("name", MODULES)
def test_a_source_that_is_not_readable_says_why(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    record = tmp_path / "record.jsonl"
    api = start(tenant=with_applications() | {"licences": [], "concealed_names": True}, record=record)
    refuse(api)
    follow_clock(monkeypatch, api)
    options = {"csv_directory": str(tmp_path)} if name == "smtp_clients" else {}
    result = run(api, tmp_path, name, "reader" if name == "delegated_application" else "manager", **options)
    assert result["readable"] is False
    assert REASONS[name] in result["reason"]
    if name == "mail_dns":
        [state] = result["domains"]
        assert (state["mx"]["current"], state["dmarc"]["current"]) == (None, None), "not read, and not empty"
    else:
        assert result[MODULES[name]] is None
    requests = [json.loads(line) for line in record.read_text().splitlines()]
    assert [one for one in requests if one["write"]] == []
    if requests:
        check_contract(record)


def test_wrong_options_name_the_variable(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    wrong: dict[str, dict[str, Any]] = {
        "audit_days": {"name": "sign_in_log", "days": 31},
        "audit_trace_days": {"name": "message_trace", "days": 0},
        "audit_csv_headers": {"name": "smtp_clients", "csv_directory": ".", "csv_headers": {"absender": "Absender"}},
    }
    for variable, options in wrong.items():
        with pytest.raises(AssertionError, match=variable):
            run(api, tmp_path, options.pop("name"), **options)
