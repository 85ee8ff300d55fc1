"""Queries with the standard library: answers as servers give them, and what no server should."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis import dns_query
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.lookups import DnsServers

from tests.unit.nameserver import NameServer

HOST = "contoso-com.mail.protection.outlook.com"


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer(
        {
            ("contoso.com", "MX"): [f"10 {HOST}.", "5 first.contoso.com."],
            ("smtp.contoso.com", "CNAME"): ["real.contoso.com."],
            ("real.contoso.com", "A"): ["203.0.113.5", "203.0.113.6"],
            ("six.contoso.com", "AAAA"): ["2001:db8::25"],
            ("many.contoso.com", "A"): [f"203.0.113.{number}" for number in range(1, 200)],
            ("null.contoso.com", "MX"): ["0 ."],
        }
    )
    yield made
    made.close()


def ask(server: NameServer, name: str, kind: int, timeout: float = 60) -> dns_query.Response:
    address, _colon, port = server.address.partition(":")
    return dns_query.query(address, name, kind, timeout, int(port))


def test_addresses_by_an_alias(server: NameServer) -> None:
    response = ask(server, "SMTP.contoso.com.", dns_query.A)
    assert sorted(response.data(dns_query.A)) == ["203.0.113.5", "203.0.113.6"]
    assert response.data(dns_query.CNAME) == ("real.contoso.com",)
    assert ask(server, "six.contoso.com", dns_query.AAAA).data(dns_query.AAAA) == ("2001:db8::25",)


def test_mx_hosts_by_preference(server: NameServer) -> None:
    assert list(dns_query.hosts_by_preference(ask(server, "contoso.com", dns_query.MX))) == ["first.contoso.com", HOST]
    assert list(dns_query.hosts_by_preference(ask(server, "null.contoso.com", dns_query.MX))) == []


def test_a_name_that_does_not_exist(server: NameServer) -> None:
    response = ask(server, "none.contoso.com", dns_query.A)
    assert (response.code, response.records) == (dns_query.NXDOMAIN, ())


def test_a_truncated_response_is_asked_again_by_tcp(server: NameServer) -> None:
    server.faults["many.contoso.com", "A"] = "truncated"
    assert len(ask(server, "many.contoso.com", dns_query.A).data(dns_query.A)) == 199
    assert [transport for _name, _kind, transport in server.asked] == ["udp", "tcp"]


def test_a_server_that_is_silent(server: NameServer) -> None:
    server.faults["contoso.com", "A"] = "silence"
    with pytest.raises(dns_query.QueryFailed, match="no answer"):
        ask(server, "contoso.com", dns_query.A, timeout=0.3)


def test_a_server_that_refuses(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    address, _colon, port = server.address.partition(":")
    monkeypatch.setattr(dns_query.query, "__defaults__", (int(port),))
    server.faults["real.contoso.com", "A"] = "REFUSED"
    (lookup,) = DnsServers([address], [], 60).look_up(["real.contoso.com", "192.0.2.1", "2001:db8::1"])  # an IP address is no name
    assert lookup.configured[0].error == "REFUSED"
    assert DnsServers([address], [], 60).mx_hosts("contoso.com") == (["first.contoso.com", HOST], "")
    assert DnsServers([address], [], 60).mx_hosts("none.contoso.com") == ([], f"{address}: NXDOMAIN")
    assert DnsServers([], [], 60).mx_hosts("contoso.com") == ([], "this host has no DNS server")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        b"\0\1\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1",  # a name that points to itself
        b"\0\1\x81\x80\0\0\0\1\0\0\0\0\0\0\1\0\1\0\0\0\0\0\3abc",  # an address of three bytes
    ],
)
def test_a_response_that_is_none(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError, struct.error)):
        dns_query._parsed(data)


def test_configured_servers(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("# nameserver 192.0.2.1\nnameserver 10.0.0.53\nnameserver fe80::1%eth0\nsearch contoso.com\nnameserver\n")
    assert dns_query.configured_servers(str(file)) == ["10.0.0.53", "fe80::1"]
    assert dns_query.configured_servers("/nonexistent/resolv.conf") == []
