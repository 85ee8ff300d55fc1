"""What the services look at in a message: its From, its Message-ID, its line ends (RFC 5322)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.smtp import texts
from emulator.smtp.texts import Refused

ATOM = r"[^\s()<>\[\]:;@\\,.\"\x00-\x1f\x7f]+"
QUOTED = r'"(?:[^"\\\r\n]|\\[^\r\n])*"'
LOCAL = rf"(?:{ATOM}(?:\.{ATOM})*|{QUOTED})"
DOMAIN = rf"(?:{ATOM}(?:\.{ATOM})*|\[[^\[\]\\\s]*\])"
ADDRESS = re.compile(rf"{LOCAL}@{DOMAIN}")
# A display name is words and quoted strings; a bare dot is an obsolete but usual word (obs-phrase).
PHRASE = rf"(?:[^()<>\[\]:;@\\,\"\x00-\x08\x0a-\x1f\x7f]|{QUOTED})*+"
NAMED = re.compile(rf"{PHRASE}<\s*+({LOCAL}@{DOMAIN})\s*+>")
GROUP = re.compile(rf"{PHRASE}:(.*);", re.DOTALL)
HEADER_LIMIT = 1 << 18
FROM_LIMIT = 1 << 14


@dataclass(frozen=True)
class Header:
    """`authors`: the addresses of all From fields; None where one is missing or is no mailbox-list."""

    authors: list[str] | None
    fields: int  # how many From fields there are
    senders: list[str]  # the address of every Sender field that has one
    message_id: str


def read_header(raw: bytes) -> Header:
    result = _fields(raw)
    froms = [value for name, value in result if name == "from"]
    lists = [mailbox_list(value) for value in froms]
    authors = [address for one in lists if one for address in one] if froms and all(lists) else None
    senders = [mailbox_list(value) for name, value in result if name == "sender"]
    identifiers = [value for name, value in result if name == "message-id"]
    identifier = re.fullmatch(r"<[\x21-\x7e]{3,250}>", identifiers[0]) if identifiers else None
    values = [one[0] for one in senders if one and len(one) == 1]
    return Header(authors, len(froms), values, identifier.group() if identifier else "")


def _fields(raw: bytes) -> list[tuple[str, str]]:
    """Name and unfolded value of the header's fields; it ends at the first line that is none."""
    head = raw[:HEADER_LIMIT].decode("utf-8", "surrogateescape")
    matches: list[tuple[str, list[str]]] = []
    for line in re.split(r"\r?\n", head):
        if matches and line[:1] in (" ", "\t") and line.strip():
            matches[-1][1].append(line.strip())
            continue
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[\x21-\x39\x3b-\x7e]+[ \t]*+", name):
            break
        matches.append((name.strip().lower(), [value.strip()]))
    return [(name, " ".join(parts).strip()) for name, parts in matches]


def mailbox_list(text: str) -> list[str] | None:
    """The addresses of a mailbox-list or of groups; None where it is none, or empty."""
    plain = _without_comments(text) if len(text) <= FROM_LIMIT else None
    if plain is None:
        return None
    group = GROUP.fullmatch(plain.strip())
    matches: list[str] = []
    for part in _split(group.group(1) if group else plain):
        match = ADDRESS.fullmatch(part.strip()) or NAMED.fullmatch(part.strip())
        address = (match.group(1) if match.re is NAMED else match.group()) if match else ""
        if not address or not address.isprintable():
            return None
        matches.append(address)
    return matches or None


def _without_comments(text: str) -> str | None:
    """The text without (comments), which nest; None where a parenthesis or a quote stays open."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped or character == "\\":
            escaped = not escaped
        elif character == '"' and not depth:
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                return None
            continue
        if not depth:
            kept.append(character)
    return None if depth or quoted else "".join(kept)


def _split(text: str) -> list[str]:
    """The parts between commas that are in no quotes and in no angle brackets."""
    return [part for part in re.findall(rf"(?:{QUOTED}|<[^<>]*>|[^,])+", text) if part.strip()]


def check_message(raw: bytes, *, binary: bool = False) -> Header:
    """The header of a message that has what every message must have."""
    if not binary and re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        raise Refused(texts.BARE_LINE_FEED)
    header = read_header(raw)
    if header.authors is None:
        raise Refused(texts.BAD_FROM)
    if len(header.authors) > 1 and not header.senders:
        raise Refused(texts.TWO_FROMS)
    if header.fields > 1:
        raise Refused(texts.BAD_FROM)
    return header
