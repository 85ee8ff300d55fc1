"""Inbound connectors: Get-/New-/Set-/Remove-InboundConnector.

The rules are those of Microsoft's New-InboundConnector reference and of "Configure a connector to apply security
restrictions"; that some offers create connectors disabled shows in a warning only.
"""

from __future__ import annotations

import ipaddress
import re

from emulator.connectors import DEFAULTS, read_back, sender_domain
from emulator.exchange.binding import MultiValue
from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged
from emulator.exchange.errors import ExchangeError, already_exists, invalid, object_not_found
from emulator.exchange.shapes import directory_object
from emulator.state import InboundConnector, Tenant, new_guid

CREATED_DISABLED = "Inbound connector for this service offering is created in a disabled state. Contact Support to enable it."
CANNOT_ENABLE = "For this service offering, you can't enable an inbound connector. Contact Support to enable it."
DOMAIN = re.compile(r"(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\.)+[A-Za-z][A-Za-z0-9-]*")
PRIVATE = [ipaddress.IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16")]


def _show(tenant: Tenant, connector: InboundConnector) -> Document:
    common = directory_object(tenant, connector.name, connector.guid, "msExchSMTPInboundConnector")
    return common | connector.properties


def _find(tenant: Tenant, name: str) -> InboundConnector:
    match = tenant.inbound_connectors.get(name.lower())
    match = match or next((c for c in tenant.inbound_connectors.values() if c.guid == name.lower()), None)
    if match is None:
        raise object_not_found(name)
    return match


@cmdlet("Get-InboundConnector")
def get_inbound_connector(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    result = list(tenant.inbound_connectors.values()) if requested is None else [_find(tenant, requested)]
    return command.listed(result, lambda connector: _show(tenant, connector))


@cmdlet("New-InboundConnector")
def new_inbound_connector(command: Command) -> Result:
    tenant, name = command.tenant, command.text("Name") or ""
    if not name.strip() or len(name) > 64:
        raise invalid("The connector's name must have 1 to 64 characters.")
    if name.lower() in tenant.inbound_connectors:
        raise already_exists(f"The inbound connector '{name}' already exists. Choose another name.")
    properties = _properties(read_back({}), command.writes("Name"))
    _check(properties)
    _play_certificate_refusal(command, properties)
    warnings = []
    if properties["ConnectorType"] == "OnPremises" and _disabled_by_offer(command) and properties["Enabled"]:
        properties["Enabled"] = False
        warnings.append(CREATED_DISABLED)
    connector = InboundConnector(name, new_guid(), properties, command.platform.after("connector"))
    tenant.inbound_connectors[name.lower()] = connector
    return Result([connector], lambda one: _show(tenant, one), warnings)


def _disabled_by_offer(command: Command) -> bool:
    return command.tenant.connectors_disabled_by_offer or command.fault == "connector_disabled"


@cmdlet("Set-InboundConnector")
def set_inbound_connector(command: Command) -> Result:
    tenant = command.tenant
    connector = _find(tenant, command.text("Identity") or "")
    properties = _properties(connector.properties, command.writes("Name"))
    _check(properties)
    _play_certificate_refusal(command, properties)
    name = command.text("Name") or connector.name
    if name.lower() != connector.name.lower() and name.lower() in tenant.inbound_connectors:
        raise already_exists(f"The inbound connector '{name}' already exists. Choose another name.")
    warnings = []
    enabling = properties["Enabled"] and not connector.properties["Enabled"]
    if enabling and properties["ConnectorType"] == "OnPremises" and _disabled_by_offer(command):
        properties["Enabled"] = False
        warnings.append(CANNOT_ENABLE)
    if (properties, name) == (connector.properties, connector.name):
        return Result(warnings=warnings or [unchanged(connector.name)])
    del tenant.inbound_connectors[connector.name.lower()]
    connector.name, connector.properties = name, properties
    tenant.inbound_connectors[name.lower()] = connector
    return Result(warnings=warnings)


@cmdlet("Remove-InboundConnector")
def remove_inbound_connector(command: Command) -> Result:
    connector = _find(command.tenant, command.text("Identity") or "")
    del command.tenant.inbound_connectors[connector.name.lower()]
    return Result()


def _properties(old: Document, requested: Document) -> Document:
    """The properties after a write, in their read-back form."""
    result = dict(old)
    for name, value in requested.items():
        if isinstance(value, MultiValue):
            if name == "SenderDomains":
                value = MultiValue(
                    None if value.replace is None else [sender_domain(one) for one in value.replace],
                    tuple(sender_domain(one) for one in value.add),
                    tuple(sender_domain(one) for one in value.remove),
                )
            result[name] = value.apply(old[name])
        else:
            result[name] = DEFAULTS[name] if value is None else value
    return result


def _check(properties: Document) -> None:
    if not properties["SenderDomains"]:
        raise invalid("The SenderDomains parameter can't be empty.")
    for domain in properties["SenderDomains"]:
        _check_sender_domain(domain)
    for address in properties["SenderIPAddresses"]:
        _check_address(address)
    if properties["RestrictDomainsToIPAddresses"] and not properties["SenderIPAddresses"]:
        raise invalid("If RestrictDomainsToIPAddresses is set to true, SenderIPAddresses can't be empty.")
    if properties["RestrictDomainsToCertificate"] and not properties["TlsSenderCertificateName"]:
        raise invalid("If RestrictDomainsToCertificate is set to true, TlsSenderCertificateName can't be empty.")
    _check_certificate(properties["TlsSenderCertificateName"])
    if properties["TreatMessagesAsInternal"] and properties["ConnectorType"] != "OnPremises":
        raise invalid("TreatMessagesAsInternal can be set to true only if ConnectorType is OnPremises.")
    if properties["TreatMessagesAsInternal"] and properties["CloudServicesMailEnabled"]:
        raise invalid("TreatMessagesAsInternal and CloudServicesMailEnabled can't both be set to true.")


def _check_sender_domain(text: str) -> None:
    scheme, _, rest = text.partition(":")
    domain, _, priority = rest.partition(";")
    good = scheme == "smtp" and (domain == "*" or DOMAIN.fullmatch(domain)) and priority.isdigit() and 1 <= int(priority) <= 100
    if not good:
        raise invalid(f"The sender domain '{text}' isn't valid. Use '*' or a domain such as '*.contoso.com'.")


def _check_address(text: str) -> None:
    """A single IPv4 address or a /24../32 network, and no private one."""
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise invalid(f"'{text}' isn't a valid IPv4 address or CIDR range. IPv6 isn't supported.") from None
    if network.prefixlen < 24:
        raise invalid(f"The IP range '{text}' is too large. Only /24 through /32 are allowed.")
    if any(network.subnet_of(private) for private in PRIVATE):
        raise invalid(f"The IP address '{text}' is in a private or reserved range, which isn't allowed.")


def _check_certificate(name: str | None) -> None:
    if name and not DOMAIN.fullmatch(name) and not re.fullmatch(r"<I>.+<S>.+", name):
        raise _bad_certificate(name)


def _bad_certificate(name: str) -> ExchangeError:
    return invalid(f"The certificate name '{name}' isn't valid. Use a domain or '<I>issuer<S>subject'.")


def _play_certificate_refusal(command: Command, properties: Document) -> None:
    """With the fault, a name that has the right form is refused, too: the service's own rules for names are not published."""
    if command.fault == "certificate_name_refused" and properties["TlsSenderCertificateName"]:
        raise _bad_certificate(properties["TlsSenderCertificateName"])
