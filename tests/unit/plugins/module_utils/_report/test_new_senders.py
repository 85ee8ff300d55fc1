# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program with OAuth needs is printed in the run that grants its access, and is in every JSON report."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning.device_settings import SenderApp, entry
from ansible_collections.mailops.m365.plugins.module_utils._planning.new_senders import completed
from ansible_collections.mailops.m365.plugins.module_utils._report import new_senders

from .._planning.samples import planned, tenant

APP = SenderApp("mailops-smtp-sender", "11111111-2222-4333-8444-555555555555", "certificate in /keys/sender.pem")
CLIENT = "6a1d0b5e-1111-4c1e-9b3a-0a5f3d1c0001"


def change(kind: str, name: str, action: str = "add") -> dict[str, Any]:
    return {"kind": kind, "object": name, "action": action}


GRANTED = change("mailbox_permission", "FullAccess of mailops-smtp-sender on Device@contoso.com")


def planned_entry(**what: Any) -> dict[str, Any]:
    known = tenant()
    [plan] = planned(known, {"kind": "erp", **what})
    return entry(plan, known, CLOUDS["global"], APP)


@pytest.mark.parametrize(
    ("changes", "new"),
    [
        ([GRANTED], True),
        ([change("smtp_auth", "device@contoso.com")], True),
        ([change("hve_account", "device@contoso.com")], True),
        ([], False),
        ([change("mailbox_permission", "FullAccess of app on other@contoso.com")], False),
        ([change("mailbox_permission", "FullAccess of app on device@contoso.com", "remove")], False),
        ([change("spf_record", "device@contoso.com")], False),
    ],
)
def test_sender_is_new_where_the_run_grants_its_access(changes: list[dict[str, Any]], new: bool) -> None:
    assert completed(planned_entry(), CLIENT, changes)["new"] is new


def test_client_id_is_that_of_the_sender_app() -> None:
    assert completed(planned_entry(), CLIENT, [])["settings"]["oauth"]["client_id"] == CLIENT
    without = completed(planned_entry(kind="printer", oauth=False, public_addresses=["203.0.113.10"]), CLIENT, [GRANTED])
    assert (without["settings"]["oauth"], without["new"]) == (None, False)


def test_new_senders_have_their_settings_in_the_summary_once_for_each_application() -> None:
    new, other = (completed(planned_entry(name=name), CLIENT, [GRANTED]) for name in ("ERP", "Web shop"))
    entries = [("contoso", new), ("fabrikam", completed(planned_entry(), CLIENT, [])), ("contoso", other)]
    assert [text for text, _colour in new_senders.lines(entries, 118, full=False)] == [
        "NEW SENDERS WITH OAUTH",
        "contoso",
        "    ERP (device@contoso.com)  user name device@contoso.com",
        "    Web shop (device@contoso.com)  user name device@contoso.com",
        "    Server           smtp.office365.com, port 587, STARTTLS, TLS 1.2",
        f"    Tenant ID        {APP.tenant_id}",
        f"    Client ID        {CLIENT}",
        f"    Authority        https://login.microsoftonline.com/{APP.tenant_id}",
        f"    Token URL        https://login.microsoftonline.com/{APP.tenant_id}/oauth2/v2.0/token",
        "    Scope            https://outlook.office365.com/.default (client credentials)",
        "    Scope of a user  https://outlook.office.com/SMTP.Send offline_access (delegated)",
        "    Credential       certificate in /keys/sender.pem",
    ]


def test_many_new_senders_are_shortened() -> None:
    new = completed(planned_entry(), CLIENT, [GRANTED])
    entries = [(f"tenant-{number}", new) for number in range(100)]
    texts = [text for text, _colour in new_senders.lines(entries, 118, full=False)]
    assert len(texts) == 1 + 5 * 10 + 1
    assert texts[-1].startswith("95 more: -v lists them")
    assert len(list(new_senders.lines(entries, 118, full=True))) == 1 + 100 * 10
    assert list(new_senders.lines([("contoso", planned_entry())], 118, full=True)) == []
