"""Messages of devices through a relay host on Debian 12 and 13, sent by independent SMTP clients, and what arrives."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import re
import shutil
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from .device_relay import (
    ADA,
    ERP,
    LEGACY,
    PASSWORD,
    PINNED,
    PINNED_PASSWORD,
    PRINTER,
    RECIPIENTS,
    REPO,
    SCANNER,
    SIZE_LIMIT,
    USER,
    DeviceRelay,
    wait_until,
)

pytestmark = pytest.mark.xdist_group("devices")
PHPMAILER = Path("/usr/share/php/libphp-phpmailer/autoload.php")
SEND_PHP = REPO / "tests" / "emulator" / "clients" / "send.php"
DATE = "Wed, 25 Nov 2026 12:00:00 +0000"
# Lines that begin with dots, a long line, lines that look like a mailbox file's or a header's, 8-bit text.
BODY = "Größe: 3 Stück\r\n.\r\n..\r\n.hidden\r\n\r\nFrom here on\r\n" + "x" * 900 + "\r\nSubject: no\r\nlast line\r\n"


def message(number: str, sender: str, body: str = BODY) -> str:
    fields = {"Date": DATE, "From": f"=?utf-8?q?B=C3=BCro?= <{sender}>", "To": ADA, "Message-ID": f"<{number}>", "Subject": "Scan"}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + f"\r\n{body}"


def stuffed(text: str) -> str:
    """With dots doubled, as it is sent after DATA (RFC 5321, 4.5.2)."""
    return ("\r\n" + text).replace("\r\n.", "\r\n..").removeprefix("\r\n") + ".\r\n"


def data(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "message"
    file.write_bytes(text.encode())
    return ["--data", f"@{file}"]


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def body_of(relay: DeviceRelay, record: dict[str, object]) -> str:
    """The body of an arrived message, without the line end that some clients add."""
    body = relay.lab.admin.raw_message(int(str(record["number"]))).partition(b"\r\n\r\n")[2].decode()
    return body.rstrip("\r\n") + "\r\n"


AUTH = ["--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD]
SUBMISSIONS = {
    "25": ("printer", PRINTER, 25, []),
    "25-STARTTLS": ("printer", PRINTER, 25, ["--tls"]),
    "587": ("outsider", ERP, 587, ["--tls", *AUTH]),
    "587-LOGIN": ("printer", ERP, 587, ["--tls", "--auth", "LOGIN", "--auth-user", USER.upper(), "--auth-password", PASSWORD]),
    "465": ("erp", ERP, 465, ["--tlsc", *AUTH]),
    "465-pinned": ("erp", SCANNER, 465, ["--tlsc", "--auth", "PLAIN", "--auth-user", PINNED, "--auth-password", PINNED_PASSWORD]),
    "legacy": ("printer", PRINTER, LEGACY, []),
    "legacy-password": ("outsider", ERP, LEGACY, ["--tls", *AUTH]),
}


@pytest.mark.parametrize("submission", SUBMISSIONS)
def test_swaks_on_every_listener(relay: DeviceRelay, tmp_path: Path, submission: str) -> None:
    need("swaks")
    device, sender, port, options = SUBMISSIONS[submission]
    number = f"swaks-{submission}-{relay.host.release}@copier.local"
    done = relay.swaks(device, sender, *options, *data(tmp_path, message(number, sender)), port=port)
    assert done.returncode == 0, done.stdout + done.stderr
    record, arrived = relay.receive(number)
    assert (record["mail_from"], record["recipients"], record["via"], record["authenticated_as"]) == (sender, [ADA], "submission", sender)
    assert body_of(relay, record) == BODY
    assert (arrived["Date"], arrived["From"]) == (DATE, f"=?utf-8?q?B=C3=BCro?= <{sender}>")
    received = str(arrived.get_all("Received"))
    assert "copier.local" in received
    assert "Authenticated sender" not in received


def test_msmtp_verifies_the_relays_certificate(relay: DeviceRelay, tmp_path: Path) -> None:
    need("msmtp")
    number = f"msmtp-{relay.host.release}@copier.local"
    settings, secret = tmp_path / "msmtprc", tmp_path / "secret"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    settings.write_text(
        f"account default\nhost {relay.name}\nport 587\ndomain copier.local\ntls on\ntls_trust_file {relay.certificate(tmp_path)}\n"
        f"auth plain\nuser {USER}\npasswordeval cat {secret}\nfrom {ERP}\n",
        encoding="utf-8",
    )
    settings.chmod(0o600)
    done = relay.run_on("outsider", ["msmtp", f"--file={settings}", "--", ADA], text=message(number, ERP).replace("\r\n", "\n"))
    assert done.returncode == 0, done.stderr
    record, _ = relay.receive(number)
    assert record["mail_from"] == record["authenticated_as"] == ERP
    assert body_of(relay, record) == BODY


def test_phpmailer_with_an_attachment(relay: DeviceRelay, tmp_path: Path) -> None:
    need("php")
    if not PHPMAILER.exists():
        pytest.skip("PHPMailer is not installed (Debian package libphp-phpmailer)")
    scan = bytes(range(256)) * 2000
    parameters = {
        "host": relay.name,
        "port": 587,
        "ca": str(relay.certificate(tmp_path)),
        "user": USER,
        "secret": PASSWORD,
        "mechanism": "",
    }
    parameters |= {"from": ERP, "to": ADA, "attachment": base64.b64encode(scan).decode()}
    before = relay.message_numbers()
    done = relay.run_on("outsider", ["php", str(SEND_PHP)], text=json.dumps(parameters))
    assert json.loads(done.stdout) == {"sent": True}, done.stdout + done.stderr
    (record,) = wait_until(lambda: relay.messages_since(before), 30, "PHPMailer's message")
    raw = relay.lab.admin.raw_message(record["number"])
    arrived = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
    assert (record["mail_from"], arrived["From"], arrived["Subject"]) == (ERP, f"Büro <{ERP}>", "by PHPMailer: Größe")
    (attachment,) = arrived.iter_attachments()
    assert attachment.get_content() == scan


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_tls_with_a_password_on_the_legacy_listener_only(relay: DeviceRelay, version: str) -> None:
    number = f"{version}-{relay.host.release}@copier.local"
    greeting = ["EHLO copier.local\r\n", "STARTTLS\r\n", "EHLO copier.local\r\n"]
    credentials = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    sending = [
        f"AUTH PLAIN {credentials}\r\n",
        f"MAIL FROM:<{ERP}>\r\n",
        f"RCPT TO:<{ADA}>\r\n",
        "DATA\r\n",
        stuffed(message(number, ERP, "old\r\n")),
    ]
    replies = relay.smtp_session("outsider", [*greeting, *sending], port=LEGACY, tls=version, starttls=True)
    assert replies[-1].startswith("250 2.0.0"), replies
    relay.receive(number)
    for port in (25, 587):
        assert relay.smtp_session("printer", greeting, port=port, tls=version, starttls=True)[0].startswith("no TLS"), port
        # The listener accepts newer TLS versions.
        assert relay.smtp_session("printer", greeting, port=port, tls="TLSv1_2", starttls=True)[-1].startswith("250-"), port


def test_scan_of_20_mb_arrives_completely(relay: DeviceRelay, tmp_path: Path) -> None:
    number = f"large-{relay.host.release}@copier.local"
    lines = base64.encodebytes(bytes(range(256)) * (20_000_000 // 256)).decode().replace("\n", "\r\n")
    done = relay.swaks("printer", PRINTER, *data(tmp_path, message(number, PRINTER, lines)))
    assert done.returncode == 0, done.stderr
    record, _ = relay.receive(number, 90)
    assert body_of(relay, record) == lines


# -- rewriting -------------------------------------------------------------------------------------------------------


def test_rewritten_device_sends_as_its_mailbox_with_reply_to(relay: DeviceRelay, tmp_path: Path) -> None:
    number = f"rewritten-{relay.host.release}@copier.local"
    text = message(number, "third.floor@copier.example")
    done = relay.swaks("scanner", "root@copier.local", *data(tmp_path, text), to=f"{ADA},{ERP}")
    assert done.returncode == 0, done.stdout
    record, arrived = relay.receive(number)
    assert (record["mail_from"], record["authenticated_as"], sorted(record["recipients"])) == (SCANNER, SCANNER, sorted([ADA, ERP]))
    assert arrived["From"] == f"=?utf-8?q?B=C3=BCro?= <{SCANNER}>"
    assert arrived["Reply-To"] == "=?utf-8?q?B=C3=BCro?= <third.floor@copier.example>"
    assert (arrived["Subject"], arrived["Date"]) == ("Scan", DATE)
    assert body_of(relay, record) == BODY
    assert len(relay.arrived(number)) == 1


def test_failed_rewriting_keeps_the_message(relay: DeviceRelay, tmp_path: Path) -> None:
    """For example while the agent is replaced. By default pipe(8) returns a message after any error."""
    program, number = "/usr/local/sbin/mailops-relay", f"broken-{relay.host.release}@copier.local"
    relay.host.run(f"mv {program} {program}.away && printf '#!/bin/sh\necho it is broken\nexit 1\n' > {program} && chmod 755 {program}")
    try:
        done = relay.swaks("scanner", "root@copier.local", *data(tmp_path, message(number, "third.floor@copier.example")))
        assert done.returncode == 0, done.stdout
        wait_until(lambda: "it is broken" in relay.host.run("postqueue -j"), 30, "a deferral")
    finally:
        relay.host.run(f"mv {program}.away {program}")
    assert not relay.arrived(number)
    relay.receive(number, 60)


@pytest.mark.parametrize("device", ["printer", "scanner"])
def test_missing_header_fields_are_added(relay: DeviceRelay, tmp_path: Path, device: str) -> None:
    """No Date, no Message-ID, no From."""
    sender = {"printer": PRINTER, "scanner": SCANNER}[device]
    before = relay.message_numbers()
    done = relay.swaks(device, sender, *data(tmp_path, f"Subject: bare {relay.host.release}\r\n\r\nscan\r\n"))
    assert done.returncode == 0, done.stdout
    (record,) = wait_until(lambda: relay.messages_since(before), 30, "the bare message")
    arrived = email.message_from_bytes(relay.lab.admin.raw_message(record["number"]))
    assert sender in str(arrived["From"])
    assert abs(parsedate_to_datetime(str(arrived["Date"])).timestamp() - record["received"]) < 120
    assert relay.name in str(arrived["Message-ID"])
    assert record["mail_from"] == sender


# -- limits ----------------------------------------------------------------------------------------------------------


def test_too_large_message_is_refused_before_it_is_sent(relay: DeviceRelay) -> None:
    mail = [f"MAIL FROM:<{PRINTER}> SIZE={size}\r\n" for size in (SIZE_LIMIT, SIZE_LIMIT + 1)]
    greeting, offered, fits, _, large = relay.smtp_session("printer", ["EHLO copier.local\r\n", mail[0], "RSET\r\n", mail[1]])
    assert f"SIZE {SIZE_LIMIT}" in offered, greeting
    assert fits.startswith("250 ")
    assert large.startswith("552 5.3.4"), large


def test_recipients_beyond_the_limit_are_deferred(relay: DeviceRelay) -> None:
    recipients = [f"RCPT TO:<user{number}@contoso.com>\r\n" for number in range(RECIPIENTS + 1)]
    replies = relay.smtp_session("printer", ["EHLO copier.local\r\n", f"MAIL FROM:<{PRINTER}>\r\n", *recipients])
    assert [reply[:4] for reply in replies[-RECIPIENTS - 1 :]] == ["250 "] * RECIPIENTS + ["452 "], replies[-1]


def test_bounce_stays_on_the_relay_and_the_postmaster_is_notified(relay: DeviceRelay) -> None:
    """A permanent refusal is not returned to the device: a report has no sender, so no mailbox can send it."""
    number, before = f"returned-{relay.host.release}@copier.local", relay.message_numbers()
    relay.lab.admin.fault("smtp", "no_such_recipient", count=1)
    try:
        done = relay.swaks("printer", PRINTER, "--header", f"Message-ID: <{number}>")
        assert done.returncode == 0, done.stdout
        (notice,) = wait_until(lambda: relay.messages_since(before), 40, "the notice")
    finally:
        relay.lab.admin.clear_faults()
    relay.wait_until_empty()
    raw = relay.lab.admin.raw_message(notice["number"]).decode()
    assert_notifications_are_traced(relay, "non-delivery")
    # The notice is sent by a mailbox and names the message.
    assert (notice["mail_from"], notice["recipients"]) == (PRINTER, [ADA])
    assert "Undelivered" in notice["subject"]
    assert number in raw
    assert "5.4.1" in raw
    assert [message["number"] for message in relay.messages_since(before)] == [notice["number"]]


def assert_notifications_are_traced(relay: DeviceRelay, what: str) -> None:
    """The last ones of this kind, to sender and postmaster: each by its own queue id, and by that of the message that it is about."""
    created = re.findall(rf"(\w+): (sender|postmaster) {what} notification: (\w+)", "\n".join(relay.log()[-200:]))[-2:]
    by_kind = {kind: (about, queue_id) for about, kind, queue_id in created}
    assert set(by_kind) == {"sender", "postmaster"}
    for kind, end in (("sender", "discarded"), ("postmaster", "Microsoft 365: accepted")):
        about, queue_id = by_kind[kind]
        trace = relay.host.run(["mailops-relay", "trace", queue_id]).splitlines()
        assert f"{kind} {what} notification of {about}" in trace[0]
        assert end in trace[-1]
        assert f"{kind} {what} notification, queue id {queue_id}" in relay.host.run(["mailops-relay", "trace", about])


def test_delay_notifications_are_traced(relay: DeviceRelay, tmp_path: Path) -> None:
    """Postfix sends them at the first attempt after relay_delay_warning (1 h), which is shortened here; by another mailbox."""
    host, number, before = relay.host, f"late-{relay.host.release}@copier.local", relay.message_numbers()

    def arrived_after_an_attempt() -> list[dict[str, object]]:
        host.run("postqueue -f")
        return relay.messages_since(before)

    host.run("postconf -e 'delay_warning_time = 1s' && postfix reload")
    relay.lab.admin.fault("smtp", "server_busy", match={"sender": ERP}, count=1000)
    try:
        done = relay.swaks("outsider", ERP, "--tls", *AUTH, *data(tmp_path, message(number, ERP)), port=587)
        assert done.returncode == 0, done.stdout
        (notice,) = wait_until(arrived_after_an_attempt, 40, lambda: host.run("postqueue -p"))
    finally:
        relay.lab.admin.clear_faults()
        host.run("postconf -e 'delay_warning_time = 1h' && postfix reload")
    relay.receive(number, 60)
    relay.wait_until_empty()
    assert (notice["mail_from"], notice["recipients"]) == (PRINTER, [ADA])
    assert_notifications_are_traced(relay, "delay")


@pytest.mark.parametrize("port", [25, LEGACY])
def test_address_beyond_ascii_is_refused(relay: DeviceRelay, port: int) -> None:
    """The submission proxy does not carry SMTPUTF8 (RFC 6531)."""
    hello, refused = relay.smtp_session("printer", ["EHLO copier.local\r\n", f"MAIL FROM:<{PRINTER}> SMTPUTF8\r\n"], port=port)[1:]
    assert "8BITMIME" in hello
    assert "SMTPUTF8" not in hello
    assert refused.startswith("555 5.5.4")


def test_address_beyond_ascii_that_arrived_nevertheless_is_reported(relay: DeviceRelay) -> None:
    before, recipient = relay.message_numbers(), "ü@contoso.com".encode().decode("latin-1")
    lines = [f"MAIL FROM:<{PRINTER}>\r\n", f"RCPT TO:<{recipient}>\r\n", "DATA\r\n", f"From: {PRINTER}\r\nSubject: Scan\r\n\r\nx\r\n.\r\n"]
    assert relay.smtp_session("printer", ["EHLO copier.local\r\n", *lines])[-1].startswith("250 2.0.0")
    (notice,) = wait_until(lambda: relay.messages_since(before), 40, "the notice")
    relay.wait_until_empty()
    assert (notice["mail_from"], notice["recipients"]) == (PRINTER, [ADA])
    assert "5.6.7" in relay.lab.admin.raw_message(notice["number"]).decode()


@pytest.mark.parametrize("unit", ["proxy", "token"])
def test_units_for_oauth_run_with_few_rights(relay: DeviceRelay, unit: str) -> None:
    analysis = relay.host.run(f"systemd-analyze security --no-pager mailops-relay-{unit}.service")
    assert float(re.findall(r"exposure level for \S+: ([\d.]+)", analysis)[0]) <= 3.0, analysis
