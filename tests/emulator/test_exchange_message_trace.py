"""Get-MessageTraceV2: rows of recipients, periods, the next rows, and the limit of requests."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.emulator.conftest import TENANT, Api, Start

NOW = datetime.now(UTC)


def message(sender: str, *recipients: str, ago: timedelta = timedelta(hours=1), **more: Any) -> dict[str, Any]:
    raw = base64.b64encode(b"Subject: Invoice 17\r\nMessage-ID: <1@contoso.com>\r\n\r\n.\r\n").decode()
    base = {
        "tenant_id": TENANT,
        "via": "connector",
        "mail_from": sender,
        "recipients": list(recipients),
        "raw": raw,
        "source": "203.0.113.10",
    }
    return base | {"received": (NOW - ago).timestamp()} | more


def traced(api: Api, **parameters: Any) -> list[tuple[str, str]]:
    return [(row["SenderAddress"], row["RecipientAddress"]) for row in api.rows("Get-MessageTraceV2", parameters)]


def written(ago: timedelta) -> str:
    return (NOW - ago).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_row_is_a_recipient_and_the_newest_comes_first(start: Start) -> None:
    hour = timedelta(hours=1)
    messages = [
        message("erp@contoso.com", "b@customer.example", "a@customer.example", ago=2 * hour),
        message("scan@contoso.com", "ada@contoso.com", ago=hour),
        message("x@outside.example", "ada@contoso.com", ago=3 * hour, via="internet"),
        message("labels@contoso.com", "ada@contoso.com", ago=72 * hour),
        message("acs@contoso.com", "ada@contoso.com", via="acs"),
    ]
    api = start(messages=messages)
    expected = [
        ("scan@contoso.com", "ada@contoso.com"),
        ("erp@contoso.com", "a@customer.example"),
        ("erp@contoso.com", "b@customer.example"),
    ]
    assert traced(api, SenderAddress=["*@contoso.com"]) == expected, "48 hours by default"
    assert ("x@outside.example", "ada@contoso.com") in traced(api)
    assert len(traced(api, SenderAddress=["*@contoso.com"], StartDate=written(100 * hour), EndDate=written(hour * 0))) == 4
    [row] = api.rows("Get-MessageTraceV2", {"SenderAddress": ["scan@contoso.com"]})
    assert (row["FromIP"], row["Subject"], row["MessageId"], row["Status"]) == (
        "203.0.113.10",
        "Invoice 17",
        "<1@contoso.com>",
        "Delivered",
    )


def test_the_next_rows_begin_after_the_last_recipient(start: Start) -> None:
    api = start(messages=[message("erp@contoso.com", *(f"{n}@customer.example" for n in range(5)))])
    first = api.rows("Get-MessageTraceV2", {"ResultSize": 2})
    more = {"EndDate": first[-1]["Received"], "StartingRecipientAddress": first[-1]["RecipientAddress"]}
    assert traced(api, **more) == [("erp@contoso.com", f"{n}@customer.example") for n in range(2, 5)]


def test_periods_and_sizes_have_limits(start: Start) -> None:
    api = start()
    day = timedelta(days=1)
    wrong = [
        {"StartDate": written(11 * day), "EndDate": written(0 * day)},
        {"StartDate": written(100 * day), "EndDate": written(95 * day)},
        {"StartDate": written(0 * day), "EndDate": written(day)},
        {"StartDate": "yesterday"},
        {"ResultSize": 5001},
    ]
    assert [api.exchange("Get-MessageTraceV2", one).status_code for one in wrong] == [400] * len(wrong)
    assert traced(api, StartDate=written(90 * day), EndDate=written(80 * day)) == []


def test_a_hundred_requests_in_five_minutes(start: Start) -> None:
    api = start()
    api.admin.stop_clock()
    assert {api.exchange("Get-MessageTraceV2").status_code for _ in range(100)} == {200}
    refused = api.exchange("Get-MessageTraceV2")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "300")
    api.admin.advance(301)
    assert api.exchange("Get-MessageTraceV2").status_code == 200
