# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of SMTP credentials: an interface, and what implements it: files on the controller, or files of Ansible Vault.

A file is <directory>/<tenant>/<provider>/<name>.json (directories 0700, files 0600), a JSON object with
`current`: {"label", "id", "username", "password", "domain"}, what senders use;
`next`: the same, which replaces it and is not verified yet; it has no password while the provider generates one;
`previous`: [{"label", "id", "replaced": "2026-11-29"}], replaced credentials that the provider still has.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import functools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .._core import ansible_vault, atomic_files
from .._core.errors import InvalidInput
from .._core.spec import Option

VARIABLE = "m365_hosted_credential_store"
VAULT_VARIABLE = "m365_hosted_credential_vault_password_file"
STORE: Option = {"type": "path", "variable": VARIABLE, "env": ("MAILOPS_HOSTED_CREDENTIAL_STORE",)}
VAULT: Option = {"type": "path", "no_log": False, "variable": VAULT_VARIABLE}


@dataclass(frozen=True)
class Secret:
    """What a client authenticates with. `label`: its name at the provider. `domain`: of Mailgun, else ""."""

    label: str
    id: str
    username: str
    password: str = field(repr=False)
    domain: str = ""


@dataclass(frozen=True)
class Replaced:
    """A credential that is no longer used. `replaced`: the day."""

    label: str
    id: str
    replaced: datetime.date


@dataclass(frozen=True)
class StoredCredential:
    """The state of one credential."""

    current: Secret | None = None
    next: Secret | None = None
    previous: tuple[Replaced, ...] = ()

    @property
    def labels(self) -> set[str]:
        """The names at the provider that it knows."""
        return {one.label for one in (self.current, self.next, *self.previous) if one}


class CredentialStore(Protocol):
    """Keeps credentials by name. Methods raise InvalidInput with what to do where the store cannot be read or written."""

    def location(self, name: str) -> str:
        """Where a credential is, for a person."""

    def names(self) -> list[str]:
        """The names of the credentials in the store."""

    def read(self, name: str) -> StoredCredential | None:
        """A credential; None where there is none."""

    def write(self, name: str, credential: StoredCredential) -> None:
        """Keep a credential, durably, before it returns."""

    def remove(self, name: str) -> None:
        """Remove a credential; one that does not exist is no error."""

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """An exclusive lock for writers."""

    def notes(self, name: str) -> list[str]:
        """One sentence for each thing that makes the store unsafe."""


def default_directory() -> str:
    """The directory for state in the XDG Base Directory Specification."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "mailops", "credentials")


class DirectoryStore:
    """Implements CredentialStore with files. `tenant`: m365_tenant. Reading writes nothing."""

    def __init__(self, directory: str | None, tenant: str, provider: str) -> None:
        folder = re.sub(r"[^A-Za-z0-9._-]", "_", tenant.lower())
        self._root = Path(directory or default_directory()).expanduser()
        self._directory = self._root / folder / provider

    def location(self, name: str) -> str:
        return str(self._directory / f"{name}.json")

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._directory.glob("*.json"))

    def read(self, name: str) -> StoredCredential | None:
        path = Path(self.location(name))
        try:
            return _parsed(json.loads(self._decoded(path, path.read_text(encoding="ascii"))))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidInput(f"{VARIABLE}: {path} cannot be read ({error.strerror}): run as its owner.") from error
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInput(f"{VARIABLE}: {path} is no stored credential: restore it from a backup, or remove it.") from error

    def write(self, name: str, credential: StoredCredential) -> None:
        path = Path(self.location(name))
        content = json.dumps(asdict(credential), default=str, indent=1)
        try:
            atomic_files.replace(path, self._encoded(content))
        except OSError as error:
            raise self._unwritable(error) from error

    def remove(self, name: str) -> None:
        try:
            Path(self.location(name)).unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Creates the directories."""
        try:
            for folder in (self._root, self._directory.parent, self._directory):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._directory, os.O_RDONLY)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def notes(self, name: str) -> list[str]:
        path = Path(self.location(name))
        try:
            is_private = not path.stat().st_mode & 0o077
        except OSError:
            return []
        return [] if is_private else [f"{path} can be read by others than its owner: set its mode to 0600."]

    def _encoded(self, content: str) -> str:
        """The content of a file."""
        return content

    def _decoded(self, path: Path, content: str) -> str:
        """The JSON in a file."""
        if ansible_vault.is_encrypted(content):
            raise InvalidInput(f"{path} is encrypted with Ansible Vault, and {VAULT_VARIABLE} is not set: set it to the password's file.")
        return content

    def _unwritable(self, error: OSError) -> InvalidInput:
        return InvalidInput(f"{VARIABLE}: {self._directory} cannot be written ({error.strerror}): free or name another directory.")


class VaultStore(DirectoryStore):
    """Implements CredentialStore with files of Ansible Vault. Files that are not encrypted are read, and encrypted once written."""

    def __init__(self, directory: str | None, tenant: str, provider: str, password_file: str) -> None:
        super().__init__(directory, tenant, provider)
        self._password_file = password_file

    @functools.cached_property
    def _password(self) -> str:
        return ansible_vault.read_password(VAULT_VARIABLE, self._password_file)

    def _encoded(self, content: str) -> str:
        return ansible_vault.encrypt(content, self._password)

    def _decoded(self, path: Path, content: str) -> str:
        if not ansible_vault.is_encrypted(content):
            return content
        try:
            return ansible_vault.decrypt(content, self._password)
        except ansible_vault.WrongVaultPassword as error:
            raise InvalidInput(
                f"{VAULT_VARIABLE} is {self._password_file}, and {path} was encrypted with another password: give that one."
            ) from error

    def notes(self, name: str) -> list[str]:
        path = Path(self.location(name))
        try:
            is_plain = not ansible_vault.is_encrypted(path.read_text(encoding="ascii"))
        except OSError:
            return []
        return [*super().notes(name), *([f"{path} is not encrypted: run ansible-vault encrypt on it."] if is_plain else [])]


def open_store(directory: str | None, vault_password_file: str | None, tenant: str, provider: str) -> CredentialStore:
    """The store of a tenant's credentials at a provider: with a vault password, files of Ansible Vault."""
    if vault_password_file:
        return VaultStore(directory, tenant, provider, vault_password_file)
    return DirectoryStore(directory, tenant, provider)


def _parsed(content: Any) -> StoredCredential:
    previous = tuple(
        Replaced(str(item["label"]), str(item["id"]), datetime.date.fromisoformat(item["replaced"])) for item in content["previous"]
    )
    return StoredCredential(_secret(content["current"]), _secret(content["next"]), previous)


def _secret(content: Any) -> Secret | None:
    return Secret(**content) if content is not None else None
