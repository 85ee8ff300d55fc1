# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inbound connectors as Exchange has them. Sources: New-InboundConnector, Get-InboundConnector."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from .._clients.exchange import Command, boolean, names
from .._core import networks
from .._core.json_types import JsonObject
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
LISTS = ("sender_ip_addresses", "sender_domains", "associated_accepted_domains")
SWITCHES = (
    "enabled",
    "require_tls",
    "restrict_domains_to_ip_addresses",
    "restrict_domains_to_certificate",
    "treat_messages_as_internal",
)
Setting: TypeAlias = "str | bool | tuple[str, ...]"


@dataclass(frozen=True)
class Connector:
    """A connector in comparable form: lists sorted, in lower case. The defaults are those of a new connector."""

    name: str
    guid: str = ""  # empty until Exchange has created it
    type: str = "OnPremises"
    enabled: bool = True
    comment: str = ""
    sender_ip_addresses: tuple[str, ...] = ()
    tls_sender_certificate_name: str = ""
    sender_domains: tuple[str, ...] = ("*",)
    associated_accepted_domains: tuple[str, ...] = ()
    require_tls: bool = False
    restrict_domains_to_ip_addresses: bool = False
    restrict_domains_to_certificate: bool = False
    treat_messages_as_internal: bool = False

    @property
    def relays(self) -> bool:
        """Whether mail of its hosts is relayed to external recipients, too: it is enabled, and of the type OnPremises."""
        return self.enabled and self.type == "OnPremises"

    def setting(self, option: str) -> Setting:
        value: Setting = getattr(self, option)
        return value

    def as_result(self) -> dict[str, str | bool | list[str]]:
        """What diff and result show: every option that is set, and `enabled`."""
        values = {option: self.setting(option) for option in PROPERTIES}
        return {option: as_json(value) for option, value in values.items() if value or option == "enabled"}


READ = Command("Get-InboundConnector", {"ResultSize": "Unlimited"}, attempted="read the inbound connectors")


def read(tenant: Tenant) -> dict[str, Connector]:
    """All connectors by name in lower case."""
    return {str(item["Name"]).lower(): normalised(item) for item in tenant.exchange.run(READ).values}


def normalised(item: JsonObject) -> Connector:
    """A connector as Exchange answers it: 'smtp:*;1' for '*', /32 networks, and joined lists."""
    texts: dict[str, Setting] = {
        option: str(item.get(PROPERTIES[option]) or "") for option in ("type", "comment", "tls_sender_certificate_name")
    }
    switches: dict[str, Setting] = {option: bool(boolean(item.get(PROPERTIES[option]))) for option in SWITCHES}
    lists: dict[str, Setting] = {option: comparable_list(option, names(item.get(PROPERTIES[option]))) for option in LISTS}
    settings: Any = texts | switches | lists
    return Connector(str(item["Name"]), str(item["Guid"]), **settings)


def comparable_list(option: str, values: list[str]) -> tuple[str, ...]:
    """A list in its comparable form: sorted, in lower case, without the prefixes and suffixes that Exchange adds."""
    if option == "sender_domains":
        values = [re.sub(r"^smtp:|;\d+$", "", v, flags=re.I) for v in values]
    if option == "sender_ip_addresses":
        values = [_network(v) for v in values]
    return tuple(sorted({v.strip().lower() for v in values}))


def _network(text: str) -> str:
    """An address or network as this collection writes it; a text of Exchange that is none stays."""
    try:
        return networks.written(networks.parse(text))
    except ValueError:
        return text


def as_json(value: Setting) -> str | bool | list[str]:
    """A setting as JSON."""
    return list(value) if isinstance(value, tuple) else value
