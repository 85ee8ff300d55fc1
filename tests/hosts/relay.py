"""A deployed relay host, as the tests of faults use it: brought there by playbook site, fed by devices, and counted by Message-ID."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.host import Host
from testbed.network import Network
from testbed.world import World

REPO = Path(__file__).resolve().parent.parent.parent
MAILER = Path(__file__).with_name("mailer.py")
ACCEPTED, UNKNOWN, REFUSED = "accepted", "unknown", "refused"
# A state that an idle machine reaches in a number of seconds may take so many times longer on a busy one.
BUSY = 4


def wait_until(come: Callable[[], Any], seconds: float, what: str | Callable[[], object]) -> Any:
    """The first true result of `come`; a failure with `what` where that takes longer than `seconds` on an idle machine."""
    limit = time.monotonic() + BUSY * seconds
    while not (found := come()):
        assert time.monotonic() < limit, f"not within {BUSY * seconds:.0f} s: {what() if callable(what) else what}"
        time.sleep(0.2)
    return found


def connections(host: Host) -> list[str]:
    """Those to the service, as ss says it."""
    return host.run("ss -Htn state established '( dport = :587 )'").splitlines()


def hang_up(host: Host) -> None:
    """Wait until the relay has let go of its idle connections: what is refused before a message begins concerns the next one."""
    wait_until(lambda: not connections(host), 30, "no connection to the service")


@dataclass
class Sending:
    """A device at work; `outcome` waits for its end."""

    process: subprocess.Popen[str]

    def outcome(self, patience: float = 120) -> dict[str, str]:
        """Message-ID -> accepted, unknown or refused with the reason."""
        said, problem = self.process.communicate(timeout=patience)
        assert self.process.returncode == 0, problem
        return dict(json.loads(said))


@dataclass
class Relay:
    """`mailbox` is the one that its devices send as; `device` the namespace they send from."""

    world: World
    host: Host
    mailbox: str
    device: str = "printer"

    # -- sending --------------------------------------------------------------------------------------------------

    def start_sending(self, prefix: str, count: int, **more: Any) -> Sending:
        order = {"server": self.host.address, "prefix": prefix, "count": count, "sender": self.mailbox} | more
        device = ["ip", "netns", "exec", self.device, sys.executable, str(MAILER), json.dumps(order)]
        command = [*self.world.network.inside, *device]
        return Sending(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True))

    @contextmanager
    def sending(self, prefix: str, enough: Path, **more: Any) -> Iterator[Sending]:
        """A device sends all the while. `enough` is the file that ends it, however the while ends."""
        try:
            yield self.start_sending(prefix, 2000, until=str(enough), **more)
        finally:
            enough.touch()

    def send(self, prefix: str, count: int, **more: Any) -> dict[str, str]:
        """Send and wait: every message has to be accepted."""
        outcome = self.start_sending(prefix, count, **more).outcome()
        assert set(outcome.values()) == {ACCEPTED}, outcome
        return outcome

    # -- counting -------------------------------------------------------------------------------------------------

    def arrived(self, prefix: str) -> Counter[str]:
        """Message-ID (without brackets) -> how often the service took it."""
        found = (str(message["message_id"]).strip("<>") for message in self.world.admin.messages())
        return Counter(number for number in found if number.startswith(f"{prefix}-"))

    def queue(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.host.run("postqueue -j").splitlines()]

    def status(self) -> dict[str, Any]:
        """What `mailops-relay status` says."""
        done = self.host.call("mailops-relay status --json")
        assert done.returncode in (0, 1), done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def reasons(self) -> set[str]:
        """Why messages wait, as Postfix says it."""
        return {recipient.get("delay_reason", "") for entry in self.queue() for recipient in entry["recipients"]}

    def drains(self, seconds: float = 120) -> None:
        """Wait until nothing waits any more, by itself."""
        wait_until(lambda: not self.queue(), seconds, lambda: f"an empty queue; waiting for: {self.reasons()}")

    def flush(self, seconds: float = 60) -> None:
        """The same, with every message tried now and not when Postfix's pace says so: other tests wait for that."""
        limit = time.monotonic() + BUSY * seconds
        while self.queue():
            assert time.monotonic() < limit, f"still waiting: {self.reasons()}"
            self.host.run("postqueue -f")
            time.sleep(2)

    def deferred(self, count: int, seconds: float = 60) -> set[str]:
        """Wait until so many messages wait with a reason; the reasons."""
        wait_until(lambda: sum(1 for entry in self.queue() if entry["queue_name"] == "deferred") >= count, seconds, "deferred messages")
        return self.reasons()

    def count(self, outcome: dict[str, str], prefix: str) -> list[str]:
        """Nothing is lost and nothing comes that was refused; the Message-IDs that came more than once."""
        arrived = self.arrived(prefix)
        accepted = {number for number, what in outcome.items() if what == ACCEPTED}
        refused = {number for number, what in outcome.items() if what.startswith(REFUSED)}
        assert not accepted - set(arrived), f"lost: {sorted(accepted - set(arrived))}"
        assert not refused & set(arrived), f"refused, and yet sent: {sorted(refused & set(arrived))}"
        return sorted(number for number, times in arrived.items() if times > 1)

    def attempts(self, numbers: Iterable[str]) -> dict[str, list[str]]:
        """Message-ID -> what Postfix says of its attempts to deliver the message, of which the last one succeeded."""
        found: dict[str, list[str]] = {number: [] for number in numbers}
        ids: dict[str, str] = {}
        for line in self.host.run(["journalctl", "--no-pager", "--output=cat", "--facility=mail"]).splitlines():
            queue_id, _, rest = line.partition(": ")
            if named := re.fullmatch(r"message-id=<(.+)>", rest):
                ids[queue_id] = named[1]
            elif " status=" in rest and (number := ids.get(queue_id)) in found:
                found[str(number)].append(line)
        for number, lines in found.items():
            assert lines, f"Postfix says nothing of {number}"
            assert " status=sent " in lines[-1], lines
        return found

    def late(self, numbers: Iterable[str]) -> list[str]:
        """The attempts to deliver these messages that did not succeed."""
        return [line for lines in self.attempts(numbers).values() for line in lines if " status=sent " not in line]

    def explain(self, twice: list[str]) -> dict[str, list[str]]:
        """Postfix knows of one delivery of each of these: the reply to another never reached it. Its attempts."""
        attempts = self.attempts(twice)
        for number, lines in attempts.items():
            assert len([line for line in lines if " status=sent " in line]) == 1, (number, lines)
        return attempts


def deploy(world: World, variables: dict[str, dict[str, Any]], senders: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    """Run playbook site for the tenant's senders and these of the relays; `variables` are those of all, by name."""
    overlay = {
        "all": {
            "children": {
                "relays": {"hosts": variables},
                "tenants": {"hosts": {"contoso": {"m365_senders": senders}}},
            }
        }
    }
    play(world, "playbooks/site.yml", overlay, "--limit", ",".join(["contoso", *names]))


def play(world: World, playbook: str, overlay: dict[str, Any], *arguments: str) -> str:
    """Run a playbook in the hub, with the world's inventory and more."""
    file = world.directory / "overlay.json"
    file.write_text(json.dumps(overlay), encoding="utf-8")
    command = [Path(sys.executable).parent / "ansible-playbook", f"--inventory={world.inventory}", f"--inventory={file}", playbook]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "NO_COLOR": "1", "ANSIBLE_NO_TARGET_SYSLOG": "1"}
    done = world.network.call([*command, *arguments], timeout=600, environment=environment)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def cut_off(network: Network, host: Host, *, ports: tuple[int, ...] = (25, 443, 587)) -> None:
    """The host's packets to these ports get lost on the way, as in an outage; nobody tells it."""
    listed = ", ".join(str(port) for port in ports)
    rule = f"add chain inet outage out {{ type filter hook output priority 0; }}; add rule inet outage out tcp dport {{ {listed} }} drop"
    network.run([*host.ssh, f"nft 'add table inet outage; {rule}'"])


def connect_again(network: Network, host: Host) -> None:
    network.run([*host.ssh, "nft delete table inet outage"])
