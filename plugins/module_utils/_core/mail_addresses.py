# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax of mail addresses, and lists of them. Source: RFC 5321 (a mailbox is local-part@domain)."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The local part in ASCII: Exchange Online gives its mailboxes no other addresses.
_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


def problems(option: str, addresses: Iterable[str]) -> list[str]:
    """One sentence a malformed, empty or repeated address."""
    sentences: list[str] = []
    seen: set[str] = set()
    for address in addresses:
        if not address or not address.strip():
            sentences.append(f"{option} holds an empty address: remove it.")
        elif not _ADDRESS.fullmatch(address):
            sentences.append(f"{option} holds {address!r}, which is no mail address (name@domain).")
        elif address.lower() in seen:
            sentences.append(f"{option} holds {address} twice: keep one.")
        seen.add((address or "").lower())
    return sentences


def domain(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()
