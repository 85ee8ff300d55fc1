# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication delay: a new object is not known to all of Exchange's servers at once.

Source: observed. Microsoft documents no bound; m365_wait_timeout is the bound here.
"""

from __future__ import annotations

from .._clients.exchange import Command, is_missing
from .._core.bounds import EXCHANGE_REPLICATION
from .._core.waiting import Retry
from .._engine.tenant import Tenant


def run_all(tenant: Tenant, commands: list[Command]) -> None:
    """Run independent commands; those that miss a new object are repeated until the time allowed is over."""
    retry = Retry(EXCHANGE_REPLICATION, tenant.transport, tenant.wait_timeout)
    while commands:
        outcomes = tenant.exchange.batch(commands)
        errors = [(command, outcome.error) for command, outcome in zip(commands, outcomes, strict=True) if outcome.error]
        lasting = [error for _command, error in errors if not is_missing(error)]
        if lasting:
            raise lasting[0]
        if not errors:
            return
        if not retry.again():
            raise errors[0][1]
        commands = [command for command, _error in errors]
        tenant.cost.count(retries=1)
