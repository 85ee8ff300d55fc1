# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.m365.explain."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.m365.plugins.filter import explain as plugin
from ansible_collections.mailops.m365.plugins.module_utils.explain.recognition import LIMIT, SERVICES

explain = plugin.FilterModule().filters()["explain"]


def test_errors_are_a_list_in_the_order_of_the_text() -> None:
    errors = explain("550 5.7.64 TenantAttribution; Relay Access Denied SMTP\nAADSTS7000222: expired")
    assert [error["id"] for error in errors] == ["relay-denied", "expired-secret"]
    assert errors[1]["variables"] == ["m365_client_secret", "m365_certificate_path"]
    assert explain("hello") == []
    assert [error["id"] for error in explain("535 5.7.3 Authentication unsuccessful", "hve")] == ["hve-refused"]


def test_documentation_has_every_field_and_service() -> None:
    fields = yaml.safe_load(plugin.RETURN)["_value"]["contains"]
    assert set(explain("5.7.64")[0]) == set(fields)
    assert tuple(yaml.safe_load(plugin.DOCUMENTATION)["options"]["service"]["choices"]) == SERVICES


@pytest.mark.parametrize(
    ("value", "service", "problem"),
    [
        (5, "", "it is of type int; give a string"),
        (None, "", "it is of type NoneType"),
        ("x", "imap", "service is 'imap'; give one of entra, graph"),
    ],
)
def test_invalid_input_is_one_sentence(value: object, service: str, problem: str) -> None:
    with pytest.raises(AnsibleFilterError, match=problem):
        explain(value, service)


def test_long_text_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="give the part with the error"):
        explain("x" * (LIMIT + 1))
