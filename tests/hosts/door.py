"""A relay host's doors as its devices see them: two relays of one tenant, one of each release, built by playbook site once a session.

Every device is a machine of its own (a network namespace); what it sends is looked for in the emulator's mailboxes by its Message-ID.
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
from testbed.world import World

from .relay import wait_until

REPO = Path(__file__).resolve().parent.parent.parent
# Names of their own: the relays of other tests may be there at the same time.
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


def _ipv6(address: str) -> str:
    return f"2001:db8::{address.rpartition('.')[2]}"


def _add_ipv6(address: str) -> list[str]:
    return ["ip", "-6", "address", "replace", f"{_ipv6(address)}/64", "dev", "eth0", "nodad"]


def build(world: World) -> dict[str, Door]:
    """Release -> relay, both deployed."""
    doors = {release: Door(world, world.boot(name, release)) for release, name in RELEASES.items()}
    hosts = {door.host.name: _variables(door) for door in doors.values()}
    children = {"relays": {"hosts": hosts}, "tenants": {"hosts": {"contoso": {"m365_senders": SENDERS}}}}
    overlay = world.directory / "doors.json"
    overlay.write_text(json.dumps({"all": {"children": children}}), encoding="utf-8")
    programs = Path(sys.executable).parent
    command = [programs / "ansible-playbook", f"--inventory={world.inventory}", f"--inventory={overlay}", "playbooks/site.yml"]
    environment = {"PATH": f"{programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NO_COLOR": "1"}
    done = world.network.call([*command, "--limit", ",".join(["contoso", *hosts])], timeout=600, environment=environment)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-3000:]}"
    return doors


def _variables(door: Door) -> dict[str, Any]:
    boxes = [{"address": address, "messages_per_minute": 0, "connections": 1} for address in (PRINTER, SCANNER, ERP)]
    return {
        "relay_tenant": "contoso",
        "relay_peer_of": "" if door.host.name == FIRST else FIRST,
        "relay_mailboxes": boxes,
        "relay_devices": DEVICES,
        "relay_legacy_address": door.host.address,
        "relay_legacy_port": LEGACY,
        "relay_legacy_cleartext_auth": door.takes_passwords_in_clear,
        "relay_message_size_limit": SIZE_LIMIT,
        "relay_recipients_per_message": RECIPIENTS,
        "relay_postmaster": ADA,
    }


@dataclass
class Door:
    world: World
    host: Host

    @property
    def takes_passwords_in_clear(self) -> bool:
        """On its legacy listener: one of the two relays does."""
        return self.host.release == "trixie"

    @property
    def name(self) -> str:
        return f"{self.host.name}.contoso.com"

    # -- devices --------------------------------------------------------------------------------------------------

    def on(self, device: str, command: Sequence[str | Path], **options: Any) -> CompletedProcess[str]:
        """Run a client as if on a device."""
        return self.world.devices[device].call(command, **options)

    def swaks(self, device: str, sender: str, *arguments: str, to: str = ADA, port: int = 25) -> CompletedProcess[str]:
        common = ["--server", self.host.address, "--port", str(port), "--ehlo", "copier.local", "--from", sender, "--to", to]
        return self.on(device, ["swaks", *common, "--timeout", "20", *arguments])

    def talk(self, device: str, lines: Sequence[str], port: int = 25, **more: Any) -> list[str]:
        """The replies to raw octets: see dialogue.py."""
        order = {"server": self.host.address, "port": port, "send": list(lines)} | more
        done = self.on(device, [sys.executable, str(Path(__file__).with_name("dialogue.py")), json.dumps(order)], timeout=60)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def over_ipv6(self, *devices: str) -> str:
        """Give the relay and these devices addresses of 2001:db8::/64 (RFC 3849); the relay's. Each ends as the IPv4 one does."""
        self.host.run(_add_ipv6(self.host.address))
        for device in devices:
            self.on(device, _add_ipv6(self.world.devices[device].address))
        return _ipv6(self.host.address)

    # -- what came ------------------------------------------------------------------------------------------------

    def arrived(self, number: str) -> list[dict[str, Any]]:
        """What the service took of this Message-ID."""
        return self.world.admin.messages(message_id=number)

    def numbers(self) -> set[int]:
        """Of what came until now."""
        return {message["number"] for message in self.world.admin.messages()}

    def since(self, before: set[int]) -> list[dict[str, Any]]:
        """What came since."""
        return [message for message in self.world.admin.messages() if message["number"] not in before]

    def receive(self, number: str, seconds: float = 30) -> tuple[dict[str, Any], Message]:
        """The one message of this Message-ID, once it is there: what the service knows of it, and itself."""
        limit = time.monotonic() + 2
        while not self.arrived(number) and time.monotonic() < limit:
            time.sleep(0.1)
        if not self.arrived(number):
            self.host.run("postqueue -f")  # a mailbox's connections may just have been too many
        (found,) = wait_until(lambda: self.arrived(number), seconds, lambda: f"{number}; {self.host.call('postqueue -p').stdout}")
        return found, email.message_from_bytes(self.world.admin.raw_message(found["number"]))

    def certificate(self, directory: Path) -> Path:
        """The relay's own, as somebody copies it to a device that verifies."""
        file = directory / "relay.pem"
        file.write_text(self.host.read("/etc/mailops-relay/server.cert.pem"), encoding="ascii")
        return file

    def idle(self, seconds: float = 90) -> None:
        """Wait until the relay has nothing left to do."""
        wait_until(lambda: not self.host.run("postqueue -j"), seconds, "an empty queue")

    def log(self) -> list[str]:
        """Everything in the journal that is about mail, a line a message."""
        return self.host.run(["journalctl", "--no-pager", "--output=cat", "--facility=mail"]).splitlines()
