"""A relay host deployed by playbook site, with devices that send and messages that are counted by Message-ID."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.host import Host
from testbed.lab import Lab
from testbed.network import Device, Network

REPO = Path(__file__).resolve().parent.parent.parent
SENDING_DEVICE = Path(__file__).with_name("sending_device.py")
SMTP_SESSION = Path(__file__).with_name("smtp_session.py")
ACCEPTED, UNKNOWN, REFUSED = "accepted", "unknown", "refused"
# A state that an idle machine reaches in a number of seconds may take so many times longer on a busy one.
BUSY = 4
LONGEST_PAUSE = 1.5  # seconds between two looks at a state that takes long


def wait_until(condition: Callable[[], Any], seconds: float, what: str | Callable[[], object]) -> Any:
    """The first true value of the condition; a failure with `what` where that takes longer than `seconds` on an idle machine."""
    limit, pause = time.monotonic() + BUSY * seconds, 0.2
    while not (value := condition()):
        assert time.monotonic() < limit, f"not within {BUSY * seconds:.0f} s: {what() if callable(what) else what}"
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST_PAUSE)  # most conditions run a program on the host, which others wait for, too
    return value


def smtp_session(device: Device, server: str, lines: Sequence[str], port: int = 25, **more: Any) -> list[str]:
    """The replies to raw bytes that a device sends: see smtp_session.py, also for `more`."""
    parameters = json.dumps({"server": server, "port": port, "send": list(lines)} | more)
    done = device.call([sys.executable, str(SMTP_SESSION)], text=parameters, timeout=BUSY * 60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def ipv6(of: Host | Device) -> str:
    """Its address in 2001:db8::/64 (RFC 3849), which ends like the IPv4 address."""
    return f"2001:db8::{of.address.rpartition('.')[2]}"


def add_ipv6(host: Host, *devices: Device) -> str:
    """Add these addresses to the host and the devices; the host's."""
    for one in (host, *devices):
        done = one.call(["ip", "-6", "address", "replace", f"{ipv6(one)}/64", "dev", "eth0", "nodad"])
        assert done.returncode == 0, done.stderr
    return ipv6(host)


def connections(host: Host) -> list[str]:
    """The host's connections to the service, as ss prints them."""
    return host.run("ss -Htn state established '( dport = :587 )'").splitlines()


def close_connections(host: Host) -> None:
    """Wait until the relay has closed its idle connections: a fault of the greeting applies to new connections only."""
    wait_until(lambda: not connections(host), 30, "no connection to the service")


@dataclass
class Sending:
    """A device that sends; `outcome` waits for its end."""

    process: subprocess.Popen[str]

    def outcome(self, timeout: float = 120) -> dict[str, str]:
        """Message-ID -> accepted, unknown or refused with the reason."""
        stdout, stderr = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, stderr
        return dict(json.loads(stdout))


@dataclass
class Relay:
    """`mailbox`: what its devices send as; `device`: the namespace that they send from."""

    lab: Lab
    host: Host
    mailbox: str
    device: str = "printer"

    # -- sending --------------------------------------------------------------------------------------------------

    def start_sending(self, prefix: str, count: int, **more: Any) -> Sending:
        parameters = {"server": self.host.address, "prefix": prefix, "count": count, "sender": self.mailbox} | more
        device = ["ip", "netns", "exec", self.device, sys.executable, str(SENDING_DEVICE), json.dumps(parameters)]
        command = [*self.lab.network.inside, *device]
        return Sending(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True))

    @contextmanager
    def sending(self, prefix: str, stop_file: Path, **more: Any) -> Iterator[Sending]:
        """A device sends meanwhile, until `stop_file` exists; it is created at the end."""
        try:
            yield self.start_sending(prefix, 2000, until=str(stop_file), **more)
        finally:
            stop_file.touch()

    def send(self, prefix: str, count: int, **more: Any) -> dict[str, str]:
        """Send and wait; every message has to be accepted."""
        outcome = self.start_sending(prefix, count, **more).outcome()
        assert set(outcome.values()) == {ACCEPTED}, outcome
        return outcome

    # -- counting -------------------------------------------------------------------------------------------------

    def arrived(self, prefix: str) -> Counter[str]:
        """Message-ID (without brackets) -> how often the service accepted it."""
        ids = (str(message["message_id"]).strip("<>") for message in self.lab.admin.messages())
        return Counter(number for number in ids if number.startswith(f"{prefix}-"))

    def queue(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.host.run("postqueue -j").splitlines()]

    def status(self) -> dict[str, Any]:
        """The output of `mailops-relay status --json`."""
        done = self.host.call("mailops-relay status --json")
        assert done.returncode in (0, 1), done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def reasons(self) -> set[str]:
        """Postfix's reasons of the queued messages."""
        return {recipient.get("delay_reason", "") for entry in self.queue() for recipient in entry["recipients"]}

    def wait_until_empty(self, seconds: float = 120) -> None:
        """Wait until the queue is empty, without a flush."""
        wait_until(lambda: not self.queue(), seconds, lambda: f"an empty queue; waiting for: {self.reasons()}")

    def flush(self, seconds: float = 60) -> None:
        """Flush the queue until it is empty."""
        limit = time.monotonic() + BUSY * seconds
        while self.queue():
            assert time.monotonic() < limit, f"still waiting: {self.reasons()}"
            self.host.run("postqueue -f")
            time.sleep(2)

    def deferred(self, count: int, seconds: float = 60) -> set[str]:
        """Wait until so many messages are deferred; the reasons."""
        wait_until(lambda: sum(1 for entry in self.queue() if entry["queue_name"] == "deferred") >= count, seconds, "deferred messages")
        return self.reasons()

    def duplicates(self, outcome: dict[str, str], prefix: str) -> list[str]:
        """Assert that no accepted message is lost and no refused one arrived; the Message-IDs that arrived more than once."""
        arrived = self.arrived(prefix)
        accepted = {number for number, what in outcome.items() if what == ACCEPTED}
        refused = {number for number, what in outcome.items() if what.startswith(REFUSED)}
        assert not accepted - set(arrived), f"lost: {sorted(accepted - set(arrived))}"
        assert not refused & set(arrived), f"refused, but sent: {sorted(refused & set(arrived))}"
        return sorted(number for number, times in arrived.items() if times > 1)

    def attempts(self, numbers: Iterable[str]) -> dict[str, list[str]]:
        """Message-ID -> Postfix's log lines of its delivery attempts, of which the last one succeeded."""
        result: dict[str, list[str]] = {number: [] for number in numbers}
        ids: dict[str, str] = {}
        for line in self.host.run(["journalctl", "--no-pager", "--output=cat", "--facility=mail"]).splitlines():
            queue_id, _, rest = line.partition(": ")
            if named := re.fullmatch(r"message-id=<(.+)>", rest):
                ids[queue_id] = named[1]
            elif " status=" in rest and (number := ids.get(queue_id)) in result:
                result[str(number)].append(line)
        for number, lines in result.items():
            assert lines, f"Postfix has no log line of {number}"
            assert " status=sent " in lines[-1], lines
        return result

    def failed_attempts(self, numbers: Iterable[str]) -> list[str]:
        """The log lines of failed attempts to deliver these messages."""
        return [line for lines in self.attempts(numbers).values() for line in lines if " status=sent " not in line]

    def delivered_once(self, duplicates: list[str]) -> dict[str, list[str]]:
        """Assert that Postfix logged one delivery of each of these: the reply to another did not reach it. Its attempts."""
        attempts = self.attempts(duplicates)
        for number, lines in attempts.items():
            assert len([line for line in lines if " status=sent " in line]) == 1, (number, lines)
        return attempts


def overlay(variables: dict[str, dict[str, Any]], senders: list[dict[str, Any]]) -> dict[str, Any]:
    """The inventory of a tenant's senders and its relays; `variables`: of all relays, by name."""
    return {"all": {"children": {"relays": {"hosts": variables}, "tenants": {"hosts": {"contoso": {"m365_senders": senders}}}}}}


def deploy(lab: Lab, variables: dict[str, dict[str, Any]], senders: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    """Run playbook site for the tenant's senders and these relays."""
    run_playbook(lab, "playbooks/site.yml", overlay(variables, senders), "--limit", ",".join(["contoso", *names]))


def run_playbook(lab: Lab, playbook: str, inventory: dict[str, Any], *arguments: str) -> str:
    """Run a playbook in the hub, with the lab's inventory and this one over it."""
    file = lab.directory / "overlay.json"
    file.write_text(json.dumps(inventory), encoding="utf-8")
    command = [Path(sys.executable).parent / "ansible-playbook", f"--inventory={lab.inventory}", f"--inventory={file}", playbook]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "NO_COLOR": "1", "ANSIBLE_NO_TARGET_SYSLOG": "1"}
    done = lab.network.call([*command, *arguments], timeout=600, environment=environment)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def block_network(network: Network, host: Host, *, ports: tuple[int, ...] = (25, 443, 587)) -> None:
    """Drop the host's packets to these ports silently, as in an outage."""
    listed = ", ".join(str(port) for port in ports)
    rule = f"add chain inet outage out {{ type filter hook output priority 0; }}; add rule inet outage out tcp dport {{ {listed} }} drop"
    network.run([*host.ssh, f"nft 'add table inet outage; {rule}'"])


def unblock_network(network: Network, host: Host) -> None:
    network.run([*host.ssh, "nft delete table inet outage"])
