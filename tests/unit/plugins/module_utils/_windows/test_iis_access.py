"""The lists of addresses of IIS SMTP."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._windows.iis.access import AddressList, encoded, from_answer, of_networks
from hypothesis import given
from hypothesis import strategies as st

from emulator.windows.relay_list import decode

ANSWER: dict[str, Any] = {"GrantByDefault": False, "IPGrant": [], "IPDeny": [], "DomainGrant": [], "DomainDeny": []}


@given(st.lists(st.ip_addresses(v=4).map(str), unique=True, max_size=20))
def test_bytes_of_hosts_are_read_by_another_codec(addresses: list[str]) -> None:
    assert decode(bytes(encoded(addresses))) == [f"{one}, 255.255.255.255" for one in addresses]


def test_the_count_is_at_bytes_36_and_44() -> None:
    """As the published recipe has it."""
    data = bytes(encoded(["127.0.0.1", "10.1.2.3"]))
    assert (struct.unpack_from("<I", data, 36), struct.unpack_from("<I", data, 44), len(data)) == ((2,), (3,), 88)


def test_the_host_itself_is_always_in() -> None:
    assert of_networks(["10.1.2.0/24"]).ip_grant == ("10.1.2.0, 255.255.255.0", "127.0.0.1, 255.255.255.255")
    assert of_networks(["127.0.0.0/8"]).ip_grant == ("127.0.0.0, 255.0.0.0",)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"IPGrant": ["127.0.0.1,255.255.255.255", "10.1.2.0 , 255.255.255.0"]}, True),
        ({"IPGrant": ["10.1.2.0, 255.255.255.0", "127.0.0.1", ""]}, True),
        ({"IPGrant": ["10.1.2.0, 255.255.255.0", "127.0.0.1"], "IPDeny": ["10.1.2.3"]}, True),
        ({"IPGrant": ["10.1.2.0, 255.255.255.0"]}, False),
        ({"IPGrant": ["10.1.2.0, 255.255.255.0", "127.0.0.1", "10.9.0.0, 255.255.0.0"]}, False),
        ({"IPGrant": ["10.1.2.0, 255.255.255.0", "127.0.0.1", "a text"]}, False),
        ({"IPGrant": ["10.1.2.0, 255.255.255.0", "127.0.0.1"], "DomainGrant": ["example.net"]}, False),
        ({"GrantByDefault": True}, False),
    ],
)
def test_lists_that_let_the_same_clients_in(changed: dict[str, Any], same: bool) -> None:
    """With GrantByDefault false only the lists of those who are granted count."""
    assert of_networks(["10.1.2.0/24"]).same(from_answer(ANSWER | changed)) is same


def test_lists_as_results_have_them() -> None:
    answer = ANSWER | {"IPGrant": ["10.9.0.0, 255.255.0.0", None, "10.1.2.3", "a text"], "DomainGrant": ["example.net"]}
    entries = from_answer(answer)
    assert entries
    assert entries.granted() == ["10.1.2.3", "10.9.0.0/16", "a text", "example.net"]
    assert AddressList(grant_by_default=True).granted() == ["all"]
    assert from_answer(None) is None
