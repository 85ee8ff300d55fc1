"""Process 1 of a test network: everything of the network is in its namespaces and ends with it.

`python -m testbed.supervisor DIRECTORY`, started by testbed.network as process 1 of new process, mount and network namespaces. When
it is killed, the kernel kills every process that was started inside, and with the last of them go the mounts, the links and the
addresses. With `--attached` it ends when its standard input does, that is with whoever started it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import subprocess
from pathlib import Path

from testbed.addresses import ACS, BRIDGE, HOSTED, HUB, HVE, PREFIX

# nspawn, ip and the disks of the hosts write to file systems that disappear with the network.
_SETUP = f"""
set -eu
# Every booted systemd takes some ten inotify instances of the host, of which a distribution allows root 128 in all.
instances=/proc/sys/fs/inotify/max_user_instances
[ "$(cat $instances)" -ge 1024 ] || echo 1024 > $instances
mkdir -p /run/netns /run/systemd/nspawn "$1/disks"
mount -t tmpfs -o mode=755 testbed /run/netns
mount -t tmpfs -o mode=755 testbed /run/systemd/nspawn
mount -t tmpfs -o mode=755,size=60% testbed "$1/disks"
for file in resolv.conf nsswitch.conf; do mount --bind "$1/$file" "$(readlink -f "/etc/$file")"; done
ip link set lo up
ip link add {BRIDGE} type bridge
ip link set {BRIDGE} up
for address in {HUB} {HVE} {ACS} {" ".join(HOSTED.values())}; do ip address add "$address/{PREFIX}" dev {BRIDGE}; done
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m testbed.supervisor", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--attached", action="store_true")
    arguments = parser.parse_args()
    done = subprocess.run(["sh", "-c", _SETUP, "sh", arguments.directory], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the test network could not be made: {done.stderr.strip()}")
    (arguments.directory / "up").touch()
    _keep(attached=arguments.attached)


def _keep(*, attached: bool) -> None:
    """Reap orphaned processes until the network ends."""
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        readable, _, _ = select.select([0] if attached else [], [], [], 0.2)
        if readable and not os.read(0, 1024):
            return


if __name__ == "__main__":
    main()
