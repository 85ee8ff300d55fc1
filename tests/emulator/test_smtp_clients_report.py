"""The export of the report SMTP AUTH clients: three dialects of the same rows, from the messages of client submission."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from emulator.smtp_clients import DIALECTS, HEADER
from tests.emulator.conftest import Start

from .test_exchange_message_trace import message

DAY = timedelta(days=1)
MESSAGES = [
    message("erp@contoso.com", "a@customer.example", via="submission"),
    message("crm@contoso.com", "a@customer.example", via="submission-login"),
    message("crm@contoso.com", "b@customer.example", via="submission-login", ago=89 * DAY),
    message("crm@contoso.com", "b@customer.example", via="submission-login", ago=91 * DAY),
    message("scan@contoso.com", "a@customer.example", via="connector"),
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rows_are_senders_by_protocol_in_ninety_days(start: Start, dialect: str) -> None:
    api = start(messages=MESSAGES)
    delimiter, encoding, whole = DIALECTS[dialect]
    header, *rows = csv.reader(io.StringIO(api.admin.smtp_clients("contoso.com", dialect).decode(encoding)), delimiter=delimiter)
    assert tuple(header) == HEADER
    assert [(row[0], row[2], row[6], row[7]) for row in rows] == [
        ("crm@contoso.com", "Basic", whole, "2"),
        ("erp@contoso.com", "OAuth", whole, "1"),
    ]


def test_another_dialect_is_unknown(start: Start) -> None:
    with pytest.raises(ValueError, match=r"404 .*no dialect 'pipes'; known: commas, tabs, semicolons"):
        start().admin.smtp_clients("contoso.com", "pipes")
