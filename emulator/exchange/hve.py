"""High Volume Email: the accounts (New-/Get-/Set-/Remove-MailUser -HVEAccount), their settings, apps and billing policies.

Sources: the cmdlets' reference; "Manage High Volume Email for Microsoft 365" for PrimarySmtpAddress, which the reference
calls on-premises; the properties of what is read are those that a public client (CIPP) uses.
"""

from __future__ import annotations

from emulator.exchange.binding import MultiValue
from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged
from emulator.exchange.errors import ExchangeError, invalid, object_not_found, transformation_error
from emulator.exchange.mailboxes import ALIAS, proxy_addresses, refuse_taken
from emulator.exchange.shapes import directory_object
from emulator.state import BillingPolicy, HveAccount, Tenant, new_guid

MOST_APPS = 10
SHORTEST_PASSWORD = 8
NEW = {"Name", "DisplayName", "Alias", "PrimarySmtpAddress", "Password", "HVEAccount"}
SET = {"DisplayName", "EmailAddresses", "HVEAccount"}


def find_account(tenant: Tenant, name: str) -> HveAccount:
    requested = name.lower()
    for account in tenant.hve_accounts.values():
        names = (account.address, account.guid, account.name.lower(), account.display_name.lower(), account.user_id, *account.aliases)
        if requested in names:
            return account
    raise object_not_found(name)


def _show(tenant: Tenant, account: HveAccount) -> Document:
    return directory_object(tenant, account.name, account.guid, "user") | {
        "Alias": account.name,
        "DisplayName": account.display_name,
        "EmailAddresses": [f"SMTP:{account.address}", *(f"smtp:{alias}" for alias in account.aliases)],
        "ExternalDirectoryObjectId": account.user_id,
        "HiddenFromAddressListsEnabled": False,
        "PrimarySmtpAddress": account.address,
        "RecipientType": "MailUser",
        "RecipientTypeDetails": "MailUser",
        "UserPrincipalName": account.address,
        "WindowsEmailAddress": account.address,
    }


@cmdlet("Get-MailUser")
def get_mail_user(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    result = list(tenant.hve_accounts.values()) if requested is None else [find_account(tenant, requested)]
    return command.listed(result, lambda account: _show(tenant, account))


@cmdlet("New-MailUser")
def new_mail_user(command: Command) -> Result:
    """Only High Volume Email accounts; the password comes as plain text, as public clients send it."""
    tenant, name = command.tenant, command.text("Name") or ""
    _only(command, NEW)
    if not command.parameters.get("HVEAccount"):
        raise invalid("Only mail users for High Volume Email can be created here.")
    alias = command.text("Alias") or name
    if not 1 <= len(name.strip()) <= 64:
        raise invalid("The mail user's name must have 1 to 64 characters.")
    if not ALIAS.fullmatch(alias):
        raise invalid(f"The alias '{alias}' isn't valid.")
    password = command.text("Password") or ""
    if len(password) < SHORTEST_PASSWORD:
        raise invalid("The password doesn't meet the requirements: it is too short.")
    address = (command.text("PrimarySmtpAddress") or f"{alias}@{tenant.default_domain}").lower()
    refuse_taken(tenant, name, alias, address)
    account = HveAccount(address, new_guid(), name, command.text("DisplayName") or name, password=password, created=command.platform.now)
    tenant.hve_accounts[address] = account
    return Result([account], lambda one: _show(tenant, one))


@cmdlet("Set-MailUser")
def set_mail_user(command: Command) -> Result:
    _only(command, SET)
    account = find_account(command.tenant, command.text("Identity") or "")
    changed = "EmailAddresses" in command.parameters and _set_addresses(command.tenant, account, command.multi_value("EmailAddresses"))
    title = command.text("DisplayName")
    if title is not None and title != account.display_name:
        account.display_name, changed = title, True
    return Result(warnings=[] if changed else [unchanged(account.name)])


def _set_addresses(tenant: Tenant, account: HveAccount, entries: MultiValue) -> bool:
    primary, aliases = proxy_addresses(tenant, account, entries)
    if (primary, aliases) == (account.address, account.aliases):
        return False
    del tenant.hve_accounts[account.address]
    account.address, account.aliases = primary, aliases
    tenant.hve_accounts[primary] = account
    return True


@cmdlet("Remove-MailUser")
def remove_mail_user(command: Command) -> Result:
    account = find_account(command.tenant, command.text("Identity") or "")
    del command.tenant.hve_accounts[account.address]
    return Result()


@cmdlet("Get-HVEAccountSettings")
def get_settings(command: Command) -> Result:
    account = find_account(command.tenant, command.text("Identity") or "")
    return Result([{"Identity": account.address, "ReplyTo": account.reply_to, "AllowedApps": list(account.apps)}])


@cmdlet("Set-HVEAccountSettings")
def set_settings(command: Command) -> Result:
    account = find_account(command.tenant, command.text("Identity") or "")
    if "ReplyTo" in command.parameters:
        if command.parameters["ReplyTo"] is None:
            raise transformation_error("ReplyTo", None, "System.String", "The value can't be null; an empty text clears it.")
        reply_to = command.text("ReplyTo") or None
        if reply_to and "@" not in reply_to.strip("@"):
            raise invalid(f"'{reply_to}' isn't a valid SMTP address.")
        account.reply_to = reply_to
    return Result()


@cmdlet("Add-HVEAppAccess")
def add_app_access(command: Command) -> Result:
    """Object ids of enterprise applications; a client id, or the object id of a registration, is refused at once."""
    tenant, account = command.tenant, find_account(command.tenant, command.text("Identity") or "")
    requested = [app.lower() for app in command.multi_value("AppIds").apply([])]
    for app in requested:
        if app not in tenant.enterprise_applications:
            raise _not_an_app(app)
    added = [app for app in dict.fromkeys(requested) if app not in account.apps]
    if len(account.apps) + len(added) > MOST_APPS:
        raise invalid(f"A High Volume Email account can have at most {MOST_APPS} allowed apps.")
    account.apps |= dict.fromkeys(added, command.platform.after("hve_app_access"))
    return Result()


def _not_an_app(app: str) -> ExchangeError:
    return invalid(f"The value '{app}' isn't the Object ID of an enterprise application of this organization.")


@cmdlet("Remove-HVEAppAccess")
def remove_app_access(command: Command) -> Result:
    account = find_account(command.tenant, command.text("Identity") or "")
    for app in command.multi_value("AppIds").apply([]):
        account.apps.pop(app.lower(), None)
    return Result()


@cmdlet("Get-BillingPolicy")
def get_billing_policy(command: Command) -> Result:
    if (command.text("ResourceType") or "").upper() != "HVE":
        raise invalid("The ResourceType must be HVE.")
    return Result(list(command.tenant.billing_policies.values()), _policy)


def _policy(policy: BillingPolicy) -> Document:
    return {"BillingPolicyId": policy.id, "BillingPolicyName": policy.name}


@cmdlet("Get-HVEAccountBillingPolicy")
def get_account_billing_policy(command: Command) -> Result:
    tenant = command.tenant
    account = find_account(tenant, command.text("Identity") or "")
    policy = tenant.billing_policies.get(account.billing_policy or "")
    listed = {"Identity": account.address, "BillingPolicyId": account.billing_policy, "BillingPolicyName": policy.name if policy else None}
    return Result([listed | {"BillingPolicyStatus": tenant.billing_status(account)}])


@cmdlet("Set-HVEAccountBillingPolicy")
def set_account_billing_policy(command: Command) -> Result:
    """An empty BillingPolicyId takes the policy away."""
    account = find_account(command.tenant, command.text("Identity") or "")
    requested = command.text("BillingPolicyId") or None
    if requested and requested not in command.tenant.billing_policies:
        raise object_not_found(requested)
    account.billing_policy = requested
    return Result()


def _only(command: Command, played: set[str]) -> None:
    others = sorted(command.writes().keys() - played)
    if others:
        raise invalid(f"{command.name} is not played with {', '.join(others)}.")
