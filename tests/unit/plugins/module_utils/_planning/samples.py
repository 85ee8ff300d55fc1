# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planning tests share: a planning context, and senders in one line."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._core.params import make_params
from ansible_collections.mailops.m365.plugins.module_utils._hosted.providers import HOSTED_RELAYS
from ansible_collections.mailops.m365.plugins.module_utils._planning import options
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import Mailbox, PlanningContext, RelayHost
from ansible_collections.mailops.m365.plugins.module_utils._planning.senders import Sender
from ansible_collections.mailops.m365.plugins.module_utils._planning.sending_plan import SendingPlan, plan_sender

TODAY = datetime.date(2026, 11, 23)
OAUTH_RELAY = RelayHost("gateway", "relay.contoso.com", "oauth")
PLANT = RelayHost("plant", "10.1.2.3", "connector", ("198.51.100.7",))


def item(**values: Any) -> options.SenderOptions:
    """A sender's options as the module passes them."""
    blank = {name: option.get("default") for name, option in options.SENDER.items()}
    return make_params(options.SenderOptions, blank | {"name": "Device", "address": "device@contoso.com"} | values)


def sender(**values: Any) -> Sender:
    return options.sender(item(**values))


def tenant(**values: Any) -> PlanningContext:
    mailboxes = {name: Mailbox(name, kind) for name, kind in values.pop("mailboxes", {}).items()}
    relay_hosts = {relay.name: relay for relay in values.pop("relay_hosts", ())}
    hosted_relay = HOSTED_RELAYS.get(values.pop("hosted_relay", ""))
    fixed: dict[str, Any] = {"domains": frozenset({"contoso.com", "contoso.onmicrosoft.com"}), "today": TODAY, "licences": 100}
    return PlanningContext(**fixed | {"mailboxes": mailboxes, "relay_hosts": relay_hosts, "hosted_relay": hosted_relay} | values)


def planned(known: PlanningContext, *senders: dict[str, Any]) -> list[SendingPlan]:
    """The plans of these senders, which have no problems; their names are S0, S1, ..."""
    plans = [plan_sender(sender(**{"name": f"S{number}", **values}), known) for number, values in enumerate(senders)]
    assert not [problem for plan in plans for problem in plan.problems]
    return plans
