"""SPF at the MX: what the played DNS says of the envelope sender's domain stands before the stored message."""

from __future__ import annotations

import pytest

from emulator.dns.zones import WELL_KNOWN
from emulator.state import DnsRecord
from tests.emulator.smtp_lab import CONTOSO, MESSAGE, OPS, Lab, connector, reply_text, send

pytest_plugins = ["tests.emulator.smtp_lab"]

SOURCE = "203.0.113.10"


def publish(lab: Lab, record: str, domain: str = "contoso.com", **others: str) -> None:
    """A zone with an SPF record, and records of other kinds at other names: `A_mail="192.0.2.1"`."""
    lab.state.network |= {"127.0.0.1": SOURCE}
    zone = [DnsRecord(domain, "TXT", f'"{record}"')] if record else []
    for name, data in others.items():
        kind, _line, label = name.partition("_")
        zone.append(DnsRecord(f"{label}.{domain}" if label else domain, kind, data))
    lab.contoso.dns[domain] = zone


def judged(lab: Lab, sender: str = OPS) -> str:
    """What the stored message says, after it was sent without a connector."""
    with lab.client(mx=True) as client:
        assert send(client, sender=sender, recipients=(OPS,)).startswith("250 ")
    raw = lab.state.messages[-1].raw
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
def test_each_result(lab: Lab, record: str, result: str) -> None:
    publish(lab, record, A_mail=SOURCE, MX_="10 mx.contoso.com.", A_mx="203.0.113.1", TXT__spf='"v=spf1 a:mail.contoso.com -all"')
    header = judged(lab)
    assert header.startswith(
        f"Authentication-Results: spf={result} (sender IP is {SOURCE})\r\n smtp.mailfrom=contoso.com\r\nReceived-SPF: "
    )
    assert header.endswith(f"\r\n receiver=protection.outlook.com; client-ip={SOURCE}; helo=client.example.net\r\n")
    assert len(header.split("\r\n")) == 5


def test_the_words_of_a_failure(lab: Lab) -> None:
    publish(lab, "v=spf1 -all")
    text = f"Received-SPF: Fail (protection.outlook.com: domain of contoso.com does not designate {SOURCE} as permitted sender)"
    assert text in judged(lab)


def test_unavailable_dns_adds_no_spf_result(lab: Lab) -> None:
    assert judged(lab) == ""
    publish(lab, "v=spf1 -all")
    assert judged(lab, "someone@example.org") == ""


def test_mail_through_a_connector_is_not_checked(lab: Lab) -> None:
    publish(lab, "v=spf1 -all")
    lab.contoso.reject_spf_hard_fail = True
    lab.contoso.inbound_connectors["relay"] = connector(SenderIPAddresses=[SOURCE])
    with lab.client(mx=True) as client:
        assert send(client, recipients=(OPS,)).startswith("250 ")
    assert (lab.state.messages[-1].raw, lab.state.messages[-1].connector) == (MESSAGE, "relay")


def test_tenant_setting_rejects_spf_failures(lab: Lab) -> None:
    publish(lab, "v=spf1 -all")
    lab.contoso.reject_spf_hard_fail = True
    with lab.client(mx=True) as client:
        assert send(client, recipients=(OPS,)) == "550 5.7.23 The message was rejected because of Sender Policy Framework violation"
        assert lab.state.messages == []
        publish(lab, "v=spf1 ~all")
        assert send(client, recipients=(OPS,)).startswith("250 ")
        client.mail(OPS)
        assert reply_text(client.rcpt(OPS)) == "250 2.1.5 Recipient OK"
    assert lab.state.messages[-1].tenant_id == CONTOSO


def test_microsoft_servers_pass_spf(lab: Lab) -> None:
    publish(lab, "v=spf1 include:spf.protection.outlook.com -all")
    lab.state.network |= {"127.0.0.1": "40.92.7.7"}
    assert "spf=pass" in judged(lab)
    assert "spf.protection.office365.us" in WELL_KNOWN
