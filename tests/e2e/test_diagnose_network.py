"""Causes made on a test network are named right, each alone, and a clean network has no finding.

The servers are in namespaces that the run made (testbed/mail_path.py). Where packets are dropped, a timeout has to pass: it is long enough
for a busy machine, and only one session is made.
"""

from __future__ import annotations

import datetime
import json
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from testbed import addresses
from testbed.addresses import BRIDGE, HUB
from testbed.mail_path import MailPath, missing
from testbed.network import REPO

pytestmark = [
    pytest.mark.tier_test,
    pytest.mark.xdist_group("mail_path"),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
SMTP_25 = {"smtp.office365.com:25", "contoso-com.mail.protection.outlook.com:25"}
MICROSOFT_587 = {"smtp.office365.com:587", "smtp.hve.mx.microsoft:587", "smtp.azurecomm.net:587"}
SENDGRID = addresses.HOSTED["sendgrid"]
HOSTED = {"mail.smtp2go.com", "smtp.sendgrid.net", "smtp.mailgun.org"}
HOSTED_587 = {f"{host}:587" for host in HOSTED}
DROPPED: dict[str, Any] = {"timeout": 60, "samples": 1}  # where packets are dropped


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailPath]:
    made = MailPath(tmp_path_factory.mktemp("mail-path"))
    made.make()
    yield made
    made.stop()


def causes(result: dict[str, Any]) -> dict[str, set[str]]:
    """Cause -> subjects."""
    return {one["cause"]: set(one["subjects"]) for one in result["findings"]}


def diagnose(path: MailPath, **options: Any) -> dict[str, Any]:
    (result,) = path.probe(**options)
    assert not result.get("failed"), result
    return result


def appliance(directory: Path) -> Path:
    """A certificate by the CA of an inspecting appliance, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso Web Gateway")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(x509.Name([])).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9))
    certificate = builder.sign(key, hashes.SHA256())
    file = directory / "appliance.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return file


def another_server(directory: Path) -> tuple[Path, bytes]:
    """The certificate of another server with its key, and its CA in PEM."""
    now = datetime.datetime.now(datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso Public CA")])

    def signed(name: x509.Name, *extensions: x509.ExtensionType) -> x509.Certificate:
        builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, (x509.BasicConstraints, x509.KeyUsage)))
        return builder.not_valid_after(now + datetime.timedelta(9)).sign(key, hashes.SHA256())

    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)  # signs itself, certificates and lists
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    ca = signed(issuer, x509.BasicConstraints(ca=True, path_length=None), usage, identifier)
    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.provider.example")])
    names = x509.SubjectAlternativeName([x509.DNSName("mail.provider.example")])
    leaf = signed(server, names, x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()))
    file = directory / "another.pem"
    file.write_bytes(leaf.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file, ca.public_bytes(Encoding.PEM)


def test_clean(path: MailPath) -> None:
    result = diagnose(path)
    assert (result["findings"], result["attention"], result["sentences"]) == ([], [], [])
    assert result["public_addresses"] == ["198.51.100.101"]
    steps = {row["hop"]: row for row in result["hops"] if row["endpoint"] == "smtp.office365.com:587"}
    assert {"name resolution", "DNS server", "TCP", "greeting", "EHLO", "STARTTLS", "TLS", "TLS versions", "path MTU", "loss"} <= set(steps)
    assert "Microsoft ESMTP MAIL Service" in steps["greeting"]["detail"]
    assert "STARTTLS" in steps["EHLO"]["detail"]
    assert "issuer Emulator" in steps["TLS"]["detail"]
    assert steps["TLS versions"]["result"].endswith("1.2 accepted, 1.3 accepted")
    assert steps["path MTU"]["result"] == "1500 bytes"
    assert {row["result"] for row in result["hops"] if row["endpoint"] == "smtp.office365.com" and row["hop"] == "router 1"} == {
        "198.51.100.10"
    }
    assert result["table"][0].split() == ["ENDPOINT", "HOP", "RESULT", "DETAIL"]
    assert len(result["table"]) == len(result["hops"]) + 1


def test_an_internal_server_that_forwards_is_clean(path: MailPath) -> None:
    with path.internal_dns():
        assert causes(diagnose(path)) == {}


@pytest.mark.tier_all
def test_a_clean_network_has_no_finding_in_100_runs(path: MailPath) -> None:
    with path.internal_dns():
        assert [causes(result) for result in path.probe(times=100)] == [{}] * 100


@pytest.mark.parametrize(
    ("verdict", "how"),
    [pytest.param("drop", "no answer in time", marks=pytest.mark.tier_all), ("reject with tcp reset", "connection refused")],
)
def test_port_25_is_blocked(path: MailPath, verdict: str, how: str) -> None:
    with path.filtered(f"inbound iifname {BRIDGE} tcp dport 25 {verdict}"):
        result = diagnose(path, **(DROPPED if verdict == "drop" else {}))
    assert causes(result) == {"port_blocked": SMTP_25 | {f"{host}:25" for host in HOSTED}}
    assert how in result["sentences"][0]
    assert "Send through port 587" in result["sentences"][0]


@pytest.mark.parametrize("port", [465, 587])
def test_another_port_is_blocked(path: MailPath, port: int) -> None:
    with path.filtered(f"inbound iifname {BRIDGE} tcp dport {port} reject with tcp reset"):
        result = diagnose(path)
    subjects = {f"{host}:{port}" for host in HOSTED} | (MICROSOFT_587 if port == 587 else set())
    assert causes(result) == {"port_blocked": subjects}


def test_a_server_is_blocked(path: MailPath) -> None:
    with path.filtered(f"inbound iifname {BRIDGE} ip daddr 198.51.100.14 tcp dport 587 reject with tcp reset"):
        assert causes(diagnose(path)) == {"endpoint_blocked": {"smtp.sendgrid.net:587"}}


def test_no_network(path: MailPath) -> None:
    with path.filtered(f"inbound iifname {BRIDGE} meta l4proto tcp reject with tcp reset"):
        assert set(causes(diagnose(path))) == {"no_network"}


def test_connections_are_reset_after_a_number(path: MailPath) -> None:
    with path.proxied("pass", "587", "--after", "4"):
        result = diagnose(path, samples=8)
    assert causes(result) == {"connection_limit": MICROSOFT_587 | HOSTED_587}
    assert "After 4 connections" in result["sentences"][0]


@pytest.mark.parametrize(
    ("kind", "cause"), [("strip", "starttls_stripped"), ("mask", "ehlo_rewritten"), ("rewrite", "starttls_refused"), ("reset", "tls_reset")]
)
def test_starttls_is_changed(path: MailPath, kind: str, cause: str) -> None:
    with path.proxied(kind, "587"):
        assert causes(diagnose(path)) == {cause: MICROSOFT_587 | HOSTED_587}


@pytest.mark.tier_all
def test_connections_without_greeting(path: MailPath) -> None:
    with path.proxied("silent", "25"):
        assert causes(diagnose(path, **DROPPED, hosted_relays=[])) == {"no_greeting": SMTP_25}


def test_smtp_is_redirected(path: MailPath, tmp_path: Path) -> None:
    with path.proxied("redirect", "25", "--certificate", str(appliance(tmp_path))):
        result = diagnose(path, hosted_relays=[])
    assert causes(result) == {"smtp_redirected": SMTP_25}
    assert "smtp.provider.example" in result["sentences"][0]


def test_tls_is_inspected(path: MailPath, tmp_path: Path) -> None:
    with path.proxied("inspect", "587", "--certificate", str(appliance(tmp_path))):
        result = diagnose(path)
    assert causes(result) == {"tls_inspection": MICROSOFT_587 | HOSTED_587}
    assert "Contoso Web Gateway" in result["sentences"][0]


def test_tls_of_the_path_is_too_old(path: MailPath, tmp_path: Path) -> None:
    _require_old_tls()
    with path.proxied("inspect", "587", "--certificate", str(appliance(tmp_path)), "--old-tls"):
        result = diagnose(path)
    assert causes(result) == {"old_tls_only": MICROSOFT_587 | HOSTED_587}
    assert "TLS 1.1" in result["sentences"][0]


def _require_old_tls() -> None:
    if not ssl.HAS_TLSv1_1:
        pytest.skip("this OpenSSL does not speak TLSv1_1 (it is built without)")


def test_a_device_with_old_tls(path: MailPath) -> None:
    result = diagnose(path, device_tls="1.0")
    assert list(causes(result)) == ["device_tls_too_old"]
    assert causes(result)["device_tls_too_old"] >= MICROSOFT_587
    assert "legacy listener" in result["sentences"][0]


@pytest.mark.parametrize("own", ["10.1.2.3", ""])
def test_an_internal_server_answers_differently(path: MailPath, own: str) -> None:
    with path.internal_dns(f"smtp.office365.com={own}"), path.filtered("inbound ip daddr 10.1.2.3 reject"):
        result = diagnose(path)
    assert causes(result) == {"internal_dns": {"smtp.office365.com"}}
    assert "198.51.100.16" in result["sentences"][0]


def test_an_internal_server_answers_a_public_address(path: MailPath) -> None:
    """That of another mail server: neither a redirection nor an inspection, since the address of public DNS leads to Microsoft."""
    with path.internal_dns(f"smtp.office365.com={SENDGRID}"):
        result = diagnose(path)
    assert causes(result) == {"internal_dns": {"smtp.office365.com"}}
    assert "198.51.100.16" in result["sentences"][0]


@pytest.mark.tier_all
def test_path_mtu(path: MailPath) -> None:
    with path.small_mtu(1300):
        result = diagnose(path, **DROPPED, hosted_relays=[])
    assert list(causes(result)) == ["path_mtu"]
    assert causes(result)["path_mtu"] >= MICROSOFT_587 | SMTP_25
    assert "more than 1300 bytes" in result["sentences"][0]


def test_loss(path: MailPath) -> None:
    """Every fifth packet. The kernel of a build machine may lack netem; the packet filter loses the same share."""
    with path.filtered(f"inbound iifname {BRIDGE} meta l4proto tcp numgen inc mod 5 0 drop"):
        result = diagnose(path, samples=5)
    assert list(causes(result)) == ["loss"]


def test_loss_of_what_the_servers_send(path: MailPath) -> None:
    with path.lossy_return("meta l4proto tcp numgen inc mod 5 0 drop"):
        result = diagnose(path, samples=5)
    assert list(causes(result)) == ["loss"]


def test_sessions_fail_in_no_order(path: MailPath) -> None:
    """Every second connection to one server, as over two lines of which one does not pass."""
    rule = f"inbound iifname {BRIDGE} ip daddr {SENDGRID} tcp dport 587 ct state new numgen inc mod 2 1 reject with tcp reset"
    with path.filtered(rule):
        result = diagnose(path, samples=5)
    assert causes(result) == {"intermittent": {"smtp.sendgrid.net:587"}}
    assert "2 of 5 connections" in result["sentences"][0]


def test_tls_13_is_cut_off(path: MailPath) -> None:
    with path.proxied("no-tls-13", "587"):
        assert causes(diagnose(path)) == {"tls_13_blocked": MICROSOFT_587 | HOSTED_587}


def test_the_public_address_changes(path: MailPath) -> None:
    two = "map { 0 : 198.51.100.211, 1 : 198.51.100.212 }"
    with path.filtered(f"source iifname {BRIDGE} tcp dport 587 snat to numgen inc mod 2 {two}"):
        result = diagnose(path)
    assert list(causes(result)) == ["address_changes"]
    assert "198.51.100.211" in result["sentences"][0]
    assert "198.51.100.212" in result["sentences"][0]


def test_a_ca_that_the_host_does_not_trust(path: MailPath, tmp_path: Path) -> None:
    """The emulator's CA is a public one to this network, and the host's file of CAs does not have it."""
    (result,) = path.probe(trust=appliance(tmp_path))
    assert list(causes(result)) == ["certificate_not_trusted"]
    assert "Emulator" in result["sentences"][0]


def test_the_certificate_of_another_server(path: MailPath, tmp_path: Path) -> None:
    """A server of a provider whose certificate is by a CA that is expected and trusted, for another name."""
    file, ca = another_server(tmp_path)
    trust = tmp_path / "trust.pem"
    trust.write_bytes(ca + path.network.trust.read_bytes())
    with path.proxied("inspect", "587", "--certificate", str(file)):
        (result,) = path.probe(trust=trust, certificate_issuers=["Emulator", "Contoso Public CA"])
    assert causes(result) == {"certificate_of_another_server": MICROSOFT_587 | HOSTED_587}
    assert "mail.provider.example" in result["sentences"][0]


def test_the_hosts_file_has_another_address(path: MailPath) -> None:
    with path.hosts_file("127.0.0.1 localhost", "10.1.2.3 smtp.office365.com"), path.filtered("inbound ip daddr 10.1.2.3 reject"):
        assert causes(diagnose(path)) == {"hosts_file": {"smtp.office365.com"}}


def test_dns_fails(path: MailPath) -> None:
    with path.internal_dns("smtp.office365.com="):
        result = diagnose(path, public_dns_servers=[])
    assert causes(result) == {"dns_failed": {"smtp.office365.com"}}
    assert "NXDOMAIN" in result["sentences"][0]


def test_one_of_two_dns_servers_is_down(path: MailPath) -> None:
    with path.dns_servers(HUB, "198.51.100.99"):
        assert causes(diagnose(path)) == {"dns_server_down": {"198.51.100.99"}}


def test_a_domain_without_mx_records(path: MailPath) -> None:
    assert causes(diagnose(path, domains=["contoso.com", "nowhere.example"])) == {"mx_missing": {"nowhere.example"}}


def test_findings_fail_the_task_on_request(path: MailPath) -> None:
    with path.filtered(f"inbound iifname {BRIDGE} tcp dport 465 reject with tcp reset"):
        (result,) = path.probe(required=True)
    assert result["failed"] is True
    assert "TCP port 465" in result["msg"]
    assert result["table"]


def test_playbook(path: MailPath, tmp_path: Path) -> None:
    """From the control node, with the domains of the inventory; the summary lists the cause."""
    inventory = tmp_path / "hosts.json"
    tenant = {"m365_tenant": "contoso.com", "m365_senders": [{"address": "erp@contoso.com"}]}
    inventory.write_text(json.dumps({"all": {"children": {"tenants": {"hosts": {"contoso": tenant}}}}}))
    values = {
        "diagnose_samples": 3, "diagnose_duration": 0, "diagnose_timeout": 60, "diagnose_public_dns_servers": ["198.51.100.10"],
        "diagnose_certificate_issuers": ["Emulator"],
    }  # fmt: skip
    play = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [
        "sh",
        "-c",
        'cd "$0" && exec "$@"',
        str(REPO),
        play,
        "playbooks/diagnose.yml",
        "-i",
        str(inventory),
        "-e",
        json.dumps(values),
    ]
    environment = {
        "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path),
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
    }
    done = path.run(command, environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No problem of the network was observed." in done.stdout
    assert "contoso-com.mail.protection.outlook.com:25" in done.stdout

    with path.filtered(f"inbound iifname {BRIDGE} tcp dport 465 reject with tcp reset"):
        done = path.run(command, environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NEEDS ATTENTION" in done.stdout
    assert "blocks outgoing TCP port 465" in " ".join(done.stdout.split())
