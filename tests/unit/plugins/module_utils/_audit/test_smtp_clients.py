# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The export of the report SMTP AUTH clients, in three dialects."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit import smtp_clients
from ansible_collections.mailops.m365.plugins.module_utils._audit.evidence import ClientUsage
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput

COMMAS = (
    '"Sender address","Domain","Authentication protocol","TLS 1.0","TLS 1.2","Messages sent"\r\n'
    'CRM@contoso.com,contoso.com,Basic,0.45,0.55,"1,234"\r\n'
    "erp@contoso.com,contoso.com,OAuth,0,1,88\r\n"
    "crm@contoso.com,contoso.com,OAuth,0,1,6\r\n"
    "Total,,,,,1328\r\n"
)
EXPECTED = {
    "crm@contoso.com": ClientUsage(basic=True, oauth=True, messages=1240, old_tls=("TLS 1.0",)),
    "erp@contoso.com": ClientUsage(basic=False, oauth=True, messages=88),
}
DIALECTS = {
    "UTF-8 with a mark and commas": COMMAS.encode("utf-8-sig"),
    "UTF-16LE with tabs": ("\ufeff" + COMMAS.replace('"1,234"', "1 234").replace('"', "").replace(",", "\t")).encode("utf-16-le"),
    "semicolons with per cent": (
        b"Sender;Auth protocol;TLS1.0;TLS1.2;Volume\n"
        b"crm@contoso.com;Basic auth;45 %;55 %;1.234\nerp@contoso.com;Modern (OAuth);0 %;100 %;88\ncrm@contoso.com;oauth;0,0;100;6\n"
    ),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialects(dialect: str) -> None:
    assert smtp_clients.parse(DIALECTS[dialect], "contoso.csv", {}) == EXPECTED


def test_without_the_protocol_neither_is_known() -> None:
    [usage] = smtp_clients.parse(b"sender,messages\nerp@contoso.com,7\n", "x.csv", {}).values()
    assert usage == ClientUsage(messages=7)


def test_columns_of_a_localized_portal_are_named_in_the_inventory() -> None:
    content = b"Absenderadresse;Authentifizierungsprotokoll\nerp@contoso.com;Basic\n"
    headers = {"sender": "Absenderadresse", "protocol": "Authentifizierungs-Protokoll"}
    assert smtp_clients.parse(content, "x.csv", headers)["erp@contoso.com"].basic is True
    with pytest.raises(InvalidInput, match=r"columns: Absenderadresse, Authentifizierungsprotokoll\): .* audit_csv_headers"):
        smtp_clients.parse(content, "x.csv", {})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "x.csv is no CSV file"),
        (b"\x00\x01\x02\xff\xfe", "x.csv is neither UTF-8 nor UTF-16 text"),
        (b"\xff\xfea", "x.csv is neither UTF-8 nor UTF-16 text"),
        (b"<html>", "x.csv has no column of senders"),
        (b"sender\nerp@contoso.com\n", "x.csv has no column of senders and another one"),
        (b"sender,count\n" + b"x" * 200_000 + b",1\n", "x.csv is no CSV file"),
        (b"x" * (smtp_clients.MOST_BYTES + 1), "x.csv has more than 64 MiB"),
    ],
)
def test_an_unreadable_file_is_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput) as error:
        smtp_clients.parse(content, "x.csv", {})
    assert sentence in str(error.value)
