# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the format of Ansible Vault 1.1, which the command ansible-vault reads; resources import nothing of Ansible.

Source: "Ansible Vault", section "Ansible Vault payload format 1.1 - 1.2": PBKDF2 (SHA-256, 10,000 iterations) gives keys for AES-256 in
CTR mode, for HMAC-SHA-256, and the initial counter.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InvalidInput, MailopsError, MissingLibrary

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

HEADER = "$ANSIBLE_VAULT;"
_HEADER = "$ANSIBLE_VAULT;1.1;AES256"
_ITERATIONS, _SALT, _KEY, _BLOCK, _LINE = 10_000, 32, 32, 16, 80
_TIMEOUT = 60  # seconds for a program that prints the password


class WrongVaultPassword(MailopsError):  # noqa: N818
    """The text was encrypted with another password, or was changed."""


def is_encrypted(text: str) -> bool:
    return text.startswith(HEADER)


def encrypt(text: str, password: str) -> str:
    """The text as the content of a vault file."""
    salt, plain = os.urandom(_SALT), text.encode()
    padding = _BLOCK - len(plain) % _BLOCK
    cipher, mac_key = _cipher(password, salt)
    encryptor = cipher.encryptor()
    content = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    mac = hmac.digest(mac_key, content, "sha256")
    payload = binascii.hexlify(b"\n".join(map(binascii.hexlify, (salt, mac, content)))).decode()
    return "\n".join([_HEADER, *(payload[i : i + _LINE] for i in range(0, len(payload), _LINE))]) + "\n"


def decrypt(vault: str, password: str) -> str:
    """The text in a vault file. ValueError where it is not of this format, WrongVaultPassword where the password is another one."""
    header, _newline, payload = vault.partition("\n")
    if header.split(";")[1:3] not in (["1.1", "AES256"], ["1.2", "AES256"]):
        raise ValueError(f"not a vault file of version 1.1 or 1.2: {header[:40]}")
    salt, mac, content = (binascii.unhexlify(part) for part in binascii.unhexlify("".join(payload.split())).split(b"\n", 2))
    cipher, mac_key = _cipher(password, salt)
    if not hmac.compare_digest(mac, hmac.digest(mac_key, content, "sha256")):
        raise WrongVaultPassword("the vault password is another one, or the file was changed")
    decryptor = cipher.decryptor()
    plain = decryptor.update(content) + decryptor.finalize()
    return plain[: -plain[-1]].decode()


def _cipher(password: str, salt: bytes) -> tuple[Cipher[modes.CTR], bytes]:
    """The cipher, and the key of the message authentication code."""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError as error:
        raise MissingLibrary("cryptography") from error
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS, 2 * _KEY + _BLOCK)
    return Cipher(algorithms.AES(derived[:_KEY]), modes.CTR(derived[2 * _KEY :])), derived[_KEY : 2 * _KEY]


def read_password(variable: str, file: str) -> str:
    """The vault password in a file, or what an executable file prints, as for ansible-vault. InvalidInput names the variable."""
    path = Path(file).expanduser()
    try:
        if path.is_file() and os.access(path, os.X_OK):
            done = subprocess.run([str(path)], capture_output=True, timeout=_TIMEOUT, check=True)  # noqa: S603 - the user's own program
            password = done.stdout.decode().strip()
        else:
            password = path.read_text("utf-8").strip()
    except (OSError, UnicodeError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidInput(f"{variable} is {file}, which cannot be read ({reason}): give a file with the vault password.") from error
    if not password:
        raise InvalidInput(f"{variable} is {file}, which has no password: give a file with the vault password.")
    return password
