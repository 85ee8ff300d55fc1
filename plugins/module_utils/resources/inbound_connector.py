# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inbound connectors: which hosts may relay through the tenant, matched by public IP address or TLS certificate.

Sources: New-InboundConnector; "Configure a connector to send mail using Microsoft 365 SMTP
relay"; "Important notice for Office 365 email customers who have configured connectors".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import error_catalog
from .._clients.exchange import Command, names
from .._core import mail_addresses, networks
from .._core.errors import ExchangeError, InvalidInput
from .._core.params import NoParams, nested
from .._core.spec import JOURNAL, TENANT, Option, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._exchange.connector_overlaps import match_same_hosts
from .._exchange.inbound_connectors import LISTS, PROPERTIES, Connector, Setting, as_json, comparable_list, read
from .._planning import ownership
from .._planning.connector_conflicts import PlannedConnector, overlapping, taken_names

MAX_NAME_LENGTH = 64  # New-InboundConnector, Name
# Options that are written for a new connector even where the task does not set them: Connector's defaults.
_ALWAYS_WRITTEN = ("type", "enabled", "sender_domains")
_SENDER_DOMAIN = re.compile(rf"\*|(\*\.)?{mail_addresses.DOMAIN_PATTERN}")
_EXAMPLES = {
    "sender_domains": "give one such as contoso.com or *.contoso.com, or '*' for all",
    "associated_accepted_domains": "give an accepted domain such as contoso.com",
}
_CERTIFICATE_NAME = re.compile(rf"(\*\.)?{mail_addresses.DOMAIN_PATTERN}|<I>.+<S>.+", re.DOTALL)

CONNECTOR: dict[str, Option] = {
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
OPTIONS = Spec(
    {
        "connectors": {"type": "list", "elements": "dict", "required": True, "options": CONNECTOR},
        "owner": {"type": "str"},
    }
)


@dataclass(frozen=True)
class ConnectorParams:
    """The options of a connector; one that is None stays as it is."""

    name: str
    state: str
    type: str | None = None
    enabled: bool | None = None
    comment: str | None = None
    sender_ip_addresses: tuple[str, ...] | None = None
    tls_sender_certificate_name: str | None = None
    sender_domains: tuple[str, ...] | None = None
    associated_accepted_domains: tuple[str, ...] | None = None
    require_tls: bool | None = None
    restrict_domains_to_ip_addresses: bool | None = None
    restrict_domains_to_certificate: bool | None = None
    treat_messages_as_internal: bool | None = None

    @property
    def title(self) -> str:
        return self.name.strip()

    @property
    def key(self) -> str:
        return self.title.lower()

    @property
    def present(self) -> bool:
        return self.state == "present"


@dataclass(frozen=True)
class Params:
    """`owner`: whose connectors are removed where they are not listed; None: no connector is removed."""

    owner: str | None
    connectors: tuple[ConnectorParams, ...] = nested(ConnectorParams)


@dataclass(frozen=True)
class ConnectorChange:
    """One connector to create (without `current`), update, or remove (without `desired`). `settings` is by option."""

    name: str
    current: Connector | None
    desired: Connector | None
    settings: dict[str, Setting]

    @property
    def is_renamed(self) -> bool:
        """Whether an existing connector gets another name."""
        return bool(self.current and self.desired and self.current.name.lower() != self.name.lower())

    @property
    def key(self) -> str:
        """The name in `before`: as it is written in Exchange, or the new name of a renamed connector."""
        return self.name if self.is_renamed or not self.current else self.current.name

    def before(self) -> dict[str, object] | None:
        """The connector before the change; its name where that changes."""
        if not self.current:
            return None
        return {**({"name": self.current.name} if self.is_renamed else {}), **self.current.as_result()}

    def after(self) -> dict[str, object] | None:
        """The connector after the change; its name where that changes."""
        if not self.desired:
            return None
        return {**({"name": self.name} if self.is_renamed else {}), **self.desired.as_result()}

    def command(self) -> Command:
        if not self.current:
            parameters = {PROPERTIES[option]: as_json(value) for option, value in self.settings.items() if value not in ("", ())}
            return Command("New-InboundConnector", {"Name": self.name, **parameters}, attempted=f"create the connector {self.name}")
        identity = {"Identity": self.current.guid}
        if not self.desired:
            return Command("Remove-InboundConnector", identity | {"Confirm": False}, attempted=f"remove the connector {self.name}")
        differing = {PROPERTIES[option]: _cleared(option, value) for option, value in self.settings.items()}
        if self.is_renamed:
            differing["Name"] = self.name
        return Command("Set-InboundConnector", {**identity, **differing}, attempted=f"change the connector {self.name}")


Changes = tuple[ConnectorChange, ...]


class InboundConnector:
    """Module inbound_connector."""

    name = "inbound_connector"
    spec = TENANT | JOURNAL | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems: list[str] = []
        names: set[str] = set()
        for connector in params.connectors:
            if not connector.title:
                problems.append("connectors holds one with an empty name: give it the name by which later runs look it up.")
            elif unprintable := line_problems("connectors: the name", connector.title):
                problems += unprintable
                continue
            elif connector.key in names:
                problems.append(f"connectors holds {connector.title!r} twice: keep one.")
            names.add(connector.key)
            if connector.present:
                problems += [f"connectors: {connector.title}: {problem}" for problem in _problems(connector)]
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[Changes]:
        current = read(tenant)
        matched = matches(params, current)
        changes = tuple(change for one in params.connectors if (change := change_of(one, matched.get(one.key))))
        changes += tuple(ConnectorChange(one.name, one, None, {}) for one in orphans(params, current, matched))
        desired = {change.name: change.desired for change in changes if change.desired}
        problems = [f"connectors: {name}: {problem}" for name, one in desired.items() for problem in _conflicts(one)]
        overlaps, warnings = _overlaps(params, current, matched)
        problems += [*_taken_names(params, matched), *overlaps]
        if problems:
            raise InvalidInput(*problems)
        before = {change.key: state for change in changes if (state := change.before())}
        after = {change.name: state for change in changes if (state := change.after())}
        outcome = {one.title: _desired(one, matched.get(one.key)).as_result() if one.present else None for one in params.connectors}
        return Plan(before, after, changes or None, {"connectors": outcome}, warnings=warnings)

    def cmdlets(self, changes: Changes, /) -> Iterator[str]:
        """The cmdlets that write the changes."""
        yield from (change.command().cmdlet for change in changes)

    def apply(self, tenant: Tenant, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        outcomes = tenant.exchange.batch([change.command() for change in plan.pending])
        for outcome in outcomes:
            outcome.checked()
        # "Created disabled" is a success with a warning, whose text differs; the state that is read back decides.
        current = read(tenant)
        for change in plan.pending:
            connector = current.get(change.name.lower())
            if change.desired and change.desired.enabled and connector and not connector.enabled:
                warnings = [warning for outcome in outcomes for warning in outcome.warnings]
                raise _not_enabled(change.name, warnings)
            if change.desired and not connector:
                raise ExchangeError(f"create the connector {change.name}", "the connector is not in the list afterwards", code="lost")
        return plan.outcome


def _not_enabled(name: str, warnings: list[str]) -> ExchangeError:
    warning = next((text for text in warnings if "disabled" in text or "can't enable" in text), "Enabled is false")
    entry = error_catalog.exchange("ConnectorDisabledByOffer")
    return ExchangeError(f"enable the connector {name}", warning, code="created disabled", entry=entry)


class InboundConnectorInfo(ReadOnlyResource[NoParams]):
    """Module inbound_connector_info."""

    name = "inbound_connector_info"
    spec = TENANT | Spec({}, writes=False)
    params_type = NoParams

    def plan(self, tenant: Tenant, params: NoParams, check_mode: bool) -> Plan[None]:
        return Plan(outcome={"connectors": {connector.name: connector.as_result() for connector in read(tenant).values()}})


RESOURCE = InboundConnector()
INFO = InboundConnectorInfo()


# -- validation -------------------------------------------------------------------------------------------------------


def _problems(connector: ConnectorParams) -> list[str]:
    clauses = {text: networks.problem(text, 4, networks.CONNECTOR_PREFIX) for text in connector.sender_ip_addresses or ()}
    problems = [f"sender_ip_addresses holds {text!r}, {clause}." for text, clause in clauses.items() if clause]
    if len(connector.title) > MAX_NAME_LENGTH:
        problems.append(f"its name has {len(connector.title)} characters, more than the {MAX_NAME_LENGTH} of a connector: shorten it.")
    certificate = connector.tls_sender_certificate_name
    unprintable = line_problems("tls_sender_certificate_name", certificate)
    problems += unprintable
    if certificate and not unprintable and not _CERTIFICATE_NAME.fullmatch(certificate):
        problems.append(
            f"tls_sender_certificate_name is {certificate!r}: give the certificate's name, such as relay.contoso.com or *.contoso.com."
        )
    if connector.sender_domains is not None and not names(list(connector.sender_domains)):
        problems.append("sender_domains is empty: name domains, or '*' for all.")
    for option, pattern in (("sender_domains", _SENDER_DOMAIN), ("associated_accepted_domains", mail_addresses.DOMAIN)):
        listed = comparable_list(option, names(list(getattr(connector, option) or ())))
        problems += [f"{option} holds {text!r}, which is no domain: {_EXAMPLES[option]}." for text in listed if not pattern.fullmatch(text)]
    return problems


def _conflicts(connector: Connector) -> Iterator[str]:
    """Options that contradict each other in the desired connector (New-InboundConnector)."""
    partner, addresses, certificate = connector.type == "Partner", connector.sender_ip_addresses, connector.tls_sender_certificate_name
    if not partner and not addresses and not certificate:
        yield "it has neither sender_ip_addresses nor tls_sender_certificate_name: give one, or the connector matches no host."
    for option in ("restrict_domains_to_ip_addresses", "restrict_domains_to_certificate"):
        if connector.setting(option) and not partner:
            yield f"{option} works with type Partner only: remove it or set type: Partner."
    if connector.restrict_domains_to_ip_addresses and not addresses:
        yield "restrict_domains_to_ip_addresses needs sender_ip_addresses."
    if connector.restrict_domains_to_certificate and not certificate:
        yield "restrict_domains_to_certificate needs tls_sender_certificate_name."
    if connector.treat_messages_as_internal and partner:
        yield "treat_messages_as_internal works with type OnPremises only."


# -- reading and comparing --------------------------------------------------------------------------------------------


def _settings(params: ConnectorParams) -> dict[str, Setting]:
    """The options that the task sets, in comparable form."""
    values = {option: getattr(params, option) for option in PROPERTIES}
    return {o: comparable_list(o, names(list(v))) if o in LISTS else v for o, v in values.items() if v is not None}


def _desired(params: ConnectorParams, current: Connector | None) -> Connector:
    settings: Any = _settings(params)
    return replace(current or Connector(params.title), **settings)


def matches(params: Params, current: Mapping[str, Connector]) -> dict[str, Connector]:
    """The current connector of each listed one: that of its name, else one of the owner's that matches the same hosts."""
    listed = {one.key for one in params.connectors}
    matched = {one.key: current[one.key] for one in params.connectors if one.key in current}
    free = [one for key, one in current.items() if params.owner and key not in listed and ownership.is_marked(one.comment, params.owner)]
    for one in params.connectors:
        if one.present and one.key not in matched:
            same = next((other for other in free if match_same_hosts(_desired(one, None), other)), None)
            if same:
                free.remove(same)
                matched[one.key] = same
    return matched


def orphans(params: Params, current: Mapping[str, Connector], matched: Mapping[str, Connector]) -> list[Connector]:
    """The owner's connectors that are not listed."""
    if not params.owner:
        return []
    kept = {one.guid for one in matched.values()}
    return [one for one in current.values() if ownership.is_marked(one.comment, params.owner) and one.guid not in kept]


def _planned(params: Params, matched: Mapping[str, Connector]) -> list[PlannedConnector]:
    """The listed connectors that are to exist."""
    present = [(one, matched.get(one.key)) for one in params.connectors if one.present]
    return [PlannedConnector(one.title, current, _desired(one, current)) for one, current in present]


def _taken_names(params: Params, matched: Mapping[str, Connector]) -> Iterator[str]:
    return taken_names(_planned(params, matched), params.owner) if params.owner else iter(())


def _overlaps(params: Params, current: Mapping[str, Connector], matched: Mapping[str, Connector]) -> tuple[list[str], list[str]]:
    """Problems and warnings; connectors that the plan removes do not count."""
    gone = {one.guid for one in (*matched.values(), *orphans(params, current, matched))}
    return overlapping(_planned(params, matched), [one for one in current.values() if one.guid not in gone], params.owner)


def change_of(params: ConnectorParams, current: Connector | None) -> ConnectorChange | None:
    """The change of one connector, None where nothing differs."""
    if not params.present:
        return ConnectorChange(params.title, current, None, {}) if current else None
    settings, desired = _settings(params), _desired(params, current)
    if current:
        differing = {option: value for option, value in settings.items() if not _same(option, value, current.setting(option))}
        change = ConnectorChange(params.title, current, desired, differing)
        return change if differing or change.is_renamed else None
    return ConnectorChange(params.title, None, desired, {option: desired.setting(option) for option in _ALWAYS_WRITTEN} | settings)


def _same(option: str, desired: Setting, current: Setting) -> bool:
    """A certificate's name is a DNS name: case does not matter."""
    return str(desired).lower() == str(current).lower() if option == "tls_sender_certificate_name" else desired == current


def _cleared(option: str, value: Setting) -> str | bool | list[str] | None:
    return None if option == "tls_sender_certificate_name" and value == "" else as_json(value)
