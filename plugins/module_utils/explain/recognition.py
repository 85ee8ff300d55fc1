# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The explanation of a text: the entries of the error catalog that it has, in its order.

The finders only locate codes and replies. What they mean decides the error catalog's matching, the same as for modules and relay hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .. import error_catalog
from ..error_catalog import MAIL_SERVICES, ErrorEntry
from . import api_errors, mail_errors, own_messages
from .credentials import without_credentials
from .message import readable
from .scan import Match, Scan

SERVICES = ("entra", "graph", "exchange", "smtp", "hve", "acs", "relay", "network", "arm", "dns", "hosted", "hosted_smtp")
LIMIT = 10_000_000  # characters of a text
_EXCERPT = 240  # characters
# Of two that match the same part of a text, the first one counts.
_FINDERS: tuple[Callable[[Scan], Iterator[Match]], ...] = (
    own_messages.messages,
    api_errors.bodies,
    api_errors.token_errors,
    mail_errors.deliveries,
    mail_errors.replies,
    api_errors.exceptions,
    api_errors.codes,
    api_errors.dns_codes,
    api_errors.hosted_relays,
    mail_errors.connections,
    api_errors.messages,
)


@dataclass(frozen=True)
class Explanation:
    """An entry, its code, and the part of the text that has it, without credentials. `other_services` have another entry for this reply."""

    entry: ErrorEntry
    code: str
    text: str
    other_services: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain data, for JSON and the filter."""
        entry = self.entry
        return {
            "code": self.code,
            "text": self.text,
            "service": entry.service,
            "id": entry.id,
            "cause": entry.cause,
            "remedy": entry.remedy,
            "waiting_helps": entry.transient,
            "variables": list(entry.variables),
            "queue_policy": entry.queue_policy,
            "source": entry.source,
            "other_services": list(self.other_services),
        }


@dataclass(frozen=True)
class Result:
    """`unknown_codes`: codes in the text that the error catalog does not have."""

    explanations: tuple[Explanation, ...]
    unknown_codes: tuple[str, ...]


def explain(pasted: str, service: str = "") -> Result:
    """Every entry once. `service`: one of SERVICES, where the text does not show what it is from."""
    scan = Scan(readable(pasted), service)
    for finder in _FINDERS:
        scan.add(finder(scan))
    explanations: dict[ErrorEntry, Explanation] = {}
    unknown: dict[str, None] = {}
    for match in sorted(scan.matches, key=lambda match: match.start):
        if match.entry and match.entry not in explanations:
            text = without_credentials(_excerpt(scan, match), pasted)
            explanations[match.entry] = Explanation(match.entry, match.code, text, _other_services(scan, match))
        elif not match.entry and match.code:
            unknown[match.code] = None
    return Result(tuple(explanations.values()), tuple(unknown))


def _excerpt(scan: Scan, match: Match) -> str:
    """The text of a match on one line; of a code alone, the rest of its line."""
    end = match.end if match.end - match.start > len(match.code) else scan.line_around(match.start)[1]
    text = " ".join((match.text or scan.text[match.start : min(end, match.start + 4 * _EXCERPT)])[: 4 * _EXCERPT].split())
    text = "".join(character if character.isprintable() else "?" for character in text)  # no escape sequences to the terminal
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 3] + "..."


def _other_services(scan: Scan, match: Match) -> tuple[str, ...]:
    """The mail services with an entry of their own for a reply, where nothing shows which service it is from."""
    entry, text = match.entry, " ".join(scan.text[match.start : match.end].split())
    if not entry or entry.service != "smtp" or scan.service or mail_errors.names_server(scan.text):
        return ()
    others = {name: error_catalog.smtp(text, name) for name in MAIL_SERVICES}
    return tuple(name for name, other in others.items() if other and other.service == name != "smtp")
