# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage the configuration files of a relay host: many files in one task, each replaced atomically and only where it differs."""

from __future__ import annotations

import contextlib
import glob
import grp
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .._core.errors import InvalidInput
from .._core.params import nested
from .._core.spec import Option, Spec
from .._engine.local_host import LocalHost
from .._engine.resource import Plan

_OWNERSHIP: dict[str, Option] = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}
_DIRECTORY: dict[str, Option] = {**_OWNERSHIP, "mode": {"type": "str", "default": "0755"}}
_FILE: dict[str, Option] = {
    **_OWNERSHIP,
    "content": {"type": "str", "required": True},
    "mode": {"type": "str", "default": "0644"},
    "replace": {"type": "bool", "default": True},
    "show_content": {"type": "bool", "default": True},
    "validate": {"type": "str", "default": ""},
}
SPEC = Spec(
    {
        "directories": {"type": "list", "elements": "dict", "options": _DIRECTORY, "default": []},
        "files": {"type": "list", "elements": "dict", "options": _FILE, "default": []},
        "purge": {"type": "list", "elements": "str", "default": []},
    },
    log_options=False,  # they are the files' contents
)
_PLACEHOLDER = "%s"  # in `validate`: the path of the new file


@dataclass(frozen=True)
class Owned:
    """What directories and files have in common. `mode` is octal."""

    path: str
    owner: str
    group: str
    mode: str


@dataclass(frozen=True)
class Directory(Owned):
    pass


@dataclass(frozen=True)
class File(Owned):
    """`replace`: False keeps the content of an existing file. `validate`: a command that accepts the new content, at `%s`."""

    content: str
    replace: bool
    show_content: bool
    validate: str


@dataclass(frozen=True)
class Params:
    """`purge`: patterns of files to remove, except for those in `files`."""

    purge: tuple[str, ...]
    directories: tuple[Directory, ...] = nested(Directory)
    files: tuple[File, ...] = nested(File)


@dataclass(frozen=True)
class FileChanges:
    """Directories to create or change, files to write, files whose owner, group or mode differs, and paths to remove."""

    directories: tuple[Directory, ...]
    write: tuple[File, ...]
    set_attributes: tuple[File, ...]
    remove: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.paths())

    def paths(self) -> list[str]:
        """Every path that changes."""
        owned: list[Owned] = [*self.directories, *self.write, *self.set_attributes]
        return sorted([*(one.path for one in owned), *self.remove])


@dataclass(frozen=True)
class Entry:
    """What is at a path: `attributes` as in "0644 root:root", empty where nothing is; `content` of a file, None for anything else."""

    attributes: str = ""
    content: str | None = None


class RelayFiles:
    """Module relay_files."""

    name = "relay_files"
    spec = SPEC
    params_type = Params

    def validate(self, params: Params, /) -> list[str]:
        owned: list[Owned] = [*params.directories, *params.files]
        paths = [one.path for one in owned]
        problems = [
            f"{path} is listed more than once; list each path once." for path in sorted({path for path in paths if paths.count(path) > 1})
        ]
        problems += [f"{path} is not an absolute path." for path in (*paths, *params.purge) if not path.startswith("/")]
        problems += [
            f"{one.path}: mode is {one.mode!r}, which is not an octal number; write it like '0644', in quotes."
            for one in owned
            if not set(one.mode) <= set("01234567") or not 3 <= len(one.mode) <= 4
        ]
        return problems + [
            f"{one.path}: validate is {one.validate!r}, which lacks {_PLACEHOLDER}, the path of the new file."
            for one in params.files
            if one.validate and _PLACEHOLDER not in one.validate
        ]

    def plan(self, host: LocalHost, params: Params, check_mode: bool, /) -> Plan[FileChanges]:
        owned: list[Owned] = [*params.directories, *params.files]
        current = {one.path: _read(one.path) for one in owned}
        write = tuple(one for one in params.files if _content_differs(one, current[one.path]))
        changes = FileChanges(
            directories=tuple(one for one in params.directories if current[one.path].attributes != _attributes(one)),
            write=write,
            set_attributes=tuple(one for one in params.files if one not in write and current[one.path].attributes != _attributes(one)),
            remove=tuple(sorted({path for pattern in params.purge for path in _matching(pattern)} - {one.path for one in params.files})),
        )
        before, after = [f"{path}\n" for path in changes.remove], []
        for directory in changes.directories:
            before.append(_text(directory.path, current[directory.path].attributes))
            after.append(_text(directory.path, _attributes(directory)))
        for file in (*changes.write, *changes.set_attributes):
            old = current[file.path]
            new = file.content if file in changes.write else old.content
            before.append(_text(file.path, old.attributes, old.content if file.show_content else None))
            after.append(_text(file.path, _attributes(file), new if file.show_content else None))
        return Plan(before="".join(before), after="".join(after), changes=changes, outcome={"paths": changes.paths()})

    def apply(self, host: LocalHost, params: Params, plan: Plan[FileChanges], /) -> dict[str, object]:
        changes = plan.pending
        for directory in changes.directories:
            with _errors_of("create", directory.path):
                Path(directory.path).mkdir(parents=True, exist_ok=True)
                _set_attributes(directory.path, directory)
        for file in changes.write:  # in the order of the option: a validation may read the files before it
            with _errors_of("write", file.path):
                _replace(file)
        for file in changes.set_attributes:
            with _errors_of("set owner, group and mode of", file.path):
                _set_attributes(file.path, file)
        for path in changes.remove:
            with _errors_of("remove", path):
                Path(path).unlink()
        return plan.outcome


def _matching(pattern: str) -> list[str]:
    """The paths that match a pattern; one that exists as it is written matches itself."""
    return [pattern] if os.path.lexists(pattern) else glob.glob(pattern)


def _content_differs(file: File, current: Entry) -> bool:
    return current.content is None or (file.replace and current.content != file.content)


def _attributes(desired: Owned) -> str:
    return f"{desired.mode.zfill(4)} {desired.owner}:{desired.group}"


def _text(path: str, attributes: str, content: str | None = None) -> str:
    """A path as the diff has it; empty where nothing is there."""
    return f"==> {path} {attributes}\n{content or ''}" if attributes else ""


def _read(path: str) -> Entry:
    """A symbolic link counts as nothing: it is replaced. Raises InvalidInput where the path cannot be read."""
    with _errors_of("read", path):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return Entry()
        if stat.S_ISLNK(status.st_mode):
            return Entry()
        attributes = f"{stat.S_IMODE(status.st_mode):04o} {_user(status.st_uid)}:{_group(status.st_gid)}"
        content = Path(path).read_bytes().decode("utf-8", "replace") if stat.S_ISREG(status.st_mode) else None
        return Entry(attributes, content)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _set_attributes(path: str, desired: Owned) -> None:
    shutil.chown(path, desired.owner, desired.group)
    os.chmod(path, int(desired.mode, 8))


def _replace(file: File) -> None:
    """Write the file beside the old one, validate it, and replace the old one."""
    path = Path(file.path)
    handle, new = tempfile.mkstemp(dir=str(path.parent), prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(file.content.encode())
            opened.flush()
            os.fsync(opened.fileno())
        _set_attributes(new, file)
        if file.validate:
            _validate(file, new)
        os.replace(new, file.path)
    except (OSError, LookupError, InvalidInput):
        Path(new).unlink(missing_ok=True)
        raise


def _validate(file: File, new: str) -> None:
    command = [word.replace(_PLACEHOLDER, new) for word in shlex.split(file.validate)]
    done = subprocess.run(  # noqa: S603 - the command is the role's
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        output = " ".join(done.stdout.decode("utf-8", "replace").split())
        raise InvalidInput(f"Could not replace {file.path}: {shlex.join(command)} refused the new content: {output or done.returncode}")


@contextlib.contextmanager
def _errors_of(attempt: str, path: str) -> Iterator[None]:
    """Raises InvalidInput with the path for an error of the operating system, and for an unknown user or group."""
    try:
        yield
    except OSError as error:
        raise InvalidInput(f"Could not {attempt} {path}: {error.strerror or error}.") from error
    except LookupError as error:
        raise InvalidInput(f"Could not {attempt} {path}: {error.args[0]}.") from error


RESOURCE = RelayFiles()
