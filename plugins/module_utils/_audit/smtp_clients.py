# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The export of the report "SMTP AUTH clients" of the Exchange admin center: the only source that names Basic or OAuth by sender.

Source: "SMTP AUTH clients submission report in the new Exchange admin center" (columns: sender, domain, authentication protocol, TLS
versions in per cent, messages; 90 days). Microsoft publishes no header line and has no API for the report, so that columns are found by
meaning: encoding by byte order mark, delimiter by the header line, names without case, blanks and punctuation. Only these columns are read.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .._core.errors import InvalidInput
from .evidence import ClientUsage

MOST_BYTES = 64 * 1024 * 1024
DAYS = 90  # what the report covers
COLUMNS = {
    "sender": ("senderaddress", "sender", "useraddress", "email", "emailaddress", "userprincipalname"),
    "protocol": ("authenticationprotocol", "authprotocol", "authentication", "authenticationtype"),
    "tls10": ("tls10", "tls10percentage"),
    "tls11": ("tls11", "tls11percentage"),
    "messages": ("messagessent", "messagecount", "messages", "volume", "count", "totalmessages"),
}
OLD_TLS = {"tls10": "TLS 1.0", "tls11": "TLS 1.1"}
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BASIC, _OAUTH = re.compile(r"basic|login", re.I), re.compile(r"oauth|modern|token", re.I)


_THOUSANDS = re.compile(r"\d{1,3}(?:[.,'\s]\d{3})+")


@dataclass(frozen=True)
class _Row:
    sender: str
    protocol: str
    old_tls: tuple[str, ...]
    messages: int | None


def parse(content: bytes, file: str, headers: Mapping[str, str]) -> dict[str, ClientUsage]:
    """The usage by sender in lower case. `headers`: names of columns of a localized portal, by the keys of COLUMNS.

    Raises InvalidInput with one sentence where the file is no such export.
    """
    text = _decoded(content, file)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        names, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except (csv.Error, ValueError) as error:
        raise InvalidInput(f"{file} is no CSV file ({error}): export the report SMTP AUTH clients again.") from error
    places = _places(names, headers)
    if "sender" not in places or len(places) < 2:
        listed = ", ".join(name.strip() for name in names if name.strip())[:200] or "none"
        raise InvalidInput(
            f"{file} has no column of senders and another one of the report SMTP AUTH clients (columns: {listed}): export that report, or "
            "name the columns in audit_csv_headers."
        )
    usage: dict[str, ClientUsage] = {}
    for line in lines:
        row = _row(line, places)
        if "@" in row.sender:
            usage[row.sender] = _added(usage.get(row.sender, ClientUsage()), row, protocol_known="protocol" in places)
    return usage


def header_problems(headers: Mapping[str, str]) -> list[str]:
    """The problems of the inventory's names of columns."""
    unknown = sorted(set(headers) - set(COLUMNS))
    if not unknown:
        return []
    return [f"audit_csv_headers holds {', '.join(unknown)}: name columns of the report by {', '.join(COLUMNS)}."]


def _decoded(content: bytes, file: str) -> str:
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"{file} has more than {MOST_BYTES // 1024 // 1024} MiB: export a shorter period.")
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeError as error:
        raise InvalidInput(f"{file} is neither UTF-8 nor UTF-16 text: export the report SMTP AUTH clients as CSV again.") from error


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _places(names: Sequence[str], headers: Mapping[str, str]) -> dict[str, int]:
    """The number of each known column."""
    known = {column: {_plain(headers[column])} if headers.get(column) else set(texts) for column, texts in COLUMNS.items()}
    plain = [_plain(name) for name in names]
    return {column: next(n for n, name in enumerate(plain) if name in texts) for column, texts in known.items() if texts & set(plain)}


def _row(line: Sequence[str], places: Mapping[str, int]) -> _Row:
    values = {column: line[place].strip() if place < len(line) else "" for column, place in places.items()}
    protocol = values.get("protocol", "")
    kind = "basic" if _BASIC.search(protocol) else "oauth" if _OAUTH.search(protocol) else ""
    number = values.get("messages", "")
    digits = re.sub(r"\D", "", number) if _THOUSANDS.fullmatch(number) else (re.match(r"\d*", number) or [""])[0]
    old = tuple(title for column, title in OLD_TLS.items() if re.search(r"[1-9]", values.get(column, "")))
    return _Row(values["sender"].lower(), kind, old, int(digits) if digits else None)


def _added(usage: ClientUsage, row: _Row, *, protocol_known: bool) -> ClientUsage:
    messages = usage.messages if row.messages is None else (usage.messages or 0) + row.messages
    basic = None if not protocol_known else bool(usage.basic) or row.protocol == "basic"
    oauth = None if not protocol_known else bool(usage.oauth) or row.protocol == "oauth"
    return replace(usage, basic=basic, oauth=oauth, messages=messages, old_tls=tuple(dict.fromkeys((*usage.old_tls, *row.old_tls))))
