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

from .. import _core, _relay, error_catalog
from .._core.errors import InvalidInput
from .._core.spec import Spec
from .._engine.engine import Plan
from .._engine.local_host import LocalHost
from .._relay import agent
from .._relay.agent import cli  # so that it is shipped, with what it imports
from .._relay.agent.files import write

LIBRARY = Path("/usr/local/lib/mailops-relay")
PACKAGE = "mailops_m365"
COMMAND = Path("/usr/local/sbin/mailops-relay")
START = f"""#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "{LIBRARY}")
from {PACKAGE}._relay.agent.cli import main

sys.exit(main(sys.argv[1:]))
"""
SPEC = Spec({"state": {"type": "str", "choices": ["present", "absent"], "required": True}})


def sources() -> dict[str, str]:
    """File in the library -> its text."""
    found = {f"{PACKAGE}/__init__.py": ""}
    for package, modules in ((_core, ["errors"]), (_relay, [])):
        found |= {_file(package.__name__, name): _text(package.__name__, name) for name in ("__init__", *modules)}
    for package in (error_catalog, agent):
        found |= _package(package.__name__, list(package.__path__))
    return found


def _package(package: str, path: list[str]) -> dict[str, str]:
    """A package's files, those of the packages in it included."""
    found = {_file(package, "__init__"): _text(package, "__init__")}
    for entry in pkgutil.iter_modules(path):
        if entry.ispkg:
            found |= _package(f"{package}.{entry.name}", [f"{folder}/{entry.name}" for folder in path])
        else:
            found[_file(package, entry.name)] = _text(package, entry.name)
    return found


def _file(package: str, module: str) -> str:
    """The module's file in the library: as it is here, below PACKAGE."""
    inside = package.removeprefix(_relay.__name__.removesuffix("_relay")).replace(".", "/")
    return f"{PACKAGE}/{inside}/{module}.py"


def _text(package: str, module: str) -> str:
    """A module of a package, from wherever Ansible has put it (a zip file)."""
    found = pkgutil.get_data(package, f"{module}.py")
    if found is None:
        raise InvalidInput(f"The relay's program cannot be installed: {module}.py of {package} was not shipped with the module.")
    return found.decode()


class RelayAgent:
    """See the module relay_agent."""

    name = "relay_agent"
    spec = SPEC

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def check(self, params: dict[str, Any]) -> list[str]:
        return []

    def plan(self, tenant: LocalHost, params: dict[str, Any], check_mode: bool) -> Plan:
        there = {path: self._present(path) for path in self._files()}
        wanted = self._wanted() if params["state"] == "present" else {}
        paths = sorted(path for path in {*there, *wanted} if there.get(path) != wanted.get(path))
        digests = [{path: _digest(side[path]) for path in paths if path in side} for side in (there, wanted)]
        steps = [(path, wanted.get(path)) for path in paths]
        return Plan(before=digests[0], after=digests[1], changes=steps, outcome={"files": paths})

    def apply(self, tenant: LocalHost, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
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


RESOURCE = RelayAgent()
__all__ = ["RESOURCE", "RelayAgent", "cli"]
