# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS client and the RFC 2136 provider, against a name server on loopback."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients import dns as client
from ansible_collections.mailops.m365.plugins.module_utils._clients.dns import Resolver, problems, server
from ansible_collections.mailops.m365.plugins.module_utils._clients.dns_update import RecordUpdate, Rfc2136, key_problems
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import DnsError, InvalidInput, MissingLibrary, Unreachable

from ....nameserver import KEY, SECRET, NameServer

SPF = "v=spf1 include:spf.protection.outlook.com -all"
LONG = "v=spf1 " + " ".join(f"ip4:192.0.2.{n}" for n in range(40)) + " -all"
KEYED = (KEY, SECRET, "hmac-sha256")


@pytest.fixture
def named() -> Iterator[NameServer]:
    made = NameServer(
        {
            ("contoso.com", "TXT"): [f'"{SPF}"', '"MS=ms1" "2345"', '"caf\\195\\169"'],
            ("contoso.com", "MX"): ["0 contoso-com.mail.protection.outlook.com."],
            ("contoso.com", "A"): ["198.51.100.1", "198.51.100.2"],
            ("other.contoso.com", "TXT"): ['"nothing"'],
        }
    )
    yield made
    made.close()


# -- asking -----------------------------------------------------------------------------------------------------------


def test_answers_have_their_values(named: NameServer) -> None:
    resolver = Resolver([named.address])
    txt, mx, addresses = resolver.ask_all([("Contoso.com.", "TXT"), ("contoso.com", "MX"), ("contoso.com", "A")])
    assert txt.values == ("MS=ms12345", "café", SPF)
    assert (txt.spf, txt.ttl, txt.raw[0]) == ((SPF,), 300, (b"MS=ms1", b"2345"))
    assert mx.values == ("contoso-com.mail.protection.outlook.com",)
    assert sorted(addresses.values) == ["198.51.100.1", "198.51.100.2"]


def test_no_name_and_no_record_are_void(named: NameServer) -> None:
    resolver = Resolver([named.address])
    for name, kind in (("gone.contoso.com", "TXT"), ("other.contoso.com", "MX")):
        answer = resolver.ask(name, kind)
        assert (answer.void, answer.values, answer.problem) == (True, (), "")


def test_an_alias_is_named_by_its_answers(named: NameServer) -> None:
    named.records |= {("www.contoso.com", "CNAME"): ["contoso.com."], ("gone.contoso.com", "CNAME"): ["nowhere.example."]}
    resolver = Resolver([named.address])
    alias, gone, own = resolver.ask_all([("WWW.contoso.com.", "TXT"), ("gone.contoso.com", "TXT"), ("Contoso.com", "TXT")])
    assert (alias.alias, alias.spf) == ("contoso.com", (SPF,))
    assert (gone.alias, gone.values, own.alias) == ("nowhere.example", (), "")


def test_each_question_goes_out_once(named: NameServer) -> None:
    resolver = Resolver([named.address])
    threads = [threading.Thread(target=resolver.ask, args=("contoso.com", "TXT")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    resolver.ask_all([("contoso.com", "TXT"), ("CONTOSO.COM.", "TXT")] * 20)
    assert named.asked == [("contoso.com", "TXT", "udp")]


def test_a_truncated_answer_is_asked_for_by_tcp(named: NameServer) -> None:
    named.faults["contoso.com", "TXT"] = "truncated"
    assert Resolver([named.address]).ask("contoso.com", "TXT").spf == (SPF,)
    assert [transport for _name, _kind, transport in named.asked] == ["udp", "tcp"]


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED"])
def test_a_failure_is_a_sentence(named: NameServer, fault: str) -> None:
    named.faults["contoso.com", "TXT"] = fault
    answer = Resolver([named.address]).ask("contoso.com", "TXT")
    assert not answer.void
    assert answer.problem.startswith(f"the TXT records of contoso.com could not be read: the DNS servers answered {fault} (")
    assert answer.problem.endswith("Check m365_dns_servers.")


def test_silence_is_waited_out_and_a_sentence(named: NameServer) -> None:
    named.faults["contoso.com", "TXT"] = "silence"
    answer = Resolver([named.address], timeout=0.1, lifetime=0.3).ask("contoso.com", "TXT")
    assert "no DNS server answered within" in answer.problem
    assert "127.0.0.1@" in answer.problem


@pytest.mark.parametrize("name", ["a..example", "x" * 64 + ".example"])
def test_invalid_name_is_not_queried(named: NameServer, name: str) -> None:
    assert Resolver([named.address]).ask(name, "TXT").problem == f"{name} is no DNS name."
    assert named.asked == []


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        ("192.0.2.53:5353", "192.0.2.53", 5353),
        ("2001:db8::53", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
    ],
)
def test_a_name_server_is_an_address_and_perhaps_a_port(text: str, address: str, port: int) -> None:
    assert server(text) == (address, port)
    assert problems("dns_servers", [text]) == []


@pytest.mark.parametrize("text", ["ns.example.com", "192.0.2.53:0", "192.0.2.53:x", "192.0.2", "", "192.0.2.53:70000"])
def test_invalid_name_servers(text: str) -> None:
    [problem] = problems("dns_servers", [text])
    assert problem.startswith(f"dns_servers holds {text!r}: give a name server as address or address:port")


def test_missing_library_is_reported_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def lacking(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "dns" and rest[3] == 0:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(MissingLibrary, match="dnspython is missing"):
        Resolver(["192.0.2.1"]).ask("contoso.com", "TXT")


def test_host_without_name_servers_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    dns = client.library()

    def none(*_arguments: object, **_options: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", none)
    with pytest.raises(InvalidInput, match="this machine names no DNS server: set m365_dns_servers"):
        Resolver().ask("contoso.com", "TXT")


# -- publishing -------------------------------------------------------------------------------------------------------


def publish(named: NameServer, text: str = LONG, domain: str = "contoso.com", **options: Any) -> None:
    provider = Rfc2136(named.address, **{"key": KEYED} | options)
    [read] = provider.read([(domain, "TXT")])
    provider.update([RecordUpdate(read, add=(text,), delete=read.spf)], 3600, f"publish the SPF record of {domain}")


@pytest.mark.parametrize("zone", ["", "contoso.com"])
def test_the_record_is_replaced_and_the_others_stay(named: NameServer, zone: str) -> None:
    publish(named, zone=zone)
    held = named.txt("contoso.com")
    assert held[:2] == ['"MS=ms1" "2345"', '"caf\\195\\169"']
    assert Resolver([named.address]).ask("contoso.com", "TXT").spf == (LONG,)
    [update] = named.updates
    assert update.had_tsig
    assert [rrset.ttl for rrset in update.update if rrset.deleting is None] == [300], "the time to live is kept"


def test_a_first_record_and_several(named: NameServer) -> None:
    publish(named, SPF, "new.contoso.com")
    assert named.txt("new.contoso.com") == [f'"{SPF}"']
    assert [rrset.ttl for rrset in named.updates[0].update] == [3600]
    named.records["contoso.com", "TXT"].append('"v=spf1 +all"')
    publish(named, SPF.replace("-", "~"))
    assert Resolver([named.address]).ask("contoso.com", "TXT").spf == (SPF.replace("-", "~"),)


@pytest.mark.parametrize(
    ("domain", "cause"),
    [
        ("contoso.com", "the records have changed since they were read"),
        ("new.contoso.com", "a record of this type was created there since the name was read"),
    ],
)
def test_concurrent_update_is_not_overwritten(named: NameServer, domain: str, cause: str) -> None:
    named.changes = lambda: named.records.setdefault((domain, "TXT"), []).append('"new"')
    with pytest.raises(DnsError, match=f"Could not publish the SPF record of {domain}: {cause}") as caught:
        publish(named, domain=domain)
    assert caught.value.transient
    assert not any("192.0.2.39" in text for text in named.txt(domain))


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (("unknown", SECRET, "hmac-sha256"), "BADKEY"),
        ((KEY, "d3Jvbmc=", "hmac-sha256"), "BADSIG"),
    ],
)
def test_a_wrong_key_is_named(named: NameServer, key: tuple[str, str, str], code: str) -> None:
    with pytest.raises(DnsError) as caught:
        publish(named, key=key)
    assert caught.value.code == code
    assert caught.value.entry
    assert key[1] not in str(caught.value)
    assert named.updates == []


@pytest.mark.parametrize("code", ["REFUSED", "NOTAUTH", "NOTIMP", "SERVFAIL", "NOTZONE"])
def test_a_refused_update_has_its_cause(named: NameServer, code: str) -> None:
    named.refuse_updates = code
    with pytest.raises(DnsError, match=rf"\({code}\)"):
        publish(named)


def test_no_dns_server_answers() -> None:
    closed = NameServer()
    closed.close()
    provider = Rfc2136(closed.address, "contoso.com", KEYED)
    read = client.Answer("contoso.com", "TXT")
    with pytest.raises(Unreachable, match="cannot be reached by TCP"):
        provider.update([RecordUpdate(read, add=(SPF,))], 3600, "publish")


def test_unknown_zone_is_reported(named: NameServer) -> None:
    named.faults["contoso.com", "SOA"] = "REFUSED"
    with pytest.raises(Unreachable, match=r"does not say which zone contoso\.com is in"):
        publish(named)


def test_a_secret_that_is_no_base64_is_not_repeated() -> None:
    assert key_problems("tsig_secret", SECRET) == []
    [problem] = key_problems("tsig_secret", "no base64!")
    assert problem.startswith("tsig_secret is no base64 text")
    assert "no base64!" not in problem
