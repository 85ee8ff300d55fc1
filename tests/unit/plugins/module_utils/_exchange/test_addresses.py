# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import ExchangeClient
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._exchange import addresses

from ....conftest import TENANT
from ....services import Exchange


def _exchange(authorize: object, service: Exchange) -> ExchangeClient:
    client = authorize("exchange")  # type: ignore[operator]
    client.transport.sender = service
    return ExchangeClient(client, TENANT)


def test_missing_addresses_are_distinguished_from_foreign_domains(authorize: object) -> None:
    service = Exchange(Get_AcceptedDomain=lambda p: [{"DomainName": "Contoso.com"}, {"DomainName": "contoso.onmicrosoft.com"}])
    missing = {"full_access": ["a@contoso.com", "b@contoso.com", "c@fabrikam.com"], "send_as": ["d@contoso.com"]}
    with pytest.raises(InvalidInput) as raised:
        addresses.refuse_missing(_exchange(authorize, service), missing)
    assert raised.value.problems == [
        "full_access: Exchange has no mailboxes a@contoso.com, b@contoso.com: create them or correct the address; nothing was changed.",
        "full_access: c@fabrikam.com: not in an accepted domain of this tenant (contoso.com, contoso.onmicrosoft.com): correct the "
        "address; nothing was changed.",
        "send_as: Exchange has no mailbox d@contoso.com: create it or correct the address; nothing was changed.",
    ]


def test_one_missing_address_is_singular_and_none_costs_nothing(authorize: object) -> None:
    service = Exchange(Get_AcceptedDomain=lambda p: [{"DomainName": "contoso.com"}])
    with pytest.raises(InvalidInput, match=r"^mailboxes: Exchange has no mailbox a@contoso\.com: create it or correct"):
        addresses.refuse_missing(_exchange(authorize, service), {"mailboxes": ["a@contoso.com"]})
    assert service.requests == 1
    addresses.refuse_missing(_exchange(authorize, service), {"mailboxes": []})
    assert service.requests == 1
