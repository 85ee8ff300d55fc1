# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a provider's file implements: a client for each protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._http.transport import Transport
from .account_state import AccountClient
from .allow_lists import AllowListClient
from .credentials import CredentialClient
from .domains import DomainClient


@dataclass(frozen=True)
class ProviderClients:
    """The classes of a provider's clients, each made of transport, URL of the API, key and region.

    A provider without an allow list of its own for the API has one for both services.
    """

    domains: Callable[[Transport, str, str, str], DomainClient]
    credentials: Callable[[Transport, str, str, str], CredentialClient]
    state: Callable[[Transport, str, str, str], AccountClient]
    smtp_allow_list: Callable[[Transport, str, str, str], AllowListClient]
    api_allow_list: Callable[[Transport, str, str, str], AllowListClient]
