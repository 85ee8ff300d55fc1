# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax of mail addresses and domains, and lists of addresses.

Source: RFC 5321, section 4.1.2 (a local part is a dot-string: neither its first nor its last character is a dot, and no two dots follow
each other); RFC 5890 (a top-level domain in another script is written as xn--...).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# The local part in ASCII: Exchange Online gives its mailboxes no other addresses.
_ATOM = r"[!#-'*+\-/0-9=?A-Z^-~]+"
# A domain of at least two labels; for `fullmatch`, and as a part of other patterns.
DOMAIN_PATTERN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|[xX][nN]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])"
ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{DOMAIN_PATTERN}")
DOMAIN = re.compile(rf"(?=.{{4,253}}$){DOMAIN_PATTERN}")


def problems(option: str, addresses: Iterable[str]) -> list[str]:
    """One sentence a malformed, empty or repeated address."""
    sentences: list[str] = []
    seen: set[str] = set()
    for address in addresses:
        if not address or not address.strip():
            sentences.append(f"{option} holds an empty address: remove it.")
        elif not ADDRESS.fullmatch(address):
            sentences.append(f"{option} holds {address!r}, which is no mail address (name@domain).")
        elif address.lower() in seen:
            sentences.append(f"{option} holds {address} twice: keep one.")
        seen.add((address or "").lower())
    return sentences


def domain(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()
