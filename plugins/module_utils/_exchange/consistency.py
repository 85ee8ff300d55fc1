# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication delay: a new object is not known to all of Exchange's servers at once, and customization takes effect later.

Source: observed. Microsoft documents no bound; m365_wait_timeout is the bound here.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._clients.exchange import Command, Outcome, is_missing
from .._core.bounds import EXCHANGE_REPLICATION
from .._core.waiting import Retry
from .._engine.tenant import Tenant
from . import customization


def run_all(tenant: Tenant, commands: Sequence[Command]) -> list[Outcome]:
    """Run independent commands; those that a delay refuses are repeated until the time allowed is over. The outcomes, in order.

    Where a new organization refuses a command, its customization is enabled.
    """
    retry = Retry(EXCHANGE_REPLICATION, tenant.transport, tenant.wait_timeout)
    outcomes: dict[int, Outcome] = {}
    pending = list(range(len(commands)))
    while pending:
        outcomes |= zip(pending, tenant.exchange.batch([commands[number] for number in pending]), strict=True)
        errors = {number: error for number in pending if (error := outcomes[number].error)}
        lasting = [error for error in errors.values() if not (is_missing(error) or customization.is_delayed(error))]
        if lasting:
            raise lasting[0]
        if any(map(customization.is_required, errors.values())):
            customization.enable(tenant)
        pending = list(errors)
        if pending and not retry.again():
            raise errors[pending[0]]
        tenant.cost.count(retries=1 if pending else 0)
    return [outcomes[number] for number in range(len(commands))]
