# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's own program on the relay host: the files that this module was shipped with, put in their place.

Private to the collection. Ansible ships a module with everything it imports, so the program's own imports decide what is installed:
errors.py, error_table/ and relay/, as the package mailops_m365.
"""

from __future__ import annotations

import os
import pkgutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from .. import error_table, errors, relay
from ..engine import Plan
from ..errors import InvalidInput
from ..machine import Machine
from ..relay import __main__  # so that it is shipped, with what it imports
from ..relay.files import write
from ..spec import Spec

LIBRARY = Path("/usr/local/lib/mailops-relay")
PACKAGE = "mailops_m365"
COMMAND = Path("/usr/local/sbin/mailops-relay")
START = f"""#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "{LIBRARY}")
from {PACKAGE}.relay.__main__ import main

sys.exit(main(sys.argv[1:]))
"""
SPEC = Spec({"state": {"type": "str", "choices": ["present", "absent"], "required": True}})


def sources() -> dict[str, str]:
    """File in the library -> its text."""
    found = {f"{PACKAGE}/__init__.py": "", f"{PACKAGE}/errors.py": _text(errors.__name__, "errors.py")}
    for package in (error_table, relay):
        folder = f"{PACKAGE}/{package.__name__.rpartition('.')[2]}"
        for name in ("__init__", *(entry.name for entry in pkgutil.iter_modules(package.__path__))):
            found[f"{folder}/{name}.py"] = _text(package.__name__, f"{name}.py")
    return found


def _text(beside: str, file: str) -> str:
    """A file in the directory of a module or package, from wherever Ansible has put it (a zip file)."""
    found = pkgutil.get_data(beside, file)
    if found is None:
        raise InvalidInput(f"The relay's program cannot be installed: {file} of {beside} was not shipped with the module.")
    return found.decode()


class RelayProgram:
    """See the module relay_program."""

    name = "relay_program"
    spec = SPEC

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def check(self, params: dict[str, Any]) -> list[str]:
        return []

    def plan(self, tenant: Machine, params: dict[str, Any], check_mode: bool) -> Plan:
        there = {path: self._present(path) for path in self._files()}
        wanted = self._wanted() if params["state"] == "present" else {}
        paths = sorted(path for path in {*there, *wanted} if there.get(path) != wanted.get(path))
        digests = [{path: _digest(side[path]) for path in paths if path in side} for side in (there, wanted)]
        steps = [(path, wanted.get(path)) for path in paths]
        return Plan(before=digests[0], after=digests[1], steps=steps, outcome={"files": paths})

    def apply(self, tenant: Machine, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        for path, text in plan.steps:
            target = self._at(Path(path))
            if text is None:
                target.unlink(missing_ok=True)
                continue
            self._make_readable(target.parent)
            write(target, text, 0o755 if Path(path) == COMMAND else 0o644)
        if params["state"] == "absent":
            self._prune()
        return plan.outcome

    def _make_readable(self, folder: Path) -> None:
        """Whatever the umask: users that are not root run the program."""
        folder.mkdir(parents=True, exist_ok=True)
        library = self._at(LIBRARY)
        for one in (folder, *folder.parents):
            if one.is_relative_to(library):
                one.chmod(0o755)

    def _at(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def _present(self, path: str) -> str:
        return self._at(Path(path)).read_text(encoding="utf-8", errors="replace")

    def _wanted(self) -> dict[str, str]:
        return {str(LIBRARY / name): text for name, text in sources().items()} | {str(COMMAND): START}

    def _files(self) -> list[str]:
        """What of the program is there, without Python's caches."""
        found = [path for path in self._at(LIBRARY).rglob("*.py") if path.is_file()]
        found += [self._at(COMMAND)] if self._at(COMMAND).is_file() else []
        return [f"/{path.relative_to(self.root)}" for path in found]

    def _prune(self) -> None:
        """The library's folders with Python's caches."""
        for folder, _folders, files in os.walk(self._at(LIBRARY), topdown=False):
            for name in files:
                Path(folder, name).unlink()
            Path(folder).rmdir()


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


RESOURCE = RelayProgram()
__all__ = ["RESOURCE", "RelayProgram", "__main__"]
