# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan leaves as it is because another owner needs it: inventories that share a tenant do not undo each other's changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..._core.json_types import JsonObject
from ..._engine.tenant import Tenant
from ..._exchange import addresses, authentication_policies, lookup
from ..._planning.role_inputs import is_true
from ..._planning.role_variables import basic_policy
from .needed import Primary
from .record import DIRECT_SEND, POLICY, SMTP_AUTH, Record

_POLICIES, _MAILBOXES = "authentication_policy_policies", "smtp_auth_mailboxes"


def with_others(
    tenant: Tenant, record: Record, variables: Mapping[str, Any], inventory: Collection[str], owner: str, primary: Primary
) -> JsonObject:
    """The variables, with what other owners need. `inventory`: names of the variables that the inventory sets, which stay."""
    result = dict(variables)
    if not record.others:
        return result
    if any(entry.kind == DIRECT_SEND for entry in record.others) and "direct_send_rejected" not in inventory:
        result |= {"direct_send_rejected": False} if result.get("direct_send_rejected") else {}
    if is_true(result.get("smtp_auth_exclusive")):
        own = {primary(str(item["address"]).lower()) for item in result.get(_MAILBOXES) or ()}
        listed = {entry.name for entry in record.others if entry.kind == SMTP_AUTH} - own
        items = [{"address": address, "smtp_auth": "enabled"} for address in _guids(tenant, listed)]
        result[_MAILBOXES] = [*(result.get(_MAILBOXES) or ()), *items]
    if _POLICIES in result:
        result[_POLICIES] = _policies(tenant, record, result, owner, primary)
    return result


def _guids(tenant: Tenant, listed: Iterable[str]) -> dict[str, str]:
    """The Guids of the mailboxes that exist, by address."""
    every = sorted(listed)
    outcomes = tenant.exchange.batch([addresses.look_up(address, "Guid") for address in every])
    items = {address: lookup.only(outcome, "m365_senders", address) for address, outcome in zip(every, outcomes, strict=True)}
    return {address: str(item["Guid"]) for address, item in items.items() if item}


def _policies(tenant: Tenant, record: Record, variables: Mapping[str, Any], owner: str, primary: Primary) -> list[JsonObject]:
    """The policies, without the mailboxes that have the policy of another owner who needs it.

    Both policies allow the same. An exclusive list gets the other owners' policies with their mailboxes.
    """
    own_name = basic_policy(owner).lower()
    items = [dict(item) for item in variables.get(_POLICIES) or ()]
    own = {primary(str(a).lower()) for item in items if str(item.get("name")).lower() == own_name for a in item.get("mailboxes") or ()}
    exclusive = is_true(variables.get("authentication_policy_exclusive"))
    by_policy = {
        basic_policy(other): {entry.name for entry in entries if entry.kind == POLICY and (exclusive or entry.name in own)}
        for other, entries in record.by_owner.items()
    }
    policies = authentication_policies.read_policies(tenant)
    guids = _guids(tenant, {address for name, listed in by_policy.items() if name.lower() in policies for address in listed})
    current = authentication_policies.policies_of(tenant, policies, guids) if guids else {}
    kept = {name: sorted(a for a in listed if current.get(a) == name.lower()) for name, listed in by_policy.items()}
    shared = {address for listed in kept.values() for address in listed}
    for item in items:
        if str(item.get("name")).lower() == own_name:
            item["mailboxes"] = [a for a in item.get("mailboxes") or () if primary(str(a).lower()) not in shared]
    return items + ([{"name": name, "mailboxes": listed} for name, listed in kept.items() if listed] if exclusive else [])
