# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a user's refresh token is kept: one class a kind, and what is wrong with the options of one.

Private to the collection. A token never stands in a command line, and no result, log or journal holds one.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .._core.errors import InvalidInput, MailopsError
from .._core.redaction import hide

_PATIENCE = 60.0  # seconds that a command may take
OPTIONS: dict[str, dict[str, Any]] = {
    "kind": {"type": "str", "choices": ["file", "command", "environment"], "default": "file"},
    "path": {"type": "path"},
    "fetch": {"type": "list", "elements": "str"},
    "store": {"type": "list", "elements": "str"},
    "remove": {"type": "list", "elements": "str"},
    "variable": {"type": "str"},
}


class Sink(Protocol):
    """Keeps one refresh token."""

    @property
    def where(self) -> str:
        """What a person calls it."""

    @property
    def writable(self) -> bool:
        """Whether a renewed token can be kept."""

    def read(self) -> str:
        """The token; "" where it holds none. MailopsError where it cannot be read."""

    def prepare(self) -> None:
        """Find out before a person is asked whether a token can be kept; MailopsError where not."""

    def write(self, token: str) -> None:
        """Keep a token instead of the one before. It is kept when this returns."""

    def remove(self) -> None:
        """Forget the token."""


@dataclass(frozen=True)
class FileSink:
    """A file that only its owner may read, replaced in one step; its directory is made with mode 0700."""

    path: Path
    writable = True

    @property
    def where(self) -> str:
        return f"the file {self.path}"

    def read(self) -> str:
        try:
            mode = self.path.stat().st_mode
            text = self.path.read_text("ascii").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"sink: {self.where} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.") from error
        if stat.S_IMODE(mode) & 0o077:
            raise InvalidInput(f"sink: {self.where} can be read by others: take that away (chmod 600) and sign in anew.")
        return text

    def prepare(self) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".mailops-")
            os.close(handle)
            os.unlink(name)
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, token: str) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".mailops-")  # mkstemp makes it 0600
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(token + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, self.path)
            except OSError:
                os.unlink(name)
                raise
        except OSError as error:
            raise self._unwritable(error) from error

    def remove(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> InvalidInput:
        return InvalidInput(f"sink: {self.where} cannot be written ({error.strerror}): name one in a directory that can.")


@dataclass(frozen=True)
class CommandSink:
    """Programs that keep it: one prints the token, one takes it on its standard input, one forgets it.

    That is a password manager, a vault's own client, or ansible-vault. A program that prints nothing, or fails, holds none.
    """

    fetch: tuple[str, ...]
    store: tuple[str, ...]
    forget: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"the program {Path(self.fetch[0]).name}"

    @property
    def writable(self) -> bool:
        return bool(self.store)

    def read(self) -> str:
        done = self._run(self.fetch)
        return done.stdout.strip() if done.returncode == 0 else ""

    def prepare(self) -> None:
        """Whether the program is there; what it does with a token shows when it gets one."""

    def write(self, token: str) -> None:
        self._must(self.store, token)
        if self.read() != token:
            raise MailopsError(f"sink: {self.store[0]} took the token, but {self.fetch[0]} does not print it: the two must agree.")

    def remove(self) -> None:
        self._must(self.forget)

    def _must(self, command: tuple[str, ...], token: str = "") -> None:
        done = self._run(command, token)
        if done.returncode:
            said = " ".join(hide(done.stderr, [token]).split())[-200:]
            raise MailopsError(f"sink: {command[0]} ended with {done.returncode}: {said or 'it said nothing'}.")

    @staticmethod
    def _run(command: tuple[str, ...], token: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - the user's own choice, and no shell
                command, input=token + "\n" if token else "", capture_output=True, text=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired as error:
            raise MailopsError(f"sink: {command[0]} did not end within {_PATIENCE:.0f} seconds; it must not ask anything.") from error
        except (OSError, UnicodeError) as error:
            raise MailopsError(f"sink: {command[0]} cannot be run: {getattr(error, 'strerror', None) or error}.") from error


@dataclass(frozen=True)
class EnvironmentSink:
    """An environment variable: what a pipeline's own store gives a job. It can be read only."""

    variable: str
    writable = False

    @property
    def where(self) -> str:
        return f"the environment variable {self.variable}"

    def read(self) -> str:
        return os.environ.get(self.variable, "").strip()

    def prepare(self) -> None:
        raise InvalidInput(f"sink: {self.where} cannot be written, so that nobody can sign in into it: use a file or a command.")

    def write(self, token: str) -> None:
        self.prepare()

    def remove(self) -> None:
        self.prepare()


def problems(options: dict[str, Any] | None) -> list[str]:
    """What is wrong with a sink's options, each a clause that names the option and the fix."""
    if not options:
        return ["sink is missing: say where the refresh token is kept (kind, and path, fetch or variable)."]
    kind = options["kind"]
    needed = {"file": "path", "command": "fetch", "environment": "variable"}[kind]
    if not options.get(needed):
        return [f"sink: kind {kind} needs {needed}."]
    allowed = {"file": ("path",), "command": ("fetch", "store", "remove"), "environment": ("variable",)}[kind]
    foreign = [name for name in OPTIONS if name != "kind" and options.get(name) and name not in allowed]
    found = [f"sink: {name} has no meaning for kind {kind}: leave it out." for name in foreign]
    if kind == "file" and not Path(options["path"]).is_absolute():
        found.append(f"sink: path is {options['path']!r}: give an absolute path, so that every run finds the same file.")
    for name in ("fetch", "store", "remove") if kind == "command" else ():
        command = options.get(name)
        if command and not shutil.which(command[0]):
            found.append(f"sink: {name} begins with {command[0]!r}, which is no program on this machine.")
    return found


def make(options: dict[str, Any]) -> Sink:
    """The sink that the options mean, which have no problems."""
    if options["kind"] == "file":
        return FileSink(Path(options["path"]))
    if options["kind"] == "environment":
        return EnvironmentSink(options["variable"])
    return CommandSink(*(tuple(options.get(name) or ()) for name in ("fetch", "store", "remove")))
