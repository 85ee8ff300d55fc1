# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a user's refresh token is kept: one class per kind of store, and the check of a store's options.

A token is never part of a command line, and no result, log or journal contains one.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .._core import atomic_files
from .._core.bounds import TOKEN_COMMAND_TIMEOUT
from .._core.errors import InvalidInput, MailopsError
from .._core.redaction import hide
from .._core.spec import Option

OPTIONS: dict[str, Option] = {
    "kind": {"type": "str", "choices": ["file", "command", "environment"], "default": "file"},
    "path": {"type": "path"},
    "fetch": {"type": "list", "elements": "str"},
    "store": {"type": "list", "elements": "str"},
    "remove": {"type": "list", "elements": "str"},
    "variable": {"type": "str"},
}


_READ_ONLY = (
    "the token store cannot be written: give kind command a store, or sign in with kind file or command and copy the token from there."
)


class TokenStore(Protocol):
    """Keeps one refresh token."""

    @property
    def where(self) -> str:
        """The store's name in messages."""

    @property
    def writable(self) -> bool:
        """Whether a renewed token can be kept."""

    def read(self) -> str:
        """The token; "" where there is none. MailopsError where it cannot be read."""

    def obstacle(self) -> str:
        """Why no token can be stored, as far as it is known without writing: a sentence, "" where nothing is in the way."""

    def prepare(self) -> None:
        """MailopsError where no token can be stored: checked before a user is asked to sign in."""

    def write(self, token: str) -> None:
        """Replace the stored token. It is on disk when this returns."""

    def remove(self) -> None:
        """Remove the token."""


@dataclass(frozen=True)
class FileTokenStore:
    """A file that only its owner can read, replaced atomically. Its directory is created with mode 0700."""

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
            raise InvalidInput(
                f"token_store: {self.where} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}."
            ) from error
        if stat.S_IMODE(mode) & 0o077:
            raise InvalidInput(f"token_store: {self.where} can be read by other users: restrict it (chmod 600) and sign in again.")
        return text

    def obstacle(self) -> str:
        existing = next((directory for directory in self.path.parents if os.path.exists(directory)), Path("/"))
        if os.access(existing, os.W_OK | os.X_OK):
            return ""
        return f"{self.where} cannot be written in {existing}: choose a file in a writable directory."

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
            atomic_files.replace(self.path, token + "\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def remove(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> InvalidInput:
        return InvalidInput(f"token_store: {self.where} cannot be written ({error.strerror}): choose a file in a writable directory.")


@dataclass(frozen=True)
class CommandTokenStore:
    """Programs: `fetch` prints the token, `store` reads it from its standard input, `forget` removes it.

    Examples are a password manager, a vault's client and ansible-vault. A program that prints nothing or fails has no token.
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

    def obstacle(self) -> str:
        return "" if self.store else _READ_ONLY

    def prepare(self) -> None:
        """Nothing to check without a token: problems() has checked that the programs exist."""

    def write(self, token: str) -> None:
        self._run_checked(self.store, token)
        if self.read() != token:
            raise MailopsError(f"token_store: {self.store[0]} stored the token, but {self.fetch[0]} prints another: they must agree.")

    def remove(self) -> None:
        self._run_checked(self.forget)

    def _run_checked(self, command: tuple[str, ...], token: str = "") -> None:
        done = self._run(command, token)
        if done.returncode:
            message = " ".join(hide(done.stderr, [token]).split())[-200:]
            raise MailopsError(f"token_store: {command[0]} ended with {done.returncode}: {message or 'no message on standard error'}.")

    @staticmethod
    def _run(command: tuple[str, ...], token: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - the user's own choice, and no shell
                command, input=token + "\n" if token else "", capture_output=True, text=True, check=False, timeout=TOKEN_COMMAND_TIMEOUT
            )
        except subprocess.TimeoutExpired as error:
            raise MailopsError(
                f"token_store: {command[0]} did not end within {TOKEN_COMMAND_TIMEOUT:.0f} seconds; it must not ask anything."
            ) from error
        except (OSError, UnicodeError) as error:
            raise MailopsError(f"token_store: {command[0]} cannot be run: {getattr(error, 'strerror', None) or error}.") from error


@dataclass(frozen=True)
class EnvironmentTokenStore:
    """An environment variable, which a pipeline's secret store sets for a job. Read-only."""

    variable: str
    writable = False

    @property
    def where(self) -> str:
        return f"the environment variable {self.variable}"

    def read(self) -> str:
        return os.environ.get(self.variable, "").strip()

    def obstacle(self) -> str:
        return _READ_ONLY

    def prepare(self) -> None:
        raise InvalidInput(f"token_store: {self.where} cannot be written, so no sign-in can be stored there: use a file or a command.")

    def write(self, token: str) -> None:
        self.prepare()

    def remove(self) -> None:
        self.prepare()


@dataclass(frozen=True)
class TokenStoreOptions:
    """The suboptions of the option token_store (OPTIONS). None: not set."""

    kind: str
    path: str | None = None
    fetch: tuple[str, ...] | None = None
    store: tuple[str, ...] | None = None
    remove: tuple[str, ...] | None = None
    variable: str | None = None

    @property
    def _set(self) -> dict[str, str | tuple[str, ...]]:
        """The options besides `kind` that have a value."""
        values = {name: getattr(self, name) for name in OPTIONS if name != "kind"}
        return {name: value for name, value in values.items() if value}

    def problems(self) -> list[str]:
        """What is wrong with the options, one sentence each, with the option and the fix."""
        needed = {"file": "path", "command": "fetch", "environment": "variable"}[self.kind]
        if needed not in self._set:
            return [f"token_store: kind {self.kind} needs {needed}."]
        allowed = {"file": ("path",), "command": ("fetch", "store", "remove"), "environment": ("variable",)}[self.kind]
        foreign = [name for name in self._set if name not in allowed]
        messages = [f"token_store: {name} does not apply to kind {self.kind}: remove it." for name in foreign]
        if self.kind == "file" and self.path and not Path(self.path).is_absolute():
            messages.append(f"token_store: path is {self.path!r}: give an absolute path, so that every run uses the same file.")
        commands = {"fetch": self.fetch, "store": self.store, "remove": self.remove} if self.kind == "command" else {}
        for name, command in commands.items():
            if command and not shutil.which(command[0]):
                messages.append(f"token_store: {name} begins with {command[0]!r}, which is not a program on this host.")
        return messages

    def removal_problems(self) -> list[str]:
        """What prevents removing the token (state absent)."""
        if self.kind == "environment":
            return ["token_store: an environment variable cannot be removed by a task: remove it where the job gets it from."]
        if self.kind == "command" and not self.remove:
            return ["token_store: kind command needs remove, where state is absent."]
        return []

    def open(self) -> TokenStore:
        """The token store. The options have no problems."""
        if self.kind == "file":
            return FileTokenStore(Path(self.path or ""))
        if self.kind == "environment":
            return EnvironmentTokenStore(self.variable or "")
        return CommandTokenStore(self.fetch or (), self.store or (), self.remove or ())


MISSING = "token_store is missing: say where the refresh token is kept (kind, and path, fetch or variable)."
