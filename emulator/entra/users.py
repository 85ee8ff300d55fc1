"""Users: who signs in, and why not.

Source: "Microsoft Entra authentication and authorization error codes".
"""

from __future__ import annotations

import hmac
from collections.abc import Collection

from emulator import policies
from emulator.entra.errors import EntraError
from emulator.platform import Platform
from emulator.state import Application, Mailbox, Tenant

SECOND_FACTOR = ("mfa", "authenticationStrength")


def find_user(tenant: Tenant, name: str) -> Mailbox:
    """The user with this user principal name: the mailbox's primary address."""
    match: Mailbox | None = tenant.mailboxes.get(name.lower())
    if match is None:
        raise EntraError(50034, user=name, tenant=tenant.display_name)
    return match


def user_by_id(tenant: Tenant, user_id: str) -> Mailbox:
    match = next((mailbox for mailbox in tenant.mailboxes.values() if mailbox.user_id == user_id), None)
    if match is None:
        raise EntraError(50034, user=user_id, tenant=tenant.display_name)
    return match


def sign_in(platform: Platform, tenant: Tenant, application: Application, name: str, password: str, *, mfa: bool) -> Mailbox:
    """The user who signs in with a browser: password first, then what policies ask for."""
    user = find_user(tenant, name)
    if user.password is None or not hmac.compare_digest(user.password.encode(), password.encode("utf-8", "surrogatepass")):
        raise EntraError(50126)
    judge(platform, tenant, application, user, mfa=mfa)
    return user


def judge(platform: Platform, tenant: Tenant, application: Application, user: Mailbox, *, mfa: bool) -> None:
    """What stands against a user's token, at the sign-in and at every refresh.

    Where the user is, the emulator does not know: a policy for some places only does not apply.
    """
    if not user.user.enabled:
        raise EntraError(50057)
    if user.user.mfa and not mfa:
        raise EntraError(50076, resource=application.display_name)
    if _kept_out(tenant, user, SECOND_FACTOR):
        raise EntraError(53003)
    if not mfa and _kept_out(tenant, user, ()):
        raise EntraError(50076, resource=application.display_name)


def _kept_out(tenant: Tenant, user: Mailbox, satisfied: Collection[str]) -> bool:
    """Whether Conditional Access keeps a user away who has satisfied these controls; here everybody uses the device code flow."""
    return policies.blocks_user(tenant, user, "", "mobileAppsAndDesktopClients", "deviceCodeFlow", satisfied) is not None
