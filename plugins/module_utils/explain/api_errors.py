# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the token endpoint, Microsoft Graph, the Exchange admin API, Azure Resource Manager and DNS servers in a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .. import error_catalog
from ..error_catalog import ENTRIES, ErrorEntry
from .scan import Match, Scan

_APIS = ("graph", "arm", "exchange")
_BODIES, _BODY_LIMIT = 200, 100_000  # JSON objects of a text, characters of each
_AADSTS = re.compile(r"\bAADSTS(\d+)\b")
# What shows which API an error is from: its host, its ids, its own words.
_CONTEXTS = {
    "graph": re.compile(r"(?i)graph|inner_?error|\b(?:Request|Authorization|Directory)_\w"),
    "arm": re.compile(r"(?i)management\.(?:azure|usgovcloudapi|chinacloudapi)|subscription|resource ?group|\bazure\b|/providers/"),
    "exchange": re.compile(r"(?i)adminapi|exchange|cmdlet|InvokeCommand|concurrent requests per tenant|pagination request"),
}
# Codes that are ordinary words, too: they count only where a code stands.
_WORDS = {"AccessDenied", "Conflict", "Forbidden", "NotFound", "OperationNotAllowed", "TooManyRequests", "Unauthorized"}
_CONNECTOR_DISABLED = re.compile(r"Inbound connector for this service offering|you can't enable an inbound connector")
_HOSTED_RELAY = re.compile(r"(?i)sendgrid|smtp2go|mailgun|E_ApiResponseCodes")
_HTTP_STATUS = re.compile(
    r"(?:\bHTTP(?:/[\d.]+)? |\banswered |\bstatus\W{1,4})(?P<status>[45]\d\d)\b|\b(?P<code>ENDPOINT_PERMISSION_DENIED)\b"
)


def _codes_of(service: str) -> set[str]:
    return {code for entry in ENTRIES if entry.service == service for code in entry.code.split("|") if code}


_OAUTH = {code for code in _codes_of("entra") if not code.isdigit()}
_CODES = {code for service in _APIS for code in _codes_of(service) if not code.endswith("Exception")}
_CODE = re.compile(
    rf"(?:^(?=\w+(?:$|:))|(?:code\W{{1,4}}|answered |HTTP \d{{3}} )|(?<!\d )[(\[](?=\w+[)\]]))(?P<word>{'|'.join(sorted(_WORDS))})\b"
    rf"|\b(?P<code>{'|'.join(sorted(_CODES - _WORDS, key=len, reverse=True))})\b",
    re.MULTILINE,
)
_DNS_FAILURES = _codes_of("dns") - {"REFUSED"}
_DNS = re.compile(
    rf"\bNOTAUTH\((BADKEY|BADSIG|BADTIME)\)|\b({'|'.join(sorted(_DNS_FAILURES))})\b"
    r"|(?:^(?=\w+$)|(?:failed|status|rcode|answered)\W{1,3}|\()(REFUSED)\b",
    re.MULTILINE,
)


def _entry(service: str, code: str, message: str) -> ErrorEntry | None:
    if service == "arm":
        return error_catalog.arm(code)
    return error_catalog.graph(code, message) if service == "graph" else error_catalog.exchange(code, message)


def _services(scan: Scan, nearby: str) -> list[str]:
    """The APIs that an error can be from: those that show nearby, else all."""
    if scan.service in _APIS:
        return [scan.service]
    return [service for service in _APIS if _CONTEXTS[service].search(nearby)] or list(_APIS)


# -- JSON -------------------------------------------------------------------------------------------------------------


def bodies(scan: Scan) -> Iterator[Match]:
    """Error bodies: `{"error": "...", "error_description": "..."}` of OAuth, `{"error": {"code": ..., "message": ...}}` of the APIs."""
    decoder, position = json.JSONDecoder(), -1
    for _number in range(_BODIES):
        position = scan.text.find("{", position + 1)
        if position < 0:
            return
        try:
            body, length = decoder.raw_decode(scan.text[position : position + _BODY_LIMIT])
        except (ValueError, RecursionError):
            continue
        for number, error in enumerate(_errors(body)):
            code, message, entry = _meaning(scan, error, scan.text[max(0, position - 300) : position + length])
            if entry:
                yield Match(position + number, position + length, code, entry, message if code in message else f"{code}: {message}")
            elif re.fullmatch(r"\w+", code):
                yield Match(position + number, position + number + 1, code, None)
        position += length - 1


def _errors(value: Any) -> Iterator[dict[str, Any]]:
    """The objects with a member `error`, in batches too."""
    pending = [value]
    while pending:
        item = pending.pop(0)
        if isinstance(item, dict):
            if item.get("error") or item.get("@odata.error"):
                yield item
            else:
                pending = [*item.values(), *pending]
        elif isinstance(item, list):
            pending = [*item, *pending]


def _meaning(scan: Scan, body: dict[str, Any], nearby: str) -> tuple[str, str, ErrorEntry | None]:
    """Code, message and entry of an error body; "" as its code where it has none."""
    error = body.get("error") or body.get("@odata.error")
    if isinstance(error, str):
        message = str(body.get("error_description") or "")
        number = _AADSTS.search(message)
        return (number[0] if number else error), message, error_catalog.entra(number[1] if number else "", error)
    if not isinstance(error, dict):
        return "", "", None
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    number = _AADSTS.search(message)
    if number:
        return number[0], message, error_catalog.entra(number[1])
    inner = error.get("innererror")
    internal = inner.get("internalexception") if isinstance(inner, dict) else None
    details = error.get("details")
    detail = str(details[0].get("message") or "") if isinstance(details, list) and details and isinstance(details[0], dict) else ""
    if detail.count("|") > 1:
        _id, kind, message = detail.split("|", 2)
        code = kind.rpartition(".")[2].strip()
        return code, message, error_catalog.exchange(code, message)
    if isinstance(internal, dict):
        code, message = str(internal.get("type") or code).rpartition(".")[2], str(internal.get("message") or message)
        return code, message, error_catalog.exchange(code, message)
    entries = (_entry(service, code, message) for service in _services(scan, nearby))
    return code, message, next((entry for entry in entries if entry), None)


# -- other texts ------------------------------------------------------------------------------------------------------


def token_errors(scan: Scan) -> Iterator[Match]:
    """AADSTS codes, and on lines without one the error codes of OAuth."""
    for match in _AADSTS.finditer(scan.text):
        yield Match(match.start(), match.end(), match[0], error_catalog.entra(match[1]))
    for start, line in scan.lines():
        for match in re.finditer(rf"\b(?:{'|'.join(sorted(_OAUTH))})\b", "" if _AADSTS.search(line) else line):
            yield Match(start + match.start(), start + match.end(), match[0], error_catalog.entra("", match[0]))


def exceptions(scan: Scan) -> Iterator[Match]:
    """Exchange's exceptions: `<error id>|<type>|<text>`, or a type alone."""
    types = _codes_of("exchange")
    for start, line in scan.lines():
        for match in re.finditer(r"(?P<bar>\|)?\b(?P<space>(?:\w+\.)*)(?P<type>[A-Z]\w+Exception)\b(?P<rest>[^\n]*)", line):
            of_exchange = match["bar"] or match["space"].startswith("Microsoft.Exchange.") or match["type"] in types
            if of_exchange or scan.service == "exchange":
                entry = error_catalog.exchange(match["type"], match["rest"])
                yield Match(start + match.start("type"), start + match.end(), match["type"], entry)


def codes(scan: Scan) -> Iterator[Match]:
    """Codes of the APIs outside JSON, as clients and the collection's own messages print them."""
    for match in _CODE.finditer(scan.text):
        code, start = match["word"] or match["code"], match.start("word" if match["word"] else "code")
        line_start, line_end = scan.line_around(start)
        line = scan.text[line_start:line_end]
        if code in ("Unauthorized", "Forbidden") and not (scan.service == "exchange" or _CONTEXTS["exchange"].search(line)):
            continue  # the names of HTTP's status codes, which every service has
        entry = next((entry for service in _services(scan, line) if (entry := _entry(service, code, ""))), None)
        if entry:
            in_brackets = scan.text[start + len(code) : start + len(code) + 1] in (")", "]")
            yield Match(start, line_end, code, entry, code if in_brackets else "")


def dns_codes(scan: Scan) -> Iterator[Match]:
    """Response codes of DNS servers; a TSIG error tells more than the NOTAUTH before it."""
    for match in _DNS.finditer(scan.text):
        code = match[1] or match[2] or match[3]
        yield Match(match.start(), match.end(), code, error_catalog.dns(code))


def hosted_relays(scan: Scan) -> Iterator[Match]:
    """HTTP statuses and error codes of the APIs of hosted relays, on lines that show the provider."""
    for start, line in scan.lines():
        if scan.service != "hosted" and not _HOSTED_RELAY.search(line):
            continue
        for match in _HTTP_STATUS.finditer(line):
            code = match["status"] or match["code"]
            entry = error_catalog.hosted(code, line)
            if entry:
                yield Match(start + match.start(), start + len(line), code, entry)


def messages(scan: Scan) -> Iterator[Match]:
    """Errors of Graph and Exchange by their text, on lines that show the API."""
    for start, line in scan.lines():
        if _CONNECTOR_DISABLED.search(line):
            yield Match(start, start + len(line), "", error_catalog.exchange("ConnectorDisabledByOffer"))
            continue
        for service in _services(scan, line):
            if service == "arm" or not (scan.service == service or _CONTEXTS[service].search(line)):
                continue
            entry = _entry(service, "", line)
            if entry:
                yield Match(start, start + len(line), "", entry)
                break
