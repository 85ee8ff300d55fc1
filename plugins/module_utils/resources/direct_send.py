# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Direct Send: whether the organization rejects unauthenticated mail from its own domains that matches no connector.

Sources: "Introducing more control over Direct Send in Exchange Online"; Set-OrganizationConfig.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .._clients.exchange import Command, boolean
from .._core import mail_addresses
from .._core.params import NoParams
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant

OPTIONS = Spec(
    {
        "rejected": {"type": "bool", "required": True},
        "senders": {"type": "list", "elements": "str", "default": []},
    }
)
READ = Command("Get-OrganizationConfig", {}, attempted="read whether Direct Send is rejected")
NOTE = (
    "Rejecting Direct Send takes up to 30 minutes to take effect. It also refuses forwarded mail that keeps its envelope sender "
    "in one of this tenant's domains."
)


@dataclass(frozen=True)
class Params:
    rejected: bool
    senders: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    rejected: bool


class DirectSend:
    """Module direct_send."""

    name = "direct_send"
    spec = TENANT | JOURNAL | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = mail_addresses.problems("senders", params.senders)
        if params.rejected and params.senders and not problems:
            problems.append(
                f"rejected is true, but senders that rely on Direct Send would be refused: {', '.join(params.senders)}; give each an "
                "inbound connector or SMTP AUTH, and remove it from senders, first. Nothing was changed."
            )
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[Changes]:
        current, desired = read(tenant), params.rejected
        outcome = {"direct_send": {"rejected": desired}}
        if current == desired:
            return Plan(before={}, after={}, outcome=outcome)
        return Plan({"rejected": current}, {"rejected": desired}, Changes(desired), outcome, [NOTE] if desired else [])

    def cmdlets(self, changes: Changes, /) -> Iterator[str]:
        """The cmdlets that write the changes."""
        yield "Set-OrganizationConfig"

    def apply(self, tenant: Tenant, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        parameters = {"RejectDirectSend": plan.pending.rejected, "Confirm": False}
        tenant.exchange.run(Command("Set-OrganizationConfig", parameters, attempted="set whether Direct Send is rejected"))
        return plan.outcome


class DirectSendInfo(ReadOnlyResource[NoParams]):
    """Module direct_send_info."""

    name = "direct_send_info"
    spec = TENANT | Spec({}, writes=False)
    params_type = NoParams

    def plan(self, tenant: Tenant, params: NoParams, check_mode: bool) -> Plan[None]:
        return Plan(outcome={"direct_send": {"rejected": read(tenant)}})


RESOURCE = DirectSend()
INFO = DirectSendInfo()


def read(tenant: Tenant) -> bool:
    """Whether Direct Send is rejected; False for an organization without the setting."""
    settings = tenant.exchange.run(READ).values
    return bool(boolean(settings[0].get("RejectDirectSend")))
