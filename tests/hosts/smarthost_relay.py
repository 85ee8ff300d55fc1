"""Relays with a smart host that accepts every message: for tests of the queue, which need no tenant."""

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
from testbed.lab import Lab

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


def try_role(lab: Lab, host: str, *options: str, entry: str = "main", **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the role, or one of its entry points, on one host; it may fail."""
    task = {"name": "Run the role", "ansible.builtin.include_role": {"name": "mailops.m365.relay_host", "tasks_from": entry}}
    book = lab.directory / "play.json"
    book.write_text(json.dumps([{"hosts": host, "become": True, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    extra = lab.directory / "variables.json"
    extra.write_text(json.dumps(VARIABLES | variables), encoding="utf-8")
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", lab.inventory, "-e", f"@{extra}", *options, book]
    # With the network's own directory for SSH connections: another network may have a host of the same address.
    # Ansible's own output has the whole result of a failed task.
    environment = {**lab.network.environment, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    return subprocess.run([str(word) for word in command], cwd=REPO, env=environment, capture_output=True, text=True, check=False)


def run_role(lab: Lab, host: str, *options: str, **more: Any) -> dict[str, int]:
    """Run it successfully; ok, changed, ... of the recap."""
    done = try_role(lab, host, *options, **more)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    recap = next(line for line in done.stdout.splitlines() if line.startswith(f"{host} ") and "ok=" in line)
    return {name: int(value) for name, _sep, value in (word.partition("=") for word in recap.partition(":")[2].split())}


@dataclass
class Upstream:
    log: Path
    kept: Path

    def count(self) -> int:
        """How many messages it has accepted."""
        return int(self.log.read_text().splitlines()[-1].split()[0].replace("ready", "0"))

    def subjects(self) -> list[str]:
        """The header line of each message, in the order of their arrival."""
        texts = [json.loads(file.read_text())["text"] for file in sorted(self.kept.iterdir(), key=lambda file: int(file.stem))]
        return [next(line for line in text.split("\r\n") if line.startswith("Subject:")) for text in texts]

    def envelopes(self) -> list[list[str]]:
        """MAIL and RCPT of each message, with their parameters."""
        return [json.loads(file.read_text())["envelope"] for file in self.kept.iterdir()]

    def messages(self) -> list[tuple[list[str], list[str], str]]:
        """Subjects, envelope (MAIL and RCPT without parameters) and body of each message, by subject."""
        messages = []
        for file in self.kept.iterdir():
            message = json.loads(file.read_text())
            header, _, body = message["text"].partition("\r\n\r\n")
            subjects = [line for line in header.split("\r\n") if line.startswith("Subject:")]
            messages.append((subjects, [line.partition(">")[0] + ">" for line in message["envelope"]], body))
        return sorted(messages)


@contextmanager
def upstream(lab: Lab, *options: str) -> Iterator[Upstream]:
    """Run the server; its earlier messages are removed. `options`: of bench.sink."""
    tls = lab.sandbox.tls
    log, kept = lab.directory / "sink.log", lab.directory / "sink"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    command = [sys.executable, "-m", "bench.sink", "--host", HUB, "--port", str(PORT), "--keep", str(kept)]
    command += ["--chain", str(tls / "server.pem"), "--key", str(tls / "server.key"), *options]
    with log.open("wb") as stdout:
        process = subprocess.Popen(command, cwd=REPO, stdout=stdout)
    try:
        while not log.read_text().startswith("ready"):
            assert process.poll() is None
        yield Upstream(log, kept)
    finally:
        process.terminate()
        process.wait(10)
