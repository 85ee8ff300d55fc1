# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import email.message
import email.policy
import string

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core import mail_addresses
from hypothesis import given
from hypothesis import strategies as st

from tests.static.tree import REPO

GOOD = [
    "a@contoso.com",
    "erp.system+x@mail.contoso.co.uk",
    "o'brien@contoso.com",
    "A_B-c=1@xn--bcher-kva.example",
    f"{'x' * 64}@contoso.com",
    "ping@xn--80akhbyknj4f.xn--80asehdb",
    "a.b.c@mail.xn--fiqs8s",
    "#x@contoso.com",
    "a@XN--P1AI.XN--P1AI",
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
    "fax..hall@contoso.com",
    ".fax@contoso.com",
    "fax.@contoso.com",
    "...@contoso.com",
    "a@contoso.xn--",
    "a@contoso.xn--x-",
    "a@xn--p1ai",
]


@pytest.mark.parametrize("address", GOOD)
def test_a_mail_address_is_accepted(address: str) -> None:
    assert mail_addresses.problems("senders", [address]) == []


@pytest.mark.parametrize("address", BAD)
def test_a_malformed_address_is_refused(address: str) -> None:
    assert mail_addresses.problems("senders", [address]) == [f"senders holds {address!r}, which is no mail address (name@domain)."]


@pytest.mark.parametrize("address", ["", " ", "\t"])
def test_an_empty_address_is_refused(address: str) -> None:
    assert mail_addresses.problems("senders", [address]) == ["senders holds an empty address: remove it."]


def test_every_problem_is_reported_at_once_and_case_does_not_matter() -> None:
    assert mail_addresses.problems("mailboxes", ["A@contoso.com", "x", "a@Contoso.com", ""]) == [
        "mailboxes holds 'x', which is no mail address (name@domain).",
        "mailboxes holds a@Contoso.com twice: keep one.",
        "mailboxes holds an empty address: remove it.",
    ]


@given(
    st.one_of(st.text(max_size=40), st.text(alphabet=string.printable, max_size=20).map(lambda local: f"{local}@contoso.com"), st.emails())
)
def test_an_accepted_address_can_be_written_everywhere(address: str) -> None:
    """Into an SMTP command (ASCII, no blank, no line end), a header, and an OData or PowerShell identity."""
    if mail_addresses.problems("x", [address]):
        return
    assert address.isascii()
    assert not set(address) & set(' \t\r\n<>()[],;:\\"')
    assert address.count("@") == 1
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["To"] = address
    assert [a.addr_spec for a in message["To"].addresses] == [address]
    assert mail_addresses.domain(address) == address.split("@")[1].lower()


@pytest.mark.parametrize(("domain", "is_domain"), [
    ("contoso.com", True), ("mail.xn--90ais", True), ("xn--80ak6aa92e.com", True), ("contoso", False), ("contoso.com.", False),
    ("-x.com", False), ("contoso.xn--", False), ("a" * 64 + ".com", False), (("a" * 60 + ".") * 4 + "example.com", False),
    ("contoso.com\n", False),
])  # fmt: skip
def test_a_domain(domain: str, is_domain: bool) -> None:
    assert bool(mail_addresses.DOMAIN.fullmatch(domain)) == is_domain


def test_the_pattern_of_a_domain_is_in_one_place() -> None:
    """A copy would accept other addresses. SPF names may have underscores, and have a pattern of their own."""
    copies = [path for path in (REPO / "plugins").rglob("*.py") if "[A-Za-z]{2,63}" in path.read_text()]
    assert [path.name for path in copies] == ["mail_addresses.py"]
