"""Authentication policies: Get-/New-/Set-/Remove-AuthenticationPolicy, and the organization's default.

Source: "Disable Basic authentication in Exchange Online". A new policy allows what was switched on and nothing else. That a
policy in use cannot be removed is this emulator's own caution: Microsoft does not say what becomes of its users.
"""

from __future__ import annotations

from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged
from emulator.exchange.errors import already_exists, invalid, object_not_found
from emulator.exchange.shapes import directory_object, distinguished_name
from emulator.state import AuthenticationPolicy, Tenant, new_guid
from emulator.state.policies import SWITCHES

SMTP = "AllowBasicAuthSmtp"


def find_policy(tenant: Tenant, name: str) -> AuthenticationPolicy:
    """A policy by its name, GUID or distinguished name."""
    requested = name.lower()
    for policy in tenant.policies.authentication.values():
        if requested in (policy.name.lower(), policy.guid, distinguished_name(tenant, policy.name).lower()):
            return policy
    raise object_not_found(name)


def default_name(tenant: Tenant) -> str | None:
    policy = tenant.policies.authentication.get(tenant.policies.default_authentication or "")
    return policy.name if policy else None


def set_default(command: Command, requested: Document) -> bool:
    """The part of Set-OrganizationConfig that is the default policy; null is none. Whether it changed."""
    if "DefaultAuthenticationPolicy" not in requested:
        return False
    name, policies = requested.pop("DefaultAuthenticationPolicy"), command.tenant.policies
    key = find_policy(command.tenant, name).name.lower() if name is not None else None
    if key == policies.default_authentication:
        return False
    policies.set_later("default_authentication", key, command.platform.after("authentication_policy"))
    return True


def _show(tenant: Tenant, policy: AuthenticationPolicy) -> Document:
    switches = dict.fromkeys(sorted((*SWITCHES, "AllowBasicAuthRest")), False)
    common = directory_object(tenant, policy.name, policy.guid, "msExchAuthPolicy")
    return common | switches | dict.fromkeys(policy.allowed, True) | {SMTP: policy.allow_basic_auth_smtp}


@cmdlet("Get-AuthenticationPolicy")
def get_authentication_policy(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    result = list(tenant.policies.authentication.values()) if requested is None else [find_policy(tenant, requested)]
    return Result(result, lambda policy: _show(tenant, policy))


@cmdlet("New-AuthenticationPolicy")
def new_authentication_policy(command: Command) -> Result:
    tenant, requested = command.tenant, command.writes("Name")
    name = command.text("Name") or ""
    if not 1 <= len(name.strip()) <= 64:
        raise invalid("The name of an authentication policy must have 1 to 64 characters.")
    if name.lower() in tenant.policies.authentication:
        raise already_exists(f"The object '{name}' already exists.")
    smtp = bool(requested.pop(SMTP, False))
    allowed = [switch for switch in SWITCHES if requested.get(switch)]
    policy = AuthenticationPolicy(name, new_guid(), smtp, allowed, command.platform.after("authentication_policy"))
    tenant.policies.authentication[name.lower()] = policy
    return Result([policy], lambda one: _show(tenant, one))


@cmdlet("Set-AuthenticationPolicy")
def set_authentication_policy(command: Command) -> Result:
    requested = command.writes("TenantId", "AllowLegacyExchangeTokens", "BlockLegacyExchangeTokens")
    policy = find_policy(command.tenant, command.text("Identity") or "")
    smtp = requested.pop(SMTP, policy.allow_basic_auth_smtp)
    allowed = [switch for switch in SWITCHES if requested.get(switch, switch in policy.allowed)]
    changed = smtp != policy.allow_basic_auth_smtp or allowed != policy.allowed
    if smtp != policy.allow_basic_auth_smtp:
        policy.set_later("allow_basic_auth_smtp", smtp, command.platform.after("authentication_policy"))
    policy.allowed = allowed
    return Result(warnings=[] if changed else [unchanged(policy.name)])


@cmdlet("Remove-AuthenticationPolicy")
def remove_authentication_policy(command: Command) -> Result:
    tenant = command.tenant
    policy = find_policy(tenant, command.text("Identity") or "")
    key = policy.name.lower()
    users = [mailbox.address for mailbox in tenant.mailboxes.values() if mailbox.authentication_policy == key]
    if users or tenant.policies.default_authentication == key:
        used = f"assigned to {users[0]}" if users else "the organization's default"
        raise invalid(f"The authentication policy '{policy.name}' can't be removed: it is {used}.")
    del tenant.policies.authentication[key]
    return Result()
