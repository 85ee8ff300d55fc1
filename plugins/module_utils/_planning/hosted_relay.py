# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the senders need of the hosted relay: sender domains and SMTP credentials, as role hosted_relay takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .._core.mail_addresses import domain
from .context import PlanningContext, RelayHost
from .sending_plan import SendingPlan

_LONGEST_NAME = 40  # of a credential


def provisioning(plans: Iterable[SendingPlan], context: PlanningContext) -> dict[str, list[dict[str, Any]]]:
    """`domains` and `credentials`; empty where no sender uses the hosted relay.

    Senders with method hosted count, and those of relay hosts whose upstream it is: each has a credential, a relay host one for all its
    senders. Where the provider has credentials of domains, a sender's domain is a subdomain that is registered with the provider.
    """
    domains: dict[str, dict[str, Any]] = {}
    credentials: dict[str, dict[str, Any]] = {}
    for plan in plans:
        if not _uses_it(plan, context):
            continue
        name = _registered(domain(plan.sender.address), context)
        domains[name] = {"name": name}
        credential = credential_name(plan)
        of_domain = {"domain": name} if context.hosted_relay and context.hosted_relay.domain_credentials else {}
        credentials.setdefault(credential, {"name": credential, **of_domain})
    return {"domains": [*domains.values()], "credentials": [*credentials.values()]}


def name_problems(plans: Iterable[SendingPlan], context: PlanningContext) -> Iterator[str]:
    """One sentence for each credential that senders or relay hosts would share because their names differ in other characters only.

    They would have one password, and where the provider has credentials of domains, mail would be signed for the domain of one of them.
    """
    owners: dict[str, dict[str, None]] = {}
    for plan in plans:
        if _uses_it(plan, context):
            owner = f"relay host {plan.relay_host.name}" if plan.relay_host else plan.sender.name
            owners.setdefault(credential_name(plan), {})[owner] = None
    for credential, names in owners.items():
        if len(names) > 1:
            yield (
                f"m365_senders: {', '.join(names)}: their SMTP credentials at the hosted relay would have the same name {credential}: "
                "give them different names."
            )


def warnings(plans: Sequence[SendingPlan], context: PlanningContext) -> Iterator[str]:
    """What the senders of the hosted relay require that no run of ours does or sees."""
    yield from _records_without_key(plans, context)
    yield from _several_domains(plans, context)


def _records_without_key(plans: Iterable[SendingPlan], context: PlanningContext) -> Iterator[str]:
    """The DNS records of each domain, where no API key registers it with the provider and reads them."""
    service = context.hosted_relay
    if not service or context.hosted_relay_key:
        return
    for name in dict.fromkeys(_registered(domain(plan.sender.address), context) for plan in plans if _uses_it(plan, context)):
        records = "; ".join(f"{kind} {place.format(domain=name)} with the value {value}" for kind, place, value in service.records)
        yield (
            f"{name}: m365_hosted_relay_api_key is not set. Register the domain with {service.label}, and publish the DNS records that "
            f"{service.label} shows: {records}."
        )


def _several_domains(plans: Iterable[SendingPlan], context: PlanningContext) -> Iterator[str]:
    """One sentence for each relay host whose senders are in several domains, where the provider has credentials of domains."""
    if not context.hosted_relay or not context.hosted_relay.domain_credentials:
        return
    relays: dict[str, dict[str, None]] = {}
    for plan in plans:
        if plan.relay_host and _uses_it(plan, context):
            relays.setdefault(plan.relay_host.name, {})[domain(plan.sender.address)] = None
    for relay, (first, *others) in relays.items():
        if others:
            yield (
                f"m365_senders: relay host {relay} has one credential at {context.hosted_relay.label}, of {_registered(first, context)}, "
                f"whose signature and envelope sender its mail from {', '.join(others)} has as well, so that it fails DMARC: "
                "use a relay host for each domain."
            )


def _uses_it(plan: SendingPlan, context: PlanningContext) -> bool:
    upstream = plan.relay_host.delivery.hosted_relay if plan.relay_host else None
    return context.hosted_relay is not None and (plan.method == "hosted" or upstream is context.hosted_relay)


def _registered(name: str, context: PlanningContext) -> str:
    """The domain at the provider."""
    label = context.hosted_relay.domain_label if context.hosted_relay else ""
    return f"{label}.{name}" if label else name


def credential_name(plan: SendingPlan) -> str:
    """Its credential: named as the sender or its relay host, in lower-case letters, digits and hyphens; else as its mailbox."""
    owner: RelayHost | Any = plan.relay_host or plan.sender
    texts: Iterator[str] = (_plain(text) for text in (owner.name, plan.sender.address.partition("@")[0]))
    return next(filter(None, texts), "sender")


def _plain(text: str) -> str:
    letters = "".join(one if one.isascii() and one.isalnum() else " " for one in text.lower())
    return "-".join(letters.split())[:_LONGEST_NAME].rstrip("-")
