"""Two relays, one a release, with devices of every kind; mail leaves by a connector, so that no tenant has to be built first."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testbed.host import Host
from testbed.world import World

REPO = Path(__file__).resolve().parent.parent.parent
CLIENT = Path(__file__).with_name("device.py")
RELAYS = {"relay1": "bookworm", "relay2": "trixie"}
LEGACY = 2525
PASSWORD = "an old password"
VARIABLES: dict[str, Any] = {
    "m365_tenant": "contoso.com",
    "relay_upstream": "connector",
    "relay_mailboxes": [
        {"address": "scanner@contoso.com", "senders": ["scanner@contoso.com", "copier@contoso.com"], "messages_per_minute": 0},
        {"address": "erp@contoso.com", "messages_per_minute": 0},
    ],
    "relay_legacy_address": "{{ ansible_host }}",
    "relay_legacy_port": LEGACY,
    "relay_legacy_password_in_clear": True,
    "relay_devices": [
        {"name": "Printer", "networks": ["198.51.100.101"], "senders": ["scanner@contoso.com"]},
        {"name": "Scanner", "networks": ["198.51.100.102"], "senders": ["copier@contoso.com"], "rewrite": True},
        {"name": "ERP", "username": "erp", "password": PASSWORD, "senders": ["erp@contoso.com"]},
        {"name": "Pinned", "username": "pinned", "password": PASSWORD, "senders": ["erp@contoso.com"], "networks": ["198.51.100.103"]},
        {"name": "Camera", "username": "camera", "password": PASSWORD, "senders": ["scanner@contoso.com"], "rewrite": True},
    ],
}
PLAY = [
    {
        "hosts": "relays",
        "gather_facts": False,
        "tasks": [{"name": "Build", "ansible.builtin.include_role": {"name": "mailops.m365.relay_host"}}],
    }
]


def play(world: World, *options: str, **variables: Any) -> str:
    """Run the role on every host of the world; what Ansible said. Passwords reach it by a file, as an inventory would bring them."""
    book, told = world.directory / "play.yml", world.directory / "variables.yml"
    book.write_text(json.dumps(PLAY), encoding="utf-8")
    told.write_text(json.dumps(VARIABLES | variables), encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", str(world.inventory), str(book), "-e", f"@{told}", *options]
    return world.network.run(command, timeout=600, environment={"ANSIBLE_FORCE_COLOR": "0"}).stdout


def build(world: World) -> dict[str, Host]:
    hosts = {name: world.boot(name, release) for name, release in RELAYS.items()}
    world.admin.put(
        "contoso.com",
        "inbound_connectors",
        "Relays",
        SenderDomains=["*"],
        SenderIPAddresses=["203.0.113.21", "203.0.113.22"],
        ConnectorType="OnPremises",
    )
    play(world)
    return hosts


class Relay:
    """A relay as its devices see it."""

    def __init__(self, world: World, host: Host) -> None:
        self.world, self.host = world, host

    def _client(self, device: str, order: dict[str, Any]) -> dict[str, Any]:
        done = self.world.devices[device].call([sys.executable, CLIENT], text=json.dumps({"host": self.host.address, "port": 25} | order))
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def send(self, device: str, message: str, sender: str = "scanner@contoso.com", **order: Any) -> dict[str, Any]:
        return self._client(device, {"recipients": ["ada@contoso.com"]} | order | {"sender": sender, "message": message})

    def sign_in(self, device: str, user: str, message: str, sender: str, password: str = PASSWORD, **order: Any) -> dict[str, Any]:
        ways = {"port": 465, "tls": "wrapped"} | order
        return self.send(device, message, sender, user=user, password=password, **ways)

    def talk(self, device: str, *pieces: str, port: int = 25) -> list[str]:
        return list(self._client(device, {"raw": list(pieces), "port": port})["answers"])

    def delivered(self, subject: str, patience: float = 20) -> dict[str, Any]:
        """The one message with this subject that Microsoft 365 received: {mail_from, recipients, header, body}."""
        found = self.arrived(subject)
        limit = time.monotonic() + patience
        while not found and time.monotonic() < limit:
            time.sleep(0.2)
            found = self.arrived(subject)
        assert len(found) == 1, f"{len(found)} messages {subject}; {self.host.run('postqueue -p')}"
        return found[0]

    def arrived(self, subject: str) -> list[dict[str, Any]]:
        found = []
        for one in self.world.admin.messages():
            head, _, body = self.world.admin.raw_message(one["number"]).partition(b"\r\n\r\n")
            header = head.decode("latin-1").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
            if f"Subject: {subject}" in header:
                found.append({**one, "header": header, "body": body})
        return found

    def quiet(self) -> None:
        """Until nothing waits."""
        until(lambda: "is empty" in self.host.run("postqueue -p"))


def until(come: Callable[[], bool], seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.2)


def fields(message: dict[str, Any], name: str) -> list[str]:
    return [line.partition(":")[2].strip() for line in message["header"] if line.lower().startswith(f"{name.lower()}:")]
