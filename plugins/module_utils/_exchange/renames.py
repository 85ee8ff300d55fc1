# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New primary addresses of mailboxes and accounts, which keep their former address as a secondary one (option was)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .._core import mail_addresses


def problems(option: str, former: Mapping[str, str]) -> Iterator[str]:
    """Former addresses that contradict the list. `former`: by the listed address, in lower case; empty without one."""
    new_address: dict[str, str] = {}
    for address, was in former.items():
        yield from (f"{option}: {address}: {problem}" for problem in mail_addresses.problems("was", [was] if was else []))
        if was and was in former:
            yield f"{option}: {address}: was is {was}, which is listed, too: remove one of them."
        elif was and new_address.setdefault(was, address) != address:
            yield f"{option}: {new_address[was]} and {address} have the same former address (was) {was}: keep it at one of them."


def two_objects(option: str, address: str, was: str) -> str:
    """The sentence for a new and a former address that are two objects."""
    return (
        f"{option}: {address} and {was} (was) are two {option}, so that {was} cannot be renamed: remove was to use {address}, or remove "
        "one of them first; nothing was changed."
    )


def one_object(option: str, address: str, other: str, primary: str) -> str:
    """The sentence for two new addresses whose former addresses are those of one object."""
    return (
        f"{option}: {address} and {other} have former addresses (was) of the same object, {primary}, which gets one primary address: keep "
        "was at one of them; nothing was changed."
    )


def with_primary(entries: Iterable[object], address: str) -> list[str]:
    """EmailAddresses with another primary address; the one before stays as a secondary address.

    An entry is a type and an address. The type SMTP in upper case is that of the primary address ("Set-Mailbox", EmailAddresses).
    """
    texts = [str(entry) for entry in entries]
    others = [f"smtp:{text[5:]}" if text.lower().startswith("smtp:") else text for text in texts]
    return [f"SMTP:{address}", *(text for text in others if text.lower() != f"smtp:{address.lower()}")]
