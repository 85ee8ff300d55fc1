# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of sheets share: entries of a plan, as modules tenant and sender_plan return them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._http.clouds import CLOUDS
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import PlanningContext
from ansible_collections.mailops.m365.plugins.module_utils._planning.device_settings import SenderApp, entry
from ansible_collections.mailops.m365.plugins.module_utils._planning.rules import relay_host_of
from ansible_collections.mailops.m365.plugins.module_utils._planning.sending_plan import SendingPlan, plan_sender

from tests.unit.plugins.module_utils._planning.samples import OAUTH_RELAY, sender, tenant

TENANT_ID = "11111111-2222-4333-8444-555555555555"
APP = SenderApp("mailops-smtp-sender", TENANT_ID, "certificate with private key in /keys/sender.pem on the control node")
USER_RELAY = replace(OAUTH_RELAY, users=(("device@contoso.com", "nas"),))
KNOWN = tenant(relay_hosts=[OAUTH_RELAY], hosted_relay="mailgun", mx_host="mx.contoso.com", acs=True, hve=True)
HOSTILE = "<img src=x onerror=alert(1)>|`**[x](javascript:alert(2))**`\u202e@everyone\nhttps://evil.example/"


def planned(known: PlanningContext = KNOWN, **values: Any) -> dict[str, Any]:
    """The entry of a sender that has no problem."""
    plan = plan_sender(sender(**values), known)
    assert not plan.problems
    return as_data(plan, known)


def forced(method: str, known: PlanningContext = KNOWN, **values: Any) -> dict[str, Any]:
    """The entry of a sender with this method, whatever the rules say of it."""
    one = sender(**{"method": method} | values)
    relay_host = relay_host_of(one, known) if method == "relay_host" else None
    return as_data(SendingPlan(one, method, "set in the inventory", relay_host), known)


def as_data(plan: SendingPlan, known: PlanningContext) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(entry(plan, known, CLOUDS["global"], APP)))
    return data
