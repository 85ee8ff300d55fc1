# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account at a hosted relay: quota, suppressed addresses, what keeps it from delivering, and the permissions that its key lacks.

Sources: SendGrid, "API Key Permissions List"; SMTP2GO, "Suppressions"; Mailgun, "Suppressions", "Sending limits".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._core.spec import TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._hosted.account import ACCOUNT, Account, account_problems, other_regions, region_of, relay_of
from .._hosted.account_state import DOMAIN_REMEDY, PURPOSES, USER_REMEDY, AccountClient, Quota, Suppressed, quota_warnings
from .._hosted.clients import credential_client, missing_rights_sentence, state_client
from .._hosted.credential_params import name_problems
from .._hosted.credential_store import STORE, VAULT, Secret, open_store

OPTIONS = Spec(
    {
        "addresses": {"type": "list", "elements": "str", "default": []},
        "domains": {"type": "list", "elements": "str", "default": []},
        "credentials": {"type": "list", "elements": "str", "default": []},
        "store": STORE,
        "vault_password_file": VAULT,
        "purposes": {"type": "list", "elements": "str", "choices": list(PURPOSES), "default": list(PURPOSES)},
    },
    writes=False,
)


@dataclass(frozen=True)
class Params(Account):
    """The options of the module hosted_account_info."""

    addresses: tuple[str, ...]
    domains: tuple[str, ...]
    credentials: tuple[str, ...]
    store: str | None
    vault_password_file: str | None
    purposes: tuple[str, ...]

    @property
    def domain_names(self) -> list[str]:
        return list(dict.fromkeys(name.lower().rstrip(".") for name in self.domains))


class HostedAccountInfo(ReadOnlyResource[Params]):
    """Implements the module hosted_account_info."""

    name = "hosted_account_info"
    spec = TENANT | ACCOUNT | OPTIONS
    params_type = Params
    signs_in = False

    def validate(self, params: Params) -> list[str]:
        problems = account_problems(params) + mail_addresses.problems("addresses", params.addresses)
        problems += [
            f"domains holds {name!r}, which is not a domain name."
            for name in params.domains if not mail_addresses.DOMAIN.fullmatch(name.rstrip("."))
        ]  # fmt: skip
        problems += name_problems("credentials", params.credentials)
        if params.provider and relay_of(params).domain_credentials and params.addresses and not (params.domains or params.credentials):
            problems.append(f"domains is not set: {relay_of(params).label} suppresses addresses for each domain; list the sender domains.")
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[None]:
        client = state_client(tenant.transport, params)
        missing = client.missing_rights(*params.purposes)
        readable = {purpose: not client.missing_rights(purpose) for purpose in ("quota", "suppressions")}
        secrets = _secrets(tenant, params)
        requested = list(dict.fromkeys([*params.domain_names, *(secret.domain for secret in secrets.values() if secret.domain)]))
        unknown = client.unknown_domains(requested)
        _refuse_other_regions(tenant, params, unknown)
        domains = [name for name in requested if name not in unknown]
        quota = client.quota() if readable["quota"] else None
        problems = list(client.problems(domains)) if readable["quota"] and readable["suppressions"] else []
        suppressed = (
            [one for address in params.addresses for one in client.suppressed(address, domains)] if readable["suppressions"] else []
        )
        label = relay_of(params).label
        notes = [*_rights_notes(missing), *quota_warnings(label, quota), *(f"{label}: {text}" for text in problems)]
        notes += [f"{label} does not have the domain {name}: create it with module hosted_domain." for name in unknown]
        notes += _suppression_notes(label, suppressed)
        outcome: JsonObject = {
            "provider": label,
            "quota": _row(quota) if quota else None,
            "suppressed": [asdict(one) | {"reason": one.reason or None, "domain": one.domain or None} for one in suppressed],
            "missing_rights": missing,
            "credentials": _credentials(tenant, params, secrets, client),
            "problems": problems,
            "unknown_domains": unknown,
        }
        return Plan(outcome=outcome, warnings=notes)


INFO = HostedAccountInfo()


def _secrets(tenant: Tenant, params: Params) -> dict[str, Secret]:
    """The current credentials of the store by name; InvalidInput where it has none."""
    store = open_store(params.store, params.vault_password_file, tenant.name, params.provider or "")
    secrets = {name: stored.current for name in params.credentials if (stored := store.read(name)) and stored.current}
    missing = [store.location(name) for name in params.credentials if name not in secrets]
    if missing:
        raise InvalidInput(f"credentials lists what the store does not have ({', '.join(missing)}): create it with role hosted_relay.")
    return secrets


def _credentials(tenant: Tenant, params: Params, secrets: Mapping[str, Secret], client: AccountClient) -> list[JsonObject]:
    """Whether the provider has the credentials, why it does not deliver their mail, and what they may send."""

    def row(name: str, secret: Secret) -> JsonObject:
        own = listed.get(secret.id)
        problems = [(own.problem, USER_REMEDY)] if own and own.problem else []
        problems += [(problem, DOMAIN_REMEDY) for problem in client.problems([secret.domain])] if secret.domain else []
        problem, remedy = problems[0] if problems else (None, None)
        return {"name": name, "exists": own is not None, "problem": problem, "remedy": remedy, "limit": (own and own.limit) or None}

    if not secrets:
        return []
    listing = credential_client(tenant.transport, params).read(sorted({secret.domain for secret in secrets.values() if secret.domain}))
    listed = {one.id: one for one in listing.credentials}
    return [row(name, secret) for name, secret in secrets.items()]


def _refuse_other_regions(tenant: Tenant, params: Params, unknown: Sequence[str]) -> None:
    """Raise InvalidInput where a domain exists in another region."""
    for region in other_regions(params) if unknown else ():
        elsewhere = state_client(tenant.transport, params, region)
        existing = sorted({*unknown} - {*elsewhere.unknown_domains(unknown)})
        if existing:
            raise InvalidInput(
                f"m365_hosted_relay_region is {region_of(params)!r}, and {relay_of(params).label} has {', '.join(existing)} in the region "
                f"{region}: set m365_hosted_relay_region to {region}."
            )


# -- results ----------------------------------------------------------------------------------------------------------


def _row(quota: Quota) -> JsonObject:
    counts = {"used": quota.used, "limit": quota.limit, "remaining": max(0, quota.limit - quota.used), "percent": quota.percent}
    return counts | {"unit": quota.unit, "resets": quota.resets or None}


def _rights_notes(missing: Sequence[str] | None) -> Iterator[str]:
    if missing:
        yield missing_rights_sentence(missing)


def _suppression_notes(label: str, suppressed: Iterable[Suppressed]) -> Iterator[str]:
    for one in suppressed:
        place = f"the list {one.list}" + (f" of {one.domain}" if one.domain else "")
        reason = f" ({one.reason})" if one.reason else ""
        yield f"{label} accepts mail to {one.address} and does not deliver it: it is in {place}{reason}. Remove it there if it exists."
