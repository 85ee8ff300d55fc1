"""Relay hosts with devices: two relays of one tenant, one of each Debian release, deployed by playbook site once a session.

Every device has its own network namespace; its messages are read from the emulator's mailboxes by Message-ID.
"""

from __future__ import annotations

import email
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from .relay import add_ipv6, smtp_session, wait_until

REPO = Path(__file__).resolve().parent.parent.parent
# Unique names: the relays of other tests may exist at the same time.
RELEASES = {release: name for release, name in (("bookworm", "office12"), ("trixie", "office13")) if release in image.tested()}
FIRST = next(iter(RELEASES.values()))
PRINTER, SCANNER, ERP = "printers@contoso.com", "scanner@contoso.com", "erp@contoso.com"
ADA = "ada@contoso.com"
USER, PASSWORD = "erp", "Rechnung: 5 Stück $"
PINNED, PINNED_PASSWORD = "copier", "pinned-to-one-address"
LEGACY = 2525
SIZE_LIMIT, RECIPIENTS = 29_000_000, 20
PORTS = (25, 465, 587, LEGACY)
SENDERS = [
    {"name": "Printer", "kind": "printer", "address": PRINTER, "relay_host": FIRST, "recipients": "internal"},
    {"name": "Scanner", "kind": "scanner", "address": SCANNER, "relay_host": FIRST, "recipients": "internal"},
    {"name": "ERP", "address": ERP, "oauth": False, "relay_host": FIRST, "recipients": "internal"},
]
DEVICES = [
    {"name": "Printer", "networks": ["198.51.100.101", "2001:db8::101"], "senders": [PRINTER]},
    {"name": "Scanner", "networks": ["198.51.100.102"], "senders": [SCANNER], "rewrite": True},
    {"name": "ERP", "username": USER, "password": PASSWORD, "senders": [ERP]},
    {"name": "Copier", "username": PINNED, "password": PINNED_PASSWORD, "networks": ["198.51.100.103"], "senders": [SCANNER]},
]


def deploy(lab: Lab) -> dict[str, DeviceRelay]:
    """Deploy the relays; release -> relay."""
    device_relays = {release: DeviceRelay(lab, lab.boot(name, release, installed=True)) for release, name in RELEASES.items()}
    hosts = {relay.host.name: _variables(relay) for relay in device_relays.values()}
    children = {"relays": {"hosts": hosts}, "tenants": {"hosts": {"contoso": {"m365_senders": SENDERS}}}}
    overlay = lab.directory / "devices.json"
    overlay.write_text(json.dumps({"all": {"children": children}}), encoding="utf-8")
    programs = Path(sys.executable).parent
    command = [programs / "ansible-playbook", f"--inventory={lab.inventory}", f"--inventory={overlay}", "playbooks/site.yml"]
    environment = {"PATH": f"{programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NO_COLOR": "1"}
    done = lab.network.call([*command, "--limit", ",".join(["contoso", *hosts])], timeout=600, environment=environment)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-3000:]}"
    return device_relays


def _variables(relay: DeviceRelay) -> dict[str, Any]:
    boxes = [{"address": address, "messages_per_minute": 0, "connections": 1} for address in (PRINTER, SCANNER, ERP)]
    return {
        "relay_tenant": "contoso",
        "relay_peer_of": "" if relay.host.name == FIRST else FIRST,
        "relay_mailboxes": boxes,
        "relay_devices": DEVICES,
        "relay_legacy_address": relay.host.address,
        "relay_legacy_port": LEGACY,
        "relay_legacy_cleartext_auth": relay.allows_cleartext_auth,
        "relay_message_size_limit": SIZE_LIMIT,
        "relay_recipients_per_message": RECIPIENTS,
        "relay_postmaster": ADA,
    }


@dataclass
class DeviceRelay:
    lab: Lab
    host: Host

    @property
    def allows_cleartext_auth(self) -> bool:
        """Whether its legacy listener offers AUTH without TLS: one of the two relays does."""
        return self.host.release == "trixie"

    @property
    def name(self) -> str:
        return f"{self.host.name}.contoso.com"

    # -- devices --------------------------------------------------------------------------------------------------

    def run_on(self, device: str, command: Sequence[str | Path], **options: Any) -> CompletedProcess[str]:
        """Run a client on a device."""
        return self.lab.devices[device].call(command, **options)

    def swaks(self, device: str, sender: str, *arguments: str, to: str = ADA, port: int = 25) -> CompletedProcess[str]:
        common = ["--server", self.host.address, "--port", str(port), "--ehlo", "copier.local", "--from", sender, "--to", to]
        return self.run_on(device, ["swaks", *common, "--timeout", "20", *arguments])

    def smtp_session(self, device: str, lines: Sequence[str], port: int = 25, **more: Any) -> list[str]:
        """The replies to raw bytes: see smtp_session.py."""
        server = more.pop("server", self.host.address)
        return smtp_session(self.lab.devices[device], server, lines, port, **more)

    def add_ipv6(self, *devices: str) -> str:
        """Add IPv6 addresses to the relay and these devices; the relay's."""
        return add_ipv6(self.host, *(self.lab.devices[device] for device in devices))

    # -- received mail ---------------------------------------------------------------------------------------------

    def arrived(self, number: str) -> list[dict[str, Any]]:
        """The messages with this Message-ID that the service accepted."""
        return self.lab.admin.messages(message_id=number)

    def message_numbers(self) -> set[int]:
        """The numbers of all messages so far."""
        return {message["number"] for message in self.lab.admin.messages()}

    def messages_since(self, before: set[int]) -> list[dict[str, Any]]:
        """The messages that are not among `before`."""
        return [message for message in self.lab.admin.messages() if message["number"] not in before]

    def receive(self, number: str, seconds: float = 30) -> tuple[dict[str, Any], Message]:
        """Wait for the one message with this Message-ID: the service's record of it, and the message."""
        limit = time.monotonic() + 2
        while not self.arrived(number) and time.monotonic() < limit:
            time.sleep(0.1)
        if not self.arrived(number):
            self.host.run("postqueue -f")  # it may have been deferred by the connection limit
        (record,) = wait_until(lambda: self.arrived(number), seconds, lambda: f"{number}; {self.host.call('postqueue -p').stdout}")
        return record, email.message_from_bytes(self.lab.admin.raw_message(record["number"]))

    def certificate(self, directory: Path) -> Path:
        """The relay's own certificate, as it is copied to a device that verifies it."""
        file = directory / "relay.pem"
        file.write_text(self.host.read("/etc/mailops-relay/server.cert.pem"), encoding="ascii")
        return file

    def wait_until_empty(self, seconds: float = 90) -> None:
        """Wait until the queue is empty."""
        wait_until(lambda: not self.host.run("postqueue -j"), seconds, "an empty queue")

    def log(self) -> list[str]:
        """The journal's entries of the mail facility."""
        return self.host.run(["journalctl", "--no-pager", "--output=cat", "--facility=mail"]).splitlines()
