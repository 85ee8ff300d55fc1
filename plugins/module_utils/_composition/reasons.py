# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an object of the plan changes, and what causes a problem: senders, else the inventory's variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._planning import ownership
from .._planning.context import PlanningContext
from .._planning.role_problems import RoleProblem
from .._planning.role_variables import basic_policy
from .._planning.sending_plan import SendingPlan
from .changes import key_of
from .objects import CUSTOMIZATION
from .step import PlannedStep, Step

_NOT_NEEDED = "no sender needs it"
_UNUSED = ("smtp_auth", "authentication_policy", "direct_send")  # components that m365_unused_access configures
_OF_APPLICATION = ("application", "consent", "certificate", "exchange_service_principal", "rbac_for_applications", "federated_credential")


class Reasons:
    """Knows the senders of mailboxes, applications and connectors, and the variables that the inventory sets.

    `variables`: role variables by name, as they were planned. `owner`: m365_owner.
    """

    def __init__(
        self,
        plans: Sequence[SendingPlan],
        context: PlanningContext,
        variables: Mapping[str, Any],
        inventory: Mapping[str, Any],
        owner: str,
    ) -> None:
        self._inventory = sorted(inventory)
        self._disables_unused = bool(variables.get("authentication_policy_exclusive"))
        self._by_address: dict[str, list[str]] = {}
        for plan in plans:
            sender = plan.sender
            primary = (context.primary_address(sender.mailbox), context.primary_address(sender.address))
            for address in dict.fromkeys((sender.mailbox, sender.address, *primary)):
                self._by_address.setdefault(address.lower(), []).append(sender.name)
        self._signing_in = [plan.sender.name for plan in plans if plan.uses_oauth or (plan.method == "hve" and plan.sender.oauth)]
        self._connectors = {
            str(item["name"]).lower(): ownership.described(str(item.get("comment") or ""))
            for item in variables.get("inbound_connector_connectors") or ()
        }
        usernames = variables.get("acs_smtp_username_usernames") or inventory.get("acs_smtp_username_usernames") or ()
        self._usernames = {str(item["name"]).lower(): str(item.get("username") or "").lower() for item in usernames}
        self._direct = [plan.sender.name for plan in plans if plan.method == "direct_send"]
        self._basic = [plan.sender.name for plan in plans if plan.method == "basic"]
        self._policies = {basic_policy(owner).lower(): self._basic}
        self._acs = [plan.sender.name for plan in plans if plan.method == "acs"]
        self._own_sources = [plan.sender.name for plan in plans if plan.from_own_source or plan.method == "hosted"]

    def __call__(self, planned: PlannedStep, kind: str, name: str) -> str:
        if planned.name == "automation_certificate":
            return "m365_certificate_path"
        if key_of(kind, name) in planned.step.restores or _ends_access(planned, kind, name):
            return _NOT_NEEDED
        names = self.senders(kind, name.lower())
        if names:
            return f"sender{'s' if ', ' in names else ''} {names}"
        component = planned.step.component
        variables = [variable for variable in self._inventory if variable.startswith(f"{component}_")]
        return ", ".join(variables) or ("m365_unused_access" if self._disables_unused and component in _UNUSED else _NOT_NEEDED)

    def problem(self, step: Step, text: str) -> str:
        """A problem that a step's resource finds while it plans, in the words of the sender or of the variable that causes it."""
        if not step.input:
            return text
        one = RoleProblem(step.input, text)
        names = self._named_in(text) if one.variable and one.variable not in self._inventory else []
        return one.sender_sentence(names) if names else one.sentence()

    def _named_in(self, text: str) -> list[str]:
        """The senders whose addresses, connectors or SMTP usernames a sentence names, in their order."""
        named = self._by_address | {name: senders.split(", ") for name, senders in self._connectors.items() if senders}
        named |= {name: self._by_address.get(address, []) for name, address in self._usernames.items()} | self._policies
        words = text.lower()
        found = [key for key in named if re.search(rf"(?<![\w.@-]){re.escape(key)}(?![\w@-]|\.\w)", words)]
        return list(dict.fromkeys(sender for key in found for sender in named[key]))

    def senders(self, kind: str, name: str) -> str:
        """The names of the senders that need an object; "" where there are none. `name`: in lower case."""
        if kind in ("mailbox_permission", "mailbox", "smtp_auth", "policy_assignment", "hve_account"):
            return _joined(self._by_address.get(name.rpartition(" ")[2], ()))
        if kind in _OF_APPLICATION:
            return _joined(self._signing_in)
        if kind == "inbound_connector":
            return self._connectors.get(name, "")
        if kind == "acs_smtp_username":
            return _joined(self._by_address.get(self._usernames.get(name, ""), ()))
        if kind == CUSTOMIZATION:
            return _joined(self._basic or self._signing_in)
        by_kind = {"direct_send": self._direct, "authentication_policy": self._basic, "spf_record": self._own_sources}
        by_kind["acs_role"] = self._acs
        return _joined(by_kind.get(kind, ()))


def _ends_access(planned: PlannedStep, kind: str, name: str) -> bool:
    """Whether a step ends what an earlier run gave applications: SMTP usernames and the role to send with them, or scopes."""
    options = planned.step.options
    if planned.name == "rbac_for_applications":
        return options["state"] == "absent" and not options["replace"]
    is_ended = all(item["state"] == "absent" for item in options.get("usernames") or () if kind == "acs_role" or item["name"] == name)
    return planned.name == "acs_smtp_username" and is_ended


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)
