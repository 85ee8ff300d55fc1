"""Relays that pass mail on to a server which takes everything: for tests of the queue, which need no tenant."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.addresses import HUB
from testbed.world import World

REPO = Path(__file__).resolve().parent.parent.parent
PORT = 2500
VARIABLES: dict[str, Any] = {
    "m365_tenant": "contoso.com",
    "relay_upstream": "smarthost",
    "relay_smarthost": {"host": HUB, "port": PORT, "tls": "none"},
    "relay_mailboxes": [{"address": "scanner@contoso.com", "messages_per_minute": 0}],
    "relay_devices": [{"name": "Third floor", "networks": ["198.51.100.101/32"], "senders": ["scanner@contoso.com"]}],
    "relay_fail2ban": False,
}


def play(world: World, host: str, *options: str, entry: str = "main", **variables: Any) -> subprocess.CompletedProcess[str]:
    """The role, or one of its entry points, on one host."""
    task = {"name": "Run the role", "ansible.builtin.include_role": {"name": "mailops.m365.relay_host", "tasks_from": entry}}
    book = world.directory / "play.json"
    book.write_text(json.dumps([{"hosts": host, "become": True, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    given = world.directory / "given.json"
    given.write_text(json.dumps(VARIABLES | variables), encoding="utf-8")
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", world.inventory, "-e", f"@{given}", *options, book]
    # Without the network's own place for SSH connections, one to another network's host of this address would do.
    environment = world.network.environment
    return subprocess.run([str(word) for word in command], cwd=REPO, env=environment, capture_output=True, text=True, check=False)


def played(world: World, host: str, *options: str, **more: Any) -> dict[str, int]:
    """The same, which must not fail: ok, changed, ... of the recap."""
    done = play(world, host, *options, **more)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    recap = next(line for line in done.stdout.splitlines() if line.startswith(f"{host} ") and "ok=" in line)
    return {name: int(value) for name, _sep, value in (word.partition("=") for word in recap.partition(":")[2].split())}


@dataclass
class Upstream:
    log: Path
    kept: Path

    def count(self) -> int:
        """How many messages it has taken."""
        return int(self.log.read_text().splitlines()[-1].split()[0].replace("ready", "0"))

    def messages(self) -> list[tuple[list[str], list[str], str]]:
        """Subjects, envelope (MAIL and RCPT, without what extensions add) and body of each, by subject."""
        found = []
        for file in self.kept.iterdir():
            message = json.loads(file.read_text())
            header, _, body = message["text"].partition("\r\n\r\n")
            subjects = [line for line in header.split("\r\n") if line.startswith("Subject:")]
            found.append((subjects, [line.partition(">")[0] + ">" for line in message["envelope"]], body))
        return sorted(found)


@contextmanager
def upstream(world: World) -> Iterator[Upstream]:
    """The server, for a while; what it took before is forgotten."""
    tls = world.sandbox.tls
    log, kept = world.directory / "sink.log", world.directory / "sink"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    command = [sys.executable, "-m", "bench.sink", "--host", HUB, "--port", str(PORT), "--keep", str(kept)]
    command += ["--chain", str(tls / "server.pem"), "--key", str(tls / "server.key")]
    with log.open("wb") as told:
        process = subprocess.Popen(command, cwd=REPO, stdout=told)
    try:
        while not log.read_text().startswith("ready"):
            assert process.poll() is None
        yield Upstream(log, kept)
    finally:
        process.terminate()
        process.wait(10)
