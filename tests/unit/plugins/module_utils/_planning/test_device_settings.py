# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail settings of devices."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning.device_settings import SETTINGS, device_settings, settings_page
from ansible_collections.mailops.m365.plugins.module_utils._planning.methods import PLANNED
from ansible_collections.mailops.m365.plugins.module_utils._planning.sending_plan import plan_sender

from .samples import OAUTH_RELAY, planned, sender, tenant

OFFICE = ["203.0.113.10"]
APP = "mailops-smtp-sender"


@pytest.mark.parametrize(("what", "state", "expected"), [
    ({"kind": "erp"}, {}, {"server": "smtp.office365.com", "port": 587, "user": "device@contoso.com"}),
    ({"public_addresses": OFFICE}, {"mx_host": "mx.example.net"}, {"server": "mx.example.net", "port": 25, "sign_in": "none"}),
    ({"relay_host": "gateway"}, {"relay_hosts": [OAUTH_RELAY]}, {"server": "relay.contoso.com", "port": 25, "sign_in": "none"}),
    ({"method": "hosted"}, {"hosted_relay": "mailgun"}, {"server": "smtp.mailgun.org", "port": 587, "sign_in": "password"}),
    ({"method": "hve", "recipients": "internal"}, {}, {"port": 587, "sign_in": "the account's password"}),
    ({"method": "acs"}, {"acs": True}, {"server": "smtp.azurecomm.net", "port": 587}),
    ({"method": "direct_send", "recipients": "internal"}, {}, {"server": "the tenant's MX host"}),
])  # fmt: skip
def test_the_settings_of_a_method(what: dict[str, Any], state: dict[str, Any], expected: dict[str, Any]) -> None:
    known = tenant(**state)
    [plan] = planned(known, what)
    settings = device_settings(plan, known, CLOUDS["global"], APP).as_result()
    assert {name: settings[name] for name in expected} == expected
    assert settings["from"] == "device@contoso.com"


def test_the_page_is_a_table_with_one_row_per_sender() -> None:
    known = tenant()
    plan = plan_sender(sender(name="A | B", kind="erp"), known)
    entry = {
        "name": "A | B",
        "method": "oauth",
        "reason": plan.reason,
        "settings": device_settings(plan, known, CLOUDS["global"], APP).as_result(),
    }
    lines = settings_page("contoso.com", [entry]).splitlines()
    assert lines[0] == "# Mail settings: contoso.com"
    assert lines[4].startswith("| A \\| B | smtp.office365.com | 587 | STARTTLS, TLS 1.2 | OAuth 2.0 (XOAUTH2)")


def test_every_method_has_device_settings() -> None:
    assert tuple(SETTINGS) == PLANNED
