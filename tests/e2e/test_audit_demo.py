"""The audit that `make demo` ends with: its numbers are those of the messages that the emulator accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import page

from scripts import demo_audit

from .test_playbooks import Playground

pytestmark = pytest.mark.one_python_is_enough


def test_the_report_has_what_the_emulator_has_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    playground = Playground(tmp_path)

    def play(playbook: str, *, variables: dict[str, str]) -> dict[str, Any]:
        run = playground.play(playbook, variables=variables)
        assert run.code == 0, run.output
        return run.report

    try:
        report = demo_audit.audit(playground.sandbox, play, playground.secrets["any_password"])
        accepted = [message for message in playground.admin.messages() if message["header_from"] == demo_audit.PROGRAM]
    finally:
        playground.sandbox.stop()
    assert f"Open {report} in a browser" in capsys.readouterr().out
    data, document = page.data_of(report.read_text("utf-8")), json.loads((report.parent / "report.json").read_text("utf-8"))
    row = data["senders"]["address"].index(demo_audit.PROGRAM)
    assert data["texts"][data["senders"]["verdict"][row]] == "breaks"
    [sender] = [one for one in document["tenants"]["northwind"]["senders"] if one["address"] == demo_audit.PROGRAM]
    assert sender["basic"]["succeeded"] == len(accepted) == demo_audit.MESSAGES
    unreadable = {
        name for name, audit in document["tenants"].items() for one in audit["sources"] if one["name"] == "sign_ins" and one["reason"]
    }
    assert unreadable == {"contoso", "fabrikam"}, "zero is not the same as not readable"
