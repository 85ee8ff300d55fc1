"""A test host: a Debian system booted by systemd-nspawn on a root that all hosts of its release share, reached over SSH.

What it writes goes to a tmpfs of the network, and so does nothing of it remain. The processes of its system are the network's:
see testbed.network for how they end.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from testbed.addresses import HUB, address
from testbed.network import Network

_MOUNT = """
set -eu
disk=$1 lower=$2
mkdir -p "$disk/upper" "$disk/work" "$disk/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
"""
_UNMOUNT = """
umount "$1/root" && rm -rf "$1"
"""
# A control group of its own: systemd would otherwise wait for another host's services to end. The shell's number becomes nspawn's.
_NSPAWN = """
for top in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ -f "$top/cgroup.procs" ] || continue
    mkdir -p "$top/$1"
    echo $$ > "$top/$1/cgroup.procs"
done
echo $$ > "$2"
shift 2
exec "$@"
"""
# nspawn's own end leaves the system that it started running, so that comes first.
_KILL = """
pid=$(cat "$1")
system=$(cat "/proc/$pid/task/$pid/children")
kill -KILL $system $pid
# The first process of a PID namespace ends after all others, which nspawn does not wait for.
for process in $system; do
    while grep --quiet --no-messages "^State:[[:space:]]*[^Z]" "/proc/$process/status"; do sleep 0.05; done
done
"""
BOOT = 120.0  # seconds that a host may take to answer over SSH: two on an idle machine


class HostError(Exception):
    """A host did not do what it was asked; the text is what it said, or the end of its console."""


class Host:
    """A host by name; `start` boots it."""

    def __init__(self, network: Network, directory: Path, name: str, release: str, number: int) -> None:
        self.network, self.name, self.release, self.number = network, name, release, number
        self.address = address(number)
        self.directory = directory / "hosts" / name
        self.key = directory / "ssh" / "key"
        self.console = self.directory / "console.log"
        self._disk = network.directory / "disks" / name
        self._pid_file = self.directory / "pid"
        self._ssh_socket = network.ssh_directory / f"{name}.testbed"
        self._process: subprocess.Popen[bytes] | None = None

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self, image: Path) -> None:
        """Make its disk and its network, and boot it. `directory/seed` holds what it has beside the image."""
        lower = f"{self.directory / 'seed'}:{image}"
        self.network.run(["sh", "-c", _MOUNT, "sh", self._disk, lower])
        self.network.add_namespace(self.name, self.number)
        self._boot()

    def _boot(self) -> None:
        """Start its system; the terminal is script's, because systemd needs one."""
        nspawn = [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--directory={self._disk / 'root'}",
            f"--machine={self.name}",
            f"--hostname={self.name}",
            f"--network-namespace-path=/run/netns/{self.name}",
            "--capability=CAP_NET_ADMIN",
            "--register=no",
            "--keep-unit",
            "--kill-signal=SIGRTMIN+3",
            "--resolv-conf=off",
            "--timezone=off",
        ]
        command = shlex.join(["sh", "-c", _NSPAWN, "sh", self.network.group(self.name), str(self._pid_file), *nspawn])
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                [*self.network.inside, "script", "--quiet", "--return", "--flush", "--command", command, "/dev/null"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )

    def wait(self, patience: float = BOOT) -> None:
        """Until it answers over SSH."""
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            if self._process is not None and self._process.poll() is not None:
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self._listens() and self.call("true", timeout=10).returncode == 0:
                    return
            time.sleep(0.05)
        raise HostError(f"{self.name} did not boot within {patience:.0f} s; the end of its console:\n{self.console_text()[-3000:]}")

    def _listens(self) -> bool:
        with self.network.entered(), contextlib.suppress(OSError), socket.create_connection((self.address, 22), timeout=1):
            return True
        return False

    def reboot(self, patience: float = BOOT) -> None:
        """Reboot as an administrator does: services are stopped in order."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # ssh may not notice that the host has ended
            self.call("systemctl reboot", timeout=30)
        self._ended(patience)
        self._boot()
        self.wait(patience)

    def lose_power(self) -> None:
        """Everything on it ends at once; what was written stays on its disk. `power_on` boots it again."""
        self.network.call(["sh", "-c", _KILL, "sh", self._pid_file])
        self._ended(BOOT)

    def power_on(self, patience: float = BOOT) -> None:
        self._boot()
        self.wait(patience)

    def stop(self) -> None:
        """The host, its disk and its place on the network are gone."""
        self.lose_power()
        self.network.run(["sh", "-c", _UNMOUNT, "sh", self._disk])
        self.network.remove_namespace(self.name)
        self.network.remove_group(self.name)

    def _ended(self, patience: float) -> None:
        """Wait until nspawn has ended, in this process or another."""
        pid, limit = self._pid_file.read_text(encoding="ascii").strip(), time.monotonic() + patience
        while self.network.call(["kill", "-0", pid]).returncode == 0:
            if time.monotonic() > limit:
                raise HostError(f"{self.name} still runs after {patience:.0f} s; the end of its console:\n{self.console_text()[-3000:]}")
            time.sleep(0.05)
        if self._process is not None:
            self._process.wait(patience)
        # The next command makes a new connection, whether or not the old one has noticed its end.
        self.network.call([*self.ssh, "-O", "exit"])
        self._ssh_socket.unlink(missing_ok=True)

    # -- on it ----------------------------------------------------------------------------------------------------

    @property
    def ssh(self) -> list[str]:
        """How to get in, as root; a command may follow."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            # One connection for all commands: a handshake costs more than most of them.
            "ControlMaster": "auto",
            "ControlPath": str(self._ssh_socket),
            "ControlPersist": "yes",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
            "ServerAliveInterval": "5",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "BindAddress": HUB,
        }
        return ["ssh", "-F", "none", "-i", str(self.key), *(f"-o{name}={value}" for name, value in options.items()), f"root@{self.address}"]

    def call(self, command: str | Sequence[str], *, text: str | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a shell command, or a program with its arguments, on the host, whatever comes of it."""
        line = command if isinstance(command, str) else shlex.join(command)
        return self.network.call([*self.ssh, line], text=text, timeout=timeout)

    def run(self, command: str | Sequence[str], *, text: str | None = None, timeout: float = 120) -> str:
        """Output of a command on the host; HostError where it fails."""
        done = self.call(command, text=text, timeout=timeout)
        if done.returncode:
            words = command if isinstance(command, str) else shlex.join(command)
            raise HostError(f"{self.name}: {words[:200]}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Put a file onto the host, in one step."""
        quoted = shlex.quote(path)
        self.run(f"umask 077 && cat > {quoted}.new && chmod {mode:o} {quoted}.new && mv {quoted}.new {quoted}", text=content)

    def read(self, path: str) -> str:
        return self.run(["cat", path])

    def kill(self, unit: str, signal: str = "KILL") -> None:
        """Every process of a unit ends as if it had crashed."""
        self.run(["systemctl", "kill", f"--signal={signal}", unit])

    def journal(self, *arguments: str) -> str:
        """What its services wrote since it booted."""
        return self.run(["journalctl", "--boot", "--no-pager", "--output=short-precise", *arguments])

    def console_text(self) -> str:
        return self.console.read_text(encoding="utf-8", errors="replace") if self.console.exists() else ""
