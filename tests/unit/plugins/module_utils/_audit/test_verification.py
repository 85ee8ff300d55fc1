# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit import verification
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput

SENDERS = [{"address": "ERP@contoso.com", "status": "verified"}, {"address": "crm@contoso.com", "status": "failed"}]
REPORT: dict[str, Any] = {"format": "mailops.report/1", "started": "2026-11-20T08:00:00Z", "tasks": [{"senders": SENDERS}, {"senders": []}]}


def test_only_verified_senders_count(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    assert verification.read(str(tmp_path / "report.json")) == {"erp@contoso.com": datetime.date(2026, 11, 20)}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "which could not be read (No such file or directory)"),
        ("no JSON", "which is no JSON"),
        ("[]", "which is no report mailops.report/1"),
        (json.dumps({"format": "mailops.audit/1"}), "which is no report mailops.report/1"),
        (json.dumps(REPORT | {"tasks": [{}]}), "which is no complete report"),
        (json.dumps(REPORT | {"tasks": 1}), "which is no complete report"),
        (json.dumps(REPORT | {"started": "yesterday"}), "which is no complete report"),
    ],
)
def test_another_file_is_one_sentence_that_names_the_variable(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidInput) as caught:
        verification.read(str(path))
    assert str(caught.value).startswith(f"audit_verify_report is {path}, which")
    assert sentence in str(caught.value)
