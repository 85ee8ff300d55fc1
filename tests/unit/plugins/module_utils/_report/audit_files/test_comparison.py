# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit compared with an earlier one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import tables
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.comparison import (
    compared,
    load,
    sentence,
)
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.data import page_data

from .documents import FINDING, OPEN, SAFE, SENDER, UNLISTED, audited, document

EARLIER = document("2026-10-28T16:00:00Z", contoso=audited(SENDER, SAFE, findings=(FINDING,)), fabrikam=audited(UNLISTED))


def changes(comparison: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["change"], one["tenant"], one["subject"]) for one in comparison["changes"]]


def test_what_is_new_still_there_and_fixed() -> None:
    now = compared(document(contoso=audited(SENDER | {"verdict": "refused"}, SAFE, findings=(OPEN,)), fabrikam=audited()), EARLIER)
    comparison = now["comparison"]
    assert changes(comparison) == [
        ("new", "contoso", "organization"),
        ("fixed", "contoso", "contoso.com"),
        ("fixed", "fabrikam", "crm@contoso.com"),
    ]
    assert comparison["still"] == 1
    assert [row.get("change") for row in now["tenants"]["contoso"]["senders"]] == ["still", None]
    assert [row.get("change") for row in now["tenants"]["contoso"]["findings"]] == ["new"]
    assert sentence(comparison) == "Compared with the audit of 2026-10-28T16:00:00Z: 1 new, 2 fixed, 1 still there."
    assert tables.senders(now).splitlines()[1].endswith(",still")


def test_a_sender_that_became_safe_is_fixed_and_one_that_breaks_now_is_new() -> None:
    safe, breaking = SENDER | {"severity": "info", "verdict": "safe"}, SAFE | {"severity": "high", "verdict": "breaks"}
    now = compared(document(contoso=audited(safe, breaking, findings=(FINDING,)), fabrikam=audited(UNLISTED)), EARLIER)
    assert changes(now["comparison"]) == [("new", "contoso", "shop@contoso.com"), ("fixed", "contoso", "erp@contoso.com")]


@pytest.mark.parametrize("tenants", [{"contoso": "refused"}, {}, {"contoso": audited(unreadable=("sign_ins",))}])
def test_what_can_no_longer_be_read_is_never_fixed(tenants: dict[str, Any]) -> None:
    comparison = compared(document(**tenants, fabrikam=audited(UNLISTED)), EARLIER)["comparison"]
    assert (comparison["fixed"], comparison["unknown"]) == (0, 2)
    assert sentence(comparison).endswith("0 new, 0 fixed, 1 still there, 2 not comparable.")


@pytest.mark.parametrize("before", ["refused", None, audited(unreadable=("sign_ins",))])
def test_what_could_not_be_seen_then_is_not_new(before: Any) -> None:
    earlier = document("2026-10-28T16:00:00Z", fabrikam=audited(UNLISTED), **({"contoso": before} if before else {}))
    now = compared(document(contoso=audited(SENDER, findings=(OPEN,)), fabrikam=audited(UNLISTED, findings=(OPEN,))), earlier)
    assert changes(now["comparison"]) == [
        ("unknown", "contoso", "erp@contoso.com"),
        ("unknown", "contoso", "organization"),
        ("new", "fabrikam", "organization"),
    ]
    assert now["tenants"]["contoso"]["senders"][0]["change"] == "unknown"
    assert page_data(now)["gone"] == [], "it is there"
    assert sentence(now["comparison"]).endswith("1 new, 0 fixed, 1 still there, 2 not comparable.")


CONTOSO = EARLIER["tenants"]["contoso"]
INCOMPLETE: dict[str, dict[str, Any]] = {
    "start": {"started": "yesterday"},
    "no start": {"started": None},
    "timetable": {"timetable": None},
    "announcement": {"timetable": [{}]},
    "totals": {"totals": 3},
    "tenants": {"tenants": []},
    "tenant": {"tenants": {"contoso": None}},
    "no rows": {"tenants": {"contoso": {"audited": True}}},
    "sender": {"tenants": {"contoso": CONTOSO | {"senders": [{}]}}},
    "totals of a tenant": {"tenants": {"contoso": CONTOSO | {"totals": None}}},
}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), ("{", "it is not JSON"), ("[]", "its format is not"), ('{"format": "mailops.report/1"}', "its format is not")],
)
def test_a_file_that_is_no_audit_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(InvalidInput, match=reason):
        load(path)


@pytest.mark.parametrize("missing", INCOMPLETE)
def test_an_incomplete_report_is_one_sentence(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(EARLIER | INCOMPLETE[missing]), "utf-8")
    with pytest.raises(InvalidInput) as caught:
        load(path)
    assert str(caught.value) == f"{path}: it is incomplete, or was changed. Name the report.json of an audit."


def test_a_report_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(EARLIER), "utf-8")
    assert load(tmp_path / "report.json") == EARLIER
