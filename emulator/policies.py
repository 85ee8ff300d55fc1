"""Whether a policy blocks a sign-in: authentication policies, the end of Basic, Conditional Access.

Sources: "Disable Basic authentication in Exchange Online" (a user's own policy, else the organization's default);
"Building a Conditional Access policy" (all conditions of a policy have to be met, an exclusion wins over an inclusion, every
policy that applies counts); "Block legacy authentication" (clients of the kind "other" can satisfy no control);
"Conditional Access for workload identities".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Any

from emulator.state import EnterpriseApplication, Mailbox, Policies, Tenant
from emulator.tokens import EXCHANGE_APP, GRAPH_APP

Document = dict[str, Any]
# What stands for these applications in a policy: their ids, and the suite that holds Exchange.
NAMES = {EXCHANGE_APP: {"all", "office365", EXCHANGE_APP}, GRAPH_APP: {"all", GRAPH_APP}}


def basic_is_retired(tenant: Tenant, now: float) -> bool:
    policies = tenant.policies
    return bool(policies.basic_retired_from) and policies.basic_retired_from <= now and not policies.basic_reenabled


def allows_basic_smtp(tenant: Tenant, mailbox: Mailbox, now: float) -> bool:
    """AllowBasicAuthSmtp of the user's own policy, else of the organization's default; without a policy nothing is closed."""
    policies = tenant.policies
    name = mailbox.seen("authentication_policy", now) or policies.seen("default_authentication", now)
    policy = policies.authentication.get(name or "")
    return policy is None or policy.effective_from > now or bool(policy.seen("allow_basic_auth_smtp", now))


def blocks_user(
    tenant: Tenant, user: Mailbox, source: str, client: str = "other", flow: str = "", satisfied: Collection[str] = ()
) -> str | None:
    """The name of an enabled policy that keeps a user out of Exchange, or None.

    A client of the kind `other` satisfies no control; another one those in `satisfied`. `flow`: deviceCodeFlow, or none.
    """
    for policy in _enabled(tenant):
        conditions = policy.get("conditions") or {}
        if (
            _user(tenant.policies, conditions.get("users") or {}, user)
            and _application(conditions, EXCHANGE_APP)
            and {"all", client} & set(conditions.get("clientAppTypes") or ())
            and _surroundings(tenant.policies, conditions, source, flow)
            and _refuses(policy, satisfied)
        ):
            return str(policy["displayName"])
    return None


def blocks_application(tenant: Tenant, principal: EnterpriseApplication, resources: list[str], source: str) -> str | None:
    """The same of an application's own sign-in, for a token of these resource applications."""
    own = any(application.app_id == principal.app_id for application in tenant.applications.values())
    for policy in _enabled(tenant):
        conditions = policy.get("conditions") or {}
        clients = conditions.get("clientApplications") or {}
        included = _lower(clients.get("includeServicePrincipals"))
        if (
            (principal.id in included or (own and "serviceprincipalsinmytenant" in included))
            and principal.id not in _lower(clients.get("excludeServicePrincipals"))
            and any(_application(conditions, resource) for resource in resources)
            and _surroundings(tenant.policies, conditions, source, "")
            and "block" in _controls(policy)
        ):
            return str(policy["displayName"])
    return None


def _enabled(tenant: Tenant) -> list[Document]:
    return [policy for policy in tenant.policies.conditional_access.values() if policy.get("state") == "enabled"]


def _controls(policy: Document) -> list[str]:
    grant = policy.get("grantControls") or {}
    others = [name for name in ("customAuthenticationFactors", "termsOfUse", "authenticationStrength") if grant.get(name)]
    return [*(grant.get("builtInControls") or []), *others]


def _refuses(policy: Document, satisfied: Collection[str]) -> bool:
    """Session controls alone do not block; the operator decides whether one of several grant controls is enough."""
    controls = _controls(policy)
    enough = any if (policy.get("grantControls") or {}).get("operator") == "OR" else all
    return bool(controls) and ("block" in controls or not enough(control in satisfied for control in controls))


def _lower(values: list[str] | None) -> set[str]:
    return {value.lower() for value in values or ()}


def _user(policies: Policies, users: Document, user: Mailbox) -> bool:
    names = {user.user_id, user.address}
    groups, roles = policies.memberships(names)
    roles |= set(user.user.directory_roles)

    def named(prefix: str) -> bool:
        listed = _lower(users.get(f"{prefix}Users"))
        return bool(
            names & listed
            or "all" in listed
            or groups & _lower(users.get(f"{prefix}Groups"))
            or roles & _lower(users.get(f"{prefix}Roles"))
        )

    return named("include") and not named("exclude")


def _application(conditions: Document, resource: str) -> bool:
    applications = conditions.get("applications") or {}
    names = NAMES.get(resource, {"all", resource})
    if applications.get("applicationFilter"):
        return False  # no application here has the attributes that a filter asks for
    return bool(names & _lower(applications.get("includeApplications"))) and not names & _lower(applications.get("excludeApplications"))


def _surroundings(policies: Policies, conditions: Document, source: str, flow: str) -> bool:
    """Everything that a mail client does not say about itself: a device, a platform, a risk are none."""
    platforms = conditions.get("platforms")
    devices = (conditions.get("devices") or {}).get("deviceFilter")
    flows = (conditions.get("authenticationFlows") or {}).get("transferMethods")
    risks = ("signInRiskLevels", "userRiskLevels", "servicePrincipalRiskLevels", "insiderRiskLevels")
    return (
        (not platforms or "all" in platforms.get("includePlatforms", ()))
        and (not devices or devices.get("mode") == "exclude")
        and (not flows or flow in flows.split(","))
        and not any(conditions.get(risk) for risk in risks)
        and _location(policies, conditions.get("locations"), source)
    )


def _location(policies: Policies, locations: Document | None, source: str) -> bool:
    if not locations:
        return True
    included, excluded = locations.get("includeLocations") or [], locations.get("excludeLocations") or []
    return any(_is_at(policies, one, source) for one in included) and not any(_is_at(policies, one, source) for one in excluded)


def _is_at(policies: Policies, name: str, source: str) -> bool:
    if name == "All":
        return True
    if name == "AllTrusted":
        return any(_is_at(policies, key, source) for key, place in policies.named_locations.items() if place.get("isTrusted"))
    place = policies.named_locations.get(name, {})
    if place.get("includeUnknownCountriesAndRegions"):
        return True  # no address here has a country
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(one["cidrAddress"], strict=False) for one in place.get("ipRanges") or ())
