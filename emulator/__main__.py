"""`python -m emulator serve --state FILE`: emulate Microsoft 365 on this host."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from emulator.local_addresses import LOCAL, is_local
from emulator.statefile import StateError


def _local_address(text: str) -> str:
    """An address that other hosts cannot reach: loopback, or one of the test network without a default route."""
    if not is_local(text):
        raise argparse.ArgumentTypeError(f"the emulator listens on {LOCAL}")
    return text


def _hosted_host(text: str) -> tuple[str, str]:
    provider, _, address = text.partition("=")
    if provider not in ("smtp2go", "sendgrid", "mailgun"):
        raise argparse.ArgumentTypeError(f"{text}: give smtp2go, sendgrid or mailgun, and an address")
    return provider, _local_address(address)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="serve until SIGTERM")
    serve.add_argument("--state", type=Path, required=True, help="state file, YAML or JSON")
    serve.add_argument("--save", action="store_true", help="write the state back to its file at the end")
    serve.add_argument("--record", type=Path, help="append every Graph and Exchange request to this JSON Lines file")
    serve.add_argument("--host", type=_local_address, default="127.0.0.1")
    serve.add_argument("--hve-host", type=_local_address, help="left out: --host; both have one port")
    serve.add_argument("--acs-host", type=_local_address, help="likewise")
    serve.add_argument(
        "--hosted-host",
        type=_hosted_host,
        action="append",
        default=[],
        metavar="PROVIDER=ADDRESS",
        help="where port 587 is the SMTP endpoint of smtp2go, sendgrid or mailgun; left out: a free port of --host",
    )
    for name in ("https", "smtp", "mx", "hve", "acs", "dns", "admin"):
        serve.add_argument(f"--{name}-port", type=int, default=0, help="0: any free port")
    serve.add_argument("--directory", type=Path, help="where the certificate authority lives (made once)")
    serve.add_argument("--ready-file", type=Path, help="written when all ports are open")
    return parser


def main() -> int:
    arguments = vars(_parser().parse_args())
    del arguments["command"]
    from emulator.server import Emulator, Options

    try:
        asyncio.run(Emulator(Options(**arguments)).run())
    except StateError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:  # a port that is taken, a file that cannot be written
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
