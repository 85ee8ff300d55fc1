"""SPF at the MX: what the played DNS says of the envelope sender's domain stands before the stored message."""

from __future__ import annotations

import pytest

from emulator.dns.zones import WELL_KNOWN
from emulator.state import DnsRecord
from tests.emulator.smtp_world import CONTOSO, MESSAGE, OPS, World, connector, said, send

pytest_plugins = ["tests.emulator.smtp_world"]

SOURCE = "203.0.113.10"


def publish(world: World, record: str, domain: str = "contoso.com", **others: str) -> None:
    """A zone with an SPF record, and records of other kinds at other names: `A_mail="192.0.2.1"`."""
    world.state.network |= {"127.0.0.1": SOURCE}
    zone = [DnsRecord(domain, "TXT", f'"{record}"')] if record else []
    for name, data in others.items():
        kind, _line, label = name.partition("_")
        zone.append(DnsRecord(f"{label}.{domain}" if label else domain, kind, data))
    world.contoso.dns[domain] = zone


def judged(world: World, sender: str = OPS) -> str:
    """What the stored message says, after it was sent without a connector."""
    with world.client(mx=True) as client:
        assert send(client, sender=sender, recipients=(OPS,)).startswith("250 ")
    raw = world.state.messages[-1].raw
    assert raw.endswith(MESSAGE)
    return raw.removesuffix(MESSAGE).decode()


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:203.0.113.0/24 -all", "pass"),
        ("v=spf1 ip4:198.51.100.0/24 -all", "fail"),
        ("v=spf1 include:spf.protection.outlook.com ~all", "softfail"),
        ("v=spf1 ?all", "neutral"),
        ("v=spf1 include:spf.protection.outlook.com", "neutral"),
        ("", "none"),
        ("v=spf1 foo -all", "permerror"),
        ("v=spf1 include:gone.example -all", "permerror"),
        ("v=spf1 include:contoso.com -all", "permerror"),
        ("v=spf1 a:mail.contoso.com -all", "pass"),
        ("v=spf1 mx/28 -all", "pass"),
        ("v=spf1 exists:mail.contoso.com -all", "pass"),
        ("v=spf1 ip6:2001:db8::/32 ptr x=1 -all", "fail"),
        ("v=spf1 redirect=_spf.contoso.com", "pass"),
        ("v=spf1 ip4:300.1.1.1 -all", "permerror"),
    ],
)
def test_each_result(world: World, record: str, result: str) -> None:
    publish(world, record, A_mail=SOURCE, MX_="10 mx.contoso.com.", A_mx="203.0.113.1", TXT__spf='"v=spf1 a:mail.contoso.com -all"')
    header = judged(world)
    assert header.startswith(
        f"Authentication-Results: spf={result} (sender IP is {SOURCE})\r\n smtp.mailfrom=contoso.com\r\nReceived-SPF: "
    )
    assert header.endswith(f"\r\n receiver=protection.outlook.com; client-ip={SOURCE}; helo=client.example.net\r\n")
    assert len(header.split("\r\n")) == 5


def test_the_words_of_a_failure(world: World) -> None:
    publish(world, "v=spf1 -all")
    text = f"Received-SPF: Fail (protection.outlook.com: domain of contoso.com does not designate {SOURCE} as permitted sender)"
    assert text in judged(world)


def test_where_dns_knows_nothing_nothing_is_said(world: World) -> None:
    assert judged(world) == ""
    publish(world, "v=spf1 -all")
    assert judged(world, "someone@example.org") == ""


def test_what_a_connector_brings_is_not_judged(world: World) -> None:
    publish(world, "v=spf1 -all")
    world.contoso.reject_spf_hard_fail = True
    world.contoso.inbound_connectors["relay"] = connector(SenderIPAddresses=[SOURCE])
    with world.client(mx=True) as client:
        assert send(client, recipients=(OPS,)).startswith("250 ")
    assert (world.state.messages[-1].raw, world.state.messages[-1].connector) == (MESSAGE, "relay")


def test_a_tenant_may_refuse_what_fails(world: World) -> None:
    publish(world, "v=spf1 -all")
    world.contoso.reject_spf_hard_fail = True
    with world.client(mx=True) as client:
        assert send(client, recipients=(OPS,)) == "550 5.7.23 The message was rejected because of Sender Policy Framework violation"
        assert world.state.messages == []
        publish(world, "v=spf1 ~all")
        assert send(client, recipients=(OPS,)).startswith("250 ")
        client.mail(OPS)
        assert said(client.rcpt(OPS)) == "250 2.1.5 Recipient OK"
    assert world.state.messages[-1].tenant_id == CONTOSO


def test_microsofts_own_servers_pass(world: World) -> None:
    publish(world, "v=spf1 include:spf.protection.outlook.com -all")
    world.state.network |= {"127.0.0.1": "40.92.7.7"}
    assert "spf=pass" in judged(world)
    assert "spf.protection.office365.us" in WELL_KNOWN
