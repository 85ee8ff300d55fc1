# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies of mail servers, texts of Postfix and Dovecot, and failed connections in a text."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from functools import lru_cache

from .. import error_catalog
from ..error_catalog import MAIL_SERVICES, ErrorEntry
from .scan import LINE_LIMIT, Match, Scan

_ENHANCED = re.compile(r"(?<![\d.\w])(?P<basic>[245]\d\d[ -]#?)?(?P<code>[245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_BASIC = re.compile(r"^[ \t>*]*(?P<code>[45]\d\d)[ -](?![45]\.\d)(?=\S)", re.MULTILINE)
# What stands before an enhanced status code without a reply code.
_BEFORE = re.compile(r"(?:^[\s>*'\"(#<-]*|[#'\"(<]|(?:smtp;|code|error|reported|returned|answered|said|response was)\W*)$", re.IGNORECASE)
_STATUS = re.compile(r"(?:\bstatus:\s*|\bdsn=)$", re.IGNORECASE)
# A reply ends before a blank line, a line of a log or of a session, a field of a delivery status, or the quotation mark that began it.
_END = re.compile(
    r"\n[ \t]*\n|\n(?=[A-Z][\w-]*: |\w{3} +\d+ \d\d:|\d{4}-\d\d-\d\d|[<>*~=-]+ |(?:EHLO|HELO|MAIL|RCPT|DATA|AUTH|QUIT|RSET|STARTTLS)\b)"
    r"|(?:>\s*)?#SMTP#| \(in reply to "
)
_REPLY_LIMIT = 700  # characters
# The SMTP hosts of _hosted/providers.py, which does not import on Python 3.9.
_HOSTED_RELAYS = (
    *(f"mail{region}.smtp2go.com" for region in ("", "-us", "-eu", "-au")),
    *("smtp.sendgrid.net", "smtp.eu.sendgrid.net", "smtp.mailgun.org", "smtp.eu.mailgun.org"),
)
_SERVERS = {
    "azurecomm.net": "acs",
    "hve.mx.microsoft": "hve",
    "smtp.office365.com": "smtp",
    "mail.protection.outlook.com": "smtp",
    **dict.fromkeys(_HOSTED_RELAYS, "hosted_smtp"),
}
_SERVER = re.compile("|".join(map(re.escape, _SERVERS)), re.IGNORECASE)

# Lines of a relay host: a host with its address, as Postfix writes it, or a text of Postfix, Dovecot or the relay itself.
_RELAY_HOST = re.compile(
    r"\S\[(?=[^\]]*[.:])[\da-fA-F.:]+\]|\bconnect\(|\bpostfix|\bdovecot|submission-login|mailops-relay|relay_mailboxes|by the relay:"
    r"|daily quota of \d+ recipients|DNS lookup for|Disconnected by server|Remote server sent|no mechanism available|No worthy mechs"
    r"|local data error|TLS is required, but|Cannot start TLS|SSL_connect error to|status=(?:force-)?expired"
    r"|lost connection with|queue file write error|mail transport (?:unavailable|error)"
)
# What the relay host's own Postfix and Dovecot reply.
_RELAY_REPLY = re.compile(r"(?:535 5\.7\.8|454 4\.7\.0|45[12] 4\.3\.[01]) ")
_ATTEMPT = re.compile(r"\bstatus=\w+ \((?P<text>.*)\)\s*$")
_PROGRAM = re.compile(r"^.*?\b(?:postfix\S*|dovecot\S*|submission-login|mailops-relay\S*?)(?:\[\d+\])?: (?:[0-9A-Za-z]{8,20}: )?")

# The client's code of a failed connection (_clients/smtp.py), by the texts of Python, OpenSSL and the C library.
_CONNECTIONS = {
    "DNS": r"does not resolve|[Nn]ame or service not known|nodename nor servname|getaddrinfo failed|in name resolution"
    r"|No address associated with hostname|[Cc]ould not resolve host",
    "certificate": r"certificate verify failed|CERTIFICATE_VERIFY_FAILED|certificate is not trusted|[Hh]ostname mismatch",
    "no STARTTLS": r"STARTTLS extension not supported|does not offer STARTTLS",
    "not SMTP": r"does not greet with SMTP",
    "closed": r"closed before the greeting",
    "timeout": r"no (?:TCP connection|greeting) in time|[Cc]onnection timed out|ETIMEDOUT",
    "TLS": r"WRONG_VERSION_NUMBER|wrong version number|UNSUPPORTED_PROTOCOL|unsupported protocol|TLS failed|handshake failure|tlsv1 alert"
    r"|SSLHandshakeException|SSL_ERROR_SSL|TLS handshake fail",
    "connection": r"[Cc]onnection (?:refused|reset)|ECONNREFUSED|ECONNRESET|[Nn]etwork is unreachable|ENETUNREACH|[Nn]o route to host"
    r"|EHOSTUNREACH|[Cc]annot assign requested address|connection abort|ECONNABORTED",
}
_CONNECTION = re.compile("|".join(f"(?P<c{number}>{pattern})" for number, pattern in enumerate(_CONNECTIONS.values())))


def deliveries(scan: Scan) -> Iterator[Match]:
    """Lines of Postfix, Dovecot and the relay host."""
    for start, line in scan.lines():
        if scan.service != "relay" and not _RELAY_HOST.search(line):
            continue
        attempt, program = _ATTEMPT.search(line), _PROGRAM.match(line)
        text = attempt["text"] if attempt else line[program.end() :] if program else line
        of_attempt = attempt or program or scan.service == "relay"
        entry, code = error_catalog.delivery(text.strip()) if of_attempt else (error_catalog.relay(text.strip()), "")
        if entry:
            reply = error_catalog.smtp_cause(error_catalog.server_reply(text))
            code = code or ("" if entry.service == "relay" else _code_of(reply))
            begin = start + max(0, line.find(text))
            yield Match(begin, start + len(line), code, entry)


def replies(scan: Scan) -> Iterator[Match]:
    """SMTP replies, with or without the reply code. Of the field Status of a delivery status only if the text has nothing else."""
    starts = sorted(_reply_starts(scan))
    limits = {rank: [start for start, _code, other in starts if other >= rank] for rank in (0, 1, 2)}
    servers = _servers(scan.text)
    complete, incomplete = [], []
    for start, code, rank in starts:
        following = bisect.bisect_right(limits[rank], start)
        limit = limits[rank][following] if following < len(limits[rank]) else len(scan.text)
        first_line, reply, end = _reply(scan.text, start, limit)
        if not scan.is_free(start, start + 1) or not reply or reply.startswith("2"):
            continue
        entry = _entry(first_line, reply, _server_at(scan, servers, start))
        match = Match(start, end, _code_of(error_catalog.smtp_cause(reply)) or code, entry)
        if rank == 2 and reply != match.code:
            complete.append(match)
        elif rank or entry:
            incomplete.append((min(rank, 1), code, match))
    codes = {match.code.split()[-1] for match in (*scan.matches, *complete) if match.code}
    yield from complete
    if any(match.entry for _rank, code, match in incomplete if not code):
        codes |= {"4.0.0", "5.0.0"}  # the status of a reply without an enhanced code (RFC 3463, X.0.0), whose text is explained
    remaining = [(rank, match) for rank, code, match in incomplete if code not in codes]
    best = max((rank for rank, _match in remaining), default=0)
    if best == 1 or not (complete or scan.matches):
        yield from (match for rank, match in remaining if rank == best)


@lru_cache(maxsize=512)  # logs repeat replies
def _entry(first_line: str, reply: str, service: str) -> ErrorEntry | None:
    of_relay_host = _RELAY_REPLY.match(first_line) or _RELAY_HOST.search(first_line)
    return (error_catalog.relay(first_line) if of_relay_host else None) or error_catalog.smtp(reply, service)


def _reply_starts(scan: Scan) -> Iterator[tuple[int, str, int]]:
    """Position, enhanced status code and rank: 2 with a reply code, 1 without, 0 for the field of a delivery status."""
    reply, continued = -1, ""
    for match in _ENHANCED.finditer(scan.text):
        before = scan.text[max(0, match.start() - 40) : match.start()].rpartition("\n")[2]
        code = match["code"]
        if match["basic"]:
            multi_line = continued == f"{match['basic'][:3]} {code}" and re.search(r"\n[ \t>]*$", scan.text[reply : match.start()])
            if not multi_line and not _is_embedded(scan.text, reply, match.start()):
                reply = match.start()
                yield reply, code, 2
            continued = f"{match['basic'][:3]} {code}" if match["basic"][3] == "-" else ""
        elif not code.startswith("2") and _STATUS.search(before):
            yield match.start(), code, 0
        elif not code.startswith("2") and _BEFORE.search(before):
            yield match.start(), code, 1
    for match in _BASIC.finditer(scan.text):
        yield match.start("code"), "", 0


def _is_embedded(text: str, reply: int, start: int) -> bool:
    """Whether a reply is quoted by the reply that begins before it, after "Error:"."""
    quoted = re.search(r"Error:\s*$", text[max(0, start - 12) : start])
    return bool(quoted) and reply >= max(0, start - _REPLY_LIMIT) and not _END.search(text, reply, start)


def _reply(text: str, start: int, limit: int) -> tuple[str, str, int]:
    """The first line of the reply at a position, the whole on one line, and its end."""
    end = min(limit, start + _REPLY_LIMIT)
    stop = _END.search(text, start, end)
    end = stop.start() if stop else end
    quote = text[start - 1 : start]
    if quote in ("'", '"'):
        closing = re.compile(rf"{quote}(?=[\s,.;)}}\]]|$)").search(text, start, end)
        end = closing.start() if closing else end
    reply = text[start:end]
    reply = reply.replace("#", "", 1) if reply[4:5] == "#" else reply
    return reply.strip().partition("\n")[0], " ".join(reply.split()), end


def _code_of(reply: str) -> str:
    """The reply code and the enhanced status code of a reply, as far as it has them."""
    match = re.match(r"(?:([245]\d\d)[ -])?(?:([245]\.\d{1,3}\.\d{1,3})\b)?", reply)
    return " ".join(part for part in match.groups() if part) if match else ""


def _servers(text: str) -> list[tuple[int, str]]:
    """The hosts of mail services that a text names: position and service."""
    return [(match.start(), _SERVERS[match[0].lower()]) for match in _SERVER.finditer(text)]


def _server_at(scan: Scan, servers: list[tuple[int, str]], position: int) -> str:
    """The mail service that a reply is from: as the user names it, else by the host that stands last before it, else first after it."""
    if scan.service in MAIL_SERVICES:
        return scan.service
    before = bisect.bisect_left(servers, (position, ""))
    return servers[max(0, before - 1)][1] if servers else "smtp"


def names_server(text: str) -> bool:
    """Whether a text names the host of a mail service."""
    return bool(_SERVER.search(text))


def connections(scan: Scan) -> Iterator[Match]:
    """Connections that failed between a host and a mail server."""
    names = list(_CONNECTIONS)
    for start, line in scan.lines():
        match = _CONNECTION.search(line)
        if match:
            code = names[int(str(match.lastgroup)[1:])]
            yield Match(start, start + len(line[:LINE_LIMIT]), "", error_catalog.network(code, line))
