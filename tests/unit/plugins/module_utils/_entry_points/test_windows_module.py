"""The entry point of modules of Windows hosts, which the in-process action alone can run."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.mailops.m365.plugins.modules import windows_relay_info


def test_a_module_of_a_windows_host_fails_outside_of_its_action(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({}), pytest.raises(SystemExit) as ended:
        windows_relay_info.main()
    result = json.loads(capsys.readouterr().out)
    assert (ended.value.code, result["failed"]) == (1, True)
    assert "mailops.m365.windows_relay_info runs through its action plugin only" in result["msg"]
