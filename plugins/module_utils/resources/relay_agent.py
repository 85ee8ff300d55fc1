# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the relay agent on a relay host, from the files that the module was shipped with.

Ansible ships a module with everything it imports, so the agent's own imports decide what is installed: _core/errors.py,
_core/json_types.py, _core/mail_addresses.py, _core/text_lines.py, error_catalog and _relay/agent, as the package mailops_m365.
"""

from __future__ import annotations

import os
import pkgutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from .. import _core, _relay, error_catalog
from .._core.errors import InvalidInput
from .._core.spec import Spec
from .._engine.local_host import LocalHost
from .._engine.resource import Plan
from .._relay import agent
from .._relay.agent import cli  # so that Ansible ships it, with what it imports
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
    files = {f"{PACKAGE}/__init__.py": ""}
    for package, modules in ((_core, ["errors", "json_types", "mail_addresses", "text_lines"]), (_relay, [])):
        files |= {_file(package.__name__, name): _text(package.__name__, name) for name in ("__init__", *modules)}
    for package in (error_catalog, agent):
        files |= _package(package.__name__, list(package.__path__))
    return files


def _package(package: str, path: list[str]) -> dict[str, str]:
    """A package's files with those of its sub-packages."""
    files = {_file(package, "__init__"): _text(package, "__init__")}
    for entry in pkgutil.iter_modules(path):
        if entry.ispkg:
            files |= _package(f"{package}.{entry.name}", [f"{folder}/{entry.name}" for folder in path])
        else:
            files[_file(package, entry.name)] = _text(package, entry.name)
    return files


def _file(package: str, module: str) -> str:
    """The module's file in the library, at the same place below PACKAGE."""
    inside = package.removeprefix(_relay.__name__.removesuffix("_relay")).replace(".", "/")
    return f"{PACKAGE}/{inside}/{module}.py"


def _text(package: str, module: str) -> str:
    """A module's source, from wherever Ansible has put it (a zip file). Raises InvalidInput."""
    data = pkgutil.get_data(package, f"{module}.py")
    if data is None:
        raise InvalidInput(f"Could not install the relay agent: {module}.py of {package} was not shipped with the module.")
    return data.decode()


@dataclass(frozen=True)
class Params:
    """`state`: present or absent."""

    state: str


@dataclass(frozen=True)
class FileChanges:
    """Path -> the new text, to write; and paths to remove."""

    write: dict[str, str]
    remove: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.write or self.remove)


class RelayAgent:
    """Module relay_agent."""

    name = "relay_agent"
    spec = SPEC
    params_type = Params

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def validate(self, params: Params, /) -> list[str]:
        return []

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[FileChanges]:
        current = {path: self._read(path) for path in self._installed()}
        desired = self._desired() if params.state == "present" else {}
        paths = sorted(path for path in {*current, *desired} if current.get(path) != desired.get(path))
        before, after = ({path: _digest(files[path]) for path in paths if path in files} for files in (current, desired))
        changes = FileChanges(
            {path: desired[path] for path in paths if path in desired}, tuple(path for path in paths if path not in desired)
        )
        return Plan(before=before, after=after, changes=changes, outcome={"files": paths})

    def apply(self, host: LocalHost, params: Params, plan: Plan[FileChanges], /) -> dict[str, object]:
        for path in plan.pending.remove:
            self._at(Path(path)).unlink(missing_ok=True)
        for path, text in plan.pending.write.items():
            target = self._at(Path(path))
            self._create_directory(target.parent)
            write(target, text, 0o755 if Path(path) == COMMAND else 0o644)
        if params.state == "absent":
            self._prune()
        return plan.outcome

    def _create_directory(self, directory: Path) -> None:
        """With mode 0755 whatever the umask: users other than root run the agent."""
        directory.mkdir(parents=True, exist_ok=True)
        library = self._at(LIBRARY)
        for path in (directory, *directory.parents):
            if path.is_relative_to(library):
                path.chmod(0o755)

    def _at(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def _read(self, path: str) -> str:
        return self._at(Path(path)).read_text(encoding="utf-8", errors="replace")

    def _desired(self) -> dict[str, str]:
        return {str(LIBRARY / name): text for name, text in sources().items()} | {str(COMMAND): START}

    def _installed(self) -> list[str]:
        """The agent's files, without Python's caches."""
        files = [path for path in self._at(LIBRARY).rglob("*.py") if path.is_file()]
        files += [self._at(COMMAND)] if self._at(COMMAND).is_file() else []
        return [f"/{path.relative_to(self.root)}" for path in files]

    def _prune(self) -> None:
        """Remove the library's directories with Python's caches."""
        for directory, _directories, files in os.walk(self._at(LIBRARY), topdown=False):
            for name in files:
                Path(directory, name).unlink()
            Path(directory).rmdir()


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


RESOURCE = RelayAgent()
__all__ = ["RESOURCE", "RelayAgent", "cli"]
