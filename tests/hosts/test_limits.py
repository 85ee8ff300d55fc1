"""Limits of a relay: clients that hold connections, sizes around the limit, full disks, guessed passwords, local users, few rights.

One relay serves all tests. Its upstream is Mailgun, whose part the tests' server has: it offers SMTPUTF8.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed import image
from testbed.addresses import HUB
from testbed.host import Host
from testbed.lab import Lab

from . import smtputf8
from .health import METRICS, failing_in_metrics, first_line, forget_limits, healthy, problems, status, wait_for_first_line
from .relay import BUSY, SMTP_SESSION, add_ipv6, ipv6, smtp_session, wait_until
from .smarthost_relay import PORT, run_role, upstream

SENDER = "scanner@contoso.com"
PASSWORD = "correct horse"
SIZE = 100_000
CONNECTIONS, PROCESSES = 10, 100
PORTS = {25: [], 587: ["-tls"], 465: ["-tlsc"], 2525: ["-tls"]}
DEVICES = [
    {"name": "Printer", "networks": ["198.51.100.101"], "senders": [SENDER]},
    {"name": "Scanner", "networks": ["198.51.100.102"], "senders": [SENDER], "rewrite": True},
    {"name": "Copier", "networks": ["198.51.100.103"], "senders": [SENDER]},
    {"name": "ERP", "username": "erp", "password": PASSWORD, "senders": [SENDER]},
    {"name": "Plotter", "username": "plotter", "password": PASSWORD, "senders": [SENDER], "rewrite": True},
]
LEGACY = 2525
TO = "RCPT TO:<a@example.net>\r\n"
UNKNOWN_CLIENTS = [f"198.18.{number}.1" for number in range(12)]  # RFC 2544, each in a network of its own
KNOWN_CLIENTS = [f"10.1.{number}.1" for number in range(12)]  # RFC 1918
# Addresses of one network, an IPv4 /24 and an IPv6 /64 (RFC 3849). Postfix itself counts by IPv6 /84.
NEIGHBOURS = {
    "ipv4": ["198.18.0.1", "198.18.0.2", "198.18.0.3"],
    "ipv6": ["2001:db8:7:0:1::1", "2001:db8:7:0:2::1", "2001:db8:7:0:3::1"],
}
VARIABLES: dict[str, Any] = {
    "relay_upstream": "mailgun",
    "relay_smarthost": {"host": HUB, "port": PORT, "tls": "encrypt", "username": "relay@contoso.com", "password": "of Mailgun"},
    "relay_devices": DEVICES,
    "relay_message_size_limit": SIZE,
    "relay_connections_per_client": CONNECTIONS,
    "relay_processes": PROCESSES,
    "relay_metrics_directory": METRICS,
}
HOLD = """
import contextlib, socket, sys
held = []
for _number in range(int(sys.argv[3])):
    with contextlib.suppress(ConnectionRefusedError):
        held.append(socket.create_connection((sys.argv[1], int(sys.argv[2])), 60))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    booted = lab.boot(f"limits{request.param}", request.param)
    run_role(lab, booted.name, **VARIABLES, relay_legacy_address=booted.address)
    outsider = lab.devices["outsider"]
    add_ipv6(booted, outsider)
    for network, gateway in (("198.18.0.0/15", outsider.address), ("10.1.0.0/16", outsider.address), ("2001:db8:7::/64", ipv6(outsider))):
        booted.run(f"ip route add {network} via {gateway}")
    for address in [*UNKNOWN_CLIENTS, *KNOWN_CLIENTS, *NEIGHBOURS["ipv4"], *NEIGHBOURS["ipv6"]]:
        prefix = "128 nodad" if ":" in address else "32"
        assert not outsider.call(["ip", "address", "replace", *f"{address}/{prefix}".split(), "dev", "lo"]).returncode
    yield booted
    lab.remove(booted.name)


def swaks(lab: Lab, host: Host, device: str, *arguments: str, port: int = 25, authenticate: bool = True) -> str:
    """The dialogue of one message; except on port 25 the device authenticates."""
    user = ["--auth", "PLAIN", "--auth-user", "erp", "--auth-password", PASSWORD, *PORTS[port]]
    login = user if port != 25 and authenticate else []
    command = ["swaks", "--server", host.address, "--port", str(port), "--from", SENDER, "--to", "a@example.net", "--timeout", "20", *login]
    done = lab.devices[device].call([*command, *arguments], timeout=BUSY * 60)
    return f"{done.stdout}\n{done.stderr}"


def sized(size: int) -> str:
    """Message data of exactly so many bytes as SMTP counts them, in lines of 78."""
    head = f"From: {SENDER}\r\nTo: a@example.net\r\nSubject: size\r\n\r\n"
    lines, rest = divmod(size - len(head), 80)
    last = "y" * (rest - 2) + "\r\n" if rest >= 2 else ""
    body = ("x" * 78 + "\r\n") * (lines if rest != 1 else lines - 1) + (last if rest != 1 else "y" * 79 + "\r\n")
    assert len(head + body) == size
    return head + body


TLS = {465: {"tls": "TLSv1_2"}, 587: {"tls": "TLSv1_2", "starttls": True}, LEGACY: {"tls": "TLSv1_2", "starttls": True}}


def begin(user: str, port: int) -> list[str]:
    """The commands before a message; "" for a network client, who uses no TLS."""
    hello = "EHLO copier\r\n"
    response = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
    return [hello, *([] if port == 465 else ["STARTTLS\r\n", hello]), f"AUTH PLAIN {response}\r\n"] if user else [hello]


def send_sizes(lab: Lab, host: Host, client: tuple[str, str, int], sizes: Sequence[int]) -> tuple[str, list[str]]:
    """The reply to EHLO, and the reply to each message of these sizes. `client`: device, user ("": none), port."""
    device, user, port = client
    message = [f"MAIL FROM:<{SENDER}>\r\n", TO, "DATA\r\n"]
    lines = [*begin(user, port), *(line for size in sizes for line in (*message, f"{sized(size)}.\r\n"))]
    replies = smtp_session(lab.devices[device], host.address, lines, port, **(TLS[port] if user else {}))
    return replies[1], replies[1 + len(begin(user, port)) :][3::4]


@contextmanager
def idle_clients(lab: Lab, host: Host, port: int, sources: list[str], each: int) -> Iterator[None]:
    """Clients at the outsider that open so many connections each, and another one for each that is closed."""
    program = Path(__file__).with_name("idle_clients.py")
    parameters = {"server": ipv6(host) if ":" in sources[0] else host.address, "port": port, "sources": sources, "each": each}
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
        else:
            assert f"port {port}" in problems(host)
    if port == 465:
        assert "unknown_clients" in failing_in_metrics(host), "nft runs in the sandbox of the metrics"


@pytest.mark.parametrize(("port", "family"), [(587, "ipv4"), (465, "ipv4"), (LEGACY, "ipv4"), (587, "ipv6"), (465, "ipv6")])
def test_network_of_unknown_clients_gets_few_connections(lab: Lab, host: Host, port: int, family: str) -> None:
    """Counted before TLS on port 465, too, and for a network of addresses. The legacy listener has an IPv4 address."""
    neighbours = NEIGHBOURS[family]
    network = "198.18.0." if family == "ipv4" else "2001:db8:7:"
    with idle_clients(lab, host, port, neighbours, CONNECTIONS):
        wait_until(lambda: connections(host, port, network) == CONNECTIONS, 20, lambda: connections(host, port, network))
        assert "250 2.1.5 Ok" in swaks(lab, host, "outsider", "--quit-after", "RCPT", port=port)


def test_connection_limits_survive_nftables(host: Host) -> None:
    unit = "mailops-relay-connection-limits.service"
    for command in ("systemctl restart nftables", "systemctl reload nftables"):
        host.run(command)  # which removes all tables; the unit's job follows
        wait_until(lambda: "chain relay" in host.call("nft list table inet mailops_relay").stdout, 10, command)
    host.run("nft flush ruleset")
    assert "all connections to the ports for SASL users" in problems(host)[unit]["cause"]
    assert "unit_not_running" in failing_in_metrics(host)
    host.run(f"systemctl restart {unit}")
    assert unit not in problems(host)


@contextmanager
def holding_printer(lab: Lab, host: Host, port: int) -> Iterator[None]:
    """A network client, which Postfix exempts from such limits by default, holds more connections than one client may have."""
    command = [*lab.network.inside, "ip", "netns", "exec", "printer", sys.executable, "-c", HOLD]
    with subprocess.Popen([*command, host.address, str(port), "60"], stdin=-1, stdout=-1, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            assert process.stdin
            process.stdin.close()


@pytest.mark.parametrize("port", PORTS)
def test_device_that_holds_connections_does_not_lock_others_out(lab: Lab, host: Host, port: int) -> None:
    with holding_printer(lab, host, port):
        if port == 465:  # where the packet filter refuses further ones: Postfix counts connections after the TLS handshake only
            assert connections(host, port, "198.51.100.101") == CONNECTIONS
        dialogue = swaks(lab, host, "erp", "--quit-after", "RCPT", port=port)
        assert "250 2.1.5 Ok" in dialogue, dialogue
    if port != 465:
        wait_until(lambda: any("198.51.100.101" in subject for subject in problems(host)), 10, lambda: problems(host))
        remedy = next(problem["remedy"] for subject, problem in problems(host).items() if "198.51.100.101" in subject)
        assert "relay_connections_per_client" in remedy


def test_first_line_names_reached_limits(lab: Lab, host: Host) -> None:
    """Unknown clients, a device, and all connections of a listener."""
    forget_limits(host)
    with healthy(lab, host):
        with idle_clients(lab, host, 587, UNKNOWN_CLIENTS, CONNECTIONS):
            wait_for_first_line(host, "the queue is empty, 1 problem that can wait: port 587")
        forget_limits(host)
        with holding_printer(lab, host, 25):
            wait_for_first_line(host, "the queue is empty, 1 problem that can wait: unknown[198.51.100.101]")
            assert failing_in_metrics(host) == {"client_limit"}
        forget_limits(host)
        with idle_clients(lab, host, 587, KNOWN_CLIENTS, CONNECTIONS):
            wait_for_first_line(host, "the queue is empty, 1 problem to solve: submission")
            assert "process_limit" in failing_in_metrics(host)
        forget_limits(host)


CLIENTS = [
    ("printer", "", 25),
    ("scanner", "", 25),
    ("printer", "", LEGACY),
    ("scanner", "", LEGACY),
    *((device, user, port) for port in (587, 465) for device, user in (("erp", "erp"), ("outsider", "plotter"))),
]
EDGE = range(SIZE - 2000, SIZE + 1)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: "-".join(map(str, client)))
def test_messages_up_to_the_size_limit_are_accepted_and_sent(lab: Lab, host: Host, client: tuple[str, str, int]) -> None:
    """`scanner` and `plotter` are rewritten: their message passes Postfix twice. The next test has all sizes."""
    assert_sizes(lab, host, client, [*EDGE[:-3:400], *EDGE[-3:]])


@pytest.mark.tier_all
@pytest.mark.parametrize("client", CLIENTS[:2], ids=lambda client: "-".join(map(str, client)))
def test_message_of_every_size_up_to_the_limit_is_accepted_and_sent(lab: Lab, host: Host, client: tuple[str, str, int]) -> None:
    assert_sizes(lab, host, client, EDGE)


def assert_sizes(lab: Lab, host: Host, client: tuple[str, str, int], sizes: Sequence[int]) -> None:
    with upstream(lab) as server:
        for start in range(0, len(sizes), 100):
            hello, replies = send_sizes(lab, host, client, sizes[start : start + 100])
            assert f"SIZE {SIZE}" in hello
            refused = [pair for pair in zip(sizes[start:], replies, strict=False) if not pair[1].startswith("250 2.0.0")]
            assert refused == []
        _hello, replies = send_sizes(lab, host, client, [SIZE + 1])
        assert replies[0].startswith("552 5.3.4"), replies
        # postqueue can miss a message that moves between two queues: an empty list alone does not mean that all have left.
        wait_until(lambda: server.count() == len(sizes) and not host.run("postqueue -j"), 60 + len(sizes) / 5, server.count)


@pytest.mark.parametrize("device", ["printer", "scanner"])
def test_address_beyond_ascii_is_passed_on_to_a_server_that_offers_smtputf8(lab: Lab, host: Host, device: str) -> None:
    """RFC 6531. `scanner` is rewritten."""
    with upstream(lab, "--smtputf8") as server:
        smtputf8.assert_arrives(lab.devices[device], host, SENDER, server)


FILL = {
    "bytes": "dd if=/dev/zero of={path}/filler bs=4k || true",
    "files": "number=0; while touch {path}/filler.$number 2> /dev/null; do number=$((number + 1)); done",
}

# Without inodes Postfix's processes wait until they can create a file, and so does the device.
REFUSAL = {"bytes": "452 4.3.1 Insufficient system storage", "files": "Timeout (20 secs) waiting for server response"}
REQUIRED = {"/var/spool/postfix": (SIZE + 65536) * 3 // 2, "/var/lib/mailops-relay": 16 << 20}  # README: free space
DISK_CHECK = {"bytes": "disk_full", "files": "inodes_exhausted"}


@contextmanager
def full_disk(host: Host, path: str, what: str) -> Iterator[None]:
    """A copy of a directory on a disk of its own; first with little space, which is reported, then without free bytes or files."""
    units = "postfix mailops-relay-sasl mailops-relay-monitor mailops-relay-queue-actions.path"
    host.run(
        f"systemctl stop {units}; rm -rf /root/copied && cp -a {path} /root/copied && mount -t tmpfs -o size=50m,nr_inodes=3k tmpfs {path}"
    )
    host.run(f"cp -a /root/copied/. {path}/; chown --reference=/root/copied {path}; chmod --reference=/root/copied {path}")
    host.run(f"systemctl start {units}")
    try:
        if what == "bytes":
            host.run(f"fallocate -l $(($(df --output=avail --block-size=1 {path} | tail -1) - {2 * REQUIRED[path]})) {path}/large")
            assert problems(host)[path]["check"] == "disk_low"
        host.run(FILL[what].format(path=path))
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
        metrics = host.run("mailops-relay metrics")
        assert f'mailops_relay_health_check_failed{{check="{DISK_CHECK[what]}"}} 1' in metrics
        free = re.search(f'mailops_relay_free_{what}{{path="/var/lib/mailops-relay"}} (\\d+)', metrics)
        assert free
        assert int(free[1]) < 500 if what == "files" else int(free[1]) < REQUIRED["/var/lib/mailops-relay"]
        monitor = next(service for service in current["services"] if service["unit"] == "mailops-relay-monitor.service")
        assert (monitor["state"], monitor["restarts"]) == ("active", 0)


def test_queue_actions_survive_frequent_restarts(host: Host) -> None:
    """systemd refuses the sixth start within ten seconds by default."""
    unit = "mailops-relay-queue-actions.path"
    host.run(f"for i in $(seq 8); do systemctl restart {unit} || exit 1; done")
    assert host.run(f"systemctl is-active {unit}") == "active\n"


@pytest.mark.parametrize("port", [587, 465, LEGACY])
def test_right_password_is_accepted_beside_guesses(lab: Lab, host: Host, port: int) -> None:
    """From the same address, without fail2ban; every wrong one is refused as such."""
    wrong = base64.b64encode(b"\x00erp\x00wrong").decode()
    for _attempt in range(4):
        lines = [*begin("erp", port)[:-1], f"AUTH PLAIN {wrong}\r\n"]
        replies = smtp_session(lab.devices["outsider"], host.address, lines, port, **TLS[port])
        assert replies[-1].startswith("535 5.7.8"), replies
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
    host.write("/usr/local/lib/smtp_session.py", SMTP_SESSION.read_text(encoding="utf-8"))
    listeners = [(port, address) for port in (25, 587, 465) for address in ("127.0.0.1", "127.0.0.99", "::1", host.address)]
    for port, address in [*listeners, (LEGACY, host.address)]:
        lines = [*begin("erp", port)[:-1], f"MAIL FROM:<{SENDER}>\r\n", TO] if port != 25 else ["EHLO x\r\n"]
        parameters = json.dumps({"server": address, "port": port, "send": lines, **TLS.get(port, {})})
        replies = json.loads(host.run(["runuser", "-u", "nosy", "--", "python3", "/usr/local/lib/smtp_session.py"], text=parameters))
        refused = "521 5.7.1" if port == 25 else "530 5.7.0"
        assert next(reply for reply in reversed(replies) if reply != "closed").startswith(refused), (address, port, replies)
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
            done = lab.devices["printer"].call(command, text="QUIT\r\n")
            assert ("Cipher is (NONE)" not in done.stdout) == accepted, (port, version, ciphers, done.stdout)


def test_services_run_with_few_rights(host: Host) -> None:
    host.run("systemctl start mailops-relay-backup.service")
    assert host.run("ls /var/backups/mailops-relay").startswith("relay-")
    for unit in ("connection-limits", "backup", "sasl", "monitor", "queue-actions", "upstream-check", "metrics"):
        analysis = host.run(f"systemd-analyze security --no-pager mailops-relay-{unit}.service")
        assert float(re.findall(r"exposure level for \S+: ([\d.]+)", analysis)[0]) <= 3.0, analysis
