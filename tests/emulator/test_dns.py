"""The name server: what it answers, by UDP and TCP, what changes it, and what it does wrong to order.

Asked by dnspython, and by dig and nsupdate as Debian ships them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import dns.tsig
import dns.update
import pytest

from emulator.launcher import Emulator, LaunchError

KEY, SECRET = "mailops", "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU="
SPF = "v=spf1 include:spf.protection.outlook.com -all"
LONG = [f'{n} TXT "{"x" * 250}"' for n in range(8)]
STATE: dict[str, Any] = {
    "tenants": [
        {
            "initial_domain": "contoso.onmicrosoft.com",
            "domains": ["contoso.com", "contoso.net"],
            "dns": {
                "contoso.com": [
                    f'@ 600 TXT "{SPF}"',
                    '@ 600 IN TXT "MS=ms12345678"',
                    "@ MX 10 mail",
                    "mail A 198.51.100.7",
                    "www CNAME mail",
                    *(f'big TXT "{n} {"x" * 240}"' for n in range(9)),
                ]
            },
        }
    ],
    "dns": {"zones": {"sendgrid.net": ['@ TXT "v=spf1 ip4:167.89.0.0/17 ~all"']}, "keys": [{"name": KEY, "secret": SECRET}]},
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(STATE, directory=tmp_path_factory.mktemp("emulator")) as running:
        yield running
        assert running.stderr() == ""


@pytest.fixture
def emulator(shared: Emulator) -> Iterator[Emulator]:
    """The zones as at the start."""
    shared.admin.change("contoso.com", dns=STATE["tenants"][0]["dns"])
    yield shared
    shared.admin.clear_faults()


def port(emulator: Emulator) -> int:
    return int(emulator.dns_servers[0].rpartition(":")[2])


def ask(emulator: Emulator, name: str, kind: str, *, tcp: bool = False, **options: Any) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **options)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, "127.0.0.1", port=port(emulator), timeout=30)


def texts(answer: dns.message.Message) -> set[str]:
    return {item.to_text() for rrset in answer.answer for item in rrset}


# -- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tcp", [False, True])
def test_what_the_zones_hold(emulator: Emulator, tcp: bool) -> None:
    answer = ask(emulator, "Contoso.COM", "TXT", tcp=tcp)
    assert texts(answer) == {f'"{SPF}"', '"MS=ms12345678"'}
    assert answer.answer[0].ttl == 600
    assert answer.flags & dns.flags.AA
    assert texts(ask(emulator, "contoso.com", "MX", tcp=tcp)) == {"10 mail.contoso.com."}
    assert texts(ask(emulator, "sendgrid.net", "TXT", tcp=tcp)) == {'"v=spf1 ip4:167.89.0.0/17 ~all"'}
    assert texts(ask(emulator, "www.contoso.com", "A", tcp=tcp)) == {"mail.contoso.com.", "198.51.100.7"}


def test_microsofts_records_are_implied(emulator: Emulator) -> None:
    assert texts(ask(emulator, "contoso.net", "MX")) == {"0 contoso-net.mail.protection.outlook.com."}
    assert texts(ask(emulator, "contoso-net.mail.protection.outlook.com", "A")) == {"127.0.0.1"}
    assert "ip4:40.92.0.0/15" in ask(emulator, "spf.protection.outlook.com", "TXT").answer[0].to_text()


@pytest.mark.parametrize(
    ("name", "kind", "code", "zone"),
    [
        ("contoso.com", "AAAA", "NOERROR", "contoso.com."),
        ("gone.contoso.com", "TXT", "NXDOMAIN", "contoso.com."),
        ("contoso.net", "TXT", "NOERROR", "contoso.net."),
        ("nobody.example", "TXT", "NXDOMAIN", ""),
    ],
)
def test_missing_names_and_record_types(emulator: Emulator, name: str, kind: str, code: str, zone: str) -> None:
    answer = ask(emulator, name, kind)
    assert (dns.rcode.to_text(answer.rcode()), answer.answer) == (code, [])
    assert [rrset.name.to_text() for rrset in answer.authority] == ([zone] if zone else [])


def test_long_answer_is_truncated_over_udp_and_complete_over_tcp(emulator: Emulator) -> None:
    assert ask(emulator, "big.contoso.com", "TXT").flags & dns.flags.TC
    assert not ask(emulator, "big.contoso.com", "TXT", use_edns=0, payload=4096).flags & dns.flags.TC
    assert len(texts(ask(emulator, "big.contoso.com", "TXT", tcp=True))) == 9
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver("127.0.0.1", port(emulator))]
    assert len(resolver.resolve("big.contoso.com", "TXT")) == 9


@pytest.mark.parametrize(("fault", "code"), [("servfail", "SERVFAIL"), ("refused", "REFUSED"), ("nxdomain", "NXDOMAIN")])
def test_injected_server_failure(emulator: Emulator, fault: str, code: str) -> None:
    emulator.admin.fault("dns", fault, match={"name": "contoso.com", "type": "TXT"})
    assert ask(emulator, "contoso.com", "MX").rcode() == dns.rcode.NOERROR
    assert dns.rcode.to_text(ask(emulator, "contoso.com", "TXT").rcode()) == code
    assert ask(emulator, "contoso.com", "TXT").rcode() == dns.rcode.NOERROR


def test_injected_silence_and_truncation(emulator: Emulator) -> None:
    emulator.admin.fault("dns", "timeout")
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(dns.message.make_query("contoso.com", "TXT"), "127.0.0.1", port=port(emulator), timeout=0.3)
    emulator.admin.fault("dns", "truncated")
    assert ask(emulator, "contoso.com", "TXT").flags & dns.flags.TC
    with pytest.raises(ValueError, match="dns has no fault"):
        emulator.admin.fault("dns", "typo")


def test_questions_are_counted(emulator: Emulator) -> None:
    emulator.admin.reset_requests()
    for name in ("contoso.com", "contoso.com", "sendgrid.net"):
        ask(emulator, name, "TXT")
    tenant = emulator.admin.tenant("contoso.com")["id"]
    assert emulator.admin.requests() == {tenant: {"dns": 2}, "unknown": {"dns": 1}}


def test_malformed_queries_are_answered_or_ignored(emulator: Emulator) -> None:
    query = dns.message.make_query("contoso.com", "TXT")
    query.set_opcode(dns.opcode.STATUS)
    assert dns.query.udp(query, "127.0.0.1", port=port(emulator), timeout=30).rcode() == dns.rcode.NOTIMP
    assert ask(emulator, "contoso.com", "TXT").rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"contoso.com": "x"}, "must be a list of records"),
        ({"contoso.com": ["@"]}, "is no record"),
        ({"contoso.com": ["@ SPF x"]}, "SPF is no supported type"),
        ({"contoso.com": ["@ A 300.1.1.1"]}, "300.1.1.1"),
        ({"contoso.com": ["x.example. A 192.0.2.1"]}, "is not in this zone"),
    ],
)
def test_invalid_zone_is_reported_with_its_path(tmp_path: Path, document: dict[str, Any], sentence: str) -> None:
    tenant = {"initial_domain": "contoso.onmicrosoft.com", "dns": document}
    with pytest.raises(LaunchError, match=rf"tenants\[0\].dns.contoso.com: .*{sentence}"):
        Emulator({"tenants": [tenant]}, directory=tmp_path)
    with pytest.raises(LaunchError, match=r"dns.keys\[0\].secret: must be a secret in base64"):
        Emulator({"tenants": [], "dns": {"keys": [{"name": "k", "secret": "?"}]}}, directory=tmp_path)


# -- updates ----------------------------------------------------------------------------------------------------------

Change = Callable[[dns.update.UpdateMessage], object]


def update(emulator: Emulator, *changes: Change, zone: str = "contoso.com", key: tuple[str, str] | None = (KEY, SECRET)) -> str:
    message = dns.update.UpdateMessage(zone)
    if key:
        message.use_tsig(dns.tsig.Key(*key, "hmac-sha256"))
    for change in changes:
        change(message)
    return dns.rcode.to_text(dns.query.tcp(message, "127.0.0.1", port=port(emulator), timeout=30).rcode())


def test_an_update_changes_what_it_names_and_is_saved(emulator: Emulator) -> None:
    serial = ask(emulator, "contoso.com", "SOA").answer[0][0].serial
    assert update(emulator, lambda m: m.delete("@", "TXT", f'"{SPF}"'), lambda m: m.add("@", 600, "TXT", '"v=spf1 -all"')) == "NOERROR"
    assert texts(ask(emulator, "contoso.com", "TXT")) == {'"v=spf1 -all"', '"MS=ms12345678"'}
    assert ask(emulator, "contoso.com", "SOA").answer[0][0].serial == serial + 1
    emulator.admin.save()
    with Emulator(emulator.state_file) as again:
        assert texts(ask(again, "contoso.com", "TXT")) == {'"v=spf1 -all"', '"MS=ms12345678"'}


def test_name_with_a_cname_record_has_no_other(emulator: Emulator) -> None:
    """RFC 2136, section 3.4.2.2: the server ignores such an addition."""
    cname, txt = (lambda m: m.add("alias", 300, "CNAME", "host.example.")), (lambda m: m.add("alias", 300, "TXT", '"x"'))
    assert update(emulator, cname, txt) == "NOERROR"
    assert ask(emulator, "alias.contoso.com", "CNAME").answer[0][0].to_text() == "host.example."
    assert update(emulator, lambda m: m.delete("alias"), txt, cname) == "NOERROR"
    assert texts(ask(emulator, "alias.contoso.com", "TXT")) == {'"x"'}


def test_a_domain_without_a_zone_gets_one(emulator: Emulator) -> None:
    assert update(emulator, lambda m: m.add("@", 300, "TXT", '"v=spf1 -all"'), zone="contoso.net") == "NOERROR"
    assert texts(ask(emulator, "contoso.net", "TXT")) == {'"v=spf1 -all"'}
    assert texts(ask(emulator, "contoso.net", "MX")) == {"0 contoso-net.mail.protection.outlook.com."}


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (lambda m: m.present("@", "TXT", f'"{SPF}"', '"MS=ms12345678"'), "NOERROR"),
        (lambda m: m.present("@", "TXT", f'"{SPF}"'), "NXRRSET"),
        (lambda m: m.present("@", "AAAA"), "NXRRSET"),
        (lambda m: m.present("gone"), "NXDOMAIN"),
        (lambda m: m.absent("@", "TXT"), "YXRRSET"),
        (lambda m: m.absent("mail"), "YXDOMAIN"),
        (lambda m: m.absent("gone"), "NOERROR"),
    ],
)
def test_a_condition_that_is_not_met_changes_nothing(emulator: Emulator, condition: Change, code: str) -> None:
    assert update(emulator, condition, lambda m: m.add("new", 300, "TXT", '"x"')) == code
    assert bool(ask(emulator, "new.contoso.com", "TXT").answer) is (code == "NOERROR")


@pytest.mark.parametrize(
    ("change", "zone", "key", "code"),
    [
        (lambda m: m.add("x.example.", 300, "TXT", "x"), "contoso.com", (KEY, SECRET), "NOTZONE"),
        (lambda m: m.add("x", 300, "TXT", "x"), "mail.contoso.com", (KEY, SECRET), "NOTAUTH"),
        (lambda m: m.add("x", 300, "TXT", "x"), "contoso.com", None, "REFUSED"),
        (lambda m: m.add("x", 300, "HINFO", "a b"), "contoso.com", (KEY, SECRET), "REFUSED"),
    ],
)
def test_an_update_is_refused(emulator: Emulator, change: Change, zone: str, key: tuple[str, str] | None, code: str) -> None:
    assert update(emulator, change, zone=zone, key=key) == code


@pytest.mark.parametrize(("key", "error"), [(("other", SECRET), dns.tsig.PeerBadKey), ((KEY, "d3Jvbmc="), dns.tsig.PeerBadSignature)])
def test_invalid_tsig_is_refused_with_its_error(emulator: Emulator, key: tuple[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        update(emulator, lambda m: m.add("x", 300, "TXT", "x"), key=key)


# -- unmodified clients -----------------------------------------------------------------------------------------------


def run(program: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    result = shutil.which(program)
    if not result:
        pytest.skip(f"{program} is not installed")
    return subprocess.run([result, *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_dig(emulator: Emulator, transport: str) -> None:
    where = ["@127.0.0.1", "-p", str(port(emulator)), transport]
    assert f'"{SPF}"' in run("dig", *where, "+short", "contoso.com", "TXT").stdout.splitlines()
    whole = run("dig", *where, "big.contoso.com", "TXT").stdout
    assert "status: NOERROR" in whole
    assert whole.count("xxxxx") > 100
    assert ";; WARNING" not in whole
    assert "status: NXDOMAIN" in run("dig", *where, "gone.contoso.com", "TXT").stdout


def test_nsupdate(emulator: Emulator, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f'key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
    head = f"server 127.0.0.1 {port(emulator)}\n"
    changes = f'update delete contoso.com. TXT "{SPF}"\nupdate add contoso.com. 600 TXT "v=spf1 ~all"\n'
    done = run("nsupdate", "-k", str(key), stdin=f"{head}prereq yxrrset contoso.com. TXT\n{changes}send\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert texts(ask(emulator, "contoso.com", "TXT")) == {'"v=spf1 ~all"', '"MS=ms12345678"'}
    refused = run("nsupdate", "-k", str(key), stdin=f"{head}prereq nxrrset contoso.com. TXT\nupdate add contoso.com. 600 TXT x\nsend\n")
    assert "YXRRSET" in refused.stderr
    key.write_text(key.read_text().replace(KEY, "other"))
    unknown = run("nsupdate", "-k", str(key), stdin=f"{head}zone contoso.com.\nupdate add contoso.com. 600 TXT x\nsend\n")
    assert "BADKEY" in unknown.stderr
