# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a tenant: from one list of senders to the variables of every role, with every problem in one list.

Reads, never writes: accepted domains, the senders' mailboxes, Security Defaults, licences.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._clients.exchange import Command
from .._clients.graph import Call
from .._core import mail_addresses
from .._core.errors import GraphError, InvalidInput
from .._core.option_values import range_problems
from .._core.params import nested
from .._core.spec import KEY_DIRECTORY, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import licences
from .._exchange import addresses, external_limit, lookup, mx_hosts
from .._exchange.external_limit import ExternalLimit
from .._hosted.providers import HOSTED_RELAYS, REGIONS, region_problems
from .._planning import hosted_relay, limits, options, ownership, relay_hosts, tenant_limits
from .._planning.context import Mailbox, PlanningContext, PlanSettings, RelayHost
from .._planning.device_settings import SenderApp, credential_place, entry, settings_page
from .._planning.inventory import NAME_PREFIXES, join_secrets, misspelt
from .._planning.managed_keys import verify_variables
from .._planning.methods import METHODS
from .._planning.role_inputs import VARIABLES
from .._planning.role_problems import plan_problems
from .._planning.role_variables import APPENDED, Variables, complete, derive, listed, roles_to_run
from .._planning.senders import Sender
from .._planning.sending_plan import SendingPlan, plan_sender
from . import security_defaults
from .composed.role_resources import ROLE_RESOURCES

OPTIONS = Spec(
    {
        "senders": {"type": "list", "elements": "dict", "options": options.SENDER, "default": [], "variable": "m365_senders"},
        "relays": {"type": "list", "elements": "dict", "options": options.RELAY_HOST, "default": [], "variable": "m365_relays"},
        "unused_access": {"type": "str", "choices": ["keep", "disable"], "default": "keep", "variable": "m365_unused_access"},
        "hosted_relay": {"type": "str", "choices": sorted(HOSTED_RELAYS), "variable": "m365_hosted_relay"},
        "hosted_relay_region": {"type": "str", "choices": list(REGIONS), "variable": "m365_hosted_relay_region"},
        "hve": {"type": "bool", "default": False, "variable": "m365_hve"},
        "basic_auth_end_date": {"type": "str", "default": limits.BASIC_AUTH_END_DATE.isoformat(), "variable": "m365_basic_auth_end_date"},
        "basic_reenabled": {"type": "bool", "default": False, "variable": "m365_basic_reenabled"},
        "licences": {"type": "int", "variable": "m365_licences"},
        "trial": {"type": "bool", "default": False, "variable": "m365_trial"},
        "verify_recipient": {"type": "str", "default": "", "variable": "m365_verify_recipient"},
        "remove_orphans": {"type": "bool", "default": False, "variable": "m365_remove_orphans"},
        "owner": {"type": "str", "default": ownership.DEFAULT_OWNER, "variable": "m365_owner"},
        "app_unique_name": {"type": "str", "default": "mailops-smtp-sender", "variable": "entra_app_unique_name"},
        "app_exclusive": {"type": "bool", "default": False, "variable": "entra_app_exclusive"},
        "direct_send_rejected": {"type": "bool", "default": False, "variable": "direct_send_rejected"},
        "key_directory": KEY_DIRECTORY,
        "inventory_hosts": {"type": "list", "elements": "str", "default": [], "hosts": True},
        "inventory_variables": {"type": "list", "elements": "str", "default": [], "prefixes": NAME_PREFIXES},
        "inventory_values": {"type": "dict", "default": {}, "values": VARIABLES, "secrets": "inventory_secrets"},
        "inventory_secrets": {"type": "dict", "default": {}, "no_log": True},
    },
    writes=False,
)


@dataclass(frozen=True)
class Params:
    """The module's options; None: not set."""

    unused_access: str
    hosted_relay: str | None
    hosted_relay_region: str | None
    hve: bool
    basic_auth_end_date: str
    basic_reenabled: bool
    licences: int | None
    trial: bool
    verify_recipient: str
    remove_orphans: bool
    owner: str
    app_unique_name: str
    app_exclusive: bool
    direct_send_rejected: bool
    key_directory: str | None
    inventory_hosts: tuple[str, ...]
    inventory_variables: tuple[str, ...]
    inventory_values: Mapping[str, Any]
    inventory_secrets: Mapping[str, Any] = field(repr=False)
    senders: tuple[options.SenderOptions, ...] = nested(options.SenderOptions)
    relays: tuple[options.RelayHostOptions, ...] = nested(options.RelayHostOptions)

    @property
    def relay_hosts(self) -> dict[str, RelayHost]:
        return {item.name: options.relay_host(item) for item in self.relays}

    @property
    def inventory_names(self) -> list[str]:
        """The names of the variables that the inventory sets."""
        return sorted({*self.inventory_variables, *self.inventory_values, *self.inventory_secrets})

    @property
    def inventory(self) -> dict[str, object]:
        """The role variables of the inventory with their values, those that are None left out."""
        joined = join_secrets(self.inventory_values, self.inventory_secrets)
        return {name: value for name, value in joined.items() if value is not None}

    @property
    def settings(self) -> PlanSettings:
        return PlanSettings(self.app_unique_name, self.unused_access == "disable", self.owner, self.verify_recipient)


class SenderPlan(ReadOnlyResource[Params]):
    """module sender_plan"""

    name = "sender_plan"
    spec = TENANT | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = options.sender_problems(params.senders, params.inventory_hosts)
        recipient = [params.verify_recipient] if params.verify_recipient else []
        problems += [f"m365_verify_recipient: {text}" for text in mail_addresses.problems("it", recipient)]
        problems += range_problems("m365_licences", params.licences, 0, options.MOST)
        end = params.basic_auth_end_date
        try:
            datetime.date.fromisoformat(end)
        except ValueError:
            problems.append(f"m365_basic_auth_end_date is {end!r}: give a date such as {limits.BASIC_AUTH_END_DATE}.")
        problems += options.relay_host_problems(params.relays, removes_unlisted=params.app_exclusive) + ownership.problems(params.owner)
        problems += region_problems("m365_hosted_relay_region", params.hosted_relay, params.hosted_relay_region)
        return problems + list(misspelt(params.inventory_names))

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[None]:
        senders = plan_senders(tenant, params)
        refuse(senders.problems(params))
        return Plan(outcome=outcome(tenant, senders, params), warnings=senders.warnings)


@dataclass(frozen=True)
class PlannedSenders:
    """The planned senders of a tenant. `notes`: what could not be read; `conflicts`: what senders contradict each other in."""

    plans: Sequence[SendingPlan]
    context: PlanningContext
    notes: Sequence[str] = ()
    conflicts: Sequence[str] = ()

    def problems(self, params: Params) -> list[str]:
        """Why senders cannot send, alone or together, and what a role would refuse."""
        own = [text for plan in self.plans for text in plan.problems] + tenant_limits.problems(self.plans, self.context)
        return [*own, *self.conflicts, *role_problems(self.plans, self.context, params)]

    @property
    def warnings(self) -> list[str]:
        together = [*tenant_limits.warnings(self.plans, self.context), *hosted_relay.warnings(self.plans, self.context)]
        return [*self.notes, *(text for plan in self.plans for text in plan.warnings), *together]

    def variables(self, params: Params) -> Variables:
        """The role variables that the senders need and that the inventory does not set."""
        derived = derive(self.plans, self.context, params.settings) if self.plans or params.settings.disable_unused_access else {}
        return complete(derived, params.inventory_names)


def plan_senders(tenant: Tenant, params: Params, prefetch: Prefetch | None = None) -> PlannedSenders:
    """Read the tenant and select the method of each sender; nothing is read without senders.

    `prefetch`: reads of later steps, which are part of the same batches.
    """
    senders = [options.sender(item) for item in params.senders]
    if not senders:
        return PlannedSenders((), PlanningContext(relay_hosts=params.relay_hosts))
    context, notes = read_context(tenant, params, senders, prefetch or Prefetch())
    plans = [plan_sender(sender, context) for sender in senders]
    renamed = [plan.sender for plan in plans if plan.sender.was and plan.mailbox_sign_in and not plan.problems]
    return PlannedSenders(plans, context.renaming(renamed) if renamed else context, notes, tuple(context.renamed_twice(renamed)))


RESOURCE = SenderPlan()


def refuse(problems: Sequence[str]) -> None:
    """InvalidInput with all problems, where there are any."""
    if problems:
        raise InvalidInput(*problems)


def role_problems(plans: Sequence[SendingPlan], context: PlanningContext, params: Params) -> list[str]:
    """What a role of this tenant would refuse, one sentence each."""
    return plan_problems(plans, context, params.settings, inventory_of(plans, context, params), ROLE_RESOURCES)


def inventory_of(plans: Sequence[SendingPlan], context: PlanningContext, params: Params) -> dict[str, Any]:
    """The inventory's role variables, with the certificates of relay hosts appended to its own."""
    inventory = params.inventory
    for variable, certificates in zip(APPENDED, relay_hosts.certificates(plans, context), strict=True):
        own = inventory.get(variable, [])
        inventory[variable] = [*listed(own), *certificates] if isinstance(own, (list, str)) else own
    return inventory


def outcome(tenant: Tenant, senders: PlannedSenders, params: Params) -> dict[str, object]:
    """The task's result."""
    settings, plans, context = params.settings, senders.plans, senders.context
    variables = senders.variables(params)
    keys = verify_variables(params.inventory, params.key_directory, tenant.name, settings.app)
    app = SenderApp(settings.app, tenant.tenant_id if plans else "", credential_place(params.inventory | keys))
    entries = [entry(plan, context, tenant.cloud, app) for plan in plans]
    mailboxes = variables.get("shared_mailbox_mailboxes", [])
    current, retired = relay_hosts.certificates(plans, context)
    return {
        "plan": entries,
        "roles": roles_to_run([*variables, *params.inventory_names]),
        "variables": variables | keys,
        "settings_page": settings_page(tenant.name, entries) if entries else "",
        "expected_mailboxes": [mailbox["address"] for mailbox in mailboxes if not context.mailbox(mailbox["address"])],
        "sign_ins": [sign_in for plan in plans if (sign_in := _sign_in(plan, settings))],
        "hosted_relay": hosted_relay.provisioning(plans, context),
        "external_recipients": tenant_limits.external_recipients(plans, context),
        "relays": {name: relay.as_result() for name, relay in relay_hosts.assignments(plans, context, settings).items()},
        "mx_host": context.mx_host,
        "relay_certificates": current,
        "relay_retired_certificates": retired,
    }


def _sign_in(plan: SendingPlan, settings: PlanSettings) -> dict[str, str] | None:
    """A sender that signs in, as an item of option senders of module conditional_access_info; None where it does not."""
    method = METHODS["oauth"] if plan.uses_oauth else METHODS[plan.method]
    if not method.conditional_access:
        return None
    sender = plan.sender
    by_app = method.name == "oauth" or (method.name == "hve" and sender.oauth)
    sign_in = {"name": sender.name, "address": sender.mailbox, "method": method.name}
    return sign_in | ({"app_unique_name": settings.app} if by_app else {})


# -- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prefetch:
    """Reads of later steps that are sent with the reads of the plan."""

    commands: Sequence[Command] = ()
    calls: Sequence[Call] = ()


def read_context(tenant: Tenant, params: Params, senders: Sequence[Sender], prefetch: Prefetch) -> tuple[PlanningContext, list[str]]:
    """The tenant's current state, with one batch of Graph and one of Exchange (ten commands each); and notes on what was not readable."""
    directory, notes = _directory(tenant, params, senders, prefetch)
    organization = _organization(tenant, senders, prefetch)
    context = PlanningContext(
        domains=frozenset(organization.domains),
        mailboxes=organization.mailboxes,
        external_limit=organization.external_limit,
        trial=params.trial,
        basic_auth_end_date=datetime.date.fromisoformat(params.basic_auth_end_date),
        basic_reenabled=params.basic_reenabled,
        today=datetime.datetime.fromtimestamp(tenant.clock.now(), datetime.UTC).date(),
        direct_send_rejected=params.direct_send_rejected,
        relay_hosts=params.relay_hosts,
        hosted_relay=HOSTED_RELAYS.get(params.hosted_relay or ""),
        hosted_relay_region=params.hosted_relay_region,
        hosted_relay_key="m365_hosted_relay_api_key" in params.inventory_names,
        hve=params.hve,
        acs="acs_smtp_username_communication_service" in params.inventory_names,
        security_defaults=directory.security_defaults,
        mx_host=directory.mx_host,
        licences=directory.licences,
    )
    # Licences count only where Exchange does not give the limit.
    return context, [] if context.external_limit else notes


@dataclass(frozen=True)
class _Directory:
    security_defaults: bool
    mx_host: str
    licences: int | None


def _directory(tenant: Tenant, params: Params, senders: Sequence[Sender], prefetch: Prefetch) -> tuple[_Directory, list[str]]:
    """Security Defaults, the MX host and the licences, and notes on what was not readable."""
    domain = senders[0].domain
    calls = [*prefetch.calls, security_defaults.READ, mx_hosts.records(domain)]
    if params.licences is None:
        calls.append(licences.READ)
    answers = tenant.graph.outcomes(calls)
    for call, answer in zip(prefetch.calls, answers, strict=False):
        tenant.graph.prefetch(call, answer)
    policy, records, *skus = answers[len(prefetch.calls) :]
    for answer in (policy, records):
        if isinstance(answer, GraphError):
            raise answer
    mx_host = mx_hosts.learn(tenant, domain, records)
    directory = _Directory(security_defaults.learn(tenant, policy), tenant.cloud.mx_host or mx_host, params.licences)
    if not skus:
        return directory, []
    if isinstance(skus[0], GraphError):
        if skus[0].code not in ("Authorization_RequestDenied", "AccessDenied"):
            raise skus[0]
        note = (
            "The licences could not be read (Organization.Read.All), so that the tenant external recipient rate limit was not "
            "checked: grant it, or set m365_licences."
        )
        return directory, [note]
    return replace(directory, licences=licences.purchased((skus[0] or {}).get("value", []))), []


@dataclass(frozen=True)
class _Organization:
    """`mailboxes`: by the senders' addresses and by their primary addresses. `external_limit`: None where it was not read."""

    domains: set[str]
    mailboxes: dict[str, Mailbox]
    external_limit: ExternalLimit | None


def _organization(tenant: Tenant, senders: Sequence[Sender], prefetch: Prefetch) -> _Organization:
    """The accepted domains and the existing mailboxes, and where much is sent the limit of external recipients."""
    named = (address for sender in senders for address in (sender.mailbox, sender.address, sender.was))
    listed = list(dict.fromkeys(filter(None, named)))
    lookups = [addresses.look_up(address, "Guid", "PrimarySmtpAddress", "RecipientTypeDetails") for address in listed]
    limit = [external_limit.READ] if tenant_limits.depend_on_volume(senders) else []
    domains, *outcomes = tenant.exchange.batch([addresses.ACCEPTED_DOMAINS, *lookups, *prefetch.commands, *limit])
    for command, outcome in zip(prefetch.commands, outcomes[len(lookups) :], strict=False):
        tenant.exchange.prefetch(command, outcome)
    mailboxes = {}
    for address, outcome in zip(listed, outcomes, strict=False):
        item = lookup.only(outcome, "m365_senders", address)
        if item:
            mailboxes[address] = Mailbox(str(item["PrimarySmtpAddress"]).lower(), str(item["RecipientTypeDetails"]))
    mailboxes |= {mailbox.address: mailbox for mailbox in mailboxes.values()}
    accepted = addresses.learn_domains(tenant.exchange, domains)
    return _Organization(accepted, mailboxes, external_limit.of_outcome(outcomes[-1]) if limit else None)
