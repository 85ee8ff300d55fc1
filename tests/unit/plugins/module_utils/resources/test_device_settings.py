# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module device_settings on files of a temporary directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils.resources.device_settings import RESOURCE

from tests.unit.plugins.module_utils._sheets.entries import forced, planned

SCANNER = planned(name="Scanner", product="Kyocera", relay_host="gateway")
ERP = planned(name="ERP", kind="erp", product="smtplib")


def write(path: Path, *plan: dict[str, Any], check_mode: bool = False, **more: Any) -> dict[str, Any]:
    options = {"directory": str(path), "tenant_name": "contoso", "plan": list(plan), "sender_app_client_id": "", **more}
    return run(RESOURCE, options, check_mode=check_mode)


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def pages(*stems: str) -> list[str]:
    return [f"contoso/{stem}.{suffix}" for stem in stems for suffix in ("html", "md")]


def test_sheets_are_predicted_and_written_once(tmp_path: Path) -> None:
    predicted = write(tmp_path, SCANNER, ERP, check_mode=True)
    assert files(tmp_path) == []
    done = write(tmp_path, SCANNER, ERP)
    assert done == predicted
    assert done["changed"]
    assert files(tmp_path) == done["files"] == done["paths"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.*")} == {0o644}
    again = write(tmp_path, SCANNER, ERP)
    assert (again["changed"], again["paths"], again["diff"]["after"]) == (False, [], "")


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    write(tmp_path, SCANNER, ERP)
    moved = json.loads(json.dumps(SCANNER).replace("relay.contoso.com", "relay2.contoso.com"))
    done = write(tmp_path, moved, ERP)
    assert done["paths"] == ["contoso.md", *pages("printer-fleet", "scanner")]
    assert "relay.contoso.com" in done["diff"]["before"]
    assert "relay2.contoso.com" in done["diff"]["after"]


def test_sheets_of_former_senders_are_removed_and_other_files_stay(tmp_path: Path) -> None:
    write(tmp_path, SCANNER, ERP)
    (tmp_path / "contoso/notes.md").write_text("mine\n")
    done = write(tmp_path, ERP)
    assert done["paths"] == [
        "contoso.md",
        *pages("index", "printer-fleet", "scanner"),
    ]
    assert files(tmp_path) == ["contoso.md", *pages("erp", "index"), "contoso/notes.md"]
    write(tmp_path)
    assert files(tmp_path) == ["contoso.md", "contoso/notes.md"]


def test_null_values_may_be_left_out(tmp_path: Path) -> None:
    """Ansible leaves them out of the options of a task."""
    plan = json.loads(json.dumps([SCANNER, ERP]))
    assert plan[0]["settings"].pop("oauth") is None
    write(tmp_path, SCANNER, ERP)
    assert not write(tmp_path, *plan)["changed"]


def test_client_id_is_filled_in(tmp_path: Path) -> None:
    write(tmp_path, ERP, sender_app_client_id="99999999-2222-4333-8444-555555555555")
    assert "| Client ID | `99999999-2222-4333-8444-555555555555` |" in (tmp_path / "contoso/erp.md").read_text()


@pytest.mark.parametrize(("options", "sentence"), [
    ({"directory": "/nowhere/sheets"}, "directory is /nowhere/sheets, which is no directory: create it or correct the path."),
    ({"tenant_name": "../etc"}, "tenant_name is '../etc', which can be no name of a file: give the tenant's name in the inventory."),
    ({"tenant_name": ""}, "tenant_name is '', which can be no name of a file: give the tenant's name in the inventory."),
    ({"plan": [{"name": "x"}]}, "plan has an item without name, method and settings: give the result plan of module tenant or "
     "sender_plan."),
])  # fmt: skip
def test_bad_input_is_one_sentence(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    result = write(tmp_path, ERP, **options)
    assert (result["failed"], result["msg"]) == (True, sentence)
    assert files(tmp_path) == []


def test_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "contoso").write_text("mine\n")
    result = write(tmp_path, ERP)
    assert result["failed"]
    assert result["msg"].startswith(f"Could not write {tmp_path}/contoso/")


def test_no_secret_is_in_any_sheet(tmp_path: Path) -> None:
    entry = forced("hosted", product="wp mail smtp")
    write(tmp_path, entry)
    text = (tmp_path / "contoso/device.md").read_text()
    assert "getenv('SMTP_PASSWORD')" in text
    assert "it is in m365_hosted_credential_store" in text
