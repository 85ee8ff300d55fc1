# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems that steps find while they plan, in the words of the sender or of the inventory's variable."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._composition.reasons import Reasons
from ansible_collections.mailops.m365.plugins.module_utils._composition.step import Step
from ansible_collections.mailops.m365.plugins.module_utils._planning.context import PlanSettings
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_inputs import RoleInput, role_inputs
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_variables import derive
from ansible_collections.mailops.m365.plugins.module_utils.resources.composed.role_resources import ROLE_RESOURCES

from .._planning.samples import planned, tenant

SENDERS: list[dict[str, Any]] = [
    {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"},
    {"name": "Bulk", "method": "hve", "recipients": "internal", "address": "news@contoso.com"},
    {"name": "Gate", "method": "connector", "address": "gate@contoso.com", "public_addresses": ["203.0.113.10"]},
    {"name": "Web shop", "method": "acs", "address": "shop@contoso.com"},
    {"name": "Printer", "method": "basic", "address": "user@contoso.com"},
]
USERS = {"delegated_sign_in_app_unique_name": "users", "delegated_sign_in_users": [{"user": "u@contoso.com", "token_store": {}}]}


def problem(module: str, text: str, **inventory: Any) -> str:
    """The sentence for the first task of the module."""
    context = tenant(acs=True, hve=True, mailboxes={"user@contoso.com": "UserMailbox"})
    plans = planned(context, *SENDERS)
    derived = derive(plans, context, PlanSettings("mailops-smtp-sender"))
    roles = ("shared_mailbox", "entra_app", "delegated_sign_in", "hve_account", "acs_smtp_username", "smtp_auth", "authentication_policy")
    variables = {**derived, **inventory}
    inputs = {one.module: one for one in reversed(role_inputs([*roles, "inbound_connector", "spf"], variables))}
    inputs["shared"] = RoleInput("entra_app", "federated_credential")  # a step that this collection adds: no variable sets its options
    reasons = Reasons(plans, context, {name: value for name, value in derived.items() if name not in inventory}, inventory, "mailops")
    one = inputs[module]
    return reasons.problem(Step(one.role, ROLE_RESOURCES[one.module], dict(one.options), input=one), text)


@pytest.mark.parametrize(("module", "text", "sentence"), [
    ("hve_account", "accounts: news@contoso.com is a Group.", "m365_senders: Bulk: address: news@contoso.com is a Group."),
    ("hve_account", "password is not set, and news@contoso.com is new.", "m365_senders: Bulk: hve_account_password is not set, and "),
    ("shared_mailbox", "mailboxes: ERP@contoso.com is a Group.", "m365_senders: ERP: mailbox: ERP@contoso.com is a Group."),
    ("smtp_auth", "mailboxes: Exchange has no mailboxes erp@contoso.com, user@contoso.com: ", "m365_senders: ERP, Printer: mailbox: "),
    ("exchange_service_principal", "send_as: no mailbox erp@contoso.com.", "m365_senders: ERP: address: no mailbox erp@contoso.com."),
    ("inbound_connector", "connectors: mailops Gate exists.", "m365_senders: Gate: connector: mailops Gate exists."),
    ("acs_smtp_username", "usernames: web-shop: shop@contoso.com is taken.", "m365_senders: Web shop: SMTP username: web-shop: shop@"),
    ("authentication_policy", "policies: mailops Allow Basic Auth SMTP: no.", "m365_senders: Printer: mailbox: mailops Allow Basic Auth"),
    ("entra_app", "permissions: no SMTP.SendAsApp is offered.", "entra_app_permissions: no SMTP.SendAsApp is offered."),
])  # fmt: skip
def test_a_problem_of_what_senders_need_names_them(module: str, text: str, sentence: str) -> None:
    assert problem(module, text).startswith(sentence)


@pytest.mark.parametrize(("module", "inventory", "text", "sentence"), [
    ("hve_account", {"hve_account_accounts": []}, "accounts: news@contoso.com is a Group.", "hve_account_accounts: news@contoso.com is a"),
    ("hve_account", {"hve_account_billing_policy": "x"}, "billing_policy is x, which is none.", "hve_account_billing_policy is x, which"),
    ("smtp_auth", {"smtp_auth_mailboxes": []}, "mailboxes: no erp@contoso.com.", "smtp_auth_mailboxes: no erp@contoso.com."),
    ("entra_app", {"entra_app_display_name": "x"}, "display_name 'x' is that of unique_name y.",
     "entra_app_display_name 'x' is that of entra_app_unique_name y."),
    ("delegated_sign_in", USERS, "u@contoso.com has to sign in.", "delegated_sign_in_users: u@contoso.com has to sign in."),
    ("delegated_sign_in", USERS, "token_store: no file.", "delegated_sign_in_users: u@contoso.com: token_store: no file."),
    ("delegated_sign_in", USERS, "app_unique_name: no users.", "delegated_sign_in_app_unique_name: no users."),
    ("spf", {"spf_domains": ["x"]}, "domains holds x.", "spf_domains holds x."),
    ("shared", {}, "credentials: a and b are one.", "credentials: a and b are one."),
])  # fmt: skip
def test_a_problem_of_a_variable_names_the_variable(module: str, inventory: dict[str, Any], text: str, sentence: str) -> None:
    assert problem(module, text, **inventory).startswith(sentence)


@pytest.mark.parametrize("address", ["b-erp@contoso.com", "x.erp@contoso.com", "erp@contoso.com.au", "erp@contoso.comma"])
def test_an_address_that_holds_the_senders_address_is_another_one(address: str) -> None:
    assert problem("shared_mailbox", f"mailboxes: {address} is a Group.") == f"shared_mailbox_mailboxes: {address} is a Group."


def test_a_step_without_input_keeps_its_words() -> None:
    context = tenant()
    step = Step("record", ROLE_RESOURCES["entra_app"], {})
    assert Reasons((), context, {}, {}, "mailops").problem(step, "tags: too many.") == "tags: too many."
