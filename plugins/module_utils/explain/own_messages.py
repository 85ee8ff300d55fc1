# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the collection itself in a text: they have the cause of the error catalog, and the service's code in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..error_catalog import ENTRIES
from .scan import Match, Scan


def _words(text: str) -> str:
    """A pattern of a sentence that may be wrapped."""
    return r"\s+".join(map(re.escape, text.split()))


_CAUSES = "|".join(_words(cause) for cause in sorted({entry.cause for entry in ENTRIES}, key=len, reverse=True))
_MESSAGE = re.compile(
    rf"(?P<key>\bcause\W{{1,5}})?(?P<cause>{_CAUSES})(?P<brackets>[^\S\n]*\n?[^\S\n]*\((?P<code>[^()]*(?:\([^()]*\)[^()]*)?)\))?"
)


def messages(scan: Scan) -> Iterator[Match]:
    """A cause with its code, as failed tasks print it, or the value of `cause` of a result."""
    for match in _MESSAGE.finditer(scan.text):
        if not match["key"] and not match["brackets"]:
            continue
        cause, code = " ".join(match["cause"].split()), " ".join((match["code"] or "").split())
        entries = [entry for entry in ENTRIES if entry.cause == cause]
        bare = code.removeprefix("AADSTS").split(" ")[-1]
        entry = next((entry for entry in entries if entry.code and re.fullmatch(entry.code, bare)), entries[0])
        remedy = re.compile(rf"\W+{_words(entry.remedy)}").match(scan.text, match.end())
        yield Match(match.start("cause"), remedy.end() if remedy else match.end(), code if entry.service != "network" else "", entry)
