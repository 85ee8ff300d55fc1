"""Test hosts by hand.

python -m testbed network CMD...                        run a command in the hub of a new network; at its end nothing is left
python -m testbed up DIRECTORY --host relay1=bookworm   the emulator and booted hosts; inside `network` on that network
python -m testbed exec DIRECTORY CMD...                 run a command in the hub of a running lab
python -m testbed down DIRECTORY                        stop it
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from emulator.launcher import LaunchError
from testbed import image, needs
from testbed.host import HostError
from testbed.lab import TENANTS, Lab
from testbed.network import Network, NetworkError


def _network(arguments: argparse.Namespace) -> int:
    image.make_all()
    runs = image.CACHE / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    Network.clear(runs)
    directory = Path(tempfile.mkdtemp(dir=runs))
    network = Network(directory)
    try:
        network.start()
        return subprocess.run([*network.inside_at(Path.cwd()), *arguments.command], env=network.environment, check=False).returncode
    finally:
        network.stop()
        shutil.rmtree(directory)


def _up(arguments: argparse.Namespace) -> int:
    directory = arguments.directory.resolve()
    around = Network.around()
    network = around or Network(directory / "network")
    with contextlib.ExitStack() as failed:
        if around is None:
            failed.callback(network.stop)
            network.start(attached=False)
        Lab(directory, network).up(dict(arguments.host), tenants=arguments.tenants, record=arguments.record)
        failed.pop_all()
    return 0


def _exec(arguments: argparse.Namespace) -> int:
    network = Network.around() or Network(arguments.directory / "network")
    return subprocess.run([*network.inside_at(Path.cwd()), *arguments.command], env=network.environment, check=False).returncode


def _down(arguments: argparse.Namespace) -> int:
    directory = arguments.directory.resolve()
    network = Network.around()
    if network is None:
        Network(directory / "network").stop()
    elif directory.exists():
        Lab(directory, network).down()
    shutil.rmtree(directory, ignore_errors=True)
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, _, release = text.partition("=")
    if not name.isalnum() or release not in image.RELEASES:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=RELEASE, with {' or '.join(image.RELEASES)}")
    return name, release


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(required=True)
    network = actions.add_parser("network")
    network.set_defaults(action=_network)
    up = actions.add_parser("up")
    up.set_defaults(action=_up)
    up.add_argument("directory", type=Path)
    up.add_argument("--host", type=_pair, action="append", default=[], metavar="NAME=RELEASE")
    up.add_argument("--tenants", type=Path, default=TENANTS)
    up.add_argument("--record", type=Path, help="append every Graph and Exchange request to this JSON Lines file")
    inside = actions.add_parser("exec")
    inside.set_defaults(action=_exec)
    down = actions.add_parser("down")
    down.set_defaults(action=_down)
    for one in (inside, down):
        one.add_argument("directory", type=Path)
    for one in (network, inside):
        one.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    missing = needs.missing()
    if missing:
        print(missing, file=sys.stderr)
        return 2
    try:
        return int(arguments.action(arguments))
    except (NetworkError, HostError, LaunchError, image.ImageError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
