# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import email.message
import email.policy
import string

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import ExchangeClient
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._exchange import addresses
from hypothesis import given
from hypothesis import strategies as st

from ....conftest import TENANT
from ....services import Exchange

GOOD = [
    "a@contoso.com",
    "erp.system+x@mail.contoso.co.uk",
    "o'brien@contoso.com",
    "A_B-c=1@xn--bcher-kva.example",
    f"{'x' * 64}@contoso.com",
]
BAD = [
    "contoso.com",
    "a@b",
    "a@@contoso.com",
    "a b@contoso.com",
    "a@contoso.com ",
    "a@contoso..com",
    "a@-contoso.com",
    "a@contoso.c",
    "<a@contoso.com>",
    "a@contoso.com\n",
    "ü@contoso.com",
    "a@bücher.example",
    f"{'x' * 65}@contoso.com",
    "a,b@contoso.com",
    "a@contoso.123",
    "*@contoso.com@x",
]


@pytest.mark.parametrize("address", GOOD)
def test_a_mail_address_is_taken(address: str) -> None:
    assert addresses.problems("senders", [address]) == []


@pytest.mark.parametrize("address", BAD)
def test_what_is_no_mail_address_is_named(address: str) -> None:
    assert addresses.problems("senders", [address]) == [f"senders holds {address!r}, which is no mail address (name@domain)."]


@pytest.mark.parametrize("address", ["", " ", "\t"])
def test_an_empty_address_never_means_everybody(address: str) -> None:
    assert addresses.problems("senders", [address]) == ["senders holds an empty address: remove it."]


def test_every_problem_is_named_at_once_and_case_does_not_matter() -> None:
    assert addresses.problems("mailboxes", ["A@contoso.com", "x", "a@Contoso.com", ""]) == [
        "mailboxes holds 'x', which is no mail address (name@domain).",
        "mailboxes holds a@Contoso.com twice: keep one.",
        "mailboxes holds an empty address: remove it.",
    ]


@given(
    st.one_of(st.text(max_size=40), st.text(alphabet=string.printable, max_size=20).map(lambda local: f"{local}@contoso.com"), st.emails())
)
def test_an_accepted_address_can_be_written_everywhere(address: str) -> None:
    """Into an SMTP command (ASCII, no blank, no line end), a header, and an OData or PowerShell identity."""
    if addresses.problems("x", [address]):
        return
    assert address.isascii()
    assert not set(address) & set(' \t\r\n<>()[],;:\\"')
    assert address.count("@") == 1
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["To"] = address
    assert [a.addr_spec for a in message["To"].addresses] == [address]
    assert addresses.domain(address) == address.split("@")[1].lower()


def _exchange(authorize: object, service: Exchange) -> ExchangeClient:
    client = authorize("exchange")  # type: ignore[operator]
    client.transport.sender = service
    return ExchangeClient(client, TENANT)


def test_missing_addresses_are_told_from_foreign_domains(authorize: object) -> None:
    service = Exchange(Get_AcceptedDomain=lambda p: [{"DomainName": "Contoso.com"}, {"DomainName": "contoso.onmicrosoft.com"}])
    with pytest.raises(InvalidInput) as raised:
        addresses.refuse_missing(_exchange(authorize, service), ["a@contoso.com", "b@contoso.com", "c@fabrikam.com"])
    assert raised.value.problems == [
        "Exchange has no mailboxes a@contoso.com, b@contoso.com: create them or correct the address; nothing was changed.",
        "c@fabrikam.com: not in an accepted domain of this tenant (contoso.com, contoso.onmicrosoft.com); nothing was changed.",
    ]


def test_one_missing_address_is_singular_and_none_costs_nothing(authorize: object) -> None:
    service = Exchange(Get_AcceptedDomain=lambda p: [{"DomainName": "contoso.com"}])
    with pytest.raises(InvalidInput, match=r"^Exchange has no mailbox a@contoso\.com: create it or correct"):
        addresses.refuse_missing(_exchange(authorize, service), ["a@contoso.com"])
    assert service.requests == 1
    addresses.refuse_missing(_exchange(authorize, service), [])
    assert service.requests == 1
