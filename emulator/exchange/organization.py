"""The organization: Get-/Set-TransportConfig, Get-/Set-OrganizationConfig, Get-AcceptedDomain, Get-LimitsEnforcementStatus."""

from __future__ import annotations

from emulator.exchange.authentication_policies import default_name, set_default
from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged, update
from emulator.exchange.customization import is_dehydrated
from emulator.exchange.errors import object_not_found
from emulator.exchange.shapes import directory_object, template
from emulator.state import Tenant
from emulator.well_known import derived_id

TRANSPORT = "Transport Settings"


def transport_config(tenant: Tenant) -> Document:
    guid = derived_id(tenant.id, "transport settings")
    return (
        directory_object(tenant, TRANSPORT, guid, "msExchTransportSettings")
        | template("TransportConfig")
        | tenant.transport_config
        | {"SmtpClientAuthenticationDisabled": tenant.smtp_client_authentication_disabled}
    )


@cmdlet("Get-TransportConfig")
def get_transport_config(command: Command) -> Result:
    return Result([command.tenant], transport_config)


@cmdlet("Set-TransportConfig")
def set_transport_config(command: Command) -> Result:
    tenant, requested = command.tenant, command.writes()
    switch = requested.pop("SmtpClientAuthenticationDisabled", None)
    changed = update(tenant.transport_config, transport_config(tenant), requested)
    if switch is not None and switch != tenant.smtp_client_authentication_disabled:
        tenant.set_later("smtp_client_authentication_disabled", switch, command.platform.after("smtp_switch"))
        changed = True
    return Result(warnings=[] if changed else [unchanged(TRANSPORT)])


def organization_config(tenant: Tenant) -> Document:
    name = tenant.initial_domain
    return (
        directory_object(tenant, name, derived_id(tenant.id, "organization"), "msExchConfigurationUnitContainer")
        | template("OrganizationConfig")
        | {"DisplayName": tenant.display_name}
        | tenant.organization_config
        | {"RejectDirectSend": tenant.reject_direct_send}
        | {"DefaultAuthenticationPolicy": default_name(tenant), "IsDehydrated": is_dehydrated(tenant)}
    )


@cmdlet("Get-OrganizationConfig")
def get_organization_config(command: Command) -> Result:
    return Result([command.tenant], organization_config)


@cmdlet("Set-OrganizationConfig")
def set_organization_config(command: Command) -> Result:
    tenant, requested = command.tenant, command.writes()
    switch = requested.pop("RejectDirectSend", None)
    changed = set_default(command, requested)
    changed = update(tenant.organization_config, organization_config(tenant), requested) or changed
    if switch is not None and switch != tenant.reject_direct_send:
        tenant.set_later("reject_direct_send", switch, command.platform.after("direct_send_switch"))
        changed = True
    return Result(warnings=[] if changed else [unchanged(tenant.initial_domain)])


@cmdlet("Get-AcceptedDomain")
def get_accepted_domain(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    names = [name for name in tenant.accepted_domains if requested is None or name == requested.lower()]
    if requested is not None and not names:
        raise object_not_found(requested)

    def show(name: str) -> Document:
        own = {"DomainName": name, "Default": name == tenant.default_domain, "InitialDomain": name == tenant.initial_domain}
        guid = derived_id(tenant.id, "accepted domain", name)
        return directory_object(tenant, name, guid, "msExchAcceptedDomain") | template("AcceptedDomain") | own

    return command.listed(names, show)


@cmdlet("Get-LimitsEnforcementStatus")
def get_limits_enforcement_status(command: Command) -> Result:
    """The limit of external recipients and what is used of it in the last day."""
    tenant = command.tenant
    used, limit = tenant.external_recipients.count(command.platform.state.now()), tenant.external_recipients_a_day
    row = {
        "ObservedValue": used,
        "Threshold": limit,
        "EnforcementEnabled": tenant.external_limit_enforced,
        "Verdict": "Deny" if used >= limit and tenant.external_limit_enforced else "Allow",
    }
    return Result([row])
