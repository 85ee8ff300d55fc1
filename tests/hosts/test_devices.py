"""What devices send through a relay host on Debian 12 and 13, by clients that nobody here wrote, and what arrives of it."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import shutil
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from .door import (
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
    Door,
    wait_until,
)

pytestmark = pytest.mark.xdist_group("doors")
PHPMAILER = Path("/usr/share/php/libphp-phpmailer/autoload.php")
SEND_PHP = REPO / "tests" / "emulator" / "clients" / "send.php"
DATE = "Wed, 25 Nov 2026 12:00:00 +0000"
# Lines that begin with dots, a long line, lines that look like a mailbox file's or a header's, 8 bits.
BODY = "Größe: 3 Stück\r\n.\r\n..\r\n.hidden\r\n\r\nFrom here on\r\n" + "x" * 900 + "\r\nSubject: no\r\nlast line\r\n"


def message(number: str, sender: str, body: str = BODY) -> str:
    fields = {"Date": DATE, "From": f"=?utf-8?q?B=C3=BCro?= <{sender}>", "To": ADA, "Message-ID": f"<{number}>", "Subject": "Scan"}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + f"\r\n{body}"


def stuffed(text: str) -> str:
    """As it follows DATA (RFC 5321, 4.5.2)."""
    return ("\r\n" + text).replace("\r\n.", "\r\n..").removeprefix("\r\n") + ".\r\n"


def data(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "message"
    file.write_bytes(text.encode())
    return ["--data", f"@{file}"]


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def body_of(door: Door, found: dict[str, object]) -> str:
    """Without the line end that some clients add."""
    body = door.world.admin.raw_message(int(str(found["number"]))).partition(b"\r\n\r\n")[2].decode()
    return body.rstrip("\r\n") + "\r\n"


SIGN_IN = ["--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD]
WAYS = {
    "25": ("printer", PRINTER, 25, []),
    "25-STARTTLS": ("printer", PRINTER, 25, ["--tls"]),
    "587": ("outsider", ERP, 587, ["--tls", *SIGN_IN]),
    "587-LOGIN": ("printer", ERP, 587, ["--tls", "--auth", "LOGIN", "--auth-user", USER.upper(), "--auth-password", PASSWORD]),
    "465": ("erp", ERP, 465, ["--tlsc", *SIGN_IN]),
    "465-pinned": ("erp", SCANNER, 465, ["--tlsc", "--auth", "PLAIN", "--auth-user", PINNED, "--auth-password", PINNED_PASSWORD]),
    "legacy": ("printer", PRINTER, LEGACY, []),
    "legacy-password": ("outsider", ERP, LEGACY, ["--tls", *SIGN_IN]),
}


@pytest.mark.parametrize("way", WAYS)
def test_swaks_by_every_door(door: Door, tmp_path: Path, way: str) -> None:
    need("swaks")
    device, sender, port, options = WAYS[way]
    number = f"swaks-{way}-{door.host.release}@copier.local"
    done = door.swaks(device, sender, *options, *data(tmp_path, message(number, sender)), port=port)
    assert done.returncode == 0, done.stdout + done.stderr
    found, arrived = door.receive(number)
    assert (found["mail_from"], found["recipients"], found["via"], found["authenticated_as"]) == (sender, [ADA], "submission", sender)
    assert body_of(door, found) == BODY
    assert (arrived["Date"], arrived["From"]) == (DATE, f"=?utf-8?q?B=C3=BCro?= <{sender}>")
    received = str(arrived.get_all("Received"))
    assert "copier.local" in received
    assert "Authenticated sender" not in received


def test_msmtp_that_verifies_the_relay(door: Door, tmp_path: Path) -> None:
    need("msmtp")
    number = f"msmtp-{door.host.release}@copier.local"
    settings, secret = tmp_path / "msmtprc", tmp_path / "secret"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    settings.write_text(
        f"account default\nhost {door.name}\nport 587\ndomain copier.local\ntls on\ntls_trust_file {door.certificate(tmp_path)}\n"
        f"auth plain\nuser {USER}\npasswordeval cat {secret}\nfrom {ERP}\n",
        encoding="utf-8",
    )
    settings.chmod(0o600)
    done = door.on("outsider", ["msmtp", f"--file={settings}", "--", ADA], text=message(number, ERP).replace("\r\n", "\n"))
    assert done.returncode == 0, done.stderr
    found, _ = door.receive(number)
    assert found["mail_from"] == found["authenticated_as"] == ERP
    assert body_of(door, found) == BODY


def test_phpmailer_with_an_attachment(door: Door, tmp_path: Path) -> None:
    need("php")
    if not PHPMAILER.exists():
        pytest.skip("PHPMailer is not installed (Debian package libphp-phpmailer)")
    scan = bytes(range(256)) * 2000
    wanted = {"host": door.name, "port": 587, "ca": str(door.certificate(tmp_path)), "user": USER, "secret": PASSWORD, "mechanism": ""}
    wanted |= {"from": ERP, "to": ADA, "attachment": base64.b64encode(scan).decode()}
    before = door.numbers()
    done = door.on("outsider", ["php", str(SEND_PHP)], text=json.dumps(wanted))
    assert json.loads(done.stdout) == {"sent": True}, done.stdout + done.stderr
    (found,) = wait_until(lambda: door.since(before), 30, "PHPMailer's message")
    raw = door.world.admin.raw_message(found["number"])
    arrived = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
    assert (found["mail_from"], arrived["From"], arrived["Subject"]) == (ERP, f"Büro <{ERP}>", "by PHPMailer: Größe")
    (attachment,) = arrived.iter_attachments()
    assert attachment.get_content() == scan


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_tls_with_a_password_on_the_legacy_listener_alone(door: Door, version: str) -> None:
    number = f"{version}-{door.host.release}@copier.local"
    greeting = ["EHLO copier.local\r\n", "STARTTLS\r\n", "EHLO copier.local\r\n"]
    sign_in = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    sending = [
        f"AUTH PLAIN {sign_in}\r\n",
        f"MAIL FROM:<{ERP}>\r\n",
        f"RCPT TO:<{ADA}>\r\n",
        "DATA\r\n",
        stuffed(message(number, ERP, "old\r\n")),
    ]
    replies = door.talk("outsider", [*greeting, *sending], port=LEGACY, tls=version, starttls=True)
    assert replies[-1].startswith("250 2.0.0"), replies
    door.receive(number)
    for port in (25, 587):
        assert door.talk("printer", greeting, port=port, tls=version, starttls=True)[0].startswith("no TLS"), port
        # The door itself is open, for those who are newer.
        assert door.talk("printer", greeting, port=port, tls="TLSv1_2", starttls=True)[-1].startswith("250-"), port


def test_a_scan_of_20_mb_arrives_whole(door: Door, tmp_path: Path) -> None:
    number = f"large-{door.host.release}@copier.local"
    lines = base64.encodebytes(bytes(range(256)) * (20_000_000 // 256)).decode().replace("\n", "\r\n")
    done = door.swaks("printer", PRINTER, *data(tmp_path, message(number, PRINTER, lines)))
    assert done.returncode == 0, done.stderr
    found, _ = door.receive(number, 90)
    assert body_of(door, found) == lines


# -- rewriting -------------------------------------------------------------------------------------------------------


def test_a_rewritten_device_sends_as_its_mailbox_and_answers_go_to_whom_it_named(door: Door, tmp_path: Path) -> None:
    number = f"rewritten-{door.host.release}@copier.local"
    text = message(number, "third.floor@copier.example")
    done = door.swaks("scanner", "root@copier.local", *data(tmp_path, text), to=f"{ADA},{ERP}")
    assert done.returncode == 0, done.stdout
    found, arrived = door.receive(number)
    assert (found["mail_from"], found["authenticated_as"], sorted(found["recipients"])) == (SCANNER, SCANNER, sorted([ADA, ERP]))
    assert arrived["From"] == f"=?utf-8?q?B=C3=BCro?= <{SCANNER}>"
    assert arrived["Reply-To"] == "=?utf-8?q?B=C3=BCro?= <third.floor@copier.example>"
    assert (arrived["Subject"], arrived["Date"]) == ("Scan", DATE)
    assert body_of(door, found) == BODY
    assert len(door.arrived(number)) == 1


def test_a_rewriting_that_breaks_keeps_the_message(door: Door, tmp_path: Path) -> None:
    """While its program is replaced, for example. Left to itself, pipe(8) returns a message at any error."""
    program, number = "/usr/local/sbin/mailops-relay", f"broken-{door.host.release}@copier.local"
    door.host.run(f"mv {program} {program}.away && printf '#!/bin/sh\necho it is broken\nexit 1\n' > {program} && chmod 755 {program}")
    try:
        done = door.swaks("scanner", "root@copier.local", *data(tmp_path, message(number, "third.floor@copier.example")))
        assert done.returncode == 0, done.stdout
        wait_until(lambda: "it is broken" in door.host.run("postqueue -j"), 30, "a deferral")
    finally:
        door.host.run(f"mv {program}.away {program}")
    assert not door.arrived(number)
    door.receive(number, 60)


@pytest.mark.parametrize("device", ["printer", "scanner"])
def test_what_a_device_forgets_is_added(door: Door, tmp_path: Path, device: str) -> None:
    """No Date, no Message-ID, no From."""
    sender = {"printer": PRINTER, "scanner": SCANNER}[device]
    before = door.numbers()
    done = door.swaks(device, sender, *data(tmp_path, f"Subject: bare {door.host.release}\r\n\r\nscan\r\n"))
    assert done.returncode == 0, done.stdout
    (found,) = wait_until(lambda: door.since(before), 30, "the bare message")
    arrived = email.message_from_bytes(door.world.admin.raw_message(found["number"]))
    assert sender in str(arrived["From"])
    assert abs(parsedate_to_datetime(str(arrived["Date"])).timestamp() - found["received"]) < 120
    assert door.name in str(arrived["Message-ID"])
    assert found["mail_from"] == sender


# -- limits ----------------------------------------------------------------------------------------------------------


def test_what_is_too_large_is_refused_before_it_is_sent(door: Door) -> None:
    mail = [f"MAIL FROM:<{PRINTER}> SIZE={size}\r\n" for size in (SIZE_LIMIT, SIZE_LIMIT + 1)]
    greeting, offered, fits, _, large = door.talk("printer", ["EHLO copier.local\r\n", mail[0], "RSET\r\n", mail[1]])
    assert f"SIZE {SIZE_LIMIT}" in offered, greeting
    assert fits.startswith("250 ")
    assert large.startswith("552 5.3.4"), large


def test_more_recipients_than_a_message_may_have_are_put_off(door: Door) -> None:
    recipients = [f"RCPT TO:<user{number}@contoso.com>\r\n" for number in range(RECIPIENTS + 1)]
    replies = door.talk("printer", ["EHLO copier.local\r\n", f"MAIL FROM:<{PRINTER}>\r\n", *recipients])
    assert [reply[:4] for reply in replies[-RECIPIENTS - 1 :]] == ["250 "] * RECIPIENTS + ["452 "], replies[-1]


def test_a_returned_message_stays_on_the_relay_and_somebody_is_told(door: Door) -> None:
    """What the service refuses for good goes back to nobody: a report has no sender, so no mailbox can send it."""
    number, before = f"returned-{door.host.release}@copier.local", door.numbers()
    door.world.admin.fault("smtp", "no_such_recipient", count=1)
    try:
        done = door.swaks("printer", PRINTER, "--header", f"Message-ID: <{number}>")
        assert done.returncode == 0, done.stdout
        (notice,) = wait_until(lambda: door.since(before), 40, "the notice")
    finally:
        door.world.admin.clear_faults()
    door.idle()
    raw = door.world.admin.raw_message(notice["number"]).decode()
    # Told by a mailbox, as nothing else can be sent; and it says of which message.
    assert (notice["mail_from"], notice["recipients"]) == (PRINTER, [ADA])
    assert "Undelivered" in notice["subject"]
    assert number in raw
    assert "5.4.1" in raw
    assert [message["number"] for message in door.since(before)] == [notice["number"]]
