"""A device and the way from it to the mail servers, with a cause of trouble on it: the packet filter, a proxy, DNS, the link.

The servers are a lab's (testbed/lab.py) without hosts: the emulator at Microsoft's names and ports. The faults are on the hub, which all
packets pass.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from testbed.addresses import BRIDGE, HOSTED, HUB, address
from testbed.lab import Lab
from testbed.network import REPO, Network, NetworkError

DEVICE = "printer"
INTERNAL_DNS = address(16)
# Program -> the Debian package that has it.
_PROGRAMS = {"ip": "iproute2", "nft": "nftables", "nsenter": "util-linux", "unshare": "util-linux"}
_PROXY_PORT, _TLS_PORT = 10025, 10465
_CHAINS = """
add table ip path
add chain ip path inbound { type filter hook prerouting priority -150; }
add chain ip path outbound { type filter hook output priority 0; }
add chain ip path nat { type nat hook prerouting priority -100; }
add chain ip path source { type nat hook input priority 100; }
"""
_PROBE = """
import json, sys
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils.resources.mail_path_probe import RESOURCE
options = json.loads(sys.argv[1])
for _number in range(int(sys.argv[2])):
    print(json.dumps(run(RESOURCE, options, check_mode=False)), flush=True)
"""


def missing() -> str:
    """Why such a path cannot be made here; empty where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "Test hosts need root on Linux."
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian package {package})"
    return ""


class MailPath:
    """The path from the device to the servers, clean at first. `make` starts it, `stop` ends all of it."""

    def __init__(self, directory: Path) -> None:
        self.network = Network(directory / "network")
        self.lab = Lab(directory / "lab", self.network)

    def make(self) -> None:
        self.network.start()
        self.lab.up({})
        self.network.run(["ip", "address", "add", f"{INTERNAL_DNS}/24", "dev", BRIDGE])
        self._chain = contextlib.ExitStack()
        self._chain.enter_context(self.dns_servers(HUB))
        self._base()

    def _base(self) -> None:
        """The hosted relays' ports beside 587, which the emulator does not serve in a lab."""
        rules = [f"add rule ip path nat ip daddr {place} tcp dport 25 dnat to :587" for place in HOSTED.values()]
        rules += [f"add rule ip path nat ip daddr {place} tcp dport 465 dnat to {HUB}:{_TLS_PORT}" for place in HOSTED.values()]
        self.network.run(["sysctl", "-q", "-w", "net.ipv4.icmp_ratelimit=0"])  # many probes of routes at a time
        self.filter(_CHAINS + "\n".join(rules))
        tls = self.lab.sandbox.tls
        both = self.lab.directory / "server-both.pem"
        both.write_bytes((tls / "server.pem").read_bytes() + (tls / "server.key").read_bytes())
        self._chain.enter_context(self._server("testbed.mail_proxy", "implicit", str(_TLS_PORT), "--certificate", str(both)))

    def stop(self) -> None:
        self._chain.close()
        self.network.stop()

    # -- causes ---------------------------------------------------------------------------------------------------

    def filter(self, rules: str) -> None:
        """Add rules of nftables."""
        self.network.run(["nft", "-f", "-"], text=rules)

    @contextlib.contextmanager
    def filtered(self, *rules: str) -> Iterator[None]:
        """Rules in the chains `inbound` (to the servers), `outbound` (to the device), `nat` and `source` (the device's address)."""
        handles = [self._insert(rule) for rule in rules]
        try:
            yield
        finally:
            for chain, handle in handles:
                self.network.run(["nft", "delete", "rule", "ip", "path", chain, "handle", handle])

    def _insert(self, rule: str) -> tuple[str, str]:
        """Before the others of its chain; its chain and handle."""
        told = self.network.run(["nft", "-e", "-a", "insert", "rule", "ip", "path", *rule.split()]).stdout
        return rule.split()[0], told.rpartition("# handle ")[2].split()[0]

    @contextlib.contextmanager
    def proxied(self, kind: str, ports: str, *options: str) -> Iterator[None]:
        """A proxy of testbed/mail_proxy.py on the path to these ports."""
        with self._server("testbed.mail_proxy", kind, str(_PROXY_PORT), *options):
            rule = f"nat iifname {BRIDGE} tcp dport {ports} dnat to {HUB}:{_PROXY_PORT}"
            with self.filtered(rule):
                yield

    @contextlib.contextmanager
    def internal_dns(self, *own: str) -> Iterator[None]:
        """The device asks an internal DNS server, which answers these names (NAME=ADDRESS) itself."""
        with self._server("testbed.internal_dns", INTERNAL_DNS, HUB, *own), self.dns_servers(INTERNAL_DNS):
            yield

    @contextlib.contextmanager
    def dns_servers(self, *addresses: str) -> Iterator[None]:
        """The device has these DNS servers. It waits long for an answer: a busy machine is no fault of DNS."""
        file = self.network.directory / "resolv.conf"
        before = file.read_text(encoding="utf-8")
        servers = "".join(f"nameserver {server}\n" for server in addresses)
        file.write_text(f"{servers}options timeout:30 attempts:3\n", encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(before, encoding="utf-8")

    @contextlib.contextmanager
    def hosts_file(self, *lines: str) -> Iterator[None]:
        """The device has this /etc/hosts."""
        file = self.network.directory / "hosts"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.network.run(["mount", "--bind", str(file), "/etc/hosts"])
        try:
            yield
        finally:
            self.network.run(["umount", "/etc/hosts"])

    @contextlib.contextmanager
    def lossy_return(self, rule: str) -> Iterator[None]:
        """The device loses packets of its servers by a rule: what the hub would not send, it would not send again either."""
        table = "add table ip loss; add chain ip loss arriving { type filter hook input priority 0; }; add rule ip loss arriving "
        self._on_device(table + rule)
        try:
            yield
        finally:
            self._on_device("delete table ip loss")

    def _on_device(self, rules: str) -> None:
        done = self.lab.devices[DEVICE].call(["nft", rules])
        if done.returncode:
            raise NetworkError(done.stderr)

    @contextlib.contextmanager
    def small_mtu(self, size: int) -> Iterator[None]:
        """Packets above the size disappear on the link, both ways, without an ICMP message."""
        # A segment is one packet then, as on a line: what the kernel bundles would pass.
        self.network.run(["ip", "link", "set", BRIDGE, "gso_max_segs", "1"])
        with self.filtered(f"inbound iifname {BRIDGE} meta length gt {size} drop", f"outbound oifname {BRIDGE} meta length gt {size} drop"):
            yield
        self.network.run(["ip", "link", "set", BRIDGE, "gso_max_segs", "65535"])

    @contextlib.contextmanager
    def _server(self, module: str, *arguments: str) -> Iterator[None]:
        """A process of the testbed in the hub, from when it is ready."""
        process = subprocess.Popen(
            [*self.network.inside, sys.executable, "-m", module, *arguments],
            cwd=REPO,
            env=self.network.environment | {"PYTHONPATH": str(REPO)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        output: IO[str] = process.stdout or sys.stdin
        try:
            if not output.readline().startswith("ready"):
                raise NetworkError(f"{module} {' '.join(arguments)} did not start")
            yield
        finally:
            process.communicate(timeout=20)  # the end of its standard input ends it; a signal would end nsenter only

    # -- the probe ------------------------------------------------------------------------------------------------

    def probe(self, times: int = 1, trust: Path | None = None, **options: Any) -> list[dict[str, Any]]:
        """The results of module mail_path_probe, run on the device one after the other. `trust`: the device's file of CAs."""
        values = {
            "domains": ["contoso.com"], "cloud": "global", "hosted_relays": ["smtp2go", "sendgrid", "mailgun"], "endpoints": [],
            "samples": 3, "duration": 0, "timeout": 60, "public_dns_servers": [HUB], "certificate_issuers": ["Emulator"],
            "device_tls": None, "required": False,
        }  # fmt: skip
        command = [sys.executable, "-c", _PROBE, json.dumps(values | options), str(times)]
        environment = {"PYTHONPATH": str(REPO / ".ansible" / "collections")}
        if trust:
            environment |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), str(trust))
        done = self.run(command, environment, timeout=1800 + 60 * times)
        results: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
        if len(results) != times:
            raise NetworkError(done.stderr[-3000:])
        return results

    def run(self, command: Sequence[str], environment: dict[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
        """Run a command on the device."""
        return self.lab.devices[DEVICE].call(command, environment=environment, timeout=timeout)
