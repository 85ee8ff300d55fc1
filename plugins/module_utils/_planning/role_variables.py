# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the tenant's roles, derived from the planned senders, and the roles to run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from .._core import networks
from .connectors import connectors
from .context import PlanningContext, PlanSettings
from .hosted_relay import credential_name
from .sending_plan import SendingPlan

Variables: TypeAlias = "dict[str, Any]"  # role variables by name, as Ansible takes them

# The roles in the order in which a tenant is configured, each with a variable that makes it run.
ROLES = (
    ("shared_mailbox", "shared_mailbox_mailboxes"),
    ("entra_app", "entra_app_unique_name"),
    ("delegated_sign_in", "delegated_sign_in_users"),
    ("hve_account", "hve_account_accounts"),
    ("acs_smtp_username", "acs_smtp_username_usernames"),
    ("smtp_auth", "smtp_auth_mailboxes"),
    ("smtp_auth", "smtp_auth_organization"),
    ("authentication_policy", "authentication_policy_policies"),
    ("authentication_policy", "authentication_policy_organization"),
    ("inbound_connector", "inbound_connector_connectors"),
    ("direct_send", "direct_send_rejected"),
    ("spf", "spf_ip4"),
    ("spf", "spf_includes"),
    ("spf", "spf_domains"),
    ("spf", "spf_policy"),
    ("verify", "verify_senders"),
)
# The roles that configure a tenant, in their order.
CONFIGURED = tuple(dict.fromkeys(role for role, _variable in ROLES if role != "verify"))
# The components of a tenant, which are the tags of the playbooks, and the roles of each.
COMPONENTS = {
    "identity": ("shared_mailbox", "entra_app", "delegated_sign_in", "hve_account", "acs_smtp_username"),
    "smtp_auth": ("smtp_auth", "authentication_policy"),
    "connectors": ("inbound_connector", "direct_send"),
    "dns": ("spf",),
}
# The roles' own defaults of variables that role tenant passes, for those that neither a sender nor the inventory sets.
DEFAULTS: dict[str, Variables] = {
    "entra_app": {"entra_app_permissions": [{"name": "SMTP.SendAsApp"}], "entra_app_full_access": [], "entra_app_send_as": []},
    "smtp_auth": {"smtp_auth_mailboxes": [], "smtp_auth_exclusive": False},
    "authentication_policy": {"authentication_policy_policies": [], "authentication_policy_exclusive": False},
    "direct_send": {"direct_send_senders": []},
}
# Certificates of relay hosts, current and retired, are appended to what the inventory lists in these variables.
APPENDED = ("entra_app_certificates", "entra_app_retired_certificates")
PREFIXES = tuple(dict.fromkeys(f"{role}_" for role, _variable in ROLES))
BLOCK_BASIC_POLICY = "mailops Block Basic Auth SMTP"  # without an owner: an organization has one default policy, which owners share


def basic_policy(owner: str) -> str:
    """The name of the owner's authentication policy that allows Basic authentication for SMTP."""
    return f"{owner} Allow Basic Auth SMTP"


def derive(plans: Collection[SendingPlan], context: PlanningContext, settings: PlanSettings) -> Variables:
    """Every variable that a sender, or the disabling of unused access, needs."""
    by_method: dict[str, list[SendingPlan]] = {}
    for plan in plans:
        by_method.setdefault(plan.method, []).append(plan)
    oauth = [plan for plan in plans if plan.uses_oauth]
    basic, direct, hve, acs = (by_method.get(name, []) for name in ("basic", "direct_send", "hve", "acs"))
    variables: Variables = {}
    if oauth or hve:
        variables |= _application(oauth, hve, context, settings)
    if mailboxes := list(_shared_mailboxes(oauth, context)):
        variables["shared_mailbox_mailboxes"] = mailboxes
    if oauth or basic:
        variables["smtp_auth_mailboxes"] = list(_smtp_auth(oauth, basic))
    if basic:
        policy = {"name": basic_policy(settings.owner), "allow_basic_smtp": True, "mailboxes": _sign_in_mailboxes(basic)}
        variables["authentication_policy_policies"] = [policy]
    if settings.disable_unused_access:
        variables |= _unused_access(variables, direct)
    if listed := list(connectors(plans, settings.owner)):
        variables["inbound_connector_connectors"] = listed
    if direct:
        variables.setdefault("direct_send_rejected", False)
        variables["direct_send_senders"] = _unique(plan.sender.address for plan in direct)
    if hve:
        variables["hve_account_accounts"] = [_hve_account(plan, settings) for plan in hve]
    if acs:
        variables["acs_smtp_username_usernames"] = list(_smtp_usernames(acs))
    variables |= _spf(plans)
    if tests := [test for plan in plans if (test := _test_message(plan, settings))]:
        variables["verify_senders"] = tests
    if tests and "entra_app_unique_name" in variables:
        variables["verify_app_unique_name"] = variables["entra_app_unique_name"]
    return variables


def complete(variables: Mapping[str, Any], inventory: Collection[str]) -> Variables:
    """The variables that the inventory does not set, with the defaults of the roles to run. `inventory`: names that it sets."""
    values = with_defaults(variables, inventory)
    return {name: value for name, value in values.items() if name not in inventory}


def with_defaults(variables: Mapping[str, Any], inventory: Collection[str] = ()) -> Variables:
    """The variables with the defaults of the roles that they, or those of the inventory, make run."""
    roles = roles_to_run([*variables, *inventory])
    return {name: value for role in roles for name, value in DEFAULTS.get(role, {}).items()} | {**variables}


def roles_to_run(variables: Collection[str]) -> list[str]:
    """The roles that these variables make run, in their order."""
    return list(dict.fromkeys(role for role, variable in ROLES if variable in variables))


def listed(value: Any) -> list[Any]:
    """A list of the inventory: a text is its only item or items separated by commas, as Ansible takes it, and None is unset."""
    return value.split(",") if isinstance(value, str) else list(value or ())


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _sign_in_mailboxes(plans: Iterable[SendingPlan]) -> list[str]:
    return _unique(plan.sender.mailbox for plan in plans)


def _application(
    oauth: Collection[SendingPlan], hve: Collection[SendingPlan], context: PlanningContext, settings: PlanSettings
) -> Variables:
    permissions = [{"name": "SMTP.SendAsApp"}] if oauth else []
    permissions += [{"name": "Mail.Send"}] if any(plan.sender.oauth for plan in hve) else []
    return {
        "entra_app_unique_name": settings.app,
        "entra_app_permissions": permissions,
        "entra_app_full_access": _sign_in_mailboxes(oauth),
        "entra_app_send_as": _unique(plan.sender.address for plan in oauth if not _own_address(plan, context)),
    }


def _own_address(plan: SendingPlan, context: PlanningContext) -> bool:
    """Whether the sender's address is the primary address or an alias of the mailbox that it signs in to."""
    return context.primary_address(plan.sender.address) == context.primary_address(plan.sender.mailbox)


def _shared_mailboxes(oauth: Iterable[SendingPlan], context: PlanningContext) -> Iterator[Variables]:
    """Mailboxes to create and existing shared mailboxes; a licensed user's mailbox is not managed."""
    mailboxes: dict[str, Variables] = {}
    for plan in oauth:
        sender = plan.sender
        primary, from_address = context.primary_address(sender.mailbox), context.primary_address(sender.address)
        for address in _unique((primary, from_address)):
            current = context.mailbox(address)
            if current and current.recipient_type != "SharedMailbox":
                continue
            entry = mailboxes.setdefault(address, {"address": address})
            if sender.was and address == sender.address:
                entry["was"] = sender.was
            if sender.display_name and address == from_address:
                entry["display_name"] = sender.display_name
            if sender.sent_items and address != primary:
                entry["message_copy_for_sent_as"] = True
    yield from mailboxes.values()


def _smtp_auth(oauth: Collection[SendingPlan], basic: Collection[SendingPlan]) -> Iterator[dict[str, str]]:
    with_password = _sign_in_mailboxes(basic)
    for address in _unique(_sign_in_mailboxes(oauth) + with_password):
        yield {"address": address} | ({"sign_in": "basic"} if address in with_password else {})


def _unused_access(variables: Mapping[str, Any], direct: Collection[SendingPlan]) -> Variables:
    """Disables what no sender uses: SMTP AUTH of all other mailboxes, Basic authentication, Direct Send."""
    block = {"name": BLOCK_BASIC_POLICY, "allow_basic_smtp": False, "mailboxes": list[str]()}
    return {
        "smtp_auth_organization": "disabled",
        "smtp_auth_exclusive": True,
        "smtp_auth_mailboxes": variables.get("smtp_auth_mailboxes", []),
        "authentication_policy_policies": [*variables.get("authentication_policy_policies", []), block],
        "authentication_policy_organization": BLOCK_BASIC_POLICY,
        "authentication_policy_exclusive": True,
        "direct_send_rejected": not direct,
    }


def _hve_account(plan: SendingPlan, settings: PlanSettings) -> Variables:
    sender = plan.sender
    account: Variables = {"address": sender.address, "display_name": sender.display_name or sender.name}
    account |= {"was": sender.was} if sender.was else {}
    return account | ({"apps": [settings.app]} if sender.oauth else {})


def _smtp_usernames(acs: Collection[SendingPlan]) -> Iterator[dict[str, str]]:
    """One SMTP username for each address, since Azure refuses a second one. It is named by the first of its senders by name."""
    named: dict[str, str] = {}
    for plan in sorted(acs, key=lambda plan: plan.sender.name.lower()):
        named.setdefault(plan.sender.address, acs_resource_name(plan.sender.name))
    yield from ({"name": name, "username": address} for address, name in named.items())


def acs_resource_name(text: str) -> str:
    """The name of an Azure resource: lower-case letters, digits and hyphens."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split())


def name_problems(plans: Iterable[SendingPlan]) -> Iterator[str]:
    """One sentence for each name of a sender with method acs that gives no resource name, or that of another sender."""
    by_resource: dict[str, list[str]] = {}
    for plan in plans:
        if plan.method == "acs":
            by_resource.setdefault(acs_resource_name(plan.sender.name), []).append(plan.sender.name)
    for resource, names in by_resource.items():
        if not resource:
            yield f"m365_senders: {', '.join(names)}: the name has no letter a to z or digit for its SMTP username: give another name."
        elif len(names) > 1:
            yield f"m365_senders: {', '.join(names)}: their SMTP usernames would have the same name {resource}: give them different names."


def _spf(plans: Iterable[SendingPlan]) -> Variables:
    """IP addresses that send for the tenant's domains without its mailboxes.

    Mail of hosted relays has an envelope sender in a subdomain of its own, so that the record of the sender's domain does not count.
    """
    addresses = {address for plan in plans if plan.from_own_source for address in (plan.relay_host or plan.sender).public_addresses}
    return {"spf_ip4": networks.normalized(sorted(addresses))} if addresses else {}


def _test_message(plan: SendingPlan, settings: PlanSettings) -> Variables | None:
    """An item of verify_senders; None where the sender has no method, or a managed relay host. Without recipient it is reported only."""
    sender = plan.sender
    recipient = sender.verify_recipient or settings.verify_recipient
    if not plan.entry:
        return None
    if plan.relay_host and (plan.relay_host.managed or (plan.relay_host.windows and not sender.verify_from)):
        return None  # a probe verifies it on the relay host; a relay on Windows refuses the control node
    test: Variables = {"name": sender.name, "method": plan.method, "address": sender.address}
    if recipient:
        test["verify_recipient"] = recipient
    if sender.verify_from:
        test["verify_from"] = sender.verify_from
    if sender.mailbox != sender.address and plan.method in ("oauth", "basic"):
        test["mailbox"] = sender.mailbox
    if plan.method == "connector":
        source = {"public_addresses": list(sender.public_addresses), "certificate_name": sender.certificate_name}
        test |= {name: value for name, value in source.items() if value}
    if plan.relay_host:
        test |= {"host": plan.relay_host.host, "port": plan.relay_host.listener().port}
    if plan.method == "hosted":
        test["credential"] = credential_name(plan)
    return test | {name: value for name, value in asdict(sender.verify_connection).items() if value is not None}
