"""The usage report as a source of audit_info, where the licence does not include the sign-in log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.authorized import AuthorizedTransport
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS

from tests.emulator.conftest import Start

from .test_audit import STATE, reasons, rows, run_audit

MAILBOXES = [
    {"address": "erp@contoso.com", "smtp_app_used": True},
    {"address": "old@contoso.com", "smtp_client_authentication_disabled": False},
]
WITHOUT_LOG = STATE | {"licences": [], "mailboxes": MAILBOXES, "smtp_client_authentication_disabled": False}


def test_a_user_without_smtp_in_180_days_is_unused_and_another_is_unknown(start: Start, tmp_path: Path) -> None:
    api = start(tenant=WITHOUT_LOG)
    result = run_audit(api, tmp_path, licences=10)
    assert (reasons(result)["sign_ins"] != "", reasons(result)["usage_report"]) == (True, "")
    assert rows(result) == {"erp@contoso.com": ("unknown", "medium"), "old@contoso.com": ("unused", "low")}
    senders: dict[str, Any] = {row["address"]: row for row in result["audit"]["senders"]}
    assert [senders[f"{name}@contoso.com"]["smtp_app"] for name in ("erp", "old")] == [True, False]
    assert "It used SMTP in the last 180 days" in senders["erp@contoso.com"]["reason"]


def test_concealed_names_are_one_sentence(start: Start, tmp_path: Path) -> None:
    api = start(tenant=WITHOUT_LOG | {"concealed_names": True})
    result = run_audit(api, tmp_path, licences=10)
    assert "the names in the usage report are concealed" in reasons(result)["usage_report"]
    assert rows(result) == {"old@contoso.com": ("unknown", "medium")}
    assert {row["smtp_app"] for row in result["audit"]["senders"]} == {None}


def test_a_missing_permission_is_named(start: Start, tmp_path: Path) -> None:
    result = run_audit(start(tenant=WITHOUT_LOG), tmp_path, app="reader", licences=10)
    assert "Reports.Read.All" in reasons(result)["usage_report"]


def test_the_report_is_not_read_beside_the_log(start: Start, tmp_path: Path) -> None:
    assert "usage_report" not in reasons(run_audit(start(tenant=STATE), tmp_path))


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://reports.office.com/data/download/x", True),
        ("https://reportsncu.office.com/data/download/x", True),
        ("http://reports.office.com/x", False),
        ("https://office.com.example.net/x", False),
        ("https://reports.office.com:8443/x", False),
        ("https://example.net/x", False),
    ],
)
def test_links_lead_to_hosts_of_reports_only(url: str, accepted: bool) -> None:
    class Tokens:
        cloud = CLOUDS["global"]

    transport = AuthorizedTransport(None, Tokens(), "graph")  # type: ignore[arg-type]  # only the cloud is read
    if accepted:
        transport.refuse_foreign_download(url)
        return
    with pytest.raises(MailopsError, match="which is no host of usage reports"):
        transport.refuse_foreign_download(url)
