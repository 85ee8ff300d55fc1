# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a tenant: from one list of senders to what every role has to do, with all that is impossible in one list.

Private to the collection. Reads, never writes: accepted domains, the senders' mailboxes, Security Defaults, licences.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from .._clients.exchange import is_missing
from .._clients.graph import Call
from .._core import mail_addresses
from .._core.errors import GraphError, InvalidInput
from .._core.spec import TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._exchange import addresses, mx_hosts
from .._planning import limits, relay_hosts, tenant_limits
from .._planning.context import PROVIDERS, UPSTREAMS, Facts, Mailbox, Relay
from .._planning.decision import Decision, decide
from .._planning.device_settings import settings, sheet
from .._planning.senders import SENDER, Sender, problems, read
from .._planning.variables import PREFIXES, Wishes, complete, derive, needed
from . import security_defaults

RELAY = {
    "name": {"type": "str", "required": True},
    "host": {"type": "str", "required": True},
    "upstream": {"type": "str", "choices": list(UPSTREAMS), "default": "connector"},
    "public_addresses": {"type": "list", "elements": "str", "default": []},
    "certificate_name": {"type": "str", "default": ""},
    "managed": {"type": "bool", "default": False},
    "certificates": {"type": "list", "elements": "str"},
    "retired_certificates": {"type": "list", "elements": "str", "default": []},
    "users": {"type": "dict", "default": {}},
}
OPTIONS = Spec(
    {
        "senders": {"type": "list", "elements": "dict", "options": SENDER, "default": [], "variable": "m365_senders"},
        "relays": {"type": "list", "elements": "dict", "options": RELAY, "default": [], "variable": "m365_relays"},
        "unused_access": {"type": "str", "choices": ["keep", "disable"], "default": "keep", "variable": "m365_unused_access"},
        "hosted_relay": {"type": "str", "choices": sorted(PROVIDERS), "variable": "m365_hosted_relay"},
        "hve": {"type": "bool", "default": False, "variable": "m365_hve"},
        "basic_auth_end_date": {"type": "str", "default": limits.BASIC_AUTH_END_DATE.isoformat(), "variable": "m365_basic_auth_end_date"},
        "basic_reenabled": {"type": "bool", "default": False, "variable": "m365_basic_reenabled"},
        "licences": {"type": "int", "variable": "m365_licences"},
        "trial": {"type": "bool", "default": False, "variable": "m365_trial"},
        "verify_recipient": {"type": "str", "default": "", "variable": "m365_verify_recipient"},
        "app_unique_name": {"type": "str", "default": "mailops-smtp-sender", "variable": "entra_app_unique_name"},
        "app_exclusive": {"type": "bool", "default": False, "variable": "entra_app_exclusive"},
        "direct_send_rejected": {"type": "bool", "default": False, "variable": "direct_send_rejected"},
        "given": {"type": "list", "elements": "str", "default": [], "prefixes": PREFIXES},
    },
    writes=False,
)
# "Product names and service plan identifiers for licensing": the plans that come with a mailbox.
MAILBOX_PLANS = {
    "EXCHANGE_S_STANDARD",
    "EXCHANGE_S_ENTERPRISE",
    "EXCHANGE_S_STANDARD_GOV",
    "EXCHANGE_S_ENTERPRISE_GOV",
    "EXCHANGE_S_DESKLESS",
    "EXCHANGE_LITE",
}
_SKUS = "/subscribedSkus?$select=skuPartNumber,capabilityStatus,prepaidUnits,servicePlans"


class SenderPlan(Reading):
    """module sender_plan"""

    name = "sender_plan"
    spec = TENANT | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        found = problems(params["senders"])
        found += [f"m365_verify_recipient: {text}" for text in mail_addresses.problems("it", _given(params["verify_recipient"]))]
        try:
            datetime.date.fromisoformat(params["basic_auth_end_date"])
        except ValueError:
            found.append(
                f"m365_basic_auth_end_date is {params['basic_auth_end_date']!r}: give a date such as {limits.BASIC_AUTH_END_DATE}."
            )
        return found + relay_hosts.problems(params["relays"], removes_unlisted=params["app_exclusive"])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        senders = [read(item) for item in params["senders"]]
        if not senders:
            idle = Facts(relays=_relays(params))
            return Plan(outcome=_outcome([], complete({}, params["given"]), params, "", []) | _relay_hosts([], idle, Wishes("")))
        facts, notes = gather(tenant, params, senders)
        decisions = [decide(sender, facts) for sender in senders]
        wrong = [text for decision in decisions for text in decision.problems] + tenant_limits.problems(decisions, facts)
        if wrong:
            raise InvalidInput(*wrong)
        wishes = Wishes(params["app_unique_name"], params["unused_access"] == "disable", params["verify_recipient"])
        variables = complete(derive(decisions, facts, wishes), params["given"])
        entries = [_entry(tenant, decision, facts, wishes) for decision in decisions]
        notes += [text for decision in decisions for text in decision.warnings]
        coming = [m["address"] for m in variables.get("shared_mailbox_mailboxes", []) if not facts.mailbox(m["address"])]
        outcome = _outcome(entries, variables, params, sheet(tenant.name, entries), coming) | _relay_hosts(decisions, facts, wishes)
        return Plan(outcome=outcome, warnings=notes)


RESOURCE = SenderPlan()


def _given(text: str) -> list[str]:
    return [text] if text else []


def _relays(params: dict[str, Any]) -> dict[str, Relay]:
    return {relay["name"]: relay_hosts.read(relay) for relay in params["relays"]}


def _relay_hosts(decisions: list[Decision], facts: Facts, wishes: Wishes) -> dict[str, Any]:
    current, retired = relay_hosts.certificates(decisions, facts)
    return {"relays": relay_hosts.wanted(decisions, facts, wishes), "relay_certificates": current, "relay_retired_certificates": retired}


def _outcome(entries: list[dict], variables: dict[str, Any], params: dict[str, Any], text: str, coming: list[str]) -> dict[str, Any]:
    roles = needed([*variables, *params["given"]])
    judged = [entry.pop("judged") for entry in entries]
    return {
        "plan": entries,
        "roles": roles,
        "variables": variables,
        "sheet": text,
        "expected_mailboxes": coming,
        "judged": [sender for sender in judged if sender],
    }


def _judged(decision: Decision, wishes: Wishes) -> dict[str, str] | None:
    """A sender that signs in, in the form in which module conditional_access_info takes it."""
    method = "oauth" if decision.signs_in else decision.method
    sender = decision.sender
    if method not in ("oauth", "basic", "hve"):
        return None
    by_app = method == "oauth" or (method == "hve" and sender.oauth)
    return {"name": sender.name, "address": sender.mailbox, "method": method} | ({"app_unique_name": wishes.app} if by_app else {})


def _entry(tenant: Tenant, decision: Decision, facts: Facts, wishes: Wishes) -> dict[str, Any]:
    return {
        "name": decision.sender.name,
        "address": decision.sender.address,
        "method": decision.method,
        "reason": decision.reason,
        "settings": settings(decision, facts, tenant.cloud, wishes.app),
        "judged": _judged(decision, wishes),
    }


# -- reading ----------------------------------------------------------------------------------------------------------


def gather(tenant: Tenant, params: dict[str, Any], senders: Sequence[Sender]) -> tuple[Facts, list[str]]:
    """What is known of the tenant, with one batch of Graph and one of Exchange (ten commands each); and what could not be read."""
    graph, notes = _directory(tenant, params, senders)
    domains, mailboxes = _organization(tenant, senders)
    facts = Facts(
        domains=frozenset(domains),
        mailboxes=mailboxes,
        trial=params["trial"],
        basic_auth_end_date=datetime.date.fromisoformat(params["basic_auth_end_date"]),
        basic_reenabled=params["basic_reenabled"],
        today=datetime.datetime.fromtimestamp(tenant.clock.now(), datetime.UTC).date(),
        direct_send_rejected=params["direct_send_rejected"],
        relays=_relays(params),
        hosted=PROVIDERS.get(params["hosted_relay"] or ""),
        hve=params["hve"],
        acs="acs_smtp_username_communication_service" in params["given"],
        **graph,
    )
    return facts, notes


def _directory(tenant: Tenant, params: dict[str, Any], senders: Sequence[Sender]) -> tuple[dict[str, Any], list[str]]:
    """Security Defaults, the MX host and the licences."""
    domain = senders[0].domain
    calls = [
        security_defaults.READ,
        mx_hosts.records(domain),
    ]
    if params["licences"] is None:
        calls.append(Call("GET", _SKUS, attempted="read the licences"))
    policy, records, *skus = tenant.graph.outcomes(calls)
    for answer in (policy, records):
        if isinstance(answer, GraphError):
            raise answer
    mx_host = mx_hosts.learn(tenant, domain, records)
    found = {"security_defaults": security_defaults.is_on(policy), "mx_host": tenant.cloud.mx_host or mx_host}
    if not skus:
        return found | {"licences": params["licences"]}, []
    if isinstance(skus[0], GraphError):
        if skus[0].code not in ("Authorization_RequestDenied", "AccessDenied"):
            raise skus[0]
        note = (
            "The licences could not be read (Organization.Read.All), so that the tenant's limit of external recipients was not "
            "judged: grant it, or set m365_licences."
        )
        return found, [note]
    return found | {"licences": licences((skus[0] or {}).get("value", []))}, []


def licences(skus: Sequence[dict]) -> int:
    """The purchased licences that come with a mailbox ("List subscribedSkus")."""
    return sum(
        int(sku["prepaidUnits"].get("enabled") or 0)
        for sku in skus
        if sku.get("capabilityStatus") in ("Enabled", "Warning")
        and MAILBOX_PLANS & {str(plan.get("servicePlanName")) for plan in sku.get("servicePlans") or []}
    )


def _organization(tenant: Tenant, senders: Sequence[Sender]) -> tuple[set[str], dict[str, Mailbox]]:
    """The accepted domains, and of the senders' addresses those that are mailboxes."""
    listed = list(dict.fromkeys(address for sender in senders for address in (sender.mailbox, sender.address)))
    boxes = [addresses.look_up(address, "PrimarySmtpAddress", "RecipientTypeDetails") for address in listed]
    domains, *outcomes = tenant.exchange.batch([addresses.ACCEPTED_DOMAINS, *boxes])
    found = {}
    for address, outcome in zip(listed, outcomes, strict=True):
        if not is_missing(outcome.error):
            [item, *_others] = outcome.checked().values
            found[address] = Mailbox(str(item["PrimarySmtpAddress"]).lower(), str(item["RecipientTypeDetails"]))
    found |= {mailbox.address: mailbox for mailbox in found.values()}
    return addresses.learn_domains(tenant.exchange, domains), found
