# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The removal of a tenant (state absent): the order of its steps, what stays and why, and the check afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._composition.changes import Change, changes_of
from ..._composition.step import PlannedStep
from ..._core import networks
from ..._core.bounds import EXCHANGE_REPLICATION
from ..._core.errors import MailopsError
from ..._core.json_types import JsonObject
from ..._core.waiting import Retry
from ..._engine.tenant import Tenant
from ..._exchange.principal_changes import PrincipalChanges
from ..._exchange.rbac.authorization import read_entra
from ..._hosted.providers import HOSTED_RELAYS
from ..._planning.role_inputs import RoleInput
from ..._planning.role_variables import BLOCK_BASIC_POLICY, COMPONENTS, acs_resource_name, listed
from .. import sender_plan, spf
from .lifecycle import Lifecycle, Selection
from .marked import RECORD, described, marked
from .record import HVE_ACCOUNT, MAILBOX, SMTP_USERNAME
from .role_resources import ROLE_RESOURCES
from .steps import steps

# The order of the steps: what opens a way to send ends first, what holds data last. Permissions end before the service principal does.
_ORDER = (
    ("inbound_connector", None),
    ("exchange_service_principal", None),
    ("acs_smtp_username", None),
    ("entra_app", None),
    ("smtp_auth", None),
    ("authentication_policy", None),
    ("direct_send", None),
    ("rbac_for_applications", "absent"),
    ("exchange_service_principal", "absent"),
    ("entra_app", "absent"),
    ("shared_mailbox", None),
    ("hve_account", None),
)
_ACS, _ACS_USERNAMES = "acs_smtp_username_communication_service", "acs_smtp_username_usernames"
_ORGANIZATION = ("smtp_auth_organization", "authentication_policy_organization", "direct_send_rejected")
# Variables of the inventory whose objects have no mark: what they are, and how they are removed.
_UNMARKED = {
    "inbound_connector_connectors": (
        "Connectors of inbound_connector_connectors",
        "Give each state: absent, and run role inbound_connector.",
    ),
    "authentication_policy_policies": (
        "Policies of authentication_policy_policies",
        "Give each state: absent, and run role authentication_policy.",
    ),
    _ACS: (
        "SMTP usernames of Azure Communication Services",
        "Run role acs_smtp_username with an empty acs_smtp_username_usernames and acs_smtp_username_exclusive: true.",
    ),
}


class RemovalError(MailopsError):
    """The removal was applied, but objects are still there (`left`, each by its kind and name), or the tenant could not be read (`cause`).

    `outcome`: what was applied.
    """

    may_have_changed = True

    def __init__(self, outcome: Mapping[str, object], left: Sequence[str] = (), cause: MailopsError | None = None) -> None:
        self.outcome, self.left, self.cause = outcome, list(left), cause
        reason = f"its result could not be read. {cause}" if cause else f"the tenant still has: {', '.join(left)}."
        super().__init__(f"The removal was applied, but {reason} Run it again later.")

    def as_result(self) -> dict[str, object]:
        return self.cause.as_result() if self.cause else {"left": self.left}


def ordered(tenant: Tenant, inputs: Iterable[RoleInput]) -> list[RoleInput]:
    """The inputs in the order of a removal. An application with RBAC for Applications loses its roles and scopes before it goes."""
    result = list(inputs)
    removed = [one for one in result if (one.module, one.options.get("state")) == ("exchange_service_principal", "absent")]
    ended = {one.options["unique_name"] for one in result if one.module == "rbac_for_applications"}
    for one in removed:
        name = str(one.options["unique_name"])
        if name not in ended and read_entra(tenant, None, name).phase:
            result.append(RoleInput("entra_app", "rbac_for_applications", {"unique_name": name, "mailboxes": [], "state": "absent"}))
    return sorted(result, key=lambda one: _ORDER.index((one.module, one.options.get("state"))))


def apply_verified(
    tenant: Tenant,
    planned: Sequence[PlannedStep],
    apply: Callable[[Sequence[PlannedStep]], list[str]],
    marks: Callable[[], list[str]],
    failure: Callable[[], Mapping[str, object]],
) -> list[str]:
    """Apply the steps, and read until nothing of what they remove and nothing with the mark is left; the warnings of `apply`.

    The step that records what there is comes after the others are verified: a later run removes what is left. `marks`: what has the
    mark, see `left_with_mark`. RemovalError after m365_wait_timeout; `failure` returns the outcome of the task then.
    """
    record = [one for one in planned[-1:] if one.step.internal]
    steps = planned[: len(planned) - len(record)]
    warnings = apply(steps)
    _await(tenant, lambda: list(_differing(tenant, steps)), failure)
    warnings += apply(record)
    _await(tenant, marks, failure)
    return warnings


def _await(tenant: Tenant, read: Callable[[], list[str]], failure: Callable[[], Mapping[str, object]]) -> None:
    retry = Retry(EXCHANGE_REPLICATION, tenant.transport, tenant.wait_timeout)
    try:
        left = read()
        while left and retry.again():
            left = read()
    except MailopsError as error:
        raise RemovalError(failure(), cause=error) from error
    if left:
        raise RemovalError(failure(), left)


def _differing(tenant: Tenant, planned: Iterable[PlannedStep]) -> Iterator[str]:
    """What the steps, planned again, still change of what they changed, each by its kind and name.

    A step of an application that is gone assumes one.
    """
    for one in planned:
        applied = [] if one.step.internal else [change.key for change in _changes_of(one)]
        plan = one.step.resource.plan(tenant, _by_id(one), True) if applied else None
        if plan and not plan.assumptions:
            changes = [change for change in _changes_of(replace(one, plan=plan)) if change.key in applied]
            yield from (f"{change.kind.replace('_', ' ')} {change.object}" for change in changes)


def _changes_of(one: PlannedStep) -> Iterator[Change]:
    return changes_of(one, lambda *_of: "")


def _by_id(one: PlannedStep) -> Any:
    """The parameters; a service principal in Exchange is looked for by its client id, since its application has no name any more."""
    changes = one.plan.changes
    if isinstance(changes, PrincipalChanges) and changes.application:
        return replace(one.params, unique_name=None, app_id=changes.application.app_id)
    return one.params


def left_with_mark(tenant: Tenant, owner: str, selection: Selection) -> list[str]:
    """What has the owner's mark, without what holds data, and with the record only where nothing else has a mark."""
    if set(selection.components) != set(COMPONENTS):
        return []
    every = marked(tenant, owner)
    kept = [one for one in every if one.kind in (MAILBOX, HVE_ACCOUNT)]
    return [described(one) for one in every if one not in kept and not (kept and one.kind == RECORD)]


# -- what stays -------------------------------------------------------------------------------------------------------


def attention(tenant: Tenant, params: sender_plan.Params, lifecycle: Lifecycle, shared: Mapping[str, Any]) -> list[JsonObject]:
    """What stays although this collection, or its inventory, configured it. `shared`: see steps()."""
    components = lifecycle.selection.components
    entries = []
    if tenant.client_id:
        entries.append(_automation_app(tenant.client_id))
    if "smtp_auth" in components and BLOCK_BASIC_POLICY.lower() in lifecycle.policies:
        remedy = "To remove it: Set-OrganizationConfig -DefaultAuthenticationPolicy $null, then Remove-AuthenticationPolicy."
        entries.append(_stays(BLOCK_BASIC_POLICY, "This authentication policy disables Basic authentication and stays.", remedy))
    if params.unused_access == "disable" or set(_ORGANIZATION) & set(params.inventory_names):
        problem = "Settings of the organization that refuse access (SMTP AUTH, Basic authentication, Direct Send) stay."
        entries.append(_stays("Organization settings", problem, "The journal has the values from before."))
    recorded = {entry.name for entry in lifecycle.stored if entry.kind == SMTP_USERNAME}
    for variable, (subject, remedy) in _UNMARKED.items():
        if variable in params.inventory:
            listed_names = _unmarked(variable, params)
            names = [name for name in listed_names if variable != _ACS or name.lower() not in recorded]
            if listed_names and not names:
                continue
            entries.append(_stays(subject, f"Without a mark of m365_owner they stay{': ' if names else '.'}{', '.join(names)}", remedy))
    return entries + (list(_spf(tenant, params, shared)) if "dns" in components else [])


def _unmarked(variable: str, params: sender_plan.Params) -> list[str]:
    """The names of the objects that a variable of the inventory stands for; those of usernames, of the senders that use the service."""
    if variable == _ACS and _ACS_USERNAMES not in params.inventory:
        return [acs_resource_name(sender.name) for sender in params.senders if sender.method == "acs"]
    items = listed(params.inventory.get(_ACS_USERNAMES if variable == _ACS else variable))
    return [str(item.get("name")) for item in items if isinstance(item, Mapping) and item.get("state") != "absent"]


def _stays(subject: str, problem: str, remedy: str, kind: str = "other") -> JsonObject:
    return {"kind": kind, "subject": subject, "problem": problem, "remedy": remedy}


def _automation_app(client_id: str) -> JsonObject:
    remedy = f"Delete it by hand when nothing else uses it: Microsoft Entra admin center, App registrations, {client_id}."
    return _stays("Automation app", "This run signs in as it, and does not remove it.", remedy)


def _spf(tenant: Tenant, params: sender_plan.Params, shared: Mapping[str, Any]) -> Iterator[JsonObject]:
    """The SPF records that still name a source of the senders. DNS has no mark, and others may use the source."""
    terms = _spf_terms(params)
    if not terms:
        return
    domains = params.inventory.get("spf_domains")
    options: JsonObject = {} if domains is None else {"domains": domains}
    [step] = steps([RoleInput("spf", "spf", options)], ROLE_RESOURCES, shared)
    outcome: dict[str, Any] = spf.RESOURCE.plan(tenant, step.params, True).outcome
    for record in outcome["records"]:
        named = sorted({term for text in record["current"] for term in text.lower().split() if term.lstrip("+") in terms})
        if named:
            remedy = f"Remove {', '.join(named)} from the TXT record where nothing else sends from there."
            yield _stays(f"SPF record of {record['domain']}", "It still names sources of the removed senders.", remedy, "dns")


def _spf_terms(params: sender_plan.Params) -> set[str]:
    """The terms that the senders and the inventory add to SPF records."""
    inventory = params.inventory
    addresses = [address for sender in params.senders for address in sender.public_addresses]
    addresses += [address for relay in params.relays for address in relay.public_addresses]
    sources = [*addresses, *(str(one) for name in ("spf_ip4", "spf_ip6") for one in listed(inventory.get(name)))]
    valid = networks.normalized([text for text in sources if not networks.problem(text, 6 if ":" in text else 4)])
    includes = [str(one).lower() for one in listed(inventory.get("spf_includes"))]
    if params.hosted_relay:
        includes += HOSTED_RELAYS[params.hosted_relay].spf_includes
    return {f"ip{6 if ':' in text else 4}:{text}" for text in valid} | {f"include:{name}" for name in includes}
