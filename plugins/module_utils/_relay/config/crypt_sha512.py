# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SHA512-CRYPT, the password hash of Linux and Dovecot. Python 3.13 has no module crypt, and a command line would show the password.

Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", 0.6; the tests have its vectors.
"""

from __future__ import annotations

import hashlib
import re

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ROUNDS = 5000  # the format's default, which is left out of the hash
FORM = re.compile(r"\$6\$(?:rounds=\d{4,9}\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}")


def salt(*context: str) -> str:
    """16 characters of ALPHABET, the same for the same context, so that a second run changes nothing.

    The context must not contain the password: a salt is public, and would be a fast hash of it.
    """
    digest = hashlib.sha256("\0".join(context).encode()).digest()
    return "".join(ALPHABET[byte % 64] for byte in digest[:16])


def _stretched(block: bytes, length: int) -> bytes:
    """The first `length` bytes of the repeated block."""
    return (block * (length // len(block) + 1))[:length]


def _digest(password: bytes, salted: bytes, rounds: int) -> bytes:
    sha = hashlib.sha512
    other = sha(password + salted + password).digest()
    start = sha(password + salted + _stretched(other, len(password)))
    size = len(password)
    while size:
        start.update(other if size & 1 else password)
        size >>= 1
    now = start.digest()
    p = _stretched(sha(password * len(password)).digest(), len(password))
    s = _stretched(sha(salted * (16 + now[0])).digest(), len(salted))
    for number in range(rounds):
        first, last = (p, now) if number & 1 else (now, p)
        now = sha(first + (s if number % 3 else b"") + (p if number % 7 else b"") + last).digest()
    return now


def sha512_crypt(password: str, salted: str, rounds: int = ROUNDS) -> str:
    """`$6$salt$hash` of a password; the salt has up to 16 characters of ALPHABET."""
    now = _digest(password.encode(), salted.encode()[:16], rounds)
    text = []
    a, b, c = 0, 21, 42
    for _round in range(21):
        value = now[a] << 16 | now[b] << 8 | now[c]
        text += [ALPHABET[value >> shift & 63] for shift in (0, 6, 12, 18)]
        a, b, c = b + 1, c + 1, a + 1
    text += [ALPHABET[now[63] & 63], ALPHABET[now[63] >> 6]]
    named = "" if rounds == ROUNDS else f"rounds={rounds}$"
    return f"$6${named}{salted[:16]}${''.join(text)}"
