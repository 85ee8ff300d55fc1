# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of role relay_host: the relay's configuration, and the secrets that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import plain
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import devices, postfix
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.model import RelayConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.parse import parse


def relay_config(variables: object) -> dict[str, Any]:
    """A RelayPlan as plain data, with `problems`, which is empty; where there are problems, nothing but these."""
    try:
        return {"problems": [], **plain(asdict(postfix.plan(parse(plain(variables)))))}
    except InvalidInput as error:
        return {"problems": error.problems}


def relay_passwords(variables: object) -> dict[str, list[str]]:
    """File -> lines: the passwords that Postfix authenticates with."""
    return postfix.passwords(_valid(variables))


def relay_sasl_users(variables: object) -> str:
    """Dovecot's passwd-file of the SASL users."""
    return devices.sasl_users(_valid(variables))


def _valid(variables: object) -> RelayConfig:
    try:
        return parse(plain(variables))
    except InvalidInput as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "relay_config": relay_config,
            "relay_passwords": relay_passwords,
            "relay_sasl_users": relay_sasl_users,
        }
