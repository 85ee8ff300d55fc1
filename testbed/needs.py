"""Requirements of test hosts: `python -m testbed.needs` prints what is missing, and fails."""

from __future__ import annotations

import os
import shutil
import sys

# Program -> the Debian package that has it (scripts/system_packages.sh installs them).
PROGRAMS = {
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "script": "bsdutils",
    "ssh": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
}


def missing() -> str:
    """One sentence with the reason why test hosts cannot run here; empty where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "Test hosts need root on Linux."
    absent = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    return f"Test hosts need {', '.join(absent)}." if absent else ""


if __name__ == "__main__":
    packages_missing = missing()
    if packages_missing:
        print(packages_missing)
    sys.exit(1 if packages_missing else 0)
