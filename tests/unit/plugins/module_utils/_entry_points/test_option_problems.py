# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module would refuse of options that a filter has made."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._entry_points.option_problems import option_problems
from ansible_collections.mailops.m365.plugins.module_utils.resources.windows_hmailserver import RESOURCE

OPTIONS: dict[str, Any] = {
    "admin_password": "a long password",
    "hostname": "relay.contoso.com",
    "ranges": [{"name": "printers", "networks": ["10.1.2.0/24"]}],
    "upstream": {"host": "contoso-com.mail.protection.outlook.com"},
}


def test_problems_of_types_and_of_values() -> None:
    assert option_problems(RESOURCE, OPTIONS) == []
    assert option_problems(RESOURCE, OPTIONS | {"tries": 5000}) == ["tries is 5000: use a number from 0 to 1000."]
    [problem] = option_problems(RESOURCE, OPTIONS | {"update_password": "never"})
    assert problem.startswith("value of update_password must be one of: when_changed, on_create, always")


def test_defaults_of_the_spec_stay_as_they_are() -> None:
    """Ansible fills the defaults of suboptions into the default of their option."""
    assert option_problems(RESOURCE, OPTIONS) == []
    assert RESOURCE.spec.options["auto_ban"]["default"] == {}
