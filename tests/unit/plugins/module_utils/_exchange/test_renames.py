# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils._exchange import renames


def test_the_former_primary_address_stays_as_a_secondary_one() -> None:
    entries = ["SIP:old@contoso.com", "SMTP:old@contoso.com", "smtp:other@contoso.com", "X500:/o=x"]
    assert renames.with_primary(entries, "new@contoso.com") == [
        "SMTP:new@contoso.com",
        "SIP:old@contoso.com",
        "smtp:old@contoso.com",
        "smtp:other@contoso.com",
        "X500:/o=x",
    ]


def test_a_secondary_address_becomes_primary() -> None:
    assert renames.with_primary(["SMTP:a@x.example", "smtp:B@x.example"], "b@x.example") == ["SMTP:b@x.example", "smtp:a@x.example"]


def test_former_addresses_contradict_no_other_entry() -> None:
    former = {
        "a@x.example": "b@x.example",
        "b@x.example": "",
        "c@x.example": "d@x.example",
        "e@x.example": "d@x.example",
        "f@x.example": "g",
    }
    assert list(renames.problems("mailboxes", former)) == [
        "mailboxes: a@x.example: was is b@x.example, which is listed, too: remove one of them.",
        "mailboxes: c@x.example and e@x.example have the same former address (was) d@x.example: keep it at one of them.",
        "mailboxes: f@x.example: was holds 'g', which is no mail address (name@domain).",
    ]
