# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.rbac import recipient_filter
from hypothesis import given
from hypothesis import strategies as st

from emulator.state.recipient_filter import parse

MADE = "PrimarySmtpAddress -eq 'a@contoso.com' -or PrimarySmtpAddress -eq 'o''neill@contoso.com'"
READ_BACK = "((primarysmtpaddress -eq 'O''Neill@contoso.com')  -or (PrimarySmtpAddress -eq 'A@contoso.com'))"


def test_a_filter_of_addresses_is_made_in_one_order_and_read_back() -> None:
    assert recipient_filter.of_addresses(["O'Neill@contoso.com", "a@contoso.com"]) == MADE
    assert recipient_filter.addresses(READ_BACK) == {"a@contoso.com", "o'neill@contoso.com"}
    assert recipient_filter.same(MADE, READ_BACK)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Alias -eq 'a' -and (Name -like 'b*' -and City -eq \"c\")", "((City -eq 'C') -and (alias -eq 'a') -and (Name -like 'b*'))", True),
        ("Alias -eq 'a' -or Alias -eq 'b' -and Name -eq 'c'", "Alias -eq 'a' -or (Alias -eq 'b' -and Name -eq 'c')", True),
        ("Alias -eq 'a' -or Alias -eq 'b' -and Name -eq 'c'", "(Alias -eq 'a' -or Alias -eq 'b') -and Name -eq 'c'", False),
        ("-not (Alias -eq 'a')", "-not(Alias -eq 'A')", True),
        ("-not (Alias -eq 'a')", "Alias -ne 'a'", False),
        ("Alias -eq 'a' -or Alias -eq 'a'", "Alias -eq 'a'", True),
        ("IsShared -eq $true", "isshared -eq $True", True),
        ("something  else", "something else", True),
    ],
)
def test_filters_are_the_same_by_their_meaning(one: str, other: str, same: bool) -> None:
    assert recipient_filter.same(one, other) is same


@pytest.mark.parametrize(
    "text", ["Alias -eq 'a'", "PrimarySmtpAddress -like 'a*'", "no filter", "PrimarySmtpAddress -eq 'a' -or Alias -eq 'b'"]
)
def test_another_filter_has_no_addresses(text: str) -> None:
    assert recipient_filter.addresses(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it ends too early"),
        ("Alias -eq", "it ends too early"),
        ("Alias -eq 'a", '"\'a" cannot be read'),
        ("(Alias -eq 'a'", "a parenthesis is not closed"),
        ("Alias -eq 'a')", ") is not expected there"),
        ("Alias = 'a'", "\"= 'a'\" cannot be read"),
        ("Alias is 'a'", "is is no comparison"),
        ("'Alias' -eq 'a'", "'Alias' is no property"),
        ("Alias -eq (", "Alias -eq lacks its value"),
    ],
)
def test_invalid_filter_is_reported(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("(", r"\(").replace(")", r"\)")):
        recipient_filter.canonical(text)


@given(st.lists(st.from_regex(r"[a-z'.]{1,12}@[a-z]{1,8}\.com", fullmatch=True), min_size=1, max_size=8))
def test_created_filter_is_equal_after_it_is_read_back(addresses: list[str]) -> None:
    made = recipient_filter.of_addresses(addresses)
    assert recipient_filter.addresses(made) == set(addresses)
    assert recipient_filter.same(made, str(parse(made)))
