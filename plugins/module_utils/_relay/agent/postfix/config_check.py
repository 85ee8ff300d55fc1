# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay check-config`: checks a new main.cf or master.cf with Postfix's own tools before it replaces the current one.

Source: postconf(1), postfix(1).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..console import print_error

CONFIGURATION = Path("/etc/postfix")
# master.cf is replaced first: until main.cf follows, parameters of removed transports are unused.
_PROBLEM = re.compile(r"(?:fatal|error|panic): (.*)|warning: (.*(?:unused parameter|undefined parameter|bad |unknown ).*)")


def problems(name: str, candidate: Path, configuration: Path = CONFIGURATION) -> list[str]:
    """Postfix's errors and warnings about a file in place of `name` (main.cf, master.cf)."""
    umask = os.umask(0o077)  # the copy of a secret must not be readable at any moment
    try:
        return _problems(name, candidate, configuration)
    finally:
        os.umask(umask)


def _problems(name: str, candidate: Path, configuration: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        directory.chmod(0o755)  # Postfix's own users read it
        for path in configuration.iterdir():
            if path.is_file():
                shutil.copy(path, directory)
            elif path.name.endswith(".d"):
                shutil.copytree(path, directory / path.name)
        shutil.copy(candidate, directory / name)
        (directory / name).chmod(0o644)
        output = "".join(_stderr("postconf", "-c", temporary, option) for option in ("-n", "-M"))
        output += _stderr("postfix", "-c", temporary, "check")
    # Postfix's script checks the current file, too: lines about it are left out.
    lines = [line.replace(f"{temporary}/", "") for line in output.splitlines() if f"{configuration}/main.cf" not in line]
    matches = [match[1] or match[2] for match in map(_PROBLEM.search, lines) if match]
    return [text for text in dict.fromkeys(matches) if name == "main.cf" or "unused parameter" not in text]


def _stderr(*command: str) -> str:
    result = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - fixed words and a temporary path
    failed = result.returncode and "fatal:" not in result.stderr
    return result.stderr + (f"fatal: {command[0]} failed with exit status {result.returncode}\n" if failed else "")


def main(name: str, candidate: Path) -> int:
    """Exit status of `mailops-relay check-config NAME FILE`: 0 where Postfix accepts the file, else 1 with its errors."""
    errors = problems(name, candidate)
    for text in errors:
        print_error(f"{name}: {text}")
    return 1 if errors else 0
