"""The export of the Exchange admin center as a source of audit_info, in three dialects, from the emulator's own submissions."""

from __future__ import annotations

import smtplib
import ssl
from pathlib import Path

import pytest

from emulator.smtp_clients import DIALECTS
from tests.emulator.conftest import TENANT, Api, Start

from .test_audit import STATE, reasons, rows, run_audit

WITHOUT_LOG = STATE | {"licences": []}


def send(api: Api, address: str) -> None:
    """Send one message with Basic authentication at client submission."""
    cloud = api.emulator.cloud
    with smtplib.SMTP(cloud["smtp_host"], cloud["smtp_port"], timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
        client.ehlo()
        client.login(address, "a password")
        client.sendmail(address, ["ada@contoso.com"], f"From: {address}\r\nTo: ada@contoso.com\r\nSubject: canary\r\n\r\n.\r\n")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_senders_of_the_export_are_judged_without_the_log(start: Start, tmp_path: Path, dialect: str) -> None:
    api = start(tenant=WITHOUT_LOG)
    for address in ("crm@contoso.com", "crm@contoso.com", "labels@contoso.com"):
        send(api, address)
    (tmp_path / f"{TENANT}.csv").write_bytes(api.admin.smtp_clients("contoso.com", dialect))
    result = run_audit(api, tmp_path, licences=10, csv_directory=str(tmp_path))
    assert reasons(result)["smtp_clients"] == ""
    assert rows(result) == {
        "crm@contoso.com": ("breaks", "high"),
        "labels@contoso.com": ("breaks", "high"),
        "erp@contoso.com": ("unused", "low"),
        "old@contoso.com": ("unused", "low"),
    }
    clients = {row["address"]: row["clients"] for row in result["audit"]["senders"]}
    assert clients["crm@contoso.com"] == {"basic": True, "oauth": False, "messages": 2, "old_tls": []}
    assert clients["old@contoso.com"]["messages"] == 0, "zero, and not null"


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "could not be read (No such file or directory)"), (b"\xff\xfe\x00", "neither UTF-8 nor UTF-16")]
)
def test_an_unreadable_export_is_one_sentence_and_the_rest_comes(
    start: Start, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    api = start(tenant=STATE)
    if content is not None:
        (tmp_path / f"{TENANT}.csv").write_bytes(content)
    result = run_audit(api, tmp_path, csv_directory=str(tmp_path))
    assert sentence in reasons(result)["smtp_clients"]
    assert [name for name, reason in reasons(result).items() if reason] == ["smtp_clients"]
    assert rows(result)["crm@contoso.com"] == ("unused", "low")
    assert {row["clients"] for row in result["audit"]["senders"]} == {None}


def test_unknown_columns_of_the_inventory_are_refused(start: Start, tmp_path: Path) -> None:
    api = start(tenant=STATE)
    with pytest.raises(AssertionError, match="audit_csv_headers holds absender: name columns of the report by sender, protocol"):
        run_audit(api, tmp_path, csv_directory=str(tmp_path), csv_headers={"absender": "Absender"})
