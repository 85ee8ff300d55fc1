"""What the relay costs: messages a second and milliseconds of processor a message, against three others on the same host, to the same sink.

bare: Postfix without OAuth and without TLS, which uses its connections again: the limit, that nothing on the way to Microsoft 365 can
reach. plain: Postfix without OAuth, with TLS to the sink, as a Postfix is set up that hands its mail to a smart host: a TLS session a
message. relay: as role relay_host makes it (Postfix, Dovecot's proxy, XOAUTH2), without the pace. proxy: email-oauth2-proxy from PyPI
behind the same Postfix. Three connections each, as Microsoft allows a mailbox; the senders' path is all that differs. The processor time
is that of the services' control groups (Postfix, the submission proxy, email-oauth2-proxy), and not of who hands the messages over.
The sink (bench/sink.py) runs outside the host.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testbed import image, needs
from testbed.addresses import HUB
from testbed.host import Host, HostError
from testbed.lab import Lab
from testbed.network import Network, NetworkError

ROOT = Path(__file__).resolve().parent.parent
PORT, PROXY_PORT = 2600, 2588
PATHS = ("bare", "plain", "relay", "proxy")
UNITS = ("postfix.service", "postfix@-.service", "mailops-relay-proxy.service", "bench-proxy.service")
BETWEEN = ("mailops-relay-proxy.service", "bench-proxy.service")  # what stands between Postfix and the upstream
SIZE = 20_000
VARIABLES = {
    "m365_tenant": "contoso.com",
    "relay_client_id": "6a1d0b5e-1111-4c1e-9b3a-0a5f3d1c0001",
    "relay_mailboxes": [
        {"address": f"{name}@contoso.com", "messages_per_minute": 0, "connections": 3, "recipients_per_day": 0}
        for name in ("relay", "plain", "proxy", "bare")
    ],
    "relay_devices": [{"name": "Load", "networks": ["127.0.0.1"], "senders": [f"{path}@contoso.com" for path in PATHS]}],
    "relay_fail2ban": False,
}
# The others are mailboxes of the relay like its own, whose transports go elsewhere.
CHANGES = f"""
set -e
systemctl stop mailops-relay-token.timer
secret=$(cat /etc/mailops-relay/proxy.secret)
install -d -m 0755 /run/mailops-relay
echo "relay@contoso.com:{{PLAIN}}$secret::::::proxy=y host=smtp.office365.com port={PORT} starttls=yes proxy_mech=XOAUTH2 pass=$1" \
    > /run/mailops-relay/passdb
chown mailops-relay:dovecot /run/mailops-relay /run/mailops-relay/passdb
chmod 0640 /run/mailops-relay/passdb
sed -i 's/^plain@contoso.com .*/plain@contoso.com m365-2:[smtp.office365.com]:{PORT}/' /etc/postfix/m365/transports
sed -i 's/^proxy@contoso.com .*/proxy@contoso.com m365-3:[127.0.0.1]:{PROXY_PORT}/' /etc/postfix/m365/transports
sed -i 's/^bare@contoso.com .*/bare@contoso.com m365-4:[smtp.office365.com]:{PORT}/' /etc/postfix/m365/transports
echo "[127.0.0.1]:{PROXY_PORT} proxy@contoso.com:secret" > /etc/postfix/bench.passwd
postconf -P m365-2/unix/smtp_sasl_auth_enable=no m365-2/unix/smtp_tls_security_level=secure
postconf -P m365-4/unix/smtp_sasl_auth_enable=no m365-4/unix/smtp_tls_security_level=none \
    m365-4/unix/smtp_connection_cache_destinations=smtp.office365.com
postconf -P m365-3/unix/smtp_sasl_password_maps=texthash:/etc/postfix/bench.passwd
systemctl restart mailops-relay-proxy postfix
"""
PROXY = """
[SMTP-{port}]
local_address = 127.0.0.1
server_address = smtp.office365.com
server_port = {upstream}
server_starttls = True

[proxy@contoso.com]
token_url = https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token
oauth2_scope = https://outlook.office365.com/.default
oauth2_flow = client_credentials
redirect_uri = http://localhost
client_id = {client_id}
client_secret = {secret}
"""


class Sink:
    """The upstream, in the hub; `taken` is its count and the moment (time.monotonic) of the last message."""

    def __init__(self, lab: Lab) -> None:
        tls, self._log = lab.sandbox.tls, lab.directory / "sink.log"
        command = [sys.executable, "-m", "bench.sink", "--host", HUB, "--port", str(PORT)]
        command += ["--chain", str(tls / "server.pem"), "--key", str(tls / "server.key")]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*lab.network.inside_at(ROOT), *command], stdout=log, env=lab.network.environment)

    def taken(self) -> tuple[int, float]:
        last = self._log.read_text().rpartition("\n")[0].rpartition("\n")[2].split()
        return (int(last[0]), float(last[2])) if len(last) == 3 else (0, 0.0)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def _lab() -> Iterator[Lab]:
    image.make_all()
    with tempfile.TemporaryDirectory(prefix="mailops-bench-relay-") as name:
        network = Network(Path(name) / "network")
        network.start()
        try:
            lab = Lab(Path(name), network)
            lab.up({"relay1": "bookworm"})
            yield lab
        finally:
            network.stop()


def _build(lab: Lab) -> None:
    """The role, then the others beside it."""
    book = lab.directory / "play.json"
    role = {"hosts": "relay1", "become": True, "gather_facts": False, "roles": ["mailops.m365.relay_host"], "vars": VARIABLES}
    book.write_text(json.dumps([role]), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(lab.inventory), str(book)]
    done = subprocess.run(
        [*lab.network.inside_at(ROOT), *command], env=lab.network.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise HostError(done.stdout[-3000:] + done.stderr[-1000:])
    host = lab.hosts["relay1"]
    host.run(["sh", "-c", CHANGES, "sh", "t" * 1800])
    _proxy(lab, host)


def _proxy(lab: Lab, host: Host) -> None:
    """email-oauth2-proxy on the distribution's Python, as its own service."""
    folder = lab.directory / "wheel"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "emailproxy"],
        check=True,
        capture_output=True,
    )
    [wheel] = folder.glob("*.whl")
    subprocess.run([*lab.network.inside, *host.ssh, "cat > /root/emailproxy.zip"], input=wheel.read_bytes(), check=True)
    tenant = json.loads(lab.inventory.read_text())["all"]["children"]["tenants"]["hosts"]["contoso"]
    host.write(
        "/root/proxy.config",
        PROXY.format(port=PROXY_PORT, upstream=PORT, client_id=tenant["m365_client_id"], secret=tenant["m365_client_secret"]),
        0o600,
    )
    host.run(
        "mkdir -p /opt/proxy && cd /opt/proxy && python3 -m zipfile -e /root/emailproxy.zip . && apt-get install -qy python3-cryptography"
    )
    start = "python3 -m emailproxy --no-gui --config-file /root/proxy.config"
    host.run(f"systemd-run --unit=bench-proxy --working-directory=/opt/proxy {start}")


def _processor(host: Host) -> dict[str, int]:
    """Microseconds by unit."""
    loop = 'for unit; do for d in $(find /sys/fs/cgroup -type d -name "$unit"); do echo $unit $(head -n 1 $d/cpu.stat); done; done'
    result = dict.fromkeys(UNITS, 0)
    for line in host.run(["sh", "-c", loop, "sh", *UNITS]).splitlines():
        unit, _name, used = line.split()
        result[unit] += int(used)
    return result


def _round(host: Host, sink: Sink, path: str, messages: int) -> dict[str, float]:
    before, began = sink.taken()[0], time.monotonic()
    used = _processor(host)
    words = f"smtp-source -s 10 -m {messages} -l {SIZE} -f {path}@contoso.com -t x@example.net 127.0.0.1:25"
    host.run(words, timeout=300)
    limit = time.monotonic() + 300
    while sink.taken()[0] < before + messages:
        if time.monotonic() > limit:
            queue = host.run("postqueue -j | tail -n 2")
            raise HostError(f"{path}: {sink.taken()[0] - before} of {messages} messages arrived; the queue ends with {queue}")
        time.sleep(0.05)
    seconds = sink.taken()[1] - began
    spent = {unit: (after - used[unit]) / 1000 / messages for unit, after in _processor(host).items()}
    between = sum(spent[unit] for unit in BETWEEN)
    return {"messages_a_second": messages / seconds, "cpu_ms_a_message": sum(spent.values()), "cpu_ms_between": between}


def measure(messages: int = 1000, rounds: int = 3) -> dict[str, Any] | str:
    """The median of the rounds, which take turns; or the reason why it was skipped."""
    missing = needs.missing()
    if missing:
        return missing
    try:
        return _measured(messages, rounds)
    except (HostError, NetworkError, image.ImageError, OSError, subprocess.CalledProcessError) as error:
        return str(error)


def _measured(messages: int, rounds: int) -> dict[str, Any]:
    with _lab() as lab:
        _build(lab)
        host, sink = lab.hosts["relay1"], Sink(lab)
        try:
            time.sleep(2)
            for path in PATHS:
                _round(host, sink, path, 50)
            matches = [(path, _round(host, sink, path, messages)) for _number in range(rounds) for path in PATHS]
        finally:
            sink.stop()
    rows = {
        path: {name: round(statistics.median(row[name] for which, row in matches if which == path), 2) for name in matches[0][1]}
        for path in PATHS
    }
    return {"messages": messages, "size": SIZE, "paths": rows, **ratios(rows)}


def ratios(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """How the relay stands to the limits, and how many times its processor time the proxy takes: the whole path's, and its own part's."""
    bare, plain, relay, proxy = (rows[path] for path in PATHS)
    return {
        "relay_of_bare": round(relay["messages_a_second"] / bare["messages_a_second"], 2),
        "relay_of_plain": round(relay["messages_a_second"] / plain["messages_a_second"], 2),
        "proxy_path_cpu_times_relay": round(proxy["cpu_ms_a_message"] / relay["cpu_ms_a_message"], 1),
        "proxy_cpu_ratio": round(proxy["cpu_ms_between"] / relay["cpu_ms_between"], 1),
    }


def table(result: dict[str, Any] | str) -> str:
    if isinstance(result, str):
        return f"The relay was not measured: {result}"
    lines = [f"{'path':8}{'messages/s':>12}{'CPU ms/message':>16}{'of that between':>17}"]
    lines += [
        f"{path:8}{row['messages_a_second']:>12}{row['cpu_ms_a_message']:>16}{row['cpu_ms_between']:>17}"
        for path, row in result["paths"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    figures = measure()
    print(table(figures))
    print(json.dumps(figures, indent=2) if not isinstance(figures, str) else "")
