"""From a device to the mailbox: every listener, every kind of device, by clients that nobody here wrote and by an old one."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator

import pytest

from testbed.host import Host
from testbed.world import World

from .relays import LEGACY, PASSWORD, RELAYS, Relay, build, fields, play


@pytest.fixture(scope="module")
def hosts(world: World) -> Iterator[dict[str, Host]]:
    yield build(world)
    for name in RELAYS:
        world.remove(name)


@pytest.fixture(params=RELAYS)
def relay(request: pytest.FixtureRequest, world: World, hosts: dict[str, Host]) -> Relay:
    world.admin.delete_messages()
    return Relay(world, hosts[request.param])


def test_a_second_run_changes_nothing_and_a_check_run_neither(world: World, hosts: dict[str, Host]) -> None:
    for options in (("--check", "--diff"), ()):
        said = play(world, *options)
        for name in hosts:
            recap = next(line for line in said.splitlines() if line.startswith(name) and "changed=" in line)
            assert "changed=0 " in recap, said[-4000:]
        assert PASSWORD not in said


def test_an_allowed_device_sends_and_what_it_forgot_is_added(relay: Relay) -> None:
    assert relay.send("printer", "Subject: plain\n\nscan\n..dots\n")["code"] == 250
    found = relay.delivered("plain")
    assert found["mail_from"] == "scanner@contoso.com"
    assert fields(found, "From") == ["scanner@contoso.com"]
    assert len(fields(found, "Date")) == len(fields(found, "Message-Id")) == 1
    assert found["body"] == b"scan\r\n..dots\r\n"


@pytest.mark.parametrize(("port", "tls"), [(587, "start"), (465, "wrapped"), (LEGACY, ""), (LEGACY, "start")])
def test_a_user_signs_in(relay: Relay, port: int, tls: str) -> None:
    subject = f"user {port} {tls}"
    done = relay.sign_in("outsider", "ERP", f"Subject: {subject}\nFrom: ERP <erp@contoso.com>\n\n", "erp@contoso.com", port=port, tls=tls)
    assert done["code"] == 250, done
    assert fields(relay.delivered(subject), "From") == ["ERP <erp@contoso.com>"]


def test_a_user_is_pinned_to_a_network(relay: Relay) -> None:
    assert relay.sign_in("erp", "pinned", "Subject: pinned\n\n", "erp@contoso.com")["code"] == 250
    assert relay.sign_in("printer", "pinned", "Subject: no\n\n", "erp@contoso.com")["code"] == 535


def test_tls_1_0_is_spoken_on_the_legacy_listener_alone(relay: Relay) -> None:
    old = {"tls": "start", "old": True}
    done = relay.send("printer", "Subject: tls10\n\n", port=LEGACY, **old)
    assert (done["code"], done["tls"]) == (250, "TLSv1"), done
    assert relay.delivered("tls10")
    assert relay.send("printer", "Subject: no\n\n", **old)["code"] == 0
    assert relay.sign_in("outsider", "erp", "Subject: no\n\n", "erp@contoso.com", port=587, **old)["code"] == 0
    assert relay.send("printer", "Subject: new\n\n", tls="start")["tls"] == "TLSv1.3"


REWRITTEN = [
    ("first", "whoever@foo", 'From: "J\xf6rg" <joerg@foo.example>\n', "=?utf-8?b?SsO2cmc=?=", "=?utf-8?b?SsO2cmc=?= <joerg@foo.example>"),
    ("null", "", "From: x@foo.example\nReply-To: keep@foo.example\n", "", "keep@foo.example"),
    ("none", "scanner", "", "", ""),
    ("many", "a@b.example", "From: Third floor\nSender: ceo@contoso.com\n", "Third floor", ""),
]


@pytest.mark.parametrize(("subject", "sender", "header", "display", "reply"), REWRITTEN)
@pytest.mark.parametrize("kind", ["network", "user"])
def test_whatever_a_rewritten_device_says_becomes_its_mailbox(
    relay: Relay, kind: str, subject: str, sender: str, header: str, display: str, reply: str
) -> None:
    wanted, message = f"{subject} {kind}", f"Subject: {subject} {kind}\n{header}\nscan\n"
    if kind == "user":
        done, address = relay.sign_in("outsider", "camera", message, sender), "scanner@contoso.com"
    else:
        done, address = relay.send("scanner", message, sender), "copier@contoso.com"
    assert done["code"] == 250, done
    found = relay.delivered(wanted)
    assert found["mail_from"] == address
    assert fields(found, "From") == [f"{display} <{address}>" if display else address]
    assert fields(found, "Reply-To") == ([reply] if reply else [])
    assert not fields(found, "Sender")
    assert found["body"] == b"scan\r\n"


def test_a_scan_of_20_megabytes_arrives_whole_also_when_rewritten(relay: Relay) -> None:
    scan = os.urandom(15_000_000)
    text = base64.encodebytes(scan).decode()
    for device, subject in (("printer", "big"), ("scanner", "big rewritten")):
        header = f"Subject: {subject}\nFrom: scanner@contoso.com\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n"
        assert relay.send(device, header + text)["code"] == 250
        found = relay.delivered(subject, patience=60)
        assert len(found["body"]) > 20_000_000
        assert hashlib.sha256(base64.b64decode(found["body"])).digest() == hashlib.sha256(scan).digest()


def test_more_than_the_limits_is_refused_and_a_message_just_below_is_rewritten_too(relay: Relay) -> None:
    line = "x" * 76 + "\n"
    # 76 characters and CR LF a line; Postfix counts its own records, too.
    most = (36700160 - 2000) // 78
    assert relay.send("printer", "Subject: over\n\n" + line * (most + 20))["code"] == 552
    assert relay.send("scanner", "Subject: edge\nFrom: joe@foo.example\n\n" + line * most)["code"] == 250
    assert len(relay.delivered("edge", patience=60)["body"]) == most * 78
    many = [f"a{number}@contoso.com" for number in range(501)]
    done = relay.send("printer", "Subject: many\n\n", recipients=many)
    assert (done["code"], "too many recipients" in done["said"]) == (452, True)


def test_swaks_and_msmtp_send(relay: Relay, world: World) -> None:
    swaks = [
        "swaks",
        "--server",
        relay.host.address,
        "--from",
        "scanner@contoso.com",
        "--to",
        "ada@contoso.com",
        "--header",
        "Subject: swaks",
    ]
    done = world.devices["printer"].call([*swaks, "--tls", "--body", "by swaks"])
    assert done.returncode == 0, done.stdout
    assert relay.delivered("swaks")["body"].startswith(b"by swaks")
    settings = (
        f"host {relay.host.address}\nport 587\nauth on\nuser erp\npassword {PASSWORD}\ntls on\ntls_certcheck off\nfrom erp@contoso.com\n"
    )
    configuration = world.directory / "msmtprc"
    configuration.write_text(settings, encoding="utf-8")
    configuration.chmod(0o600)
    done = world.devices["outsider"].call(["msmtp", f"--file={configuration}", "ada@contoso.com"], text="Subject: msmtp\n\nby msmtp\n")
    assert done.returncode == 0, done.stderr
    found = relay.delivered("msmtp")
    assert (found["mail_from"], fields(found, "From"), found["body"]) == ("erp@contoso.com", ["erp@contoso.com"], b"by msmtp\r\n")


PHP = """<?php
require '/usr/share/php/libphp-phpmailer/autoload.php';
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSMTP(); $mail->Host = '%s'; $mail->Port = 587; $mail->SMTPAuth = true; $mail->SMTPSecure = 'tls';
$mail->SMTPOptions = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]];
$mail->Username = 'erp'; $mail->Password = '%s';
$mail->setFrom('erp@contoso.com', 'ERP'); $mail->addAddress('ada@contoso.com');
$mail->Subject = 'phpmailer'; $mail->Body = 'by PHPMailer'; $mail->send();
"""


def test_phpmailer_sends(relay: Relay, hosts: dict[str, Host]) -> None:
    other = next(host for host in hosts.values() if host is not relay.host)
    other.run("apt-get install --quiet --yes --no-install-recommends php-cli libphp-phpmailer", timeout=120)
    other.run("php", text=PHP % (relay.host.address, PASSWORD))
    found = relay.delivered("phpmailer")
    assert fields(found, "From") == ["ERP <erp@contoso.com>"]
    assert found["body"].strip() == b"by PHPMailer"


def test_a_recipient_without_a_domain_is_refused_and_a_banner_tells_no_version(relay: Relay) -> None:
    assert relay.send("printer", "Subject: no\n\n", recipients=["bob"])["code"] == 504
    banner, *answers = relay.talk("printer", "MAIL FROM:<scanner@contoso.com>\r\n", "HELO x\r\n", "VRFY root\r\n", "ETRN contoso.com\r\n")
    assert banner == f"220 {relay.host.name}.contoso.com ESMTP\r\n"
    assert [answer[:3] for answer in answers] == ["503", "250", "502", "503"] or [answer[:3] for answer in answers][:3] == [
        "503",
        "250",
        "502",
    ]


def test_the_relays_own_hashes_and_key_are_nobodys(relay: Relay) -> None:
    said = relay.host.run("stat -c '%a %U %n' /etc/mailops-relay/server.key.pem /etc/mailops-relay/devices.users")
    assert [line.rsplit(" ", 1)[0] for line in said.splitlines()] == ["600 root", "640 root"]
    assert PASSWORD not in relay.host.run("cat /etc/mailops-relay/devices.users")
