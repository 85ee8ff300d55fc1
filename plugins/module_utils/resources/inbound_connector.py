# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inbound connectors: who may relay into the tenant by its public address or its TLS certificate.

Private to the collection. Sources: New-InboundConnector; "Configure a connector to send mail using Microsoft 365 SMTP
relay"; "Important notice for Office 365 email customers who have configured connectors".
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from .. import error_catalog
from .._clients.exchange import Command, boolean, names
from .._core.errors import ExchangeError, InvalidInput
from .._core.networks import PRIVATE, RESERVED, is_within
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant

# option -> property; the order is the order of the diff
PROPERTIES = {
    "type": "ConnectorType",
    "enabled": "Enabled",
    "comment": "Comment",
    "sender_ip_addresses": "SenderIPAddresses",
    "tls_sender_certificate_name": "TlsSenderCertificateName",
    "sender_domains": "SenderDomains",
    "associated_accepted_domains": "AssociatedAcceptedDomains",
    "require_tls": "RequireTls",
    "restrict_domains_to_ip_addresses": "RestrictDomainsToIPAddresses",
    "restrict_domains_to_certificate": "RestrictDomainsToCertificate",
    "treat_messages_as_internal": "TreatMessagesAsInternal",
}
_LISTS = ("sender_ip_addresses", "sender_domains", "associated_accepted_domains")
_SWITCHES = (
    "enabled",
    "require_tls",
    "restrict_domains_to_ip_addresses",
    "restrict_domains_to_certificate",
    "treat_messages_as_internal",
)
# What a new connector gets where nothing is said.
DEFAULTS = {"type": "OnPremises", "enabled": True, "sender_domains": ["*"]}
_CERTIFICATE_NAME = re.compile(r"(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}|<I>.+<S>.+", re.DOTALL)

CONNECTOR = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "type": {"type": "str", "choices": ["OnPremises", "Partner"]},
    "enabled": {"type": "bool"},
    "comment": {"type": "str"},
    "sender_ip_addresses": {"type": "list", "elements": "str"},
    "tls_sender_certificate_name": {"type": "str"},
    "sender_domains": {"type": "list", "elements": "str"},
    "associated_accepted_domains": {"type": "list", "elements": "str"},
    "require_tls": {"type": "bool"},
    "restrict_domains_to_ip_addresses": {"type": "bool"},
    "restrict_domains_to_certificate": {"type": "bool"},
    "treat_messages_as_internal": {"type": "bool"},
}
OPTIONS = Spec({"connectors": {"type": "list", "elements": "dict", "required": True, "options": CONNECTOR}})


class InboundConnector:
    """module inbound_connector"""

    name = "inbound_connector"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems, seen = [], set()
        for connector in params["connectors"]:
            name = connector["name"].strip()
            if not name:
                problems.append("connectors holds one with an empty name: name it, it is how the connector is found again.")
            elif name.lower() in seen:
                problems.append(f"connectors holds {name!r} twice: keep one.")
            seen.add(name.lower())
            if connector["state"] == "present":
                problems += [f"connectors: {name}: {problem}" for problem in _problems(connector)]
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        found = read(tenant)
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        steps: list[tuple[str, str, dict[str, Any]]] = []
        problems: list[str] = []
        for connector in params["connectors"]:
            name = connector["name"].strip()
            have = found.get(name.lower())
            step = _step(name, connector, have)
            if step:
                steps.append((name, *step))
                if have:
                    before[have["name"]] = _public(have)
                if step[0] != "Remove-InboundConnector":
                    after[name] = _predicted(connector, have)
                    problems += [f"connectors: {name}: {problem}" for problem in _misfits(_merged(connector, have))]
        if problems:
            raise InvalidInput(*problems)
        shown = {c["name"].strip(): (_predicted(c, found.get(c["name"].strip().lower())) if c["state"] == "present" else None)
                 for c in params["connectors"]}  # fmt: skip
        return Plan(before, after, list(steps), {"connectors": shown})

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        commands = [Command(cmdlet, parameters, attempted=_attempted(cmdlet, name)) for name, cmdlet, parameters in plan.steps]
        outcomes = tenant.exchange.batch(commands)
        for outcome in outcomes:
            outcome.checked()
        # "Created disabled" is a success with a warning, in a text that differs: what counts is the state.
        found = read(tenant)
        for name, want in plan.after.items():
            have = found.get(name.lower())
            if want.get("enabled") and have and not have["enabled"]:
                warning = next((w for o in outcomes for w in o.warnings if "disabled" in w or "can't enable" in w), "Enabled is false")
                entry = error_catalog.exchange("ConnectorDisabledByOffer")
                raise ExchangeError(f"enable the connector {name}", warning, code="created disabled", entry=entry)
            if not have:
                raise ExchangeError(f"create the connector {name}", "the connector is not in the list afterwards", code="lost")
        return plan.outcome


class InboundConnectorInfo(Reading):
    """module inbound_connector_info"""

    name = "inbound_connector_info"
    spec = TENANT | Spec({}, writes=False)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        return Plan(outcome={"connectors": {item["name"]: _public(item) for item in read(tenant).values()}})


RESOURCE = InboundConnector()
INFO = InboundConnectorInfo()


# -- input ------------------------------------------------------------------------------------------------------------


def _problems(connector: dict[str, Any]) -> list[str]:
    problems = [p for text in connector["sender_ip_addresses"] or [] for p in _address_problems(text)]
    certificate = connector["tls_sender_certificate_name"]
    if certificate and not _CERTIFICATE_NAME.fullmatch(certificate):
        problems.append(
            f"tls_sender_certificate_name is {certificate!r}: give the certificate's name, such as relay.contoso.com or *.contoso.com."
        )
    if connector["sender_domains"] is not None and not names(connector["sender_domains"]):
        problems.append("sender_domains is empty: name domains, or '*' for all.")
    return problems


def _misfits(connector: dict[str, Any]) -> list[str]:
    """What does not go together in a connector as it would be (New-InboundConnector)."""
    problems = []
    partner, addresses = connector["type"] == "Partner", connector.get("sender_ip_addresses")
    certificate = connector.get("tls_sender_certificate_name")
    if not partner and not addresses and not certificate:
        problems.append("it has neither sender_ip_addresses nor tls_sender_certificate_name: give one, nobody could use it.")
    for option in ("restrict_domains_to_ip_addresses", "restrict_domains_to_certificate"):
        if connector.get(option) and not partner:
            problems.append(f"{option} works with type Partner only: remove it or set type: Partner.")
    if connector.get("restrict_domains_to_ip_addresses") and not addresses:
        problems.append("restrict_domains_to_ip_addresses needs sender_ip_addresses.")
    if connector.get("restrict_domains_to_certificate") and not certificate:
        problems.append("restrict_domains_to_certificate needs tls_sender_certificate_name.")
    if connector.get("treat_messages_as_internal") and partner:
        problems.append("treat_messages_as_internal works with type OnPremises only.")
    return problems


def _address_problems(text: str) -> list[str]:
    """Exchange Online takes public IPv4 addresses, single or /24 to /32."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return [f"sender_ip_addresses holds {text!r}, which is no IPv4 address or network (/24 to /32)."]
    if isinstance(network, ipaddress.IPv6Network):
        return [f"sender_ip_addresses holds {text}, an IPv6 address: connectors take IPv4 only; use the relay's public IPv4 address."]
    if network.prefixlen < 24:
        return [f"sender_ip_addresses holds {text}, wider than /24: name the addresses, or networks of /24 to /32."]
    if is_within(network, PRIVATE, RESERVED):
        return [
            f"sender_ip_addresses holds {text}, which is not a public address: Microsoft sees the address your firewall gives "
            "the mail on its way out; use that."
        ]
    if "/" in text and str(network.network_address) != text.strip().partition("/")[0]:
        return [f"sender_ip_addresses holds {text}, which is an address inside a network: write {network} or the address alone."]
    return []


# -- reading and comparing --------------------------------------------------------------------------------------------


def read(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """All connectors by lower-case name, in the form of the options, with guid and name."""
    command = Command("Get-InboundConnector", {"ResultSize": "Unlimited"}, attempted="read the inbound connectors")
    return {str(item["Name"]).lower(): normalised(item) for item in tenant.exchange.run(command).values}


def normalised(item: dict[str, Any]) -> dict[str, Any]:
    """A connector as the options would say it: Exchange reads back 'smtp:*;1' for '*', /32 networks and joined lists."""
    found = {option: item.get(name) for option, name in PROPERTIES.items()}
    for option in _SWITCHES:
        found[option] = bool(boolean(found[option]))
    found["comment"] = found["comment"] or ""
    found["tls_sender_certificate_name"] = found["tls_sender_certificate_name"] or ""
    found |= {option: _list(option, names(found[option])) for option in _LISTS}
    return found | {"name": item["Name"], "guid": item["Guid"]}


def _list(option: str, values: list[str]) -> list[str]:
    """A list in its comparable form: sorted, lower case, without Exchange's dressing."""
    if option == "sender_domains":
        values = [re.sub(r"^smtp:|;\d+$", "", v, flags=re.I) for v in values]
    if option == "sender_ip_addresses":
        values = [v.strip().removesuffix("/32") for v in values]
    return sorted({v.strip().lower() for v in values})


def _wanted(connector: dict[str, Any], new: bool) -> dict[str, Any]:
    """The options that were given (and, for a new connector, the defaults), comparable."""
    given = {o: connector[o] for o in PROPERTIES if connector.get(o) is not None}
    if new:
        given = DEFAULTS | given
    return {o: _list(o, names(v)) if o in _LISTS else v for o, v in given.items()}


def _step(name: str, connector: dict[str, Any], have: dict[str, Any] | None) -> tuple[str, dict[str, Any]] | None:
    """The command that brings one connector there, or None."""
    if connector["state"] == "absent":
        return ("Remove-InboundConnector", {"Identity": have["guid"], "Confirm": False}) if have else None
    want = _wanted(connector, new=not have)
    if not have:
        parameters = {PROPERTIES[o]: v for o, v in want.items() if v not in ("", [])}
        return "New-InboundConnector", {"Name": name, **parameters}
    changes = {PROPERTIES[o]: _cleared(o, v) for o, v in want.items() if not _same(o, v, have[o])}
    return ("Set-InboundConnector", {"Identity": have["guid"], **changes}) if changes else None


def _same(option: str, want: Any, have: Any) -> bool:
    """A certificate's name is a DNS name: its case says nothing."""
    return want.lower() == str(have).lower() if option == "tls_sender_certificate_name" else want == have


def _cleared(option: str, value: Any) -> Any:
    return None if option == "tls_sender_certificate_name" and value == "" else value


def _predicted(connector: dict[str, Any], have: dict[str, Any] | None) -> dict[str, Any]:
    return _public(_merged(connector, have))


def _merged(connector: dict[str, Any], have: dict[str, Any] | None) -> dict[str, Any]:
    return {**(have or {}), **_wanted(connector, new=not have)}


def _public(item: dict[str, Any]) -> dict[str, Any]:
    """What the diff shows: everything that is set."""
    return {option: item[option] for option in PROPERTIES if item.get(option) not in (None, "", [], False) or option == "enabled"}


def _attempted(cmdlet: str, name: str) -> str:
    verb = {"New": "create", "Set": "change", "Remove": "remove"}[cmdlet.partition("-")[0]]
    return f"{verb} the connector {name}"
