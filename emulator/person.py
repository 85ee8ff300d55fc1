"""A user at a browser: waits for a device code, enters it and signs in with the user's password.

python -m emulator.person DIRECTORY USER [--seconds N]    DIRECTORY is the sandbox's

For scenarios without a person. Ends when the code is entered, when none is requested in time, or with the emulator.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
from pathlib import Path

from emulator.launcher import AdminClient


def enter(admin: AdminClient, user: str, password: str, seconds: float) -> bool:
    """Whether a code came up and was entered."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            waiting = admin.device_codes()
        except urllib.error.URLError:  # the emulator has ended
            return False
        if waiting:
            admin.enter_code(waiting[0]["user_code"], user, password)
            return True
        time.sleep(0.2)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator.person", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("user")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    known = json.loads((arguments.directory / "vars.yml").read_text(encoding="utf-8"))
    admin = AdminClient(known["demo_admin"])
    return 0 if enter(admin, arguments.user, known["demo_secrets"]["any_password"], arguments.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
