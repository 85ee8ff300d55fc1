# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.model import RelayConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.parse import parse

from .....conftest import TENANT

CLIENT = "11111111-2222-3333-4444-555555555555"


def role_variables(**changed: Any) -> dict[str, Any]:
    """The role's variables with their defaults, for one mailbox with OAuth; `changed` by name."""
    return {
        "relay_upstream": "oauth",
        "m365_tenant": TENANT,
        "m365_cloud": "global",
        "relay_client_id": CLIENT,
        "relay_hostname": "relay1.contoso.com",
        "relay_mailboxes": [{"address": "scanner@contoso.com"}],
        "relay_devices": [],
        "relay_smarthost": {},
        "relay_connector_tls": "verify",
        "relay_legacy_port": 2525,
        "relay_message_size_limit": 0,
        "relay_recipients_per_message": 500,
        "relay_connections_per_client": 20,
        "relay_processes": 200,
        "relay_active_queue_limit": 100000,
        "relay_queue_lifetime": "2d",
        "relay_delay_warning": "1h",
        "relay_key_days": 365,
        "relay_count": 1,
        "relay_backup_directory": "/var/backups/mailops-relay",
        "relay_drain_timeout": 3600,
        "relay_fail2ban": True,
        "inventory_hostname": "relay1",
        "fqdn": "",
    } | changed


def relay_config(**changed: Any) -> RelayConfig:
    return parse(role_variables(**changed))


def problems(**changed: Any) -> list[str]:
    """The problems with the variables; empty where they are valid."""
    try:
        relay_config(**changed)
    except InvalidInput as error:
        return error.problems
    return []
