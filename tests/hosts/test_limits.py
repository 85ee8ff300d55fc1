"""Limits of a relay: clients that hold connections, sizes around the limit, full disks, units that do not run, guessed passwords.

One relay, with a smart host, serves all tests.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from .relay import wait_until
from .smarthost_relay import run_role, upstream

SENDER = "scanner@contoso.com"
PASSWORD = "correct horse"
SIZE = 1_000_000
CONNECTIONS, PROCESSES = 10, 100
PORTS = {25: [], 587: ["-tls"], 465: ["-tlsc"], 2525: ["-tls"]}
DEVICES = [
    {"name": "Printer", "networks": ["198.51.100.101"], "senders": [SENDER]},
    {"name": "Scanner", "networks": ["198.51.100.102"], "senders": [SENDER], "rewrite": True},
    {"name": "Copier", "networks": ["198.51.100.103"], "senders": [SENDER]},
    {"name": "ERP", "username": "erp", "password": PASSWORD, "senders": [SENDER]},
]
LEGACY = 2525
TO = "RCPT TO:<a@example.net>\r\n"
UNKNOWN_CLIENTS = [f"198.18.{number}.1" for number in range(12)]  # RFC 2544, each in a network of its own
VARIABLES: dict[str, Any] = {
    "relay_devices": DEVICES,
    "relay_message_size_limit": SIZE,
    "relay_connections_per_client": CONNECTIONS,
    "relay_processes": PROCESSES,
    "relay_metrics_directory": "/var/lib/prometheus/node-exporter",
}
HOLD = """
import socket, sys
held = [socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) for _number in range(int(sys.argv[3]))]
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    booted = lab.boot(f"limits{request.param}", request.param)
    run_role(lab, booted.name, **VARIABLES, relay_legacy_address=booted.address)
    booted.run(f"ip route add 198.18.0.0/15 via {lab.devices['outsider'].address}")
    for address in UNKNOWN_CLIENTS:
        assert not lab.devices["outsider"].call(["ip", "address", "replace", f"{address}/32", "dev", "lo"]).returncode
    yield booted
    lab.remove(booted.name)


def status(host: Host) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(host.call("mailops-relay status --json").stdout)
    return document


def problems(host: Host) -> dict[str, dict[str, Any]]:
    return {problem["subject"]: problem for problem in status(host)["problems"]}


def swaks(lab: Lab, host: Host, device: str, *arguments: str, port: int = 25, authenticate: bool = True) -> str:
    """The dialogue of one message; except on port 25 the device authenticates."""
    user = ["--auth", "PLAIN", "--auth-user", "erp", "--auth-password", PASSWORD, *PORTS[port]]
    login = user if port != 25 and authenticate else []
    command = ["swaks", "--server", host.address, "--port", str(port), "--from", SENDER, "--to", "a@example.net", "--timeout", "20", *login]
    done = lab.devices[device].call([*command, *arguments], timeout=60)
    return f"{done.stdout}\n{done.stderr}"


def sized(size: int) -> str:
    """Message data of exactly so many bytes as SMTP counts them, in lines of 78."""
    head = f"From: {SENDER}\r\nTo: a@example.net\r\nSubject: size\r\n\r\n"
    lines, rest = divmod(size - len(head), 80)
    last = "y" * (rest - 2) + "\r\n" if rest >= 2 else ""
    body = ("x" * 78 + "\r\n") * (lines if rest != 1 else lines - 1) + (last if rest != 1 else "y" * 79 + "\r\n")
    assert len(head + body) == size
    return head + body


def transaction(lab: Lab, host: Host, device: str, data: str, port: int = 25) -> list[str]:
    """The replies to a message with this data."""
    program = Path(__file__).with_name("smtp_session.py")
    send = ["EHLO copier\r\n", f"MAIL FROM:<{SENDER}>\r\n", "RCPT TO:<a@example.net>\r\n", "DATA\r\n"]
    parameters = {"server": host.address, "port": port, "send": send}
    script = (
        "import json, socket, sys\n"
        f"sys.path.insert(0, {str(program.parent)!r})\n"
        "from smtp_session import reply\n"
        "parameters = json.loads(sys.argv[1])\n"
        "connection = socket.create_connection((parameters['server'], parameters['port']), 30)\n"
        "lines = connection.makefile('rb')\n"
        "replies = [reply(lines)]\n"
        "for text in [*parameters['send'], sys.stdin.buffer.read().decode('latin-1') + '.\\r\\n']:\n"
        "    connection.sendall(text.encode('latin-1'))\n"
        "    replies.append(reply(lines))\n"
        "print(json.dumps(replies))\n"
    )
    done = lab.devices[device].call([sys.executable, "-c", script, json.dumps(parameters)], text=data, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@contextmanager
def idle_clients(lab: Lab, host: Host, port: int, sources: list[str], each: int) -> Iterator[None]:
    """Unknown clients that open so many connections each, and another one for each that is closed."""
    program = Path(__file__).with_name("idle_clients.py")
    parameters = {"server": host.address, "port": port, "sources": sources, "each": each}
    command = [*lab.network.inside, "ip", "netns", "exec", "outsider", sys.executable, str(program), json.dumps(parameters)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as holding:
        try:
            assert holding.stdout
            assert holding.stdout.readline() == "held\n"
            yield
        finally:
            assert holding.stdin
            holding.stdin.close()
            holding.wait(20)


def connections(host: Host, port: int, of: str) -> int:
    """How many connections clients of this prefix have to a port."""
    return sum(line.split()[-1].lstrip("[").startswith(of) for line in host.run(f"ss -Htn state established sport = :{port}").splitlines())


@pytest.mark.parametrize("port", PORTS)
def test_unknown_clients_that_hold_connections_do_not_lock_devices_out(lab: Lab, host: Host, port: int) -> None:
    """More connections, from many networks, than the port has processes."""
    with idle_clients(lab, host, port, UNKNOWN_CLIENTS, CONNECTIONS):
        if port != 25:
            wait_until(lambda: connections(host, port, "198.18.") == PROCESSES // 2, 20, lambda: connections(host, port, "198.18."))
        for device in ("printer",) if port == 25 else ("erp", "printer") if port == LEGACY else ("erp",):
            dialogue = swaks(lab, host, device, "--quit-after", "RCPT", port=port, authenticate=device == "erp")
            assert "250 2.1.5 Ok" in dialogue, dialogue
        if port == 25:
            assert "521 5.7.1" in swaks(lab, host, "outsider", port=port)
            assert connections(host, port, "198.51.100.201") == 0
        else:
            assert f"port {port}" in problems(host)


@pytest.mark.parametrize("port", [587, 465, LEGACY])
def test_network_of_unknown_clients_gets_few_connections(lab: Lab, host: Host, port: int) -> None:
    """Counted before TLS on port 465, too, and for a network of addresses."""
    neighbours = ["198.18.0.1", "198.18.0.2", "198.18.0.3"]
    for address in neighbours:
        lab.devices["outsider"].call(["ip", "address", "replace", f"{address}/32", "dev", "lo"])
    with idle_clients(lab, host, port, neighbours, CONNECTIONS):
        wait_until(lambda: connections(host, port, "198.18.0.") == CONNECTIONS, 20, lambda: connections(host, port, "198.18.0."))
        assert "250 2.1.5 Ok" in swaks(lab, host, "outsider", "--quit-after", "RCPT", port=port)


def test_connection_limits_survive_nftables(host: Host) -> None:
    unit = "mailops-relay-connection-limits.service"
    for command in ("systemctl restart nftables", "systemctl reload nftables"):
        host.run(command)  # which removes all tables; the unit's job follows
        wait_until(lambda: "chain relay" in host.call("nft list table inet mailops_relay").stdout, 10, command)
    host.run("nft flush ruleset")
    assert "all connections to the ports for SASL users" in problems(host)[unit]["cause"]
    host.run(f"systemctl restart {unit}")
    assert unit not in problems(host)


@pytest.mark.parametrize("port", PORTS)
def test_device_that_holds_connections_does_not_lock_others_out(lab: Lab, host: Host, port: int) -> None:
    """A network client, which Postfix exempts from such limits by default."""
    command = [*lab.network.inside, "ip", "netns", "exec", "printer", sys.executable, "-c", HOLD]
    with subprocess.Popen([*command, host.address, str(port), "60"], stdin=-1, stdout=-1, text=True) as holding:
        try:
            assert holding.stdout
            holding.stdout.readline()
            started = time.monotonic()
            dialogue = swaks(lab, host, "erp", "--quit-after", "RCPT", port=port)
            assert "250 2.1.5 Ok" in dialogue, dialogue
            assert time.monotonic() - started < 20
        finally:
            assert holding.stdin
            holding.stdin.close()
    if port != 465:  # where the packet filter refuses further ones: Postfix counts connections after the TLS handshake only
        wait_until(lambda: any("198.51.100.101" in subject for subject in problems(host)), 10, lambda: problems(host))
        remedy = next(problem["remedy"] for subject, problem in problems(host).items() if "198.51.100.101" in subject)
        assert "relay_connections_per_client" in remedy


@pytest.mark.parametrize(("device", "port"), [("printer", 25), ("scanner", 25), ("printer", LEGACY), ("scanner", LEGACY)])
def test_messages_up_to_the_size_limit_are_accepted_and_sent(lab: Lab, host: Host, device: str, port: int) -> None:
    """`scanner` is rewritten: its message passes Postfix twice."""
    with upstream(lab) as server:
        sizes = [SIZE - 2000, SIZE - 1000, SIZE - 500, SIZE - 100, SIZE - 3, SIZE]
        for size in sizes:
            replies = transaction(lab, host, device, sized(size), port)
            assert f"SIZE {SIZE}" in replies[1]
            assert replies[-1].startswith("250 2.0.0"), (size, replies[-1])
        assert transaction(lab, host, device, sized(SIZE + 1), port)[-1].startswith("552 5.3.4")
        # postqueue can miss a message that moves between two queues: an empty list alone does not mean that all have left.
        wait_until(lambda: server.count() == len(sizes) and not host.run("postqueue -j"), 60, lambda: host.run("postqueue -p"))


@pytest.mark.parametrize("device", ["printer", "scanner"])
def test_address_beyond_ascii_without_smtputf8(lab: Lab, host: Host, device: str) -> None:
    """A smart host is not known to offer SMTPUTF8 (RFC 6531), so the relay does not. `scanner` is rewritten."""
    recipient, subject = "ü@example.net".encode().decode("latin-1"), "Grüße".encode().decode("latin-1")
    mail = [f"MAIL FROM:<{SENDER}> SMTPUTF8\r\n", f"MAIL FROM:<{SENDER}> BODY=8BITMIME\r\n", f"RCPT TO:<{recipient}>\r\n"]
    send = ["EHLO copier\r\n", *mail, "DATA\r\n", f"From: {SENDER}\r\nSubject: {subject}\r\n\r\n{subject}\r\n.\r\n"]
    program = Path(__file__).with_name("smtp_session.py")
    with upstream(lab) as server:
        parameters = json.dumps({"server": host.address, "port": 25, "send": send})
        done = lab.devices[device].call([sys.executable, str(program), parameters], timeout=60)
        _greeting, hello, refused, *accepted = json.loads(done.stdout)
        assert "SMTPUTF8" not in hello
        assert refused.startswith("555 5.5.4")
        assert [reply[:3] for reply in accepted] == ["250", "250", "354", "250"], accepted
        wait_until(lambda: server.count() == 1, 30, lambda: host.run("postqueue -p"))
        ((subjects, envelope, body),) = server.messages()
    assert subjects == [f"Subject: {subject}"]
    assert envelope == [f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{recipient}>"]
    assert body == f"{subject}\r\n"


FILL = {
    "bytes": "dd if=/dev/zero of={path}/filler bs=4k || true",
    "files": "number=0; while touch {path}/filler.$number 2> /dev/null; do number=$((number + 1)); done",
}

# Without inodes Postfix's processes wait until they can create a file, and so does the device.
REFUSAL = {"bytes": "452 4.3.1 Insufficient system storage", "files": "Timeout (20 secs) waiting for server response"}
DISK_CHECK = {"bytes": "disk_full", "files": "inodes_exhausted"}


def first_line(host: Host) -> str:
    return host.call("mailops-relay status").stdout.splitlines()[0]


@contextmanager
def full_disk(host: Host, path: str, what: str) -> Iterator[None]:
    """A copy of a directory on a disk of its own, without free bytes or files."""
    units = "postfix mailops-relay-sasl mailops-relay-monitor mailops-relay-queue-actions.path"
    host.run(
        f"systemctl stop {units}; rm -rf /root/copied && cp -a {path} /root/copied && mount -t tmpfs -o size=50m,nr_inodes=3k tmpfs {path}"
    )
    host.run(f"cp -a /root/copied/. {path}/; chown --reference=/root/copied {path}; chmod --reference=/root/copied {path}")
    host.run(f"systemctl start {units}; {FILL[what].format(path=path)}")
    try:
        yield
    finally:
        host.run(f"systemctl stop {units}; umount --lazy {path}; systemctl start {units}")


@pytest.mark.parametrize("what", FILL)
def test_full_queue_disk_is_a_critical_problem(lab: Lab, host: Host, what: str) -> None:
    with full_disk(host, "/var/spool/postfix", what):
        assert REFUSAL[what] in swaks(lab, host, "printer")
        problem = problems(host)["/var/spool/postfix"]
        assert (problem["severity"], host.call("mailops-relay status").returncode) == ("critical", 1)
        assert "no mail is accepted" in problem["cause"]
        assert "/var/spool/postfix" in first_line(host).partition("to solve: ")[2]
        assert f'mailops_relay_health_check_failed{{check="{DISK_CHECK[what]}"}} 1' in host.run("mailops-relay metrics")
    assert "/var/spool/postfix" not in problems(host)


@pytest.mark.parametrize("what", FILL)
def test_monitor_survives_a_full_disk(lab: Lab, host: Host, what: str) -> None:
    started = host.run("date +%s").strip()
    with full_disk(host, "/var/lib/mailops-relay", what):
        swaks(lab, host, "printer", "--quit-after", "RCPT", "--from", "other@contoso.com")
        logged = f"journalctl --no-pager -u mailops-relay-monitor --since=@{started}"
        wait_until(lambda: "No space left" in host.run(logged), 30, "a logged failure")
        current = status(host)
        assert "/var/lib/mailops-relay" in {problem["subject"] for problem in current["problems"] if problem["check"] == DISK_CHECK[what]}
        assert "/var/lib/mailops-relay" in first_line(host).partition("to solve: ")[2]
        monitor = next(service for service in current["services"] if service["unit"] == "mailops-relay-monitor.service")
        assert (monitor["state"], monitor["restarts"]) == ("active", 0)


@pytest.mark.parametrize("break_unit", ["stop", "mask --now"])
@pytest.mark.parametrize("unit", ["queue-actions.path", "monitor.service", "sasl.service", "backup.timer", "metrics.timer"])
def test_unit_that_does_not_run_is_a_problem(host: Host, unit: str, break_unit: str) -> None:
    name, file = f"mailops-relay-{unit}", f"/etc/systemd/system/mailops-relay-{unit}"
    if "mask" in break_unit:  # a unit of /etc cannot be masked while its file is there
        host.run(f"systemctl stop {name}; mv {file} /root/unit && ln -s /dev/null {file} && systemctl daemon-reload")
    else:
        host.run(f"systemctl stop {name}")
    try:
        assert problems(host)[name]["severity"] in ("critical", "high")
        assert name in host.call("mailops-relay status").stdout
    finally:
        if "mask" in break_unit:
            host.run(f"mv /root/unit {file} && systemctl daemon-reload")
        host.run(f"systemctl start {name}")
    assert name not in problems(host)


def test_queue_actions_survive_frequent_restarts(host: Host) -> None:
    """systemd refuses the sixth start within ten seconds by default."""
    unit = "mailops-relay-queue-actions.path"
    host.run(f"for i in $(seq 8); do systemctl restart {unit} || exit 1; done")
    assert host.run(f"systemctl is-active {unit}") == "active\n"


def test_crash_looping_monitor_is_a_problem(host: Host) -> None:
    host.run(
        "mv /usr/local/lib/mailops-relay/mailops_m365/_relay/agent/monitor/service.py /root/ && systemctl restart mailops-relay-monitor"
    )
    try:
        wait_until(lambda: "mailops-relay-monitor.service" in problems(host), 20, lambda: status(host)["services"])
        assert "restart loop" in problems(host)["mailops-relay-monitor.service"]["cause"]
    finally:
        host.run("mv /root/service.py /usr/local/lib/mailops-relay/mailops_m365/_relay/agent/monitor/")
        host.run("systemctl restart mailops-relay-monitor")
    wait_until(lambda: "mailops-relay-monitor.service" not in problems(host), 20, lambda: problems(host))


@pytest.mark.parametrize("port", [587, 465, LEGACY])
def test_right_password_is_accepted_beside_guesses(lab: Lab, host: Host, port: int) -> None:
    """From the same address, without fail2ban; every wrong one is refused as such."""
    wrong = base64.b64encode(b"\x00erp\x00wrong").decode()
    program = Path(__file__).with_name("smtp_session.py")
    for _attempt in range(4):
        begin = [] if port == 465 else ["EHLO copier\r\n", "STARTTLS\r\n"]
        send = [*begin, "EHLO copier\r\n", f"AUTH PLAIN {wrong}\r\n"]
        parameters = {"server": host.address, "port": port, "send": send, "tls": "TLSv1_2", "starttls": port != 465}
        done = lab.devices["outsider"].call([sys.executable, str(program), json.dumps(parameters)], timeout=60)
        assert json.loads(done.stdout)[-1].startswith("535 5.7.8"), done.stdout
        assert "250 2.1.5 Ok" in swaks(lab, host, "outsider", "--quit-after", "RCPT", port=port)


INTERNAL = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.connect("/var/spool/postfix/public/m365-internal")
print(listener.recv(100).decode())
"""


def test_local_user_reaches_no_listener_as_the_relay(host: Host) -> None:
    """By each port on loopback and on the host's own address, and by the Unix socket that root and the agent may use."""
    host.run("id nosy 2> /dev/null || useradd --system nosy")
    ports = [line.split()[3].rpartition(":")[2] for line in host.run("ss -Hltn").splitlines()]
    assert {"25", "465", "587", str(LEGACY)} <= set(ports)
    assert "2526" not in ports
    program = (Path(__file__).with_name("smtp_session.py")).read_text(encoding="utf-8")
    host.write("/usr/local/lib/smtp_session.py", program)
    for address in ("127.0.0.1", "127.0.0.99", "::1", host.address):
        for port, accepted in ((25, "521 5.7.1"), (587, "530 5.7.0"), (465, "530 5.7.0")):
            tls = {} if port == 25 else {"tls": "TLSv1_2", "starttls": port == 587}
            begin = ["EHLO x\r\n", "STARTTLS\r\n"] if port == 587 else []
            parameters = {"server": address, "port": port, "send": [*begin, "EHLO x\r\n", f"MAIL FROM:<{SENDER}>\r\n", TO], **tls}
            command = ["runuser", "-u", "nosy", "--", "python3", "/usr/local/lib/smtp_session.py", json.dumps(parameters)]
            replies = json.loads(host.run(command))
            assert next(reply for reply in reversed(replies) if reply != "closed").startswith(accepted), (address, port, replies)
    assert "Permission denied" in host.call(["runuser", "-u", "nosy", "--", "python3", "-c", INTERNAL]).stderr
    for user in ("root", "mailops-rewrite"):
        assert host.run(["runuser", "-u", user, "--", "python3", "-c", INTERNAL]).startswith("220 ")


def test_local_user_submits_no_message(host: Host) -> None:
    host.run("id nosy 2> /dev/null || useradd --system nosy")
    done = host.call(f"printf 'Subject: x\\n\\n' | runuser -u nosy -- /usr/sbin/sendmail -f {SENDER} a@example.net")
    assert done.returncode != 0
    assert "not allowed to submit mail" in done.stdout + done.stderr + host.run(
        "journalctl --no-pager -t postfix/postdrop -t postfix/sendmail"
    )


def test_no_cipher_without_authentication_is_accepted(lab: Lab, host: Host) -> None:
    for port, version in ((25, "-tls1_2"), (587, "-tls1_2"), (465, "-tls1_2"), (LEGACY, "-tls1_2"), (LEGACY, "-tls1")):
        start = [] if port == 465 else ["-starttls", "smtp"]
        for ciphers, accepted in (("aNULL", False), ("eNULL", False), ("ALL", True)):
            command = ["openssl", "s_client", "-connect", f"{host.address}:{port}", *start, version, "-cipher", f"{ciphers}:@SECLEVEL=0"]
            done = lab.devices["printer"].call(command, text="QUIT\r\n", timeout=30)
            assert ("Cipher is (NONE)" not in done.stdout) == accepted, (port, version, ciphers, done.stdout)


def test_deleted_messages_do_not_delay_the_next_one(lab: Lab, host: Host) -> None:
    host.run(f"for i in $(seq 30); do printf 'Subject: x\\n\\n' | sendmail -f {SENDER} a@example.net; done")
    wait_until(lambda: len(host.run("postqueue -j").splitlines()) == 30, 30, "30 messages")
    assert "30 messages deleted" in host.run(f"mailops-relay delete {SENDER}")
    with upstream(lab) as server:
        swaks(lab, host, "printer")
        wait_until(lambda: server.count() == 1, 10, lambda: host.run("postqueue -p"))


def test_services_run_with_few_rights(host: Host) -> None:
    host.run("systemctl start mailops-relay-backup.service")
    assert host.run("ls /var/backups/mailops-relay").startswith("relay-")
    for unit in ("connection-limits", "backup", "sasl", "monitor"):
        analysis = host.run(f"systemd-analyze security --no-pager mailops-relay-{unit}.service")
        assert float(re.findall(r"exposure level for \S+: ([\d.]+)", analysis)[0]) <= 3.0, analysis
