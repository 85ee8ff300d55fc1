# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clients of an account at a hosted relay, by provider. A provider's file implements the protocols that they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from .._core.errors import InvalidInput
from .._http.transport import Transport
from .account import REGION, Account, region_of, relay_of
from .account_state import AccountClient
from .allow_lists import AllowListClient
from .credentials import CredentialClient
from .domains import DomainClient
from .mailgun import MailgunAccount, MailgunAllowList, MailgunCredentials, MailgunDomains
from .sendgrid import SendGridAccount, SendGridAllowList, SendGridCredentials, SendGridDomains
from .smtp2go import Smtp2GoAccount, Smtp2GoAllowList, Smtp2GoApiAllowList, Smtp2GoCredentials, Smtp2GoDomains

ClientT = TypeVar("ClientT")
# Provider -> a client's class, made of transport, URL, key and region.
_DOMAINS: Mapping[str, Callable[[Transport, str, str, str], DomainClient]] = {
    "sendgrid": SendGridDomains,
    "smtp2go": Smtp2GoDomains,
    "mailgun": MailgunDomains,
}
_CREDENTIALS: Mapping[str, Callable[[Transport, str, str, str], CredentialClient]] = {
    "sendgrid": SendGridCredentials,
    "smtp2go": Smtp2GoCredentials,
    "mailgun": MailgunCredentials,
}
_STATES: Mapping[str, Callable[[Transport, str, str, str], AccountClient]] = {
    "sendgrid": SendGridAccount,
    "smtp2go": Smtp2GoAccount,
    "mailgun": MailgunAccount,
}
# For each list. A provider without a list of its own for the API has one for both.
_ALLOW_LISTS: Mapping[str, Mapping[str, Callable[[Transport, str, str, str], AllowListClient]]] = {
    "smtp": {"sendgrid": SendGridAllowList, "smtp2go": Smtp2GoAllowList, "mailgun": MailgunAllowList},
    "api": {"sendgrid": SendGridAllowList, "smtp2go": Smtp2GoApiAllowList, "mailgun": MailgunAllowList},
}


def domain_client(transport: Transport, account: Account, region: str = "") -> DomainClient:
    """The sender domains of the account in a region, by default its own."""
    return _client(_DOMAINS, transport, account, region)


def credential_client(transport: Transport, account: Account) -> CredentialClient:
    """The SMTP credentials of the account."""
    return _client(_CREDENTIALS, transport, account)


def state_client(transport: Transport, account: Account, region: str = "") -> AccountClient:
    """The state of the account in a region, by default its own."""
    return _client(_STATES, transport, account, region)


def allow_list_client(transport: Transport, account: Account, service: str) -> AllowListClient:
    """The allow list of a service, smtp or api."""
    return _client(_ALLOW_LISTS[service], transport, account)


def _client(
    clients: Mapping[str, Callable[[Transport, str, str, str], ClientT]], transport: Transport, account: Account, region: str = ""
) -> ClientT:
    region = region or region_of(account)
    url = (account.api_url or relay_of(account).region(region).api).replace(REGION, region)
    return clients[account.provider or ""](transport, url, account.api_key or "", region)


def missing_rights_sentence(missing: Sequence[str]) -> str:
    """What to do about permissions that the key lacks."""
    return f"m365_hosted_relay_api_key lacks the permissions {', '.join(missing)}: give them to the key."


def refuse_missing_rights(missing: Sequence[str] | None) -> None:
    """Raise InvalidInput where the key lacks permissions, before the first write."""
    if missing:
        raise InvalidInput(f"{missing_rights_sentence(missing)} Nothing was changed.")
