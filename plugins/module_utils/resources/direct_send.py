# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Direct Send: whether the organization rejects mail in its own domains' name that comes without sign-in and connector.

Private to the collection. Sources: "Introducing more control over Direct Send in Exchange Online"; Set-OrganizationConfig.
"""

from __future__ import annotations

from typing import Any

from .._clients.exchange import Command, boolean
from .._core import mail_addresses
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant

OPTIONS = Spec(
    {
        "rejected": {"type": "bool", "required": True},
        "senders": {"type": "list", "elements": "str", "default": []},
    }
)
NOTE = (
    "Rejecting Direct Send takes up to 30 minutes to take effect. It also refuses forwarded mail that keeps its envelope sender "
    "in one of this tenant's domains."
)


class DirectSend:
    """module direct_send"""

    name = "direct_send"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        senders = params["senders"]
        problems = mail_addresses.problems("senders", senders)
        if params["rejected"] and senders and not problems:
            problems.append(
                f"rejected is true, but senders that rely on Direct Send would be refused: {', '.join(senders)}; give each an inbound "
                "connector or SMTP AUTH, and take it out of senders, first. Nothing was changed."
            )
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        have, want = read(tenant), params["rejected"]
        outcome = {"direct_send": {"rejected": want}}
        if have == want:
            return Plan(before={}, after={}, outcome=outcome)
        return Plan({"rejected": have}, {"rejected": want}, [want], outcome, [NOTE] if want else [])

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        [want] = plan.steps
        parameters = {"RejectDirectSend": want, "Confirm": False}
        tenant.exchange.run(Command("Set-OrganizationConfig", parameters, attempted="set whether Direct Send is rejected"))
        return plan.outcome


class DirectSendInfo(Reading):
    """module direct_send_info"""

    name = "direct_send_info"
    spec = TENANT | Spec({}, writes=False)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        return Plan(outcome={"direct_send": {"rejected": read(tenant)}})


RESOURCE = DirectSend()
INFO = DirectSendInfo()


def read(tenant: Tenant) -> bool:
    """Whether Direct Send is rejected; an organization that does not know the switch rejects nothing."""
    settings = tenant.exchange.run(Command("Get-OrganizationConfig", {}, attempted="read whether Direct Send is rejected")).values
    return bool(boolean(settings[0].get("RejectDirectSend")))
