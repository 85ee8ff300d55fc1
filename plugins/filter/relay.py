# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of role relay_host: the relay's settings, and what is wrong with them.

A thin door: what it all means stands in module_utils/relay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import plain
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import devices, parse, postfix


def relay_problems(variables: Any) -> list[str]:
    """One sentence a problem."""
    return postfix.problems(plain(variables))


def relay_settings(variables: Any) -> dict[str, Any]:
    """The plan that the role's templates write down."""
    try:
        return postfix.settings(plain(variables))
    except InvalidInput as error:
        raise AnsibleFilterError(str(error)) from None


def relay_passwords(variables: Any) -> dict[str, list[str]]:
    """File -> lines of what Postfix signs in with; no part of the plan, which is a fact."""
    return postfix.passwords(plain(variables))


def relay_users(variables: Any) -> str:
    """The devices' user names with the hashes of their passwords, as Dovecot reads them."""
    told = plain(variables)
    return devices.users_file(told, parse.hostname(told))


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "relay_passwords": relay_passwords,
            "relay_problems": relay_problems,
            "relay_settings": relay_settings,
            "relay_users": relay_users,
        }
