# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of passwords that cannot be read back, beside the journal: whether a password is the one that was written last.

A file a host, mode 0600. A digest is scrypt with a salt of its own (RFC 7914), over what the password belongs to and the password.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path

from .._core.errors import InvalidInput


class Digests:
    """`<directory>/<host>.digests.json`: the name of a password -> its salt and digest, in hexadecimal."""

    def __init__(self, directory: str, host: str) -> None:
        safe = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in host)
        self._path = Path(directory) / f"{safe}.digests.json"

    def matches(self, name: str, *parts: str) -> bool:
        """Whether these parts are those of the last `write`; false where nothing is known."""
        salt, _colon, digest = self._read().get(name, "").partition(":")
        return bool(digest) and secrets.compare_digest(_digest(salt, parts), digest)

    def write(self, name: str, *parts: str) -> None:
        salt = secrets.token_hex(16)
        self._store(self._read() | {name: f"{salt}:{_digest(salt, parts)}"})

    def remove(self, name: str) -> None:
        known = self._read()
        if name in known:
            self._store({other: value for other, value in known.items() if other != name})

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(name): str(value) for name, value in known.items()} if isinstance(known, dict) else {}

    def _store(self, known: dict[str, str]) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(known, file, sort_keys=True)
            new.replace(self._path)
        except OSError as error:
            raise InvalidInput(
                f"{self._path} cannot be written ({error.strerror}): m365_journal_dir has to be a writable directory."
            ) from error


def _digest(salt: str, parts: tuple[str, ...]) -> str:
    return hashlib.scrypt("\0".join(parts).encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()
