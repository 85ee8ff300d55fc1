# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clients of an account at a hosted relay, by provider. A provider's file implements the protocols that they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from .._core.errors import InvalidInput
from .._http.transport import Transport
from . import mailgun, sendgrid, smtp2go
from .account import REGION, Account, region_of, relay_of
from .account_state import AccountClient
from .allow_lists import AllowListClient
from .client_types import ProviderClients
from .credentials import CredentialClient
from .domains import DomainClient

ClientT = TypeVar("ClientT")
CLIENTS: Mapping[str, ProviderClients] = {"sendgrid": sendgrid.CLIENTS, "smtp2go": smtp2go.CLIENTS, "mailgun": mailgun.CLIENTS}


def domain_client(transport: Transport, account: Account, region: str = "") -> DomainClient:
    """The sender domains of the account in a region, by default its own."""
    return _client(_clients(account).domains, transport, account, region)


def credential_client(transport: Transport, account: Account) -> CredentialClient:
    """The SMTP credentials of the account."""
    return _client(_clients(account).credentials, transport, account)


def state_client(transport: Transport, account: Account, region: str = "") -> AccountClient:
    """The state of the account in a region, by default its own."""
    return _client(_clients(account).state, transport, account, region)


def allow_list_client(transport: Transport, account: Account, service: str) -> AllowListClient:
    """The allow list of a service, smtp or api."""
    clients = _clients(account)
    return _client(clients.api_allow_list if service == "api" else clients.smtp_allow_list, transport, account)


def _clients(account: Account) -> ProviderClients:
    return CLIENTS[account.provider or ""]


def _client(make: Callable[[Transport, str, str, str], ClientT], transport: Transport, account: Account, region: str = "") -> ClientT:
    region = region or region_of(account)
    url = (account.api_url or relay_of(account).region(region).api).replace(REGION, region)
    return make(transport, url, account.api_key or "", region)


def missing_rights_sentence(missing: Sequence[str]) -> str:
    """What to do about permissions that the key lacks."""
    return f"m365_hosted_relay_api_key lacks the permissions {', '.join(missing)}: give them to the key."


def refuse_missing_rights(missing: Sequence[str] | None) -> None:
    """Raise InvalidInput where the key lacks permissions, before the first write."""
    if missing:
        raise InvalidInput(f"{missing_rights_sentence(missing)} Nothing was changed.")
