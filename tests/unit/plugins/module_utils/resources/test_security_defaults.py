# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.security_defaults import INFO

from ....conftest import Play
from ....script import Script, graph_error

POLICY = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"


@pytest.mark.parametrize(
    ("status", "body", "enabled"), [(200, {"isEnabled": True}, True), (200, {"isEnabled": False}, False), (404, graph_error("x"), False)]
)
def test_security_defaults_are_read_with_one_request(play: Play, script: Script, status: int, body: Any, enabled: bool) -> None:
    script.expect("GET", POLICY).answers(status, body)
    result = play(INFO, script)
    assert result == {"changed": False, "security_defaults": {"enabled": enabled}, "cost": {"requests": 1, "retries": 0, "waited": 0.0}}


def test_missing_permission_is_reported(play: Play, script: Script) -> None:
    script.expect("GET", POLICY).answers(403, graph_error("AccessDenied")).times(2)
    assert "Could not read Security Defaults: the automation app lacks a Graph permission" in play(INFO, script)["msg"]
