# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's private key and certificate, and the change to the next ones.

The role creates them (tasks of relay_host), the certificate first and the key last. So a next key without its certificate means that a
change was interrupted, and a next certificate without its key that its creation was.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from ...._core.errors import InvalidInput


class Identity:
    """`key.pem` and `cert.pem` in a directory that only their user can read; the prefix `next.` names the next ones."""

    def __init__(self, directory: Path, prefix: str = "") -> None:
        self._directory, self._prefix = directory, prefix

    def _file(self, name: str, prefix: str | None = None) -> Path:
        return self._directory / f"{self._prefix if prefix is None else prefix}{name}"

    def key(self) -> str:
        """The private key (PEM). Raises InvalidInput."""
        return self._read("key.pem")

    def certificate(self) -> str:
        """The certificate (PEM). Raises InvalidInput."""
        return self._read("cert.pem")

    def thumbprint(self) -> str:
        """SHA-1 of the certificate in hexadecimal, by which Entra identifies it (x5t). Raises InvalidInput."""
        try:
            der = ssl.PEM_cert_to_DER_cert(self.certificate().strip())
        except ValueError as error:
            path = self._file("cert.pem")
            raise InvalidInput(f"{path} holds no certificate: remove it and its key, then run the role relay_host again.") from error
        return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()

    def next(self) -> Identity | None:
        """The next key and certificate, where both exist."""
        complete = self._file("key.pem", "next.").exists() and self._file("cert.pem", "next.").exists()
        return Identity(self._directory, "next.") if complete else None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """An exclusive lock: the timer's run and the role's run wait for each other."""
        handle = os.open(self._directory, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def activate_next(self) -> None:
        """Replace key and certificate by the next ones; the previous certificate stays until it is no longer published."""
        self._file("cert.pem").replace(self._file("previous.cert.pem"))
        self._file("cert.pem", "next.").replace(self._file("cert.pem"))
        self.complete_activation()

    def complete_activation(self) -> None:
        """Complete an activation, also one that was interrupted."""
        if self._file("key.pem", "next.").exists() and not self._file("cert.pem", "next.").exists():
            self._file("key.pem", "next.").replace(self._file("key.pem"))
        elif self._file("previous.cert.pem").exists() and not self._file("cert.pem").exists():
            self._file("previous.cert.pem").replace(self._file("cert.pem"))

    def _read(self, name: str) -> str:
        try:
            return self._file(name).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{self._file(name)} cannot be read ({error}): run the role relay_host again.") from error
