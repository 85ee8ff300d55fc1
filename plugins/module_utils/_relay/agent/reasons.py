# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a message waits, in the words of the one error table.

Private to the collection. Postfix's text of a failed attempt goes in; the row's cause and remedy come out.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from ... import error_catalog
from ...error_catalog import Known

_SUSPENDED = "delivery temporarily suspended: "
_SAID = re.compile(r"\b(?:said|refused to talk to me): (?P<reply>\d{3}.*?)(?: \(in reply to [^()]*\))?$", re.DOTALL)
_CODE = re.compile(r"^(\d{3})[ -](?:([245]\.\d{1,3}\.\d{1,3})\b)?")
_AADSTS = re.compile(r"\bAADSTS(\d+)\b")


@dataclass(frozen=True)
class Reason:
    """`id`: the row's, or unknown. `keep`: defer, hold, bounce or "". `said`: the other side's own words, shortened."""

    id: str
    code: str
    cause: str
    remedy: str
    wait_helps: bool
    keep: str
    said: str

    def as_result(self) -> dict[str, Any]:
        return asdict(self)


WAITING = Reason("waiting", "", "on its way: no attempt has failed", "", True, "", "")


def reply(text: str) -> str:
    """The server's reply in Postfix's text of an attempt: without the server's address, in which digits look like codes."""
    text = text.removeprefix(_SUSPENDED)
    found = _SAID.search(text)
    return found["reply"] if found else text


def of(text: str) -> Reason:
    """The reason of Postfix's text (delay_reason, or what stands in brackets after status=deferred), of the bridge's or of Entra's."""
    if not text:
        return WAITING
    said = reply(text)
    entra = _AADSTS.search(said)
    known = (error_catalog.entra(entra[1]) if entra else None) or error_catalog.relay(said) or error_catalog.smtp(said)
    return _reason(known, said, entra[0] if entra else "")


def _reason(known: Known | None, said: str, code: str) -> Reason:
    found = _CODE.match(error_catalog.smtp_cause(said))
    code = code or (" ".join(part for part in found.groups() if part) if found else "")
    short = " ".join(said.split())
    short = short if len(short) <= 300 else short[:297] + "..."
    if known:
        return Reason(known.id, code, known.cause, known.remedy, known.wait, known.keep, short)
    return Reason("unknown", code, "the upstream server answered what nobody has explained yet", f"Its words: {short}", False, "", short)
