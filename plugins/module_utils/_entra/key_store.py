# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of applications that this collection creates: one file for each tenant and application on the controller.

`<application>.pem` holds the private key and the certificate in use, `<application>.next.pem` those that replace them, and
`<application>.previous.crt` the certificates that are no longer in use and are registered until they end.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from .._core import atomic_files
from .._core.errors import InvalidInput, MissingLibrary
from .._engine import journal
from .._identity import key_files
from .._identity.credentials import ClientCertificate, client_certificate
from . import certificates
from .certificates import PublicCertificate

VALID_DAYS = 365
_SKEW = datetime.timedelta(hours=1)  # clocks that differ
_NAME = "the key file in m365_key_directory"


def default_directory() -> str:
    """The directory beside the journal (XDG Base Directory Specification)."""
    return str(Path(journal.default_directory()).parent / "keys")


def path_of(directory: str | None, tenant: str, application: str) -> Path:
    """The key file of an application. `directory`: m365_key_directory; `tenant`: m365_tenant."""
    folder = re.sub(r"[^A-Za-z0-9._-]", "_", tenant.lower())
    return Path(directory or default_directory()).expanduser() / folder / f"{application}.pem"


class KeyStore:
    """The files of one application. Reading writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.next_path, self._previous_path = path.with_suffix(".next.pem"), path.with_suffix(".previous.crt")

    def current(self) -> ClientCertificate | None:
        """The key and certificate in use; None where there are none. InvalidInput says what is wrong with the file."""
        return self._read(self.path)

    def next(self) -> ClientCertificate | None:
        """The next key and certificate, as `current`."""
        return self._read(self.next_path)

    def previous(self) -> list[PublicCertificate]:
        """The certificates that are no longer in use."""
        if not self._previous_path.exists():
            return []
        content = key_files.content_of(str(self._previous_path), _NAME)
        blocks = key_files.CERTIFICATE.findall(content)
        return [certificates.read(block.decode(), str(self._previous_path), retired=True) for block in blocks]

    def is_private(self) -> bool:
        """Whether nobody but its owner has permissions on the file."""
        return not self.path.exists() or not self.path.stat().st_mode & 0o077

    def _read(self, path: Path) -> ClientCertificate | None:
        if not path.exists():
            return None
        return client_certificate(*key_files.open_pair(str(path), None, _NAME, "a password"))

    # -- writing ----------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """An exclusive lock for writers; creates the directories. InvalidInput where that is impossible."""
        try:
            for folder in (self.path.parent.parent, self.path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path.parent, os.O_RDONLY)
        except OSError as error:
            raise InvalidInput(f"m365_key_directory: {self.path.parent} cannot be written ({error.strerror}): name another one.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def create_next(self, name: str, now: datetime.datetime) -> ClientCertificate:
        """A new key with its self-signed certificate on disk; the next one that is there already is kept."""
        present = self.next()
        if present is None:
            self._write(self.next_path, _new_pair(name, now))
        created = self.next()
        if created is None:
            raise InvalidInput(f"m365_key_directory: {self.next_path} was removed while it was created: run again.")
        return created

    def activate_next(self) -> None:
        """Put the next key and certificate into use; the certificate in use becomes a previous one. Can be repeated."""
        current = self.current()
        if current and current.thumbprint not in {one.thumbprint for one in self.previous()}:
            texts = [one.pem for one in self.previous()] + [current.certificate]
            self._write(self._previous_path, "".join(texts))
        self.next_path.replace(self.path)

    def remove_previous(self, thumbprints: Iterable[str]) -> None:
        """Remove certificates from the previous ones."""
        removed = set(thumbprints)
        texts = [one.pem for one in self.previous() if one.thumbprint not in removed]
        if texts:
            self._write(self._previous_path, "".join(texts))
        else:
            self._previous_path.unlink(missing_ok=True)

    def _write(self, path: Path, content: str) -> None:
        """Replace a file's content at once; mode 0600."""
        try:
            atomic_files.replace(path, content)
        except OSError as error:
            raise InvalidInput(f"m365_key_directory: {path} cannot be written ({error.strerror}): free or name another one.") from error


def _new_pair(name: str, now: datetime.datetime) -> str:
    """A new RSA key and its self-signed certificate, PEM."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    key = rsa.generate_private_key(public_exponent=65537, key_size=key_files.LEAST_RSA_BITS)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _SKEW).not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
    leaf = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (private + leaf.public_bytes(serialization.Encoding.PEM)).decode()
