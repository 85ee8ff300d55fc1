"""Get-DkimSigningConfig: the status follows the CNAME records."""

from __future__ import annotations

from typing import Any

from tests.emulator.conftest import Start

TARGETS = [f"selector{n}-contoso-com._domainkey.contoso.y-v1.dkim.mail.microsoft" for n in (1, 2)]
RECORDS = [f"selector{n}._domainkey CNAME {target}." for n, target in enumerate(TARGETS, 1)]


def test_the_status_follows_the_records(start: Start) -> None:
    expected = {"Valid": RECORDS, "CnameMissing": RECORDS[:1]}
    for status, records in expected.items():
        api = start(tenant={"dkim": [{"domain": "contoso.com", "key_size": 1024}], "dns": {"contoso.com": records}})
        rows: dict[str, dict[str, Any]] = {row["Domain"]: row for row in api.rows("Get-DkimSigningConfig")}
        assert set(rows) == {"contoso.onmicrosoft.com", "contoso.com"}
        own = rows["contoso.com"]
        assert (own["Status"], own["Enabled"], own["Selector1KeySize"]) == (status, True, 1024)
        assert [own["Selector1CNAME"], own["Selector2CNAME"]] == TARGETS
        assert rows["contoso.onmicrosoft.com"]["Status"] == "Valid"


def test_a_domain_without_a_configuration_is_not_found(start: Start) -> None:
    api = start()
    assert [row["Domain"] for row in api.rows("Get-DkimSigningConfig")] == ["contoso.onmicrosoft.com"]
    assert api.exchange("Get-DkimSigningConfig", {"Identity": "contoso.com"}).status_code == 404
