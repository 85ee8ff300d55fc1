"""A test network: a hub with a bridge, on which hosts and devices have network namespaces of their own.

All of it lives in namespaces of its own process (testbed.supervisor), so that any number of networks, with the same addresses and
names, live side by side, and nothing is left when that process ends. Commands get inside by nsenter; a test's own process may
enter just the network (`enter`), so that its sockets are the hub's.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from testbed.addresses import BRIDGE, HUB, PREFIX, address

REPO = Path(__file__).resolve().parent.parent
# Set for commands that run in the network: its directory.
INSIDE = "MAILOPS_TEST_NETWORK"
_GROUPS = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/systemd")]
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET (linux/sched.h)
_ADD = f"""
set -eu
name=$1 link=$2 address=$3
ip netns add "$name"
# The link of a host that is gone goes when the last of its processes has died, which may be after this.
ip link delete "$link" 2>/dev/null || true
ip link add "$link" type veth peer name eth0 netns "$name"
ip link set "$link" master {BRIDGE} up
ip -n "$name" link set lo up
# The address of a host that is gone is taken again: who knew it by its hardware address must reach the new one.
ip -n "$name" link set eth0 address "02:00:c6:33:64:$(printf %02x "${{link#port}}")"
ip -n "$name" address add "$address/{PREFIX}" dev eth0
ip -n "$name" link set eth0 up
ip -n "$name" route add default via {HUB}
"""


class NetworkError(Exception):
    """Something of a test network could not be made; the text is what the tool said."""


class Network:
    """A network by its directory; `start` makes it, `stop` ends everything in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.trust = self.directory / "trust.pem"
        self._pid_file = self.directory / "supervisor.pid"
        self._id = hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]
        # Sockets of shared SSH connections. Not in the directory, whose path may be too long for a Unix socket's name (108 characters).
        self.ssh_directory = Path("/run") / f"mailops-test-{self._id}"

    @classmethod
    def around(cls) -> Network | None:
        """The network in which this process runs."""
        match = os.environ.get(INSIDE)
        return cls(Path(match)) if match else None

    @property
    def is_inside(self) -> bool:
        return os.environ.get(INSIDE) == str(self.directory)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self, *, attached: bool = True) -> None:
        """Make the network. `attached`: it ends with this process, even where that is killed."""
        self.reap()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ssh_directory.mkdir(mode=0o700, exist_ok=True)
        (self.directory / "up").unlink(missing_ok=True)
        (self.directory / "resolv.conf").write_text(f"nameserver {HUB}\noptions timeout:2 attempts:2\n", encoding="utf-8")
        names = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
        (self.directory / "nsswitch.conf").write_text(names, encoding="utf-8")
        system = ssl.get_default_verify_paths()
        bundle = Path("/etc/ssl/certs/ca-certificates.crt")
        known = bundle if bundle.exists() else Path(system.openssl_cafile)
        self.trust.write_bytes(known.read_bytes() if known.exists() else b"")
        command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
        command += [sys.executable, "-m", "testbed.supervisor", str(self.directory)] + (["--attached"] if attached else [])
        log = (self.directory / "supervisor.log").open("wb")
        with log:
            self._starter = subprocess.Popen(
                command,
                cwd=REPO,
                stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self.environment | {"PYTHONPATH": str(REPO)},
            )
        limit = time.monotonic() + 300  # on a busy machine
        while not (self.directory / "up").exists():
            if self._starter.poll() is not None or time.monotonic() > limit:
                self._starter.kill()
                raise NetworkError((self.directory / "supervisor.log").read_text(encoding="utf-8").strip() or "the network did not come up")
            time.sleep(0.01)
        children = Path(f"/proc/{self._starter.pid}/task/{self._starter.pid}/children").read_text(encoding="ascii")
        self._pid_file.write_text(f"{self._starter.pid} {children.split()[0]}\n", encoding="ascii")

    def stop(self) -> None:
        """End every process of the network; its mounts and links end with the last one."""
        for supervisor in self._pids()[1:]:  # who waits for it ends by itself
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGKILL)
        starter = getattr(self, "_starter", None)
        if starter is not None:
            starter.wait(20)
        limit = time.monotonic() + 20
        while self._pids() and time.monotonic() < limit:
            time.sleep(0.02)
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self.ssh_directory, ignore_errors=True)
        self.remove_group()

    def reap(self) -> None:
        """End what an earlier run left in this directory; for a run that ended by itself there is nothing to do."""
        self.stop()
        shutil.rmtree(self.directory / "disks", ignore_errors=True)

    @classmethod
    def clear(cls, runs: Path, older_than: float = 60.0) -> None:
        """Remove what runs that were killed left in a folder of networks: files, and empty control groups.

        A directory of fewer seconds may be of a network that is just being made.
        """
        for directory in runs.iterdir():
            network = cls(directory)
            if not network._pids() and time.time() - directory.stat().st_mtime > older_than:
                network.stop()
                shutil.rmtree(directory, ignore_errors=True)

    def _pids(self) -> list[int]:
        """The supervisor and the process that waits for it, as long as they live."""
        if not self._pid_file.exists():
            return []
        matches = [int(word) for word in self._pid_file.read_text(encoding="ascii").split()]
        return [pid for pid in matches if _is_ours(pid, self.directory)]

    @property
    def mark(self) -> str:
        """An identifier of this start of the network, unique among networks."""
        return f"{self.directory} {self._pid_file.read_text(encoding='ascii').strip()}"

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def inside(self) -> list[str]:
        """Prefix of a command so that it runs in the network, in the repository; empty where this process does."""
        return self.inside_at(REPO)

    def inside_at(self, folder: Path) -> list[str]:
        """The same in another working directory."""
        if self.is_inside:
            return []
        pids = self._pids()
        if len(pids) != 2:
            raise NetworkError(f"the test network in {self.directory} does not run")
        return ["nsenter", f"--target={pids[1]}", "--net", "--mount", "--pid", "--", "sh", "-c", 'cd "$0" && exec "$@"', str(folder)]

    @property
    def environment(self) -> dict[str, str]:
        """Environment of commands in the network: its directory, the trusted certificates, no SSH connections to other networks."""
        trust = str(self.trust)
        own = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), trust)
        return {**os.environ, **own, INSIDE: str(self.directory), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.ssh_directory)}

    def run(self, command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in the hub; NetworkError where it fails, with what it said."""
        done = self.call(command, **options)
        if done.returncode:
            words = " ".join(str(word) for word in command[:6])
            raise NetworkError(f"{words}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}".strip())
        return done

    def call(
        self, command: Sequence[str | Path], *, text: str | None = None, timeout: float = 120, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the hub, whatever comes of it."""
        return subprocess.run(
            [*self.inside, *command],
            cwd=REPO,
            env=self.environment | dict(environment or {}),
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def enter(self) -> None:
        """Move this thread, and what it starts, to the hub's network: sockets only; files and processes stay as they are."""
        if self.is_inside:
            return
        with Path(f"/proc/{self._pids()[1]}/ns/net").open("rb") as namespace:
            _setns(namespace.fileno())

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """The same for a while."""
        with Path("/proc/thread-self/ns/net").open("rb") as before:
            self.enter()
            try:
                yield
            finally:
                _setns(before.fileno())

    # -- what hangs on the bridge ---------------------------------------------------------------------------------

    def add_namespace(self, name: str, number: int) -> None:
        """A network namespace with an interface eth0 on the bridge, at the address of this number; its default route is the hub."""
        self.run(["sh", "-c", _ADD, "sh", name, f"port{number}", address(number)])

    def group(self, name: str) -> str:
        """The control group of a host: the network's, and no other's."""
        return f"mailops-test-{self._id}-{name}"

    def remove_group(self, name: str = "*") -> None:
        """Remove a host's control groups, or those of all; a group with ending processes is waited for."""
        limit = time.monotonic() + 5
        while time.monotonic() < limit:
            left = [path for top in _GROUPS for path in top.glob(self.group(name))]
            for path in left:
                for folder, _, _ in os.walk(path, topdown=False):
                    with contextlib.suppress(OSError):
                        Path(folder).rmdir()
            if not left:
                return
            time.sleep(0.02)

    def remove_namespace(self, name: str) -> None:
        self.run(["ip", "netns", "delete", name])


class Device:
    """A device on the network: a namespace where commands run; it may have more addresses than one."""

    def __init__(self, network: Network, name: str, number: int, *, more: Sequence[int] = ()) -> None:
        self.network, self.name, self.address = network, name, address(number)
        network.add_namespace(name, number)
        for one in more:
            network.run(["ip", "-n", name, "address", "add", f"{address(one)}/{PREFIX}", "dev", "eth0"])

    def call(self, command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of this host as if on the device; its result is not checked."""
        return self.network.call(["ip", "netns", "exec", self.name, *command], **options)

    def remove(self) -> None:
        self.network.remove_namespace(self.name)


def _is_ours(pid: int, directory: Path) -> bool:
    """Whether a process of this number is (still) the network's."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(directory).encode() in words


def _setns(descriptor: int) -> None:
    """os.setns, which Python has from 3.12 on."""
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
