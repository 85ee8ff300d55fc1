# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Postfix would take a new main.cf or master.cf: looked at beside the one that works, before it takes its place.

Private to the collection. Source: postconf(1), postfix(1).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..console import complain

CONFIGURATION = Path("/etc/postfix")
# master.cf is put in place first: until main.cf follows, its settings of transports that go are of no use.
_COMPLAINT = re.compile(r"(?:fatal|error|panic): (.*)|warning: (.*(?:unused parameter|undefined parameter|bad |unknown ).*)")


def complaints(name: str, candidate: Path, configuration: Path = CONFIGURATION) -> list[str]:
    """What Postfix says against this file as `name` (main.cf, master.cf); empty where it says nothing."""
    before = os.umask(0o077)  # a copy of a secret is never anybody's to read, not for a moment
    try:
        return _complaints(name, candidate, configuration)
    finally:
        os.umask(before)


def _complaints(name: str, candidate: Path, configuration: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        directory.chmod(0o755)  # Postfix's own users look into it
        for path in configuration.iterdir():
            if path.is_file():
                shutil.copy(path, directory)
            elif path.name.endswith(".d"):
                shutil.copytree(path, directory / path.name)
        shutil.copy(candidate, directory / name)
        (directory / name).chmod(0o644)
        said = "".join(_said(*command) for command in (("postconf", "-c", made, "-n"), ("postconf", "-c", made, "-M")))
        said += _said("postfix", "-c", made, "check")
    # Postfix's own script looks at the working file as well: that is not what is asked here.
    lines = [line.replace(f"{made}/", "") for line in said.splitlines() if f"{configuration}/main.cf" not in line]
    found = [match[1] or match[2] for match in map(_COMPLAINT.search, lines) if match]
    return [text for text in dict.fromkeys(found) if name == "main.cf" or "unused parameter" not in text]


def _said(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - fixed words and a path of ours
    ending = f"fatal: {command[0]} ended with {done.returncode}\n" if done.returncode and "fatal:" not in done.stderr else ""
    return done.stderr + ending


def main(arguments: list[str]) -> int:
    """`check-config main.cf FILE`: 0 where Postfix takes the file, else 1, and why."""
    name, candidate = arguments
    found = complaints(name, Path(candidate))
    for text in found:
        complain(f"{name}: {text}")
    return 1 if found else 0
