# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's own key and certificate, and the change from one pair to the next.

Private to the collection. The role makes the pairs (tasks/new_key.yml), certificate first and key last. So a next key without its
certificate means that a change was cut short, and a next certificate without its key that making the pair was.
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
    """One pair: `key.pem` and `cert.pem`, with a prefix for the next one, in the directory that only its user can read."""

    def __init__(self, directory: Path, prefix: str = "") -> None:
        self._directory, self._prefix = directory, prefix

    def _at(self, name: str, prefix: str | None = None) -> Path:
        return self._directory / f"{self._prefix if prefix is None else prefix}{name}"

    def key(self) -> str:
        """The private key (PEM)."""
        return self._read("key.pem")

    def certificate(self) -> str:
        return self._read("cert.pem")

    def thumbprint(self) -> str:
        """SHA-1 of the certificate, in hexadecimal, as Entra names certificates (x5t)."""
        try:
            der = ssl.PEM_cert_to_DER_cert(self.certificate().strip())
        except ValueError as error:
            raise InvalidInput(f"{self._at('cert.pem')} holds no certificate: remove it and its key, and run the role again.") from error
        return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()

    def following(self) -> Identity | None:
        """The next pair, if there is one."""
        whole = self._at("key.pem", "next.").exists() and self._at("cert.pem", "next.").exists()
        return Identity(self._directory, "next.") if whole else None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes or signs with the pairs meanwhile: the timer's run waits for the role's, and the other way round."""
        handle = os.open(self._directory, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def advance(self) -> None:
        """The next pair becomes the pair; the certificate before it is kept, until it is no longer published."""
        self._at("cert.pem").replace(self._at("previous.cert.pem"))
        self._at("cert.pem", "next.").replace(self._at("cert.pem"))
        self.finish()

    def finish(self) -> None:
        """The end of `advance`, also of one that was cut short."""
        if self._at("key.pem", "next.").exists() and not self._at("cert.pem", "next.").exists():
            self._at("key.pem", "next.").replace(self._at("key.pem"))
        elif self._at("previous.cert.pem").exists() and not self._at("cert.pem").exists():
            self._at("previous.cert.pem").replace(self._at("cert.pem"))

    def _read(self, name: str) -> str:
        try:
            return self._at(name).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{self._at(name)} cannot be read ({error}): run role relay_host again.") from error
