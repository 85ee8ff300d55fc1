"""State documents of High Volume Email."""

from __future__ import annotations

from typing import Any

from emulator.state import BillingPolicy, HveAccount, Tenant
from emulator.state.hve import VALID
from emulator.statefile.reader import Node
from emulator.well_known import derived_id

STATUSES = (VALID, "NoConnectedBillingPolicyFound", "SubscriptionIsNotActive", "NoSPOLicenseFound", "BillingPolicyMismatched")


def read_billing_policy(node: Node, tenant: Tenant) -> BillingPolicy:
    name = node.text("name")
    policy = BillingPolicy(
        id=node.text("id", None) or derived_id(tenant.id, "billing policy", name), name=name, status=node.text("status", VALID)
    )
    if policy.status not in STATUSES:
        raise node.error(f"must be one of {', '.join(STATUSES)}, not {policy.status!r}", "status")
    node.done()
    return policy


def billing_policy_document(policy: BillingPolicy) -> dict[str, Any]:
    return dict(vars(policy))


def read_hve_account(node: Node, tenant: Tenant) -> HveAccount:
    """`apps` may name an application by its object id or, shorter, its client id; `billing_policy` a policy by id or name."""
    address = node.text("address").lower()
    if address.rpartition("@")[2] not in tenant.accepted_domains:
        raise node.error(f"{address!r} is in no accepted domain of {tenant.initial_domain}", "address")
    local = address.partition("@")[0]
    account = HveAccount(
        address=address,
        guid=node.text("guid", None) or derived_id(tenant.id, "hve", address),
        name=node.text("name", local),
        display_name=node.text("display_name", local),
        user_id=node.text("user_id", None) or derived_id(tenant.id, "user", address),
        password=node.text("password", ""),
        reply_to=node.text("reply_to", None),
        apps=_read_apps(node, tenant),
        billing_policy=_read_policy(node, tenant),
        created=node.moment("created"),
    )
    node.done()
    return account


def _read_apps(node: Node, tenant: Tenant) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, item in enumerate(node.take("apps", list, [])):
        inner = Node(item if isinstance(item, dict) else {"app": item}, f"{node.path}.apps[{number}]")
        name = inner.text("app").lower()
        principal = tenant.enterprise_applications.get(name) or tenant.enterprise_application(name)
        if principal is None:
            raise node.error(f"{name!r} is no enterprise application of this tenant", f"apps[{number}]")
        found[principal.id] = inner.moment("effective_from")
        inner.done()
    return found


def _read_policy(node: Node, tenant: Tenant) -> str | None:
    """A policy that is gone keeps its id here, as in the service."""
    name = node.text("billing_policy", None)
    policy = next((p for p in tenant.billing_policies.values() if name in (p.id, p.name)), None)
    return policy.id if policy else name


def hve_account_document(account: HveAccount) -> dict[str, Any]:
    apps = [{"app": app, "effective_from": effective_from} for app, effective_from in account.apps.items()]
    return vars(account) | {"apps": apps}
